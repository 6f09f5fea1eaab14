/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <string.h>

#include "gateway/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What every object is told about itself: two interfaces with one member, and one of each kind. */
static const char xml[] =
        "<node><interface name='a.I'><method name='M'><arg type='s' name='a'/>"
        "<arg type='a{sv}' direction='out'/></method><property name='P' type='ay' access='read'/>"
        "<signal name='S'><arg type='(ii)'/></signal></interface>"
        "<interface name='a.J'><method name='M'/></interface></node>";

static void check_object(const MappingObject *object)
{
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                for (MappingMember *m = object->members[kind]; m; m = m->hh.next)
                        if (mapping_object_find(object, kind, m->name) != m ||
                            mapping_object_find_dbus(object, kind, m->interface, m->member) != m ||
                            (!m->typed && (m->in.count > 0 || m->out.count > 0)))
                                abort();
}

/* An entry is found by its names; one with captures by names that it could have. */
static void check_lookup(const MappingService *service, MappingObject *object)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance by_path = {}, by_name = {};
        CLEANUP_FREE char *name = NULL, *path = NULL;

        if (!object->template) {
                if (mapping_service_find_object(service, object->name) != object ||
                    mapping_service_find_path(service, object->path) != object)
                        abort();
                return;
        }
        if (path_template_common_name(object->template, object->template, &name) < 0 ||
            path_template_path(object->template, name, &path) < 0 ||
            !path_template_fits(object->template, path))
                abort();
        /* another entry may have that path; whose it is, it is so from both sides */
        if (mapping_service_resolve_path(service, path, &by_path) < 0)
                return;
        if (mapping_service_resolve_name(service, by_path.name, &by_name) < 0 ||
            by_name.object != by_path.object || strcmp(by_name.path, by_path.path) != 0)
                abort();
}

static void check_service(MappingService *service)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;

        if (introspection_parse(xml, strlen(xml), "x.xml", NULL, &introspection, NULL) < 0)
                abort();
        for (MappingObject *object = service->objects; object; object = object->hh.next) {
                check_lookup(service, object);
                check_object(object);
                if (mapping_object_apply_introspection(object, introspection, NULL) < 0)
                        abort();
                check_object(object);
        }
}

/* A mapping is taken, and then sound in itself, or refused with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        int r;

        r = mapping_parse("/nonexistent/x.json", (const char *)data, size, &list, &service);
        if ((r < 0) != (list.n_errors > 0) || (r < 0) != !service)
                abort();
        if (service)
                check_service(service);
        return 0;
}
