/* SPDX-License-Identifier: MIT */

/* native-service URI USER PASSWORD SERVICE
 *
 * A service made for MQTT that a gateway shows on D-Bus; runs until it is killed. Its root object
 * has the interface org.example.Native: Add(a:i b:i) → i, Who() → s  "SENDER UID HOPS" of whom a
 * gateway calls for Fail(name:s)                 an error with that name Sleep() is never answered
 *   Wrong() → s                  a text
 *   Say(text:s)                  sets the property Text and emits Said(text:s), then answers
 *   SayWrong(), TextWrong()      emit a signal, and set Text, with a number
 *   Poke()                       changes Volatile (invalidated) and Silent (not told)
 *   AddItem(name:s), RemoveItem(name:s)  objects items.NAME of the interface org.example.Item, with
 *                                the properties Name (s) and Size (u)
 * Text (s) and Level (u) can be set, Level to 100 at most; Model (s) is constant, Key (s) secret.
 * Any other method returns its arguments. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/util.h"
#include "mqttrpc/mqttrpc.h"

static MqttRpcBus *bus;
static const char *service;
static char *text;
static bool text_is_wrong;
static uint32_t level = 7, pokes;
static MqttRpcRequest *sleeper;

/* ---- methods ---- */

static int method_add(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        int32_t a, b;
        int r;

        r = mqttrpc_request_read(request, "ii", &a, &b);
        return r < 0 ? r : mqttrpc_request_reply_values(request, "i", a + b);
}

static int method_who(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *sender = mqttrpc_request_get_dbus_sender(request);
        const char *uid = mqttrpc_request_get_dbus_uid(request);
        char answer[600];

        snprintf(answer, sizeof(answer), "%s %s %u", sender ? sender : "-", uid ? uid : "-",
                 mqttrpc_request_get_hops(request));
        return mqttrpc_request_reply_values(request, "s", answer);
}

static int method_fail(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        r = mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND, "there is none");
        if (*name)
                (void)mqttrpc_error_set_name(*ret_error, name);
        return r;
}

static int method_sleep(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        mqttrpc_request_unref(sleeper);
        sleeper = mqttrpc_request_ref(request);
        return 0;
}

static int method_wrong(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply_values(request, "s", "5");
}

static int set_text(const char *value)
{
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(text);
        text = copy;
        text_is_wrong = false;
        return mqttrpc_property_changed(bus, service, "-", "Text");
}

static int method_say(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *value;
        int r;

        r = mqttrpc_request_get_string(request, 0, &value);
        if (r >= 0)
                r = set_text(value);
        if (r >= 0)
                r = mqttrpc_emit_signal(bus, service, "-", "Said", "v", "\"said\"");
        return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
}

static int method_say_wrong(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        int r;

        r = mqttrpc_emit_signal(bus, service, "-", "Said", "v", "5");
        return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
}

static int method_text_wrong(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        int r;

        text_is_wrong = true;
        r = mqttrpc_property_changed(bus, service, "-", "Text");
        return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
}

static int method_poke(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        int r;

        pokes++;
        r = mqttrpc_property_changed(bus, service, "-", "Volatile");
        return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
}

/* ---- properties ---- */

static int get_text(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_FREE char *json = NULL;
        int r;

        if (text_is_wrong)
                return mqttrpc_value_set(value, "v", "5");
        r = mqttrpc_json_value(&json, "s", text ? text : "");
        return r < 0 ? r : mqttrpc_value_set(value, "v", json);
}

static int put_text(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *value;
        int r;

        r = mqttrpc_request_get_string(request, 0, &value);
        if (r >= 0)
                r = set_text(value);
        return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
}

static int get_level(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "u", level);
}

static int put_level(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        uint32_t wanted;
        int r;

        r = mqttrpc_request_read(request, "u", &wanted);
        if (r < 0)
                return r;
        if (wanted > 100)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS, "too high");
        level = wanted;
        return mqttrpc_request_reply(request, NULL, 0);
}

static int get_pokes(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "u", pokes);
}

static int get_constant(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        bool key = !strcmp(mqttrpc_value_get_property(value), "Key");

        return mqttrpc_value_set(value, "s", key ? "sesame" : "Model T");
}

/* ---- items ---- */

static int get_name(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "s", mqttrpc_value_get_object(value) + strlen("items."));
}

static int get_size(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "u", 3U);
}

static const MqttRpcMember item_vtable[] = {
        MQTTRPC_INTERFACE("org.example.Item"),
        MQTTRPC_PROPERTY("Name", "s", get_name, 0),
        MQTTRPC_PROPERTY("Size", "u", get_size, 0),
        MQTTRPC_END,
};

enum { MAX_ITEMS = 8 };

static struct {
        char *name;
        MqttRpcSlot *slot;
} items[MAX_ITEMS];

static int method_add_item(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < MAX_ITEMS; i++) {
                if (items[i].name)
                        continue;
                if (asprintf(&items[i].name, "items.%s", name) < 0)
                        return -ENOMEM;
                r = mqttrpc_add_object(bus, &items[i].slot, service, items[i].name, item_vtable,
                                       NULL, ret_error);
                return r < 0 ? r : mqttrpc_request_reply(request, NULL, 0);
        }
        return -EBUSY;
}

static int method_remove_item(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        int r;

        r = mqttrpc_request_get_string(request, 0, &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < MAX_ITEMS; i++)
                if (items[i].name && !strcmp(items[i].name + strlen("items."), name)) {
                        items[i].slot = mqttrpc_slot_unref(items[i].slot);
                        free(STEAL(items[i].name));
                        return mqttrpc_request_reply(request, NULL, 0);
                }
        return -ENOENT;
}

static int on_other(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);
        bool one = !strncmp(mqttrpc_request_get_method(request), "One", 3);

        return one ? mqttrpc_request_reply(request, params + 1, length - 2)
                   : mqttrpc_request_reply(request, params, length);
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_INTERFACE("org.example.Native"),
        MQTTRPC_METHOD("Add", "a:i b:i", "i", method_add, 0),
        MQTTRPC_METHOD("Who", "", "s", method_who, 0),
        MQTTRPC_METHOD("Fail", "name:s", "", method_fail, 0),
        MQTTRPC_METHOD("Sleep", "", "", method_sleep, 0),
        MQTTRPC_METHOD("Wrong", "", "s", method_wrong, 0),
        MQTTRPC_METHOD("Say", "text:s", "", method_say, 0),
        MQTTRPC_METHOD("SayWrong", "", "", method_say_wrong, 0),
        MQTTRPC_METHOD("TextWrong", "", "", method_text_wrong, 0),
        MQTTRPC_METHOD("Poke", "", "", method_poke, 0),
        MQTTRPC_METHOD("AddItem", "name:s", "", method_add_item, 0),
        MQTTRPC_METHOD("RemoveItem", "name:s", "", method_remove_item, 0),
        MQTTRPC_SIGNAL("Said", "text:v", 0),
        MQTTRPC_WRITABLE_PROPERTY("Text", "v", get_text, put_text, 0),
        MQTTRPC_WRITABLE_PROPERTY("Level", "u", get_level, put_level, 0),
        MQTTRPC_PROPERTY("Model", "s", get_constant, MQTTRPC_PROPERTY_CONST),
        MQTTRPC_PROPERTY("Key", "s", get_constant, MQTTRPC_SENSITIVE),
        MQTTRPC_PROPERTY("Volatile", "u", get_pokes, MQTTRPC_PROPERTY_INVALIDATES),
        MQTTRPC_PROPERTY("Silent", "u", get_pokes, MQTTRPC_PROPERTY_NO_SIGNAL),
        MQTTRPC_END,
};

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        int r;

        if (argc != 5)
                return 2;
        service = argv[4];
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, argv[2], argv[3]);
        if (r >= 0)
                r = mqttrpc_add_service(bus, NULL, service, vtable, NULL, &error);
        if (r >= 0)
                r = mqttrpc_add_fallback(bus, NULL, service, on_other, NULL, &error);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, &error);
        while (r >= 0) {
                r = mqttrpc_bus_process(bus);
                if (r == 0)
                        r = mqttrpc_bus_wait(bus, UINT64_MAX);
        }
        fprintf(stderr, "native-service: %s\n",
                error ? mqttrpc_error_get_message(error) : strerrordesc_np(-r));
        return 1;
}
