/* SPDX-License-Identifier: MIT */

/* moving-service FILE dbus ADDRESS NAME plain|queue|replace
 * moving-service FILE mqtt URI USER PASSWORD SERVICE
 *
 * One service in two forms, as it is before and after its move. Its object /org/example/Move has
 * the interface org.example.Move: Mark(n:u) → s appends the number to FILE, as four bytes, and
 * returns "dbus" or "mqtt"; Side (s) is the same word. Ends in order by SIGTERM; exits with 3 when
 * it does not get its name on D-Bus. */

#include <errno.h>
#include <fcntl.h>
#include <mqttrpc/mqttrpc.h>
#include <mqttrpc/sd-event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define NO_NAME 3

static int marks = -1;
static sd_event *event;

static int mark(uint32_t number)
{
        return write(marks, &number, sizeof(number)) == (ssize_t)sizeof(number) ? 0 : -errno;
}

/* ---- on D-Bus ---- */

static int dbus_mark(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        uint32_t number;
        int r;

        r = sd_bus_message_read(m, "u", &number);
        if (r >= 0)
                r = mark(number);
        return r < 0 ? r : sd_bus_reply_method_return(m, "s", "dbus");
}

static int dbus_side(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        return sd_bus_message_append(reply, "s", "dbus");
}

static const sd_bus_vtable dbus_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Mark", "u", "s", dbus_mark, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Side", "s", dbus_side, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

static int serve_dbus(const char *address, const char *name, const char *way)
{
        uint64_t flags = !strcmp(way, "queue")     ? SD_BUS_NAME_QUEUE
                         : !strcmp(way, "replace") ? SD_BUS_NAME_REPLACE_EXISTING
                                                   : 0;
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, "/org/example/Move", "org.example.Move",
                                             dbus_vtable, NULL);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0 && sd_bus_request_name(bus, name, flags) < 0)
                return NO_NAME;
        if (r >= 0)
                r = sd_event_loop(event);
        sd_bus_flush_close_unref(bus);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- on MQTT ---- */

static int mqtt_mark(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        uint32_t number;
        int r;

        r = mqttrpc_request_read(request, "u", &number);
        if (r >= 0)
                r = mark(number);
        return r < 0 ? r : mqttrpc_request_reply_values(request, "s", "mqtt");
}

static int mqtt_side(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "s", "mqtt");
}

static const MqttRpcMember mqtt_vtable[] = {
        MQTTRPC_INTERFACE("org.example.Move"),
        MQTTRPC_METHOD("Mark", "n:u", "s", mqtt_mark, 0),
        MQTTRPC_PROPERTY("Side", "s", mqtt_side, 0),
        MQTTRPC_END,
};

static int serve_mqtt(const char *uri, const char *user, const char *password, const char *service)
{
        MqttRpcSdEvent glue = {};
        MqttRpcBus *bus = NULL;
        int r;

        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, uri, NULL);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, user, password);
        if (r >= 0)
                r = mqttrpc_add_service(bus, NULL, service, mqtt_vtable, NULL, NULL);
        if (r >= 0)
                r = mqttrpc_sd_event_attach(&glue, bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, NULL);
        if (r >= 0)
                r = sd_event_loop(event);
        mqttrpc_bus_close(bus);
        mqttrpc_sd_event_detach(&glue);
        mqttrpc_bus_unref(bus);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        sigset_t signals;

        if (argc < 3)
                return EXIT_FAILURE;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        marks = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (marks < 0 || sd_event_new(&event) < 0 ||
            sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL) < 0)
                return EXIT_FAILURE;
        if (argc == 6 && !strcmp(argv[2], "dbus"))
                return serve_dbus(argv[3], argv[4], argv[5]);
        if (argc == 7 && !strcmp(argv[2], "mqtt"))
                return serve_mqtt(argv[3], argv[4], argv[5], argv[6]);
        return EXIT_FAILURE;
}
