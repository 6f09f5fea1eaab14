/* SPDX-License-Identifier: MIT */

#include "gateway/facade.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

/* Until it is asked again whether all that is retained has come. */
#define SYNC_RETRY_USEC (UINT64_C(100) * USEC_PER_MSEC)

void facade_warn(Facade *facade, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_limit_warn(&facade->log_limit, facade->name, format, arguments);
        va_end(arguments);
}

void facade_warn_type(Facade *facade, const char *what, const char *object, const Error *why)
{
        facade->stats.wrongly_typed++;
        facade_warn(facade, "%s of object '%s' does not reach D-Bus: %s", what, object,
                    why ? error_text(why) : "out of memory");
}

const char *facade_state_name(FacadeState state)
{
        static const char *const names[] = {
                [FACADE_WAITING] = "waiting",     [FACADE_SYNCING] = "syncing",
                [FACADE_CLAIMING] = "claiming",   [FACADE_SERVING] = "serving",
                [FACADE_LOST] = "lost",           [FACADE_TAKEN] = "taken",
                [FACADE_REFUSED] = "refused",     [FACADE_RELEASING] = "releasing",
                [FACADE_SUSPENDED] = "suspended",
        };

        return names[state];
}

bool facade_is_service_up(const Facade *facade)
{
        return facade->is_ready && !facade->is_refused;
}

/* Calls that the bus has sent here before it let another one have the name are ours. */
bool facade_takes_calls(const Facade *facade)
{
        return facade->state == FACADE_SERVING || facade->state == FACADE_RELEASING;
}

/* ---- the state ---- */

static FacadeState find_state(const Facade *facade)
{
        if (facade->is_suspended)
                return facade->release ? FACADE_RELEASING : FACADE_SUSPENDED;
        if (facade->is_refused)
                return FACADE_REFUSED;
        if (facade->owns)
                return facade->is_ready && facade->is_synced ? FACADE_SERVING : FACADE_LOST;
        if (facade->is_taken)
                return FACADE_TAKEN;
        if (!facade->is_ready)
                return FACADE_WAITING;
        return facade->is_synced ? FACADE_CLAIMING : FACADE_SYNCING;
}

/* Everything that happens ends here: asks for the name or lets it go, and tells the owner. */
void facade_update(Facade *facade)
{
        bool is_up = facade_is_service_up(facade);
        FacadeState state;

        facade_name_update(facade);
        facade_unit_update(facade);
        state = find_state(facade);
        if (state == facade->state && is_up == facade->was_up &&
            facade->is_queued == facade->was_queued)
                return;
        if (state != facade->state)
                log_info("%s: %s on D-Bus is %s", facade->name, facade->bus_name,
                         facade_state_name(state));
        facade->was_up = is_up;
        facade->was_queued = facade->is_queued;
        if (state == FACADE_SERVING && facade->state != FACADE_SERVING) {
                facade->state = state;
                facade_objects_show(facade);
        }
        facade->state = state;
        if (facade->handler)
                facade->handler(facade, state, facade->userdata);
}

void facade_suspend(Facade *facade)
{
        facade->is_suspended = true;
        facade_update(facade);
}

void facade_resume(Facade *facade)
{
        facade->is_suspended = false;
        facade_update(facade);
}

/* ---- the service ---- */

/* Whether `$state` says that the service comes from this bus and name: then there is a loop, and
 * nothing behind it. */
static bool comes_from_here(Facade *facade)
{
        sd_bus *bus = dbus_link_get_bus(facade->link);
        JsonDoc *doc = &facade->scratch->doc;
        CLEANUP_FREE char *own = NULL;
        uint32_t origin;
        sd_id128_t id;

        if (!bus || !facade->details || sd_bus_get_bus_id(bus, &id) < 0)
                return false;
        if (asprintf(&own, "dbus:" SD_ID128_FORMAT_STR "/%s", SD_ID128_FORMAT_VAL(id),
                     facade->bus_name) < 0) {
                own = NULL;
                return false;
        }
        if (json_scan(doc, facade->details, strlen(facade->details), JSON_SCAN_STRICT) < 0 ||
            json_type(doc, 0) != JSON_OBJECT)
                return false;
        origin = json_find(doc, 0, "origin");
        if (origin == 0 || json_type(doc, origin) != JSON_ARRAY)
                return false;
        JSON_FOREACH (doc, origin, item)
                if (json_type(doc, item) == JSON_STRING && json_string_is(doc, item, own))
                        return true;
        return false;
}

static void check_origin(Facade *facade)
{
        bool refused = facade->is_hosted || comes_from_here(facade);

        if (refused && !facade->is_refused && !facade->queue)
                log_error("%s: the MQTT service is what D-Bus has as %s; it is not offered there "
                          "again",
                          facade->name, facade->bus_name);
        if (facade->is_refused != refused) {
                /* another one provides it now: what is known of the service is not of this one */
                facade->sync = mqttrpc_slot_unref(facade->sync);
                facade->is_ready = facade->is_synced = false;
        }
        facade->is_refused = refused;
}

static void start_sync(Facade *facade);

static int on_sync_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        Facade *facade = userdata;

        if (facade->is_ready && !facade->is_synced && !facade->sync)
                start_sync(facade);
        return 0;
}

static void start_sync_later(Facade *facade)
{
        int r;

        r = sd_event_source_set_time_relative(facade->sync_timer, SYNC_RETRY_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(facade->sync_timer, SD_EVENT_ONESHOT);
        if (r < 0)
                facade_warn(facade, "cannot wait for what is retained: %s", strerrordesc_np(-r));
}

static void on_synced(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        Facade *facade = userdata;

        facade->sync = mqttrpc_slot_unref(facade->sync);
        facade->is_synced = !error;
        if (error)
                start_sync_later(facade);
        facade_update(facade);
}

/* States may come while the connection is still being made, and then it is too early to ask. */
static void start_sync(Facade *facade)
{
        facade->sync = mqttrpc_slot_unref(facade->sync);
        facade->is_synced = false;
        if (mqttrpc_bus_sync_async(facade->bus, &facade->sync, on_synced, facade) < 0)
                start_sync_later(facade);
}

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        Facade *facade = userdata;
        MqttRpcServiceState state = mqttrpc_service_event_get_state(event);
        const char *details = mqttrpc_service_event_get_details(event, NULL);
        const char *host = mqttrpc_service_event_get_host(event);
        bool ready;

        free(facade->details);
        facade->details = details ? strdup(details) : NULL;
        /* by this gateway, also while D-Bus is away */
        facade->is_hosted = mqttrpc_service_get_epoch(facade->bus, host);
        check_origin(facade);
        /* who is about to take over has taken over nothing yet: the other one still works */
        ready = state == MQTTRPC_SERVICE_READY ||
                (state == MQTTRPC_SERVICE_CLAIM && facade->is_ready);
        if (ready && !facade->is_ready) {
                start_sync(facade);
        } else if (!ready) {
                facade->sync = mqttrpc_slot_unref(facade->sync);
                facade->is_synced = false;
        }
        facade->is_ready = ready;
        facade->has_ended = state == MQTTRPC_SERVICE_OFFLINE;
        facade_update(facade);
}

static int watch_service(Facade *facade, Error **ret_error)
{
        MqttRpcError *error = NULL;
        int r;

        r = mqttrpc_watch_property(facade->bus, &facade->values_watch, facade->name, NULL, NULL,
                                   facade_property_on_value, facade, &error);
        if (r >= 0)
                r = mqttrpc_watch_object(facade->bus, &facade->objects_watch, facade->name, NULL,
                                         facade_object_on_meta, facade, &error);
        if (r >= 0)
                r = mqttrpc_match_signal(facade->bus, &facade->signals_match, facade->name, NULL,
                                         NULL, facade_signal_on_signal, facade, &error);
        if (r >= 0)
                r = mqttrpc_watch_service(facade->bus, &facade->presence, facade->name, on_service,
                                          facade, &error);
        if (r < 0)
                error_set(ret_error, r, "%s: cannot watch it on MQTT: %s", facade->name,
                          mqttrpc_error_get_message(error));
        mqttrpc_error_free(error);
        return r;
}

/* ---- the connection ---- */

static void stop(Facade *facade)
{
        facade_calls_end(facade);
        facade_fetch_end(facade);
        facade_access_reset(facade);
        facade_name_stop(facade);
        facade_unit_stop(facade);
        facade->filter = sd_bus_slot_unref(facade->filter);
}

void facade_on_link(Facade *facade, bool connected)
{
        int r;

        stop(facade);
        if (connected) {
                check_origin(facade);
                r = sd_bus_add_filter(dbus_link_get_bus(facade->link), &facade->filter,
                                      facade_on_message, facade);
                if (r >= 0)
                        r = facade_name_start(facade);
                if (r < 0)
                        log_error("%s: cannot serve %s: %s", facade->name, facade->bus_name,
                                  strerrordesc_np(-r));
        }
        facade_update(facade);
}

/* ---- life ---- */

static int find_manager(Facade *facade)
{
        const MappingService *mapping = facade->mapping;
        const char *home = mapping->is_family ? mapping->family.prefix : mapping->bus_name;
        bool managed = false;

        for (size_t i = 0; i < mapping->n_templates; i++)
                managed = managed || mapping->templates[i]->find != MAPPING_FIND_WALK;
        facade->manager = mapping->object_manager;
        if (facade->manager || !managed)
                return 0;
        if (asprintf(&facade->manager_home, "/%s", home) < 0) {
                facade->manager_home = NULL;
                return -ENOMEM;
        }
        for (char *at = facade->manager_home; (at = strchr(at, '.')); at++)
                *at = '/';
        facade->manager = facade->manager_home;
        return 0;
}

static int on_flush(sd_event_source *source, void *userdata)
{
        facade_property_flush(userdata);
        return 0;
}

static int set_up(Facade *facade, Error **ret_error)
{
        int r;

        r = facade->name && facade->bus_name ? find_manager(facade) : -ENOMEM;
        if (r >= 0)
                r = sd_event_add_defer(facade->event, &facade->flush_source, on_flush, facade);
        if (r >= 0)
                r = sd_event_source_set_enabled(facade->flush_source, SD_EVENT_OFF);
        /* after all that has come in this turn */
        if (r >= 0)
                r = sd_event_source_set_priority(facade->flush_source,
                                                 SD_EVENT_PRIORITY_NORMAL + 1);
        if (r >= 0)
                r = sd_event_add_time(facade->event, &facade->sync_timer, CLOCK_MONOTONIC,
                                      UINT64_MAX, 1000, on_sync_time, facade);
        if (r >= 0)
                r = sd_event_source_set_enabled(facade->sync_timer, SD_EVENT_OFF);
        if (r >= 0)
                r = facade_access_start(facade);
        if (r >= 0)
                r = facade_objects_start(facade);
        if (r >= 0)
                r = facade_name_set_up(facade);
        if (r >= 0)
                r = facade_unit_set_up(facade);
        return r < 0 ? r : watch_service(facade, ret_error);
}

int facade_new(const FacadeOptions *options, Facade **ret_facade, Error **ret_error)
{
        Facade *facade;
        int r;

        facade = calloc(1, sizeof(*facade));
        if (!facade)
                return -ENOMEM;
        facade->mapping = options->mapping;
        facade->name = strdup(options->name);
        facade->bus_name = strdup(options->bus_name);
        facade->event = options->event;
        facade->link = options->link;
        facade->bus = options->bus;
        facade->scratch = options->scratch;
        facade->usage = options->usage;
        facade->queue = options->queue;
        facade->handler = options->on_state;
        facade->userdata = options->userdata;
        facade->is_suspended = options->suspended;
        facade->state = options->suspended ? FACADE_SUSPENDED : FACADE_WAITING;
        r = set_up(facade, ret_error);
        if (r < 0) {
                facade_free(facade);
                return r;
        }
        *ret_facade = facade;
        return 0;
}

Facade *facade_free(Facade *facade)
{
        if (!facade)
                return NULL;
        facade->handler = NULL;
        facade->presence = mqttrpc_slot_unref(facade->presence);
        facade->objects_watch = mqttrpc_slot_unref(facade->objects_watch);
        facade->values_watch = mqttrpc_slot_unref(facade->values_watch);
        facade->signals_match = mqttrpc_slot_unref(facade->signals_match);
        facade->sync = mqttrpc_slot_unref(facade->sync);
        facade_unit_free(facade);
        facade_name_free(facade);
        stop(facade);
        facade_access_free(facade);
        facade_objects_free(facade);
        sd_event_source_disable_unref(facade->flush_source);
        sd_event_source_disable_unref(facade->sync_timer);
        free(facade->details);
        free(facade->manager_home);
        free(facade->name);
        free(facade->bus_name);
        free(facade);
        return NULL;
}
