/* SPDX-License-Identifier: MIT */

#include "gateway/own-service.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/log.h"
#include "gateway/migration.h"

/* ---- Services ---- */

typedef struct Listing {
        EmitJson *emit;
        uint64_t now;
} Listing;

static void list_one(const OwnInstance *instance, void *userdata)
{
        Listing *listing = userdata;

        emit_open(listing->emit, NULL, '{');
        own_instance_emit(listing->emit, instance, listing->now);
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
        own_emit_count(emit, "findings_left_out", diagnostics_dropped(findings));
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
        own_emit_count(&emit, "added", reload->added);
        own_emit_count(&emit, "changed", reload->changed);
        own_emit_count(&emit, "removed", reload->removed);
        own_emit_count(&emit, "unchanged", reload->unchanged);
        own_emit_count(&emit, "kept", reload->kept);
        own_emit_count(&emit, "left_out", reload->left_out);
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
        own_emit_count(emit, "usage_left_out", n_left_out);
}

static void find_one(const OwnInstance *instance, void *userdata)
{
        Search *search = userdata;

        if (search->found || strcmp(instance->name, search->name) != 0)
                return;
        search->found = true;
        emit_open(search->emit, NULL, '{');
        own_instance_emit(search->emit, instance, search->now);
        own_emit_count(search->emit, "max_in_flight", instance->mapping->max_in_flight);
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

/* ---- Migration ---- */

static void tell_migration(const OwnInstance *instance, void *userdata)
{
        Search *search = userdata;

        if (search->found || instance->is_family ||
            (strcmp(instance->name, search->name) != 0 &&
             strcmp(instance->bus_name, search->name) != 0))
                return;
        search->found = true;
        emit_open(search->emit, NULL, '{');
        migration_emit(search->emit, instance, search->service->usage);
        emit_close(search->emit, '}');
}

int own_service_write_migration(const OwnService *service, const char *name, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, false);
        Search search = {.service = service, .emit = &emit, .name = name};

        service->ops->list(service->gateway, tell_migration, &search);
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
        own_emit_count(emit, "services", totals.services);
        own_emit_count(emit, "mapping_errors", service->ops->findings(service->gateway)->n_errors);
        own_emit_count(emit, "objects", totals.objects);
        own_emit_count(emit, "calls", totals.stats.calls);
        own_emit_count(emit, "errors", totals.stats.errors);
        own_emit_count(emit, "signals", totals.stats.signals);
        own_emit_count(emit, "dropped", totals.stats.dropped);
        own_emit_count(emit, "in_flight", totals.in_flight);
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
                own_emit_count(emit, counters[i].key,
                               mqttrpc_bus_get_counter(service->bus, counters[i].counter));
}

int own_service_write_stats(const OwnService *service, uint64_t now, Buffer *buffer)
{
        EmitJson emit = EMIT_JSON(buffer, false);
        OwnFigures figures = {};

        service->ops->figures(service->gateway, &figures);
        emit_open(&emit, NULL, '{');
        emit_string(&emit, "version", PROJECT_VERSION);
        own_emit_seconds(&emit, "uptime_s", figures.started_usec, now);
        emit_totals(&emit, service);
        emit_open(&emit, "mqtt", '{');
        own_emit_text(&emit, "user", mqttrpc_bus_get_caller(service->bus));
        own_emit_seconds(&emit, "connected_s", figures.connected_usec, now);
        emit_mqtt(&emit, service);
        emit_close(&emit, '}');
        emit_open(&emit, "dbus", '{');
        own_emit_count(&emit, "connections", figures.n_connections);
        own_emit_count(&emit, "connected", figures.n_connected);
        emit_close(&emit, '}');
        emit_open(&emit, "usage", '{');
        own_emit_count(&emit, "members", service->usage->n_entries);
        own_emit_count(&emit, "others",
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

typedef int (*AboutWriter)(const OwnService *service, const char *name, Buffer *buffer);

/* Answers with what is to be told of the service that the one argument names. */
static int reply_about(MqttRpcRequest *request, const OwnService *service, AboutWriter write,
                       MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        r = write(service, name, &buffer);
        if (r == -ENOENT)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND,
                                         "the gateway serves no '%.255s'", name);
        return reply(request, &buffer, r, ret_error);
}

static int write_one_now(const OwnService *service, const char *name, Buffer *buffer)
{
        return own_service_write_one(service, name, clock_now(), buffer);
}

static int method_service(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return reply_about(request, userdata, write_one_now, ret_error);
}

static int method_migration(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return reply_about(request, userdata, own_service_write_migration, ret_error);
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

/* The answer comes when the bus has taken the name back. */
static int method_release(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const OwnService *service = userdata;
        uint32_t seconds;
        const char *name;
        int r;

        r = mqttrpc_request_read(request, "su", &name, &seconds);
        if (r < 0)
                return r;
        if (seconds < 1 || seconds > LIMIT_RELEASE_SECONDS)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "a name can be released for 1 to %u seconds",
                                         LIMIT_RELEASE_SECONDS);
        return service->ops->release(service->gateway, name, seconds * USEC_PER_SEC, request,
                                     ret_error);
}

static const MqttRpcMember members[] = {
        MQTTRPC_METHOD("Services", "", "a{sv}", method_services,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Service", "name:s", "a{sv}", method_service,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Migration", "name:s", "a{sv}", method_migration,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Stats", "", "a{sv}", method_stats,
                       MQTTRPC_ACCESS_READ | MQTTRPC_METHOD_IDEMPOTENT),
        MQTTRPC_METHOD("Reload", "", "a{sv}", method_reload, 0),
        MQTTRPC_METHOD("Release", "name:s seconds:u", "", method_release, 0),
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
