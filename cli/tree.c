/* SPDX-License-Identifier: MIT */

/* mqttrpc tree: services and their objects. The name of an object is a path with dots; one that
 * begins with a dot is a D-Bus path outside of its service's, and stands below ".". */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/json-print.h"
#include "cli/names.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/json-write.h"
#include "common/printable.h"

typedef struct Tree {
        Buffer text;
        Buffer prefix; /* of lines: what stands before the branch */
        const InventoryItem **objects;
        JsonDoc doc; /* scratch */
} Tree;

static void tree_done(Tree *tree)
{
        buffer_done(&tree->text);
        buffer_done(&tree->prefix);
        json_doc_done(&tree->doc);
        free(tree->objects);
}

/* ---- names ---- */

/* The length of the part of a name that begins at `at`. */
static size_t part_length(const char *name, size_t at)
{
        if (at == 0 && *name == '.')
                return 1;
        return strcspn(name + at, ".");
}

/* Where the next part begins; at the end of the name if there is none. */
static size_t part_next(const char *name, size_t at)
{
        size_t end = at + part_length(name, at);

        if (at == 0 && *name == '.')
                return end;
        return name[end] == '.' ? end + 1 : end;
}

/* Dots come before all else, so that what is below an object follows it. */
static int by_parts(const void *a, const void *b)
{
        const char *x = (*(const InventoryItem *const *)a)->object;
        const char *y = (*(const InventoryItem *const *)b)->object;

        while (*x && *x == *y) {
                x++;
                y++;
        }
        if (*x == *y)
                return 0;
        if (*x == '.' || *y == '.')
                return *x == '\0' || (*x == '.' && *y != '\0') ? -1 : 1;
        return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
}

/* ---- lines ---- */

static void write_interfaces(Tree *tree, const InventoryItem *object)
{
        uint32_t list;

        if (json_scan(&tree->doc, object->value, object->length, JSON_SCAN_STRICT) < 0)
                return;
        list = json_find(&tree->doc, 0, "interfaces");
        if (list == 0 || json_type(&tree->doc, list) != JSON_ARRAY ||
            tree->doc.nodes[list].count == 0)
                return;
        buffer_append_text(&tree->text, "  [");
        JSON_FOREACH (&tree->doc, list, item) {
                CLEANUP_FREE char *name = NULL;

                if (item > list + 1)
                        buffer_append_char(&tree->text, ' ');
                if (json_string_dup(&tree->doc, item, &name) >= 0)
                        printable_write(&tree->text, name);
        }
        buffer_append_char(&tree->text, ']');
}

static void write_level(Tree *tree, size_t first, size_t end, size_t at);

/* One branch: the objects from `first` to `end` share the part that begins at `at`. */
static void write_branch(Tree *tree, size_t first, size_t end, size_t at, bool last)
{
        const char *name = tree->objects[first]->object;
        size_t length = part_length(name, at), next = part_next(name, at);
        size_t prefix = tree->prefix.length;

        buffer_printf(&tree->text, "%s%s%.*s", buffer_text(&tree->prefix), last ? "`- " : "|- ",
                      (int)length, name + at);
        if (name[at + length] == '\0')
                write_interfaces(tree, tree->objects[first]);
        buffer_append_char(&tree->text, '\n');
        buffer_append_text(&tree->prefix, last ? "   " : "|  ");
        if (name[at + length] == '\0') {
                first++;
                if (first < end)
                        next = part_next(tree->objects[first]->object, at);
        }
        write_level(tree, first, end, next);
        buffer_truncate(&tree->prefix, prefix);
}

/* Levels are bounded, for names have no more than 1,024 characters and a part has at least one with
 * its dot. */
static void write_level(Tree *tree, size_t first, size_t end, size_t at)
{
        while (first < end && buffer_status(&tree->text) >= 0) {
                const char *name = tree->objects[first]->object;
                size_t length = part_length(name, at), after = first + 1;

                while (after < end && !strncmp(tree->objects[after]->object, name, at + length) &&
                       part_length(tree->objects[after]->object, at) == length)
                        after++;
                write_branch(tree, first, after, at, after == end);
                first = after;
        }
}

static void write_service(Tree *tree, const Inventory *inventory, const char *service)
{
        size_t count = 0;

        INVENTORY_FOREACH(inventory, item)
        if (item->kind == INVENTORY_OBJECT && !strcmp(item->service, service))
                tree->objects[count++] = item;
        qsort(tree->objects, count, sizeof(*tree->objects), by_parts);
        buffer_printf(&tree->text, "%s\n", service);
        write_level(tree, 0, count, 0);
}

static void write_json(Tree *tree, const Inventory *inventory, const char *service)
{
        bool any = false;

        buffer_printf(&tree->text, "{\"service\":\"%s\",\"objects\":{", service);
        INVENTORY_FOREACH(inventory, item)
        {
                if (item->kind != INVENTORY_OBJECT || strcmp(item->service, service) != 0)
                        continue;
                buffer_printf(&tree->text, "%s\"%s\":", any ? "," : "", item->object);
                json_print_text(&tree->text, item->value, item->length, JSON_COMPACT);
                any = true;
        }
        buffer_append_text(&tree->text, "}}\n");
}

static int print(const Settings *settings, const Inventory *inventory)
{
        CLEANUP(tree_done) Tree tree = {};

        tree.objects = calloc(HASH_COUNT(inventory->items) + 1, sizeof(InventoryItem *));
        if (!tree.objects)
                return report_internal(-ENOMEM);
        INVENTORY_FOREACH(inventory, item)
        {
                if (item->kind != INVENTORY_SERVICE ||
                    (!settings->all && item->state != MQTTRPC_SERVICE_READY))
                        continue;
                if (settings->json)
                        write_json(&tree, inventory, item->service);
                else
                        write_service(&tree, inventory, item->service);
        }
        return report_print(&tree.text);
}

int cmd_tree(const Settings *settings, const char *const *operands, size_t count)
{
        const char *service = count > 0 ? operands[0] : NULL;
        CLEANUP_BUFFER Buffer state = BUFFER_INIT(0), meta = BUFFER_INIT(0);
        CLEANUP_INVENTORY Inventory inventory = {};
        CLEANUP_CLIENT Client client = {.signal_fd = -1};
        CLEANUP_ERROR Error *error = NULL;
        Settings all = *settings;
        int status;

        if (service && names_check(service, "-", "-", &error) < 0)
                return report_usage("tree", error);
        status = session_open(&client, settings, "tree");
        if (status != STATUS_OK)
                return status;
        buffer_printf(&state, "%s/$state", service ? service : "+");
        buffer_printf(&meta, "%s/+/$meta", service ? service : "+");
        session_show_watch(&client,
                           (const char *const[]){buffer_text(&state), buffer_text(&meta), NULL},
                           true);
        if (service)
                status = session_find_service(&client, service);
        if (status == STATUS_OK)
                status = session_collect(&client, &inventory, INVENTORY_SERVICE | INVENTORY_OBJECT,
                                         service, NULL);
        if (service)
                all.all = true;
        return status == STATUS_OK ? print(&all, &inventory) : status;
}
