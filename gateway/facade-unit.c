/* SPDX-License-Identifier: MIT */

/* A daemon that is started while the gateway has its name can only fail, and says so in its own log
 * at best. Where systemd manages it, the gateway sees that the unit was started and has failed
 * since it has the name (org.freedesktop.systemd1(5)).
 *
 * The unit is asked for by the path that its name has, which loads it; its own name may be another
 * one, and what it emits comes from the path of that. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "gateway/facade.h"

#define MANAGER_NAME   "org.freedesktop.systemd1"
#define MANAGER_PATH   "/org/freedesktop/systemd1"
#define MANAGER_FACE   "org.freedesktop.systemd1.Manager"
#define UNIT_FACE      "org.freedesktop.systemd1.Unit"
#define UNITS_PATH     "/org/freedesktop/systemd1/unit"
#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define UNIT_NAME_SIZE 256

/* ---- what becomes of it ---- */

static void set_failed(Facade *facade, bool failed)
{
        if (facade->daemon_failed == failed)
                return;
        facade->daemon_failed = failed;
        if (failed)
                log_warning("%s: conflict: %s was started and has failed, while the gateway has "
                            "its name %s for the MQTT service. To go back to the daemon: "
                            "'dbus-mqtt-gateway release %s', then start it. To stay: disable it",
                            facade->name, facade->unit, facade->bus_name, facade->name);
        else
                log_notice("%s: %s does not ask for %s any more", facade->name, facade->unit,
                           facade->bus_name);
        if (facade->handler)
                facade->handler(facade, facade->state, facade->userdata);
}

void facade_unit_update(Facade *facade)
{
        if (facade->owns)
                return;
        facade->unit_started = false;
        set_failed(facade, false);
}

/* One that ends as it should not, when it loses the name to us, has not been started since. */
static void on_active_state(Facade *facade, const char *state)
{
        if (!facade->owns)
                return;
        if (!strcmp(state, "activating") || !strcmp(state, "active")) {
                facade->unit_started = true;
        } else if (!strcmp(state, "failed")) {
                if (facade->unit_started)
                        set_failed(facade, true);
        } else if (!strcmp(state, "inactive")) {
                facade->unit_started = false;
                set_failed(facade, false);
        }
}

/* A unit that is to be started again waits in this state, as an active one. */
static void on_sub_state(Facade *facade, const char *state)
{
        if (facade->owns && facade->unit_started && !strcmp(state, "auto-restart"))
                set_failed(facade, true);
}

static int take_property(Facade *facade, sd_bus_message *m)
{
        const char *name, *contents, *value;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0 || strcmp(contents, "s") != 0)
                return r < 0 ? r : sd_bus_message_skip(m, "v");
        r = sd_bus_message_read(m, "v", "s", &value);
        if (r < 0)
                return r;
        if (!strcmp(name, "ActiveState"))
                on_active_state(facade, value);
        else if (!strcmp(name, "SubState"))
                on_sub_state(facade, value);
        return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *interface;
        int r;

        r = sd_bus_message_read(m, "s", &interface);
        if (r < 0 || strcmp(interface, UNIT_FACE) != 0)
                return 0;
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = take_property(userdata, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return 0;
}

/* ---- which it is ---- */

/* "": it has none. */
static void find_unit(const Facade *facade, char unit[static UNIT_NAME_SIZE])
{
        const char *given = facade->mapping->unit;
        int length;

        length = given ? snprintf(unit, UNIT_NAME_SIZE, "%s", given)
                       : snprintf(unit, UNIT_NAME_SIZE, "dbus-%s.service", facade->bus_name);
        if (length >= UNIT_NAME_SIZE)
                unit[0] = '\0';
}

static int on_followed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const Facade *facade = userdata;

        log_debug("%s: its daemon is %s", facade->name, facade->unit);
        return 0;
}

static int follow(Facade *facade, const char *unit)
{
        CLEANUP_FREE char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNITS_PATH, unit, &path);
        if (r < 0)
                return r;
        free(facade->unit);
        facade->unit = strdup(unit);
        if (!facade->unit)
                return -ENOMEM;
        facade->unit_match = sd_bus_slot_unref(facade->unit_match);
        return sd_bus_match_signal_async(dbus_link_get_bus(facade->link), &facade->unit_match,
                                         MANAGER_NAME, path, PROPERTIES, "PropertiesChanged",
                                         on_changed, on_followed, facade);
}

static int on_id(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Facade *facade = userdata;
        const char *unit;
        int r;

        facade->unit_query = sd_bus_slot_unref(facade->unit_query);
        if (sd_bus_message_is_method_error(m, NULL)) {
                log_debug("%s: the service manager tells nothing of its unit: %s", facade->name,
                          sd_bus_message_get_error(m)->message);
                return DBUS_LINK_TAKEN;
        }
        r = sd_bus_message_read(m, "v", "s", &unit);
        if (r >= 0)
                r = follow(facade, unit);
        if (r < 0)
                facade_warn(facade, "whether its daemon fails cannot be seen: %s",
                            strerrordesc_np(-r));
        return DBUS_LINK_TAKEN;
}

/* The manager emits for those only who have subscribed. */
static int subscribe(sd_bus *bus)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, MANAGER_NAME, MANAGER_PATH, MANAGER_FACE,
                                           "Subscribe");
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(m, false);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        return r < 0 ? r : sd_bus_send(bus, m, NULL);
}

static int ask_id(Facade *facade, sd_bus *bus, const char *unit)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        CLEANUP_FREE char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNITS_PATH, unit, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, MANAGER_NAME, path, PROPERTIES, "Get");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", UNIT_FACE, "Id");
        return r < 0 ? r
                     : sd_bus_call_async(bus, &facade->unit_query, m, on_id, facade,
                                         LIMIT_FETCH_USEC);
}

static void on_manager(const char *owner, void *userdata)
{
        Facade *facade = userdata;
        sd_bus *bus = dbus_link_get_bus(facade->link);
        char unit[UNIT_NAME_SIZE];
        int r;

        facade_unit_stop(facade);
        find_unit(facade, unit);
        if (!owner || !bus || !*unit)
                return;
        r = subscribe(bus);
        if (r >= 0)
                r = ask_id(facade, bus, unit);
        if (r < 0)
                facade_warn(facade, "cannot ask for %s: %s", unit, strerrordesc_np(-r));
}

/* ---- life ---- */

int facade_unit_set_up(Facade *facade)
{
        if (facade->mapping->is_family)
                return 0;
        return dbus_link_watch(facade->link, MANAGER_NAME, on_manager, facade,
                               &facade->manager_watch);
}

void facade_unit_stop(Facade *facade)
{
        facade->unit_query = sd_bus_slot_unref(facade->unit_query);
        facade->unit_match = sd_bus_slot_unref(facade->unit_match);
        facade->unit_started = false;
        set_failed(facade, false);
}

void facade_unit_free(Facade *facade)
{
        facade->manager_watch = dbus_watch_free(facade->manager_watch);
        facade->handler = NULL;
        facade_unit_stop(facade);
        free(STEAL(facade->unit));
}
