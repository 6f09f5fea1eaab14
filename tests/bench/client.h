/* SPDX-License-Identifier: MIT */
#pragma once

/* A requester: makes calls one way, one at a time or many in flight, and checks that each was
 * answered with a result. All of them live in one thread of one process, which takes turns with
 * them, so that what the machine does meanwhile meets all alike. */

#include "tests/bench/connection.h"
#include "tests/bench/payload.h"

#include <stdbool.h>

typedef struct Client Client;

typedef struct ClientOps {
        void (*call)(Client *client);
        void (*run)(Client *client, unsigned calls, unsigned in_flight);
        void (*free)(Client *client);
} ClientOps;

struct Client {
        const ClientOps *ops;
        const Payload *payload; /* borrowed */
        GArray *usec;           /* borrowed: gets the time of each call of client_run(); or NULL */
};

/* For those who implement run(): a call begins, or ends, on a connection where answers come in the
 * order of calls. */
void client_note_start(const Client *client, GQueue *starts);
void client_note_end(const Client *client, GQueue *starts);

/* One call, from request to reply. */
void client_call(Client *client);
/* `calls` calls with up to `in_flight` of them without an answer. */
void client_run(Client *client, unsigned calls, unsigned in_flight);
void client_free(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* The echo service on D-Bus, and the facade that the gateway makes of "lib". */
#define BENCH_NAME  "org.mqttrpc.Bench"
#define FACADE_NAME "org.mqttrpc.Lib"

/* sd-bus, to who has the name on D-Bus: a constant, which is also the interface. */
Client *client_new_dbus(const char *address, const char *name, const Payload *payload);

/* libmosquitto to `service`: the responder of the raw pair, which returns the request, or the
 * gateway. One and the same requester for both, so that the difference is theirs. With `batch` > 1
 * the calls go to rpc/ in batches of that many. */
typedef struct ClientMqtt {
        ConnectionSettings connection;
        const char *service;
        const char *prefix; /* of all topics: NULL or "…/" */
        int qos;
        unsigned batch; /* 0 or 1: none */
} ClientMqtt;

Client *client_new_mqtt(const ClientMqtt *settings, const Payload *payload);

/* libmqttrpc to the service "lib", by `n` connections; client_call() uses the first. */
Client *client_new_rpc(const char *uri, const ConnectionSettings *connection, int qos, unsigned n,
                       const Payload *payload);
