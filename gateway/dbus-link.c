/* SPDX-License-Identifier: MIT */

#include "gateway/dbus-link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <utlist.h>

#include "common/backoff.h"
#include "common/limits.h"
#include "common/log.h"
#include "gateway/dbus-pump.h"

#define DRIVER_NAME     "org.freedesktop.DBus"
#define DRIVER_PATH     "/org/freedesktop/DBus"
#define LOCAL_INTERFACE "org.freedesktop.DBus.Local"
#define LOCAL_PATH      "/org/freedesktop/DBus/Local"

/* The bus is on the same machine: there is no reason to wait long. */
#define RECONNECT_MAXIMUM_USEC (UINT64_C(5) * USEC_PER_SEC)

struct DbusWatch {
        DbusLink *link;
        char *name;
        char *owner; /* unique name, or NULL */
        DbusWatchHandler handler;
        void *userdata;
        sd_bus_slot *match;
        sd_bus_slot *query;
        DbusWatch *prev, *next;
};

struct DbusLink {
        sd_event *event;
        char *address;
        DbusLinkHandler handler;
        void *userdata;
        sd_bus *bus;
        DbusPump *pump; /* of the connection that is established */
        bool connected;
        bool tried;             /* was connected, or failed to */
        uint64_t unsent_bytes;  /* by dbus_link_send(), since all was sent */
        sd_event_source *retry; /* timer of the next attempt */
        Backoff backoff;
        uint64_t reconnect_maximum;
        DbusWatch *watches;
        DbusLink *prev, *next;
};

/* All of the process: what one of them owns, another shall not take for somebody else's. */
static DbusLink *all_links;

static int connect_now(DbusLink *link);

/* ---- watches ---- */

static void set_owner(DbusWatch *watch, const char *owner)
{
        char *copy = NULL;

        if (owner && *owner)
                copy = strdup(owner); /* without memory: as if it had none */
        free(watch->owner);
        watch->owner = copy;
        watch->handler(watch->owner, watch->userdata);
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *name, *old_owner, *new_owner;
        DbusWatch *watch = userdata;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) >= 0)
                set_owner(watch, new_owner);
        return 0;
}

static int on_owner_known(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        DbusWatch *watch = userdata;
        const char *owner = NULL;

        if (!sd_bus_message_is_method_error(m, NULL))
                (void)sd_bus_message_read(m, "s", &owner);
        watch->query = sd_bus_slot_unref(watch->query);
        set_owner(watch, owner);
        return DBUS_LINK_TAKEN;
}

/* First the match, then the question, so that no change is missed in between. */
static int watch_start(DbusWatch *watch)
{
        CLEANUP_FREE char *rule = NULL;
        sd_bus *bus = watch->link->bus;
        int r;

        if (asprintf(&rule,
                     "type='signal',sender='" DRIVER_NAME "',path='" DRIVER_PATH
                     "',interface='" DRIVER_NAME "',member='NameOwnerChanged',arg0='%s'",
                     watch->name) < 0) {
                rule = NULL;
                return -ENOMEM;
        }
        r = sd_bus_add_match_async(bus, &watch->match, rule, on_owner_changed, NULL, watch);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(bus, &watch->query, DRIVER_NAME, DRIVER_PATH, DRIVER_NAME,
                                     "GetNameOwner", on_owner_known, watch, "s", watch->name);
        return r < 0 ? r : 0;
}

static void watch_stop(DbusWatch *watch)
{
        watch->query = sd_bus_slot_unref(watch->query);
        watch->match = sd_bus_slot_unref(watch->match);
}

int dbus_link_watch(DbusLink *link, const char *name, DbusWatchHandler handler, void *userdata,
                    DbusWatch **ret_watch)
{
        DbusWatch *watch;
        int r;

        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        watch->link = link;
        watch->handler = handler;
        watch->userdata = userdata;
        watch->name = strdup(name);
        DL_APPEND(link->watches, watch);
        r = watch->name ? 0 : -ENOMEM;
        if (r >= 0 && link->connected)
                r = watch_start(watch);
        if (r < 0) {
                dbus_watch_free(watch);
                return r;
        }
        *ret_watch = watch;
        return 0;
}

const char *dbus_watch_get_owner(const DbusWatch *watch)
{
        return watch->owner;
}

DbusWatch *dbus_watch_free(DbusWatch *watch)
{
        if (!watch)
                return NULL;
        watch_stop(watch);
        DL_DELETE(watch->link->watches, watch);
        free(watch->name);
        free(watch->owner);
        free(watch);
        return NULL;
}

/* ---- connection ---- */

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        return connect_now(userdata);
}

static int schedule_retry(DbusLink *link)
{
        uint32_t random = 0;
        uint64_t pause, now;
        int r;

        (void)!getrandom(&random, sizeof(random), 0);
        pause = backoff_next(&link->backoff, random, link->reconnect_maximum);
        r = sd_event_now(link->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;
        r = sd_event_source_set_time(link->retry, now + pause);
        return r < 0 ? r : sd_event_source_set_enabled(link->retry, SD_EVENT_ONESHOT);
}

/* Ends the connection, if any; calls in flight end with an error, in their callbacks. */
static void drop_bus(DbusLink *link)
{
        DbusWatch *watch, *next;

        link->connected = false;
        DL_FOREACH (link->watches, watch)
                watch_stop(watch);
        link->pump = dbus_pump_free(link->pump);
        link->bus = sd_bus_close_unref(link->bus);
        DL_FOREACH_SAFE (link->watches, watch, next)
                if (watch->owner)
                        set_owner(watch, NULL);
}

/* The first failure and every loss are told. */
static void note_attempt(DbusLink *link, bool was_connected)
{
        bool was_tried = link->tried;

        link->tried = true;
        if (was_connected || !was_tried)
                link->handler(link, false, link->userdata);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        DbusLink *link = userdata;
        bool was_connected = link->connected;

        if (was_connected)
                log_warning("lost the connection to the D-Bus %s bus; connecting again",
                            link->address);
        else if (link->backoff.failures == 0)
                log_warning("the D-Bus %s bus does not let the gateway in; trying again",
                            link->address);
        drop_bus(link);
        note_attempt(link, was_connected);
        return schedule_retry(link);
}

/* From now on the descriptor stays what it is. Without memory for it sd-bus goes on by itself. */
static void start_pump(DbusLink *link)
{
        int r;

        (void)sd_bus_detach_event(link->bus);
        r = dbus_pump_new(link->event, link->bus, &link->pump);
        if (r < 0)
                r = sd_bus_attach_event(link->bus, link->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                log_error("the D-Bus %s bus cannot be listened to: %s", link->address,
                          strerrordesc_np(-r));
}

static int on_connected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        DbusLink *link = userdata;
        DbusWatch *watch;
        int r;

        link->connected = link->tried = true;
        backoff_reset(&link->backoff);
        start_pump(link);
        DL_FOREACH (link->watches, watch) {
                r = watch_start(watch);
                if (r < 0)
                        log_error("cannot watch %s on the D-Bus %s bus: %s", watch->name,
                                  link->address, strerrordesc_np(-r));
        }
        link->handler(link, true, link->userdata);
        return 0;
}

static int set_bus_address(sd_bus *bus, const char *address)
{
        const char *system = getenv("DBUS_SYSTEM_BUS_ADDRESS");

        if (!strcmp(address, "system"))
                return sd_bus_set_address(bus, system ? system
                                                      : "unix:path=/run/dbus/system_bus_socket");
        return sd_bus_set_address(bus, address);
}

static int new_bus(const char *address, sd_bus **ret_bus)
{
        sd_bus *bus;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = set_bus_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_set_connected_signal(bus, true);
        /* Descriptors go no further, and are closed with their message. Not taking them at all
         * would leave a call without an answer: the bus drops a reply it cannot deliver. */
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, true);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret_bus = bus;
        return 0;
}

/* Where the session bus is: as sd-bus finds it. */
static int session_address(char **ret_address)
{
        const char *given = getenv("DBUS_SESSION_BUS_ADDRESS");
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        char *address = NULL;

        if (given)
                address = strdup(given);
        else if (!runtime)
                return -ENOMEDIUM;
        else if (asprintf(&address, "unix:path=%s/bus", runtime) < 0)
                address = NULL;
        *ret_address = address;
        return address ? 0 : -ENOMEM;
}

static int start_bus(DbusLink *link)
{
        CLEANUP_FREE char *session = NULL;
        int r = 0;

        if (!strcmp(link->address, "session"))
                r = session_address(&session);
        if (r >= 0)
                r = new_bus(session ? session : link->address, &link->bus);
        if (r >= 0)
                r = sd_bus_match_signal_async(link->bus, NULL, NULL, LOCAL_PATH, LOCAL_INTERFACE,
                                              "Connected", on_connected, NULL, link);
        if (r >= 0)
                r = sd_bus_match_signal_async(link->bus, NULL, NULL, LOCAL_PATH, LOCAL_INTERFACE,
                                              "Disconnected", on_disconnected, NULL, link);
        if (r >= 0)
                r = sd_bus_attach_event(link->bus, link->event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : sd_bus_start(link->bus);
}

static int connect_now(DbusLink *link)
{
        int r;

        r = start_bus(link);
        if (r >= 0)
                return 0;
        if (link->backoff.failures == 0)
                log_warning("cannot connect to the D-Bus %s bus: %s; trying again", link->address,
                            strerrordesc_np(-r));
        link->bus = sd_bus_unref(link->bus);
        note_attempt(link, false);
        return schedule_retry(link);
}

/* ---- life ---- */

int dbus_link_new(sd_event *event, const char *address, DbusLinkHandler handler, void *userdata,
                  DbusLink **ret_link)
{
        DbusLink *link;
        int r;

        link = calloc(1, sizeof(*link));
        if (!link)
                return -ENOMEM;
        DL_APPEND(all_links, link);
        link->event = sd_event_ref(event);
        link->handler = handler;
        link->userdata = userdata;
        link->reconnect_maximum = RECONNECT_MAXIMUM_USEC;
        link->address = strdup(address);
        r = link->address ? 0 : -ENOMEM;
        if (r >= 0)
                r = sd_event_add_time(event, &link->retry, CLOCK_MONOTONIC, UINT64_MAX, 1000,
                                      on_retry, link);
        if (r >= 0)
                r = sd_event_source_set_enabled(link->retry, SD_EVENT_OFF);
        if (r < 0) {
                dbus_link_free(link);
                return r;
        }
        *ret_link = link;
        return 0;
}

DbusLink *dbus_link_free(DbusLink *link)
{
        if (!link)
                return NULL;
        DL_DELETE(all_links, link);
        link->pump = dbus_pump_free(link->pump);
        link->bus = sd_bus_close_unref(link->bus);
        link->retry = sd_event_source_disable_unref(link->retry);
        sd_event_unref(link->event);
        free(link->address);
        free(link);
        return NULL;
}

void dbus_link_set_reconnect_maximum(DbusLink *link, uint64_t usec)
{
        link->reconnect_maximum = MIN(usec, RECONNECT_MAXIMUM_USEC);
}

int dbus_link_open(DbusLink *link)
{
        return connect_now(link);
}

const char *dbus_link_get_address(const DbusLink *link)
{
        return link->address;
}

sd_bus *dbus_link_get_bus(const DbusLink *link)
{
        return link->connected ? link->bus : NULL;
}

bool dbus_link_is_connected(const DbusLink *link)
{
        return link->connected;
}

bool dbus_link_was_tried(const DbusLink *link)
{
        return link->tried;
}

bool dbus_link_is_own(const DbusLink *link, const char *unique_name)
{
        const DbusLink *other;
        sd_id128_t id, other_id;
        const char *name;

        if (!link->connected || sd_bus_get_bus_id(link->bus, &id) < 0)
                return false;
        DL_FOREACH (all_links, other)
                if (other->connected && sd_bus_get_unique_name(other->bus, &name) >= 0 &&
                    !strcmp(name, unique_name) && sd_bus_get_bus_id(other->bus, &other_id) >= 0 &&
                    sd_id128_equal(id, other_id))
                        return true;
        return false;
}

int dbus_link_send(DbusLink *link, sd_bus_message *m, size_t size)
{
        uint64_t n_queued;
        int r;

        if (!link->connected)
                return -ENOTCONN;
        r = sd_bus_get_n_queued_write(link->bus, &n_queued);
        if (r < 0)
                return r;
        if (n_queued == 0)
                link->unsent_bytes = 0;
        if (link->unsent_bytes + size > LIMIT_DBUS_UNSENT_BYTES)
                return -ENOBUFS;
        r = sd_bus_send(link->bus, m, NULL);
        if (r < 0)
                return r;
        link->unsent_bytes += size;
        return 0;
}
