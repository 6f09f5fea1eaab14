/* SPDX-License-Identifier: MIT */

/* The broker is the authority: with the packaged configuration and grants by mqttrpc-adduser it
 * refuses the attacks that the topics are made to prevent. The attacker sees 0x87, the victims see
 * nothing at all. */

#include "tests/support/raw-client.h"

#include <errno.h>
#include <string.h>

enum { REFUSED = 0x87 };

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *net;    /* the service */
        MqttRpcBus *alice;  /* may call Scan */
        RawClient *mallory; /* may call Scan, too */
        RawClient *watcher; /* carol: no grants, reads what everybody may read */
        unsigned executed;
        MqttRpcRequest *held;
        char *caller; /* of the last request */
        unsigned replies;
        int code;
        char *result;
} Fixture;

static int method_scan(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Fixture *fixture = userdata;

        fixture->executed++;
        g_free(fixture->caller);
        fixture->caller = g_strdup(mqttrpc_request_get_caller(request));
        g_assert_null(fixture->held);
        fixture->held = mqttrpc_request_ref(request);
        return 0;
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_METHOD("Scan", "", "", method_scan, 0),
        MQTTRPC_METHOD("Reset", "", "", method_scan, 0),
        MQTTRPC_END,
};

static MqttRpcBus *new_bus(Fixture *fixture, const char *user)
{
        MqttRpcBus *bus;

        g_assert_cmpint(mqttrpc_bus_new(&bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(bus, broker_get_uri(fixture->broker), NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_credentials(bus, user, "pw"), ==, 0);
        return bus;
}

static void open_bus(MqttRpcBus *bus)
{
        loop_add_bus(bus);
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(bus) == MQTTRPC_STATE_CONNECTED));
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        static const char *const service[] = {"--service", "net", NULL};
        static const char *const scan[] = {"--call", "net/-/Scan", NULL};

        fixture->dir = temp_dir_new();
        fixture->broker = broker_new(fixture->dir);
        broker_add_user(fixture->broker, "net", "pw", service);
        broker_add_user(fixture->broker, "alice", "pw", scan);
        broker_add_user(fixture->broker, "mallory", "pw", scan);
        broker_add_user(fixture->broker, "carol", "pw", NULL);
        broker_start(fixture->broker);
        fixture->net = new_bus(fixture, "net");
        g_assert_cmpint(mqttrpc_add_service(fixture->net, NULL, "net", vtable, fixture, NULL), ==,
                        0);
        open_bus(fixture->net);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(fixture->net, "net") ==
                                 MQTTRPC_SERVICE_READY));
        fixture->alice = new_bus(fixture, "alice");
        open_bus(fixture->alice);
        fixture->mallory =
                raw_client_new(fixture->broker, &(RawOptions){.user = "mallory", .password = "pw"});
        raw_client_subscribe_fresh(fixture->mallory, "#");
        fixture->watcher =
                raw_client_new(fixture->broker, &(RawOptions){.user = "carol", .password = "pw"});
        raw_client_subscribe(fixture->watcher, "mb1/+/+/sig/+");
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqttrpc_request_unref(fixture->held);
        loop_drop_bus(fixture->net);
        loop_drop_bus(fixture->alice);
        raw_client_free(fixture->mallory);
        raw_client_free(fixture->watcher);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
        g_free(fixture->caller);
        g_free(fixture->result);
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Fixture *fixture = userdata;

        fixture->replies++;
        fixture->code = error ? mqttrpc_error_get_code(error) : 0;
        g_free(fixture->result);
        fixture->result = g_strdup(error ? mqttrpc_error_get_message(error)
                                         : mqttrpc_reply_get_result(reply, NULL));
        return 0;
}

static void call(Fixture *fixture, const char *method)
{
        g_assert_cmpint(mqttrpc_call_async(fixture->alice, NULL, "net", "-", method, NULL, 0, 0,
                                           on_reply, fixture, NULL),
                        ==, 0);
}

static void attack(Fixture *fixture, const char *topic, const char *payload)
{
        g_assert_cmpint(raw_client_publish(fixture->mallory,
                                           &(RawPublish){.topic = topic, .payload = payload}),
                        ==, REFUSED);
}

/* The service answers an honest call: all that was sent before has arrived by then. */
static void assert_honest_call_works(Fixture *fixture)
{
        unsigned executed = fixture->executed, replies = fixture->replies;

        call(fixture, "Scan");
        g_assert_true(LOOP_UNTIL(fixture->held != NULL));
        g_assert_cmpstr(fixture->caller, ==, "alice");
        g_assert_cmpint(mqttrpc_request_reply(fixture->held, "\"honest\"", SIZE_MAX), ==, 0);
        fixture->held = mqttrpc_request_unref(fixture->held);
        g_assert_true(LOOP_UNTIL(fixture->replies > replies));
        g_assert_cmpstr(fixture->result, ==, "\"honest\"");
        g_assert_cmpuint(fixture->executed, ==, executed + 1);
        g_assert_cmpuint(fixture->replies, ==, replies + 1);
}

static void test_spoofed_caller(Fixture *fixture, gconstpointer unused)
{
        attack(fixture, "mb1/net/-/call/Scan/alice", "{\"id\":1}");
        attack(fixture, "mb1/net/-/rpc/alice", "{\"id\":1,\"method\":\"Scan\"}");
        assert_honest_call_works(fixture);
        g_assert_cmpuint(fixture->executed, ==, 1);
}

static void test_ungranted_method(Fixture *fixture, gconstpointer unused)
{
        attack(fixture, "mb1/net/-/call/Reset/mallory", "{\"id\":1}");
        attack(fixture, "mb1/net/eth0/call/Scan/mallory", "{\"id\":1}");
        attack(fixture, "mb1/net/-/rpc/mallory", "{\"id\":1,\"method\":\"Reset\"}");
        assert_honest_call_works(fixture);
        g_assert_cmpuint(fixture->executed, ==, 1);
}

/* trap 29 again: the grant is for Scan, the body says Reset. */
static void test_granted_topic_with_another_method(Fixture *fixture, gconstpointer unused)
{
        const RawMessage *reply;

        g_assert_cmpint(
                raw_client_publish(fixture->mallory,
                                   &(RawPublish){.topic = "mb1/net/-/call/Scan/mallory",
                                                 .payload = "{\"id\":1,\"method\":\"Reset\"}"}),
                ==, 0);
        reply = raw_client_receive(fixture->mallory);
        g_assert_cmpstr(reply->topic, ==, "mb1/net/-/call/Scan/mallory/reply");
        g_assert_nonnull(strstr(reply->payload, "-32600"));
        g_assert_cmpuint(fixture->executed, ==, 0);
}

static void test_forged_reply(Fixture *fixture, gconstpointer unused)
{
        static const char forged[] = "{\"id\":null,\"error\":{\"code\":1,\"message\":\"forged\"}}";

        call(fixture, "Scan");
        g_assert_true(LOOP_UNTIL(fixture->held != NULL));
        attack(fixture, "mb1/net/-/call/Scan/alice/reply", forged);
        attack(fixture, "mb1/net/-/call/Scan/alice/0123456789ab", forged);
        g_assert_cmpuint(fixture->replies, ==, 0);
        g_assert_cmpint(mqttrpc_request_reply(fixture->held, "1", 1), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpstr(fixture->result, ==, "1");
        g_assert_cmpuint(mqttrpc_bus_get_counter(fixture->alice, MQTTRPC_COUNT_UNMATCHED_REPLIES),
                         ==, 0);
        /* Nor has it been seen by mallory, who listens to everything. */
        g_assert_cmpuint(raw_client_count(fixture->mallory), ==, 0);
}

static void test_forged_signal(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *owner =
                raw_client_new(fixture->broker, &(RawOptions){.user = "net", .password = "pw"});

        attack(fixture, "mb1/net/-/sig/Changed",
               "{\"method\":\"Changed\",\"params\":[\"forged\"]}");
        attack(fixture, "mb1/net/-/prop/State", "\"forged\"");
        attack(fixture, "mb1/net/$state", "{\"state\":\"lost\"}");
        g_assert_cmpint(raw_client_publish(owner, &(RawPublish){.topic = "mb1/net/-/sig/Changed",
                                                                .payload = "{}"}),
                        ==, 0);
        g_assert_cmpstr(raw_client_receive(fixture->watcher)->payload, ==, "{}");
        g_assert_cmpuint(raw_client_count(fixture->watcher), ==, 1);
}

static void test_denial_reaches_the_caller(Fixture *fixture, gconstpointer unused)
{
        call(fixture, "Reset");
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_ACCESS_DENIED);
        g_assert_nonnull(strstr(fixture->result, "'alice'"));
        g_assert_nonnull(strstr(fixture->result, "mb1/net/-/call/Reset/alice"));
        g_assert_cmpint(mqttrpc_call(fixture->alice, "net", "-", "Reset", NULL, 0, 0, NULL, NULL),
                        ==, -EACCES);
        assert_honest_call_works(fixture);
}

static void test_denial_of_a_notification(Fixture *fixture, gconstpointer unused)
{
        static const char *const methods[] = {"Reset", "Scan"};
        static const int codes[] = {MQTTRPC_ERROR_ACCESS_DENIED, 0};

        for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
                g_assert_cmpint(mqttrpc_notify_ack(fixture->alice, NULL, "net", "-", methods[i],
                                                   NULL, 0, on_reply, fixture, NULL),
                                ==, 0);
                g_assert_true(LOOP_UNTIL(fixture->replies == i + 1));
                g_assert_cmpint(fixture->code, ==, codes[i]);
        }
}

/* A grant of a method is one to take it back; nobody else can. */
static void test_cancelling(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *owner =
                raw_client_new(fixture->broker, &(RawOptions){.user = "net", .password = "pw"});
        g_autofree char *cancel = NULL;
        g_auto(GStrv) parts = NULL;
        MqttRpcSlot *slot;

        raw_client_subscribe(owner, "mb1/net/-/call/Scan/+");
        g_assert_cmpint(mqttrpc_call_async(fixture->alice, &slot, "net", "-", "Scan", NULL, 0, 0,
                                           on_reply, fixture, NULL),
                        ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->held != NULL));
        /* Let mallory know the id, by whatever way. */
        parts = g_strsplit(raw_client_receive(owner)->payload, "\"", 10);
        g_assert_cmpstr(parts[5], ==, "id");
        cancel = g_strdup_printf("{\"id\":1,\"params\":[\"%s\"]}", parts[7]);
        attack(fixture, "mb1/net/-/call/rpc.cancel/alice", cancel);
        g_assert_cmpint(
                raw_client_publish(fixture->mallory,
                                   &(RawPublish){.topic = "mb1/net/-/call/rpc.cancel/mallory",
                                                 .payload = cancel}),
                ==, 0);
        g_assert_nonnull(strstr(raw_client_receive(fixture->mallory)->payload, "\"result\":false"));
        g_assert_false(mqttrpc_request_is_cancelled(fixture->held));
        g_assert_cmpint(mqttrpc_call_cancel(slot), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == 1));
        g_assert_cmpint(fixture->code, ==, MQTTRPC_ERROR_CANCELLED);
        mqttrpc_slot_unref(slot);
}

static void on_log(MqttRpcLogLevel level, const char *text, void *userdata)
{
        GString *log = userdata;

        g_string_append_printf(log, "%s\n", text);
}

/* Mosquitto takes the subscriptions of anybody; who may not serve is told so all the same. */
static void test_service_without_rights_is_told(Fixture *fixture, gconstpointer unused)
{
        g_autoptr(GString) log = g_string_new(NULL);
        MqttRpcBus *bus = new_bus(fixture, "carol");

        mqttrpc_bus_set_log_handler(bus, on_log, log);
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "shed", vtable, fixture, NULL), ==, 0);
        open_bus(bus);
        g_assert_true(LOOP_UNTIL(strstr(log->str, "shed does not get its own calls: has 'carol'")));
        loop_drop_bus(bus);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/acl/spoofed-caller-is-refused", test_spoofed_caller},
                {"/acl/ungranted-method-is-refused", test_ungranted_method},
                {"/acl/trap-29-granted-topic-with-another-method",
                 test_granted_topic_with_another_method},
                {"/acl/forged-reply-is-refused", test_forged_reply},
                {"/acl/forged-signal-is-refused", test_forged_signal},
                {"/acl/denial-reaches-the-caller", test_denial_reaches_the_caller},
                {"/acl/denial-of-a-notification-reaches-the-caller", test_denial_of_a_notification},
                {"/acl/cancelling-is-for-the-caller", test_cancelling},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        g_test_add("/acl/service-without-rights-is-told", Fixture, NULL, set_up,
                   test_service_without_rights_is_told, tear_down);
        return g_test_run();
}
