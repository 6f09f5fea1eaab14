/* SPDX-License-Identifier: MIT */

/* Which objects there are. Those with a path of their own in the mapping are there whenever the
 * service is; those of templates when their `$meta` has come, which names the interfaces of either.
 * Properties come before `$meta`, so an object that is announced is complete: only then does D-Bus
 * hear of it, and of all its values together. */

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/facade.h"

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* ---- life ---- */

static void object_free(FacadeObject *object)
{
        Facade *facade = object->facade;

        if (object->hh.tbl)
                HASH_DELETE(hh, facade->objects, object);
        if (object->hh_name.tbl)
                HASH_DELETE(hh_name, facade->names, object);
        facade_property_clean(object);
        facade_property_free_all(object);
        free(object->has);
        free(object->shown);
        free(object->path);
        free(object->name);
        free(object);
}

/* Takes the strings of the instance. */
static FacadeObject *object_new(Facade *facade, MappingInstance *instance)
{
        FacadeObject *object;

        object = calloc(1, sizeof(*object));
        if (!object)
                return NULL;
        object->facade = facade;
        object->mapping = instance->object;
        object->path = STEAL(instance->path);
        object->name = STEAL(instance->name);
        object->n_interfaces = HASH_COUNT(object->mapping->interfaces);
        object->has = calloc(object->n_interfaces + 1, sizeof(*object->has));
        object->shown = calloc(object->n_interfaces + 1, sizeof(*object->shown));
        if (object->has && object->shown) {
                HASH_ADD_KEYPTR(hh, facade->objects, object->path, strlen(object->path), object);
                if (hash_added(object->hh))
                        HASH_ADD_KEYPTR(hh_name, facade->names, object->name, strlen(object->name),
                                        object);
                if (hash_added(object->hh) && hash_added(object->hh_name))
                        return object;
        }
        object_free(object);
        return NULL;
}

static void set_all(FacadeObject *object, bool value)
{
        for (size_t i = 0; i < object->n_interfaces; i++)
                object->has[i] = value;
}

int facade_objects_start(Facade *facade)
{
        FacadeObject *object;

        for (MappingObject *o = facade->mapping->objects; o; o = o->hh.next) {
                CLEANUP_MAPPING_INSTANCE MappingInstance instance = {.object = o};

                if (o->template || !o->interfaces)
                        continue;
                instance.path = strdup(o->path);
                instance.name = strdup(o->name);
                object = instance.path && instance.name ? object_new(facade, &instance) : NULL;
                if (!object)
                        return -ENOMEM;
                object->announced = true;
                set_all(object, true);
        }
        return 0;
}

void facade_objects_free(Facade *facade)
{
        FacadeObject *object, *next;

        HASH_ITER (hh, facade->objects, object, next)
                object_free(object);
}

void facade_object_drop(FacadeObject *object)
{
        if (object->mapping->template && !object->announced && !object->values)
                object_free(object);
}

/* ---- lookup ---- */

FacadeObject *facade_object_find(const Facade *facade, const char *path)
{
        FacadeObject *object;

        HASH_FIND(hh, facade->objects, path, strlen(path), object);
        return object && object->announced ? object : NULL;
}

FacadeObject *facade_object_get(Facade *facade, const char *name)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};
        FacadeObject *object;

        HASH_FIND(hh_name, facade->names, name, strlen(name), object);
        if (object)
                return object;
        if (mapping_service_resolve_name(facade->mapping, name, &instance) < 0 ||
            !instance.object->interfaces)
                return NULL;
        if (HASH_CNT(hh, facade->objects) >= LIMIT_OBJECTS) {
                if (!facade->too_many)
                        facade_warn(facade, "it has more than %u objects; the others are left out",
                                    LIMIT_OBJECTS);
                facade->too_many = true;
                return NULL;
        }
        return object_new(facade, &instance);
}

static size_t index_of(const FacadeObject *object, const MappingInterface *interface)
{
        size_t index = 0;

        for (const MappingInterface *i = object->mapping->interfaces; i; i = i->hh.next, index++)
                if (i == interface)
                        break;
        return index;
}

bool facade_object_has(const FacadeObject *object, const MappingInterface *interface)
{
        return object->announced && object->has[index_of(object, interface)];
}

const MappingInterface *facade_object_interface(const FacadeObject *object, const char *name)
{
        MappingInterface *interface;

        HASH_FIND_STR(object->mapping->interfaces, name, interface);
        return interface && facade_object_has(object, interface) ? interface : NULL;
}

bool facade_object_is_shown(const FacadeObject *object, const MappingInterface *interface)
{
        return object->shown[index_of(object, interface)];
}

bool facade_object_is_managed(const FacadeObject *object)
{
        const char *manager = object->facade->manager;
        size_t length = manager ? strlen(manager) : 0;

        if (!manager || !strcmp(manager, object->path))
                return false;
        return length == 1 ||
               (!strncmp(object->path, manager, length) && object->path[length] == '/');
}

/* ---- what D-Bus is told ---- */

static bool differs(const FacadeObject *object, size_t i, bool added)
{
        bool has = object->announced && object->has[i];

        return added ? has && !object->shown[i] : !has && object->shown[i];
}

static bool any_differs(const FacadeObject *object, bool added)
{
        for (size_t i = 0; i < object->n_interfaces; i++)
                if (differs(object, i, added))
                        return true;
        return false;
}

static void set_shown(FacadeObject *object)
{
        for (size_t i = 0; i < object->n_interfaces; i++)
                object->shown[i] = object->announced && object->has[i];
}

static int append_added(const FacadeObject *object, sd_bus_message *m)
{
        size_t index = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        for (const MappingInterface *i = object->mapping->interfaces; i && r >= 0;
             i = i->hh.next, index++) {
                if (!differs(object, index, true))
                        continue;
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", i->name);
                if (r >= 0)
                        r = facade_property_append_all(object, i, m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_removed(const FacadeObject *object, sd_bus_message *m)
{
        size_t index = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (const MappingInterface *i = object->mapping->interfaces; i && r >= 0;
             i = i->hh.next, index++)
                if (differs(object, index, false))
                        r = sd_bus_message_append(m, "s", i->name);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void emit(FacadeObject *object, bool added)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Facade *facade = object->facade;
        sd_bus *bus = dbus_link_get_bus(facade->link);
        int r;

        if (!bus || !facade_object_is_managed(object))
                return;
        r = sd_bus_message_new_signal(bus, &m, facade->manager, OBJECT_MANAGER,
                                      added ? "InterfacesAdded" : "InterfacesRemoved");
        if (r >= 0)
                r = sd_bus_message_append(m, "o", object->path);
        if (r >= 0)
                r = added ? append_added(object, m) : append_removed(object, m);
        if (r >= 0)
                facade_signal_send(facade, m);
        else
                facade_warn(facade, "D-Bus is not told of %s: %s", object->path,
                            strerrordesc_np(-r));
}

void facade_object_add(FacadeObject *object)
{
        object->adding = false;
        if (object->facade->state != FACADE_SERVING)
                return;
        if (any_differs(object, true))
                emit(object, true);
        set_shown(object);
        facade_property_clean(object);
}

/* Tells D-Bus of interfaces that have come or gone. */
static void reconcile(FacadeObject *object)
{
        Facade *facade = object->facade;

        if (facade->state != FACADE_SERVING || !facade->was_shown)
                return;
        if (any_differs(object, false)) {
                facade_property_flush(facade);
                emit(object, false);
                for (size_t i = 0; i < object->n_interfaces; i++)
                        object->shown[i] = object->shown[i] && object->announced && object->has[i];
        }
        if (!any_differs(object, true) || object->adding)
                return;
        facade_property_flush(facade);
        object->adding = true;
        facade_fetch_added(object);
}

void facade_objects_show(Facade *facade)
{
        FacadeObject *object, *next;

        if (!facade->was_shown) {
                HASH_ITER (hh, facade->objects, object, next) {
                        object->adding = false;
                        set_shown(object);
                        facade_property_clean(object);
                }
                facade->was_shown = true;
                return;
        }
        HASH_ITER (hh, facade->objects, object, next) {
                object->adding = false;
                reconcile(object);
        }
        facade_property_flush(facade);
}

/* ---- $meta ---- */

static void read_interfaces(FacadeObject *object, const char *meta, size_t length)
{
        JsonDoc *doc = &object->facade->scratch->doc;
        uint32_t list = 0;
        size_t index = 0;

        if (json_scan(doc, meta, length, JSON_SCAN_STRICT) >= 0 && json_type(doc, 0) == JSON_OBJECT)
                list = json_find(doc, 0, "interfaces");
        /* a service that does not speak of interfaces has them all */
        if (list == 0 || json_type(doc, list) != JSON_ARRAY || doc->nodes[list].count == 0) {
                set_all(object, true);
                return;
        }
        for (const MappingInterface *i = object->mapping->interfaces; i; i = i->hh.next, index++) {
                object->has[index] = false;
                JSON_FOREACH (doc, list, item)
                        if (json_type(doc, item) == JSON_STRING &&
                            json_string_is(doc, item, i->name))
                                object->has[index] = true;
        }
}

void facade_object_on_meta(const MqttRpcObjectEvent *event, void *userdata)
{
        Facade *facade = userdata;
        FacadeObject *object;
        const char *meta;
        size_t length;

        object = facade_object_get(facade, mqttrpc_object_event_get_object(event));
        if (!object)
                return;
        meta = mqttrpc_object_event_get_meta(event, &length);
        if (meta)
                read_interfaces(object, meta, length);
        else
                set_all(object, !object->mapping->template);
        object->announced = meta || !object->mapping->template;
        reconcile(object);
        facade_object_drop(object);
}

/* ---- GetManagedObjects ---- */

static int append_object(const FacadeObject *object, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_append(m, "o", object->path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        for (const MappingInterface *i = object->mapping->interfaces; i && r >= 0; i = i->hh.next) {
                if (!facade_object_has(object, i))
                        continue;
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", i->name);
                if (r >= 0)
                        r = facade_property_append_all(object, i, m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int facade_object_append_managed(Facade *facade, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}");
        for (const FacadeObject *o = facade->objects; o && r >= 0; o = o->hh.next)
                if (o->announced && facade_object_is_managed(o))
                        r = append_object(o, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
