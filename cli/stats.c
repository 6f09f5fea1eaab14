/* SPDX-License-Identifier: MIT */

/* mqttrpc stats: the counters of the process that serves a service, by rpc.stats. */

#include <string.h>

#include "cli/names.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/json-scan.h"
#include "common/table.h"

static int add_rows(Table *table, const JsonDoc *doc)
{
        JSON_FOREACH (doc, 0, key) {
                CLEANUP_FREE char *name = NULL;
                CLEANUP_FREE char *value = NULL;
                const char *raw;
                size_t length;

                raw = json_raw(doc, key + 1, &length);
                value = strndup(raw, length);
                if (json_string_dup(doc, key, &name) < 0 || !value)
                        continue;
                table_add(table, name);
                table_add(table, value);
        }
        return table->status;
}

static int print(const Client *client, const MqttRpcReply *reply)
{
        static const char *const titles[] = {"NAME", "VALUE", NULL};
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        const char *result;
        size_t length;
        int r;

        result = mqttrpc_reply_get_result(reply, &length);
        if (client->settings->json || json_scan(&doc, result, length, JSON_SCAN_STRICT) < 0 ||
            json_type(&doc, 0) != JSON_OBJECT)
                return report_result(client, reply);
        r = add_rows(&table, &doc);
        if (r >= 0)
                r = table_write(&table, &text);
        return r < 0 ? report_internal(r) : report_print(&text);
}

int cmd_stats(const Settings *settings, const char *const *operands, size_t count)
{
        const ClientCall call = {
                .service = operands[0],
                .object = "-",
                .method = "rpc.stats",
                .timeout_usec = session_timeout(settings),
        };
        CLEANUP_CLIENT Client client = {.signal_fd = -1};
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int status;

        if (names_check(call.service, call.object, call.method, &error) < 0)
                return report_usage("stats", error);
        status = session_open(&client, settings, "stats");
        if (status == STATUS_OK)
                status = session_call(&client, &call, &reply);
        return status == STATUS_OK ? print(&client, reply) : status;
}
