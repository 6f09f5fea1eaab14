/* SPDX-License-Identifier: MIT */

#include "gateway/own-service.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/log.h"

/* ---- instances ---- */

static const char *state_of(const Expose *expose)
{
        if (!dbus_link_is_connected(expose->link))
                return "disconnected";
        if (!expose->owner_known || expose->activatable_query)
                return "starting";
        if (expose->owner)
                return expose->is_ready ? "running" : "starting";
        return expose_is_gone(expose) ? "unavailable" : "stopped";
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

static void emit_text(EmitJson *emit, const char *key, const char *text)
{
        if (text)
                emit_string(emit, key, text);
        else
                emit_raw(emit, key, "null");
}

static void emit_count(EmitJson *emit, const char *key, uint64_t count)
{
        emit_integer(emit, key, (int64_t)MIN(count, (uint64_t)JSON_SAFE_INTEGER));
}

static void emit_seconds(EmitJson *emit, const char *key, uint64_t since, uint64_t now)
{
        if (since > 0 && since <= now)
                emit_count(emit, key, (now - since) / USEC_PER_SEC);
        else
                emit_raw(emit, key, "null");
}

static const char *provider_of(const MappingService *mapping)
{
        static const char *const names[] = {[MAPPING_PROVIDER_DBUS] = "dbus",
                                            [MAPPING_PROVIDER_MQTT] = "mqtt",
                                            [MAPPING_PROVIDER_AUTO] = "auto"};

        return names[mapping->provider];
}

/* The members of one; the object is the caller's. */
static void emit_instance(EmitJson *emit, const OwnInstance *instance, uint64_t now)
{
        const MappingService *mapping = instance->mapping;
        const ExposeStats *stats = &instance->stats;

        emit_string(emit, "name", instance->name);
        emit_string(emit, "state", instance->state);
        emit_text(emit, "owner", instance->owner);
        emit_text(emit, "summary", mapping->summary);
        emit_string(emit, "file", mapping->file);
        emit_string(emit, "provider", provider_of(mapping));
        emit_string(emit, "bus", instance->bus);
        emit_string(emit, "bus_name", instance->bus_name);
        emit_count(emit, "objects", instance->n_objects);
        emit_count(emit, "calls", stats->calls);
        emit_count(emit, "errors", stats->errors);
        emit_count(emit, "signals", stats->signals);
        emit_count(emit, "dropped", stats->dropped);
        emit_count(emit, "in_flight", instance->n_calls);
        emit_seconds(emit, "idle_s", stats->activity_usec, now);
}

/* ---- Services ---- */

typedef struct Listing {
        EmitJson *emit;
        uint64_t now;
} Listing;

static void list_one(const OwnInstance *instance, void *userdata)
{
        Listing *listing = userdata;

        emit_open(listing->emit, NULL, '{');
        emit_instance(listing->emit, instance, listing->now);
        emit_close(listing->emit, '}');
}

static void emit_findings(EmitJson *emit, const Diagnostics *findings)
{
        emit_open(emit, "findings", '[');
        for (size_t i = 0; i < findings->count; i++) {
                bool is_error = findings->items[i].level == DIAGNOSTIC_ERROR;

                emit_open(emit, NULL, '{');
                emit_string(emit, "level", is_error ? "error" : "warning");
                emit_string(emit, "text", findings->items[i].text);
                emit_close(emit, '}');
        }
        emit_close(emit, ']');
        emit_count(emit, "findings_left_out", diagnostics_dropped(findings));
}

int own_service_write_list(const OwnService *service, uint64_t now, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, false);
        Listing listing = {.emit = &emit, .now = now};

        emit_open(&emit, NULL, '{');
        emit_open(&emit, "services", '[');
        service->ops->list(service->gateway, list_one, &listing);
        emit_close(&emit, ']');
        emit_findings(&emit, service->ops->findings(service->gateway));
        emit_close(&emit, '}');
        return buffer_status(buffer);
}

/* ---- Reload ---- */

int own_service_write_reload(const OwnService *service, const MappingReload *reload, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, false);

        emit_open(&emit, NULL, '{');
        emit_count(&emit, "added", reload->added);
        emit_count(&emit, "changed", reload->changed);
        emit_count(&emit, "removed", reload->removed);
        emit_count(&emit, "unchanged", reload->unchanged);
        emit_count(&emit, "kept", reload->kept);
        emit_count(&emit, "left_out", reload->left_out);
        emit_findings(&emit, service->ops->findings(service->gateway));
        emit_close(&emit, '}');
        return buffer_status(buffer);
}

/* ---- Service ---- */

/* Bytes that must be left for what follows an item of a list. */
#define ITEM_BYTES 8192U

typedef struct Search {
        const OwnService *service;
        EmitJson *emit;
        const char *name;
        uint64_t now;
        bool found;
} Search;

static void emit_usage(EmitJson *emit, const Usage *usage, const char *name)
{
        const Buffer *buffer = emit->buffer;
        unsigned n_left_out = 0;

        emit_open(emit, "usage", '[');
        for (const UsageEntry *entry = usage->entries; entry; entry = entry->hh.next) {
                if (strcmp(entry->key.service, name) != 0)
                        continue;
                if (buffer->length + 2U * ITEM_BYTES < buffer->maximum)
                        usage_write_entry(emit, entry, false);
                else
                        n_left_out++;
        }
        emit_close(emit, ']');
        emit_count(emit, "usage_left_out", n_left_out);
}

static void find_one(const OwnInstance *instance, void *userdata)
{
        Search *search = userdata;

        if (search->found || strcmp(instance->name, search->name) != 0)
                return;
        search->found = true;
        emit_open(search->emit, NULL, '{');
        emit_instance(search->emit, instance, search->now);
        emit_count(search->emit, "max_in_flight", instance->mapping->max_in_flight);
        emit_boolean(search->emit, "activate", instance->mapping->activate);
        emit_usage(search->emit, search->service->usage, instance->name);
        emit_close(search->emit, '}');
}

int own_service_write_one(const OwnService *service, const char *name, uint64_t now, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, false);
        Search search = {.service = service, .emit = &emit, .name = name, .now = now};

        service->ops->list(service->gateway, find_one, &search);
        return search.found ? buffer_status(buffer) : -ENOENT;
}

/* ---- Stats ---- */

typedef struct Totals {
        uint64_t services;
        uint64_t objects;
        uint64_t in_flight;
        ExposeStats stats;
} Totals;

static void add_totals(const OwnInstance *instance, void *userdata)
{
        Totals *totals = userdata;

        totals->services += !instance->is_family;
        totals->objects += instance->n_objects;
        totals->in_flight += instance->n_calls;
        totals->stats.calls += instance->stats.calls;
        totals->stats.errors += instance->stats.errors;
        totals->stats.signals += instance->stats.signals;
        totals->stats.dropped += instance->stats.dropped;
}

static void emit_totals(EmitJson *emit, const OwnService *service)
{
        Totals totals = {};

        service->ops->list(service->gateway, add_totals, &totals);
        emit_count(emit, "services", totals.services);
        emit_count(emit, "mapping_errors", service->ops->findings(service->gateway)->n_errors);
        emit_count(emit, "objects", totals.objects);
        emit_count(emit, "calls", totals.stats.calls);
        emit_count(emit, "errors", totals.stats.errors);
        emit_count(emit, "signals", totals.stats.signals);
        emit_count(emit, "dropped", totals.stats.dropped);
        emit_count(emit, "in_flight", totals.in_flight);
}

static void emit_mqtt(EmitJson *emit, const OwnService *service)
{
        static const struct {
                const char *key;
                MqttRpcCounter counter;
        } counters[] = {
                {"requests", MQTTRPC_COUNT_REQUESTS},
                {"replies", MQTTRPC_COUNT_REPLIES},
                {"errors", MQTTRPC_COUNT_ERRORS},
                {"signals", MQTTRPC_COUNT_SIGNALS},
                {"cancelled", MQTTRPC_COUNT_CANCELLED},
                {"duplicates", MQTTRPC_COUNT_DUPLICATES},
                {"expired", MQTTRPC_COUNT_EXPIRED},
                {"busy", MQTTRPC_COUNT_BUSY},
                {"dropped_replies", MQTTRPC_COUNT_DROPPED_REPLIES},
                {"dropped_signals", MQTTRPC_COUNT_SIGNALS_DROPPED},
                {"reconnects", MQTTRPC_COUNT_RECONNECTS},
        };

        for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
                emit_count(emit, counters[i].key,
                           mqttrpc_bus_get_counter(service->bus, counters[i].counter));
}

int own_service_write_stats(const OwnService *service, uint64_t now, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, false);
        OwnFigures figures = {};

        service->ops->figures(service->gateway, &figures);
        emit_open(&emit, NULL, '{');
        emit_string(&emit, "version", PROJECT_VERSION);
        emit_seconds(&emit, "uptime_s", figures.started_usec, now);
        emit_totals(&emit, service);
        emit_open(&emit, "mqtt", '{');
        emit_text(&emit, "user", mqttrpc_bus_get_caller(service->bus));
        emit_seconds(&emit, "connected_s", figures.connected_usec, now);
        emit_mqtt(&emit, service);
        emit_close(&emit, '}');
        emit_open(&emit, "dbus", '{');
        emit_count(&emit, "connections", figures.n_connections);
        emit_count(&emit, "connected", figures.n_connected);
        emit_close(&emit, '}');
        emit_open(&emit, "usage", '{');
        emit_count(&emit, "members", service->usage->n_entries);
        emit_count(&emit, "others",
                   service->usage->others[USAGE_MQTT] + service->usage->others[USAGE_DBUS]);
        emit_close(&emit, '}');
        emit_close(&emit, '}');
        return buffer_status(buffer);
}

/* ---- the level of the log ---- */

static const struct {
        LogLevel level;
        const char *name;
} levels[] = {
        {LOG_LEVEL_ERROR, "error"}, {LOG_LEVEL_WARNING, "warning"}, {LOG_LEVEL_NOTICE, "notice"},
        {LOG_LEVEL_INFO, "info"},   {LOG_LEVEL_DEBUG, "debug"},
};

static int get_log_level(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
                if (levels[i].level == log_get_level())
                        return mqttrpc_value_set(value, "s", levels[i].name);
        return -EINVAL;
}

static int set_log_level(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        LogLevel level;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        if (log_level_parse(name, &level) < 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "'%.64s' is none of error, warning, notice, info, debug",
                                         name);
        log_set_level(level);
        log_notice("log level %s, set by %s", name, mqttrpc_request_get_caller(request));
        return mqttrpc_request_reply(request, NULL, 0);
}

/* ---- methods ---- */

/* `r` is what came of writing it. */
static int reply(MqttRpcRequest *request, const Buffer *buffer, int r, MqttRpcError **ret_error)
{
        if (r == -EMSGSIZE)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_TOO_LARGE,
                                         "the answer is larger than a reply may be");
        return r < 0 ? r : mqttrpc_request_reply(request, buffer->data, buffer->length);
}

static int method_services(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);

        return reply(request, &buffer, own_service_write_list(userdata, clock_now(), &buffer),
                     ret_error);
}

static int method_service(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        r = own_service_write_one(userdata, name, clock_now(), &buffer);
        if (r == -ENOENT)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND,
                                         "the gateway serves no '%.255s'", name);
        return reply(request, &buffer, r, ret_error);
}

static int method_stats(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);

        return reply(request, &buffer, own_service_write_stats(userdata, clock_now(), &buffer),
                     ret_error);
}

static int method_reload(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);
        const OwnService *service = userdata;
        MappingReload reload;
        int r;

        log_notice("reading the mappings again, for %s", mqttrpc_request_get_caller(request));
        r = service->ops->reload(service->gateway, &reload);
        if (r < 0)
                return r;
        return reply(request, &buffer, own_service_write_reload(service, &reload, &buffer),
                     ret_error);
}

static const MqttRpcMember members[] = {
        MQTTRPC_METHOD("Services", "", "a{sv}", method_services,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Service", "name:s", "a{sv}", method_service,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Stats", "", "a{sv}", method_stats,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Reload", "", "a{sv}", method_reload, 0),
        MQTTRPC_WRITABLE_PROPERTY("LogLevel", "s", get_log_level, set_log_level, 0),
        MQTTRPC_END,
};

/* ---- life ---- */

int own_service_add(OwnService *service, MqttRpcError **ret_error)
{
        int r;

        r = mqttrpc_add_service(service->bus, NULL, service->name, members, service, ret_error);
        if (r >= 0)
                r = mqttrpc_service_set_detail(service->bus, service->name, "ver",
                                               "\"" PROJECT_VERSION "\"");
        if (r >= 0)
                r = mqttrpc_service_set_detail(service->bus, service->name, "summary",
                                               "\"Gateway between D-Bus and MQTT\"");
        return r;
}
