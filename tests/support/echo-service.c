/* SPDX-License-Identifier: MIT */

/* echo-service URI USER PASSWORD SERVICE
 *
 * A small service for tests of clients. It prints "ready" as soon as it can be called, and runs
 * until it is killed. Methods of its root object:
 *   Echo(value:v) → v         the value, as it came
 *   Add(a:x b:x) → x          for arguments by name
 *   Fail(code:i message:s name:s retry_after_ms:u)
 *                             an error; name "" and 0 leave that member out
 *   Sleep(msec:u) → s         "slept", later, and says "sleeping" on its standard output at once;
                             at most as many at a time as there are sleepers
 *   Note(text:s)              remembers the text, and emits Remembered(text:s)
 *   Noted() → s               the text remembered last
 * Its properties: LastNote (s) is that text; Level (u) can be set, to 100 at most; Model (s) is
 * constant. The objects zones.hall and zones.kitchen have the interface org.example.Zone: Heat(
 * degrees:i) → i adds to the property Degrees (i), and emits Heated(degrees:i). */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/util.h"
#include "mqttrpc/mqttrpc.h"

typedef struct Sleeper {
        MqttRpcRequest *request; /* NULL: free */
        uint64_t wake_usec;
} Sleeper;

static Sleeper sleepers[16];
static char *noted;
static MqttRpcBus *bus;
static const char *service_name;
static uint32_t level = 7;

/* ---- methods ---- */

static int method_echo(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);

        /* "[value]": one argument, checked by the vtable */
        return mqttrpc_request_reply(request, params + 1, length - 2);
}

static int method_add(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        char text[24];
        int64_t a, b;

        if (mqttrpc_request_get_int64(request, 0, &a) < 0 ||
            mqttrpc_request_get_int64(request, 1, &b) < 0)
                return -EINVAL;
        if (__builtin_add_overflow(a, b, &a))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_FAILED, "the sum is too large");
        snprintf(text, sizeof(text), "%" PRId64, a);
        return mqttrpc_request_reply(request, text, SIZE_MAX);
}

static int method_fail(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *message, *name;
        uint64_t retry;
        int64_t code;

        if (mqttrpc_request_get_int64(request, 0, &code) < 0 ||
            mqttrpc_request_get_string(request, 1, &message) < 0 ||
            mqttrpc_request_get_string(request, 2, &name) < 0 ||
            mqttrpc_request_get_uint64(request, 3, &retry) < 0)
                return -EINVAL;
        *ret_error = mqttrpc_error_new((int)code, "%s", message);
        if (*name)
                (void)mqttrpc_error_set_name(*ret_error, name);
        if (retry > 0)
                (void)mqttrpc_error_set_retry_after(*ret_error, retry);
        return mqttrpc_error_get_errno(*ret_error);
}

static int method_sleep(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        uint64_t msec;

        if (mqttrpc_request_get_uint64(request, 0, &msec) < 0)
                return -EINVAL;
        for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++)
                if (!sleepers[i].request) {
                        sleepers[i].request = mqttrpc_request_ref(request);
                        sleepers[i].wake_usec = clock_now() + msec * USEC_PER_MSEC;
                        puts("sleeping");
                        fflush(stdout);
                        return 0;
                }
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY, "too many sleepers");
}

static int method_note(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *text;
        char *copy;

        if (mqttrpc_request_get_string(request, 0, &text) < 0)
                return -EINVAL;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(noted);
        noted = copy;
        (void)mqttrpc_property_changed(bus, service_name, "-", "LastNote");
        (void)mqttrpc_emit_signal(bus, service_name, "-", "Remembered", "s", noted);
        return mqttrpc_request_reply(request, NULL, SIZE_MAX);
}

static int method_noted(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r;

        r = json_write_string(&text, noted ? noted : "", noted ? strlen(noted) : 0);
        return r < 0 ? r : mqttrpc_request_reply(request, buffer_text(&text), text.length);
}

static int get_note(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "s", noted ? noted : "");
}

static int get_level(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "u", level);
}

static int set_level(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        uint64_t wanted;

        if (mqttrpc_request_get_uint64(request, 0, &wanted) < 0)
                return -EINVAL;
        if (wanted > 100)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "a level is at most 100");
        level = (uint32_t)wanted;
        return mqttrpc_request_reply(request, NULL, SIZE_MAX);
}

static int get_model(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "s", "E-1");
}

/* ---- zones ---- */

typedef struct Zone {
        const char *object;
        int degrees;
} Zone;

static Zone zones[] = {{"zones.hall", 18}, {"zones.kitchen", 21}};

static int method_heat(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Zone *zone = userdata;
        int64_t degrees;

        if (mqttrpc_request_get_int64(request, 0, &degrees) < 0)
                return -EINVAL;
        zone->degrees = (int)(zone->degrees + degrees % 100);
        (void)mqttrpc_property_changed(bus, service_name, zone->object, "Degrees");
        (void)mqttrpc_emit_signal(bus, service_name, zone->object, "Heated", "i", zone->degrees);
        return mqttrpc_request_reply_values(request, "i", zone->degrees);
}

static int get_degrees(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        const Zone *zone = userdata;

        return mqttrpc_value_set(value, "i", zone->degrees);
}

static const MqttRpcMember zone_members[] = {
        MQTTRPC_INTERFACE("org.example.Zone"),
        MQTTRPC_METHOD("Heat", "degrees:i", "i", method_heat, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_PROPERTY("Degrees", "i", get_degrees, MQTTRPC_ACCESS_READ),
        MQTTRPC_SIGNAL("Heated", "degrees:i", MQTTRPC_ACCESS_READ),
        MQTTRPC_END,
};

static int add_zones(MqttRpcError **ret_error)
{
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(zones) && r >= 0; i++)
                r = mqttrpc_add_object(bus, NULL, service_name, zones[i].object, zone_members,
                                       &zones[i], ret_error);
        return r;
}

/* ---- */

static const MqttRpcMember methods[] = {
        MQTTRPC_METHOD("Echo", "value:v", "v", method_echo, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Add", "a:x b:x", "x", method_add, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Fail", "code:i message:s name:s retry_after_ms:u", "", method_fail, 0),
        MQTTRPC_METHOD("Sleep", "msec:u", "s", method_sleep, 0),
        MQTTRPC_METHOD("Note", "text:s", "", method_note, 0),
        MQTTRPC_METHOD("Noted", "", "s", method_noted, MQTTRPC_ACCESS_READ),
        MQTTRPC_PROPERTY("LastNote", "s", get_note, MQTTRPC_ACCESS_READ),
        MQTTRPC_WRITABLE_PROPERTY("Level", "u", get_level, set_level, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_PROPERTY("Model", "s", get_model, MQTTRPC_ACCESS_READ | MQTTRPC_PROPERTY_CONST),
        MQTTRPC_SIGNAL("Remembered", "text:s", MQTTRPC_ACCESS_READ),
        MQTTRPC_END,
};

/* ---- */

/* Answers who has slept enough, and returns how long the next one has to go. */
static uint64_t wake_sleepers(void)
{
        uint64_t now = clock_now(), wait = USEC_INFINITY;

        for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
                if (!sleepers[i].request)
                        continue;
                if (sleepers[i].wake_usec > now) {
                        wait = MIN(wait, sleepers[i].wake_usec - now);
                        continue;
                }
                (void)mqttrpc_request_reply(sleepers[i].request, "\"slept\"", SIZE_MAX);
                sleepers[i].request = mqttrpc_request_unref(sleepers[i].request);
        }
        return wait;
}

static void on_state(MqttRpcBus *of, MqttRpcState state, const MqttRpcError *reason, void *userdata)
{
        if (state == MQTTRPC_STATE_WAITING)
                fprintf(stderr, "%s\n", mqttrpc_error_get_message(reason));
}

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        if (mqttrpc_service_event_get_state(event) != MQTTRPC_SERVICE_READY)
                return;
        puts("ready");
        fflush(stdout);
}

int main(int argc, char **argv)
{
        MqttRpcError *error = NULL;
        int r;

        if (argc != 5) {
                fprintf(stderr, "usage: echo-service URI USER PASSWORD SERVICE\n");
                return 2;
        }
        service_name = argv[4];
        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, argv[1], &error);
        if (r >= 0)
                r = mqttrpc_bus_set_credentials(bus, argv[2], argv[3]);
        if (r >= 0)
                r = mqttrpc_add_service(bus, NULL, argv[4], methods, NULL, &error);
        if (r >= 0)
                r = add_zones(&error);
        if (r >= 0)
                r = mqttrpc_service_set_detail(bus, argv[4], "ver", "\"1.2\"");
        if (r >= 0)
                r = mqttrpc_service_set_detail(bus, argv[4], "summary", "\"echoes\"");
        if (r >= 0)
                r = mqttrpc_watch_service(bus, NULL, argv[4], on_service, NULL, &error);
        if (r >= 0) {
                mqttrpc_bus_set_state_handler(bus, on_state, NULL);
                r = mqttrpc_bus_open(bus, &error);
        }
        while (r >= 0) {
                uint64_t wait = wake_sleepers();

                r = mqttrpc_bus_process(bus);
                if (r == 0)
                        r = mqttrpc_bus_wait(bus, wait);
        }
        fprintf(stderr, "echo-service: %s\n",
                error ? mqttrpc_error_get_message(error) : strerror(-r));
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(bus);
        free(noted);
        return 1;
}
