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
        for (size_t i = 0; i < member->n_tests; i++)
                free(member->tests[i].json);
        free(member->tests);
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
        mapping_allow_done(&interface->allow);
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
        path_template_free(object->template);
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
        free(service->source);
        free(service->source_xml);
        introspection_free(service->document);
        free(service->object_manager);
        free(service->unit);
        free(service->subscribe.path);
        free(service->subscribe.interface);
        free(service->subscribe.method);
        free(service->templates);
        name_family_done(&service->family);
        mapping_allow_done(&service->allow);
        free(service);
        return NULL;
}

const char *mapping_service_home(const MappingService *service)
{
        return service->family.prefix ? service->family.prefix : service->bus_name;
}

/* Keeps the templates in the order in which they are tried. */
static int insert_template(MappingService *service, MappingObject *object)
{
        size_t i, n_literals = path_template_n_literals(object->template);
        MappingObject **items;

        if (service->n_templates >= LIMIT_MAPPING_TEMPLATES)
                return -E2BIG;
        items = reallocarray(service->templates, service->n_templates + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        service->templates = items;
        for (i = service->n_templates++; i > 0; i--) {
                if (path_template_n_literals(items[i - 1]->template) >= n_literals)
                        break;
                items[i] = items[i - 1];
        }
        items[i] = object;
        return 0;
}

static int insert_object(MappingService *service, MappingObject *object)
{
        MappingObject *other;

        HASH_FIND(hh_path, service->paths, object->path, strlen(object->path), other);
        if (!other)
                HASH_FIND_STR(service->objects, object->name, other);
        if (other)
                return -EEXIST;
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
                               PathTemplate *template, MappingObject **ret_object)
{
        CLEANUP_PATH_TEMPLATE PathTemplate *consumed = template;
        MappingObject *object;
        int r = -ENOMEM;

        object = calloc(1, sizeof(*object));
        if (!object)
                return -ENOMEM;
        object->service = service;
        object->template = STEAL(consumed);
        object->path = strdup(path);
        object->name = strdup(name);
        if (object->path && object->name)
                r = insert_object(service, object);
        if (r < 0) {
                object_free(object);
                return r;
        }
        *ret_object = object;
        /* from here on the service frees it */
        return template ? insert_template(service, object) : 0;
}
