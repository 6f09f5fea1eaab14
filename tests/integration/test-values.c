/* SPDX-License-Identifier: MIT */

/* Typed values on both sides of a call: what a service reads and answers, what its caller reads. */

#include "tests/support/loop.h"
#include "tests/support/raw-client.h"

#include <errno.h>
#include <math.h>

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *bus; /* serves "net" and calls it */
        int status;      /* what the last handler got from an answering function */
        double degrees;  /* of the property "Degrees" */
        double told;     /* the same, as it came by a signal or a watch; 0: not yet */
        unsigned gone;
} Fixture;

static int method_swap(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *name;
        int64_t number;

        g_assert_cmpint(mqttrpc_request_read(request, "sx", &name, &number), ==, 0);
        g_assert_cmpint(mqttrpc_request_read(request, "s", &name), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_request_read(request, "xs", &number, &name), ==, -EINVAL);
        return mqttrpc_request_reply_values(request, "xs", number, name);
}

static int method_reverse(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        g_autofree guint8 *reversed = NULL;
        const void *bytes;
        size_t length;

        g_assert_cmpint(mqttrpc_request_read(request, "ay", &bytes, &length), ==, 0);
        reversed = g_memdup2(bytes, length);
        for (size_t i = 0; i < length; i++)
                reversed[i] = ((const guint8 *)bytes)[length - 1 - i];
        return mqttrpc_request_reply_values(request, "ay", (unsigned)length, reversed);
}

static int method_nothing(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Fixture *fixture = userdata;
        int r;

        r = mqttrpc_request_reply_values(request, NULL);
        fixture->status = mqttrpc_request_reply_values(request, "s", "again");
        return r;
}

static int method_latin1(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Fixture *fixture = userdata;

        fixture->status = mqttrpc_request_reply_values(request, "s", "caf\xe9");
        return fixture->status;
}

static int on_any(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        const char *text;
        int r;

        r = mqttrpc_request_read(request, "s", &text);
        return r < 0 ? r : mqttrpc_request_reply_values(request, "s", text);
}

static int get_degrees(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_value_set(value, "d", ((Fixture *)userdata)->degrees);
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_SIGNAL("Warmer", "zone:s degrees:d", 0),
        MQTTRPC_PROPERTY("Degrees", "d", get_degrees, 0),
        MQTTRPC_METHOD("Swap", "name:s number:x", "(xs)", method_swap, 0),
        MQTTRPC_METHOD("Reverse", "bytes:ay", "ay", method_reverse, 0),
        MQTTRPC_METHOD("Nothing", "", "", method_nothing, 0),
        MQTTRPC_METHOD("Latin1", "", "s", method_latin1, 0),
        MQTTRPC_END,
};

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir, "allow_anonymous true\n");
        broker_start(fixture->broker);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_add_service(fixture->bus, NULL, "net", vtable, fixture, NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "any", on_any, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_wait_connected(fixture->bus, WAIT_MSEC * 1000, NULL), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqttrpc_bus_close(fixture->bus);
        mqttrpc_bus_unref(fixture->bus);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
}

/* Takes `params` over. */
static MqttRpcReply *call(Fixture *fixture, const char *service, const char *method, char *params)
{
        MqttRpcError *error = NULL;
        MqttRpcReply *reply = NULL;
        int r;

        r = mqttrpc_call(fixture->bus, service, "-", method, params, WAIT_MSEC * 1000, 0, &reply,
                         &error);
        if (r < 0)
                g_error("%s: %s", method, mqttrpc_error_get_message(error));
        free(params);
        return reply;
}

static void test_there_and_back(Fixture *fixture, gconstpointer unused)
{
        const int64_t number = INT64_C(-9007199254740993);
        MqttRpcReply *reply;
        const char *name;
        char *params;
        int64_t back;

        g_assert_cmpint(mqttrpc_json_params(&params, "sx", "a \"name\" é", number), ==, 0);
        reply = call(fixture, "net", "Swap", params);
        g_assert_cmpint(mqttrpc_reply_read(reply, "xs", &back, &name), ==, 0);
        g_assert_cmpint(back, ==, number);
        g_assert_cmpstr(name, ==, "a \"name\" é");
        mqttrpc_reply_unref(reply);
}

static void test_bytes(Fixture *fixture, gconstpointer unused)
{
        MqttRpcReply *reply;
        const void *bytes;
        size_t length;
        char *params;

        g_assert_cmpint(mqttrpc_json_params(&params, "ay", 4U, "\0\1\2\xff"), ==, 0);
        reply = call(fixture, "net", "Reverse", params);
        g_assert_cmpint(mqttrpc_reply_read(reply, "ay", &bytes, &length), ==, 0);
        g_assert_cmpmem(bytes, length, "\xff\2\1\0", 4);
        mqttrpc_reply_unref(reply);
}

static void test_nothing_is_null(Fixture *fixture, gconstpointer unused)
{
        MqttRpcReply *reply = call(fixture, "net", "Nothing", NULL);

        g_assert_cmpstr(mqttrpc_reply_get_result(reply, NULL), ==, "null");
        g_assert_cmpint(mqttrpc_reply_read(reply, ""), ==, 0);
        g_assert_cmpint(fixture->status, ==, -EALREADY);
        mqttrpc_reply_unref(reply);
}

/* What a service cannot write is not its caller's mistake. */
static void test_unwritable_result_is_internal(Fixture *fixture, gconstpointer unused)
{
        MqttRpcError *error = NULL;

        g_assert_cmpint(mqttrpc_call(fixture->bus, "net", "-", "Latin1", NULL, WAIT_MSEC * 1000, 0,
                                     NULL, &error),
                        <, 0);
        g_assert_cmpint(fixture->status, ==, -EINVAL);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_INTERNAL);
        g_assert_cmpint(mqttrpc_error_get_executed(error), ==, MQTTRPC_EXECUTED_YES);
        mqttrpc_error_free(error);
}

/* A fallback's params come unchecked; what cannot be read is INVALID_PARAMS by its errno. */
static void test_unchecked_params(Fixture *fixture, gconstpointer unused)
{
        static const char *const bad[] = {"[]", "[5]", "[\"a\",\"b\"]", "{\"a\":\"b\"}"};
        MqttRpcReply *reply = call(fixture, "any", "Echo", g_strdup("[\"\\u00e9\"]"));
        const char *text;

        g_assert_cmpint(mqttrpc_reply_read(reply, "s", &text), ==, 0);
        g_assert_cmpstr(text, ==, "é");
        mqttrpc_reply_unref(reply);
        for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
                MqttRpcError *error = NULL;

                g_assert_cmpint(mqttrpc_call(fixture->bus, "any", "-", "Echo", bad[i],
                                             WAIT_MSEC * 1000, 0, NULL, &error),
                                ==, -EINVAL);
                g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_INVALID_PARAMS);
                mqttrpc_error_free(error);
        }
}

#define RUN_UNTIL(fixture, condition)                                                     \
        do {                                                                              \
                gint64 deadline = wait_deadline(WAIT_MSEC);                               \
                while (!(condition)) {                                                    \
                        g_assert_cmpint(wait_left(deadline), >, 0);                       \
                        g_assert_cmpint(mqttrpc_bus_wait((fixture)->bus, 100000), >=, 0); \
                        g_assert_cmpint(mqttrpc_bus_process((fixture)->bus), >=, 0);      \
                }                                                                         \
        } while (0)

static void on_warmer(const MqttRpcSignal *signal, void *userdata)
{
        Fixture *fixture = userdata;
        const char *zone;
        double degrees;

        g_assert_cmpint(mqttrpc_signal_read(signal, "d", &degrees), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_signal_read(signal, "sd", &zone, &degrees), ==, 0);
        g_assert_cmpstr(zone, ==, "bath");
        fixture->told = degrees;
}

static void test_signal(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_match_signal(fixture->bus, NULL, "net", "-", "Warmer", on_warmer,
                                             fixture, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_sync(fixture->bus, WAIT_MSEC * 1000), ==, 0);
        g_assert_cmpint(mqttrpc_emit_signal(fixture->bus, "net", "-", "Warmer", "sd", "bath", 21.5),
                        ==, 0);
        RUN_UNTIL(fixture, fixture->told != 0);
        g_assert_cmpfloat(fixture->told, ==, 21.5);
}

static void on_degrees(const MqttRpcPropertyEvent *event, void *userdata)
{
        Fixture *fixture = userdata;
        bool flag;

        g_assert_cmpint(mqttrpc_property_event_read(event, "b", &flag), <, 0);
        if (mqttrpc_property_event_get_value(event, NULL))
                g_assert_cmpint(mqttrpc_property_event_read(event, "d", &fixture->told), ==, 0);
        else
                fixture->gone += mqttrpc_property_event_read(event, "d", &fixture->told) == -ENOENT;
}

static void test_property(Fixture *fixture, gconstpointer unused)
{
        const char *const *no_interfaces = NULL;

        fixture->degrees = 19;
        g_assert_cmpint(mqttrpc_property_changed(fixture->bus, "net", "-", "Degrees"), ==, 0);
        g_assert_cmpint(mqttrpc_watch_property(fixture->bus, NULL, NULL, NULL, "Degrees",
                                               on_degrees, fixture, NULL),
                        ==, 0);
        RUN_UNTIL(fixture, fixture->told == 19);
        g_assert_cmpint(
                mqttrpc_property_publish(fixture->bus, "any", "x", "Degrees", "\"NaN\"", SIZE_MAX),
                ==, 0);
        g_assert_cmpint(mqttrpc_object_announce(fixture->bus, "any", "x", no_interfaces), ==, 0);
        RUN_UNTIL(fixture, isnan(fixture->told));
        g_assert_cmpint(mqttrpc_object_remove(fixture->bus, "any", "x"), ==, 0);
        RUN_UNTIL(fixture, fixture->gone == 1);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/values/there-and-back", test_there_and_back},
                {"/values/bytes", test_bytes},
                {"/values/nothing-is-null", test_nothing_is_null},
                {"/values/unwritable-result-is-internal", test_unwritable_result_is_internal},
                {"/values/unchecked-params", test_unchecked_params},
                {"/values/signal", test_signal},
                {"/values/property", test_property},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
