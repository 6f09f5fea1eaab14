/* SPDX-License-Identifier: MIT */

#include "tests/bench/client.h"

#include <mqttrpc/mqttrpc.h>

typedef struct RpcClient {
        Client base;
        MqttRpcBus *bus;
} RpcClient;

static void check(const char *what, int r, MqttRpcError *error)
{
        if (r < 0)
                g_error("libmqttrpc: %s: %s", what,
                        error ? mqttrpc_error_get_message(error) : g_strerror(-r));
}

static void call_once(Client *base)
{
        RpcClient *client = (RpcClient *)base;
        MqttRpcReply *reply = NULL;
        MqttRpcError *error = NULL;
        int r;

        r = mqttrpc_call(client->bus, "lib", "-", payload_get_method(base->payload),
                         payload_get_params(base->payload), 0, MQTTRPC_CALL_DEFAULT, &reply,
                         &error);
        check("call", r, error);
        mqttrpc_reply_unref(reply);
}

static void free_client(Client *base)
{
        RpcClient *client = (RpcClient *)base;

        mqttrpc_bus_unref(client->bus);
        g_free(client);
}

Client *client_new_rpc(const char *uri, const ConnectionSettings *connection, int qos,
                       const Payload *payload)
{
        static const ClientOps ops = {.call = call_once, .free = free_client};
        RpcClient *client = g_new0(RpcClient, 1);
        MqttRpcError *error = NULL;

        client->base = (Client){.ops = &ops, .payload = payload};
        check("new", mqttrpc_bus_new(&client->bus), NULL);
        check("URI", mqttrpc_bus_set_uri(client->bus, uri, &error), error);
        check("user",
              mqttrpc_bus_set_credentials(client->bus, connection->user, connection->password),
              NULL);
        check("QoS", mqttrpc_bus_set_qos(client->bus, qos), NULL);
        check("open", mqttrpc_bus_open(client->bus, &error), error);
        check("connect", mqttrpc_bus_wait_connected(client->bus, G_USEC_PER_SEC * 20, &error),
              error);
        check("service", mqttrpc_wait_service(client->bus, "lib", G_USEC_PER_SEC * 20, &error),
              error);
        return &client->base;
}
