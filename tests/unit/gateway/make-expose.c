/* SPDX-License-Identifier: MIT */

#include "tests/unit/gateway/make-expose.h"

#include <string.h>

const char expose_objects[] =
        "[{\"path\":\"/org/a/x\",\"interfaces\":{\"a.I\":{\"properties\":{"
        "\"Level\":{\"type\":\"i\"},\"Name\":{\"type\":\"s\",\"as\":\"Label\"},"
        "\"Secret\":{\"type\":\"s\",\"mask\":true},"
        "\"Quiet\":{\"type\":\"u\",\"emits_changed\":\"false\"},"
        "\"Polled\":{\"type\":\"u\",\"emits_changed\":\"false\",\"poll_s\":3600},"
        "\"Late\":{\"type\":\"s\",\"emits_changed\":\"invalidates\"},"
        "\"Kept\":{\"type\":\"s\",\"emits_changed\":\"invalidates\",\"retain\":true},"
        "\"Once\":{\"type\":\"s\",\"emits_changed\":\"const\"},"
        "\"Dropped\":{\"type\":\"s\",\"retain\":false},"
        "\"Busy\":{\"type\":\"u\",\"min_interval_ms\":20}}}}},"
        "{\"path\":\"/org/a/{id}\",\"object\":\"{id}\",\"find\":\"object_manager\","
        "\"interfaces\":{\"a.I\":{\"properties\":{\"Level\":{\"type\":\"i\"}}},"
        "\"a.J\":{\"properties\":{\"Size\":{\"type\":\"u\"}}},"
        "\"a.Bare\":{\"methods\":{\"Do\":{\"in\":[],\"out\":[]}}}}},"
        "{\"path\":\"/org/a/walk/{id}\",\"object\":\"walk.{id}\",\"find\":\"walk\","
        "\"interfaces\":{\"a.Bare\":{\"methods\":{\"Do\":{\"in\":[],\"out\":[]}}}}}]";

void expose_make(ExposeMade *made, const char *objects)
{
        g_autofree char *text = g_strdup_printf(
                "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":%s}", objects);
        ExposeOptions options;

        g_assert_cmpint(sd_event_new(&made->event), ==, 0);
        g_assert_cmpint(dbus_link_new(made->event, "unix:path=/nowhere", NULL, NULL, &made->link),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_new(&made->bus), ==, 0);
        mapping_parse("x.json", text, strlen(text), NULL, &made->mapping);
        g_assert_nonnull(made->mapping);
        made->scratch.buffer = BUFFER_INIT(1024);
        options = (ExposeOptions){.mapping = made->mapping,
                                  .event = made->event,
                                  .link = made->link,
                                  .bus = made->bus,
                                  .scratch = &made->scratch};
        g_assert_cmpint(expose_new(&options, &made->expose, NULL), ==, 0);
        test_bus_init(&made->dbus);
}

void expose_unmake(ExposeMade *made)
{
        test_bus_done(&made->dbus);
        expose_free(made->expose);
        buffer_done(&made->scratch.buffer);
        json_doc_done(&made->scratch.doc);
        mapping_service_free(made->mapping);
        mqttrpc_bus_unref(made->bus);
        dbus_link_free(made->link);
        sd_event_unref(made->event);
}

ExposeObject *expose_add(ExposeMade *made, const char *path)
{
        const MappingObject *entry = mapping_service_find_path(made->mapping, path);
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        ExposeObject *object;

        for (const MappingInterface *i = entry->interfaces; i; i = i->hh.next)
                g_ptr_array_add(names, i->name);
        g_ptr_array_add(names, NULL);
        expose_object_found(made->expose, path, (const char *const *)names->pdata,
                            MAPPING_FIND_OBJECT_MANAGER);
        object = expose_object_find(made->expose, path);
        g_assert_nonnull(object);
        return object;
}

MappingMember *expose_member(const ExposeObject *object, MemberKind kind, const char *name)
{
        MappingMember *member = mapping_object_find(object->type->mapping, kind, name);

        g_assert_nonnull(member);
        return member;
}

MappingInterface *expose_interface(const ExposeObject *object, const char *name)
{
        MappingInterface *interface;

        HASH_FIND_STR(object->type->mapping->interfaces, name, interface);
        g_assert_nonnull(interface);
        return interface;
}

const char *expose_published(const ExposeMade *made, const char *object, const char *property)
{
        const char *value = NULL;

        (void)mqttrpc_property_get_published(made->bus, "s", object, property, &value, NULL);
        return value;
}

sd_bus_message *expose_message(ExposeMade *made, const char *signature, ...)
{
        sd_bus_message *m = test_message_new(&made->dbus);
        va_list arguments;

        va_start(arguments, signature);
        g_assert_cmpint(sd_bus_message_appendv(m, signature, arguments), >=, 0);
        va_end(arguments);
        test_message_seal(m);
        return m;
}
