/* SPDX-License-Identifier: MIT */

/* Calls the service of heating.c.
 *
 *         cc set-heating.c $(pkg-config --cflags --libs mqttrpc) -o set-heating
 *         ./set-heating unix:///run/mqttrpc/broker.sock USER PASSWORD kitchen 21.5
 *
 * The user must be granted the calls heating/-/Get and heating/-/Set. */

#include <mqttrpc/mqttrpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_USEC = 5000000, CALL_USEC = 2000000 };

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
        return r;
}

static int set_zone(MqttRpcBus *bus, const char *zone, double degrees, MqttRpcError **ret_error)
{
        char *params = NULL;
        int r;

        r = mqttrpc_json_params(&params, "sd", zone, degrees);
        if (r >= 0)
                r = mqttrpc_call(bus, "heating", "-", "Set", params, CALL_USEC, 0, NULL, ret_error);
        free(params);
        return r;
}

static int get_zone(MqttRpcBus *bus, const char *zone, double *ret_degrees,
                    MqttRpcError **ret_error)
{
        MqttRpcReply *reply = NULL;
        char *params = NULL;
        int r;

        r = mqttrpc_json_params(&params, "s", zone);
        if (r >= 0)
                r = mqttrpc_call(bus, "heating", "-", "Get", params, CALL_USEC, 0, &reply,
                                 ret_error);
        if (r >= 0)
                r = mqttrpc_reply_read(reply, "d", ret_degrees);
        mqttrpc_reply_unref(reply);
        free(params);
        return r;
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        MqttRpcBus *bus = NULL;
        double degrees = 0;
        int r;

        if (argc != 6) {
                fprintf(stderr, "usage: %s URI USER PASSWORD ZONE DEGREES\n", argv[0]);
                return 2;
        }
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = connect_bus(bus, argv, &error);
        if (r >= 0)
                r = set_zone(bus, argv[4], strtod(argv[5], NULL), &error);
        if (r >= 0)
                r = get_zone(bus, argv[4], &degrees, &error);
        if (r >= 0)
                printf("%s: %g degrees\n", argv[4], degrees);
        else
                fprintf(stderr, "%s\n", error ? mqttrpc_error_get_message(error) : strerror(-r));
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(bus);
        return r < 0;
}
