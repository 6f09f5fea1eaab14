/* SPDX-License-Identifier: MIT */

#include "tests/bench/client-cockpit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A frame is its length in decimal, a newline, and so many bytes: channel, newline, payload. */
enum { READ_SIZE = 1 << 16 };

typedef struct CockpitClient {
        Client base;
        GPid pid;
        int in, out;      /* of the program */
        GString *input;   /* what has come, and is no whole frame yet */
        GString *request; /* of a call, from the id on: "…" */
        unsigned id, replies;
        bool is_open;
} CockpitClient;

/* ---- frames ---- */

static void write_all(const CockpitClient *client, const char *text, size_t length)
{
        while (length > 0) {
                ssize_t n = write(client->in, text, length);

                if (n < 0)
                        g_error("cockpit-bridge does not read: %m");
                text += n;
                length -= (size_t)n;
        }
}

static void send_frame(const CockpitClient *client, const char *channel, const char *payload)
{
        g_autofree char *frame = g_strdup_printf(
                "%zu\n%s\n%s", strlen(channel) + 1 + strlen(payload), channel, payload);

        write_all(client, frame, strlen(frame));
}

static void take_frame(CockpitClient *client, const char *frame, size_t length)
{
        if (*frame == '\n') { /* no channel: control */
                if (memmem(frame, length, "\"close\"", 7))
                        g_error("cockpit-bridge: %.*s", (int)length, frame);
                client->is_open = client->is_open || memmem(frame, length, "\"ready\"", 7);
        } else if (memmem(frame, length, "\"reply\":", 8)) {
                client->replies++;
        } else if (memmem(frame, length, "\"error\":", 8)) {
                g_error("cockpit-bridge: %.*s", (int)length, frame);
        }
}

/* Waits for something, and takes the frames that are complete. */
static void process(CockpitClient *client)
{
        char buffer[READ_SIZE];
        ssize_t n = read(client->out, buffer, sizeof(buffer));
        size_t taken = 0;

        if (n <= 0)
                g_error("cockpit-bridge has ended");
        g_string_append_len(client->input, buffer, n);
        for (;;) {
                const char *start = client->input->str + taken;
                const char *newline = memchr(start, '\n', client->input->len - taken);
                size_t length = strtoul(start, NULL, 10);

                if (!newline ||
                    client->input->len < (size_t)(newline + 1 - client->input->str) + length)
                        break;
                take_frame(client, newline + 1, length);
                taken = (size_t)(newline + 1 - client->input->str) + length;
        }
        g_string_erase(client->input, 0, (gssize)taken);
}

/* ---- calls ---- */

static void send_call(CockpitClient *client)
{
        g_autofree char *payload =
                g_strdup_printf("{\"id\":\"%u\",%s", ++client->id, client->request->str);

        send_frame(client, "bench", payload);
}

static void run(Client *base, unsigned calls, unsigned in_flight)
{
        CockpitClient *client = (CockpitClient *)base;
        unsigned sent = 0;

        client->replies = 0;
        while (client->replies < calls) {
                while (sent < calls && sent < client->replies + in_flight) {
                        send_call(client);
                        sent++;
                }
                process(client);
        }
}

static void call_once(Client *base)
{
        run(base, 1, 1);
}

/* ---- life ---- */

static void free_client(Client *base)
{
        CockpitClient *client = (CockpitClient *)base;

        close(client->in);
        close(client->out);
        kill(client->pid, SIGKILL);
        (void)waitpid(client->pid, NULL, 0);
        g_string_free(client->input, TRUE);
        g_string_free(client->request, TRUE);
        g_free(client);
}

static void die_with_parent(gpointer unused)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* It must not see other buses than the private one. */
static void start_program(CockpitClient *client, const char *address)
{
        char *argv[] = {(char *)"cockpit-bridge", NULL};
        g_auto(GStrv) environment = g_get_environ();
        GError *error = NULL;

        environment = g_environ_setenv(environment, "DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
        environment = g_environ_setenv(environment, "DBUS_SESSION_BUS_ADDRESS", address, TRUE);
        g_spawn_async_with_pipes(
                "/", argv, environment,
                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL,
                die_with_parent, NULL, &client->pid, &client->in, &client->out, NULL, &error);
        if (error)
                g_error("cockpit-bridge: %s", error->message);
}

static void open_channel(CockpitClient *client, const char *address, const char *name)
{
        g_autofree char *open = g_strdup_printf(
                "{\"command\":\"open\",\"channel\":\"bench\",\"payload\":"
                "\"dbus-json3\",\"bus\":\"none\",\"address\":\"%s\",\"name\":\"%s\"}",
                address, name);

        send_frame(client, "", "{\"command\":\"init\",\"version\":1,\"host\":\"localhost\"}");
        send_frame(client, "", open);
        while (!client->is_open)
                process(client);
}

Client *client_new_cockpit(const char *address, const char *name, const Payload *payload)
{
        static const ClientOps ops = {.call = call_once, .run = run, .free = free_client};
        CockpitClient *client = g_new0(CockpitClient, 1);
        g_autofree char *path = g_strdup_printf("/%s", name);

        client->base = (Client){.ops = &ops, .payload = payload};
        client->input = g_string_new(NULL);
        client->request = g_string_new(NULL);
        g_strdelimit(path, ".", '/');
        /* with the type it need not ask the service for it */
        g_string_printf(client->request, "\"type\":\"s\",\"call\":[\"%s\",\"%s\",\"%s\",%s]}", path,
                        name, payload_get_method(payload), payload_get_params(payload));
        start_program(client, address);
        open_channel(client, address, name);
        return &client->base;
}

pid_t client_cockpit_pid(const Client *client)
{
        return ((const CockpitClient *)client)->pid;
}
