/* SPDX-License-Identifier: MIT */

#include "gateway/cmd-ask.h"

#include <errno.h>
#include <string.h>

#include "common/json-write.h"
#include "common/printable.h"
#include "gateway/broker.h"

/* A broker and a gateway of this machine, or of the next, answer in milliseconds. */
#define CONNECT_USEC (UINT64_C(5) * USEC_PER_SEC)
#define ANSWER_USEC  (UINT64_C(10) * USEC_PER_SEC)

DEFINE_CLEANUP(MqttRpcBus *, mqttrpc_bus_unref, bus_cleanup)
DEFINE_CLEANUP(MqttRpcReply *, mqttrpc_reply_unref, reply_cleanup)

static int connect_bus(const GatewayConfig *config, MqttRpcBus *bus, Error **ret_error)
{
        MqttRpcError *error = NULL;
        int r;

        r = broker_apply_settings(config, bus, ret_error);
        if (r < 0)
                return r;
        r = mqttrpc_bus_open(bus, &error);
        if (r >= 0)
                r = mqttrpc_bus_wait_connected(bus, CONNECT_USEC, &error);
        r = broker_take_error(r, error, ret_error);
        if (r < 0)
                error_prefix(ret_error, "cannot connect to the broker: ");
        return r;
}

/* What went wrong in a call: said by the gateway, or about it. */
static int explain(const GatewayConfig *config, int r, MqttRpcError *error, Error **ret_error)
{
        bool is_answer = error && mqttrpc_error_is_remote(error);

        broker_take_error(r, error, ret_error);
        if (is_answer)
                return r;
        error_prefix(ret_error, "no gateway answers as '%s': ", config->name);
        return r == -ENOENT ? -ENOTCONN : r;
}

int cmd_ask(const GatewayConfig *config, const char *method, const char *params, char **ret_result,
            Error **ret_error)
{
        CLEANUP(reply_cleanup) MqttRpcReply *reply = NULL;
        CLEANUP(bus_cleanup) MqttRpcBus *bus = NULL;
        MqttRpcError *error = NULL;
        char *copy;
        int r;

        r = mqttrpc_bus_new(&bus);
        if (r < 0)
                return broker_take_error(r, NULL, ret_error);
        r = connect_bus(config, bus, ret_error);
        if (r < 0)
                return r;
        r = mqttrpc_call(bus, config->name, "-", method, params, ANSWER_USEC, MQTTRPC_CALL_DEFAULT,
                         &reply, &error);
        if (r < 0)
                return explain(config, r, error, ret_error);
        copy = strdup(mqttrpc_reply_get_result(reply, NULL));
        if (!copy)
                return error_set(ret_error, -ENOMEM, "out of memory");
        *ret_result = copy;
        return 0;
}

/* ---- what it has answered ---- */

int cmd_ask_about(CmdSettings *settings, const char *method, const char *name, char **ret_result,
                  Error **ret_error)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);
        int r;

        if (name) {
                buffer_append_char(&params, '[');
                json_write_string(&params, name, strlen(name));
                buffer_append_char(&params, ']');
        }
        r = buffer_status(&params);
        if (r < 0)
                return error_set(ret_error, r, "out of memory");
        r = cmd_settings_load(settings, ret_error);
        return r < 0 ? r
                     : cmd_ask(&settings->config, method, name ? params.data : NULL, ret_result,
                               ret_error);
}

char *cmd_dup_member(const JsonDoc *doc, uint32_t object, const char *key)
{
        uint32_t node = json_find(doc, object, key);
        char *text = NULL;
        const char *raw;
        size_t length;

        if (node == 0 || json_type(doc, node) == JSON_NULL)
                return strdup("");
        if (json_type(doc, node) == JSON_STRING)
                return json_string_dup(doc, node, &text) < 0 ? NULL : text;
        raw = json_raw(doc, node, &length);
        return strndup(raw, length);
}

void cmd_write_findings(const JsonDoc *doc, uint32_t list, Buffer *buffer)
{
        JSON_FOREACH (doc, list, child) {
                CLEANUP_FREE char *level = cmd_dup_member(doc, child, "level");
                CLEANUP_FREE char *text = cmd_dup_member(doc, child, "text");

                printable_write(buffer, level ? level : "?");
                buffer_append_text(buffer, ": ");
                printable_write(buffer, text ? text : "?");
                buffer_append_char(buffer, '\n');
        }
}
