/* SPDX-License-Identifier: MIT */

#include "gateway/served.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"

/* ---- instances ---- */

/* Mappings that name the system bus, or none, mean the bus of the settings. */
static const char *bus_of(const Served *served)
{
        const char *bus = served->mapping->bus;

        return bus && strcmp(bus, "system") != 0 ? bus : served->host->bus;
}

static void on_link(DbusLink *link, bool connected, void *userdata)
{
        ServedInstance *instance = userdata;
        const ServedHost *host = instance->served->host;

        if (connected)
                log_info("%s: connected to the D-Bus %s bus", instance->expose->name,
                         dbus_link_get_address(link));
        expose_on_link(instance->expose, connected);
        host->on_change(host->userdata);
}

static void instance_free(ServedInstance *instance)
{
        if (instance->hh.tbl)
                HASH_DEL(instance->served->instances, instance);
        expose_free(instance->expose);
        dbus_link_free(instance->link);
        free(instance);
}

static int instance_set_up(ServedInstance *instance, Error **ret_error)
{
        Served *served = instance->served;
        const char *address = bus_of(served);
        ExposeOptions options = {.mapping = served->mapping,
                                 .event = served->host->event,
                                 .bus = served->host->mqtt,
                                 .scratch = served->host->scratch,
                                 .usage = served->host->usage};
        int r;

        r = dbus_link_new(served->host->event, address, on_link, instance, &instance->link);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot use the D-Bus %s bus", address);
        dbus_link_set_reconnect_maximum(instance->link, served->host->reconnect_max_usec);
        options.link = instance->link;
        r = expose_new(&options, &instance->expose, ret_error);
        if (r < 0)
                return r;
        HASH_ADD_KEYPTR(hh, served->instances, instance->expose->bus_name,
                        strlen(instance->expose->bus_name), instance);
        return instance->hh.tbl ? 0 : -ENOMEM;
}

static int instance_new(Served *served, Error **ret_error)
{
        ServedInstance *instance;
        int r;

        instance = calloc(1, sizeof(*instance));
        if (!instance)
                return -ENOMEM;
        instance->served = served;
        r = instance_set_up(instance, ret_error);
        if (r < 0)
                instance_free(instance);
        return r;
}

static int facades_new(Served *served, Error **ret_error)
{
        FacadeSetOptions options = {
                .mapping = served->mapping,
                .address = bus_of(served),
                .event = served->host->event,
                .bus = served->host->mqtt,
                .scratch = served->host->scratch,
                .on_change = served->host->on_change,
                .userdata = served->host->userdata,
        };

        return facade_set_new(&options, &served->facades, ret_error);
}

/* ---- life ---- */

int served_check(const ServedHost *host, const MappingService *mapping, Error **ret_error)
{
        if (!strcmp(mapping->name, host->name))
                return error_set(ret_error, -EEXIST, "%s: '%s' is the gateway's own service name",
                                 mapping->file, mapping->name);
        if (mapping->provider == MAPPING_PROVIDER_AUTO)
                return error_set(ret_error, -EOPNOTSUPP,
                                 "%s: services that either side may provide are not available in "
                                 "this version",
                                 mapping->file);
        if (mapping->is_family && mapping->provider == MAPPING_PROVIDER_DBUS)
                return error_set(ret_error, -EOPNOTSUPP,
                                 "%s: name families are not available in this version",
                                 mapping->file);
        return 0;
}

int served_new(const ServedHost *host, MappingService *mapping, Served **ret_served,
               Error **ret_error)
{
        Served *served;
        int r;

        r = served_check(host, mapping, ret_error);
        if (r < 0)
                return r;
        served = calloc(1, sizeof(*served));
        if (!served)
                return -ENOMEM;
        served->host = host;
        served->mapping = mapping;
        r = mapping->provider == MAPPING_PROVIDER_MQTT ? facades_new(served, ret_error)
                                                       : instance_new(served, ret_error);
        if (r < 0) {
                served_free(served);
                return r;
        }
        *ret_served = served;
        return 0;
}

Served *served_free(Served *served)
{
        ServedInstance *instance, *next;

        if (!served)
                return NULL;
        HASH_ITER (hh, served->instances, instance, next)
                instance_free(instance);
        facade_set_free(served->facades);
        free(served);
        return NULL;
}

int served_open(Served *served)
{
        ServedInstance *instance, *next;
        int r = 0;

        served->is_open = true;
        HASH_ITER (hh, served->instances, instance, next)
                if (r >= 0)
                        r = dbus_link_open(instance->link);
        return r >= 0 && served->facades ? facade_set_open(served->facades) : r;
}

/* ---- at run time ---- */

static void count_link(const DbusLink *link, ServedCount *count)
{
        count->links++;
        count->connected += dbus_link_is_connected(link);
        count->tried += dbus_link_was_tried(link);
}

void served_count(const Served *served, ServedCount *count)
{
        FacadeSetCount facades;

        for (const ServedInstance *i = served->instances; i; i = i->hh.next) {
                count->services++;
                count->calls += i->expose->n_calls;
                count_link(i->link, count);
        }
        if (served->facades) {
                facade_set_count(served->facades, &facades);
                count->services += facades.facades;
                count->links += facades.facades;
                count->connected += facades.connected;
                count->tried += facades.tried;
                count->calls += facades.calls;
        }
}

static bool process_link(DbusLink *link)
{
        sd_bus *bus = dbus_link_get_bus(link);

        return bus && sd_bus_process(bus, NULL) > 0;
}

bool served_process(Served *served)
{
        bool any = false;

        for (ServedInstance *i = served->instances; i; i = i->hh.next)
                any = process_link(i->link) || any;
        if (served->facades)
                any = facade_set_process(served->facades) || any;
        return any;
}
