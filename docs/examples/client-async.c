/* SPDX-License-Identifier: MIT */

/* A program with a loop of its own that has several calls to thermostat.c under way at a time.
 *
 *         cc client-async.c $(pkg-config --cflags --libs mqttrpc) -o client-async
 *         ./client-async unix:///run/mqttrpc/broker.sock USER PASSWORD 19
 *
 * The user must be granted all calls of thermostat. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <mqttrpc/mqttrpc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ATTEMPTS = 5 };

typedef struct Client {
        MqttRpcBus *bus;
        const char *degrees;
        unsigned pending, attempts;
        int failed; /* a negative errno ends the loop */
        bool done;
} Client;

typedef struct Call {
        const char *method;
        char *params;
        Client *client;
} Call;

/* ---- calls ---- */

static void end_call(Call *call)
{
        Client *client = call->client;

        client->done = --client->pending == 0;
        free(call->params);
        free(call);
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        Call *call = userdata;
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);

        if (error) {
                printf("%s failed: %s\n", call->method, mqttrpc_error_get_message(error));
                call->client->failed = mqttrpc_error_get_errno(error);
        } else
                printf("%s%s: %s\n", call->method, call->params,
                       mqttrpc_reply_get_result(reply, NULL));
        end_call(call);
        return 0;
}

/* Takes params, which may be NULL for want of memory. */
static int send_call(Client *client, const char *method, char *params)
{
        Call *call = malloc(sizeof(*call));
        int r;

        if (!call || !params) {
                free(call);
                free(params);
                return -ENOMEM;
        }
        *call = (Call){.method = method, .params = params, .client = client};
        client->pending++;
        /* The slot is left to the bus. */
        r = mqttrpc_call_async(client->bus, NULL, "thermostat", "-", method, params, 0, 0, on_reply,
                               call, NULL);
        if (r < 0)
                end_call(call);
        return r;
}

static int send_calls(Client *client)
{
        char *target = NULL, *name = NULL, *none = NULL;
        int r;

        r = mqttrpc_json_params(&target, "d", strtod(client->degrees, NULL));
        if (r < 0)
                return r;
        r = send_call(client, "prop.set.Target", target);
        if (r < 0 || (r = mqttrpc_json_params(&none, "")) < 0)
                return r;
        /* This one is answered last, because it takes its time. */
        r = send_call(client, "WaitTarget", none);
        if (r < 0 || (r = mqttrpc_json_params(&name, "s", "Target")) < 0)
                return r;
        return send_call(client, "prop.get", name);
}

/* Calls can be made as soon as the bus is connected. */
static void on_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                     void *userdata)
{
        Client *client = userdata;
        int r;

        (void)bus;
        if (state == MQTTRPC_STATE_WAITING) {
                fprintf(stderr, "no connection: %s\n", mqttrpc_error_get_message(reason));
                if (++client->attempts == MAX_ATTEMPTS)
                        client->failed = -ENOTCONN;
        }
        if (state == MQTTRPC_STATE_CONNECTED && client->pending == 0) {
                r = send_calls(client);
                if (r < 0)
                        client->failed = r;
        }
}

/* ---- the loop ---- */

/* Milliseconds until `usec`, rounded up, as poll() wants them. */
static int msec_until(uint64_t usec)
{
        struct timespec now;
        uint64_t now_usec;

        if (usec == UINT64_MAX)
                return -1;
        clock_gettime(CLOCK_MONOTONIC, &now);
        now_usec = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
        if (usec <= now_usec)
                return 0;
        return usec - now_usec > 60000000 ? 60000 : (int)((usec - now_usec + 999) / 1000);
}

/* Other descriptors would stand beside that of the bus. */
static int run(Client *client)
{
        while (!client->done && client->failed >= 0) {
                struct pollfd pollfd = {.fd = mqttrpc_bus_get_fd(client->bus)};
                uint64_t usec;
                int r;

                if (pollfd.fd >= 0)
                        pollfd.events = (short)mqttrpc_bus_get_events(client->bus);
                r = mqttrpc_bus_get_timeout(client->bus, &usec);
                if (r < 0)
                        return r;
                /* poll() passes over a negative descriptor. */
                if (poll(&pollfd, 1, msec_until(usec)) < 0 && errno != EINTR)
                        return -errno;
                r = mqttrpc_bus_process_events(client->bus, pollfd.revents);
                if (r < 0)
                        return r;
        }
        return client->failed;
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        Client client = {.bus = NULL};
        int r;

        if (argc != 5) {
                fprintf(stderr, "usage: %s URI USER PASSWORD DEGREES\n", argv[0]);
                return 2;
        }
        client.degrees = argv[4];
        r = mqttrpc_bus_new(&client.bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(client.bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(client.bus, argv[2], argv[3]);
        if (r >= 0) {
                mqttrpc_bus_set_state_handler(client.bus, on_state, &client);
                r = mqttrpc_bus_open(client.bus, &error);
        }
        if (r >= 0)
                r = run(&client);
        if (r < 0)
                fprintf(stderr, "%s\n", error ? mqttrpc_error_get_message(error) : strerror(-r));
        mqttrpc_error_free(error);
        /* Calls that are still pending after a failure end here, with DISCONNECTED. */
        mqttrpc_bus_close(client.bus);
        mqttrpc_bus_unref(client.bus);
        return r < 0;
}
