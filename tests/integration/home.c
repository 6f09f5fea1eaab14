/* SPDX-License-Identifier: MIT */

#include "tests/integration/home.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- the service ---- */

static int get_degrees(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        Home *home = userdata;

        if (home->broken)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_UNAVAILABLE, "no sensor");
        return mqttrpc_value_set(value, "d", home->degrees);
}

static int get_label(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        Home *home = userdata;

        return mqttrpc_value_set(value, "s", home->label);
}

static int set_label(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Home *home = userdata;
        const char *text;

        g_assert_cmpstr(mqttrpc_request_get_property(request), ==, "Label");
        g_assert_cmpint(mqttrpc_request_get_string(request, 0, &text), ==, 0);
        if (!*text)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "a label has text");
        home->n_set++;
        g_free(home->label);
        home->label = g_strdup(text);
        if (home->hold) {
                home->held = mqttrpc_request_ref(request);
                return 0;
        }
        return mqttrpc_request_reply(request, "\"not sent\"", SIZE_MAX);
}

static int get_name(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        g_assert_nonnull(mqttrpc_value_get_service(value));
        g_assert_nonnull(mqttrpc_value_get_object(value));
        return mqttrpc_value_set(value, "s", mqttrpc_value_get_property(value));
}

static int method_heat(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Home *home = userdata;

        home->degrees += 1;
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "Heated", "sd", "hall",
                                            home->degrees),
                        ==, 0);
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Degrees"), ==, 0);
        return mqttrpc_request_reply_values(request, "d", home->degrees);
}

static int method_hold(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Home *home = userdata;

        home->held = mqttrpc_request_ref(request);
        return 0;
}

const MqttRpcMember home_vtable[] = {
        MQTTRPC_INTERFACE("org.example.Thermo"),
        MQTTRPC_METHOD("Heat", "", "d", method_heat, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_METHOD("Hold", "", "", method_hold, 0),
        MQTTRPC_SIGNAL("Heated", "zone:s degrees:d", 0),
        MQTTRPC_SIGNAL("Ticked", "", 0),
        MQTTRPC_PROPERTY("Degrees", "d", get_degrees, 0),
        MQTTRPC_WRITABLE_PROPERTY("Label", "s", get_label, set_label, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_PROPERTY("Log", "s", get_name, MQTTRPC_PROPERTY_INVALIDATES),
        MQTTRPC_PROPERTY("Quiet", "s", get_name, MQTTRPC_PROPERTY_NO_SIGNAL),
        MQTTRPC_PROPERTY("Secret", "s", get_name, MQTTRPC_SENSITIVE),
        MQTTRPC_PROPERTY("Model", "s", get_name, MQTTRPC_PROPERTY_CONST),
        MQTTRPC_END,
};

/* ---- buses ---- */

MqttRpcBus *home_new_bus(Home *home, const char *caller)
{
        MqttRpcBus *bus = NULL;

        g_assert_cmpint(mqttrpc_bus_new(&bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(bus, broker_get_uri(home->broker), NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_caller(bus, caller), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_limit(bus, MQTTRPC_LIMIT_RECONNECT_USEC, 50000), ==, 0);
        loop_add_bus(bus);
        return bus;
}

void home_open(MqttRpcBus *bus)
{
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(bus) == MQTTRPC_STATE_CONNECTED));
}

bool home_sees(Home *home, const char *service, MqttRpcServiceState state)
{
        return LOOP_UNTIL(mqttrpc_bus_get_service_state(home->user, service) == state);
}

void home_start(Home *home)
{
        home_open(home->home);
        g_assert_true(home_sees(home, "thermo", MQTTRPC_SERVICE_READY));
}

void home_set_up(Home *home, gconstpointer unused)
{
        home->dir = temp_dir_new();
        home->broker = broker_new_with_config(
                home->dir, "allow_anonymous true\nmax_queued_messages 1000000\n");
        broker_start(home->broker);
        home->events = g_string_new(NULL);
        home->degrees = 20.5;
        home->label = g_strdup("hall");
        home->home = home_new_bus(home, "home");
        g_assert_cmpint(mqttrpc_add_service(home->home, NULL, "thermo", home_vtable, home, NULL),
                        ==, 0);
        home->user = home_new_bus(home, "user");
        home_open(home->user);
        home->client = raw_client_new(home->broker, NULL);
}

void home_tear_down(Home *home, gconstpointer unused)
{
        raw_client_free(home->client);
        loop_drop_bus(home->user);
        loop_drop_bus(home->home);
        mqttrpc_request_unref(home->held);
        broker_free(home->broker);
        temp_dir_free(home->dir);
        g_string_free(home->events, TRUE);
        g_free(home->label);
        g_free(home->result);
}

/* ---- events ---- */

static void on_signal(const MqttRpcSignal *signal, void *userdata)
{
        Home *home = userdata;
        size_t length;
        const char *params = mqttrpc_signal_get_params(signal, &length);

        g_assert_cmpuint(length, ==, strlen(params));
        g_assert_cmpstr(mqttrpc_signal_get_service(signal), ==, "thermo");
        g_string_append_printf(home->events, "signal %s %s %s", mqttrpc_signal_get_object(signal),
                               mqttrpc_signal_get_name(signal), params);
        if (mqttrpc_signal_get_lost(signal) > 0)
                g_string_append_printf(home->events, " lost %" PRIu64,
                                       mqttrpc_signal_get_lost(signal));
        g_string_append_c(home->events, '\n');
}

static void on_property(const MqttRpcPropertyEvent *event, void *userdata)
{
        const char *value = mqttrpc_property_event_get_value(event, NULL);
        Home *home = userdata;

        g_string_append_printf(home->events, "prop %s %s %s%s\n",
                               mqttrpc_property_event_get_object(event),
                               mqttrpc_property_event_get_property(event), value ? value : "-",
                               mqttrpc_property_event_is_stale(event) && value ? " stale" : "");
}

static void on_object(const MqttRpcObjectEvent *event, void *userdata)
{
        const char *meta = mqttrpc_object_event_get_meta(event, NULL);
        Home *home = userdata;

        g_string_append_printf(home->events, "object %s %s\n",
                               mqttrpc_object_event_get_object(event), meta ? meta : "-");
}

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        Home *home = userdata;

        g_string_append_printf(
                home->events, "service %s %s\n", mqttrpc_service_event_get_service(event),
                mqttrpc_service_state_to_name(mqttrpc_service_event_get_state(event)));
}

void home_watch(Home *home, MqttRpcSlot **ret_signals, MqttRpcSlot **ret_properties)
{
        g_assert_cmpint(mqttrpc_match_signal(home->user, ret_signals, "thermo", NULL, NULL,
                                             on_signal, home, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_watch_property(home->user, ret_properties, "thermo", NULL, NULL,
                                               on_property, home, NULL),
                        ==, 0);
}

void home_watch_objects(Home *home)
{
        g_assert_cmpint(
                mqttrpc_watch_object(home->user, NULL, "thermo", NULL, on_object, home, NULL), ==,
                0);
}

void home_watch_services(Home *home)
{
        g_assert_cmpint(mqttrpc_watch_service(home->user, NULL, NULL, on_service, home, NULL), ==,
                        0);
}

void home_expect(Home *home, const char *text)
{
        if (!LOOP_UNTIL(strstr(home->events->str, text) != NULL))
                g_error("not told of '%s', but of:\n%s", text, home->events->str);
}

void home_clear(Home *home)
{
        g_string_truncate(home->events, 0);
}

/* ---- calls ---- */

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Home *home = userdata;

        home->replies++;
        home->code = error ? mqttrpc_error_get_code(error) : 0;
        g_free(home->result);
        home->result = g_strdup(mqttrpc_reply_get_result(reply, NULL));
        return 0;
}

int home_start_call(Home *home, const char *service, const char *method, const char *params)
{
        return mqttrpc_call_async(home->user, NULL, service, "-", method, params, 0, 0, on_reply,
                                  home, NULL);
}

const char *home_call(Home *home, const char *object, const char *method, const char *params)
{
        unsigned before = home->replies;

        g_assert_cmpint(mqttrpc_call_async(home->user, NULL, "thermo", object, method, params, 0, 0,
                                           on_reply, home, NULL),
                        ==, 0);
        g_assert_true(LOOP_UNTIL(home->replies == before + 1));
        return home->result;
}

/* ---- the broker's memory ---- */

char *home_retained(Home *home, const char *topic)
{
        CLEANUP_RAW_CLIENT RawClient *reader = raw_client_new(home->broker, NULL);
        const RawMessage *message;

        raw_client_subscribe(reader, topic);
        raw_client_subscribe(reader, "mb1/nothing"); /* when that is in force, the rest has come */
        message = raw_client_poll(reader);
        return message ? g_strdup(message->payload) : NULL;
}

void home_retain(Home *home, const char *topic, const char *payload)
{
        const RawPublish message = {.topic = topic, .payload = payload, .qos = 1, .retain = true};

        (void)raw_client_publish(home->client, &message);
}
