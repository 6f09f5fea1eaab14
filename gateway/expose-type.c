/* SPDX-License-Identifier: MIT */

/* Entries of the mapping and their introspection. One object of an entry is asked for all. */

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/expose.h"

/* ---- life ---- */

int expose_type_add(Expose *expose, MappingObject *mapping)
{
        ExposeType *type;

        type = calloc(1, sizeof(*type));
        if (!type)
                return -ENOMEM;
        type->expose = expose;
        type->mapping = mapping;
        type->wants_introspection = mapping_object_needs_introspection(mapping);
        HASH_ADD_PTR(expose->types, mapping, type);
        if (!type->hh.tbl) {
                free(type);
                return -ENOMEM;
        }
        return 0;
}

ExposeType *expose_type_find(const Expose *expose, const MappingObject *mapping)
{
        ExposeType *type;

        HASH_FIND_PTR(expose->types, &mapping, type);
        return type;
}

ExposeType *expose_type_free(ExposeType *type)
{
        HASH_DEL(type->expose->types, type);
        sd_bus_slot_unref(type->query);
        free(type->path);
        free(type);
        return NULL;
}

void expose_type_forget(ExposeType *type)
{
        type->is_known = false;
}

bool expose_type_must_wait(const ExposeType *type)
{
        return type->wants_introspection && !type->is_known;
}

/* ---- what has come ---- */

static void log_findings(Expose *expose, const Diagnostics *diagnostics)
{
        for (size_t i = 0; i < diagnostics->count; i++)
                expose_warn(expose, "%s", diagnostics->items[i].text);
        if (diagnostics_dropped(diagnostics) > 0)
                expose_warn(expose, "and %zu more findings", diagnostics_dropped(diagnostics));
}

int expose_type_apply(ExposeType *type, const Introspection *introspection,
                      Diagnostics *diagnostics)
{
        int r;

        r = mapping_object_apply_introspection(type->mapping, introspection, diagnostics);
        if (r < 0)
                return r;
        type->is_known = type->was_known = true;
        type->expose->description_is_old = true;
        return 0;
}

static int apply(ExposeType *type, const char *xml)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = introspection_parse(xml, strlen(xml), type->path, &diagnostics, &introspection, &error);
        if (r >= 0)
                r = expose_type_apply(type, introspection, &diagnostics);
        log_findings(type->expose, &diagnostics);
        if (r < 0)
                expose_warn(type->expose, "introspection of %s cannot be used: %s", type->path,
                            error ? error_text(error) : strerrordesc_np(-r));
        return r;
}

/* The calls and objects that wait go on. */
static void go_on(ExposeType *type, const sd_bus_error *error)
{
        Expose *expose = type->expose;

        expose_call_resume(type, error);
        expose_objects_on_type(type);
        expose_check_ready(expose);
}

/* For the calls that wait, if any: the new owner is there, nothing needs to be started. */
static int introspect_again(ExposeType *type)
{
        const sd_bus_error error =
                SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_FAILED, "cannot ask for introspection");

        if (expose_type_introspect(type, type->path, false) < 0)
                go_on(type, &error);
        return 0;
}

static int on_introspected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        ExposeType *type = userdata;
        const char *xml;
        int r;

        type->query = sd_bus_slot_unref(type->query);
        if (!expose_is_current(type->expose, m))
                return introspect_again(type);
        if (sd_bus_message_is_method_error(m, NULL)) {
                go_on(type, sd_bus_message_get_error(m));
                return DBUS_LINK_TAKEN;
        }
        r = sd_bus_message_read(m, "s", &xml);
        if (r >= 0)
                r = apply(type, xml);
        if (r < 0)
                sd_bus_error_setf(&error, SD_BUS_ERROR_INCONSISTENT_MESSAGE,
                                  "introspection of %s cannot be used", type->path);
        go_on(type, r < 0 ? &error : NULL);
        return DBUS_LINK_TAKEN;
}

/* ---- asking ---- */

int expose_type_introspect(ExposeType *type, const char *path, bool start)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char *copy;
        int r;

        if (type->query)
                return 0;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        free(type->path);
        type->path = copy;
        r = expose_new_message(type->expose, type->path, "org.freedesktop.DBus.Introspectable",
                               "Introspect", &m);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, start);
        if (r >= 0)
                r = sd_bus_call_async(dbus_link_get_bus(type->expose->link), &type->query, m,
                                      on_introspected, type, DEFAULT_TIMEOUT_USEC);
        return r < 0 ? r : 0;
}
