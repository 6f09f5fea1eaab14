/* SPDX-License-Identifier: MIT */

/* The objects of a service: those with a path of their own in the mapping are there when the
 * service is; those of templates are found by its ObjectManager, by a walk, or when they are heard
 * of. Each is announced by its `$meta` when its values have come, and takes what is retained of it
 * with it when it goes. */

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "common/limits.h"
#include "gateway/expose.h"
#include "gateway/mapping-internal.h"

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* ---- tables ---- */

ExposeObject *expose_object_find(const Expose *expose, const char *path)
{
        ExposeObject *object;

        HASH_FIND_STR(expose->objects, path, object);
        return object;
}

ExposeObject *expose_object_find_name(const Expose *expose, const char *name)
{
        ExposeObject *object;

        HASH_FIND(hh_name, expose->names, name, strlen(name), object);
        return object;
}

void expose_object_free(ExposeObject *object)
{
        Expose *expose = object->expose;

        expose_fetch_stop(object);
        expose_due_free_all(object);
        (void)mqttrpc_object_remove(expose->bus, expose->name, object->name);
        HASH_DEL(expose->objects, object);
        HASH_DELETE(hh_name, expose->names, object);
        free(object->interfaces);
        free(object->path);
        free(object->name);
        free(object);
}

static int insert(ExposeObject *object)
{
        Expose *expose = object->expose;

        HASH_ADD_KEYPTR(hh, expose->objects, object->path, strlen(object->path), object);
        if (!object->hh.tbl)
                return -ENOMEM;
        HASH_ADD_KEYPTR(hh_name, expose->names, object->name, strlen(object->name), object);
        if (object->hh_name.tbl)
                return 0;
        HASH_DEL(expose->objects, object);
        return -ENOMEM;
}

/* Takes path and name over. */
static int object_new(Expose *expose, MappingInstance *instance, ExposeObject **ret_object)
{
        ExposeObject *object;
        int r;

        if (HASH_COUNT(expose->objects) >= LIMIT_OBJECTS) {
                if (!expose->too_many)
                        expose_warn(expose, "more than %u objects: the others are left out",
                                    LIMIT_OBJECTS);
                expose->too_many = true;
                return -E2BIG;
        }
        object = calloc(1, sizeof(*object));
        if (!object)
                return -ENOMEM;
        object->expose = expose;
        object->type = expose_type_find(expose, instance->object);
        object->path = instance->path;
        object->name = instance->name;
        r = insert(object);
        if (r < 0) {
                free(object);
                return r;
        }
        instance->path = instance->name = NULL;
        *ret_object = object;
        return 0;
}

/* ---- interfaces ---- */

bool expose_object_has(const ExposeObject *object, const MappingInterface *interface)
{
        for (size_t i = 0; i < object->n_interfaces; i++)
                if (object->interfaces[i] == interface)
                        return true;
        return false;
}

static int add_interface(ExposeObject *object, const MappingInterface *interface)
{
        const MappingInterface **items;

        items = reallocarray(object->interfaces, object->n_interfaces + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        object->interfaces = items;
        items[object->n_interfaces++] = interface;
        return 0;
}

/* Those of the mapping that are in a list of D-Bus names. Whether there are new ones. */
static bool add_interfaces(ExposeObject *object, const char *const *names)
{
        const MappingInterface *interface;
        bool any = false;

        for (interface = object->type->mapping->interfaces; interface;
             interface = interface->hh.next) {
                bool has = !names;

                for (size_t i = 0; !has && names[i]; i++)
                        has = !strcmp(names[i], interface->name);
                if (has && !expose_object_has(object, interface))
                        any = add_interface(object, interface) >= 0 || any;
        }
        return any;
}

/* In the order of the mapping, whatever the order in which they have come and gone. */
static void announce(ExposeObject *object)
{
        const MappingInterface *interface = object->type->mapping->interfaces;
        Expose *expose = object->expose;
        const char **names;
        size_t count = 0;
        int r = -ENOMEM;

        names = calloc(object->n_interfaces + 1, sizeof(*names));
        for (; names && interface; interface = interface->hh.next)
                if (expose_object_has(object, interface))
                        names[count++] = interface->name;
        if (names)
                r = mqttrpc_object_announce(expose->bus, expose->name, object->name, names);
        free(names);
        if (r < 0)
                expose_warn(expose, "%s is not announced: %s", object->path, strerrordesc_np(-r));
        else
                object->announced = true;
}

/* ---- values ---- */

static bool lacks_introspection(const ExposeObject *object)
{
        for (size_t i = 0; i < object->n_interfaces; i++)
                if (!object->interfaces[i]->introspection)
                        return true;
        return false;
}

static void fetch_all(ExposeObject *object)
{
        for (size_t i = 0; i < object->n_interfaces; i++) {
                if (!expose_property_wants_fetch(object->interfaces[i]))
                        continue;
                expose_fetch(object, object->interfaces[i], NULL);
                expose_property_start_polls(object, object->interfaces[i]);
        }
        if (object->n_fetches == 0)
                expose_object_on_fetched(object);
}

/* Fetches the values once their types are known. Another object of the type may have been asked
 * that does not have all interfaces of this one. */
static void look_at(ExposeObject *object)
{
        ExposeType *type = object->type;

        if (type->wants_introspection && (!type->is_known || lacks_introspection(object)) &&
            !object->introspected) {
                if (!type->query)
                        object->introspected = true;
                if (expose_type_introspect(type, object->path, false) >= 0)
                        return;
        }
        fetch_all(object);
}

void expose_objects_on_type(ExposeType *type)
{
        ExposeObject *object, *next;

        HASH_ITER (hh, type->expose->objects, object, next)
                if (object->type == type && !object->fetched && object->n_fetches == 0)
                        look_at(object);
        expose_fetch_go_on(type->expose);
}

/* An entry that stands for itself stays, since it can be called, but shows nothing. */
void expose_object_on_fetched(ExposeObject *object)
{
        object->fetched = true;
        if (!object->is_missing)
                announce(object);
        else if (object->type->mapping->template)
                expose_object_free(object);
        else if (object->announced) {
                object->announced = false;
                (void)mqttrpc_object_remove(object->expose->bus, object->expose->name,
                                            object->name);
        }
}

/* ---- found, heard of ---- */

static bool is_found_by(const MappingObject *mapping, MappingFind by)
{
        MappingFind find = mapping->find;

        return !mapping->template || find == by || find == MAPPING_FIND_BOTH ||
               find == MAPPING_FIND_AUTO;
}

static bool has_any(const MappingObject *mapping, const char *const *interfaces)
{
        MappingInterface *found = NULL;

        for (size_t i = 0; !found && interfaces[i]; i++)
                HASH_FIND_STR(mapping->interfaces, interfaces[i], found);
        return found;
}

void expose_object_found(Expose *expose, const char *path, const char *const *interfaces,
                         MappingFind by)
{
        ExposeObject *object = expose_object_find(expose, path);
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};

        if (!object) {
                if (mapping_service_resolve_path(expose->mapping, path, &instance) < 0 ||
                    !is_found_by(instance.object, by) || !has_any(instance.object, interfaces) ||
                    object_new(expose, &instance, &object) < 0)
                        return;
        }
        if (!add_interfaces(object, interfaces) && !object->is_missing)
                return;
        object->is_missing = object->introspected = object->fetched = false;
        look_at(object);
        expose_fetch_go_on(expose);
}

/* Objects that are found by a walk come without a word; the first one is that they have changed. */
ExposeObject *expose_object_hear(Expose *expose, const char *path)
{
        ExposeObject *object = expose_object_find(expose, path);
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};
        bool walked;

        if (object)
                return object;
        if (mapping_service_resolve_path(expose->mapping, path, &instance) < 0)
                return NULL;
        walked = instance.object->find == MAPPING_FIND_WALK ||
                 (instance.object->find == MAPPING_FIND_AUTO && !expose->has_manager);
        if (!walked || expose->managed)
                return NULL;
        expose_walk_visit(expose, path);
        return NULL;
}

void expose_object_gone(Expose *expose, const char *path)
{
        ExposeObject *object = expose_object_find(expose, path);

        if (object && object->type->mapping->template) {
                expose_object_free(object);
                expose_check_ready(expose);
        }
}

/* ---- ObjectManager ---- */

/* The names of a{sa{sv}} at the read position; owned by the caller, the names are of the message.
 */
static int read_interfaces(sd_bus_message *m, const char ***ret_names)
{
        CLEANUP_FREE const char **names = NULL;
        const char **more, *name;
        size_t count = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                more = reallocarray(names, count + 2, sizeof(*names));
                if (!more)
                        return -ENOMEM;
                names = more;
                names[count++] = name;
                names[count] = NULL;
                r = sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        if (!names)
                names = calloc(1, sizeof(*names));
        *ret_names = STEAL(names);
        return *ret_names ? 0 : -ENOMEM;
}

static int read_object(Expose *expose, sd_bus_message *m)
{
        CLEANUP_FREE const char **names = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        if (r >= 0)
                r = read_interfaces(m, &names);
        if (r >= 0)
                expose_object_found(expose, path, names, MAPPING_FIND_OBJECT_MANAGER);
        return r;
}

static int read_managed(Expose *expose, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = read_object(expose, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

/* Where an ObjectManager may be; NULL after the last one. */
static char *dup_manager(const Expose *expose)
{
        const char *given = expose->mapping->object_manager;
        char *path = NULL;

        if (given)
                return expose->n_managers == 0 ? strdup(given) : NULL;
        if (expose->n_managers == 0 &&
            object_path_from_name(mapping_service_home(expose->mapping), "-", &path, NULL) >= 0)
                return path;
        return expose->n_managers < 2 ? strdup("/") : NULL;
}

static void ask_manager(Expose *expose);

static int on_managed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Expose *expose = userdata;

        expose->managed = sd_bus_slot_unref(expose->managed);
        if (sd_bus_message_is_method_error(m, NULL)) {
                ask_manager(expose);
        } else if (expose_is_current(expose, m)) {
                expose->has_manager = true;
                if (read_managed(expose, m) < 0)
                        expose_warn(expose, "the list of objects cannot be read to its end");
                expose_walk_start(expose, false);
        }
        expose_check_ready(expose);
        return DBUS_LINK_TAKEN;
}

/* Asks the next place; after the last one the tree is walked. */
static void ask_manager(Expose *expose)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        CLEANUP_FREE char *path = dup_manager(expose);
        int r;

        expose->n_managers++;
        if (!path) {
                expose_walk_start(expose, true);
                return;
        }
        r = expose_new_message(expose, path, OBJECT_MANAGER, "GetManagedObjects", &m);
        if (r >= 0)
                r = sd_bus_call_async(dbus_link_get_bus(expose->link), &expose->managed, m,
                                      on_managed, expose, LIMIT_FETCH_USEC);
        if (r < 0)
                expose_warn(expose, "cannot ask for objects: %s", strerrordesc_np(-r));
}

void expose_object_on_added(Expose *expose, sd_bus_message *m)
{
        if (read_object(expose, m) < 0)
                expose_warn(expose, "InterfacesAdded with other types than oa{sa{sv}}");
}

static void remove_interface(ExposeObject *object, const char *name)
{
        for (size_t i = 0; i < object->n_interfaces; i++) {
                const MappingInterface *interface = object->interfaces[i];

                if (strcmp(interface->name, name) != 0)
                        continue;
                object->interfaces[i] = object->interfaces[--object->n_interfaces];
                expose_due_free_interface(object, interface);
                expose_property_clear(object, interface);
                return;
        }
}

/* With its last interface the object goes. */
void expose_object_on_removed(Expose *expose, sd_bus_message *m)
{
        ExposeObject *object;
        const char *path, *name;
        size_t before;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        object = r < 0 ? NULL : expose_object_find(expose, path);
        if (!object)
                return;
        before = object->n_interfaces;
        r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0)
                remove_interface(object, name);
        if (object->n_interfaces == 0)
                expose_object_free(object);
        else if (object->n_interfaces < before && object->announced)
                announce(object);
        expose_check_ready(expose);
}

/* ---- owner ---- */

static bool wants_manager(const MappingService *mapping)
{
        for (size_t i = 0; i < mapping->n_templates; i++)
                if (mapping->templates[i]->find != MAPPING_FIND_WALK)
                        return true;
        return false;
}

static void add_lasting(Expose *expose, MappingObject *mapping)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {.object = mapping};
        ExposeObject *object;

        instance.path = strdup(mapping->path);
        instance.name = strdup(mapping->name);
        if (!instance.path || !instance.name || object_new(expose, &instance, &object) < 0) {
                expose_warn(expose, "%s is left out", mapping->path);
                return;
        }
        (void)add_interfaces(object, NULL);
        look_at(object);
}

void expose_objects_start(Expose *expose)
{
        const MappingService *mapping = expose->mapping;

        for (MappingObject *object = mapping->objects; object; object = object->hh.next)
                if (!object->template)
                        add_lasting(expose, object);
        expose->n_managers = 0;
        expose->has_manager = false;
        if (wants_manager(mapping))
                ask_manager(expose);
        else
                expose_walk_start(expose, false);
        expose_fetch_go_on(expose);
}

void expose_objects_stop(Expose *expose)
{
        ExposeObject *object, *next;

        expose->managed = sd_bus_slot_unref(expose->managed);
        expose->walk = expose_walk_free(expose->walk);
        HASH_ITER (hh, expose->objects, object, next)
                expose_object_free(object);
        expose->too_many = false;
}
