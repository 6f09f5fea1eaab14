/* SPDX-License-Identifier: MIT */

#include "gateway/served.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "gateway/loop-query.h"

typedef struct ServedListing {
        OwnInstanceHandler each;
        void *userdata;
} ServedListing;

/* Mappings that name the system bus, or none, mean the bus of the settings. */
static const char *bus_of(const Served *served)
{
        const char *bus = served->mapping->bus;

        return bus && strcmp(bus, "system") != 0 ? bus : served->host->bus;
}

/* ---- either side ---- */

static void on_exposes(void *userdata)
{
        Served *served = userdata;

        served->review_due = true;
        served->host->on_change(served->host->userdata);
}

static int exposes_new(Served *served, Error **ret_error)
{
        const ServedHost *host = served->host;
        ExposeInstancesOptions options = {
                .mapping = served->mapping,
                .mappings = host->mappings,
                .address = bus_of(served),
                .event = host->event,
                .mqtt = host->mqtt,
                .scratch = host->scratch,
                .usage = host->usage,
                .ghosts = host->ghosts,
                .own_name = host->name,
                .reconnect_max_usec = host->reconnect_max_usec,
                .on_change = on_exposes,
                .userdata = served,
        };

        return expose_instances_new(&options, &served->exposes, ret_error);
}

static void on_facade_link(void *userdata)
{
        const Served *served = userdata;

        served->host->on_change(served->host->userdata);
}

static void on_facade(Facade *facade, FacadeState state, void *userdata)
{
        Served *served = userdata;

        served->review_due = true;
        if (state == FACADE_SUSPENDED && served->release) {
                (void)mqttrpc_request_reply(served->release, NULL, 0);
                served->release = mqttrpc_request_unref(served->release);
        }
}

static int facades_new(Served *served, Error **ret_error)
{
        FacadeSetOptions options = {
                .mapping = served->mapping,
                .address = bus_of(served),
                .event = served->host->event,
                .bus = served->host->mqtt,
                .scratch = served->host->scratch,
                .usage = served->host->usage,
                .on_change = on_facade_link,
                .on_state = on_facade,
                .userdata = served,
        };

        return facade_set_new(&options, &served->facades, ret_error);
}

/* Of a mapping that is no family. */
static Facade *the_facade(const Served *served)
{
        return served->facades ? facade_set_find(served->facades, served->mapping->bus_name) : NULL;
}

/* ---- life ---- */

int served_check(const ServedHost *host, const MappingService *mapping, Error **ret_error)
{
        if (!strcmp(mapping->name, host->name))
                return error_set(ret_error, -EEXIST, "%s: '%s' is the gateway's own service name",
                                 mapping->file, mapping->name);
        if (mapping->provider == MAPPING_PROVIDER_AUTO && mapping->is_family)
                return error_set(ret_error, -EOPNOTSUPP,
                                 "%s: either \"dbus\" or \"mqtt\" has to provide a family of "
                                 "names; give those that move a file of their own",
                                 mapping->file);
        return 0;
}

static int set_up(Served *served, Error **ret_error)
{
        MappingProvider provider = served->mapping->provider;
        int r = 0;

        if (provider != MAPPING_PROVIDER_MQTT)
                r = exposes_new(served, ret_error);
        if (r >= 0 && provider != MAPPING_PROVIDER_DBUS)
                r = facades_new(served, ret_error);
        return r;
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
        r = set_up(served, ret_error);
        if (r < 0) {
                served_free(served);
                return r;
        }
        *ret_served = served;
        return 0;
}

Served *served_free(Served *served)
{
        if (!served)
                return NULL;
        mqttrpc_slot_unref(served->looking);
        sd_bus_slot_unref(served->loop_query);
        mqttrpc_request_unref(served->release);
        sd_event_source_disable_unref(served->release_timer);
        expose_instances_free(served->exposes);
        facade_set_free(served->facades);
        free(served);
        return NULL;
}

int served_open(Served *served)
{
        int r = 0;

        if (served->exposes)
                r = expose_instances_open(served->exposes);
        return r >= 0 && served->facades ? facade_set_open(served->facades) : r;
}

/* ---- at run time ---- */

void served_count(const Served *served, ServedCount *count)
{
        ExposeInstancesCount exposes = {};
        FacadeSetCount facades = {};

        if (served->exposes)
                expose_instances_count(served->exposes, &exposes);
        if (served->facades)
                facade_set_count(served->facades, &facades);
        count->services += served->exposes ? exposes.services : facades.facades;
        count->links += exposes.links + facades.facades;
        count->connected += exposes.connected + facades.connected;
        count->tried += exposes.tried + facades.tried;
        count->calls += exposes.calls + facades.calls;
}

bool served_process(Served *served)
{
        bool any = served->exposes && expose_instances_process(served->exposes);

        return (served->facades && facade_set_process(served->facades)) || any;
}

void served_yield(Served *served)
{
        if (served->exposes)
                expose_instances_yield(served->exposes);
}

void served_claim(Served *served)
{
        if (served->exposes)
                expose_instances_claim(served->exposes);
}

static void list_facade(Facade *facade, void *userdata)
{
        const ServedListing *listing = userdata;
        OwnInstance own;

        own_instance_of_facade(facade, &own);
        listing->each(&own, listing->userdata);
}

static void list_exposes(const ExposeInstances *exposes, const ServedListing *listing)
{
        OwnInstance own;

        if (exposes->options.mapping->is_family) {
                own_instance_of_family(exposes->options.mapping, exposes->names_link, &own);
                listing->each(&own, listing->userdata);
        }
        for (const ExposeInstance *i = exposes->items; i; i = i->hh.next) {
                own_instance_of_expose(i->expose, &own);
                listing->each(&own, listing->userdata);
        }
}

void served_list(const Served *served, OwnInstanceHandler each, void *userdata)
{
        ServedListing listing = {.each = each, .userdata = userdata};
        OwnInstance own;

        if (served->exposes && served->facades) {
                const ExposeInstance *instance = served->exposes->items;

                own_instance_of_either(instance ? instance->expose : NULL, the_facade(served),
                                       served->state, &own);
                if (served->is_loop || expose_instances_has_loop(served->exposes))
                        own.state = OWN_STATE_LOOP;
                each(&own, userdata);
        } else if (served->exposes) {
                list_exposes(served->exposes, &listing);
        } else {
                facade_set_each(served->facades, list_facade, &listing);
        }
}

/* ---- who provides it ---- */

static void on_looked(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        Served *served = userdata;

        served->looking = mqttrpc_slot_unref(served->looking);
        if (error)
                return; /* the connection has gone, and will be back */
        if (served->exposes->rival == EXPOSE_RIVAL_UNKNOWN)
                expose_instances_set_rival(served->exposes, facade_is_service_up(the_facade(served))
                                                                    ? EXPOSE_RIVAL_PRESENT
                                                                    : EXPOSE_RIVAL_ABSENT);
        served->review_due = true;
}

void served_on_mqtt(Served *served)
{
        if (!served->exposes || !served->facades)
                return;
        served->looking = mqttrpc_slot_unref(served->looking);
        if (mqttrpc_bus_sync_async(served->host->mqtt, &served->looking, on_looked, served) < 0)
                log_warning("%s: cannot see who provides it: out of memory", served->mapping->name);
}

static int on_loop_query(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *service = loop_query_service(m);
        Served *served = userdata;
        const MappingService *mapping = served->mapping;

        served->loop_query = sd_bus_slot_unref(served->loop_query);
        served->is_loop = service;
        if (service)
                loop_query_log(mapping->name, mapping->bus_name, service);
        else
                log_warning("%s: conflict: clients of MQTT have the MQTT service, and those of "
                            "D-Bus the daemon that has %s. Stop the daemon, and the gateway takes "
                            "the name; or stop the MQTT service, and all have the daemon",
                            mapping->name, mapping->bus_name);
        return DBUS_LINK_TAKEN;
}

/* Of a conflict it is not told before it is known with whom. */
static void tell_state(Served *served)
{
        const MappingService *mapping = served->mapping;
        sd_bus *bus = dbus_link_get_bus(the_facade(served)->link);

        served->loop_query = sd_bus_slot_unref(served->loop_query);
        served->is_loop = false;
        if (served->state != PROVIDER_CONFLICT)
                log_notice("%s: provider: %s", mapping->name, provider_state_name(served->state));
        else if (!the_facade(served)->daemon_failed && bus &&
                 loop_query(bus, mapping->bus_name, on_loop_query, served, &served->loop_query) < 0)
                log_warning("%s: conflict: two have %s", mapping->name, mapping->bus_name);
}

static void end_release(Served *served)
{
        served->release_timer = sd_event_source_disable_unref(served->release_timer);
        facade_resume(the_facade(served));
}

static bool is_shown(const Served *served)
{
        return served->exposes->items &&
               !mqttrpc_service_is_superseded(served->host->mqtt, served->mapping->name);
}

static bool review_provider(Served *served)
{
        ExposeInstances *exposes = served->exposes;
        Facade *facade = the_facade(served);
        ProviderView view = {.dbus_has_name = expose_instances_has_name(exposes),
                             .mqtt_is_up = facade_is_service_up(facade),
                             .dbus_is_shown = is_shown(served)};
        ProviderState before = served->state;

        if (exposes->rival != EXPOSE_RIVAL_UNKNOWN && !served->looking)
                expose_instances_set_rival(exposes, view.mqtt_is_up ? EXPOSE_RIVAL_PRESENT
                                                                    : EXPOSE_RIVAL_ABSENT);
        if (served->release_timer && view.dbus_has_name)
                end_release(served);
        view.facade = facade->state;
        view.is_queued = facade->is_queued;
        view.daemon_failed = facade->daemon_failed;
        served->state = provider_find(&view);
        if (served->state == before)
                return false;
        tell_state(served);
        return true;
}

bool served_has_conflict(const Served *served)
{
        return served->has_conflict;
}

static bool find_conflict(const Served *served)
{
        const Facade *facade = the_facade(served);

        return served->state == PROVIDER_CONFLICT || (facade && facade->daemon_failed) ||
               (served->exposes && expose_instances_has_loop(served->exposes));
}

static bool review_state(Served *served)
{
        bool had_conflict = served->has_conflict, changed = false;

        if (served->exposes && served->facades)
                changed = review_provider(served);
        served->has_conflict = find_conflict(served);
        return changed || served->has_conflict != had_conflict;
}

bool served_review(Served *served)
{
        bool changed = served->review_due && review_state(served);

        served->review_due = false;
        if (served->exposes)
                expose_instances_review(served->exposes);
        return changed;
}

static int on_release_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        Served *served = userdata;

        log_warning("%s: no daemon has taken %s; the MQTT service gets it back",
                    served->mapping->name, served->mapping->bus_name);
        end_release(served);
        return 0;
}

int served_release(Served *served, uint64_t usec, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        const MappingService *mapping = served->mapping;
        Facade *facade = the_facade(served);
        int r = 0;

        if (!facade)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "'%s' is provided by D-Bus, so the gateway does not have "
                                         "its name there",
                                         mapping->name);
        if (served->release)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY,
                                         "%s is being released already", mapping->bus_name);
        if (!served->release_timer)
                r = sd_event_add_time_relative(served->host->event, &served->release_timer,
                                               CLOCK_MONOTONIC, usec, 1000, on_release_time,
                                               served);
        else
                r = sd_event_source_set_time_relative(served->release_timer, usec);
        if (r < 0)
                return r;
        log_notice("%s: %s is released, for %s", mapping->name, mapping->bus_name,
                   mqttrpc_request_get_caller(request));
        served->release = mqttrpc_request_ref(request);
        facade_suspend(facade);
        if (facade->state == FACADE_SUSPENDED)
                on_facade(facade, facade->state, served);
        return 0;
}
