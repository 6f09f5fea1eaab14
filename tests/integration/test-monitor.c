/* SPDX-License-Identifier: MIT */

/* Seeing what others do: calls as they pass the broker, descriptions, and lists that are complete
 * when they are said to be. */

#include "tests/support/loop.h"
#include "tests/support/raw-client.h"

#include <errno.h>
#include <string.h>

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        RawClient *client;
        MqttRpcBus *bus; /* serves nothing */
        GString *seen;   /* what handlers were told */
        MqttRpcSlot *slot;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer unused)
{
        static const RawOptions options = {.id = "raw"};

        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir, "allow_anonymous true\n");
        broker_start(fixture->broker);
        fixture->client = raw_client_new(fixture->broker, &options);
        fixture->seen = g_string_new(NULL);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        loop_add_bus(fixture->bus);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(fixture->bus) == MQTTRPC_STATE_CONNECTED));
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        fixture->bus = loop_drop_bus(fixture->bus);
        raw_client_free(fixture->client);
        broker_free(fixture->broker);
        g_string_free(fixture->seen, TRUE);
        temp_dir_free(fixture->dir);
}

static void publish(Fixture *fixture, const char *topic, const char *payload, bool retain)
{
        const RawPublish message = {.topic = topic, .payload = payload, .qos = 1, .retain = retain};

        (void)raw_client_publish(fixture->client, &message); /* 0x10: nobody has subscribed */
}

static void on_synced(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        g_assert_null(error);
        *(bool *)userdata = true;
}

static void sync_bus(Fixture *fixture)
{
        bool done = false;

        g_assert_cmpint(mqttrpc_bus_sync_async(fixture->bus, NULL, on_synced, &done), ==, 0);
        g_assert_true(LOOP_UNTIL(done));
}

/* ---- calls ---- */

static void on_message(const MqttRpcCallMessage *message, void *userdata)
{
        const char *method = mqttrpc_call_message_get_method(message);
        Fixture *fixture = userdata;
        const char *payload;
        size_t length;

        payload = mqttrpc_call_message_get_payload(message, &length);
        g_assert_cmpuint(strlen(payload), ==, length);
        g_assert_true(payload == mqttrpc_call_message_get_payload(message, NULL));
        g_string_append_printf(fixture->seen, "%s %s %s %s %s %s\n",
                               mqttrpc_call_message_is_reply(message) ? "reply" : "call",
                               mqttrpc_call_message_get_service(message),
                               mqttrpc_call_message_get_object(message), method ? method : "-",
                               mqttrpc_call_message_get_caller(message), payload);
}

static void test_shows_calls(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_monitor_calls(fixture->bus, &fixture->slot, "net", NULL, on_message,
                                              fixture, NULL),
                        ==, 0);
        sync_bus(fixture);
        publish(fixture, "mb1/net/-/call/Scan/alice", "{\"id\":1}", false);
        publish(fixture, "mb1/net/-/call/Scan/alice/reply", "{\"id\":1,\"result\":2}", false);
        publish(fixture, "mb1/net/eth0/rpc/bob", "no JSON", false);
        publish(fixture, "mb1/net/eth0/rpc/bob/reply", "[]", false);
        publish(fixture, "mb1/other/-/call/Scan/alice", "{}", false);
        publish(fixture, "mb1/net/-/call/Scan/alice/too/deep", "{}", false);
        publish(fixture, "mb1/net/-/call/End/alice", "", false);
        g_assert_true(LOOP_UNTIL(strstr(fixture->seen->str, "End")));
        g_assert_cmpstr(fixture->seen->str, ==,
                        "call net - Scan alice {\"id\":1}\n"
                        "reply net - Scan alice {\"id\":1,\"result\":2}\n"
                        "call net eth0 - bob no JSON\n"
                        "reply net eth0 - bob []\n"
                        "call net - End alice \n");
        fixture->slot = mqttrpc_slot_unref(fixture->slot);
}

static void test_filters_by_object(Fixture *fixture, gconstpointer unused)
{
        MqttRpcError *error = NULL;

        g_assert_cmpint(
                mqttrpc_monitor_calls(fixture->bus, NULL, NULL, "eth0", on_message, fixture, NULL),
                ==, 0);
        g_assert_cmpint(
                mqttrpc_monitor_calls(fixture->bus, NULL, "a/b", NULL, on_message, fixture, &error),
                ==, -EINVAL);
        mqttrpc_error_free(error);
        sync_bus(fixture);
        publish(fixture, "mb1/net/-/call/Scan/alice", "1", false);
        publish(fixture, "mb1/net/eth0/call/Up/alice", "2", false);
        g_assert_true(LOOP_UNTIL(fixture->seen->len > 0));
        g_assert_cmpstr(fixture->seen->str, ==, "call net eth0 Up alice 2\n");
}

static void on_last_message(const MqttRpcCallMessage *message, void *userdata)
{
        Fixture *fixture = userdata;

        on_message(message, userdata);
        fixture->slot = mqttrpc_slot_unref(fixture->slot);
}

static void test_may_end_in_its_handler(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_monitor_calls(fixture->bus, &fixture->slot, NULL, NULL,
                                              on_last_message, fixture, NULL),
                        ==, 0);
        g_assert_cmpint(
                mqttrpc_monitor_calls(fixture->bus, NULL, NULL, NULL, on_message, fixture, NULL),
                ==, 0);
        sync_bus(fixture);
        publish(fixture, "mb1/net/-/call/Scan/alice", "1", false);
        publish(fixture, "mb1/net/-/call/Scan/alice", "2", false);
        g_assert_true(LOOP_UNTIL(strstr(fixture->seen->str, " 2\n")));
        g_assert_cmpstr(fixture->seen->str, ==,
                        "call net - Scan alice 1\ncall net - Scan alice 1\n"
                        "call net - Scan alice 2\n");
}

/* A broker that comes back is subscribed to again. */
static void test_survives_the_broker(Fixture *fixture, gconstpointer unused)
{
        static const RawOptions options = {.id = "again"};

        g_assert_cmpint(
                mqttrpc_monitor_calls(fixture->bus, NULL, NULL, NULL, on_message, fixture, NULL),
                ==, 0);
        sync_bus(fixture);
        broker_kill(fixture->broker);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(fixture->bus) != MQTTRPC_STATE_CONNECTED));
        broker_start(fixture->broker);
        raw_client_free(fixture->client);
        fixture->client = raw_client_new(fixture->broker, &options);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(fixture->bus) == MQTTRPC_STATE_CONNECTED));
        sync_bus(fixture);
        publish(fixture, "mb1/net/-/call/Scan/alice", "1", false);
        g_assert_true(LOOP_UNTIL(fixture->seen->len > 0));
}

/* ---- descriptions ---- */

static void on_description(const MqttRpcDescriptionEvent *event, void *userdata)
{
        Fixture *fixture = userdata;
        const char *document;
        size_t length;

        document = mqttrpc_description_event_get_document(event, &length);
        g_assert_cmpuint(document ? strlen(document) : 0, ==, length);
        g_string_append_printf(fixture->seen, "%s %s\n",
                               mqttrpc_description_event_get_service(event),
                               document ? document : "gone");
}

static void test_shows_descriptions(Fixture *fixture, gconstpointer unused)
{
        publish(fixture, "mb1/net/$api", "{\"openrpc\":\"1\"}", true);
        publish(fixture, "mb1/other/$api", "{}", true);
        g_assert_cmpint(
                mqttrpc_watch_description(fixture->bus, NULL, "net", on_description, fixture, NULL),
                ==, 0);
        sync_bus(fixture);
        g_assert_cmpstr(fixture->seen->str, ==, "net {\"openrpc\":\"1\"}\n");
        g_string_truncate(fixture->seen, 0);
        publish(fixture, "mb1/net/$api", "{", true);
        publish(fixture, "mb1/net/$api", "", true);
        g_assert_true(LOOP_UNTIL(fixture->seen->len > 0));
        g_assert_cmpstr(fixture->seen->str, ==, "net gone\n");
}

/* ---- complete lists ---- */

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        Fixture *fixture = userdata;

        g_string_append_printf(fixture->seen, "%s\n", mqttrpc_service_event_get_service(event));
}

static void on_list(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        Fixture *fixture = userdata;

        g_assert_null(error);
        g_string_append(fixture->seen, "complete\n");
}

/* States are subscribed from the beginning, so a watch of them asks the broker for nothing. */
static void test_sync_waits_for_what_was_known(Fixture *fixture, gconstpointer unused)
{
        publish(fixture, "mb1/net/$state", "{\"state\":\"ready\",\"epoch\":\"0123456789abcdef\"}",
                true);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(fixture->bus, "net") ==
                                 MQTTRPC_SERVICE_READY));
        g_assert_cmpint(mqttrpc_watch_service(fixture->bus, NULL, NULL, on_service, fixture, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_sync_async(fixture->bus, NULL, on_list, fixture), ==, 0);
        g_assert_true(LOOP_UNTIL(strstr(fixture->seen->str, "complete")));
        g_assert_cmpstr(fixture->seen->str, ==, "net\ncomplete\n");
}

#define ADD(path, function) g_test_add("/monitor/" path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("calls/are-shown", test_shows_calls);
        ADD("calls/of-an-object", test_filters_by_object);
        ADD("calls/handler-ends-it", test_may_end_in_its_handler);
        ADD("calls/after-a-restart-of-the-broker", test_survives_the_broker);
        ADD("descriptions", test_shows_descriptions);
        ADD("sync-waits-for-what-was-known", test_sync_waits_for_what_was_known);
        return g_test_run();
}
