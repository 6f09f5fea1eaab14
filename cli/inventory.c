/* SPDX-License-Identifier: MIT */

#include "cli/inventory.h"

#include <errno.h>
#include <string.h>

static void item_free(InventoryItem *item)
{
        free(item->value);
        free(item->epoch);
        free(item->host);
        free(item);
}

void inventory_done(Inventory *inventory)
{
        InventoryItem *item, *next;

        HASH_ITER (hh, inventory->items, item, next) {
                HASH_DEL(inventory->items, item);
                item_free(item);
        }
}

/* ---- keys ---- */

typedef struct Key {
        InventoryKind kind;
        const char *service;
        const char *object;
        const char *name;
} Key;

/* The kind as a letter, then the names, a NUL behind each. */
static int write_key(Buffer *buffer, const Key *key)
{
        buffer_append_char(buffer, (char)('0' + key->kind));
        buffer_append(buffer, key->service, strlen(key->service) + 1);
        buffer_append(buffer, key->object, strlen(key->object) + 1);
        return buffer_append(buffer, key->name, strlen(key->name) + 1);
}

static InventoryItem *find(const Inventory *inventory, const Buffer *key)
{
        InventoryItem *item;

        HASH_FIND(hh, inventory->items, key->data, key->length, item);
        return item;
}

static InventoryItem *add(Inventory *inventory, InventoryKind kind, const Buffer *key)
{
        InventoryItem *item = calloc(1, sizeof(*item) + key->length);

        if (!item)
                return NULL;
        memcpy(item->key, key->data, key->length);
        item->kind = kind;
        item->service = item->key + 1;
        item->object = item->service + strlen(item->service) + 1;
        item->name = item->object + strlen(item->object) + 1;
        HASH_ADD_KEYPTR(hh, inventory->items, item->key, key->length, item);
        if (hash_added(item->hh))
                return item;
        free(item);
        return NULL;
}

const InventoryItem *inventory_find(const Inventory *inventory, InventoryKind kind,
                                    const char *service, const char *object, const char *name)
{
        const Key key = {kind, service, object ? object : "", name ? name : ""};
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        return write_key(&text, &key) < 0 ? NULL : find(inventory, &text);
}

/* ---- what comes ---- */

/* Takes a value in, or out if it is NULL. Returns the item, or NULL. */
static InventoryItem *put(Inventory *inventory, const Key *key, const char *value, size_t length)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        InventoryItem *item;
        char *copy;

        if (write_key(&text, key) < 0) {
                inventory->status = -ENOMEM;
                return NULL;
        }
        item = find(inventory, &text);
        if (!value) {
                if (item) {
                        HASH_DEL(inventory->items, item);
                        item_free(item);
                }
                return NULL;
        }
        copy = strndup(value, length);
        if (copy && !item)
                item = add(inventory, key->kind, &text);
        if (!copy || !item) {
                free(copy);
                inventory->status = -ENOMEM;
                return NULL;
        }
        free(item->value);
        item->value = copy;
        item->length = length;
        return item;
}

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        const Key key = {INVENTORY_SERVICE, mqttrpc_service_event_get_service(event), "", ""};
        Inventory *inventory = userdata;
        InventoryItem *item;
        const char *value;
        size_t length;

        value = mqttrpc_service_event_get_details(event, &length);
        item = put(inventory, &key, value, length);
        if (!item)
                return;
        item->state = mqttrpc_service_event_get_state(event);
        free(item->epoch);
        free(item->host);
        item->epoch = strdup(mqttrpc_service_event_get_epoch(event));
        item->host = strdup(mqttrpc_service_event_get_host(event));
        if (!item->epoch || !item->host)
                inventory->status = -ENOMEM;
}

static void on_object(const MqttRpcObjectEvent *event, void *userdata)
{
        const Key key = {INVENTORY_OBJECT, mqttrpc_object_event_get_service(event),
                         mqttrpc_object_event_get_object(event), ""};
        size_t length;
        const char *value = mqttrpc_object_event_get_meta(event, &length);

        (void)put(userdata, &key, value, length);
}

static void on_property(const MqttRpcPropertyEvent *event, void *userdata)
{
        const Key key = {INVENTORY_PROPERTY, mqttrpc_property_event_get_service(event),
                         mqttrpc_property_event_get_object(event),
                         mqttrpc_property_event_get_property(event)};
        InventoryItem *item;
        size_t length;
        const char *value = mqttrpc_property_event_get_value(event, &length);

        item = put(userdata, &key, value, length);
        if (item)
                item->stale = mqttrpc_property_event_is_stale(event);
}

static void on_description(const MqttRpcDescriptionEvent *event, void *userdata)
{
        const Key key = {INVENTORY_DESCRIPTION, mqttrpc_description_event_get_service(event), "",
                         ""};
        size_t length;
        const char *value = mqttrpc_description_event_get_document(event, &length);

        (void)put(userdata, &key, value, length);
}

/* ---- collecting ---- */

enum { WATCHES = 4 };

static int watch(Inventory *inventory, Client *client, unsigned kinds, const char *service,
                 const char *object, MqttRpcSlot **slots, MqttRpcError **ret_error)
{
        int r = 0;

        if (kinds & INVENTORY_SERVICE)
                r = mqttrpc_watch_service(client->bus, &slots[0], service, on_service, inventory,
                                          ret_error);
        if (r >= 0 && (kinds & INVENTORY_OBJECT))
                r = mqttrpc_watch_object(client->bus, &slots[1], service, object, on_object,
                                         inventory, ret_error);
        if (r >= 0 && (kinds & INVENTORY_PROPERTY))
                r = mqttrpc_watch_property(client->bus, &slots[2], service, object, NULL,
                                           on_property, inventory, ret_error);
        if (r >= 0 && (kinds & INVENTORY_DESCRIPTION))
                r = mqttrpc_watch_description(client->bus, &slots[3], service, on_description,
                                              inventory, ret_error);
        return r;
}

static int by_name(const InventoryItem *a, const InventoryItem *b)
{
        int order = strcmp(a->service, b->service);

        if (order == 0)
                order = strcmp(a->object, b->object);
        return order == 0 ? strcmp(a->name, b->name) : order;
}

int inventory_collect(Inventory *inventory, Client *client, unsigned kinds, const char *service,
                      const char *object, uint64_t until, MqttRpcError **ret_error)
{
        MqttRpcSlot *slots[WATCHES] = {};
        int r;

        r = watch(inventory, client, kinds, service, object, slots, ret_error);
        if (r >= 0)
                r = client_sync(client, until, ret_error);
        for (size_t i = 0; i < WATCHES; i++)
                mqttrpc_slot_unref(slots[i]);
        if (r >= 0)
                r = inventory->status;
        HASH_SORT(inventory->items, by_name);
        return r;
}
