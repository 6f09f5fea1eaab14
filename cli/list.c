/* SPDX-License-Identifier: MIT */

/* mqttrpc list: the services of the bus. */

#include <string.h>

#include "cli/json-print.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/json-write.h"
#include "common/table.h"

static const char *const titles[] = {"SERVICE", "STATE", "VERSION", "HOST",
                                     "RUNNING", "EPOCH", "SUMMARY", NULL};

static bool is_shown(const Settings *settings, const InventoryItem *item)
{
        return settings->all ||
               (item->state != MQTTRPC_SERVICE_OFFLINE && item->state != MQTTRPC_SERVICE_LOST);
}

/* A member of $state, as people want to see it. Owned by the caller; NULL if there is none. */
static char *detail(const JsonDoc *doc, const char *key)
{
        uint32_t node = json_find(doc, 0, key);
        const char *raw;
        size_t length;
        char *text;

        if (node == 0)
                return NULL;
        if (json_type(doc, node) == JSON_STRING)
                return json_string_dup(doc, node, &text) < 0 ? NULL : text;
        raw = json_raw(doc, node, &length);
        return strndup(raw, length);
}

static bool is_stopped(const JsonDoc *doc)
{
        uint32_t node = json_find(doc, 0, "running");

        return node > 0 && json_type(doc, node) == JSON_BOOLEAN && !json_boolean(doc, node);
}

static int add_row(Table *table, const InventoryItem *item)
{
        CLEANUP_FREE char *version = NULL;
        CLEANUP_FREE char *summary = NULL;
        CLEANUP_JSON_DOC JsonDoc doc = {};
        bool up = item->state == MQTTRPC_SERVICE_READY;

        if (json_scan(&doc, item->value, item->length, JSON_SCAN_STRICT) < 0)
                return 0; /* the library lets only objects through */
        version = detail(&doc, "ver");
        summary = detail(&doc, "summary");
        table_add(table, item->service);
        table_add(table, mqttrpc_service_state_to_name(item->state));
        table_add(table, version);
        table_add(table, item->host);
        table_add(table, up && !is_stopped(&doc) ? "yes" : "no");
        table_add(table, item->epoch);
        return table_add(table, summary);
}

static void write_member(Buffer *buffer, const char *key, const char *text)
{
        buffer_printf(buffer, "\"%s\":", key);
        json_write_string(buffer, text, strlen(text));
        buffer_append_char(buffer, ',');
}

static int write_line(Buffer *buffer, const InventoryItem *item)
{
        buffer_append_char(buffer, '{');
        write_member(buffer, "service", item->service);
        write_member(buffer, "state", mqttrpc_service_state_to_name(item->state));
        write_member(buffer, "host", item->host);
        write_member(buffer, "epoch", item->epoch);
        buffer_append_text(buffer, "\"details\":");
        json_print_text(buffer, item->value, item->length, JSON_COMPACT);
        return buffer_append_text(buffer, "}\n");
}

static int print(const Settings *settings, const Inventory *inventory)
{
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r = 0;

        INVENTORY_FOREACH(inventory, item)
        if (is_shown(settings, item))
                r = settings->json ? write_line(&text, item) : add_row(&table, item);
        if (!settings->json)
                r = table_write(&table, &text);
        return r < 0 ? report_internal(r) : report_print(&text);
}

int cmd_list(const Settings *settings, const char *const *operands, size_t count)
{
        static const char *const filters[] = {"+/$state", NULL};
        CLEANUP_INVENTORY Inventory inventory = {};
        CLEANUP_CLIENT Client client = {.signal_fd = -1};
        int status;

        status = session_open(&client, settings, "list");
        if (status != STATUS_OK)
                return status;
        session_show_watch(&client, filters, true);
        status = session_collect(&client, &inventory, INVENTORY_SERVICE, NULL, NULL);
        return status == STATUS_OK ? print(settings, &inventory) : status;
}
