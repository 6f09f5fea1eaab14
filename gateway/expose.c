/* SPDX-License-Identifier: MIT */

#include "gateway/expose.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/log.h"
#include "gateway/loop-query.h"
#include "gateway/openrpc.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

void expose_warn(Expose *expose, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_limit_warn(&expose->log_limit, expose->name, format, arguments);
        va_end(arguments);
}

/* ---- messages ---- */

int expose_new_message(Expose *expose, const char *path, const char *interface, const char *member,
                       sd_bus_message **ret_message)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = dbus_link_get_bus(expose->link);
        int r;

        if (!bus)
                return -ENOTCONN;
        r = sd_bus_message_new_method_call(bus, &m, expose->bus_name, path, interface, member);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r < 0)
                return r;
        *ret_message = STEAL(m);
        return 0;
}

/* An answer of somebody who has lost the name meanwhile says nothing about the present owner. */
bool expose_is_current(const Expose *expose, sd_bus_message *m)
{
        const char *sender = sd_bus_message_get_sender(m);

        return !expose->owner || !sender || sender[0] != ':' || !strcmp(expose->owner, sender);
}

/* ---- presence ---- */

static void set_state(Expose *expose, MqttRpcServiceState state)
{
        (void)mqttrpc_service_set_state(expose->bus, expose->name, state);
}

static void set_running(Expose *expose, int running)
{
        static const char *const texts[] = {NULL, "false", "true"};

        if (expose->running == running)
                return;
        expose->running = running;
        if (mqttrpc_service_set_detail(expose->bus, expose->name, "running", texts[running + 1]) <
            0)
                expose_warn(expose, "$state does not say whether it runs: out of memory");
}

bool expose_can_start(const Expose *expose)
{
        return expose->activatable && expose->mapping->activate && !expose->gateway;
}

bool expose_is_gone(const Expose *expose)
{
        return dbus_link_is_connected(expose->link) && expose->owner_known && !expose->owner;
}

/* Both are told one after the other, and `ready` shall not be said of what is going. */
static void set_offline(Expose *expose)
{
        set_state(expose, MQTTRPC_SERVICE_OFFLINE);
        set_running(expose, -1);
}

/* What `$state` says follows from whether the bus knows an owner, or how to start one. */
static void update_state(Expose *expose)
{
        if (!dbus_link_is_connected(expose->link)) {
                set_offline(expose);
        } else if (!expose->owner_known || expose->activatable_query) {
                return; /* soon */
        } else if (expose->owner) {
                set_running(expose, 1);
                if (expose->is_ready)
                        set_state(expose, MQTTRPC_SERVICE_READY);
        } else if (expose_can_start(expose)) {
                set_running(expose, 0);
                set_state(expose, MQTTRPC_SERVICE_READY);
        } else {
                set_offline(expose);
        }
}

static void update_presence(Expose *expose)
{
        update_state(expose);
        if (expose->on_presence)
                expose->on_presence(expose->userdata);
}

static void publish_description(Expose *expose)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);
        int r;

        if (!expose->description_is_old)
                return;
        expose->description_is_old = false;
        r = openrpc_write(expose->mapping, NULL, false, &text);
        if (r >= 0)
                r = mqttrpc_service_set_description(expose->bus, expose->name, text.data);
        if (r < 0)
                expose_warn(expose, "$api is not published: %s", strerrordesc_np(-r));
}

static bool is_looking(const Expose *expose)
{
        if (expose->owner_query || expose->managed || expose->fetches || expose->fetching ||
            expose_walk_is_under_way(expose->walk))
                return true;
        for (const ExposeType *type = expose->types; type; type = type->hh.next)
                if (type->query)
                        return true;
        return false;
}

static void set_ready(Expose *expose)
{
        expose->is_ready = true;
        (void)sd_event_source_set_enabled(expose->ready_timer, SD_EVENT_OFF);
        publish_description(expose);
        update_presence(expose);
}

void expose_check_ready(Expose *expose)
{
        if (is_looking(expose))
                return;
        if (expose->owner && !expose->is_ready)
                set_ready(expose);
        else
                publish_description(expose);
}

static int on_ready_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        set_ready(userdata);
        return 0;
}

/* ---- the owner ---- */

static void forget_owner(Expose *expose)
{
        free(STEAL(expose->owner));
        expose->is_ready = false;
        expose->owner_query = sd_bus_slot_unref(expose->owner_query);
        expose->subscribing = sd_bus_slot_unref(expose->subscribing);
        (void)sd_event_source_set_enabled(expose->ready_timer, SD_EVENT_OFF);
        expose_objects_stop(expose);
        for (ExposeType *type = expose->types; type; type = type->hh.next)
                expose_type_forget(type);
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const sd_bus_error *error = sd_bus_message_get_error(m);
        Expose *expose = userdata;

        expose->subscribing = sd_bus_slot_unref(expose->subscribing);
        if (error)
                expose_warn(expose, "%s refuses %s: %s. What it emits may not arrive",
                            expose->bus_name, expose->mapping->subscribe.method,
                            error->message ? error->message : error->name);
        return DBUS_LINK_TAKEN;
}

/* The answer is not waited for: what is asked next comes after it. */
static int subscribe(Expose *expose)
{
        const MappingSubscribe *subscribe = &expose->mapping->subscribe;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        expose->subscribing = sd_bus_slot_unref(expose->subscribing);
        if (!subscribe->method)
                return 0;
        r = expose_new_message(expose, subscribe->path, subscribe->interface, subscribe->method,
                               &m);
        if (r < 0)
                return r;
        return sd_bus_call_async(dbus_link_get_bus(expose->link), &expose->subscribing, m,
                                 on_subscribed, expose, LIMIT_FETCH_USEC);
}

/* What another gateway offers counts as nothing. */
static int on_loop_query(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *service = loop_query_service(m);
        Expose *expose = userdata;

        expose->owner_query = sd_bus_slot_unref(expose->owner_query);
        if (!service || !expose->owner) {
                expose_check_ready(expose);
                return DBUS_LINK_TAKEN;
        }
        loop_query_log(expose->name, expose->bus_name, service);
        free(expose->gateway);
        expose->gateway = STEAL(expose->owner);
        forget_owner(expose);
        update_presence(expose);
        return DBUS_LINK_TAKEN;
}

static int meet_owner(Expose *expose, const char *owner)
{
        uint64_t now = clock_now();
        int r;

        expose->owner = strdup(owner);
        if (!expose->owner)
                return -ENOMEM;
        r = sd_event_source_set_time(expose->ready_timer, now + LIMIT_FIRST_LOOK_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(expose->ready_timer, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = loop_query(dbus_link_get_bus(expose->link), owner, on_loop_query, expose,
                               &expose->owner_query);
        if (r >= 0)
                r = subscribe(expose);
        expose_objects_start(expose);
        expose_check_ready(expose);
        return r;
}

/* What the gateway offers on D-Bus itself comes from MQTT, and does not go back there; nor does
 * what another one is known to offer. */
static int set_gateway(Expose *expose, const char *owner)
{
        bool is_known = owner && expose->gateway && !strcmp(owner, expose->gateway);

        if (is_known)
                return 0;
        free(STEAL(expose->gateway));
        if (!owner || !dbus_link_is_own(expose->link, owner))
                return 0;
        expose->gateway = strdup(owner);
        return expose->gateway ? 0 : -ENOMEM;
}

/* Another owner is another incarnation: what the old one had goes, what the new one has comes, also
 * when there is no gap between the two. The new epoch is `ready` when all that belongs to it has
 * come; calls need not wait for that. */
static void on_owner(const char *owner, void *userdata)
{
        Expose *expose = userdata;
        bool had_owner = expose->owner;

        expose->owner_known = dbus_link_is_connected(expose->link);
        if (set_gateway(expose, owner) < 0)
                expose_warn(expose, "it is not told apart who has %s: out of memory",
                            expose->bus_name);
        if (expose->gateway)
                owner = NULL;
        if (owner && expose->owner && !strcmp(owner, expose->owner))
                return;
        log_debug("%s: %s is owned by %s", expose->name, expose->bus_name,
                  owner ? owner : "nobody");
        forget_owner(expose);
        if (had_owner && owner)
                set_state(expose, MQTTRPC_SERVICE_INIT);
        else
                update_state(expose);
        if (had_owner)
                (void)mqttrpc_service_renew(expose->bus, expose->name);
        if (owner && meet_owner(expose, owner) < 0)
                expose_warn(expose, "%s is not looked at: out of memory", expose->bus_name);
        update_presence(expose);
}

/* ---- activation ---- */

static int on_activatable(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Expose *expose = userdata;
        const char *name;
        int r = 0;

        expose->activatable_query = sd_bus_slot_unref(expose->activatable_query);
        expose->activatable = false;
        if (!sd_bus_message_is_method_error(m, NULL))
                r = sd_bus_message_enter_container(m, 'a', "s");
        else
                r = -EBADMSG;
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0)
                if (!strcmp(name, expose->bus_name))
                        expose->activatable = true;
        update_presence(expose);
        return DBUS_LINK_TAKEN;
}

static int ask_activatable(Expose *expose)
{
        if (expose->activatable_query)
                return 0;
        return sd_bus_call_method_async(dbus_link_get_bus(expose->link), &expose->activatable_query,
                                        DRIVER_NAME, DRIVER_PATH, DRIVER_NAME,
                                        "ListActivatableNames", on_activatable, expose, "");
}

static int on_activatable_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Expose *expose = userdata;

        if (ask_activatable(expose) < 0)
                expose_warn(expose, "cannot ask whether the bus can start %s", expose->bus_name);
        return 0;
}

/* ---- the connection ---- */

static void set_origin(Expose *expose)
{
        CLEANUP_FREE char *text = NULL;
        sd_id128_t id;

        if (sd_bus_get_bus_id(dbus_link_get_bus(expose->link), &id) < 0)
                return;
        if (asprintf(&text, "[\"dbus:" SD_ID128_FORMAT_STR "/%s\"]", SD_ID128_FORMAT_VAL(id),
                     expose->bus_name) < 0)
                text = NULL;
        else
                (void)mqttrpc_service_set_detail(expose->bus, expose->name, "origin", text);
}

static int start(Expose *expose)
{
        int r;

        r = expose_signal_start(expose);
        if (r >= 0)
                r = sd_bus_match_signal_async(dbus_link_get_bus(expose->link),
                                              &expose->activatable_match, DRIVER_NAME, DRIVER_PATH,
                                              DRIVER_NAME, "ActivatableServicesChanged",
                                              on_activatable_changed, NULL, expose);
        return r < 0 ? r : ask_activatable(expose);
}

void expose_on_link(Expose *expose, bool connected)
{
        int r;

        expose->match = sd_bus_slot_unref(expose->match);
        expose->activatable_match = sd_bus_slot_unref(expose->activatable_match);
        expose->activatable_query = sd_bus_slot_unref(expose->activatable_query);
        expose->owner_known = false;
        if (connected) {
                set_origin(expose);
                r = start(expose);
                if (r < 0)
                        log_error("%s: cannot follow %s: %s", expose->name, expose->bus_name,
                                  strerrordesc_np(-r));
        }
        update_presence(expose);
}

/* ---- life ---- */

static int set_summary(const Expose *expose)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r;

        if (!expose->mapping->summary)
                return 0;
        r = json_write_string(&text, expose->mapping->summary, strlen(expose->mapping->summary));
        return r < 0 ? r
                     : mqttrpc_service_set_detail(expose->bus, expose->name, "summary", text.data);
}

static int serve(Expose *expose, Error **ret_error)
{
        MqttRpcError *error = NULL;
        int r;

        r = mqttrpc_add_fallback(expose->bus, &expose->registration, expose->name,
                                 expose_call_on_request, expose, &error);
        if (r < 0)
                error_set(ret_error, r, "%s: cannot serve it on MQTT: %s", expose->name,
                          mqttrpc_error_get_message(error));
        mqttrpc_error_free(error);
        if (r < 0)
                return r;
        set_state(expose, MQTTRPC_SERVICE_INIT);
        publish_description(expose);
        return set_summary(expose);
}

static int set_up(Expose *expose, Error **ret_error)
{
        MappingService *mapping = expose->mapping;
        int r;

        for (MappingObject *object = mapping->objects; object; object = object->hh.next) {
                r = expose_type_add(expose, object);
                if (r < 0)
                        return r;
        }
        r = sd_event_add_time(expose->event, &expose->ready_timer, CLOCK_MONOTONIC, UINT64_MAX,
                              1000, on_ready_time, expose);
        if (r >= 0)
                r = sd_event_source_set_enabled(expose->ready_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = serve(expose, ret_error);
        if (r < 0)
                return r;
        r = dbus_link_watch(expose->link, expose->bus_name, on_owner, expose, &expose->watch);
        if (r < 0)
                return error_set_errno(ret_error, r, "%s: cannot watch %s", expose->name,
                                       expose->bus_name);
        return 0;
}

int expose_new(const ExposeOptions *options, Expose **ret_expose, Error **ret_error)
{
        Expose *expose;
        int r;

        expose = calloc(1, sizeof(*expose));
        if (!expose)
                return -ENOMEM;
        expose->mapping = options->mapping;
        expose->name = options->mapping->name;
        expose->bus_name = options->mapping->bus_name;
        expose->event = options->event;
        expose->link = options->link;
        expose->bus = options->bus;
        expose->scratch = options->scratch;
        expose->usage = options->usage;
        expose->on_presence = options->on_presence;
        expose->userdata = options->userdata;
        expose->running = -1;
        expose->description_is_old = true;
        r = set_up(expose, ret_error);
        if (r < 0) {
                expose_free(expose);
                return r;
        }
        *ret_expose = expose;
        return 0;
}

Expose *expose_free(Expose *expose)
{
        ExposeType *type, *next;

        if (!expose)
                return NULL;
        expose_call_end_all(expose);
        expose->watch = dbus_watch_free(expose->watch);
        expose_objects_stop(expose);
        expose->registration = mqttrpc_slot_unref(expose->registration);
        HASH_ITER (hh, expose->types, type, next)
                expose_type_free(type);
        sd_bus_slot_unref(expose->match);
        sd_bus_slot_unref(expose->activatable_match);
        sd_bus_slot_unref(expose->activatable_query);
        sd_bus_slot_unref(expose->subscribing);
        sd_event_source_disable_unref(expose->ready_timer);
        sd_event_source_disable_unref(expose->due_timer);
        sd_bus_slot_unref(expose->owner_query);
        free(expose->owner);
        free(expose->gateway);
        free(expose);
        return NULL;
}
