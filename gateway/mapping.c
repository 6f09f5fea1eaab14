/* SPDX-License-Identifier: MIT */

/* The table itself: life, ownership and lookup. */

#include "gateway/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/mapping-internal.h"

/* ---- members ---- */

MappingMember *mapping_member_ref(MappingMember *member)
{
        member->n_refs++;
        return member;
}

bool mapping_member_is_complete(const MappingMember *member)
{
        return mapping_rule_is_complete(member->rule);
}

MappingMember *mapping_member_unref(MappingMember *member)
{
        if (!member || --member->n_refs > 0)
                return NULL;
        codec_args_done(&member->in);
        codec_args_done(&member->out);
        mapping_rule_unref(member->rule);
        free(member->name);
        free(member->interface);
        free(member->member);
        free(member);
        return NULL;
}

/* ---- interfaces ---- */

static MappingInterface *interface_free(MappingInterface *interface)
{
        MappingRule *rule, *next;

        if (!interface)
                return NULL;
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                HASH_ITER (hh, interface->rules[kind], rule, next) {
                        HASH_DEL(interface->rules[kind], rule);
                        mapping_rule_unref(rule);
                }
                mapping_rule_unref(interface->all[kind]);
        }
        introspection_interface_unref(interface->introspection);
        free(interface->name);
        free(interface);
        return NULL;
}

int mapping_interface_add_rule(MappingInterface *interface, MappingRule *rule)
{
        MappingRule **table = &interface->rules[rule->kind];

        if (strcmp(rule->member, "*") == 0) {
                mapping_rule_unref(interface->all[rule->kind]);
                interface->all[rule->kind] = rule;
                return 0;
        }
        HASH_ADD_KEYPTR(hh, *table, rule->member, strlen(rule->member), rule);
        if (hash_added(rule->hh))
                return 0;
        mapping_rule_unref(rule);
        return -ENOMEM;
}

/* ---- objects ---- */

void mapping_object_clear(MappingObject *object)
{
        MappingMember *member, *next;

        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                for (MappingInterface *i = object->interfaces; i; i = i->hh.next)
                        HASH_CLEAR(hh_dbus, i->members[kind]);
                HASH_ITER (hh, object->members[kind], member, next) {
                        HASH_DEL(object->members[kind], member);
                        mapping_member_unref(member);
                }
        }
}

static MappingObject *object_free(MappingObject *object)
{
        MappingInterface *interface, *next;

        if (!object)
                return NULL;
        mapping_object_clear(object);
        HASH_ITER (hh, object->interfaces, interface, next) {
                HASH_DEL(object->interfaces, interface);
                interface_free(interface);
        }
        free(object->path);
        free(object->name);
        free(object);
        return NULL;
}

int mapping_object_add_interface(MappingObject *object, const char *name,
                                 MappingInterface **ret_interface)
{
        MappingInterface *interface;

        interface = calloc(1, sizeof(*interface));
        if (!interface)
                return -ENOMEM;
        interface->object = object;
        interface->name = strdup(name);
        if (interface->name)
                HASH_ADD_KEYPTR(hh, object->interfaces, interface->name, strlen(interface->name),
                                interface);
        if (!hash_added(interface->hh)) {
                interface_free(interface);
                return -ENOMEM;
        }
        *ret_interface = interface;
        return 0;
}

MappingMember *mapping_object_find(const MappingObject *object, MemberKind kind, const char *name)
{
        MappingMember *member;

        HASH_FIND_STR(object->members[kind], name, member);
        return member;
}

MappingMember *mapping_object_find_dbus(const MappingObject *object, MemberKind kind,
                                        const char *interface, const char *member)
{
        MappingInterface *found;
        MappingMember *result;

        HASH_FIND_STR(object->interfaces, interface, found);
        if (!found)
                return NULL;
        HASH_FIND(hh_dbus, found->members[kind], member, strlen(member), result);
        return result;
}

bool mapping_object_needs_introspection(const MappingObject *object)
{
        for (MappingInterface *i = object->interfaces; i; i = i->hh.next) {
                if (i->introspection)
                        continue;
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                        if (i->all[kind] && !mapping_rule_hides(i->all[kind]))
                                return true;
                        for (MappingRule *rule = i->rules[kind]; rule; rule = rule->hh.next)
                                if (!mapping_rule_is_complete(rule))
                                        return true;
                }
        }
        return false;
}

/* ---- services ---- */

MappingService *mapping_service_new(const char *file)
{
        MappingService *service;

        service = calloc(1, sizeof(*service));
        if (!service)
                return NULL;
        service->activate = true;
        service->max_in_flight = LIMIT_DBUS_INFLIGHT;
        service->file = strdup(file);
        return service->file ? service : mapping_service_free(service);
}

MappingService *mapping_service_free(MappingService *service)
{
        MappingObject *object, *next;

        if (!service)
                return NULL;
        HASH_CLEAR(hh_path, service->paths);
        HASH_ITER (hh, service->objects, object, next) {
                HASH_DEL(service->objects, object);
                object_free(object);
        }
        free(service->name);
        free(service->file);
        free(service->summary);
        free(service->bus);
        free(service->bus_name);
        free(service->bus_key);
        free(service->introspection);
        free(service);
        return NULL;
}

static int insert_object(MappingService *service, MappingObject *object)
{
        HASH_ADD_KEYPTR(hh_path, service->paths, object->path, strlen(object->path), object);
        if (!hash_added(object->hh_path))
                return -ENOMEM;
        HASH_ADD_KEYPTR(hh, service->objects, object->name, strlen(object->name), object);
        if (hash_added(object->hh))
                return 0;
        HASH_DELETE(hh_path, service->paths, object);
        return -ENOMEM;
}

int mapping_service_add_object(MappingService *service, const char *path, const char *name,
                               MappingObject **ret_object)
{
        MappingObject *object;
        int r = -ENOMEM;

        if (mapping_service_find_path(service, path) || mapping_service_find_object(service, name))
                return -EEXIST;
        object = calloc(1, sizeof(*object));
        if (!object)
                return -ENOMEM;
        object->service = service;
        object->path = strdup(path);
        object->name = strdup(name);
        if (object->path && object->name)
                r = insert_object(service, object);
        if (r < 0) {
                object_free(object);
                return r;
        }
        *ret_object = object;
        return 0;
}

MappingObject *mapping_service_find_object(const MappingService *service, const char *name)
{
        MappingObject *object;

        HASH_FIND_STR(service->objects, name, object);
        return object;
}

MappingObject *mapping_service_find_path(const MappingService *service, const char *path)
{
        MappingObject *object;

        HASH_FIND(hh_path, service->paths, path, strlen(path), object);
        return object;
}

/* ---- sets ---- */

void mapping_set_done(MappingSet *set)
{
        MappingService *service, *next;

        HASH_CLEAR(hh_bus, set->bus_names);
        HASH_ITER (hh, set->services, service, next) {
                HASH_DEL(set->services, service);
                mapping_service_free(service);
        }
}

/* A space is in no bus name, so the key is unambiguous. No bus and "system" are one, the bus of the
 * gateway's settings. NULL without memory. */
static char *make_bus_key(const char *bus, const char *bus_name)
{
        char *key;

        if (asprintf(&key, "%s %s", bus_name, bus ? bus : "system") < 0)
                return NULL;
        return key;
}

MappingService *mapping_set_find_service(const MappingSet *set, const char *name)
{
        MappingService *service;

        HASH_FIND_STR(set->services, name, service);
        return service;
}

static MappingService *find_bus_key(const MappingSet *set, const char *key)
{
        MappingService *service;

        HASH_FIND(hh_bus, set->bus_names, key, strlen(key), service);
        return service;
}

MappingService *mapping_set_find_bus_name(const MappingSet *set, const char *bus,
                                          const char *bus_name)
{
        CLEANUP_FREE char *key = make_bus_key(bus, bus_name);

        return key ? find_bus_key(set, key) : NULL;
}

static int insert_service(MappingSet *set, MappingService *service)
{
        HASH_ADD_KEYPTR(hh, set->services, service->name, strlen(service->name), service);
        if (!hash_added(service->hh))
                return -ENOMEM;
        HASH_ADD_KEYPTR(hh_bus, set->bus_names, service->bus_key, strlen(service->bus_key),
                        service);
        if (hash_added(service->hh_bus))
                return 0;
        HASH_DEL(set->services, service);
        return -ENOMEM;
}

int mapping_set_add(MappingSet *set, MappingService *service, Diagnostics *diagnostics)
{
        const MappingService *other;
        int r;

        if (!service->bus_key)
                service->bus_key = make_bus_key(service->bus, service->bus_name);
        other = mapping_set_find_service(set, service->name);
        if (other) {
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR,
                                "%s: the service '%s' is mapped by %s already", service->file,
                                service->name, other->file);
                return -EEXIST;
        }
        other = service->bus_key ? find_bus_key(set, service->bus_key) : NULL;
        if (other) {
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR,
                                "%s: the D-Bus name %s is mapped by %s already", service->file,
                                service->bus_name, other->file);
                return -EEXIST;
        }
        r = service->bus_key ? insert_service(set, service) : -ENOMEM;
        if (r < 0)
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "%s: out of memory", service->file);
        return r;
}
