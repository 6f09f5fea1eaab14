/* SPDX-License-Identifier: MIT */

#include "gateway/name-watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/util.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

/* A reason that the list being read has given; beside those that are told. */
#define LISTED (1U << 7)
#define TOLD   (NAME_OWNED | NAME_STARTABLE)

typedef struct Name {
        unsigned reasons;
        UT_hash_handle hh;
        char name[];
} Name;

struct NameWatch {
        NameWatchOptions options;
        sd_bus_slot *owner_match, *startable_match;
        sd_bus_slot *owned_query, *startable_query;
        Name *names;
        bool too_many; /* and some are not known here */
};

static int ask_owned(NameWatch *watch);

/* ---- names ---- */

static bool is_watched(const NameWatch *watch, const char *name)
{
        size_t length = strlen(watch->options.name);

        return strncmp(name, watch->options.name, length) == 0 &&
               name[length] == (watch->options.is_family ? '.' : '\0');
}

/* For messages. */
static const char *mark_of(const NameWatch *watch)
{
        return watch->options.is_family ? ".*" : "";
}

static Name *add_name(NameWatch *watch, const char *text)
{
        size_t length = strlen(text);
        Name *name;

        if (HASH_COUNT(watch->names) >= LIMIT_FAMILY_NAMES) {
                if (!watch->too_many)
                        log_warning("more than %u names %s.*; the others are not looked at",
                                    LIMIT_FAMILY_NAMES, watch->options.name);
                watch->too_many = true;
                return NULL;
        }
        name = calloc(1, sizeof(*name) + length + 1);
        if (!name)
                return NULL;
        memcpy(name->name, text, length);
        HASH_ADD_STR(watch->names, name, name);
        if (hash_added(name->hh))
                return name;
        free(name);
        return NULL;
}

static void drop_name(NameWatch *watch, Name *name)
{
        HASH_DEL(watch->names, name);
        free(name);
}

static void tell(const NameWatch *watch, const Name *name, unsigned more)
{
        watch->options.handler(name->name, (name->reasons & TOLD) | more, watch->options.userdata);
}

/* One more reason for it to be there, or the same anew; `more` is told with it. */
static void add_reason(NameWatch *watch, const char *text, NameReasons reason, unsigned more)
{
        unsigned before;
        Name *name;

        if (!is_watched(watch, text))
                return;
        HASH_FIND_STR(watch->names, text, name);
        if (!name)
                name = add_name(watch, text);
        if (!name)
                return;
        before = name->reasons & TOLD;
        name->reasons |= reason | LISTED;
        if (before != (name->reasons & TOLD) || !watch->options.is_family)
                tell(watch, name, more);
}

/* One less. There is room then for one that was too many. */
static void remove_reason(NameWatch *watch, Name *name, NameReasons reason)
{
        unsigned before = name->reasons & TOLD;

        name->reasons &= ~(unsigned)reason;
        if (before != (name->reasons & TOLD))
                tell(watch, name, 0);
        if (name->reasons & TOLD)
                return;
        drop_name(watch, name);
        if (watch->too_many && ask_owned(watch) >= 0)
                watch->too_many = false;
}

/* All that a list has are there for this reason, and no others. */
static void take_list(NameWatch *watch, sd_bus_message *m, NameReasons reason)
{
        const char *text;
        Name *name, *next;
        int r;

        for (name = watch->names; name; name = name->hh.next)
                name->reasons &= ~LISTED;
        r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &text)) > 0)
                add_reason(watch, text, reason, 0);
        HASH_ITER (hh, watch->names, name, next)
                if (!(name->reasons & LISTED))
                        remove_reason(watch, name, reason);
}

/* Who has the one name; "": nobody. What the gateway itself offers on D-Bus does not count. */
static void take_owner(NameWatch *watch, const char *text, const char *owner, unsigned more)
{
        Name *name;

        if (*owner && (watch->options.is_family || !dbus_link_is_own(watch->options.link, owner))) {
                add_reason(watch, text, NAME_OWNED, more);
                return;
        }
        HASH_FIND_STR(watch->names, text, name);
        if (name)
                remove_reason(watch, name, NAME_OWNED);
}

/* ---- what the bus says ---- */

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *text, *old_owner, *new_owner;

        if (sd_bus_message_read(m, "sss", &text, &old_owner, &new_owner) >= 0)
                take_owner(userdata, text, new_owner, NAME_CAME);
        return 0;
}

static bool is_list(const NameWatch *watch, sd_bus_message *m)
{
        const sd_bus_error *error = sd_bus_message_get_error(m);

        if (error)
                log_warning("cannot look for %s%s: %s", watch->options.name, mark_of(watch),
                            error->message ? error->message : error->name);
        return !error;
}

static int on_owned(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        NameWatch *watch = userdata;

        watch->owned_query = sd_bus_slot_unref(watch->owned_query);
        if (is_list(watch, m))
                take_list(watch, m, NAME_OWNED);
        return DBUS_LINK_TAKEN;
}

/* That it has none is an error here. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        NameWatch *watch = userdata;
        const char *owner = "";

        watch->owned_query = sd_bus_slot_unref(watch->owned_query);
        if (!sd_bus_message_is_method_error(m, NULL))
                (void)sd_bus_message_read(m, "s", &owner);
        take_owner(watch, watch->options.name, owner, 0);
        return DBUS_LINK_TAKEN;
}

static int on_startable(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        NameWatch *watch = userdata;

        watch->startable_query = sd_bus_slot_unref(watch->startable_query);
        if (is_list(watch, m))
                take_list(watch, m, NAME_STARTABLE);
        return DBUS_LINK_TAKEN;
}

/* ---- asking ---- */

static int ask_startable(NameWatch *watch)
{
        watch->startable_query = sd_bus_slot_unref(watch->startable_query);
        return sd_bus_call_method_async(
                dbus_link_get_bus(watch->options.link), &watch->startable_query, DRIVER_NAME,
                DRIVER_PATH, DRIVER_NAME, "ListActivatableNames", on_startable, watch, "");
}

static int ask_owned(NameWatch *watch)
{
        sd_bus *bus = dbus_link_get_bus(watch->options.link);

        watch->owned_query = sd_bus_slot_unref(watch->owned_query);
        if (watch->options.is_family)
                return sd_bus_call_method_async(bus, &watch->owned_query, DRIVER_NAME, DRIVER_PATH,
                                                DRIVER_NAME, "ListNames", on_owned, watch, "");
        return sd_bus_call_method_async(bus, &watch->owned_query, DRIVER_NAME, DRIVER_PATH,
                                        DRIVER_NAME, "GetNameOwner", on_owner, watch, "s",
                                        watch->options.name);
}

static int on_startable_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        NameWatch *watch = userdata;

        if (ask_startable(watch) < 0)
                log_warning("cannot ask whether the bus can start %s%s", watch->options.name,
                            mark_of(watch));
        return 0;
}

/* First the matches, then the questions, so that no change is missed in between. */
static int start(NameWatch *watch)
{
        sd_bus *bus = dbus_link_get_bus(watch->options.link);
        CLEANUP_FREE char *rule = NULL;
        int r;

        if (asprintf(&rule,
                     "type='signal',sender='" DRIVER_NAME "',path='" DRIVER_PATH
                     "',interface='" DRIVER_NAME "',member='NameOwnerChanged',arg0%s='%s'",
                     watch->options.is_family ? "namespace" : "", watch->options.name) < 0) {
                rule = NULL;
                return -ENOMEM;
        }
        r = sd_bus_add_match_async(bus, &watch->owner_match, rule, on_owner_changed, NULL, watch);
        if (r >= 0)
                r = ask_owned(watch);
        if (r < 0 || !watch->options.startable)
                return r;
        r = sd_bus_match_signal_async(bus, &watch->startable_match, DRIVER_NAME, DRIVER_PATH,
                                      DRIVER_NAME, "ActivatableServicesChanged",
                                      on_startable_changed, NULL, watch);
        return r < 0 ? r : ask_startable(watch);
}

static void stop(NameWatch *watch)
{
        watch->owner_match = sd_bus_slot_unref(watch->owner_match);
        watch->startable_match = sd_bus_slot_unref(watch->startable_match);
        watch->owned_query = sd_bus_slot_unref(watch->owned_query);
        watch->startable_query = sd_bus_slot_unref(watch->startable_query);
}

void name_watch_on_link(NameWatch *watch, bool connected)
{
        int r;

        stop(watch);
        if (!connected)
                return;
        watch->too_many = false;
        r = start(watch);
        if (r < 0)
                log_error("cannot follow %s%s: %s", watch->options.name, mark_of(watch),
                          strerrordesc_np(-r));
}

void name_watch_tell(const NameWatch *watch)
{
        for (const Name *name = watch->names; name; name = name->hh.next)
                tell(watch, name, 0);
}

/* ---- life ---- */

int name_watch_new(const NameWatchOptions *options, NameWatch **ret_watch)
{
        NameWatch *watch;

        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        watch->options = *options;
        *ret_watch = watch;
        return 0;
}

NameWatch *name_watch_free(NameWatch *watch)
{
        Name *name, *next;

        if (!watch)
                return NULL;
        stop(watch);
        HASH_ITER (hh, watch->names, name, next)
                drop_name(watch, name);
        free(watch);
        return NULL;
}
