/* SPDX-License-Identifier: MIT */

#include "gateway/own-instance.h"

#include <string.h>

#include "common/clock.h"
#include "common/json-write.h"

/* ---- what they are ---- */

static const char *state_of(const Expose *expose)
{
        if (!dbus_link_is_connected(expose->link))
                return "disconnected";
        if (!expose->owner_known || expose->activatable_query)
                return "starting";
        if (expose->owner)
                return expose->is_ready ? "running" : "starting";
        if (expose->gateway)
                return OWN_STATE_LOOP;
        return expose_can_start(expose) && expose->mapping->activate ? "stopped" : "unavailable";
}

/* What the library drops of the signals that it was given belongs to those that were not passed on.
 */
static ExposeStats stats_of(const Expose *expose)
{
        uint64_t dropped = mqttrpc_service_get_dropped_signals(expose->bus, expose->name);
        ExposeStats stats = expose->stats;

        stats.signals -= MIN(dropped, stats.signals);
        stats.dropped += dropped;
        return stats;
}

void own_instance_of_expose(const Expose *expose, OwnInstance *ret_instance)
{
        *ret_instance = (OwnInstance){
                .mapping = expose->mapping,
                .name = expose->name,
                .bus = dbus_link_get_address(expose->link),
                .bus_name = expose->bus_name,
                .state = state_of(expose),
                .owner = expose->owner,
                .n_objects = HASH_COUNT(expose->objects),
                .n_calls = expose->n_calls,
                .stats = stats_of(expose),
        };
}

void own_instance_of_family(const MappingService *family, const DbusLink *link,
                            OwnInstance *ret_instance)
{
        *ret_instance = (OwnInstance){
                .mapping = family,
                .name = family->name,
                .bus = dbus_link_get_address(link),
                .bus_name = family->bus_name,
                .state = dbus_link_is_connected(link) ? "watching" : "disconnected",
                .is_family = true,
        };
}

static const char *state_of_facade(const Facade *facade)
{
        if (!dbus_link_is_connected(facade->link))
                return "disconnected";
        if (facade->daemon_failed)
                return provider_state_name(PROVIDER_CONFLICT);
        return facade_state_name(facade->state);
}

void own_instance_of_facade(const Facade *facade, OwnInstance *ret_instance)
{
        const FacadeStats *stats = &facade->stats;
        bool connected = dbus_link_is_connected(facade->link);
        const char *own = NULL;

        if (connected && facade->owns)
                (void)sd_bus_get_unique_name(dbus_link_get_bus(facade->link), &own);
        *ret_instance = (OwnInstance){
                .mapping = facade->mapping,
                .name = facade->name,
                .bus = dbus_link_get_address(facade->link),
                .bus_name = facade->bus_name,
                .state = state_of_facade(facade),
                .owner = own,
                .n_objects = HASH_COUNT(facade->objects),
                .n_calls = facade->n_calls,
                .stats = {.calls = stats->calls,
                          .errors = stats->errors,
                          .signals = stats->signals,
                          .dropped = stats->dropped,
                          .activity_usec = stats->activity_usec},
                .wrongly_typed = stats->wrongly_typed,
                .denied = stats->denied,
        };
}

void own_instance_of_either(const Expose *expose, const Facade *facade, ProviderState state,
                            OwnInstance *ret_instance)
{
        OwnInstance *own = ret_instance, other;

        own_instance_of_facade(facade, own);
        if (strcmp(own->state, "disconnected") != 0)
                own->state = provider_state_name(state);
        if (!expose)
                return;
        own_instance_of_expose(expose, &other);
        own->owner = other.owner;
        own->n_objects = other.n_objects;
        own->n_calls += other.n_calls;
        own->stats.calls += other.stats.calls;
        own->stats.errors += other.stats.errors;
        own->stats.signals += other.stats.signals;
        own->stats.dropped += other.stats.dropped;
        own->stats.activity_usec = MAX(own->stats.activity_usec, other.stats.activity_usec);
}

/* ---- what is told of them ---- */

void own_emit_text(EmitJson *emit, const char *key, const char *text)
{
        if (text)
                emit_string(emit, key, text);
        else
                emit_raw(emit, key, "null");
}

void own_emit_count(EmitJson *emit, const char *key, uint64_t count)
{
        emit_integer(emit, key, (int64_t)MIN(count, (uint64_t)JSON_SAFE_INTEGER));
}

void own_emit_seconds(EmitJson *emit, const char *key, uint64_t since, uint64_t now)
{
        if (since > 0 && since <= now)
                own_emit_count(emit, key, (now - since) / USEC_PER_SEC);
        else
                emit_raw(emit, key, "null");
}

const char *own_provider_name(MappingProvider provider)
{
        static const char *const names[] = {[MAPPING_PROVIDER_DBUS] = "dbus",
                                            [MAPPING_PROVIDER_MQTT] = "mqtt",
                                            [MAPPING_PROVIDER_AUTO] = "auto"};

        return names[provider];
}

void own_instance_emit(EmitJson *emit, const OwnInstance *instance, uint64_t now)
{
        const MappingService *mapping = instance->mapping;
        const ExposeStats *stats = &instance->stats;

        emit_string(emit, "name", instance->name);
        emit_string(emit, "state", instance->state);
        own_emit_text(emit, "owner", instance->owner);
        own_emit_text(emit, "summary", mapping->summary);
        emit_string(emit, "file", mapping->file);
        emit_string(emit, "provider", own_provider_name(mapping->provider));
        emit_string(emit, "bus", instance->bus);
        emit_string(emit, "bus_name", instance->bus_name);
        own_emit_count(emit, "objects", instance->n_objects);
        own_emit_count(emit, "calls", stats->calls);
        own_emit_count(emit, "errors", stats->errors);
        own_emit_count(emit, "signals", stats->signals);
        own_emit_count(emit, "dropped", stats->dropped);
        own_emit_count(emit, "in_flight", instance->n_calls);
        if (mapping->provider != MAPPING_PROVIDER_DBUS) {
                own_emit_count(emit, "wrongly_typed", instance->wrongly_typed);
                own_emit_count(emit, "denied", instance->denied);
        }
        own_emit_seconds(emit, "idle_s", stats->activity_usec, now);
}
