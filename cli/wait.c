/* SPDX-License-Identifier: MIT */

/* mqttrpc wait: for a state of a service, or for a property to have a value, or another one. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/json-print.h"
#include "cli/names.h"
#include "cli/params.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/clock.h"

typedef struct Waiting {
        Client client;
        const char *service;
        const char *object; /* NULL: it is the service that is waited for */
        const char *property;
        MqttRpcServiceState state;
        char *wanted; /* owned; the value as compact JSON; NULL: any */
        char *before; /* owned; with --changed, the first value that was seen */
        bool begun;   /* with --changed: `before` is what it was, or it was not there */
        bool done;
        Buffer value; /* what it has become */
} Waiting;

static void waiting_done(Waiting *waiting)
{
        client_done(&waiting->client);
        buffer_done(&waiting->value);
        free(waiting->wanted);
        free(waiting->before);
}

/* ---- events ---- */

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        Waiting *waiting = userdata;

        if (mqttrpc_service_event_get_state(event) == waiting->state)
                waiting->done = true;
}

/* With --changed: whether the value is another than at the beginning. */
static bool has_changed(Waiting *waiting, const char *value)
{
        if (waiting->begun)
                return !waiting->before || strcmp(waiting->before, value) != 0;
        waiting->begun = true;
        waiting->before = strdup(value);
        return false;
}

static void on_property(const MqttRpcPropertyEvent *event, void *userdata)
{
        Waiting *waiting = userdata;
        const char *value;
        size_t length;

        value = mqttrpc_property_event_get_value(event, &length);
        if (waiting->done || !value || mqttrpc_property_event_is_stale(event))
                return;
        buffer_clear(&waiting->value);
        if (json_print_text(&waiting->value, value, length, JSON_COMPACT) < 0)
                return;
        if (waiting->client.settings->changed)
                waiting->done = has_changed(waiting, waiting->value.data);
        else
                waiting->done = !waiting->wanted || !strcmp(waiting->wanted, waiting->value.data);
}

/* ---- waiting ---- */

static int print(Waiting *waiting)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        const char *state = mqttrpc_service_state_to_name(waiting->state);

        if (waiting->client.settings->json) {
                buffer_printf(&text, "{\"service\":\"%s\",", waiting->service);
                if (waiting->object)
                        buffer_printf(&text, "\"object\":\"%s\",\"property\":\"%s\",\"value\":%s",
                                      waiting->object, waiting->property, waiting->value.data);
                else
                        buffer_printf(&text, "\"state\":\"%s\"", state);
                buffer_append_text(&text, "}\n");
        } else if (waiting->object) {
                json_print_text(&text, waiting->value.data, waiting->value.length, JSON_INDENTED);
                buffer_append_char(&text, '\n');
        } else {
                buffer_printf(&text, "%s\n", state);
        }
        return report_print(&text);
}

static int timed_out(const Waiting *waiting)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_BUFFER Buffer time = BUFFER_INIT(0);

        duration_write(&time, waiting->client.settings->timeout_usec);
        if (waiting->object)
                mqttrpc_error_set(&error, MQTTRPC_ERROR_TIMEOUT,
                                  "'%s' of %s/%s has not become that within %s", waiting->property,
                                  waiting->service, waiting->object, buffer_text(&time));
        else
                mqttrpc_error_set(&error, MQTTRPC_ERROR_TIMEOUT, "'%s' was not %s within %s",
                                  waiting->service, mqttrpc_service_state_to_name(waiting->state),
                                  buffer_text(&time));
        return report_failed_watch(&waiting->client, -ETIMEDOUT, error);
}

static int watch(Waiting *waiting, MqttRpcError **ret_error)
{
        MqttRpcBus *bus = waiting->client.bus;

        if (waiting->object)
                return mqttrpc_watch_property(bus, NULL, waiting->service, waiting->object,
                                              waiting->property, on_property, waiting, ret_error);
        return mqttrpc_watch_service(bus, NULL, waiting->service, on_service, waiting, ret_error);
}

static int run(Waiting *waiting)
{
        uint64_t timeout = waiting->client.settings->timeout_usec;
        uint64_t until = timeout ? clock_now() + timeout : USEC_INFINITY;
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        int r;

        r = watch(waiting, &error);
        if (r >= 0)
                r = client_sync(&waiting->client, until, &error);
        /* What has no value by now has none; one that comes is a change. */
        waiting->begun = true;
        if (r >= 0 && waiting->client.settings->verbose && !waiting->done)
                fputs("mqttrpc: waiting\n", stderr);
        if (r >= 0)
                r = client_wait(&waiting->client, &waiting->done, until, &error);
        if (r == -ETIMEDOUT)
                return timed_out(waiting);
        return r < 0 ? report_failed_watch(&waiting->client, r, error) : print(waiting);
}

static int parse_state(const char *name, MqttRpcServiceState *ret_state, Error **error)
{
        for (int state = MQTTRPC_SERVICE_INIT; state <= MQTTRPC_SERVICE_LOST; state++)
                if (!strcmp(name, mqttrpc_service_state_to_name((MqttRpcServiceState)state))) {
                        *ret_state = (MqttRpcServiceState)state;
                        return 0;
                }
        return error_set(error, -EINVAL,
                         "--state: '%.64s' is none of init, claim, ready, offline, lost", name);
}

/* The value as params_build_one() reads it, compact, without the brackets. */
static int parse_value(Waiting *waiting, const char *text, Error **error)
{
        CLEANUP_PARAMS Params params = {};
        CLEANUP_BUFFER Buffer value = BUFFER_INIT(0);
        int r;

        r = params_build_one(text, &params, error);
        if (r >= 0)
                r = json_print_text(&value, params.text + 1, strlen(params.text) - 2, JSON_COMPACT);
        if (r < 0)
                return r;
        waiting->wanted = buffer_steal(&value);
        return waiting->wanted ? 0 : -ENOMEM;
}

static int parse(Waiting *waiting, const Settings *settings, const char *const *operands,
                 size_t count, Error **error)
{
        bool property = count >= 3;
        int r;

        if (count == 2)
                return error_set(error, -EINVAL, "wait: PROPERTY is missing");
        r = names_check(operands[0], property ? operands[1] : "-", property ? operands[2] : "-",
                        error);
        if (r < 0)
                return r;
        waiting->service = operands[0];
        waiting->object = property ? operands[1] : NULL;
        waiting->property = property ? operands[2] : NULL;
        if (settings->state && property)
                return error_set(error, -EINVAL, "--state is for services, not for properties");
        if (settings->changed && count != 3)
                return error_set(error, -EINVAL, "--changed goes with SERVICE OBJECT PROPERTY");
        waiting->state = MQTTRPC_SERVICE_READY;
        if (settings->state)
                r = parse_state(settings->state, &waiting->state, error);
        return count == 4 ? parse_value(waiting, operands[3], error) : r;
}

static void show_watch(const Waiting *waiting)
{
        CLEANUP_BUFFER Buffer filter = BUFFER_INIT(0);

        if (waiting->object)
                buffer_printf(&filter, "%s/%s/prop/%s", waiting->service, waiting->object,
                              waiting->property);
        else
                buffer_printf(&filter, "%s/$state", waiting->service);
        session_show_watch(&waiting->client, (const char *const[]){buffer_text(&filter), NULL},
                           false);
}

int cmd_wait(const Settings *settings, const char *const *operands, size_t count)
{
        CLEANUP(waiting_done) Waiting waiting = {.client = {.signal_fd = -1}};
        CLEANUP_ERROR Error *error = NULL;
        int status, r;

        r = parse(&waiting, settings, operands, count, &error);
        if (r < 0)
                return error ? report_usage("wait", error) : report_internal(r);
        status = session_open(&waiting.client, settings, "wait");
        if (status != STATUS_OK)
                return status;
        show_watch(&waiting);
        return run(&waiting);
}
