/* SPDX-License-Identifier: MIT */

#include "gateway/facade.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

/* Until it is asked again whether all that is retained has come. */
#define SYNC_RETRY_USEC (UINT64_C(100) * USEC_PER_MSEC)

/* Answers of RequestName. */
enum { NAME_PRIMARY_OWNER = 1, NAME_ALREADY_OWNER = 4 };

static void update(Facade *facade);

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
                [FACADE_WAITING] = "waiting",   [FACADE_SYNCING] = "syncing",
                [FACADE_CLAIMING] = "claiming", [FACADE_SERVING] = "serving",
                [FACADE_LOST] = "lost",         [FACADE_TAKEN] = "taken",
                [FACADE_REFUSED] = "refused",   [FACADE_SUSPENDED] = "suspended",
        };

        return names[state];
}

bool facade_is_service_ready(const Facade *facade)
{
        return facade->is_ready && facade->is_synced && !facade->is_refused;
}

/* ---- the name ---- */

static int on_requested(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Facade *facade = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(m);
        uint32_t answer = 0;

        facade->request = sd_bus_slot_unref(facade->request);
        if (error) {
                /* trying again would change nothing before the policy does */
                facade->is_taken = true;
                log_error("%s: the bus does not let the gateway have %s: %s", facade->name,
                          facade->bus_name, error->message);
        } else {
                (void)sd_bus_message_read(m, "u", &answer);
                facade->owns = answer == NAME_PRIMARY_OWNER || answer == NAME_ALREADY_OWNER;
                facade->is_taken = !facade->owns;
        }
        facade->was_shown = false;
        update(facade);
        return 0;
}

static int on_name_lost(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Facade *facade = userdata;
        const char *name;

        if (sd_bus_message_read(m, "s", &name) < 0 || strcmp(name, facade->bus_name) != 0 ||
            !facade->owns)
                return 0;
        facade->owns = false;
        facade->is_taken = true;
        log_notice("%s: %s has been taken over on D-Bus", facade->name, facade->bus_name);
        update(facade);
        return 0;
}

static void on_owner(const char *owner, void *userdata)
{
        Facade *facade = userdata;
        sd_bus *bus = dbus_link_get_bus(facade->link);
        const char *own = NULL;

        if (bus)
                (void)sd_bus_get_unique_name(bus, &own);
        facade->is_taken = owner && (!own || strcmp(owner, own) != 0);
        update(facade);
}

static bool wants_name(const Facade *facade)
{
        if (facade->is_suspended || facade->is_refused)
                return false;
        if (facade->is_ready && facade->is_synced)
                return true;
        return facade->owns && !facade->mapping->release_when_lost;
}

static void request_name(Facade *facade)
{
        sd_bus *bus = dbus_link_get_bus(facade->link);
        int r;

        r = sd_bus_request_name_async(bus, &facade->request, facade->bus_name,
                                      SD_BUS_NAME_ALLOW_REPLACEMENT, on_requested, facade);
        if (r < 0)
                facade_warn(facade, "cannot ask for %s: %s", facade->bus_name, strerrordesc_np(-r));
}

static int on_released(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return 0;
}

static void release_name(Facade *facade)
{
        sd_bus *bus = dbus_link_get_bus(facade->link);

        facade->request = sd_bus_slot_unref(facade->request);
        facade->owns = false;
        if (bus)
                (void)sd_bus_release_name_async(bus, NULL, facade->bus_name, on_released, NULL);
}

/* ---- the state ---- */

static FacadeState find_state(const Facade *facade)
{
        if (facade->is_suspended)
                return FACADE_SUSPENDED;
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
static void update(Facade *facade)
{
        bool wants = wants_name(facade);
        FacadeState state;

        if (!wants && (facade->owns || facade->request))
                release_name(facade);
        if (wants && !facade->owns && !facade->is_taken && !facade->request &&
            dbus_link_is_connected(facade->link))
                request_name(facade);
        state = find_state(facade);
        if (state == facade->state)
                return;
        facade->state = state;
        log_info("%s: %s on D-Bus is %s", facade->name, facade->bus_name, facade_state_name(state));
        if (state == FACADE_SERVING)
                facade_objects_show(facade);
        if (facade->handler)
                facade->handler(facade, state, facade->userdata);
}

void facade_suspend(Facade *facade)
{
        facade->is_suspended = true;
        update(facade);
}

void facade_resume(Facade *facade)
{
        facade->is_suspended = false;
        update(facade);
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
        bool refused = comes_from_here(facade);

        if (refused && !facade->is_refused)
                log_error("%s: the MQTT service is what D-Bus has as %s; it is not offered there "
                          "again",
                          facade->name, facade->bus_name);
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
        update(facade);
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
        /* who is about to take over has taken over nothing yet: the other one still works */
        bool ready = state == MQTTRPC_SERVICE_READY ||
                     (state == MQTTRPC_SERVICE_CLAIM && facade->is_ready);

        free(facade->details);
        facade->details = details ? strdup(details) : NULL;
        check_origin(facade);
        if (ready && !facade->is_ready) {
                start_sync(facade);
        } else if (!ready) {
                facade->sync = mqttrpc_slot_unref(facade->sync);
                facade->is_synced = false;
        }
        facade->is_ready = ready;
        update(facade);
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

static int start(Facade *facade)
{
        sd_bus *bus = dbus_link_get_bus(facade->link);
        int r;

        r = sd_bus_add_filter(bus, &facade->filter, facade_on_message, facade);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, &facade->lost_match, DRIVER_NAME, DRIVER_PATH,
                                              DRIVER_NAME, "NameLost", on_name_lost, NULL, facade);
        return r;
}

static void stop(Facade *facade)
{
        facade_calls_end(facade);
        facade_fetch_end(facade);
        facade_access_reset(facade);
        facade->request = sd_bus_slot_unref(facade->request);
        facade->lost_match = sd_bus_slot_unref(facade->lost_match);
        facade->filter = sd_bus_slot_unref(facade->filter);
        facade->owns = facade->is_taken = facade->was_shown = false;
}

void facade_on_link(Facade *facade, bool connected)
{
        int r;

        stop(facade);
        if (connected) {
                check_origin(facade);
                r = start(facade);
                if (r < 0)
                        log_error("%s: cannot serve %s: %s", facade->name, facade->bus_name,
                                  strerrordesc_np(-r));
        }
        update(facade);
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
                r = dbus_link_watch(facade->link, facade->bus_name, on_owner, facade,
                                    &facade->watch);
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
        facade->watch = dbus_watch_free(facade->watch);
        if (facade->owns)
                release_name(facade);
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
