/* SPDX-License-Identifier: MIT */

#include "tests/bench/client.h"

#include <string.h>

typedef struct DbusClient {
        Client base;
        sd_bus *bus;
        const char *name; /* of the service, and of the interface */
        char *path;
        unsigned to_send;
        unsigned pending;
} DbusClient;

static int check(const char *what, int r)
{
        if (r < 0)
                g_error("D-Bus: %s: %s", what, strerror(-r));
        return r;
}

static sd_bus_message *new_request(DbusClient *client)
{
        const Payload *payload = client->base.payload;
        sd_bus_message *m = NULL;

        check("request", sd_bus_message_new_method_call(client->bus, &m, client->name, client->path,
                                                        client->name, payload_get_method(payload)));
        check("arguments", payload_append(payload, m));
        return m;
}

static void call_once(Client *base)
{
        DbusClient *client = (DbusClient *)base;
        sd_bus_message *request = new_request(client), *reply = NULL;

        check("call", sd_bus_call(client->bus, request, 0, NULL, &reply));
        check("result", payload_read(base->payload, reply));
        sd_bus_message_unref(reply);
        sd_bus_message_unref(request);
}

static void send_one(DbusClient *client);

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        DbusClient *client = userdata;

        if (sd_bus_message_is_method_error(m, NULL))
                g_error("D-Bus: %s", sd_bus_message_get_error(m)->message);
        check("result", payload_read(client->base.payload, m));
        client->pending--;
        if (client->to_send > 0)
                send_one(client);
        return 0;
}

static void send_one(DbusClient *client)
{
        sd_bus_message *request = new_request(client);

        check("send", sd_bus_call_async(client->bus, NULL, request, on_reply, client, 0));
        sd_bus_message_unref(request);
        client->to_send--;
        client->pending++;
}

static void run(Client *base, unsigned calls, unsigned in_flight)
{
        DbusClient *client = (DbusClient *)base;

        client->to_send = calls;
        while (client->to_send > 0 && client->pending < in_flight)
                send_one(client);
        while (client->pending > 0)
                if (check("process", sd_bus_process(client->bus, NULL)) == 0)
                        check("wait", sd_bus_wait(client->bus, UINT64_MAX));
}

static void free_client(Client *base)
{
        DbusClient *client = (DbusClient *)base;

        sd_bus_close_unref(client->bus);
        g_free(client->path);
        g_free(client);
}

Client *client_new_dbus(const char *address, const char *name, const Payload *payload)
{
        static const ClientOps ops = {.call = call_once, .run = run, .free = free_client};
        DbusClient *client = g_new0(DbusClient, 1);

        client->base = (Client){.ops = &ops, .payload = payload};
        client->name = name;
        client->path = g_strdup_printf("/%s", name);
        g_strdelimit(client->path, ".", '/');
        check("new", sd_bus_new(&client->bus));
        check("address", sd_bus_set_address(client->bus, address));
        check("client", sd_bus_set_bus_client(client->bus, true));
        check("connect", sd_bus_start(client->bus));
        return &client->base;
}
