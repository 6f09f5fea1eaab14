/* SPDX-License-Identifier: MIT */

/* The daemon of docs/PORTING.md on D-Bus. thermostat-mqttrpc.c is the same on MQTT, in the same
 * order, to be read beside it.
 *
 *         cc thermostat-sdbus.c $(pkg-config --cflags --libs libsystemd) -o thermostat-sdbus
 *         ./thermostat-sdbus */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define NAME      "org.example.Thermostat"
#define PATH      "/org/example/Thermostat"
#define INTERFACE "org.example.Thermostat1"

typedef struct Thermostat {
        sd_bus *bus;
        double temperature, target;
} Thermostat;

static int get_temperature(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *ret_error)
{
        return sd_bus_message_append(reply, "d", ((Thermostat *)userdata)->temperature);
}

static int get_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        return sd_bus_message_append(reply, "d", ((Thermostat *)userdata)->target);
}

static int set_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
        Thermostat *thermostat = userdata;
        double degrees;
        int r;

        r = sd_bus_message_read(value, "d", &degrees);
        if (r < 0)
                return r;
        if (!(degrees >= 5 && degrees <= 30))
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INVALID_ARGS,
                                         "degrees are from 5 to 30");
        thermostat->target = degrees;
        return sd_bus_emit_signal(bus, path, interface, "TargetChanged", "d", degrees);
}

static int on_calibrate(sd_bus_message *request, void *userdata, sd_bus_error *ret_error)
{
        Thermostat *thermostat = userdata;
        double reference, error;
        int r;

        r = sd_bus_message_read(request, "d", &reference);
        if (r < 0)
                return r;
        error = reference - thermostat->temperature;
        if (!(error >= -5 && error <= 5))
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INVALID_ARGS,
                                         "the sensor is not off by more than 5 degrees");
        thermostat->temperature = reference;
        r = sd_bus_emit_properties_changed(thermostat->bus, PATH, INTERFACE, "Temperature", NULL);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(request, "d", error);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Temperature", "d", get_temperature, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_WRITABLE_PROPERTY("Target", "d", get_target, set_target, 0,
                                 SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Calibrate", SD_BUS_ARGS("d", reference), SD_BUS_RESULT("d", error),
                                on_calibrate, 0),
        SD_BUS_SIGNAL_WITH_ARGS("TargetChanged", SD_BUS_ARGS("d", degrees), 0),
        SD_BUS_VTABLE_END,
};

static int serve(Thermostat *thermostat, sd_event *event)
{
        int r;

        r = sd_bus_open_user(&thermostat->bus);
        if (r >= 0)
                r = sd_bus_add_object_vtable(thermostat->bus, NULL, PATH, INTERFACE, vtable,
                                             thermostat);
        if (r >= 0)
                r = sd_bus_request_name(thermostat->bus, NAME, 0);
        if (r >= 0)
                r = sd_bus_attach_event(thermostat->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_event_loop(event);
        sd_bus_flush_close_unref(thermostat->bus);
        return r;
}

int main(void)
{
        Thermostat thermostat = {.temperature = 20, .target = 20};
        sd_event *event = NULL;
        sigset_t signals;
        int r;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = serve(&thermostat, event);
        if (r < 0)
                fprintf(stderr, "%s\n", strerror(-r));
        sd_event_unref(event);
        return r < 0;
}
