/* SPDX-License-Identifier: MIT */

/* mqttrpc get, mqttrpc set: properties, by prop.get, prop.getall and prop.set.{name}; or, with
 * --cached, as the broker keeps them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/names.h"
#include "cli/near.h"
#include "cli/params.h"
#include "cli/session.h"
#include "cli/verbs.h"

typedef struct Get {
        Client client;
        const char *service;
        const char *object;
        const char *const *names; /* none: all */
        size_t count;
        Buffer text; /* the JSON text to be printed */
} Get;

static void get_done(Get *get)
{
        buffer_done(&get->text);
        client_done(&get->client);
}

static int check_operands(const char *verb, const char *const *operands, size_t count)
{
        CLEANUP_ERROR Error *error = NULL;
        int r = 0;

        for (size_t i = 2; i <= count && r >= 0; i++)
                r = names_check(operands[0], operands[1], i < count ? operands[i] : "-", &error);
        return r < 0 ? report_usage(verb, error) : STATUS_OK;
}

/* One value stands for itself, several are an object. */
static void begin_value(Get *get, const char *name)
{
        if (get->count == 1)
                return;
        buffer_printf(&get->text, "%c\"%s\":", get->text.length > 0 ? ',' : '{', name);
}

static int finish(Get *get)
{
        if (get->count != 1)
                buffer_append_text(&get->text, get->text.length > 0 ? "}" : "{}");
        if (buffer_status(&get->text) < 0)
                return report_internal(buffer_status(&get->text));
        return report_value(&get->client, buffer_text(&get->text), get->text.length);
}

/* ---- by calls ---- */

static int get_all(Get *get)
{
        const ClientCall call = {
                .service = get->service,
                .object = get->object,
                .method = "prop.getall",
                .timeout_usec = session_timeout(get->client.settings),
        };
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        int status;

        status = session_call(&get->client, &call, &reply);
        return status == STATUS_OK ? report_result(&get->client, reply) : status;
}

static int get_one(Get *get, const char *name)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        const char *result;
        ClientCall call;
        size_t length;
        int status;

        buffer_printf(&params, "[\"%s\"]", name);
        if (buffer_status(&params) < 0)
                return report_internal(-ENOMEM);
        call = (ClientCall){
                .service = get->service,
                .object = get->object,
                .method = "prop.get",
                .params = params.data,
                .property = name,
                .timeout_usec = session_timeout(get->client.settings),
        };
        status = session_call(&get->client, &call, &reply);
        if (status != STATUS_OK)
                return status;
        begin_value(get, name);
        result = mqttrpc_reply_get_result(reply, &length);
        buffer_append(&get->text, result, length);
        return STATUS_OK;
}

static int get_by_calls(Get *get)
{
        int status = STATUS_OK;

        if (get->count == 0)
                return get_all(get);
        for (size_t i = 0; i < get->count && status == STATUS_OK; i++)
                status = get_one(get, get->names[i]);
        return status == STATUS_OK ? finish(get) : status;
}

/* ---- from the broker ---- */

static int no_property(Get *get, const Inventory *inventory, const char *name)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_FREE char *near = near_member(inventory, get->service, MEMBER_PROPERTY, name);

        mqttrpc_error_set(&error, MQTTRPC_ERROR_NOT_FOUND,
                          near ? "the broker keeps no value of '%s' for %s/%s; did you mean '%s'?"
                               : "the broker keeps no value of '%s' for %s/%s",
                          name, get->service, get->object, near);
        return report_failed_watch(&get->client, -ENOENT, error);
}

static void take(Get *get, const InventoryItem *item, bool *stale)
{
        begin_value(get, item->name);
        buffer_append(&get->text, item->value, item->length);
        *stale = *stale || item->stale;
}

static int get_from_broker(Get *get)
{
        CLEANUP_BUFFER Buffer filter = BUFFER_INIT(0);
        CLEANUP_INVENTORY Inventory inventory = {};
        bool stale = false;
        int status;

        buffer_printf(&filter, "%s/%s/prop/%s", get->service, get->object,
                      get->count == 1 ? get->names[0] : "+");
        session_show_watch(&get->client, (const char *const[]){buffer_text(&filter), NULL}, true);
        status = session_find_service(&get->client, get->service);
        if (status == STATUS_OK)
                status = session_collect(&get->client, &inventory, INVENTORY_PROPERTY, get->service,
                                         get->object);
        if (status != STATUS_OK)
                return status;
        if (get->count == 0)
                INVENTORY_FOREACH(&inventory, item)
        take(get, item, &stale);
        for (size_t i = 0; i < get->count; i++) {
                const InventoryItem *item = inventory_find(
                        &inventory, INVENTORY_PROPERTY, get->service, get->object, get->names[i]);

                if (!item)
                        return no_property(get, &inventory, get->names[i]);
                take(get, item, &stale);
        }
        if (stale && !get->client.settings->json)
                fprintf(stderr, "hint: '%s' is not ready: this is how things were\n", get->service);
        return finish(get);
}

int cmd_get(const Settings *settings, const char *const *operands, size_t count)
{
        CLEANUP(get_done)
        Get get = {
                .client = {.signal_fd = -1},
                .service = operands[0],
                .object = operands[1],
                .names = operands + 2,
                .count = count - 2,
        };
        int status;

        status = check_operands("get", operands, count);
        if (status == STATUS_OK)
                status = session_open(&get.client, settings, "get");
        if (status != STATUS_OK)
                return status;
        return settings->cached ? get_from_broker(&get) : get_by_calls(&get);
}

/* ---- set ---- */

static int set(const Settings *settings, const char *const *operands, const Params *params)
{
        CLEANUP_CLIENT Client client = {.signal_fd = -1};
        CLEANUP_BUFFER Buffer method = BUFFER_INIT(0);
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        ClientCall call;
        int status;

        if (buffer_printf(&method, "prop.set.%s", operands[2]) < 0)
                return report_internal(-ENOMEM);
        call = (ClientCall){
                .service = operands[0],
                .object = operands[1],
                .method = method.data,
                .params = params->text,
                .property = operands[2],
                .timeout_usec = session_timeout(settings),
        };
        status = session_open(&client, settings, "set");
        if (status == STATUS_OK)
                status = session_call(&client, &call, &reply);
        if (status == STATUS_BAD_REQUEST && params->note && !settings->json)
                fprintf(stderr, "hint: %s\n", params->note);
        return status == STATUS_OK && settings->json ? report_result(&client, reply) : status;
}

int cmd_set(const Settings *settings, const char *const *operands, size_t count)
{
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_PARAMS Params params = {};
        int status, r;

        status = check_operands("set", operands, 3);
        if (status != STATUS_OK)
                return status;
        r = params_build_one(operands[3], &params, &error);
        if (r < 0)
                return error ? report_usage("set", error) : report_internal(r);
        return set(settings, operands, &params);
}
