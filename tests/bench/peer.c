/* SPDX-License-Identifier: MIT */

/* What stands behind the baselines and behind the gateway, in processes of their own, so that their
 * CPU time can be told apart:
 *
 *         bench-peer dbus-echo ADDRESS                  sd-bus service org.mqttrpc.Bench
 *         bench-peer mqtt-echo HOST PORT USER PASSWORD  responder on libmosquitto
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
#include <unistd.h>

#include "tests/bench/connection.h"

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

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("EchoString", "s", "s", method_echo, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("EchoDict", "a{sv}", "a{sv}", method_echo, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void serve_dbus(const char *address)
{
        sd_bus *bus = connect_bus(address);

        check("object", sd_bus_add_object_vtable(bus, NULL, "/org/mqttrpc/Bench",
                                                 "org.mqttrpc.Bench", vtable, NULL));
        check("name", sd_bus_request_name(bus, "org.mqttrpc.Bench", 0));
        say_ready();
        for (;;)
                if (check("process", sd_bus_process(bus, NULL)) == 0)
                        check("wait", sd_bus_wait(bus, UINT64_MAX));
}

/* ---- MQTT ---- */

static void on_request(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
        char topic[256];

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

        say_ready();
        for (;;)
                connection_process(mosquitto, true);
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
