/* SPDX-License-Identifier: MIT */

#include "gateway/facade-set.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "gateway/names.h"

typedef struct Item {
        FacadeSet *set;
        DbusLink *link;
        Facade *facade;
        UT_hash_handle hh; /* by the name in topics */
} Item;

struct FacadeSet {
        FacadeSetOptions options;
        char *address;
        bool is_open;
        bool too_many;
        MqttRpcSlot *watch; /* of a family */
        Item *items;
};

static void on_link(DbusLink *link, bool connected, void *userdata)
{
        Item *item = userdata;
        const FacadeSetOptions *options = &item->set->options;

        if (connected)
                log_info("%s: connected to the D-Bus %s bus", item->facade->name,
                         dbus_link_get_address(link));
        facade_on_link(item->facade, connected);
        options->on_change(options->userdata);
}

static void item_free(Item *item)
{
        if (item->hh.tbl)
                HASH_DEL(item->set->items, item);
        facade_free(item->facade);
        dbus_link_free(item->link);
        free(item);
}

static int item_set_up(Item *item, const char *name, const char *bus_name, Error **ret_error)
{
        FacadeSet *set = item->set;
        FacadeOptions options = {
                .mapping = set->options.mapping,
                .name = name,
                .bus_name = bus_name,
                .event = set->options.event,
                .bus = set->options.bus,
                .scratch = set->options.scratch,
                .usage = set->options.usage,
                .on_state = set->options.on_state,
                .userdata = set->options.userdata,
                .suspended = set->options.suspended,
                .queue = set->options.mapping->provider == MAPPING_PROVIDER_AUTO,
        };
        int r;

        r = dbus_link_new(options.event, set->address, on_link, item, &item->link);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot use the D-Bus %s bus", set->address);
        options.link = item->link;
        r = facade_new(&options, &item->facade, ret_error);
        if (r < 0)
                return r;
        HASH_ADD_KEYPTR(hh, set->items, item->facade->name, strlen(item->facade->name), item);
        if (!hash_added(item->hh))
                return -ENOMEM;
        return set->is_open ? dbus_link_open(item->link) : 0;
}

static int item_new(FacadeSet *set, const char *name, const char *bus_name, Error **ret_error)
{
        Item *item;
        int r;

        item = calloc(1, sizeof(*item));
        if (!item)
                return -ENOMEM;
        item->set = set;
        r = item_set_up(item, name, bus_name, ret_error);
        if (r < 0)
                item_free(item);
        return r;
}

/* ---- families ---- */

static void appear(FacadeSet *set, const char *name, const char *bus_name)
{
        CLEANUP_ERROR Error *error = NULL;
        int r;

        if (HASH_COUNT(set->items) >= LIMIT_FACADES) {
                if (!set->too_many)
                        log_warning(
                                "%s: more than %u services; the others are not offered on D-Bus",
                                set->options.mapping->name, LIMIT_FACADES);
                set->too_many = true;
                return;
        }
        r = item_new(set, name, bus_name, &error);
        if (r < 0)
                log_error("%s is not offered on D-Bus: %s", name,
                          error ? error_text(error) : strerrordesc_np(-r));
}

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        const char *name = mqttrpc_service_event_get_service(event);
        MqttRpcServiceState state = mqttrpc_service_event_get_state(event);
        CLEANUP_FREE char *bus_name = NULL;
        FacadeSet *set = userdata;
        Item *item;

        HASH_FIND_STR(set->items, name, item);
        if (item && (state == MQTTRPC_SERVICE_OFFLINE || state == MQTTRPC_SERVICE_LOST))
                item_free(item);
        if (item || state != MQTTRPC_SERVICE_READY ||
            name_family_bus_name(&set->options.mapping->family, name, &bus_name) < 0 ||
            name_check_bus_name(bus_name, NULL) < 0)
                return;
        appear(set, name, bus_name);
}

static int watch_family(FacadeSet *set, Error **ret_error)
{
        MqttRpcError *error = NULL;
        int r;

        r = mqttrpc_watch_service(set->options.bus, &set->watch, NULL, on_service, set, &error);
        if (r < 0)
                error_set(ret_error, r, "%s: cannot watch services: %s", set->options.mapping->name,
                          mqttrpc_error_get_message(error));
        mqttrpc_error_free(error);
        return r;
}

/* ---- life ---- */

int facade_set_new(const FacadeSetOptions *options, FacadeSet **ret_set, Error **ret_error)
{
        const MappingService *mapping = options->mapping;
        FacadeSet *set;
        int r;

        set = calloc(1, sizeof(*set));
        if (!set)
                return -ENOMEM;
        set->options = *options;
        set->address = strdup(options->address);
        if (!set->address)
                r = -ENOMEM;
        else if (mapping->is_family)
                r = watch_family(set, ret_error);
        else
                r = item_new(set, mapping->name, mapping->bus_name, ret_error);
        if (r < 0) {
                facade_set_free(set);
                return r;
        }
        *ret_set = set;
        return 0;
}

FacadeSet *facade_set_free(FacadeSet *set)
{
        Item *item, *next;

        if (!set)
                return NULL;
        mqttrpc_slot_unref(set->watch);
        HASH_ITER (hh, set->items, item, next)
                item_free(item);
        free(set->address);
        free(set);
        return NULL;
}

int facade_set_open(FacadeSet *set)
{
        int r = 0;

        set->is_open = true;
        for (Item *item = set->items; item && r >= 0; item = item->hh.next)
                r = dbus_link_open(item->link);
        return r;
}

void facade_set_count(const FacadeSet *set, FacadeSetCount *ret_count)
{
        *ret_count = (FacadeSetCount){};
        for (const Item *item = set->items; item; item = item->hh.next) {
                ret_count->facades++;
                ret_count->connected += dbus_link_is_connected(item->link);
                ret_count->tried += dbus_link_was_tried(item->link);
                ret_count->calls += item->facade->n_calls;
        }
}

bool facade_set_process(FacadeSet *set)
{
        bool any = false;
        sd_bus *bus;

        for (Item *item = set->items; item; item = item->hh.next) {
                bus = item->facade->n_calls > 0 ? dbus_link_get_bus(item->link) : NULL;
                any = (bus && sd_bus_process(bus, NULL) > 0) || any;
        }
        return any;
}

void facade_set_each(const FacadeSet *set, void (*each)(Facade *facade, void *userdata),
                     void *userdata)
{
        for (Item *item = set->items; item; item = item->hh.next)
                each(item->facade, userdata);
}

Facade *facade_set_find(const FacadeSet *set, const char *bus_name)
{
        for (Item *item = set->items; item; item = item->hh.next)
                if (!strcmp(item->facade->bus_name, bus_name))
                        return item->facade;
        return NULL;
}
