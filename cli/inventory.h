/* SPDX-License-Identifier: MIT */
#pragma once

/* What is on the bus: services, objects, properties and descriptions, as the broker has retained
 * them. Collected once, complete (mqttrpc_bus_sync_async()), and then gone through in the order of
 * their names. Its size is bounded by what the library keeps of watched values. */

#include "cli/client.h"
#include "common/hash.h"
#include "common/json-scan.h"

typedef enum InventoryKind {
        INVENTORY_SERVICE = 1 << 0,
        INVENTORY_OBJECT = 1 << 1,
        INVENTORY_PROPERTY = 1 << 2,
        INVENTORY_DESCRIPTION = 1 << 3,
} InventoryKind;

typedef struct InventoryItem {
        InventoryKind kind;
        const char *service; /* all point into the key; "" for what the kind does not have */
        const char *object;
        const char *name;
        char *value; /* owned; JSON text: $state, $meta, the value, $api */
        size_t length;
        bool stale;
        MqttRpcServiceState state; /* of services, as are the next two */
        char *epoch;               /* owned */
        char *host;                /* owned */
        UT_hash_handle hh;
        char key[];
} InventoryItem;

typedef struct Inventory {
        InventoryItem *items; /* hash by key */
        int status;           /* 0 or -ENOMEM */
} Inventory;

void inventory_done(Inventory *inventory);
#define CLEANUP_INVENTORY CLEANUP(inventory_done)

/* Collects what `kinds` (InventoryKind) says; NULL names stand for any. Waits until `until` (of
 * CLOCK_MONOTONIC). -EINTR without an error. */
int inventory_collect(Inventory *inventory, Client *client, unsigned kinds, const char *service,
                      const char *object, uint64_t until, MqttRpcError **ret_error);

const InventoryItem *inventory_find(const Inventory *inventory, InventoryKind kind,
                                    const char *service, const char *object, const char *name);

#define INVENTORY_FOREACH(inventory, item)                                 \
        for (const InventoryItem *item = (inventory)->items; item != NULL; \
             item = (const InventoryItem *)item->hh.next)
