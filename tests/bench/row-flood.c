/* SPDX-License-Identifier: MIT */

/* Many signals: how many a second go through the gateway, against those that each bus carries
 * alone; and what is left for calls when the service that they are for emits 20,000 a second, whose
 * receiver is not the caller. All take turns, on all CPUs. */

#include "tests/bench/measure.h"
#include "tests/bench/row.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define BENCH_PATH "/org/mqttrpc/Bench"
#define ALONE_PATH "/org/mqttrpc/Alone" /* without the gateway */

enum {
        RATE = 20000,
        STREAMS = 4,
        STREAM_SIGNALS = 10000, /* together 40,000 */
};

/* What comes at the topic of the signals. */
typedef struct Receiver {
        struct mosquitto *mosquitto;
        guint64 received; /* of this flood */
        guint32 last;     /* number of the last one */
} Receiver;

typedef struct Setup {
        Payload *payload;
        Client *gateway;
        Receiver receiver; /* of what comes through the gateway */
        Receiver raw;      /* of what is published by the raw responder */
        sd_bus *bus;
        Samples *quiet, *flooded; /* all calls */
        Samples *rates;           /* signals per second, one for each flood */
        guint64 emitted, received;
} Setup;

static void on_signal(struct mosquitto *mosquitto, void *userdata,
                      const struct mosquitto_message *message, const mosquitto_property *properties)
{
        static const char key[] = "\"params\":[";
        const char *at = memmem(message->payload, (size_t)message->payloadlen, key, strlen(key));
        Receiver *receiver = userdata;

        g_assert_nonnull(at);
        receiver->received++;
        receiver->last = (guint32)strtoul(at + strlen(key), NULL, 10);
}

/* Takes what is there, without waiting. */
static void receive(const Receiver *receiver)
{
        struct pollfd ready = {.fd = mosquitto_socket(receiver->mosquitto), .events = POLLIN};

        if (poll(&ready, 1, 0) > 0)
                connection_process(receiver->mosquitto, true);
}

static sd_bus *open_bus(const Buses *buses)
{
        sd_bus *bus;

        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_address(bus, buses_get_address(buses)), >=, 0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, true), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        return bus;
}

/* ---- calls in a flood ---- */

static void start_flood(const Setup *setup, const char *path, guint32 count, guint32 rate)
{
        g_assert_cmpint(sd_bus_call_method(setup->bus, "org.mqttrpc.Bench", path,
                                           "org.mqttrpc.Bench", "Flood", NULL, NULL, "uu", count,
                                           rate),
                        >=, 0);
}

static void call_once(Client *client, Samples *block, Samples *all)
{
        gint64 start = g_get_monotonic_time();
        double usec;

        client_call(client);
        usec = (double)(g_get_monotonic_time() - start);
        samples_add(block, usec);
        samples_add(all, usec);
}

/* Calls as long as signals come; returns the p99. The last signal is never dropped. */
static double time_flooded(Setup *setup, guint32 count, unsigned *ret_calls)
{
        g_autoptr(Samples) block = samples_new();
        gint64 start = g_get_monotonic_time();
        unsigned calls = 0;

        setup->receiver.received = setup->receiver.last = 0;
        start_flood(setup, BENCH_PATH, count, RATE);
        while (setup->receiver.last < count) {
                call_once(setup->gateway, block, setup->flooded);
                receive(&setup->receiver);
                calls++;
        }
        samples_add(setup->rates, (double)setup->receiver.received * G_USEC_PER_SEC /
                                          (double)(g_get_monotonic_time() - start));
        setup->emitted += count;
        setup->received += setup->receiver.received;
        *ret_calls = calls;
        return samples_get(block, 0.99);
}

static double time_quiet(Setup *setup, unsigned calls)
{
        g_autoptr(Samples) block = samples_new();

        while (calls-- > 0)
                call_once(setup->gateway, block, setup->quiet);
        return samples_get(block, 0.99);
}

/* ---- as many as can be ---- */

static double rate_since(gint64 start, guint32 count)
{
        return (double)count * G_USEC_PER_SEC / (double)(g_get_monotonic_time() - start);
}

static int on_dbus_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        guint32 *last = userdata;

        return sd_bus_message_read(m, "u", last);
}

static double time_dbus(Setup *setup, const Buses *buses, guint32 count)
{
        sd_bus *bus = open_bus(buses);
        guint32 last = 0;
        gint64 start;

        g_assert_cmpint(sd_bus_match_signal(bus, NULL, "org.mqttrpc.Bench", ALONE_PATH,
                                            "org.mqttrpc.Bench", "Tick", on_dbus_signal, &last),
                        >=, 0);
        start = g_get_monotonic_time();
        start_flood(setup, ALONE_PATH, count, 0);
        while (last < count)
                if (sd_bus_process(bus, NULL) == 0)
                        g_assert_cmpint(sd_bus_wait(bus, UINT64_MAX), >=, 0);
        sd_bus_flush_close_unref(bus);
        return rate_since(start, count);
}

static double wait_signals(Receiver *receiver, gint64 start, guint32 count)
{
        while (receiver->last < count)
                connection_process(receiver->mosquitto, true);
        return rate_since(start, count);
}

static double time_mqtt(Setup *setup, guint32 count)
{
        g_autofree char *text = g_strdup_printf("%u", count);
        gint64 start = g_get_monotonic_time();

        setup->raw.received = setup->raw.last = 0;
        connection_publish(setup->raw.mosquitto, "mb1/raw/-/call/Flood/bench", text, strlen(text),
                           1);
        return wait_signals(&setup->raw, start, count);
}

static double time_gateway(Setup *setup, guint32 count)
{
        gint64 start = g_get_monotonic_time();

        setup->receiver.received = setup->receiver.last = 0;
        start_flood(setup, BENCH_PATH, count, 0);
        setup->emitted += count;
        (void)wait_signals(&setup->receiver, start, count);
        setup->received += setup->receiver.received;
        /* what was dropped does not count */
        return rate_since(start, (guint32)setup->receiver.received);
}

/* ---- the rows ---- */

static void setup_init(Setup *setup, Buses *buses, const Row *row)
{
        ConnectionSettings connection;

        buses_use(buses, row->transport);
        connection = buses_get_settings(buses);
        *setup = (Setup){.payload = payload_new(row->payload),
                         .quiet = samples_new(),
                         .flooded = samples_new(),
                         .rates = samples_new()};
        setup->gateway = client_new_mqtt(
                &(ClientMqtt){.connection = connection, .service = "bench", .qos = row->qos},
                setup->payload);
        setup->receiver.mosquitto = connection_open(&connection, "mb1/bench/-/sig/Tick", 1,
                                                    on_signal, &setup->receiver);
        setup->raw.mosquitto =
                connection_open(&connection, "mb1/raw/-/sig/Tick", 1, on_signal, &setup->raw);
        setup->bus = open_bus(buses);
}

static void setup_done(Setup *setup)
{
        client_free(setup->gateway);
        connection_close(setup->receiver.mosquitto);
        connection_close(setup->raw.mosquitto);
        sd_bus_flush_close_unref(setup->bus);
        payload_free(setup->payload);
        samples_free(setup->quiet);
        samples_free(setup->flooded);
        samples_free(setup->rates);
}

static void add_rate(RowResult *result, const char *label, Samples *rates)
{
        Figure figure = {.label = label, .rate = samples_get(rates, 0.5)};

        row_add_figure(result, figure);
}

/* Of the signals that were to go through the gateway. */
static void add_share(RowResult *result, const Setup *setup)
{
        row_add_count(result, "% received", 100 * (double)setup->received / (double)setup->emitted);
}

void row_measure_flood(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autoptr(Samples) ratios = samples_new();
        unsigned calls;
        Setup setup;

        setup_init(&setup, buses, row);
        (void)time_quiet(&setup, effort->block);
        for (unsigned turn = 0; turn < effort->repeats; turn++) {
                double flooded = time_flooded(&setup, 2 * effort->rate_calls, &calls);

                samples_add(ratios, flooded / time_quiet(&setup, calls));
        }
        result->value = samples_get(ratios, 0.5);
        row_add_times(result, "without signals", setup.quiet);
        row_add_times(result, "20,000 signals/s", setup.flooded);
        add_rate(result, "signals received", setup.rates);
        add_share(result, &setup);
        setup_done(&setup);
}

/* As fast as they come, a stream after the other. */
void row_measure_signals_lost(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        guint32 count = effort->repeats > 1 ? STREAM_SIGNALS : effort->rate_calls;
        g_autoptr(Samples) rates = samples_new();
        Setup setup;

        setup_init(&setup, buses, row);
        for (unsigned i = 0; i < STREAMS; i++)
                samples_add(rates, time_gateway(&setup, count));
        result->value = (double)(setup.emitted - setup.received);
        add_rate(result, "through the gateway", rates);
        row_add_count(result, "emitted", (double)setup.emitted);
        row_add_count(result, "received", (double)setup.received);
        setup_done(&setup);
}

void row_measure_signals(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        static const char *const labels[] = {"D-Bus", "MQTT", "through the gateway"};
        g_autoptr(Samples) ratios = samples_new();
        Samples *rates[G_N_ELEMENTS(labels)];
        Setup setup;

        setup_init(&setup, buses, row);
        for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
                rates[i] = samples_new();
        for (unsigned turn = 0; turn < effort->repeats; turn++) {
                double dbus = time_dbus(&setup, buses, effort->rate_calls);
                double mqtt = time_mqtt(&setup, effort->rate_calls);
                double gateway = time_gateway(&setup, effort->rate_calls);

                samples_add(rates[0], dbus);
                samples_add(rates[1], mqtt);
                samples_add(rates[2], gateway);
                samples_add(ratios, gateway / MIN(dbus, mqtt));
        }
        result->value = samples_get(ratios, 0.5);
        for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
                add_rate(result, labels[i], rates[i]);
                samples_free(rates[i]);
        }
        add_share(result, &setup);
        setup_done(&setup);
}
