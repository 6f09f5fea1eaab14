/* SPDX-License-Identifier: MIT */

/* A native service on libmqttrpc, with the echo that the other peers have and 100 properties:
 *
 *         bench-rpc-peer URI USER PASSWORD */

#include <mqttrpc/mqttrpc.h>
#include <stdio.h>
#include <stdlib.h>

static int method_echo(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);

        /* The only argument, without the brackets around it. */
        return mqttrpc_request_reply(request, params + 1, length - 2);
}

static const MqttRpcMember members[] = {
        MQTTRPC_METHOD("EchoString", "text:s", "s", method_echo, 0),
        MQTTRPC_END,
};

static void check(int r, MqttRpcError *error)
{
        if (r >= 0)
                return;
        fprintf(stderr, "bench-rpc-peer: %s\n", error ? mqttrpc_error_get_message(error) : "?");
        abort();
}

static void publish_properties(MqttRpcBus *bus)
{
        char name[16], value[16];

        for (int i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "Property%d", i);
                snprintf(value, sizeof(value), "\"value %d\"", i);
                check(mqttrpc_property_publish(bus, "lib", "things", name, value, SIZE_MAX), NULL);
        }
        check(mqttrpc_object_announce(bus, "lib", "things", NULL), NULL);
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        MqttRpcBus *bus = NULL;

        if (argc != 4)
                return 2;
        check(mqttrpc_bus_new(&bus), NULL);
        check(mqttrpc_bus_set_uri(bus, argv[1], &error), error);
        check(mqttrpc_bus_set_credentials(bus, argv[2], argv[3]), NULL);
        check(mqttrpc_add_service(bus, NULL, "lib", members, NULL, &error), error);
        publish_properties(bus);
        check(mqttrpc_bus_open(bus, &error), error);
        check(mqttrpc_bus_wait_connected(bus, 10000000, &error), error);
        puts("ready");
        fflush(stdout);
        for (;;)
                if (mqttrpc_bus_process(bus) == 0)
                        mqttrpc_bus_wait(bus, UINT64_MAX);
}
