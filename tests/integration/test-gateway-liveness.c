/* SPDX-License-Identifier: MIT */

/* What hangs, dies and comes back around the gateway, and the gateway's own start and end. */

#include "tests/support/gateway-stage.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <signal.h>
#include <string.h>

#define TEST_NAME  "org.example.Test"
#define OTHER_NAME "org.example.Other"

#define BOTH_CONNECTED "STATUS=2 services; MQTT connected, D-Bus connected"

#define OBJECT(path, methods) \
        "{ \"path\": \"" path \
        "\", \"interfaces\": { \"org.example.Test1\": { \"methods\": {" methods "} } } }"

static const char test_objects[] = "[" OBJECT(
        "/org/example/Test",
        "\"EchoTyped\": { \"in\": [\"n:i\"], \"out\": [\"n:i\"] },"
        "\"Count\": { \"in\": [\"method:s\"], \"out\": [\"count:u\"] },"
        "\"Release\": { \"in\": [], \"out\": [] },"
        "\"Never\": { \"in\": [], \"out\": [] }") "," OBJECT("/org/example/Test/star",
                                                             "\"EchoTyped\": { \"in\": [\"n:i\"], "
                                                             "\"out\": [\"n:i\"] }, \"*\": {}") "]";

static const char other_objects[] = "[" OBJECT(
        "/org/example/Other", "\"EchoTyped\": { \"in\": [\"n:i\"], \"out\": [\"n:i\"] }") "]";

/* Introspection of the method EchoShown with an argument of this type; and of one that never
 * replies, with a string. */
static char *write_introspection(GatewayStage *stage, const char *name, const char *type)
{
        g_autofree char *xml = g_strdup_printf(
                "<node><interface name=\"org.example.Test1\"><method name=\"EchoShown\">"
                "<arg name=\"value\" type=\"%s\" direction=\"in\"/>"
                "<arg name=\"value\" type=\"%s\" direction=\"out\"/></method>"
                "<method name=\"NeverReplies\"><arg name=\"text\" type=\"s\" direction=\"in\"/>"
                "<annotation name=\"org.freedesktop.DBus.Method.NoReply\" value=\"true\"/></method>"
                "</interface></node>",
                type, type);

        return gateway_stage_write(stage, name, xml);
}

static GatewayStage *new_stage(void)
{
        GatewayStage *stage = gateway_stage_new();

        gateway_stage_add_mapping(stage, "test", TEST_NAME, "", test_objects);
        gateway_stage_add_mapping(stage, "other", OTHER_NAME, "", other_objects);
        return stage;
}

/* Starts the service with the introspection of its object `star`: "mute", a file, "held:…". */
static Process *start_test_service(GatewayStage *stage, const char *introspection)
{
        g_autofree char *option = g_strdup_printf("/org/example/Test/star=%s", introspection);
        const char *arguments[] = {"--introspection", option, NULL};

        return gateway_stage_start_service(stage, TEST_NAME, arguments);
}

static MqttRequest star(const char *method, const char *params)
{
        return (MqttRequest){
                .service = "test", .object = "star", .method = method, .params = params};
}

static char *call_star(GatewayStage *stage, const char *method, const char *params)
{
        MqttRequest request = star(method, params);

        return mqtt_client_call(stage->client, &request);
}

static void assert_works(GatewayStage *stage, const char *service)
{
        g_autofree char *reply = gateway_stage_call(stage, service, "EchoTyped", "[5]");

        rpc_reply_assert_result(reply, "5");
}

/* ---- one hung service ---- */

static gint64 measure(GatewayStage *stage, const char *service)
{
        gint64 start = g_get_monotonic_time();

        assert_works(stage, service);
        return g_get_monotonic_time() - start;
}

/* 100 calls hang; one to another service takes its normal time, of which 20 calls before give an
 * idea. A machine that has other things to do is given 250 ms. */
static void test_hung_service_does_not_delay_another(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        CLEANUP_PROCESS Process *hung = NULL;
        CLEANUP_PROCESS Process *healthy = NULL;
        MqttRequest request = {.service = "test", .method = "EchoTyped", .params = "[1]"};
        gint64 normal = 0;
        unsigned ids[100];

        gateway_stage_start(stage);
        hung = start_test_service(stage, "mute");
        healthy = gateway_stage_start_service(stage, OTHER_NAME, NULL);
        for (unsigned i = 0; i < 20; i++)
                normal = MAX(normal, measure(stage, "other"));
        process_signal(hung, SIGSTOP);
        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
                ids[i] = mqtt_client_send(stage->client, &request);
        g_assert_cmpint(measure(stage, "other"), <, 2 * normal + 250000);
        g_assert_cmpuint(mqtt_client_collect(stage->client), ==, 0);
        process_signal(hung, SIGCONT);
        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
                g_autofree char *reply = mqtt_client_wait(stage->client, ids[i], WAIT_MSEC);

                g_assert_nonnull(reply);
                rpc_reply_assert_result(reply, "1");
        }
}

/* More calls than dbus-daemon lets one connection have without an answer, 128 by default. */
static void test_unanswered_calls_do_not_use_up_the_room_of_another(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        CLEANUP_PROCESS Process *hung = NULL;
        CLEANUP_PROCESS Process *healthy = NULL;
        MqttRequest never = {.service = "test", .method = "Never"};
        g_autofree char *refused = NULL;

        dbus_daemon_add_policy(stage->bus,
                               "<limit name=\"max_replies_per_connection\">128</limit>");
        gateway_stage_start(stage);
        hung = start_test_service(stage, "mute");
        healthy = gateway_stage_start_service(stage, OTHER_NAME, NULL);
        for (unsigned i = 0; i < 300; i++)
                mqtt_client_send(stage->client, &never);
        refused = gateway_stage_call(stage, "test", "EchoTyped", "[1]");
        rpc_reply_assert_error(refused, -32004, "org.freedesktop.DBus.Error.LimitsExceeded", "no",
                               NULL);
        assert_works(stage, "other");
}

/* Calls in flight are capped; what nobody answers must be, too, when the bus does not read. */
static void test_hung_bus_does_not_eat_memory(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        g_autofree char *file = write_introspection(stage, "v1.xml", "i");
        g_autofree char *text = g_strnfill(1000000, 'x');
        g_autofree char *params = g_strdup_printf("[\"%s\"]", text);
        CLEANUP_PROCESS Process *service = NULL;
        unsigned n_sent = 0;
        int code;

        gateway_stage_start(stage);
        service = start_test_service(stage, file);
        g_free(call_star(stage, "NeverReplies", "[\"\"]"));
        process_signal(dbus_daemon_get_process(stage->bus), SIGSTOP);
        do {
                g_autofree char *reply = call_star(stage, "NeverReplies", params);

                code = rpc_reply_get_code(reply);
        } while (code == 0 && ++n_sent < 200);
        process_signal(dbus_daemon_get_process(stage->bus), SIGCONT);
        g_assert_cmpint(code, ==, -32004);
        assert_works(stage, "test");
}

/* ---- restarts ---- */

typedef struct Restart {
        GatewayStage *stage;
        Process *services[2];
} Restart;

static void stop_part(Restart *restart, char part)
{
        switch (part) {
        case 'd': dbus_daemon_kill(restart->stage->bus); break;
        case 'm': broker_kill(restart->stage->broker); break;
        default:
                for (unsigned i = 0; i < G_N_ELEMENTS(restart->services); i++)
                        restart->services[i] = process_free(restart->services[i]);
        }
}

static void start_services(Restart *restart)
{
        if (!dbus_daemon_get_process(restart->stage->bus) || restart->services[0])
                return;
        restart->services[0] = start_test_service(restart->stage, "mute");
        restart->services[1] = gateway_stage_start_service(restart->stage, OTHER_NAME, NULL);
}

static void start_part(Restart *restart, char part)
{
        if (part == 'd')
                dbus_daemon_start(restart->stage->bus);
        else if (part == 'm')
                broker_start(restart->stage->broker);
}

/* Only then does BOTH_CONNECTED tell of the broker that comes back, not of the one that went. */
static void wait_until_broker_is_missed(GatewayStage *stage)
{
        g_assert_true(process_wait_output(gateway_process_get_process(stage->gateway),
                                          PROCESS_STDERR, "trying again until it works",
                                          WAIT_MSEC));
}

/* `order` has d for dbus-daemon, m for mosquitto, s for the services, in the order in which they
 * stop and come back; services need their bus. */
static void restart_in_order(Restart *restart, const char *order)
{
        GatewayStage *stage = restart->stage;
        bool lost = strpbrk(order, "dm") != NULL;

        g_test_message("restart %s", order);
        while (gateway_process_has_notified(stage->gateway, ""))
                ;
        process_mark_output(gateway_process_get_process(stage->gateway), PROCESS_STDERR);
        if (strchr(order, 'd')) /* they end with their bus */
                stop_part(restart, 's');
        for (const char *part = order; *part; part++)
                stop_part(restart, *part);
        if (strchr(order, 'm'))
                wait_until_broker_is_missed(stage);
        for (const char *part = order; *part; part++)
                start_part(restart, *part);
        start_services(restart);
        if (lost && !gateway_process_wait_notify(stage->gateway, BOTH_CONNECTED, WAIT_MSEC))
                g_error("the gateway does not connect again after %s", order);
        if (strchr(order, 'm'))
                mqtt_client_reconnect(stage->client);
        assert_works(stage, "test");
        assert_works(stage, "other");
}

static void test_everything_comes_back(void)
{
        static const char *const orders[] = {"s",  "m",   "d",   "dm",  "md",  "dsm",
                                             "sm", "dms", "mds", "msd", "sdm", "smd"};
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        Restart restart = {.stage = stage};

        gateway_stage_start(stage);
        start_services(&restart);
        assert_works(stage, "test");
        for (size_t i = 0; i < G_N_ELEMENTS(orders); i++)
                restart_in_order(&restart, orders[i]);
        stop_part(&restart, 's');
}

static void test_call_without_a_bus_is_an_error(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        CLEANUP_PROCESS Process *service = NULL;
        MqttRequest never = {.service = "test", .method = "Never"};
        MqttRequest waiting = star("EchoShown", "[1]");
        g_autofree char *in_flight = NULL;
        g_autofree char *introspecting = NULL;
        g_autofree char *later = NULL;
        unsigned id, waiting_id;

        gateway_stage_start(stage);
        service = start_test_service(stage, "mute");
        id = mqtt_client_send(stage->client, &never);
        waiting_id = mqtt_client_send(stage->client, &waiting);
        assert_works(stage, "test");
        dbus_daemon_kill(stage->bus);
        in_flight = mqtt_client_wait(stage->client, id, WAIT_MSEC);
        introspecting = mqtt_client_wait(stage->client, waiting_id, WAIT_MSEC);
        g_assert_nonnull(in_flight);
        g_assert_nonnull(introspecting);
        rpc_reply_assert_error(in_flight, -32012, NULL, "maybe", NULL);
        rpc_reply_assert_error(introspecting, -32012, NULL, "no", NULL);
        later = gateway_stage_call(stage, "test", "EchoTyped", "[1]");
        rpc_reply_assert_error(later, -32012, NULL, "no", "not connected");
}

static void test_call_that_the_service_drops_is_an_error(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        CLEANUP_PROCESS Process *service = NULL;
        MqttRequest never = {.service = "test", .method = "Never"};
        g_autofree char *reply = NULL;
        unsigned id;

        gateway_stage_start(stage);
        service = start_test_service(stage, "mute");
        id = mqtt_client_send(stage->client, &never);
        assert_works(stage, "test");
        process_kill(service);
        reply = mqtt_client_wait(stage->client, id, WAIT_MSEC);
        g_assert_nonnull(reply);
        rpc_reply_assert_error(reply, -32012, "org.freedesktop.DBus.Error.NoReply", "maybe", NULL);
}

/* ---- a new owner of the name ---- */

static void test_new_version_is_introspected_anew(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        g_autofree char *v1 = write_introspection(stage, "v1.xml", "i");
        g_autofree char *v2 = write_introspection(stage, "v2.xml", "s");
        Process *service;

        gateway_stage_start(stage);
        for (unsigned i = 0; i < 4; i++) {
                g_autofree char *number = NULL;
                g_autofree char *string = NULL;

                service = start_test_service(stage, i % 2 ? v2 : v1);
                number = call_star(stage, "EchoShown", "[7]");
                string = call_star(stage, "EchoShown", "[\"x\"]");
                g_assert_cmpint(rpc_reply_get_code(number), ==, i % 2 ? -32602 : 0);
                g_assert_cmpint(rpc_reply_get_code(string), ==, i % 2 ? 0 : -32602);
                process_free(service);
                g_assert_true(dbus_daemon_wait_name(stage->bus, TEST_NAME, false, WAIT_MSEC));
        }
}

/* What the file says holds all the same, and without waiting. */
static void test_types_of_the_last_version_are_not_taken_for_the_next(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        g_autofree char *v1 = write_introspection(stage, "v1.xml", "i");
        g_autofree char *broken = gateway_stage_write(stage, "broken.xml", "<node><");
        g_autofree char *first = NULL;
        g_autofree char *second = NULL;
        g_autofree char *typed = NULL;
        g_autofree char *mute = NULL;
        Process *service;

        gateway_stage_start(stage);
        service = start_test_service(stage, v1);
        first = call_star(stage, "EchoShown", "[7]");
        rpc_reply_assert_result(first, "7");
        process_free(service);
        g_assert_true(dbus_daemon_wait_name(stage->bus, TEST_NAME, false, WAIT_MSEC));
        service = start_test_service(stage, broken);
        second = call_star(stage, "EchoShown", "[7]");
        rpc_reply_assert_error(second, -32000, "org.freedesktop.DBus.Error.InconsistentMessage",
                               "no", NULL);
        typed = call_star(stage, "EchoTyped", "[7]");
        rpc_reply_assert_result(typed, "7");
        process_free(service);
        g_assert_true(dbus_daemon_wait_name(stage->bus, TEST_NAME, false, WAIT_MSEC));
        service = start_test_service(stage, "mute");
        mute = call_star(stage, "EchoTyped", "[7]");
        rpc_reply_assert_result(mute, "7");
        process_free(service);
}

static char *dup_owner(GDBusConnection *connection)
{
        g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
                connection, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetNameOwner",
                g_variant_new("(s)", TEST_NAME), NULL, G_DBUS_CALL_FLAGS_NONE, (int)WAIT_MSEC, NULL,
                NULL);
        char *owner = NULL;

        g_assert_nonnull(reply);
        g_variant_get(reply, "(s)", &owner);
        return owner;
}

static void tell(GDBusConnection *connection, const char *owner, const char *method)
{
        g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
                connection, owner, "/", "org.example.Test1", method, NULL, NULL,
                G_DBUS_CALL_FLAGS_NONE, (int)WAIT_MSEC, NULL, NULL);

        g_assert_nonnull(reply);
}

/* The first owner answers Introspect when it has lost the name to the second. */
static void test_introspection_of_a_former_owner_is_dropped(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        g_autofree char *v1 = write_introspection(stage, "v1.xml", "i");
        g_autofree char *v2 = write_introspection(stage, "v2.xml", "s");
        g_autofree char *held = g_strdup_printf("held:%s", v1);
        g_autoptr(GDBusConnection) connection = NULL;
        CLEANUP_PROCESS Process *first = NULL;
        CLEANUP_PROCESS Process *second = NULL;
        MqttRequest request = star("EchoShown", "[\"x\"]");
        g_autofree char *owner = NULL;
        g_autofree char *reply = NULL;
        unsigned id;

        gateway_stage_start(stage);
        first = start_test_service(stage, held);
        id = mqtt_client_send(stage->client, &request);
        assert_works(stage, "test");
        connection = dbus_daemon_connect(stage->bus);
        owner = dup_owner(connection);
        tell(connection, owner, "GiveUp");
        second = start_test_service(stage, v2);
        tell(connection, owner, "Release");
        reply = mqtt_client_wait(stage->client, id, WAIT_MSEC);
        g_assert_nonnull(reply);
        rpc_reply_assert_result(reply, "\"x\"");
        g_dbus_connection_close_sync(connection, NULL, NULL);
}

/* Of two notifications that wait for introspection one expires meanwhile. */
static void test_what_expires_while_it_waits_is_not_executed(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        g_autofree char *v1 = write_introspection(stage, "v1.xml", "i");
        g_autofree char *held = g_strdup_printf("held:%s", v1);
        CLEANUP_PROCESS Process *service = NULL;
        MqttRequest patient = star("EchoShown", "[1]"), hasty = star("EchoShown", "[2]");
        g_autofree char *released = NULL;
        g_autofree char *count = NULL;
        gint64 start;

        gateway_stage_start(stage);
        service = start_test_service(stage, held);
        patient.notification = hasty.notification = true;
        hasty.ttl_msec = 20;
        mqtt_client_send(stage->client, &patient);
        mqtt_client_send(stage->client, &hasty);
        assert_works(stage, "test");
        start = g_get_monotonic_time();
        while (g_get_monotonic_time() - start < 50000)
                assert_works(stage, "test");
        released = gateway_stage_call(stage, "test", "Release", NULL);
        rpc_reply_assert_result(released, "null");
        count = gateway_stage_call(stage, "test", "Count", "[\"EchoShown\"]");
        rpc_reply_assert_result(count, "1");
}

/* Of two calls that wait for introspection one is cancelled meanwhile. */
static void test_what_is_cancelled_while_it_waits_is_not_executed(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        g_autofree char *v1 = write_introspection(stage, "v1.xml", "i");
        g_autofree char *held = g_strdup_printf("held:%s", v1);
        CLEANUP_PROCESS Process *service = NULL;
        MqttRequest first = star("EchoShown", "[1]"), second = star("EchoShown", "[2]");
        g_autofree char *params = NULL, *cancelled = NULL, *answer = NULL;
        g_autofree char *released = NULL, *result = NULL, *count = NULL;
        unsigned ids[2];

        gateway_stage_start(stage);
        service = start_test_service(stage, held);
        ids[0] = mqtt_client_send(stage->client, &first);
        ids[1] = mqtt_client_send(stage->client, &second);
        params = g_strdup_printf("[\"%u\"]", ids[0]);
        answer = call_star(stage, "rpc.cancel", params);
        rpc_reply_assert_result(answer, "true");
        cancelled = mqtt_client_wait(stage->client, ids[0], WAIT_MSEC);
        rpc_reply_assert_error(cancelled, -32006, NULL, "maybe", "cancelled");
        released = gateway_stage_call(stage, "test", "Release", NULL);
        rpc_reply_assert_result(released, "null");
        result = mqtt_client_wait(stage->client, ids[1], WAIT_MSEC);
        rpc_reply_assert_result(result, "2");
        count = gateway_stage_call(stage, "test", "Count", "[\"EchoShown\"]");
        rpc_reply_assert_result(count, "1");
}

/* ---- start and end ---- */

static void test_starts_before_its_daemons(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        CLEANUP_PROCESS Process *service = NULL;

        gateway_stage_start_gateway(stage, 0);
        g_assert_true(process_wait_output(gateway_process_get_process(stage->gateway),
                                          PROCESS_STDERR, "cannot connect to the D-Bus",
                                          WAIT_MSEC));
        dbus_daemon_start(stage->bus);
        g_assert_true(gateway_process_wait_notify(
                stage->gateway, "STATUS=2 services; MQTT not connected, D-Bus connected",
                WAIT_MSEC));
        broker_start(stage->broker);
        /* had it said READY=1 before, it would not say so again */
        g_assert_true(gateway_process_wait_notify(stage->gateway, BOTH_CONNECTED, WAIT_MSEC));
        g_assert_true(gateway_process_wait_notify(stage->gateway, "READY=1", WAIT_MSEC));
        gateway_stage_start(stage);
        service = start_test_service(stage, "mute");
        assert_works(stage, "test");
}

/* The broker makes a bus that takes connections and hangs up: one warning, and nobody else suffers.
 */
static void test_bus_that_hangs_up_costs_only_its_own_services(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autofree char *text =
                g_strdup_printf("{ \"service\": \"other\", \"dbus\": { \"name\": \"" OTHER_NAME
                                "\", \"bus\": \"unix:path=%s\" }, \"objects\": %s }",
                                broker_get_socket(stage->broker), other_objects);
        CLEANUP_PROCESS Process *service = NULL;
        g_autofree char *reply = NULL;
        g_autofree char *log = NULL;
        Process *process;

        gateway_stage_add_mapping(stage, "test", TEST_NAME, "", test_objects);
        g_free(gateway_stage_write(stage, "other.json", text));
        broker_start(stage->broker);
        dbus_daemon_start(stage->bus);
        gateway_stage_start_gateway(stage, 0);
        process = gateway_process_get_process(stage->gateway);
        g_assert_true(process_wait_output(process, PROCESS_STDERR, "does not let the gateway in",
                                          WAIT_MSEC));
        g_assert_true(gateway_process_wait_notify(
                stage->gateway, "STATUS=2 services; MQTT connected, D-Bus not connected",
                WAIT_MSEC));
        g_assert_true(gateway_process_wait_notify(stage->gateway, "READY=1", WAIT_MSEC));
        gateway_stage_start(stage);
        service = start_test_service(stage, "mute");
        assert_works(stage, "test");
        reply = gateway_stage_call(stage, "other", "EchoTyped", "[5]");
        rpc_reply_assert_error(reply, -32012, NULL, "no", "not connected");
        log = process_dup_output(process, PROCESS_STDERR);
        g_assert_null(strstr(strstr(log, "does not let") + 1, "does not let"));
}

static void test_stop_answers_calls_in_flight(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();
        CLEANUP_PROCESS Process *service = NULL;
        MqttRequest never = {.service = "test", .method = "Never"};
        MqttRequest waiting = star("EchoShown", "[1]");
        g_autofree char *waited = NULL;
        unsigned ids[10], waiting_id;
        gint64 start;

        gateway_stage_start(stage);
        service = start_test_service(stage, "mute");
        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
                ids[i] = mqtt_client_send(stage->client, &never);
        waiting_id = mqtt_client_send(stage->client, &waiting);
        assert_works(stage, "test");
        start = g_get_monotonic_time();
        gateway_process_stop(stage->gateway);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 5000000);
        g_assert_true(gateway_process_has_notified(stage->gateway, "STOPPING=1"));
        for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
                g_autofree char *reply = mqtt_client_wait(stage->client, ids[i], WAIT_MSEC);

                g_assert_nonnull(reply);
                rpc_reply_assert_error(reply, -32012, NULL, "maybe", NULL);
        }
        waited = mqtt_client_wait(stage->client, waiting_id, WAIT_MSEC);
        g_assert_nonnull(waited);
        rpc_reply_assert_error(waited, -32012, NULL, "no", NULL);
}

static void test_watchdog_is_fed(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = new_stage();

        gateway_stage_start_gateway(stage, 300);
        for (unsigned i = 0; i < 3; i++)
                g_assert_true(gateway_process_wait_notify(stage->gateway, "WATCHDOG=1", WAIT_MSEC));
}

static const struct {
        const char *path;
        GTestFunc function;
} tests[] = {
        {"/liveness/trap-9-hung/service-does-not-delay-another",
         test_hung_service_does_not_delay_another},
        {"/liveness/trap-9-hung/service-does-not-use-up-the-room-of-another",
         test_unanswered_calls_do_not_use_up_the_room_of_another},
        {"/liveness/trap-9-hung/bus-does-not-eat-memory", test_hung_bus_does_not_eat_memory},
        {"/liveness/trap-17-restart/everything-comes-back", test_everything_comes_back},
        {"/liveness/trap-17-restart/call-without-a-bus-is-an-error",
         test_call_without_a_bus_is_an_error},
        {"/liveness/trap-17-restart/call-that-the-service-drops-is-an-error",
         test_call_that_the_service_drops_is_an_error},
        {"/liveness/owner/new-version-is-introspected-anew", test_new_version_is_introspected_anew},
        {"/liveness/owner/types-of-the-last-version-are-not-taken-for-the-next",
         test_types_of_the_last_version_are_not_taken_for_the_next},
        {"/liveness/owner/introspection-of-a-former-one-is-dropped",
         test_introspection_of_a_former_owner_is_dropped},
        {"/liveness/deadline/what-expires-while-it-waits-is-not-executed",
         test_what_expires_while_it_waits_is_not_executed},
        {"/liveness/cancelled/while-it-waits-is-not-executed",
         test_what_is_cancelled_while_it_waits_is_not_executed},
        {"/liveness/start/may-be-before-the-daemons", test_starts_before_its_daemons},
        {"/liveness/start/bus-that-hangs-up-costs-only-its-own-services",
         test_bus_that_hangs_up_costs_only_its_own_services},
        {"/liveness/stop/answers-calls-in-flight", test_stop_answers_calls_in_flight},
        {"/liveness/watchdog/is-fed", test_watchdog_is_fed},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add_func(tests[i].path, tests[i].function);
        return g_test_run();
}
