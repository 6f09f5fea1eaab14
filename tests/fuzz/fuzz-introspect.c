/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <string.h>

#include "gateway/introspection-compare.h"
#include "gateway/introspection-write.h"
#include "gateway/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mapping[] =
        "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[{\"path\":\"/b\","
        "\"interfaces\":{\"a.I\":\"*\",\"a.J\":{\"methods\":{\"M\":{\"in\":[\"a:s\"]},\"*\":{}},"
        "\"properties\":{\"P\":{\"bytes\":\"text\"}},\"signals\":{\"S\":{}}}}}]}";

/* Every type that was taken compiles, and every member can be found. */
static void check_members(const MappingObject *object)
{
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                for (MappingMember *m = object->members[kind]; m; m = m->hh.next)
                        if (mapping_object_find(object, kind, m->name) != m ||
                            mapping_object_find_dbus(object, kind, m->interface, m->member) != m)
                                abort();
}

/* What was read says the same when it has been written and read again. */
static void check_written(const Introspection *introspection)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0), before = BUFFER_INIT(0),
                              after = BUFFER_INIT(0);
        CLEANUP_INTROSPECTION Introspection *again = NULL;
        const IntrospectionNode *node = introspection->nodes;

        buffer_append_text(&text, "<node>");
        for (size_t i = 0; i < node->n_interfaces; i++)
                introspection_write_interface(node->interfaces[i], &text);
        for (size_t i = 1; i < introspection->n_nodes; i++)
                buffer_printf(&text, "<node name=\"%s\"/>", introspection->nodes[i].path);
        buffer_append_text(&text, "</node>");
        if (introspection_parse(buffer_text(&text), text.length, "x.xml", NULL, &again, NULL) < 0 ||
            introspection_write_canonical(introspection, &before) < 0 ||
            introspection_write_canonical(again, &after) < 0 ||
            strcmp(buffer_text(&before), buffer_text(&after)) != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_ERROR Error *error = NULL;
        MappingObject *object;
        int r;

        r = introspection_parse((const char *)data, size, "x.xml", NULL, &introspection, &error);
        if ((r < 0) != !introspection || (r < 0) != !!error)
                abort();
        if (r < 0)
                return 0;
        check_written(introspection);
        if (mapping_parse("x.json", mapping, strlen(mapping), NULL, &service) < 0)
                abort();
        object = mapping_service_find_path(service, "/b");
        for (unsigned i = 0; i < 2; i++) {
                if (mapping_object_apply_introspection(object, introspection, NULL) < 0)
                        abort();
                check_members(object);
        }
        return 0;
}
