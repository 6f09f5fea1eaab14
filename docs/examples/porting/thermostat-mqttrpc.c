/* SPDX-License-Identifier: MIT */

/* The daemon of docs/PORTING.md on MQTT. thermostat-sdbus.c is the same on D-Bus, in the same
 * order, to be read beside it.
 *
 *         cc thermostat-mqttrpc.c $(pkg-config --cflags --libs mqttrpc libsystemd) \
 *                 -o thermostat-mqttrpc
 *         ./thermostat-mqttrpc unix:///run/mqttrpc/broker.sock USER PASSWORD */

#include <errno.h>
#include <mqttrpc/mqttrpc.h>
#include <mqttrpc/sd-event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#define SERVICE   "thermostat"
#define OBJECT    "-"
#define INTERFACE "org.example.Thermostat1"

typedef struct Thermostat {
        MqttRpcBus *bus;
        double temperature, target;
} Thermostat;

static int get_temperature(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "d", ((Thermostat *)userdata)->temperature);
}

static int get_target(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "d", ((Thermostat *)userdata)->target);
}

static int set_target(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Thermostat *thermostat = userdata;
        double degrees;
        int r;

        r = mqttrpc_request_read(request, "d", &degrees);
        if (r < 0)
                return r;
        if (!(degrees >= 5 && degrees <= 30))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "degrees are from 5 to 30");
        thermostat->target = degrees;
        r = mqttrpc_emit_signal(thermostat->bus, SERVICE, OBJECT, "TargetChanged", "d", degrees);
        if (r < 0)
                return r;
        return mqttrpc_request_reply_values(request, "");
}

static int on_calibrate(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Thermostat *thermostat = userdata;
        double reference, error;
        int r;

        r = mqttrpc_request_read(request, "d", &reference);
        if (r < 0)
                return r;
        error = reference - thermostat->temperature;
        if (!(error >= -5 && error <= 5))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "the sensor is not off by more than 5 degrees");
        thermostat->temperature = reference;
        r = mqttrpc_property_changed(thermostat->bus, SERVICE, OBJECT, "Temperature");
        if (r < 0)
                return r;
        return mqttrpc_request_reply_values(request, "d", error);
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_INTERFACE(INTERFACE),
        MQTTRPC_PROPERTY("Temperature", "d", get_temperature, 0),
        MQTTRPC_WRITABLE_PROPERTY("Target", "d", get_target, set_target, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_METHOD("Calibrate", "reference:d", "d", on_calibrate, 0),
        MQTTRPC_SIGNAL("TargetChanged", "degrees:d", 0),
        MQTTRPC_END,
};

static int serve(Thermostat *thermostat, sd_event *event, char **argv, MqttRpcError **ret_error)
{
        MqttRpcSdEvent glue;
        int r;

        r = mqttrpc_bus_set_uri(thermostat->bus, argv[1], ret_error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(thermostat->bus, argv[2], argv[3]);
        if (r >= 0)
                r = mqttrpc_add_object(thermostat->bus, NULL, SERVICE, OBJECT, vtable, thermostat,
                                       ret_error);
        if (r >= 0)
                r = mqttrpc_sd_event_attach(&glue, thermostat->bus, event,
                                            SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        r = mqttrpc_bus_open(thermostat->bus, ret_error);
        if (r >= 0)
                r = sd_event_loop(event);
        mqttrpc_bus_close(thermostat->bus);
        mqttrpc_sd_event_detach(&glue);
        return r;
}

int main(int argc, char **argv)
{
        Thermostat thermostat = {.temperature = 20, .target = 20};
        MqttRpcError *error = NULL;
        sd_event *event = NULL;
        sigset_t signals;
        int r;

        if (argc != 4) {
                fprintf(stderr, "usage: %s URI USER PASSWORD\n", argv[0]);
                return 2;
        }
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = mqttrpc_bus_new(&thermostat.bus);
        if (r >= 0)
                r = serve(&thermostat, event, argv, &error);
        if (r < 0)
                fprintf(stderr, "%s\n", error ? mqttrpc_error_get_message(error) : strerror(-r));
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(thermostat.bus);
        sd_event_unref(event);
        return r < 0;
}
