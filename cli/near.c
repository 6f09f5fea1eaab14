/* SPDX-License-Identifier: MIT */

#include "cli/near.h"

#include <string.h>

#include "cli/template.h"
#include "common/clock.h"
#include "common/suggest.h"

/* How long a failed call may look around for a hint. */
#define HINT_USEC USEC_PER_SEC

/* ---- services, objects ---- */

typedef struct Candidates {
        const char **names;
        size_t count;
} Candidates;

static const char *next_name(size_t index, const void *userdata)
{
        const Candidates *candidates = userdata;

        return index < candidates->count ? candidates->names[index] : NULL;
}

/* Of a kind; `service` NULL: the services themselves. */
static const char *near_item(const Inventory *inventory, InventoryKind kind, const char *service,
                             const char *name)
{
        CLEANUP_FREE const char **names =
                calloc(HASH_COUNT(inventory->items) + 1, sizeof(const char *));
        Candidates candidates = {names, 0};

        if (!names)
                return NULL;
        INVENTORY_FOREACH(inventory, item)
        if (item->kind == kind && (!service || !strcmp(item->service, service)))
                names[candidates.count++] = service ? item->object : item->service;
        return suggest(name, next_name, &candidates);
}

/* The service that says it stands for this D-Bus name. */
static const char *find_dbus_name(const Inventory *inventory, const char *name)
{
        INVENTORY_FOREACH(inventory, item)
        {
                CLEANUP_DESCRIPTION Description description = {};
                CLEANUP_FREE char *dbus_name = NULL;

                if (item->kind != INVENTORY_DESCRIPTION ||
                    description_parse(&description, item->value, item->length) < 0)
                        continue;
                dbus_name = description_dbus_name(&description);
                if (dbus_name && !strcmp(dbus_name, name))
                        return item->service;
        }
        return NULL;
}

const char *near_service(const Inventory *inventory, const char *name)
{
        const char *near = strchr(name, '.') ? find_dbus_name(inventory, name) : NULL;

        return near ? near : near_item(inventory, INVENTORY_SERVICE, NULL, name);
}

const char *near_object(const Inventory *inventory, const char *service, const char *name)
{
        return near_item(inventory, INVENTORY_OBJECT, service, name);
}

/* ---- members ---- */

typedef struct Names {
        MemberKind kind;
        char **names;
        size_t count;
        size_t capacity;
} Names;

static void names_done(Names *names)
{
        for (size_t i = 0; i < names->count; i++)
                free(names->names[i]);
        free(names->names);
}

static int add_name(Names *names, const char *name)
{
        if (names->count == names->capacity) {
                size_t capacity = MAX(names->capacity * 2, 32U);
                char **grown = reallocarray(names->names, capacity, sizeof(*grown));

                if (!grown)
                        return -1;
                names->names = grown;
                names->capacity = capacity;
        }
        names->names[names->count] = strdup(name);
        return names->names[names->count] ? (int)names->count++ : -1;
}

static int visit_name(const Description *description, const Member *member, void *userdata)
{
        Names *names = userdata;

        return member->kind == names->kind ? add_name(names, member->name) : 0;
}

char *near_member(const Inventory *inventory, const char *service, MemberKind kind,
                  const char *name)
{
        const InventoryItem *item =
                inventory_find(inventory, INVENTORY_DESCRIPTION, service, NULL, NULL);
        CLEANUP_DESCRIPTION Description description = {};
        CLEANUP(names_done) Names names = {.kind = kind};
        Candidates candidates;
        const char *near;

        if (item && description_parse(&description, item->value, item->length) >= 0)
                (void)description_each(&description, visit_name, &names);
        if (kind == MEMBER_PROPERTY)
                INVENTORY_FOREACH(inventory, property)
        if (property->kind == INVENTORY_PROPERTY && !strcmp(property->service, service))
                (void)add_name(&names, property->name);
        candidates = (Candidates){(const char **)names.names, names.count};
        near = suggest(name, next_name, &candidates);
        return near ? strdup(near) : NULL;
}

/* ---- hints ---- */

static void write_near(Buffer *buffer, const char *near)
{
        const TemplateValue values[] = {{"near", near}, {NULL, NULL}};

        if (near)
                template_write(buffer, "hint: did you mean '{near}'?\n", values);
}

static void hint_service(Buffer *buffer, const Inventory *inventory, const ClientCall *call,
                         bool denied, bool *ret_unknown)
{
        const char *near;

        if (inventory_find(inventory, INVENTORY_SERVICE, call->service, NULL, NULL))
                return;
        *ret_unknown = true;
        near = near_service(inventory, call->service);
        if (near && strchr(call->service, '.') && !strchr(near, '.')) {
                const TemplateValue values[] = {
                        {"name", call->service}, {"near", near}, {NULL, NULL}};

                template_write(buffer, "hint: the D-Bus service {name} is '{near}' here\n", values);
                return;
        }
        if (denied) {
                const TemplateValue values[] = {{"name", call->service}, {NULL, NULL}};

                template_write(buffer, "hint: no service '{name}' is on the bus\n", values);
        }
        write_near(buffer, near);
}

static void hint_method(Buffer *buffer, const Inventory *inventory, const ClientCall *call)
{
        CLEANUP_FREE char *near =
                near_member(inventory, call->service, MEMBER_METHOD, call->method);

        write_near(buffer, near);
}

static void hint_object(Buffer *buffer, const Inventory *inventory, const ClientCall *call)
{
        if (!inventory_find(inventory, INVENTORY_OBJECT, call->service, call->object, NULL)) {
                write_near(buffer, near_object(inventory, call->service, call->object));
        } else if (call->property) {
                CLEANUP_FREE char *near =
                        near_member(inventory, call->service, MEMBER_PROPERTY, call->property);

                write_near(buffer, near);
        }
}

/* By a connection of its own: Mosquitto 2.0 closes one by which it has refused a request. */
static int look(Inventory *inventory, const Client *client, unsigned kinds, const char *service)
{
        Settings settings = *client->settings;
        CLEANUP_CLIENT Client other = {.signal_fd = -1};
        CLEANUP_RPC_ERROR MqttRpcError *ignored = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int r;

        settings.timeout_usec = HINT_USEC;
        r = client_init(&other, &settings, &error);
        if (r >= 0)
                r = client_connect(&other, &ignored);
        if (r >= 0)
                r = inventory_collect(inventory, &other, kinds, service, NULL,
                                      clock_now() + HINT_USEC, &ignored);
        return r;
}

void near_write_hints(Buffer *buffer, const Client *client, const ClientCall *call,
                      const MqttRpcError *error, bool *ret_unknown_service)
{
        int code = mqttrpc_error_get_code(error);
        bool denied = code == MQTTRPC_ERROR_ACCESS_DENIED && !mqttrpc_error_is_remote(error);
        bool nobody = code == MQTTRPC_ERROR_NO_SERVICE;
        unsigned kinds = INVENTORY_OBJECT | INVENTORY_DESCRIPTION;
        CLEANUP_INVENTORY Inventory inventory = {};

        if (denied || nobody)
                kinds = INVENTORY_SERVICE |
                        (strchr(call->service, '.') ? INVENTORY_DESCRIPTION : 0);
        else if (code != MQTTRPC_ERROR_NO_METHOD && code != MQTTRPC_ERROR_NOT_FOUND)
                return;
        else if (call->property)
                kinds |= INVENTORY_PROPERTY;
        if (look(&inventory, client, kinds, denied || nobody ? NULL : call->service) < 0)
                return;
        if (denied || nobody)
                hint_service(buffer, &inventory, call, denied, ret_unknown_service);
        else if (code == MQTTRPC_ERROR_NO_METHOD)
                hint_method(buffer, &inventory, call);
        else
                hint_object(buffer, &inventory, call);
}
