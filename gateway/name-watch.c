/* SPDX-License-Identifier: MIT */

#include "gateway/family-watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/util.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

/* Why a name is there. */
enum { OWNED = 1, STARTABLE = 2, LISTED = 4 };

typedef struct Name {
        unsigned reasons;
        UT_hash_handle hh;
        char name[];
} Name;

struct FamilyWatch {
        DbusLink *link;
        const char *prefix;
        bool activatable;
        FamilyWatchHandler handler;
        void *userdata;
        sd_bus_slot *owner_match, *startable_match;
        sd_bus_slot *owned_query, *startable_query;
        Name *names;
        bool too_many; /* and some are not known here */
};

static int ask_owned(FamilyWatch *watch);

/* ---- names ---- */

static bool is_member(const FamilyWatch *watch, const char *name)
{
        size_t length = strlen(watch->prefix);

        return strncmp(name, watch->prefix, length) == 0 && name[length] == '.';
}

static Name *add_name(FamilyWatch *watch, const char *text)
{
        size_t length = strlen(text);
        Name *name;

        if (HASH_COUNT(watch->names) >= LIMIT_FAMILY_NAMES) {
                if (!watch->too_many)
                        log_warning("more than %u names %s.*; the others are not looked at",
                                    LIMIT_FAMILY_NAMES, watch->prefix);
                watch->too_many = true;
                return NULL;
        }
        name = calloc(1, sizeof(*name) + length + 1);
        if (!name)
                return NULL;
        memcpy(name->name, text, length);
        HASH_ADD_STR(watch->names, name, name);
        if (name->hh.tbl)
                return name;
        free(name);
        return NULL;
}

static void drop_name(FamilyWatch *watch, Name *name)
{
        HASH_DEL(watch->names, name);
        free(name);
}

/* One more reason for it to be there. */
static void add_reason(FamilyWatch *watch, const char *text, unsigned reason)
{
        bool is_new;
        Name *name;

        if (!is_member(watch, text))
                return;
        HASH_FIND_STR(watch->names, text, name);
        is_new = !name;
        if (is_new)
                name = add_name(watch, text);
        if (!name)
                return;
        name->reasons |= reason | LISTED;
        if (is_new)
                watch->handler(name->name, true, watch->userdata);
}

/* One less. There is room then for one that was too many. */
static void remove_reason(FamilyWatch *watch, Name *name, unsigned reason)
{
        name->reasons &= ~reason;
        if (name->reasons & (OWNED | STARTABLE))
                return;
        watch->handler(name->name, false, watch->userdata);
        drop_name(watch, name);
        if (watch->too_many && ask_owned(watch) >= 0)
                watch->too_many = false;
}

/* All that a list has are there for this reason, and no others. */
static void take_list(FamilyWatch *watch, sd_bus_message *m, unsigned reason)
{
        const char *text;
        Name *name, *next;
        int r;

        for (name = watch->names; name; name = name->hh.next)
                name->reasons &= ~LISTED;
        r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &text)) > 0)
                add_reason(watch, text, reason);
        HASH_ITER (hh, watch->names, name, next)
                if (!(name->reasons & LISTED))
                        remove_reason(watch, name, reason);
}

/* ---- what the bus says ---- */

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *text, *old_owner, *new_owner;
        FamilyWatch *watch = userdata;
        Name *name;

        if (sd_bus_message_read(m, "sss", &text, &old_owner, &new_owner) < 0)
                return 0;
        HASH_FIND_STR(watch->names, text, name);
        if (*new_owner)
                add_reason(watch, text, OWNED);
        else if (name)
                remove_reason(watch, name, OWNED);
        return 0;
}

static bool is_list(const FamilyWatch *watch, sd_bus_message *m)
{
        const sd_bus_error *error = sd_bus_message_get_error(m);

        if (error)
                log_warning("cannot look for %s.*: %s", watch->prefix,
                            error->message ? error->message : error->name);
        return !error;
}

static int on_owned(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        FamilyWatch *watch = userdata;

        watch->owned_query = sd_bus_slot_unref(watch->owned_query);
        if (is_list(watch, m))
                take_list(watch, m, OWNED);
        return 0;
}

static int on_startable(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        FamilyWatch *watch = userdata;

        watch->startable_query = sd_bus_slot_unref(watch->startable_query);
        if (is_list(watch, m))
                take_list(watch, m, STARTABLE);
        return 0;
}

/* ---- asking ---- */

static int ask(FamilyWatch *watch, const char *method, sd_bus_message_handler_t handler,
               sd_bus_slot **slot)
{
        *slot = sd_bus_slot_unref(*slot);
        return sd_bus_call_method_async(dbus_link_get_bus(watch->link), slot, DRIVER_NAME,
                                        DRIVER_PATH, DRIVER_NAME, method, handler, watch, "");
}

static int ask_owned(FamilyWatch *watch)
{
        return ask(watch, "ListNames", on_owned, &watch->owned_query);
}

static int on_startable_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        FamilyWatch *watch = userdata;

        if (ask(watch, "ListActivatableNames", on_startable, &watch->startable_query) < 0)
                log_warning("cannot ask which of %s.* the bus can start", watch->prefix);
        return 0;
}

/* First the matches, then the questions, so that no change is missed in between. */
static int start(FamilyWatch *watch)
{
        sd_bus *bus = dbus_link_get_bus(watch->link);
        CLEANUP_FREE char *rule = NULL;
        int r;

        if (asprintf(&rule,
                     "type='signal',sender='" DRIVER_NAME "',path='" DRIVER_PATH
                     "',interface='" DRIVER_NAME "',member='NameOwnerChanged',arg0namespace='%s'",
                     watch->prefix) < 0) {
                rule = NULL;
                return -ENOMEM;
        }
        r = sd_bus_add_match_async(bus, &watch->owner_match, rule, on_owner_changed, NULL, watch);
        if (r >= 0)
                r = ask_owned(watch);
        if (r < 0 || !watch->activatable)
                return r;
        r = sd_bus_match_signal_async(bus, &watch->startable_match, DRIVER_NAME, DRIVER_PATH,
                                      DRIVER_NAME, "ActivatableServicesChanged",
                                      on_startable_changed, NULL, watch);
        return r < 0 ? r
                     : ask(watch, "ListActivatableNames", on_startable, &watch->startable_query);
}

static void stop(FamilyWatch *watch)
{
        watch->owner_match = sd_bus_slot_unref(watch->owner_match);
        watch->startable_match = sd_bus_slot_unref(watch->startable_match);
        watch->owned_query = sd_bus_slot_unref(watch->owned_query);
        watch->startable_query = sd_bus_slot_unref(watch->startable_query);
}

void family_watch_on_link(FamilyWatch *watch, bool connected)
{
        int r;

        stop(watch);
        if (!connected)
                return;
        watch->too_many = false;
        r = start(watch);
        if (r < 0)
                log_error("cannot follow the names %s.*: %s", watch->prefix, strerrordesc_np(-r));
}

void family_watch_tell(const FamilyWatch *watch)
{
        for (const Name *name = watch->names; name; name = name->hh.next)
                watch->handler(name->name, true, watch->userdata);
}

/* ---- life ---- */

int family_watch_new(DbusLink *link, const char *prefix, bool activatable,
                     FamilyWatchHandler handler, void *userdata, FamilyWatch **ret_watch)
{
        FamilyWatch *watch;

        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        watch->link = link;
        watch->prefix = prefix;
        watch->activatable = activatable;
        watch->handler = handler;
        watch->userdata = userdata;
        *ret_watch = watch;
        return 0;
}

FamilyWatch *family_watch_free(FamilyWatch *watch)
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
