/* SPDX-License-Identifier: MIT */

/* A plain program that calls the service of thermostat.c, one call after the other.
 *
 *         cc client-sync.c $(pkg-config --cflags --libs mqttrpc) -o client-sync
 *         ./client-sync unix:///run/mqttrpc/broker.sock USER PASSWORD 21.5
 *
 * The user must be granted all calls of thermostat. */

#include <mqttrpc/mqttrpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_USEC = 5000000, SERVICE_USEC = 5000000, CALL_USEC = 10000000 };

static int connect_bus(MqttRpcBus *bus, char **argv, MqttRpcError **ret_error)
{
        int r;

        r = mqttrpc_bus_set_uri(bus, argv[1], ret_error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, argv[2], argv[3]);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, ret_error);
        if (r >= 0)
                r = mqttrpc_bus_wait_connected(bus, CONNECT_USEC, ret_error);
        if (r >= 0)
                r = mqttrpc_wait_service(bus, "thermostat", SERVICE_USEC, ret_error);
        return r;
}

/* A property is written by a call, so that it is known whether the service has taken the value. */
static int set_target(MqttRpcBus *bus, double degrees, MqttRpcError **ret_error)
{
        char *params = NULL;
        int r;

        r = mqttrpc_json_params(&params, "d", degrees);
        if (r >= 0)
                r = mqttrpc_call(bus, "thermostat", "-", "prop.set.Target", params, CALL_USEC, 0,
                                 NULL, ret_error);
        free(params);
        return r;
}

static int get_property(MqttRpcBus *bus, const char *name, double *ret_degrees,
                        MqttRpcError **ret_error)
{
        MqttRpcReply *reply = NULL;
        char *params = NULL;
        int r;

        r = mqttrpc_json_params(&params, "s", name);
        if (r >= 0)
                r = mqttrpc_call(bus, "thermostat", "-", "prop.get", params, CALL_USEC, 0, &reply,
                                 ret_error);
        if (r >= 0)
                r = mqttrpc_reply_read(reply, "d", ret_degrees);
        mqttrpc_reply_unref(reply);
        free(params);
        return r;
}

static int wait_target(MqttRpcBus *bus, double *ret_degrees, MqttRpcError **ret_error)
{
        MqttRpcReply *reply = NULL;
        int r;

        r = mqttrpc_call(bus, "thermostat", "-", "WaitTarget", NULL, CALL_USEC, 0, &reply,
                         ret_error);
        if (r >= 0)
                r = mqttrpc_reply_read(reply, "d", ret_degrees);
        mqttrpc_reply_unref(reply);
        return r;
}

static int warm_up(MqttRpcBus *bus, double degrees, MqttRpcError **ret_error)
{
        double target, reached;
        int r;

        r = set_target(bus, degrees, ret_error);
        if (r >= 0)
                r = get_property(bus, "Target", &target, ret_error);
        if (r >= 0)
                r = wait_target(bus, &reached, ret_error);
        if (r >= 0)
                printf("wanted %g degrees, got %g\n", target, reached);
        return r;
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        MqttRpcBus *bus = NULL;
        int r;

        if (argc != 5) {
                fprintf(stderr, "usage: %s URI USER PASSWORD DEGREES\n", argv[0]);
                return 2;
        }
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = connect_bus(bus, argv, &error);
        if (r >= 0)
                r = warm_up(bus, strtod(argv[4], NULL), &error);
        if (r < 0 && error)
                fprintf(stderr, "error %d: %s\n", mqttrpc_error_get_code(error),
                        mqttrpc_error_get_message(error));
        else if (r < 0)
                fprintf(stderr, "%s\n", strerror(-r));
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(bus);
        return r < 0;
}
