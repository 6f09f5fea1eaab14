/* SPDX-License-Identifier: MIT */

/* Asking a service for values: GetAll for the interfaces of new objects, Get for values that the
 * service has called out of date or that are polled. A few questions are under way at a time, the
 * others wait in line; each has its time, so that an object that does not answer holds up nobody.
 *
 * D-Bus keeps the order of what one peer sends, so an answer is as new as any signal before it, and
 * older than any after it: taking both as they come ends with the present value. */

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "common/limits.h"
#include "gateway/expose.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

struct ExposeFetch {
        ExposeObject *object;
        const MappingInterface *interface;
        MappingMember *member; /* a reference; NULL: all of the interface */
        sd_bus_slot *slot;     /* in flight */
        ExposeFetch *prev, *next;
};

static void fetch_free(ExposeFetch *fetch)
{
        sd_bus_slot_unref(fetch->slot);
        mapping_member_unref(fetch->member);
        free(fetch);
}

static bool is_same(const ExposeFetch *fetch, const ExposeObject *object,
                    const MappingInterface *interface, const MappingMember *member)
{
        if (fetch->object != object || fetch->interface != interface)
                return false;
        return !fetch->member || (member && !strcmp(fetch->member->member, member->member));
}

static bool is_waiting(const ExposeObject *object, const MappingInterface *interface,
                       const MappingMember *member)
{
        const ExposeFetch *fetch;

        if (object->n_fetches == 0)
                return false;
        DL_FOREACH (object->expose->fetches, fetch)
                if (is_same(fetch, object, interface, member))
                        return true;
        return false;
}

void expose_fetch(ExposeObject *object, const MappingInterface *interface, MappingMember *member)
{
        ExposeFetch *fetch;

        if (is_waiting(object, interface, member))
                return;
        fetch = calloc(1, sizeof(*fetch));
        if (!fetch) {
                expose_warn(object->expose, "%s keeps its old values: out of memory", object->path);
                return;
        }
        fetch->object = object;
        fetch->interface = interface;
        fetch->member = member ? mapping_member_ref(member) : NULL;
        DL_APPEND(object->expose->fetches, fetch);
        object->n_fetches++;
}

/* ---- answers ---- */

static void note_failure(const ExposeFetch *fetch, const sd_bus_error *error)
{
        ExposeObject *object = fetch->object;

        if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                object->is_missing = true;
        else
                expose_warn(object->expose, "%s does not give %s%s%s: %s", object->path,
                            fetch->interface->name, fetch->member ? "." : "",
                            fetch->member ? fetch->member->member : "",
                            error->message ? error->message : error->name);
        if (fetch->member && expose_property_is_retained(fetch->member))
                (void)mqttrpc_property_publish(object->expose->bus, object->expose->name,
                                               object->name, fetch->member->name, NULL, 0);
}

static void take(const ExposeFetch *fetch, sd_bus_message *m)
{
        int r;

        fetch->object->is_missing = false;
        if (!expose_object_has(fetch->object, fetch->interface))
                return; /* it has gone meanwhile, and its values with it */
        if (fetch->member)
                r = expose_property_take(fetch->object, fetch->member, m);
        else
                r = expose_property_take_all(fetch->object, fetch->interface, m);
        if (r == -EBADMSG && !fetch->member)
                expose_warn(fetch->object->expose, "%s: GetAll of %s is answered with other types",
                            fetch->object->path, fetch->interface->name);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        ExposeFetch *fetch = userdata;
        ExposeObject *object = fetch->object;
        Expose *expose = object->expose;

        DL_DELETE(expose->fetching, fetch);
        expose->n_fetching--;
        object->n_fetches--;
        if (sd_bus_message_is_method_error(m, NULL))
                note_failure(fetch, sd_bus_message_get_error(m));
        else if (expose_is_current(expose, m))
                take(fetch, m);
        fetch_free(fetch);
        if (object->n_fetches == 0)
                expose_object_on_fetched(object);
        expose_fetch_go_on(expose);
        expose_check_ready(expose);
        return DBUS_LINK_TAKEN;
}

/* ---- questions ---- */

static int send(ExposeFetch *fetch)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Expose *expose = fetch->object->expose;
        int r;

        r = expose_new_message(expose, fetch->object->path, PROPERTIES,
                               fetch->member ? "Get" : "GetAll", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", fetch->interface->name);
        if (r >= 0 && fetch->member)
                r = sd_bus_message_append(m, "s", fetch->member->member);
        if (r < 0)
                return r;
        return sd_bus_call_async(dbus_link_get_bus(expose->link), &fetch->slot, m, on_answer, fetch,
                                 LIMIT_FETCH_USEC);
}

void expose_fetch_go_on(Expose *expose)
{
        ExposeFetch *fetch;

        while ((fetch = expose->fetches) && expose->n_fetching < LIMIT_FETCHES) {
                DL_DELETE(expose->fetches, fetch);
                if (send(fetch) >= 0) {
                        DL_APPEND(expose->fetching, fetch);
                        expose->n_fetching++;
                        continue;
                }
                /* the connection is lost, and with it the owner */
                fetch->object->n_fetches--;
                fetch_free(fetch);
        }
}

void expose_fetch_stop(ExposeObject *object)
{
        Expose *expose = object->expose;
        ExposeFetch *fetch, *next;

        if (object->n_fetches == 0)
                return;
        DL_FOREACH_SAFE (expose->fetches, fetch, next)
                if (fetch->object == object) {
                        DL_DELETE(expose->fetches, fetch);
                        fetch_free(fetch);
                }
        DL_FOREACH_SAFE (expose->fetching, fetch, next)
                if (fetch->object == object) {
                        DL_DELETE(expose->fetching, fetch);
                        expose->n_fetching--;
                        fetch_free(fetch);
                }
        object->n_fetches = 0;
}
