/* SPDX-License-Identifier: MIT */

/* The broker stops, and a service emits a burst of signals meanwhile: how much the gateway grows,
 * how long it takes until the last one has arrived when the broker is back, and whether each signal
 * has either arrived or been counted as dropped. */

#include "tests/bench/row.h"

#include "tests/bench/cpu.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define BENCH_PATH "/org/mqttrpc/Bench"

enum {
        POLL_USEC = 10000,
        QUIET_POLLS = 20, /* without CPU time: nothing is left to do */
};

typedef struct Receiver {
        struct mosquitto *mosquitto;
        guint32 received, last;
        double dropped; /* as the gateway says; -1: it has not been asked */
} Receiver;

static double number_after(const struct mosquitto_message *message, const char *key)
{
        const char *at = g_strstr_len(message->payload, message->payloadlen, key);

        g_assert_nonnull(at);
        at += strlen(key);
        return strtod(at + strcspn(at, "0123456789"), NULL);
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
        Receiver *receiver = userdata;

        if (strstr(message->topic, "/call/Stats/")) {
                receiver->dropped = number_after(message, "\"dropped_signals\":");
                return;
        }
        receiver->received++;
        receiver->last = (guint32)number_after(message, "\"params\":");
}

static void receiver_open(Receiver *receiver, const Buses *buses)
{
        ConnectionSettings settings = buses_get_settings(buses);

        *receiver = (Receiver){.dropped = -1};
        receiver->mosquitto =
                connection_open(&settings, "mb1/bench/-/sig/Tick", 1, on_message, receiver);
        mosquitto_subscribe(receiver->mosquitto, NULL, "mb1/gateway/+/call/Stats/bench/+", 1);
}

static double ask_dropped(Receiver *receiver)
{
        static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":\"1\"}";

        connection_publish(receiver->mosquitto, "mb1/gateway/-/call/Stats/bench", request,
                           strlen(request), 1);
        while (receiver->dropped < 0)
                connection_process(receiver->mosquitto, true);
        return receiver->dropped;
}

static void start_burst(const Buses *buses, guint32 count)
{
        sd_bus *bus = NULL;

        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_address(bus, buses_get_address(buses)), >=, 0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, true), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        g_assert_cmpint(sd_bus_call_method(bus, "org.mqttrpc.Bench", BENCH_PATH,
                                           "org.mqttrpc.Bench", "Flood", NULL, NULL, "uu", count,
                                           (guint32)0),
                        >=, 0);
        sd_bus_flush_close_unref(bus);
}

static double cpu_of_all(const Buses *buses)
{
        return cpu_time_usec(buses_get_pid(buses, PART_SERVICE)) +
               cpu_time_usec(buses_get_pid(buses, PART_DBUS_DAEMON)) +
               cpu_time_usec(buses_get_pid(buses, PART_GATEWAY));
}

/* Until neither service nor bus nor gateway has worked for a while, beside looking for the broker.
 * Returns the most that the gateway has had, in KiB. */
static double wait_until_quiet(const Buses *buses)
{
        pid_t pid = buses_get_pid(buses, PART_GATEWAY);
        double before = cpu_of_all(buses), most = 0;

        for (unsigned quiet = 0; quiet < QUIET_POLLS;) {
                double now;

                g_usleep(POLL_USEC);
                now = cpu_of_all(buses);
                quiet = now - before < POLL_USEC / 10 ? quiet + 1 : 0;
                before = now;
                most = MAX(most, cpu_rss_kib(pid));
        }
        return most;
}

/* The gateway is held until somebody listens: what it sends before would be lost to us. Returns how
 * long it took from then on. */
static double recover(Buses *buses, Receiver *receiver, guint32 count)
{
        pid_t pid = buses_get_pid(buses, PART_GATEWAY);
        gint64 start;

        kill(pid, SIGSTOP);
        buses_start_broker(buses);
        receiver_open(receiver, buses);
        kill(pid, SIGCONT);
        start = g_get_monotonic_time();
        while (receiver->last < count)
                connection_process(receiver->mosquitto, true);
        return (double)(g_get_monotonic_time() - start);
}

void row_measure_burst(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        double before, growth, dropped, usec;
        Receiver receiver;

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        buses_start_gateway(buses, NULL, NULL);
        before = cpu_rss_kib(buses_get_pid(buses, PART_GATEWAY));
        buses_stop_broker(buses);
        start_burst(buses, effort->burst);
        growth = wait_until_quiet(buses) - before;
        usec = recover(buses, &receiver, effort->burst);
        dropped = ask_dropped(&receiver);
        row_add_count(result, "signals", effort->burst);
        row_add_count(result, "arrived", receiver.received);
        row_add_count(result, "counted as dropped", dropped);
        row_add_count(result, "neither", effort->burst - receiver.received - dropped);
        row_add_count(result, "growth, KiB", growth);
        row_add_count(result, "bytes per signal kept", growth * 1024 / receiver.received);
        row_add_count(result, "back after, ms", usec / 1000);
        result->value = growth * 1024 / 1e6;
        connection_close(receiver.mosquitto);
        g_free(buses_stop_gateway(buses)); /* its heap is not that of others any more */
}
