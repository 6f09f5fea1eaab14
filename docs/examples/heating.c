/* SPDX-License-Identifier: MIT */

/* A service with two methods.
 *
 *         cc heating.c $(pkg-config --cflags --libs mqttrpc) -o heating
 *         ./heating unix:///run/mqttrpc/broker.sock USER PASSWORD
 *
 * The user must own the topics mb1/heating/#. From elsewhere:
 *
 *         mqttrpc call heating - Set kitchen 21.5
 *         mqttrpc call heating - Get zone=kitchen */

#include <mqttrpc/mqttrpc.h>
#include <stdio.h>
#include <string.h>

typedef struct Zone {
        const char *name;
        double degrees;
} Zone;

static Zone zones[] = {{"kitchen", 20}, {"bath", 22.5}};

static Zone *find_zone(const char *name, MqttRpcError **ret_error)
{
        for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
                if (!strcmp(zones[i].name, name))
                        return &zones[i];
        mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND, "no zone is called '%s'", name);
        return NULL;
}

/* The arguments have been checked against the types below before a handler is called. */
static int on_get(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        Zone *zone;
        int r;

        (void)userdata;
        r = mqttrpc_request_read(request, "s", &name);
        if (r < 0)
                return r;
        zone = find_zone(name, ret_error);
        if (!zone)
                return mqttrpc_error_get_errno(*ret_error);
        return mqttrpc_request_reply_values(request, "d", zone->degrees);
}

static int on_set(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        double degrees;
        Zone *zone;
        int r;

        (void)userdata;
        r = mqttrpc_request_read(request, "sd", &name, &degrees);
        if (r < 0)
                return r;
        zone = find_zone(name, ret_error);
        if (!zone)
                return mqttrpc_error_get_errno(*ret_error);
        if (!(degrees >= 5 && degrees <= 30))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "degrees are from 5 to 30");
        zone->degrees = degrees;
        return mqttrpc_request_reply_values(request, "");
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_METHOD("Get", "zone:s", "d", on_get, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Set", "zone:s degrees:d", "", on_set, MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_END,
};

/* Connecting may fail any number of times: the bus tries again by itself. */
static void on_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                     void *userdata)
{
        (void)bus;
        (void)userdata;
        if (state == MQTTRPC_STATE_CONNECTED)
                puts("ready");
        if (state == MQTTRPC_STATE_WAITING)
                printf("no connection: %s\n", mqttrpc_error_get_message(reason));
        fflush(stdout);
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        MqttRpcBus *bus = NULL;
        int r;

        if (argc != 4) {
                fprintf(stderr, "usage: %s URI USER PASSWORD\n", argv[0]);
                return 2;
        }
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, argv[2], argv[3]);
        if (r >= 0)
                r = mqttrpc_add_service(bus, NULL, "heating", vtable, NULL, &error);
        if (r >= 0) {
                mqttrpc_bus_set_state_handler(bus, on_state, NULL);
                r = mqttrpc_bus_open(bus, &error);
        }
        while (r >= 0) {
                r = mqttrpc_bus_wait(bus, UINT64_MAX);
                while (r > 0)
                        r = mqttrpc_bus_process(bus);
        }
        fprintf(stderr, "%s\n", error ? mqttrpc_error_get_message(error) : strerror(-r));
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(bus);
        return 1;
}
