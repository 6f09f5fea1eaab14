/* SPDX-License-Identifier: MIT */

/* Sets of services, and lookup by their names on either side. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/mapping-internal.h"

void mapping_set_done(MappingSet *set)
{
        MappingService *service, *next;

        HASH_CLEAR(hh_bus, set->bus_names);
        HASH_ITER (hh, set->services, service, next) {
                HASH_DEL(set->services, service);
                mapping_service_free(service);
        }
}

void mapping_set_take(MappingSet *set, MappingService *service)
{
        HASH_DEL(set->services, service);
        HASH_DELETE(hh_bus, set->bus_names, service);
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

static MappingService *find_bus_key(const MappingSet *set, const char *key)
{
        MappingService *service;

        HASH_FIND(hh_bus, set->bus_names, key, strlen(key), service);
        return service;
}

/* The service of that name, or of the family with that name; asterisk and all. */
static MappingService *find_bus_name(const MappingSet *set, const char *bus, const char *bus_name)
{
        CLEANUP_FREE char *key = make_bus_key(bus, bus_name);

        return key ? find_bus_key(set, key) : NULL;
}

/* ---- lookup ---- */

MappingService *mapping_set_find_service(const MappingSet *set, const char *name)
{
        MappingService *service;

        HASH_FIND_STR(set->services, name, service);
        if (service && !service->is_family)
                return service;
        for (service = set->services; service; service = service->hh.next) {
                CLEANUP_FREE char *bus_name = NULL;

                if (service->is_family &&
                    name_family_bus_name(&service->family, name, &bus_name) >= 0 &&
                    mapping_set_find_bus_name(set, service->bus, bus_name) == service)
                        return service;
        }
        return NULL;
}

MappingService *mapping_set_find_bus_name(const MappingSet *set, const char *bus,
                                          const char *bus_name)
{
        MappingService *service = find_bus_name(set, bus, bus_name);
        CLEANUP_FREE char *family = NULL;

        if (service)
                return service->is_family ? NULL : service;
        /* room for the asterisk in the place of a tail of one character at least */
        family = strdup(bus_name);
        for (char *dot = family; family && (dot = strrchr(family, '.')); *dot = '\0') {
                if (dot[1] == '\0')
                        return NULL;
                strcpy(dot + 1, "*");
                service = find_bus_name(set, bus, family);
                if (service)
                        return service;
        }
        return NULL;
}

/* ---- adding ---- */

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

static bool same_bus(const MappingService *a, const MappingService *b)
{
        return strcmp(a->bus ? a->bus : "system", b->bus ? b->bus : "system") == 0;
}

/* Whether the two could be known by one name in topics, and not be the same on D-Bus. */
static bool names_meet(const MappingService *a, const MappingService *b)
{
        const MappingService *family = a->is_family ? a : b, *other = a->is_family ? b : a;
        CLEANUP_FREE char *bus_name = NULL;

        if (!family->is_family)
                return strcmp(a->name, b->name) == 0;
        if (other->is_family)
                return name_family_meets(&a->family, &b->family);
        if (name_family_bus_name(&family->family, other->name, &bus_name) < 0)
                return false;
        return !same_bus(family, other) || strcmp(bus_name, other->bus_name) != 0;
}

static const MappingService *find_namesake(const MappingSet *set, const MappingService *service)
{
        const MappingService *other;

        HASH_FIND_STR(set->services, service->name, other);
        for (const MappingService *s = set->services; !other && s; s = s->hh.next)
                if ((s->is_family || service->is_family) && names_meet(s, service))
                        other = s;
        return other;
}

static int check_names(const MappingSet *set, const MappingService *service,
                       Diagnostics *diagnostics)
{
        const MappingService *other = find_namesake(set, service);

        if (other) {
                const char *also = strcmp(other->name, service->name) == 0
                                           ? "is mapped by"
                                           : "could be one that is mapped by";

                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "%s: the service '%s' %s %s already",
                                service->file, service->name, also, other->file);
                return -EEXIST;
        }
        other = find_bus_key(set, service->bus_key);
        if (!other)
                return 0;
        diagnostics_add(diagnostics, DIAGNOSTIC_ERROR,
                        "%s: the D-Bus name %s is mapped by %s already", service->file,
                        service->bus_name, other->file);
        return -EEXIST;
}

int mapping_set_add(MappingSet *set, MappingService *service, Diagnostics *diagnostics)
{
        int r;

        if (!service->bus_key)
                service->bus_key = make_bus_key(service->bus, service->bus_name);
        r = service->bus_key ? check_names(set, service, diagnostics) : -ENOMEM;
        if (r == -EEXIST)
                return r;
        if (r >= 0)
                r = insert_service(set, service);
        if (r < 0)
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "%s: out of memory", service->file);
        return r;
}
