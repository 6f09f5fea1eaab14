/* SPDX-License-Identifier: MIT */

#include "tests/bench/client.h"

#include <mqttrpc/mqttrpc.h>
#include <poll.h>

typedef struct RpcClient RpcClient;

typedef struct RpcConnection {
        RpcClient *client;
        MqttRpcBus *bus;
        unsigned pending;
        GQueue starts;
} RpcConnection;

struct RpcClient {
        Client base;
        RpcConnection *connections;
        struct pollfd *fds;
        unsigned n;
        unsigned replies;
};

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

        r = mqttrpc_call(client->connections[0].bus, "lib", "-", payload_get_method(base->payload),
                         payload_get_params(base->payload), 0, MQTTRPC_CALL_DEFAULT, &reply,
                         &error);
        check("call", r, error);
        mqttrpc_reply_unref(reply);
}

/* ---- many ---- */

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        RpcConnection *connection = userdata;

        if (error)
                g_error("libmqttrpc: %s", mqttrpc_error_get_message(error));
        connection->pending--;
        connection->client->replies++;
        client_note_end(&connection->client->base, &connection->starts);
        return 0;
}

static void start_call(RpcConnection *connection)
{
        const Payload *payload = connection->client->base.payload;
        MqttRpcError *error = NULL;

        client_note_start(&connection->client->base, &connection->starts);
        check("call",
              mqttrpc_call_async(connection->bus, NULL, "lib", "-", payload_get_method(payload),
                                 payload_get_params(payload), 0, MQTTRPC_CALL_DEFAULT, on_reply,
                                 connection, &error),
              error);
        connection->pending++;
}

static void process_ready(RpcClient *client)
{
        for (unsigned i = 0; i < client->n; i++) {
                const MqttRpcBus *bus = client->connections[i].bus;

                client->fds[i] = (struct pollfd){.fd = mqttrpc_bus_get_fd(bus),
                                                 .events = (short)mqttrpc_bus_get_events(bus)};
        }
        if (poll(client->fds, client->n, 1000) <= 0)
                return;
        for (unsigned i = 0; i < client->n; i++)
                if (client->fds[i].revents)
                        mqttrpc_bus_process_events(client->connections[i].bus,
                                                   client->fds[i].revents);
}

static void run(Client *base, unsigned calls, unsigned in_flight)
{
        RpcClient *client = (RpcClient *)base;
        unsigned each = MAX(in_flight / client->n, 1U), sent = 0;

        client->replies = 0;
        while (client->replies < calls) {
                for (unsigned i = 0; i < client->n; i++)
                        for (; sent < calls && client->connections[i].pending < each; sent++)
                                start_call(&client->connections[i]);
                process_ready(client);
        }
}

/* ---- life ---- */

static void free_client(Client *base)
{
        RpcClient *client = (RpcClient *)base;

        for (unsigned i = 0; i < client->n; i++)
                mqttrpc_bus_unref(client->connections[i].bus);
        g_free(client->connections);
        g_free(client->fds);
        g_free(client);
}

static void connect_one(RpcConnection *connection, const char *uri,
                        const ConnectionSettings *settings, int qos)
{
        MqttRpcError *error = NULL;
        MqttRpcBus *bus;

        check("new", mqttrpc_bus_new(&bus), NULL);
        check("URI", mqttrpc_bus_set_uri(bus, uri, &error), error);
        check("user", mqttrpc_bus_set_credentials(bus, settings->user, settings->password), NULL);
        check("QoS", mqttrpc_bus_set_qos(bus, qos), NULL);
        check("open", mqttrpc_bus_open(bus, &error), error);
        check("service", mqttrpc_wait_service(bus, "lib", G_USEC_PER_SEC * 20, &error), error);
        connection->bus = bus;
}

Client *client_new_rpc(const char *uri, const ConnectionSettings *connection, int qos, unsigned n,
                       const Payload *payload)
{
        static const ClientOps ops = {.call = call_once, .run = run, .free = free_client};
        RpcClient *client = g_new0(RpcClient, 1);

        client->base = (Client){.ops = &ops, .payload = payload};
        client->connections = g_new0(RpcConnection, n);
        client->fds = g_new0(struct pollfd, n);
        client->n = n;
        for (unsigned i = 0; i < n; i++) {
                client->connections[i].client = client;
                connect_one(&client->connections[i], uri, connection, qos);
        }
        return &client->base;
}
