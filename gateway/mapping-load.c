/* SPDX-License-Identifier: MIT */

/* One JSON file to a MappingService. What a file may contain is in the tables of this file and of
 * mapping-rule.c; all errors of a file are reported before it is refused. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/json-fields.h"
#include "common/limits.h"
#include "gateway/mapping-internal.h"
#include "gateway/names.h"

static const char *const find_words[] = {"auto", "object_manager", "walk", "both", NULL};
static const char *const provider_words[] = {"dbus", "mqtt", "auto", NULL};

/* ---- checks of strings ---- */

static int check_beside(const char *text, Error **ret_error)
{
        if (text[0] == '\0' || strchr(text, '/'))
                return error_set(ret_error, -EINVAL,
                                 "'%s' is not the name of a file in the same folder", text);
        return 0;
}

/* ---- members ---- */

static void read_rule(JsonFile *file, uint32_t key, MemberKind kind, MappingInterface *interface)
{
        CLEANUP_FREE char *name = json_file_string(file, key);
        CLEANUP(mapping_rule_cleanup) MappingRule *rule = NULL;
        JsonType type = json_type(&file->doc, key + 1);
        CLEANUP_ERROR Error *error = NULL;
        bool star;

        if (!name)
                return;
        star = strcmp(name, "*") == 0;
        if (!star && name_check_dbus_member(name, &error) < 0) {
                json_file_error(file, key, "%s", error_text(error));
                return;
        }
        rule = mapping_rule_new(kind, name);
        if (!rule) {
                json_file_out_of_memory(file);
                return;
        }
        rule->node = key;
        rule->excluded = type == JSON_BOOLEAN && !json_boolean(&file->doc, key + 1);
        if (type == JSON_OBJECT)
                mapping_rule_read(rule, file, key + 1);
        else if (!rule->excluded || star)
                json_file_error(file, key + 1,
                                star ? "expected an object" : "expected an object or false");
        if (mapping_interface_add_rule(interface, STEAL(rule)) < 0)
                json_file_out_of_memory(file);
}

static void read_rules(JsonFile *file, uint32_t node, MemberKind kind, MappingInterface *interface)
{
        if (!json_file_expect(file, node, JSON_OBJECT))
                return;
        JSON_FOREACH (&file->doc, node, key)
                read_rule(file, key, kind, interface);
}

static void read_methods(JsonFile *file, uint32_t node, void *target)
{
        read_rules(file, node, MEMBER_METHOD, target);
}

static void read_properties(JsonFile *file, uint32_t node, void *target)
{
        read_rules(file, node, MEMBER_PROPERTY, target);
}

static void read_signals(JsonFile *file, uint32_t node, void *target)
{
        read_rules(file, node, MEMBER_SIGNAL, target);
}

/* ---- interfaces ---- */

static void read_interface_allow(JsonFile *file, uint32_t node, void *target)
{
        MappingInterface *interface = target;

        mapping_allow_read(file, node, &interface->allow);
}

static const JsonField interface_fields[] = {
        {"allow", JSON_FIELD_CUSTOM, .read = read_interface_allow},
        {"methods", JSON_FIELD_CUSTOM, .read = read_methods},
        {"properties", JSON_FIELD_CUSTOM, .read = read_properties},
        {"signals", JSON_FIELD_CUSTOM, .read = read_signals},
};

/* "*" in place of an interface's object: everything it has. */
static void add_everything(JsonFile *file, uint32_t key, MappingInterface *interface)
{
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                MappingRule *rule = mapping_rule_new(kind, "*");

                if (rule)
                        rule->node = key;
                if (!rule || mapping_interface_add_rule(interface, rule) < 0)
                        json_file_out_of_memory(file);
        }
}

static void read_interface(JsonFile *file, uint32_t key, MappingObject *object)
{
        CLEANUP_FREE char *name = json_file_string(file, key);
        JsonType type = json_type(&file->doc, key + 1);
        CLEANUP_ERROR Error *error = NULL;
        MappingInterface *interface;

        if (!name)
                return;
        if (name_check_interface(name, &error) < 0) {
                json_file_error(file, key, "%s", error_text(error));
                return;
        }
        if (mapping_object_add_interface(object, name, &interface) < 0)
                json_file_out_of_memory(file);
        else if (type == JSON_OBJECT)
                json_fields_read(file, key + 1, interface_fields, ARRAY_SIZE(interface_fields),
                                 interface);
        else if (json_string_is(&file->doc, key + 1, "*"))
                add_everything(file, key, interface);
        else
                json_file_error(file, key + 1, "expected an object or \"*\"");
}

/* ---- objects ---- */

typedef struct ObjectKeys {
        char *path;
        char *object;
        int find;            /* MappingFind; -1: unsaid */
        uint32_t interfaces; /* the node; 0: none */
} ObjectKeys;

static void note_interfaces(JsonFile *file, uint32_t node, void *target)
{
        ObjectKeys *keys = target;

        if (json_file_expect(file, node, JSON_OBJECT))
                keys->interfaces = node;
}

static const JsonField object_fields[] = {
        {"path", JSON_FIELD_STRING, offsetof(ObjectKeys, path), .check = path_template_check_path,
         .required = true},
        {"object", JSON_FIELD_STRING, offsetof(ObjectKeys, object),
         .check = path_template_check_name},
        {"find", JSON_FIELD_WORD, offsetof(ObjectKeys, find), .words = find_words},
        {"interfaces", JSON_FIELD_CUSTOM, .read = note_interfaces, .required = true},
};

/* The value of a key of an object, or the object itself where it has no such key. */
static uint32_t place_of(JsonFile *file, uint32_t node, const char *key)
{
        uint32_t value = json_find(&file->doc, node, key);

        return value > 0 ? value : node;
}

/* Puts the entry into the service. False if it cannot be, which has then been reported. */
static bool insert_object(JsonFile *file, uint32_t node, const ObjectKeys *keys, const char *name,
                          MappingService *service, MappingObject **ret_object)
{
        PathTemplate *template = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int r = 0;

        if (path_template_is(keys->path))
                r = path_template_new(keys->path, name, &template, &error);
        else if (path_template_is(name))
                r = error_set(&error, -EINVAL, "'%s' has a capture, its path %s has none", name,
                              keys->path);
        if (r < 0) {
                json_file_error(file, place_of(file, node, "object"), "%s", error_text(error));
                return false;
        }
        r = mapping_service_add_object(service, keys->path, name, template, ret_object);
        if (r == -EEXIST)
                json_file_error(file, node, "the object '%s' or its path %s is there already", name,
                                keys->path);
        else if (r == -E2BIG)
                json_file_error(file, node, "more than %u objects with captures",
                                LIMIT_MAPPING_TEMPLATES);
        else if (r < 0)
                json_file_out_of_memory(file);
        return r >= 0;
}

static void add_object(JsonFile *file, uint32_t node, const ObjectKeys *keys, const char *name,
                       MappingService *service)
{
        size_t n_errors = file->n_errors;
        MappingObject *object;

        if (!insert_object(file, node, keys, name, service, &object))
                return;
        object->node = node;
        if (keys->find >= 0)
                object->find = (MappingFind)keys->find;
        if (keys->find >= 0 && !object->template)
                json_file_error(file, place_of(file, node, "find"),
                                "%s is one object, which need not be found", keys->path);
        JSON_FOREACH (&file->doc, keys->interfaces, key)
                read_interface(file, key, object);
        /* what has an error already would only be reported a second time */
        if (file->n_errors == n_errors &&
            mapping_object_compile(object, file, file->diagnostics) < 0)
                json_file_out_of_memory(file);
}

/* The default name, or NULL if there is none, which has been reported if there should be. */
static char *make_name(JsonFile *file, uint32_t node, const char *path,
                       const MappingService *service)
{
        const char *home = mapping_service_home(service);
        CLEANUP_ERROR Error *error = NULL;
        char *name = NULL;
        int r;

        if (!path || !home)
                return NULL;
        r = path_template_is(path) ? path_template_default_name(home, path, &name, &error)
                                   : object_name_from_path(home, path, &name, &error);
        if (r < 0)
                json_file_error(file, place_of(file, node, "path"), "%s", error_text(error));
        return name;
}

/* What is wrong with an object's path or name, and has been reported, shall not hide what is wrong
 * below it. The file is refused anyway, so anything unique will do. */
static bool stand_in(uint32_t node, char **text)
{
        if (!*text && asprintf(text, "(%u)", node) < 0)
                *text = NULL;
        return *text;
}

static void read_object(JsonFile *file, uint32_t node, MappingService *service)
{
        CLEANUP_FREE char *name = NULL;
        ObjectKeys keys = {.find = -1};

        json_fields_read(file, node, object_fields, ARRAY_SIZE(object_fields), &keys);
        name = STEAL(keys.object);
        if (!name && json_type(&file->doc, node) == JSON_OBJECT)
                name = make_name(file, node, keys.path, service);
        if (!name || !keys.path) {
                free(STEAL(name));
                free(STEAL(keys.path));
        }
        if (keys.interfaces > 0 && stand_in(node, &keys.path) && stand_in(node, &name))
                add_object(file, node, &keys, name, service);
        json_fields_done(object_fields, ARRAY_SIZE(object_fields), &keys);
}

/* ---- the whole file ---- */

static const JsonField subscribe_fields[] = {
        {"path", JSON_FIELD_STRING, offsetof(MappingSubscribe, path), .check = name_check_path,
         .required = true},
        {"interface", JSON_FIELD_STRING, offsetof(MappingSubscribe, interface),
         .check = name_check_interface, .required = true},
        {"method", JSON_FIELD_STRING, offsetof(MappingSubscribe, method),
         .check = name_check_dbus_member, .required = true},
};

static void read_subscribe(JsonFile *file, uint32_t node, void *target)
{
        MappingService *service = target;

        json_fields_read(file, node, subscribe_fields, ARRAY_SIZE(subscribe_fields),
                         &service->subscribe);
}

static const JsonField dbus_fields[] = {
        {"bus", JSON_FIELD_STRING, offsetof(MappingService, bus), .check = name_check_bus},
        {"name", JSON_FIELD_STRING, offsetof(MappingService, bus_name),
         .check = name_family_check_bus_name, .required = true},
        {"activate", JSON_FIELD_BOOLEAN, offsetof(MappingService, activate)},
        {"object_manager", JSON_FIELD_STRING, offsetof(MappingService, object_manager),
         .check = name_check_path},
        {"subscribe", JSON_FIELD_CUSTOM, .read = read_subscribe},
        {"unit", JSON_FIELD_STRING, offsetof(MappingService, unit), .check = name_check_unit},
};

static void read_dbus(JsonFile *file, uint32_t node, void *target)
{
        json_fields_read(file, node, dbus_fields, ARRAY_SIZE(dbus_fields), target);
}

static void read_provider(JsonFile *file, uint32_t node, void *target)
{
        static const JsonField field = {"provider", JSON_FIELD_WORD, 0, .words = provider_words};
        MappingService *service = target;
        int word = -1;

        json_field_read(file, node, &field, &word);
        if (word >= 0)
                service->provider = (MappingProvider)word;
}

static void read_allow(JsonFile *file, uint32_t node, void *target)
{
        MappingService *service = target;

        mapping_allow_read(file, node, &service->allow);
}

static void read_schema(JsonFile *file, uint32_t node, void *target)
{
        json_file_expect(file, node, JSON_STRING);
}

/* Objects are read when the D-Bus name is known, wherever in the file that is. */
static void expect_objects(JsonFile *file, uint32_t node, void *target)
{
        if (json_file_expect(file, node, JSON_ARRAY) && file->doc.nodes[node].count == 0)
                json_file_error(file, node, "expected one object at least");
}

#define AT(member) offsetof(MappingService, member)

static const JsonField service_fields[] = {
        {"$schema", JSON_FIELD_CUSTOM, .read = read_schema},
        {"service", JSON_FIELD_STRING, AT(name), .check = name_family_check_service,
         .required = true},
        {"summary", JSON_FIELD_STRING, AT(summary)},
        {"provider", JSON_FIELD_CUSTOM, .read = read_provider},
        {"dbus", JSON_FIELD_CUSTOM, .read = read_dbus, .required = true},
        {"release_when_lost", JSON_FIELD_BOOLEAN, AT(release_when_lost)},
        {"allow", JSON_FIELD_CUSTOM, .read = read_allow},
        {"introspection", JSON_FIELD_STRING, AT(introspection), .check = check_beside},
        {"max_in_flight", JSON_FIELD_UINT, AT(max_in_flight), 1, LIMIT_SERVICE_INFLIGHT},
        {"objects", JSON_FIELD_CUSTOM, .read = expect_objects, .required = true},
};

/* A family of bus names has a capture in its service name, and one bus name has none. */
static void read_family(JsonFile *file, MappingService *service)
{
        bool captures = service->name && strchr(service->name, '{');
        CLEANUP_ERROR Error *error = NULL;
        int r = 0;

        if (!service->name || !service->bus_name)
                return;
        if (name_family_is(service->bus_name)) {
                r = name_family_init(&service->family, service->bus_name, service->name, &error);
                service->is_family = r >= 0;
        } else if (captures) {
                r = error_set(&error, -EINVAL, "'%s' has a capture, but %s is one name",
                              service->name, service->bus_name);
        }
        if (r < 0)
                json_file_error(file, place_of(file, 0, "service"), "%s", error_text(error));
}

static void read_objects(JsonFile *file, MappingService *service)
{
        uint32_t objects = json_find(&file->doc, 0, "objects");

        if (objects == 0 || json_type(&file->doc, objects) != JSON_ARRAY)
                return;
        JSON_FOREACH (&file->doc, objects, node)
                read_object(file, node, service);
}

/* As it was when the family was loaded, for its members. */
static int read_introspection_file(const char *path, const MappingService *family, char **ret_text,
                                   size_t *ret_length, Error **ret_error)
{
        if (!family)
                return file_read(path, LIMIT_INTROSPECTION_BYTES, ret_text, ret_length, ret_error);
        *ret_text = strdup(family->source_xml);
        *ret_length = strlen(family->source_xml);
        return *ret_text ? 0 : error_set(ret_error, -ENOMEM, "out of memory");
}

/* A file beside the mapping is as good as what the mapping says: errors in it are errors here. */
static void apply_introspection_file(JsonFile *file, MappingService *service,
                                     const MappingService *family)
{
        CLEANUP_FREE char *path = file_beside(file->name, service->introspection);
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_FREE char *text = NULL;
        CLEANUP_ERROR Error *error = NULL;
        size_t length = 0;
        int r;

        if (!path) {
                json_file_out_of_memory(file);
                return;
        }
        r = read_introspection_file(path, family, &text, &length, &error);
        if (r >= 0)
                r = introspection_parse(text, length, path, file->diagnostics, &introspection,
                                        &error);
        if (r < 0) {
                json_file_error(file, json_find(&file->doc, 0, "introspection"), "%s",
                                error_text(error));
                return;
        }
        mapping_digest_add(&service->digest, text, length);
        if (service->is_family)
                service->source_xml = STEAL(text);
        for (MappingObject *object = service->objects; object; object = object->hh.next) {
                mapping_object_set_introspection(object, introspection);
                if (mapping_object_compile(object, file, file->diagnostics) < 0)
                        json_file_out_of_memory(file);
        }
        if (service->provider != MAPPING_PROVIDER_DBUS)
                service->document = STEAL(introspection);
}

static void keep_source(JsonFile *file, MappingService *service)
{
        service->source = strdup(file->text);
        if (!service->source)
                json_file_out_of_memory(file);
}

/* `family` is that of which a member is made, or NULL. */
static int compile(JsonFile *file, const MappingService *family, MappingService **ret_service)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;

        service = mapping_service_new(file->name);
        if (!service) {
                json_file_out_of_memory(file);
                return -ENOMEM;
        }
        mapping_digest_add(&service->digest, file->text, strlen(file->text));
        json_fields_read(file, 0, service_fields, ARRAY_SIZE(service_fields), service);
        read_family(file, service);
        if (service->is_family)
                keep_source(file, service);
        read_objects(file, service);
        if (!json_file_failed(file))
                mapping_check_objects(service, file);
        if (service->introspection && !json_file_failed(file))
                apply_introspection_file(file, service, family);
        if (!json_file_failed(file))
                mapping_check_facade(service, file);
        if (json_file_failed(file))
                return -EINVAL;
        *ret_service = STEAL(service);
        return 0;
}

int mapping_load(const char *path, Diagnostics *diagnostics, MappingService **ret_service)
{
        CLEANUP_JSON_FILE JsonFile file = {};
        int r;

        r = json_file_load(&file, path, diagnostics);
        return r < 0 ? r : compile(&file, NULL, ret_service);
}

int mapping_parse(const char *name, const char *text, size_t length, Diagnostics *diagnostics,
                  MappingService **ret_service)
{
        CLEANUP_JSON_FILE JsonFile file = {};
        int r;

        r = json_file_parse(&file, name, text, length, diagnostics);
        return r < 0 ? r : compile(&file, NULL, ret_service);
}

/* What can be found fault with has been, when the family was loaded. */
int mapping_service_of_member(const MappingService *family, const char *bus_name,
                              MappingService **ret_service)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        CLEANUP_FREE char *name = NULL;
        char *copy;
        int r;

        r = name_family_service(&family->family, bus_name, &name);
        if (r >= 0)
                r = json_file_parse(&file, family->file, family->source, strlen(family->source),
                                    &diagnostics);
        if (r >= 0)
                r = compile(&file, family, &service);
        if (r < 0)
                return r;
        copy = strdup(bus_name);
        if (!copy)
                return -ENOMEM;
        free(service->bus_name);
        service->bus_name = copy;
        free(service->name);
        service->name = STEAL(name);
        service->is_family = false;
        *ret_service = STEAL(service);
        return 0;
}
