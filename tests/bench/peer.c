/* SPDX-License-Identifier: MIT */

/* What stands behind the baselines and behind the gateway, in processes of their own, so that their
 * CPU time can be told apart:
 *
 *         bench-peer dbus-echo ADDRESS                  sd-bus service org.mqttrpc.Bench, which
 *                                      also emits signals, as many and as fast as Flood(uu) says,
 *                                      from /org/mqttrpc/Bench or, where no gateway listens, /Alone
 *         bench-peer mqtt-echo HOST PORT USER PASSWORD  responder on libmosquitto; a request to
 *                                      Flood has it publish as many signals as its payload says
 *         bench-peer idle ADDRESS HOST PORT USER PASSWORD
 *                                      connected to both, and does nothing: the smallest gateway
 *
 * Says "ready" on its standard output. No GLib and nothing of this project: the memory of `idle`
 * is a baseline. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/connection.h"

enum {
        FLOOD_TICK_USEC = 1000,
        MANY = 20, /* BENCH_MANY of buses.h, without GLib */
};

static void say_ready(void)
{
        puts("ready");
        fflush(stdout);
}

static int check(const char *what, int r)
{
        if (r < 0) {
                fprintf(stderr, "bench-peer: %s: %s\n", what, strerror(-r));
                abort();
        }
        return r;
}

/* ---- D-Bus ---- */

static sd_bus *connect_bus(const char *address)
{
        sd_bus *bus = NULL;

        check("new bus", sd_bus_new(&bus));
        check("address", sd_bus_set_address(bus, address));
        check("client", sd_bus_set_bus_client(bus, true));
        check("connect", sd_bus_start(bus));
        return bus;
}

static int method_echo(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_copy(reply, m, true);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        sd_bus_message_unref(reply);
        return r;
}

/* Never answers. */
static int method_hold(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return 1;
}

static const char path[] = "/org/mqttrpc/Bench";
static const char alone[] = "/org/mqttrpc/Alone";

/* Signals to be emitted, here or below, `rate` a second; 0: as fast as the bus takes them. */
static struct {
        const char *path;
        uint32_t sent, count, rate;
        uint64_t started_usec;
} flood;

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int method_flood(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        int r;

        r = sd_bus_message_read(m, "uu", &flood.count, &flood.rate);
        if (r < 0)
                return r;
        flood.path = strcmp(sd_bus_message_get_path(m), alone) ? path : alone;
        flood.sent = 0;
        flood.started_usec = now_usec();
        return sd_bus_reply_method_return(m, "");
}

/* Emits what is due, and not more than the bus takes. */
static void emit_due(sd_bus *bus)
{
        uint64_t due = flood.count, n_queued = 0;

        if (flood.rate > 0)
                due = (now_usec() - flood.started_usec) * flood.rate / 1000000 + 1;
        while (flood.sent < flood.count && flood.sent < due && n_queued == 0) {
                check("emit", sd_bus_emit_signal(bus, flood.path, "org.mqttrpc.Bench", "Tick", "u",
                                                 ++flood.sent));
                check("queue", sd_bus_get_n_queued_write(bus, &n_queued));
        }
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("EchoString", "s", "s", method_echo, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("EchoDict", "a{sv}", "a{sv}", method_echo, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Hold", "s", "s", method_hold, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Flood", "uu", "", method_flood, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL("Tick", "u", 0),
        SD_BUS_VTABLE_END,
};

/* The same service under further names. */
static void request_many(sd_bus *bus)
{
        char name[32];

        for (int i = 0; i < MANY; i++) {
                snprintf(name, sizeof(name), "org.mqttrpc.Many%d", i);
                check("name", sd_bus_request_name(bus, name, 0));
        }
}

static void serve_dbus(const char *address)
{
        sd_bus *bus = connect_bus(address);

        check("object",
              sd_bus_add_object_vtable(bus, NULL, path, "org.mqttrpc.Bench", vtable, NULL));
        check("object",
              sd_bus_add_object_vtable(bus, NULL, alone, "org.mqttrpc.Bench", vtable, NULL));
        check("name", sd_bus_request_name(bus, "org.mqttrpc.Bench", 0));
        request_many(bus);
        say_ready();
        for (;;) {
                emit_due(bus);
                if (check("process", sd_bus_process(bus, NULL)) == 0)
                        check("wait", sd_bus_wait(bus, flood.sent < flood.count ? FLOOD_TICK_USEC
                                                                                : UINT64_MAX));
        }
}

/* ---- MQTT ---- */

/* As many as a gateway has on their way at most. */
enum { FLOOD_WINDOW = 1000 };

static uint32_t n_acknowledged;

static void on_published(struct mosquitto *mosquitto, void *userdata, int id)
{
        n_acknowledged++;
}

static void publish_due(struct mosquitto *mosquitto)
{
        char text[64];

        while (flood.sent < flood.count && flood.sent - n_acknowledged < FLOOD_WINDOW) {
                snprintf(text, sizeof(text),
                         "{\"jsonrpc\":\"2.0\",\"method\":\"Tick\",\"params\":[%u]}", ++flood.sent);
                connection_publish(mosquitto, "mb1/raw/-/sig/Tick", text, strlen(text), 1);
        }
}

static void on_request(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
        char topic[256];

        if (strstr(message->topic, "/call/Flood/")) {
                flood.count = (uint32_t)strtoul(message->payload, NULL, 10);
                flood.sent = n_acknowledged = 0;
                return;
        }
        snprintf(topic, sizeof(topic), "%s/reply", message->topic);
        connection_publish(mosquitto, topic, message->payload, (size_t)message->payloadlen,
                           message->qos);
}

static struct mosquitto *connect_broker(char **argv, const char *filter)
{
        ConnectionSettings settings = {
                .host = argv[0], .port = atoi(argv[1]), .user = argv[2], .password = argv[3]};

        return connection_open(&settings, filter, 1, on_request, NULL);
}

static void serve_mqtt(char **argv)
{
        struct mosquitto *mosquitto = connect_broker(argv, "mb1/raw/+/call/+/+");

        mosquitto_publish_callback_set(mosquitto, on_published);
        say_ready();
        for (;;) {
                publish_due(mosquitto);
                connection_process(mosquitto, true);
        }
}

/* ---- both ---- */

static void be_idle(char **argv)
{
        sd_bus *bus = connect_bus(argv[0]);

        connect_broker(argv + 1, NULL);
        while (check("process", sd_bus_process(bus, NULL)) > 0 || sd_bus_is_ready(bus) <= 0)
                check("wait", sd_bus_wait(bus, 10000));
        say_ready();
        for (;;)
                pause();
}

int main(int argc, char **argv)
{
        if (argc == 3 && !strcmp(argv[1], "dbus-echo"))
                serve_dbus(argv[2]);
        else if (argc == 6 && !strcmp(argv[1], "mqtt-echo"))
                serve_mqtt(argv + 2);
        else if (argc == 7 && !strcmp(argv[1], "idle"))
                be_idle(argv + 2);
        fprintf(stderr, "usage: see the top of peer.c\n");
        return 2;
}
