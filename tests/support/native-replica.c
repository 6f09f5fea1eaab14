/* SPDX-License-Identifier: MIT */

/* native-replica URI USER PASSWORD SERVICE STATE
 *
 * A service made for MQTT that is what a file says, to stand for one that was recorded; runs until
 * it is killed. STATE is JSON:
 *
 *   { "objects": { "-": { "interfaces": ["org.example.A"], "properties": { "P": 1 },
 *                         "secrets": { "S": "x" } } },
 *     "replies": { "- Get [\"x\"]": 5, "- List": [] },
 *     "sets": { "- SetP": "P" } }
 *
 * A method answers with the reply for its object, name and params, else with that for object and
 * name; one of "sets" sets a property to its first argument and returns null. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/file.h"
#include "common/json-scan.h"
#include "common/limits.h"
#include "mqttrpc/mqttrpc.h"

typedef struct Property {
        char *name;
        char *json; /* the present value */
} Property;

typedef struct Object {
        char *name;
        Property *properties;
        size_t n_properties;
        MqttRpcMember *vtable;
        size_t n_members;
} Object;

static MqttRpcBus *bus;
static const char *service;
static JsonDoc state;
static Object *objects;
static size_t n_objects;

static void fail(const char *what)
{
        fprintf(stderr, "native-replica: %s\n", what);
        exit(1);
}

static void *must(void *pointer)
{
        if (!pointer)
                fail("out of memory");
        return pointer;
}

static char *dup_string(uint32_t node)
{
        char *text = NULL;

        if (json_string_dup(&state, node, &text) < 0)
                fail("the state is not as it has to be");
        return text;
}

static char *dup_raw(uint32_t node)
{
        size_t length;
        const char *raw = json_raw(&state, node, &length);

        return must(strndup(raw, length));
}

static uint32_t find(uint32_t object, const char *key, JsonType type)
{
        uint32_t node = object < state.n_nodes ? json_find(&state, object, key) : 0;

        if (node > 0 && json_type(&state, node) != type)
                fail("the state is not as it has to be");
        return node;
}

/* ---- properties ---- */

static Property *find_property(Object *object, const char *name)
{
        for (size_t i = 0; i < object->n_properties; i++)
                if (!strcmp(object->properties[i].name, name))
                        return &object->properties[i];
        return NULL;
}

static int get_value(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        const Property *property = find_property(userdata, mqttrpc_value_get_property(value));

        return property ? mqttrpc_value_set(value, "v", property->json) : -ENOENT;
}

static Object *find_object(const char *name)
{
        for (size_t i = 0; i < n_objects; i++)
                if (!strcmp(objects[i].name, name))
                        return &objects[i];
        return NULL;
}

/* ---- methods ---- */

static int set_property(MqttRpcRequest *request, const char *property_name)
{
        Object *object = find_object(mqttrpc_request_get_object(request));
        Property *property = object ? find_property(object, property_name) : NULL;
        const char *value;
        char *json = NULL;
        int r;

        r = property ? mqttrpc_request_get_string(request, 0, &value) : -ENOENT;
        if (r >= 0)
                r = mqttrpc_json_value(&json, "s", value);
        if (r < 0)
                return r;
        free(property->json);
        property->json = json;
        r = mqttrpc_property_changed(bus, service, object->name, property->name);
        return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
}

static int on_method(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        uint32_t replies = find(0, "replies", JSON_OBJECT), sets = find(0, "sets", JSON_OBJECT);
        CLEANUP_BUFFER Buffer key = BUFFER_INIT(0);
        uint32_t reply = 0, set = 0;
        size_t length, short_length;
        const char *params, *raw;

        params = mqttrpc_request_get_params(request, &length);
        buffer_printf(&key, "%s %s", mqttrpc_request_get_object(request),
                      mqttrpc_request_get_method(request));
        short_length = key.length;
        if (sets > 0)
                set = json_find(&state, sets, buffer_text(&key));
        if (set > 0) {
                CLEANUP_FREE char *name = dup_string(set);

                return set_property(request, name);
        }
        buffer_printf(&key, " %.*s", (int)length, params ? params : "");
        if (replies > 0)
                reply = json_find(&state, replies, buffer_text(&key));
        buffer_truncate(&key, short_length);
        if (reply == 0 && replies > 0)
                reply = json_find(&state, replies, buffer_text(&key));
        if (reply == 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND,
                                         "nothing was recorded of %s", buffer_text(&key));
        raw = json_raw(&state, reply, &length);
        return mqttrpc_request_reply(request, raw, length);
}

/* ---- objects ---- */

static void add_properties(Object *object, uint32_t list, unsigned flags)
{
        if (list == 0)
                return;
        JSON_FOREACH (&state, list, key) {
                Property property = {.name = dup_string(key), .json = dup_raw(key + 1)};

                object->properties[object->n_properties++] = property;
                object->vtable[object->n_members++] =
                        (MqttRpcMember)MQTTRPC_PROPERTY(property.name, "v", get_value, flags);
        }
}

static unsigned count(uint32_t list)
{
        return list > 0 ? state.nodes[list].count : 0;
}

static void read_object(Object *object, uint32_t key)
{
        uint32_t interfaces = find(key + 1, "interfaces", JSON_ARRAY);
        uint32_t properties = find(key + 1, "properties", JSON_OBJECT);
        uint32_t secrets = find(key + 1, "secrets", JSON_OBJECT);
        size_t n = count(properties) + count(secrets);

        object->name = dup_string(key);
        object->properties = must(calloc(n + 1, sizeof(*object->properties)));
        object->vtable = must(calloc(n + count(interfaces) + 1, sizeof(*object->vtable)));
        if (interfaces > 0)
                JSON_FOREACH (&state, interfaces, item)
                        object->vtable[object->n_members++] =
                                (MqttRpcMember)MQTTRPC_INTERFACE(dup_string(item));
        add_properties(object, properties, 0);
        add_properties(object, secrets, MQTTRPC_SENSITIVE);
        object->vtable[object->n_members] = (MqttRpcMember)MQTTRPC_END;
}

static void read_state(const char *path)
{
        uint32_t list;
        size_t length;
        char *text;

        if (file_read(path, LIMIT_FILE_BYTES, &text, &length, NULL) < 0 ||
            json_scan(&state, text, length, JSON_SCAN_STRICT) < 0)
                fail("the state cannot be read");
        list = find(0, "objects", JSON_OBJECT);
        objects = must(calloc(count(list) + 1, sizeof(*objects)));
        if (list > 0)
                JSON_FOREACH (&state, list, key)
                        read_object(&objects[n_objects++], key);
}

static int offer(MqttRpcError **ret_error)
{
        static const MqttRpcMember nothing[] = {MQTTRPC_END};
        Object *root = find_object("-");
        int r;

        r = mqttrpc_add_service(bus, NULL, service, root ? root->vtable : nothing, root, ret_error);
        for (size_t i = 0; i < n_objects && r >= 0; i++)
                if (&objects[i] != root)
                        r = mqttrpc_add_object(bus, NULL, service, objects[i].name,
                                               objects[i].vtable, &objects[i], ret_error);
        if (r >= 0)
                r = mqttrpc_add_fallback(bus, NULL, service, on_method, NULL, ret_error);
        return r;
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        int r;

        if (argc != 6)
                return 2;
        service = argv[4];
        read_state(argv[5]);
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, argv[2], argv[3]);
        if (r >= 0)
                r = offer(&error);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, &error);
        while (r >= 0) {
                r = mqttrpc_bus_process(bus);
                if (r == 0)
                        r = mqttrpc_bus_wait(bus, UINT64_MAX);
        }
        fprintf(stderr, "native-replica: %s\n",
                error ? mqttrpc_error_get_message(error) : strerrordesc_np(-r));
        return 1;
}
