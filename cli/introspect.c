/* SPDX-License-Identifier: MIT */

/* mqttrpc introspect, mqttrpc discover: what a service says of itself. The table has what its
 * description ($api, or else rpc.discover) and its objects ($meta) say, beside the values that the
 * broker keeps. */

#include <errno.h>
#include <string.h>

#include "cli/description.h"
#include "cli/json-print.h"
#include "cli/names.h"
#include "cli/near.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/table.h"

static const char *const titles[] = {"NAME", "TYPE", "SIGNATURE", "RESULT/VALUE", "FLAGS", NULL};

/* A value on one line of a table is cut there, in bytes. */
enum { VALUE_WIDTH = 60 };

typedef struct Introspection {
        Client client;
        Inventory inventory; /* of the service */
        Description description;
        const char *service;
} Introspection;

static void introspection_done(Introspection *introspection)
{
        description_done(&introspection->description);
        inventory_done(&introspection->inventory);
        client_done(&introspection->client);
}

/* ---- one object ---- */

typedef struct View {
        const Introspection *introspection;
        const char *object;
        bool described; /* in its own right */
        JsonDoc meta;   /* of the object; empty if there is none */
        Table table;
        char *last; /* interface that has its line; owned */
} View;

static void view_done(View *view)
{
        json_doc_done(&view->meta);
        table_done(&view->table);
        free(view->last);
}

/* Cut between characters. Owned by the caller. */
static char *short_value(const InventoryItem *item)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        size_t length;

        if (!item || json_print_text(&text, item->value, item->length, JSON_COMPACT) < 0)
                return NULL;
        if (text.length > VALUE_WIDTH) {
                for (length = VALUE_WIDTH; ((unsigned char)text.data[length] & 0xc0) == 0x80;)
                        length--;
                buffer_truncate(&text, length);
                buffer_append_text(&text, "...");
        }
        return buffer_steal(&text);
}

static const InventoryItem *find_value(const View *view, const char *property)
{
        return inventory_find(&view->introspection->inventory, INVENTORY_PROPERTY,
                              view->introspection->service, view->object, property);
}

static void add_row(View *view, const char *name, const char *type, const char *signature,
                    const char *value, const char *flags)
{
        table_add(&view->table, name);
        table_add(&view->table, type);
        table_add(&view->table, signature);
        table_add(&view->table, value);
        table_add(&view->table, flags);
}

/* A line for each interface, in front of its members. */
static int add_interface(View *view, const char *interface)
{
        char *copy;

        if (!interface || (view->last && !strcmp(view->last, interface)))
                return 0;
        copy = strdup(interface);
        if (!copy)
                return -ENOMEM;
        free(view->last);
        view->last = copy;
        add_row(view, interface, "interface", NULL, NULL, NULL);
        return 0;
}

static int visit_row(const Description *description, const Member *member, void *userdata)
{
        static const char *const types[] = {
                [MEMBER_METHOD] = "method",
                [MEMBER_SIGNAL] = "signal",
                [MEMBER_PROPERTY] = "property",
        };
        View *view = userdata;
        CLEANUP_FREE char *value = NULL;

        if (!description_member_is_of(member, view->object, view->described, &view->meta))
                return 0;
        if (add_interface(view, member->interface) < 0)
                return -ENOMEM;
        if (member->kind == MEMBER_PROPERTY)
                value = short_value(find_value(view, member->name));
        add_row(view, member->name, types[member->kind], member->signature,
                member->kind == MEMBER_PROPERTY ? value : member->result, member->flags);
        return view->table.status;
}

/* What is kept by the broker but not described. */
static void add_undescribed(View *view)
{
        size_t n_described = view->table.count;

        INVENTORY_FOREACH(&view->introspection->inventory, item)
        {
                CLEANUP_FREE char *value = NULL;
                bool known = false;

                if (item->kind != INVENTORY_PROPERTY || strcmp(item->object, view->object) != 0)
                        continue;
                for (size_t i = 0; i < n_described && !known; i += ARRAY_SIZE(titles) - 1)
                        known = !strcmp(view->table.cells[i], item->name) &&
                                !strcmp(view->table.cells[i + 1], "property");
                value = known ? NULL : short_value(item);
                if (!known)
                        add_row(view, item->name, "property", NULL, value,
                                item->stale ? "stale" : NULL);
        }
}

static void add_meta_interfaces(View *view)
{
        uint32_t list;

        if (view->table.count > 0 || view->meta.n_nodes == 0)
                return;
        list = json_find(&view->meta, 0, "interfaces");
        if (list == 0 || json_type(&view->meta, list) != JSON_ARRAY)
                return;
        JSON_FOREACH (&view->meta, list, item) {
                CLEANUP_FREE char *name = NULL;

                if (json_string_dup(&view->meta, item, &name) >= 0)
                        add_row(view, name, "interface", NULL, NULL, NULL);
        }
}

static int write_object(const Introspection *introspection, const char *object, Buffer *text)
{
        const InventoryItem *item = inventory_find(&introspection->inventory, INVENTORY_OBJECT,
                                                   introspection->service, object, NULL);
        CLEANUP(view_done)
        View view = {
                .introspection = introspection,
                .object = object,
                .described = description_has_object(&introspection->description, object),
                .table = TABLE_INIT(titles),
        };
        int r;

        if (item)
                (void)json_scan(&view.meta, item->value, item->length, JSON_SCAN_STRICT);
        r = description_each(&introspection->description, visit_row, &view);
        if (r < 0)
                return r;
        add_meta_interfaces(&view);
        add_undescribed(&view);
        return table_write(&view.table, text);
}

/* ---- verbs ---- */

/* The description by a call, if the broker has none. That it is not there is no failure. */
static int ask_description(Introspection *introspection)
{
        const ClientCall call = {
                .service = introspection->service,
                .object = "-",
                .method = "rpc.discover",
                .timeout_usec = session_timeout(introspection->client.settings),
        };
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        const char *text;
        size_t length;
        int r;

        r = client_call(&introspection->client, &call, &reply, &error);
        if (introspection->client.signal)
                return report_failed_watch(&introspection->client, r, NULL);
        if (r >= 0 && !mqttrpc_reply_get_error(reply)) {
                text = mqttrpc_reply_get_result(reply, &length);
                (void)description_parse(&introspection->description, text, length);
        }
        return STATUS_OK;
}

static int load(Introspection *introspection)
{
        const InventoryItem *item;
        int status;

        status = session_collect(&introspection->client, &introspection->inventory,
                                 INVENTORY_SERVICE | INVENTORY_OBJECT | INVENTORY_PROPERTY |
                                         INVENTORY_DESCRIPTION,
                                 introspection->service, NULL);
        if (status != STATUS_OK)
                return status;
        item = inventory_find(&introspection->inventory, INVENTORY_DESCRIPTION,
                              introspection->service, NULL, NULL);
        if (item)
                (void)description_parse(&introspection->description, item->value, item->length);
        if (introspection->description.text)
                return STATUS_OK;
        item = inventory_find(&introspection->inventory, INVENTORY_SERVICE, introspection->service,
                              NULL, NULL);
        return item && item->state == MQTTRPC_SERVICE_READY ? ask_description(introspection)
                                                            : STATUS_OK;
}

static int no_object(const Introspection *introspection, const char *object)
{
        const char *near = near_object(&introspection->inventory, introspection->service, object);
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

        mqttrpc_error_set(&error, MQTTRPC_ERROR_NOT_FOUND,
                          near ? "'%s' has no object '%s'; did you mean '%s'?"
                               : "'%s' has no object '%s'",
                          introspection->service, object, near);
        return report_failed_watch(&introspection->client, -ENOENT, error);
}

static int print_all(const Introspection *introspection)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        bool any = false;
        int r = 0;

        INVENTORY_FOREACH(&introspection->inventory, item)
        {
                if (item->kind != INVENTORY_OBJECT || r < 0)
                        continue;
                buffer_printf(&text, "%s%s/%s\n", any ? "\n" : "", item->service, item->object);
                r = write_object(introspection, item->object, &text);
                any = true;
        }
        if (!any)
                r = write_object(introspection, "-", &text);
        return r < 0 ? report_internal(r) : report_print(&text);
}

static int print_one(const Introspection *introspection, const char *object)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r;

        if (!inventory_find(&introspection->inventory, INVENTORY_OBJECT, introspection->service,
                            object, NULL) &&
            !description_has_object(&introspection->description, object))
                return no_object(introspection, object);
        r = write_object(introspection, object, &text);
        return r < 0 ? report_internal(r) : report_print(&text);
}

/* The document, and what the broker keeps of the objects, in one object. */
static int print_json(const Introspection *introspection, const char *object)
{
        const Description *description = &introspection->description;
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        static const struct {
                InventoryKind kind;
                const char *key;
        } lists[] = {{INVENTORY_OBJECT, "objects"}, {INVENTORY_PROPERTY, "properties"}};

        buffer_printf(&text, "{\"service\":\"%s\",\"description\":", introspection->service);
        if (description->text)
                json_print_node(&text, &description->doc, 0, JSON_COMPACT);
        else
                buffer_append_text(&text, "null");
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                const char *comma = "";

                buffer_printf(&text, ",\"%s\":{", lists[i].key);
                INVENTORY_FOREACH(&introspection->inventory, item)
                {
                        if (item->kind != lists[i].kind ||
                            (object && strcmp(item->object, object) != 0))
                                continue;
                        buffer_printf(&text, "%s\"%s%s%s\":", comma, item->object,
                                      *item->name ? "/" : "", item->name);
                        json_print_text(&text, item->value, item->length, JSON_COMPACT);
                        comma = ",";
                }
                buffer_append_char(&text, '}');
        }
        buffer_append_text(&text, "}\n");
        return report_print(&text);
}

static void show_watch(const Introspection *introspection)
{
        CLEANUP_BUFFER Buffer api = BUFFER_INIT(0), meta = BUFFER_INIT(0), prop = BUFFER_INIT(0);

        buffer_printf(&api, "%s/$api", introspection->service);
        buffer_printf(&meta, "%s/+/$meta", introspection->service);
        buffer_printf(&prop, "%s/+/prop/+", introspection->service);
        session_show_watch(&introspection->client,
                           (const char *const[]){buffer_text(&api), buffer_text(&meta),
                                                 buffer_text(&prop), NULL},
                           true);
}

int cmd_introspect(const Settings *settings, const char *const *operands, size_t count)
{
        CLEANUP(introspection_done)
        Introspection introspection = {.client = {.signal_fd = -1}, .service = operands[0]};
        const char *object = count > 1 ? operands[1] : NULL;
        CLEANUP_ERROR Error *error = NULL;
        int status;

        if (names_check(operands[0], object ? object : "-", "-", &error) < 0)
                return report_usage("introspect", error);
        status = session_open(&introspection.client, settings, "introspect");
        if (status != STATUS_OK)
                return status;
        show_watch(&introspection);
        status = session_find_service(&introspection.client, introspection.service);
        if (status == STATUS_OK)
                status = load(&introspection);
        if (status != STATUS_OK)
                return status;
        if (settings->json)
                return print_json(&introspection, object);
        return object ? print_one(&introspection, object) : print_all(&introspection);
}

int cmd_discover(const Settings *settings, const char *const *operands, size_t count)
{
        const ClientCall call = {
                .service = operands[0],
                .object = "-",
                .method = "rpc.discover",
                .timeout_usec = session_timeout(settings),
        };
        CLEANUP_CLIENT Client client = {.signal_fd = -1};
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int status;

        if (names_check(call.service, call.object, call.method, &error) < 0)
                return report_usage("discover", error);
        status = session_open(&client, settings, "discover");
        if (status == STATUS_OK)
                status = session_call(&client, &call, &reply);
        return status == STATUS_OK ? report_result(&client, reply) : status;
}
