/* SPDX-License-Identifier: MIT */

/* The name on D-Bus: when it is asked for, and when it is let go. Of a service that either side may
 * provide, a daemon that wants the name gets it: one that replaces us by the bus, one that waits
 * for it when we notice that, since nobody is told. One that does neither can only fail. */

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "gateway/facade.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

/* Answers of RequestName. */
enum { NAME_PRIMARY_OWNER = 1, NAME_IN_QUEUE = 2, NAME_ALREADY_OWNER = 4 };

/* ---- who has it ---- */

static int on_requested(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Facade *facade = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(m);
        uint32_t answer = 0;

        facade->request = sd_bus_slot_unref(facade->request);
        if (error) {
                /* trying again would change nothing before the policy does */
                facade->is_taken = facade->is_queued = true;
                log_error("%s: the bus does not let the gateway have %s: %s", facade->name,
                          facade->bus_name, error->message);
        } else {
                (void)sd_bus_message_read(m, "u", &answer);
                facade->owns = answer == NAME_PRIMARY_OWNER || answer == NAME_ALREADY_OWNER;
                facade->is_queued = answer == NAME_IN_QUEUE;
                facade->is_taken = !facade->owns;
        }
        facade->was_shown = false;
        facade_update(facade);
        return DBUS_LINK_TAKEN;
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
        facade->is_queued = facade->queue;
        log_notice("%s: %s has been taken over on D-Bus", facade->name, facade->bus_name);
        facade_update(facade);
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
        if (owner && !facade->is_taken && facade->is_queued) {
                facade->is_queued = false;
                facade->owns = true;
                facade->was_shown = false;
        }
        facade_update(facade);
}

/* ---- asking for it ---- */

static bool wants_name(const Facade *facade)
{
        if (facade->is_suspended || facade->is_refused)
                return false;
        if (facade->is_ready && facade->is_synced)
                return true;
        /* who ends in order, where a daemon may come, leaves it to that */
        return facade->owns && !facade->mapping->release_when_lost &&
               !(facade->queue && facade->has_ended);
}

static void request_name(Facade *facade)
{
        sd_bus *bus = dbus_link_get_bus(facade->link);
        uint64_t flags = SD_BUS_NAME_ALLOW_REPLACEMENT | (facade->queue ? SD_BUS_NAME_QUEUE : 0);
        int r;

        r = sd_bus_request_name_async(bus, &facade->request, facade->bus_name, flags, on_requested,
                                      facade);
        if (r < 0)
                facade_warn(facade, "cannot ask for %s: %s", facade->bus_name, strerrordesc_np(-r));
}

static int on_released(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Facade *facade = userdata;

        facade->release = sd_bus_slot_unref(facade->release);
        facade_update(facade);
        return DBUS_LINK_TAKEN;
}

/* Also takes back what is asked for, and leaves the queue. */
static void release_name(Facade *facade)
{
        sd_bus *bus = dbus_link_get_bus(facade->link);

        facade->request = sd_bus_slot_unref(facade->request);
        facade->release = sd_bus_slot_unref(facade->release);
        facade->owns = facade->is_queued = false;
        if (bus)
                (void)sd_bus_release_name_async(bus, &facade->release, facade->bus_name,
                                                on_released, facade);
}

void facade_name_update(Facade *facade)
{
        bool wants = wants_name(facade);
        bool is_free = facade->queue ? !facade->is_queued : !facade->is_taken;

        if (!wants && (facade->owns || facade->request || facade->is_queued))
                release_name(facade);
        if (wants && !facade->owns && is_free && !facade->request &&
            dbus_link_is_connected(facade->link))
                request_name(facade);
}

/* ---- who waits for it ---- */

static void look_again(Facade *facade)
{
        int r;

        r = sd_event_source_set_time_relative(facade->rivals_timer, LIMIT_RIVAL_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(facade->rivals_timer, SD_EVENT_ONESHOT);
        if (r < 0)
                facade_warn(facade, "cannot look for who waits for %s: %s", facade->bus_name,
                            strerrordesc_np(-r));
}

/* The first of the list has the name. */
static bool has_rival(const Facade *facade, sd_bus_message *m)
{
        const char *own = NULL, *name;
        bool found = false;

        if (sd_bus_message_is_method_error(m, NULL) ||
            sd_bus_get_unique_name(dbus_link_get_bus(facade->link), &own) < 0 ||
            sd_bus_message_enter_container(m, 'a', "s") < 0)
                return false;
        while (sd_bus_message_read(m, "s", &name) > 0)
                found = found || strcmp(name, own) != 0;
        return found;
}

/* The daemon gets it in the moment in which it is released, and we wait behind it. */
static int on_rivals(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Facade *facade = userdata;

        facade->rivals = sd_bus_slot_unref(facade->rivals);
        look_again(facade);
        if (!facade->owns || !has_rival(facade, m))
                return DBUS_LINK_TAKEN;
        log_notice("%s: a daemon waits for %s on D-Bus, and gets it", facade->name,
                   facade->bus_name);
        release_name(facade);
        facade_update(facade);
        return DBUS_LINK_TAKEN;
}

static int on_rivals_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        Facade *facade = userdata;
        int r = 0;

        if (facade->owns && !facade->rivals)
                r = sd_bus_call_method_async(
                        dbus_link_get_bus(facade->link), &facade->rivals, DRIVER_NAME, DRIVER_PATH,
                        DRIVER_NAME, "ListQueuedOwners", on_rivals, facade, "s", facade->bus_name);
        if (!facade->rivals || r < 0)
                look_again(facade);
        return 0;
}

/* ---- life ---- */

int facade_name_set_up(Facade *facade)
{
        int r;

        r = sd_event_add_time(facade->event, &facade->rivals_timer, CLOCK_MONOTONIC, UINT64_MAX,
                              1000, on_rivals_time, facade);
        if (r >= 0)
                r = sd_event_source_set_enabled(facade->rivals_timer, SD_EVENT_OFF);
        return r < 0 ? r
                     : dbus_link_watch(facade->link, facade->bus_name, on_owner, facade,
                                       &facade->watch);
}

int facade_name_start(Facade *facade)
{
        int r;

        r = sd_bus_match_signal_async(dbus_link_get_bus(facade->link), &facade->lost_match,
                                      DRIVER_NAME, DRIVER_PATH, DRIVER_NAME, "NameLost",
                                      on_name_lost, NULL, facade);
        if (r >= 0 && facade->queue)
                look_again(facade);
        return r;
}

void facade_name_stop(Facade *facade)
{
        if (facade->rivals_timer)
                (void)sd_event_source_set_enabled(facade->rivals_timer, SD_EVENT_OFF);
        facade->rivals = sd_bus_slot_unref(facade->rivals);
        facade->request = sd_bus_slot_unref(facade->request);
        facade->release = sd_bus_slot_unref(facade->release);
        facade->lost_match = sd_bus_slot_unref(facade->lost_match);
        facade->owns = facade->is_queued = facade->is_taken = facade->was_shown = false;
}

void facade_name_free(Facade *facade)
{
        facade->watch = dbus_watch_free(facade->watch);
        if (facade->owns || facade->is_queued || facade->request)
                release_name(facade);
        facade_name_stop(facade);
        facade->rivals_timer = sd_event_source_disable_unref(facade->rivals_timer);
}
