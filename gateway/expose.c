/* SPDX-License-Identifier: MIT */

#include "gateway/expose.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

void expose_warn(Expose *expose, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        unsigned left_out;
        va_list arguments;

        if (!log_limit_pass(&expose->log_limit, clock_now(), &left_out))
                return;
        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        if (left_out > 0)
                log_warning("%s: %u warnings were left out", expose->mapping->name, left_out);
        log_warning("%s: %s", expose->mapping->name, text ? text : format);
}

/* ---- introspection ---- */

static void log_findings(Expose *expose, const Diagnostics *diagnostics)
{
        for (size_t i = 0; i < diagnostics->count; i++)
                expose_warn(expose, "%s", diagnostics->items[i].text);
        if (diagnostics_dropped(diagnostics) > 0)
                expose_warn(expose, "and %zu more findings", diagnostics_dropped(diagnostics));
}

static int apply(ExposeObject *object, const char *xml)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = introspection_parse(xml, strlen(xml), object->mapping->path, &diagnostics,
                                &introspection, &error);
        if (r >= 0)
                r = mapping_object_apply_introspection(object->mapping, introspection,
                                                       &diagnostics);
        log_findings(object->expose, &diagnostics);
        if (r < 0) {
                expose_warn(object->expose, "introspection of %s cannot be used: %s",
                            object->mapping->path, error ? error_text(error) : strerrordesc_np(-r));
                return r;
        }
        object->is_known = object->was_known = true;
        return 0;
}

static int on_introspected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

int expose_introspect(ExposeObject *object, bool start)
{
        const MappingService *mapping = object->expose->mapping;
        sd_bus *bus = dbus_link_get_bus(object->expose->link);
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (object->query)
                return 0;
        if (!bus)
                return -ENOTCONN;
        r = sd_bus_message_new_method_call(bus, &m, mapping->bus_name, object->mapping->path,
                                           "org.freedesktop.DBus.Introspectable", "Introspect");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, start);
        if (r >= 0)
                r = sd_bus_call_async(bus, &object->query, m, on_introspected, object,
                                      DEFAULT_TIMEOUT_USEC);
        return r < 0 ? r : 0;
}

/* An answer of somebody who has lost the name meanwhile says nothing about the present owner. */
static bool is_outdated(const ExposeObject *object, sd_bus_message *m)
{
        const char *owner = dbus_watch_get_owner(object->expose->watch);
        const char *sender = sd_bus_message_get_sender(m);

        return owner && sender && sender[0] == ':' && strcmp(owner, sender) != 0;
}

/* For the calls that wait, if any: the new owner is there, nothing needs to be started. */
static int introspect_again(ExposeObject *object)
{
        const sd_bus_error error =
                SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_FAILED, "cannot ask for introspection");

        if (object->waiting && expose_introspect(object, false) < 0)
                expose_call_resume(object, &error);
        return 0;
}

static int on_introspected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        ExposeObject *object = userdata;
        const char *xml;
        int r;

        object->query = sd_bus_slot_unref(object->query);
        if (is_outdated(object, m))
                return introspect_again(object);
        if (sd_bus_message_is_method_error(m, NULL)) {
                expose_call_resume(object, sd_bus_message_get_error(m));
                return 0;
        }
        r = sd_bus_message_read(m, "s", &xml);
        if (r >= 0)
                r = apply(object, xml);
        if (r < 0)
                sd_bus_error_setf(&error, SD_BUS_ERROR_INCONSISTENT_MESSAGE,
                                  "introspection of %s cannot be used", object->mapping->path);
        expose_call_resume(object, r < 0 ? &error : NULL);
        return 0;
}

/* ---- life ---- */

static void on_owner(const char *owner, void *userdata)
{
        Expose *expose = userdata;

        log_debug("%s: %s is owned by %s", expose->mapping->name, expose->mapping->bus_name,
                  owner ? owner : "nobody");
        for (ExposeObject *object = expose->objects; object; object = object->hh.next)
                object->is_known = false;
}

static int add_object(Expose *expose, MappingObject *mapping)
{
        ExposeObject *object;

        object = calloc(1, sizeof(*object));
        if (!object)
                return -ENOMEM;
        object->expose = expose;
        object->mapping = mapping;
        object->wants_introspection = mapping_object_needs_introspection(mapping);
        HASH_ADD_PTR(expose->objects, mapping, object);
        if (!object->hh.tbl) {
                free(object);
                return -ENOMEM;
        }
        return 0;
}

static int set_up(Expose *expose, MqttRpcBus *bus, Error **ret_error)
{
        MappingService *mapping = expose->mapping;
        MqttRpcError *error = NULL;
        int r;

        for (MappingObject *object = mapping->objects; object; object = object->hh.next) {
                r = object->template ? 0 : add_object(expose, object);
                if (r < 0)
                        return r;
        }
        r = dbus_link_watch(expose->link, mapping->bus_name, on_owner, expose, &expose->watch);
        if (r < 0)
                return error_set_errno(ret_error, r, "%s: cannot watch %s", mapping->name,
                                       mapping->bus_name);
        r = mqttrpc_add_fallback(bus, &expose->registration, mapping->name, expose_call_on_request,
                                 expose, &error);
        if (r < 0)
                error_set(ret_error, r, "%s: cannot serve it on MQTT: %s", mapping->name,
                          mqttrpc_error_get_message(error));
        mqttrpc_error_free(error);
        return r;
}

int expose_new(MappingService *mapping, DbusLink *link, MqttRpcBus *bus, ExposeScratch *scratch,
               Expose **ret_expose, Error **ret_error)
{
        Expose *expose;
        int r;

        expose = calloc(1, sizeof(*expose));
        if (!expose)
                return -ENOMEM;
        expose->mapping = mapping;
        expose->link = link;
        expose->scratch = scratch;
        r = set_up(expose, bus, ret_error);
        if (r < 0) {
                expose_free(expose);
                return r;
        }
        *ret_expose = expose;
        return 0;
}

Expose *expose_free(Expose *expose)
{
        ExposeObject *object, *next;

        if (!expose)
                return NULL;
        expose_call_end_all(expose);
        expose->registration = mqttrpc_slot_unref(expose->registration);
        expose->watch = dbus_watch_free(expose->watch);
        HASH_ITER (hh, expose->objects, object, next) {
                HASH_DEL(expose->objects, object);
                sd_bus_slot_unref(object->query);
                free(object);
        }
        free(expose);
        return NULL;
}
