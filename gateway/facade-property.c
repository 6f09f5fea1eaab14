/* SPDX-License-Identifier: MIT */

/* Values of properties as the service publishes them. They are kept as JSON that has been checked
 * to be of its type, and become D-Bus values when somebody wants them. Changes of one turn of the
 * loop are told together, one PropertiesChanged for each interface, and always before what came
 * after them. */

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <utlist.h>

#include "common/limits.h"
#include "gateway/codec/json-to-dbus.h"
#include "gateway/facade.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

/* ---- the table ---- */

static FacadeValue *value_find(const FacadeObject *object, const MappingMember *member)
{
        FacadeValue *value;

        HASH_FIND_PTR(object->values, &member, value);
        return value;
}

static FacadeValue *value_get(FacadeObject *object, MappingMember *member)
{
        FacadeValue *value = value_find(object, member);

        if (value)
                return value;
        value = calloc(1, sizeof(*value));
        if (!value)
                return NULL;
        value->member = member;
        HASH_ADD_PTR(object->values, member, value);
        if (hash_added(value->hh))
                return value;
        free(value);
        return NULL;
}

static void value_free(FacadeObject *object, FacadeValue *value)
{
        HASH_DEL(object->values, value);
        free(value->json);
        free(value);
}

void facade_property_free_all(FacadeObject *object)
{
        FacadeValue *value, *next;

        HASH_ITER (hh, object->values, value, next)
                value_free(object, value);
}

const FacadeValue *facade_property_value(const FacadeObject *object, const MappingMember *member)
{
        const FacadeValue *value = value_find(object, member);

        return value && value->json ? value : NULL;
}

void facade_property_forget(FacadeObject *object, const MappingMember *member)
{
        FacadeValue *value = value_find(object, member);

        if (value && !value->retained && !value->dirty)
                value_free(object, value);
}

/* Only what the service keeps up to date need not be asked for. */
bool facade_property_wants_fetch(const FacadeObject *object, const MappingMember *member)
{
        const FacadeValue *value = facade_property_value(object, member);

        return !value || !value->retained || member->emits_changed == EMITS_CHANGED_INVALIDATES ||
               member->emits_changed == EMITS_CHANGED_FALSE;
}

/* ---- D-Bus values ---- */

static int append_json(const FacadeObject *object, const MappingMember *member, const char *json,
                       size_t length, sd_bus_message *m, Error **ret_error)
{
        JsonDoc *doc = &object->facade->scratch->doc;
        int r;

        r = json_scan(doc, json, length, JSON_SCAN_STRICT);
        if (r < 0)
                return error_set(ret_error, r, "it is not JSON: %s", doc->error_reason);
        return codec_variant_from_json(doc, 0, member->out.items[0].type, "its value", m,
                                       ret_error);
}

int facade_property_append(const FacadeObject *object, const FacadeValue *value, sd_bus_message *m)
{
        return append_json(object, value->member, value->json, value->length, m, NULL);
}

static int append_item(const FacadeObject *object, const FacadeValue *value, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", value->member->member);
        if (r >= 0)
                r = facade_property_append(object, value, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int facade_property_append_items(const FacadeObject *object, const MappingInterface *interface,
                                 sd_bus_message *m)
{
        const FacadeValue *value;
        int r = 0;

        for (const MappingMember *p = interface->members[MEMBER_PROPERTY]; p && r >= 0;
             p = p->hh_dbus.next) {
                value = p->readable && !p->mask ? facade_property_value(object, p) : NULL;
                if (value)
                        r = append_item(object, value, m);
        }
        return r;
}

int facade_property_append_all(const FacadeObject *object, const MappingInterface *interface,
                               sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = facade_property_append_items(object, interface, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- values as they come ---- */

/* By a message that nobody gets: what cannot be said on D-Bus shows when it is said. */
static int check_type(const FacadeObject *object, const MappingMember *member, const char *json,
                      size_t length, Error **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = dbus_link_get_bus(object->facade->link);
        CLEANUP(sd_bus_unrefp) sd_bus *none = NULL;
        int r;

        if (!bus) {
                r = sd_bus_new(&none);
                if (r < 0)
                        return r;
                bus = none;
        }
        r = sd_bus_message_new(bus, &m, SD_BUS_MESSAGE_SIGNAL);
        return r < 0 ? r : append_json(object, member, json, length, m, ret_error);
}

static void mark(FacadeObject *object, FacadeValue *value)
{
        Facade *facade = object->facade;

        value->dirty = true;
        if (object->dirty)
                return;
        object->dirty = true;
        DL_APPEND2(facade->dirty, object, dirty_prev, dirty_next);
        (void)sd_event_source_set_enabled(facade->flush_source, SD_EVENT_ONESHOT);
}

static bool same(const FacadeValue *value, const char *json, size_t length)
{
        return value->json && value->length == length && !memcmp(value->json, json, length);
}

int facade_property_take(FacadeObject *object, MappingMember *member, const char *json,
                         size_t length, bool retained, Error **ret_error)
{
        FacadeValue *value;
        char *copy;
        int r;

        value = value_find(object, member);
        if (value && same(value, json, length)) {
                value->retained = value->retained || retained;
                return 0;
        }
        r = check_type(object, member, json, length, ret_error);
        if (r < 0)
                return r;
        value = value_get(object, member);
        copy = value ? strndup(json, length) : NULL;
        if (!copy)
                return error_set(ret_error, -ENOMEM, "out of memory");
        free(value->json);
        value->json = copy;
        value->length = length;
        value->retained = value->retained || retained;
        if (retained)
                mark(object, value);
        return 0;
}

void facade_property_invalidate(FacadeObject *object, MappingMember *member)
{
        FacadeValue *value = value_get(object, member);

        if (!value)
                return;
        free(STEAL(value->json));
        mark(object, value);
}

static void take_away(FacadeObject *object, MappingMember *member)
{
        FacadeValue *value = value_find(object, member);

        if (!value)
                return;
        value->retained = false;
        free(STEAL(value->json));
        if (object->announced && object->mapping->interfaces)
                mark(object, value);
        else
                value_free(object, value);
}

void facade_property_on_value(const MqttRpcPropertyEvent *event, void *userdata)
{
        const char *name = mqttrpc_property_event_get_object(event);
        CLEANUP_ERROR Error *why = NULL;
        Facade *facade = userdata;
        MappingMember *member;
        FacadeObject *object;
        const char *json;
        size_t length;

        object = facade_object_get(facade, name);
        if (!object)
                return;
        member = mapping_object_find(object->mapping, MEMBER_PROPERTY,
                                     mqttrpc_property_event_get_property(event));
        json = mqttrpc_property_event_get_value(event, &length);
        if (member && json && !member->mask) {
                if (facade_property_take(object, member, json, length, true, &why) < 0) {
                        facade_warn_type(facade, member->member, name, why);
                        take_away(object, member);
                }
        } else if (member) {
                take_away(object, member);
        }
        facade_object_drop(object);
}

/* ---- PropertiesChanged ---- */

/* What is told of a change: 2 the value, 1 that there is one, 0 nothing. */
static int told(const FacadeValue *value)
{
        if (!value->dirty || !value->member->readable)
                return 0;
        switch (value->member->emits_changed) {
        case EMITS_CHANGED_TRUE: return value->json && !value->member->mask ? 2 : 1;
        case EMITS_CHANGED_INVALIDATES: return 1;
        case EMITS_CHANGED_CONST:
        case EMITS_CHANGED_FALSE: break;
        }
        return 0;
}

static int append_changes(const FacadeObject *object, const MappingInterface *interface,
                          sd_bus_message *m)
{
        const FacadeValue *value;
        int r;

        r = sd_bus_message_append(m, "s", interface->name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (const MappingMember *p = interface->members[MEMBER_PROPERTY]; p && r >= 0;
             p = p->hh_dbus.next) {
                value = value_find(object, p);
                if (value && told(value) == 2)
                        r = append_item(object, value, m);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (const MappingMember *p = interface->members[MEMBER_PROPERTY]; p && r >= 0;
             p = p->hh_dbus.next) {
                value = value_find(object, p);
                if (value && told(value) == 1)
                        r = sd_bus_message_append(m, "s", p->member);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void emit_changes(const FacadeObject *object, const MappingInterface *interface)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Facade *facade = object->facade;
        sd_bus *bus = dbus_link_get_bus(facade->link);
        const FacadeValue *value;
        bool any = false;
        int r;

        for (const MappingMember *p = interface->members[MEMBER_PROPERTY]; p && !any;
             p = p->hh_dbus.next) {
                value = value_find(object, p);
                any = value && told(value) > 0;
        }
        if (!any || !bus || !facade_object_is_shown(object, interface))
                return;
        r = sd_bus_message_new_signal(bus, &m, object->path, PROPERTIES, "PropertiesChanged");
        if (r >= 0)
                r = append_changes(object, interface, m);
        if (r >= 0)
                facade_signal_send(facade, m);
        else
                facade_warn(facade, "D-Bus is not told of changes of %s: %s", object->path,
                            strerrordesc_np(-r));
}

void facade_property_clean(FacadeObject *object)
{
        FacadeValue *value, *next;

        if (!object->dirty)
                return;
        object->dirty = false;
        DL_DELETE2(object->facade->dirty, object, dirty_prev, dirty_next);
        HASH_ITER (hh, object->values, value, next) {
                value->dirty = false;
                if (!value->json && !value->retained)
                        value_free(object, value);
        }
}

/* While the service is away, what has changed waits until it is back. */
void facade_property_flush(Facade *facade)
{
        FacadeObject *object, *next;

        (void)sd_event_source_set_enabled(facade->flush_source, SD_EVENT_OFF);
        if (facade->state != FACADE_SERVING)
                return;
        for (object = facade->dirty; object; object = next) {
                next = object->dirty_next;
                if (object->adding)
                        continue;
                for (const MappingInterface *i = object->mapping->interfaces; i; i = i->hh.next)
                        emit_changes(object, i);
                facade_property_clean(object);
                facade_object_drop(object);
        }
}
