/* SPDX-License-Identifier: MIT */
#pragma once

/* One connection to the broker as a command line needs it: set up from the settings, tried once
 * (the library would go on trying for ever), and waited for with an eye on SIGINT and SIGTERM,
 * which end every wait with -EINTR. Life: client_init(), client_connect(), calls, client_done(). */

#include "cli/address.h"
#include "cli/settings.h"
#include "mqttrpc/mqttrpc.h"

typedef struct Client {
        const Settings *settings; /* borrowed */
        Address address;
        MqttRpcBus *bus;
        const char *user;          /* borrowed from the settings or the address; NULL: none */
        const char *password_file; /* borrowed; NULL: none */
        bool has_password;
        int signal_fd;
        int signal;   /* which one ended a wait; 0: none */
        bool settled; /* connected, or refused: `refusal` says why */
        MqttRpcError *refusal;
} Client;

/* What to call. All borrowed. */
typedef struct ClientCall {
        const char *service;
        const char *object;
        const char *method;
        const char *params;   /* NULL: none */
        const char *property; /* that it is about, for hints; NULL: none */
        uint64_t timeout_usec;
} ClientCall;

/* Checks the settings and reads the password. Signals are blocked from here on, so what may have to
 * be interrupted comes before. On failure nothing needs to be undone. */
int client_init(Client *client, const Settings *settings, Error **error);
void client_done(Client *client);
#define CLEANUP_CLIENT CLEANUP(client_done)

/* Waits for the connection, for --timeout or DEFAULT_CONNECT_USEC. -EINTR without an error. */
int client_connect(Client *client, MqttRpcError **ret_error);

/* Calls and waits for the reply. An error, of whatever origin, is in `ret_error`. -EINTR without
 * one. */
int client_call(Client *client, const ClientCall *call, MqttRpcReply **ret_reply,
                MqttRpcError **ret_error);

/* Sends a notification, and waits for what the broker says to it: the reply. At QoS 0 it says
 * nothing, and success, without a reply, means that all of it is on its way. */
int client_notify(Client *client, const ClientCall *call, MqttRpcReply **ret_reply,
                  MqttRpcError **ret_error);

/* Waits until all has come that the broker keeps for what is watched, or until `until` (of
 * CLOCK_MONOTONIC): TIMEOUT. -EINTR without an error. */
int client_sync(Client *client, uint64_t until, MqttRpcError **ret_error);

/* Runs the bus until *done: 0; or the time is over: -ETIMEDOUT; or a signal comes: -EINTR; or the
 * connection is lost: its error. */
int client_wait(Client *client, const bool *done, uint64_t until, MqttRpcError **ret_error);

/* Keeps the connection alive until then (CLOCK_MONOTONIC): 0, or -EINTR. */
int client_sleep(Client *client, uint64_t until_usec);

static inline void client_cleanup_error(MqttRpcError **error)
{
        mqttrpc_error_free(*error);
}

static inline void client_cleanup_reply(MqttRpcReply **reply)
{
        if (*reply)
                mqttrpc_reply_unref(*reply);
}

#define CLEANUP_RPC_ERROR CLEANUP(client_cleanup_error)
#define CLEANUP_REPLY     CLEANUP(client_cleanup_reply)
