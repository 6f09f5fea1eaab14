/* SPDX-License-Identifier: MIT */

/* A service that emits 20,000 signals a second, and the broker that stops taking them: what arrives
 * is in order, what does not is counted, for the service and by `seq`, calls are answered, and the
 * gateway does not grow. Numbers have to add up; how long it takes is for the benchmark. */

#include "tests/support/gateway-stage.h"
#include "tests/support/loop.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/scripted-service.h"

#include <cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define NAME    "org.example.Test"
#define CONTROL "org.example.Control"
#define FACE    "org.example.Test1"

enum {
        RATE = 20000,
        FLOOD = 40000,
        BURST = 100000,
        BURST_PASSED = 5000, /* before the broker stops */
        GROWTH_KIB = 8 * 1024,
};

static const char objects[] =
        "[{\"path\":\"/\",\"object\":\"-\",\"interfaces\":{\"" FACE "\":{\"methods\":{"
        "\"EchoTyped\":{\"in\":[\"n:u\"],\"out\":[\"n:u\"]}},"
        "\"signals\":{\"Flooded\":{\"args\":[\"n:u\"]},\"Said\":{\"args\":[\"text:s\"]}},"
        "\"properties\":{\"Label\":{\"type\":\"s\"}}}}}]";

typedef struct Fixture {
        GatewayStage *stage;
        Process *service;
        GDBusConnection *control;
        MqttClient *admin;
        MqttRpcBus *bus; /* receives, and calls */

        guint32 last;       /* number of the last signal */
        guint64 received;   /* signals */
        guint64 lost;       /* as `seq` tells */
        guint n_sent;       /* calls */
        guint n_answered;   /* with a result */
        bool goes_on;       /* the next call follows upon an answer */
        bool emitted;       /* the service has emitted all */
        guint32 label_gets; /* see has_processed_all() */
} Fixture;

/* ---- the receiver ---- */

/* Each is greater than the last, and the gap in `seq` is the one in the arguments. */
static void on_flooded(const MqttRpcSignal *signal, void *userdata)
{
        Fixture *fixture = userdata;
        guint64 lost = mqttrpc_signal_get_lost(signal);
        uint32_t number = 0;

        g_assert_cmpint(mqttrpc_signal_read(signal, "u", &number), ==, 0);
        g_assert_cmpuint(number, >, fixture->last);
        if (fixture->last > 0)
                g_assert_cmpuint(number - fixture->last - 1, ==, lost);
        fixture->last = number;
        fixture->lost += lost;
        fixture->received++;
}

/* As long as something comes. */
static void wait_last(Fixture *fixture, guint32 number)
{
        while (fixture->last < number) {
                guint64 before = fixture->received;

                g_assert_true(LOOP_UNTIL(fixture->received > before));
        }
        g_assert_cmpuint(fixture->last, ==, number);
}

static void open_bus(Fixture *fixture)
{
        g_autofree char *file = broker_get_password_file(fixture->stage->broker, "alice");
        const char *uri = broker_get_uri(fixture->stage->broker);
        g_autofree char *password = NULL;

        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, uri, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_credentials(fixture->bus, "alice", g_strchomp(password)),
                        ==, 0);
        g_assert_cmpint(mqttrpc_match_signal(fixture->bus, NULL, "test", "-", "Flooded", on_flooded,
                                             fixture, NULL),
                        ==, 0);
        loop_add_bus(fixture->bus);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(fixture->bus) == MQTTRPC_STATE_CONNECTED));
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(fixture->bus, "test") ==
                                 MQTTRPC_SERVICE_READY));
}

/* ---- calls ---- */

static int on_echoed(MqttRpcReply *reply, void *userdata);

static void send_call(Fixture *fixture)
{
        g_autofree char *params = g_strdup_printf("[%u]", ++fixture->n_sent);

        g_assert_cmpint(mqttrpc_call_async(fixture->bus, NULL, "test", "-", "EchoTyped", params, 0,
                                           MQTTRPC_CALL_QOS1, on_echoed, fixture, NULL),
                        ==, 0);
}

static int on_echoed(MqttRpcReply *reply, void *userdata)
{
        g_autofree char *expected = NULL;
        Fixture *fixture = userdata;

        g_assert_null(mqttrpc_reply_get_error(reply));
        expected = g_strdup_printf("%u", ++fixture->n_answered);
        g_assert_cmpstr(mqttrpc_reply_get_result(reply, NULL), ==, expected);
        if (fixture->goes_on)
                send_call(fixture);
        return 0;
}

/* ---- the service ---- */

static void on_emitted(GObject *connection, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GVariant) reply = NULL;
        GError *error = NULL;
        Fixture *fixture = userdata;

        reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(connection), result, &error);
        g_assert_no_error(error);
        fixture->emitted = true;
}

static bool has_emitted(void *userdata)
{
        Fixture *fixture = userdata;

        return fixture->emitted;
}

static void flood(Fixture *fixture, guint32 count, guint32 rate)
{
        fixture->emitted = false;
        g_dbus_connection_call(fixture->control, CONTROL, "/", FACE, "Flood",
                               g_variant_new("(uu)", count, rate), NULL, G_DBUS_CALL_FLAGS_NONE,
                               G_MAXINT, NULL, on_emitted, fixture);
}

static GVariant *ask_service(Fixture *fixture, const char *method, GVariant *arguments)
{
        GError *error = NULL;
        GVariant *reply;

        reply = g_dbus_connection_call_sync(fixture->control, CONTROL, "/", FACE, method, arguments,
                                            NULL, G_DBUS_CALL_FLAGS_NONE, (int)WAIT_MSEC, NULL,
                                            &error);
        g_assert_no_error(error);
        return reply;
}

static guint32 count_gets(Fixture *fixture)
{
        g_autoptr(GVariant) reply = ask_service(fixture, "Count", g_variant_new("(s)", "Get"));
        guint32 count;

        g_variant_get(reply, "(u)", &count);
        return count;
}

/* The gateway asks for the value that was invalidated when it has taken all signals before that. */
static bool has_processed_all(void *userdata)
{
        Fixture *fixture = userdata;

        return count_gets(fixture) > fixture->label_gets;
}

static void wait_processed(Fixture *fixture)
{
        fixture->label_gets = count_gets(fixture);
        g_variant_unref(ask_service(fixture, "Invalidate", NULL));
        g_assert_true(wait_until(has_processed_all, fixture, 2 * WAIT_MSEC));
}

/* ---- the gateway ---- */

static guint64 get_figure(const cJSON *object, const char *key)
{
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

        g_assert_true(cJSON_IsNumber(item));
        return (guint64)item->valuedouble;
}

typedef struct Figures {
        guint64 signals, dropped; /* of the service */
        guint64 all_dropped;      /* of all services */
        guint64 dropped_by_mqtt;  /* for want of room */
} Figures;

static cJSON *ask_gateway(Fixture *fixture, const char *method, const char *params)
{
        MqttRequest request = {.service = "gateway", .method = method, .params = params};
        g_autofree char *reply = mqtt_client_call(fixture->admin, &request);

        g_assert_cmpint(rpc_reply_get_code(reply), ==, 0);
        return cJSON_Parse(reply);
}

static Figures get_figures(Fixture *fixture)
{
        cJSON *service = ask_gateway(fixture, "Service", "[\"test\"]");
        cJSON *stats = ask_gateway(fixture, "Stats", NULL);
        const cJSON *one = cJSON_GetObjectItemCaseSensitive(service, "result");
        const cJSON *all = cJSON_GetObjectItemCaseSensitive(stats, "result");
        Figures figures = {
                .signals = get_figure(one, "signals"),
                .dropped = get_figure(one, "dropped"),
                .all_dropped = get_figure(all, "dropped"),
                .dropped_by_mqtt = get_figure(cJSON_GetObjectItemCaseSensitive(all, "mqtt"),
                                              "dropped_signals"),
        };

        cJSON_Delete(service);
        cJSON_Delete(stats);
        return figures;
}

static long get_anonymous_kib(const Fixture *fixture)
{
        Process *process = gateway_process_get_process(fixture->stage->gateway);
        g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)process_get_pid(process));
        g_autofree char *text = NULL;
        const char *at;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        at = strstr(text, "RssAnon:");
        g_assert_nonnull(at);
        return strtol(at + strlen("RssAnon:"), NULL, 10);
}

static bool has_logged(const Fixture *fixture, const char *text)
{
        Process *process = gateway_process_get_process(fixture->stage->gateway);
        g_autofree char *log = process_dup_output(process, PROCESS_STDERR);

        return strstr(log, text);
}

/* ---- tests ---- */

static void set_up(Fixture *fixture, gconstpointer unused)
{
        static const char *const arguments[] = {"--label", "x", NULL};
        static const char *const rights[] = {"--call", "gateway", NULL};
        GatewayStage *stage = gateway_stage_new();

        fixture->stage = stage;
        gateway_stage_add_mapping(stage, "test", NAME, "", objects);
        broker_add_user(stage->broker, "admin", "secret of admin", rights);
        gateway_stage_start(stage);
        fixture->admin = mqtt_client_new(stage->broker, "admin");
        fixture->control = dbus_daemon_connect(stage->bus);
        fixture->service = gateway_stage_start_service(stage, CONTROL, arguments);
        g_variant_unref(ask_service(fixture, "Own", g_variant_new("(su)", NAME, 0)));
        open_bus(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        loop_drop_bus(fixture->bus);
        mqtt_client_free(fixture->admin);
        process_free(fixture->service);
        g_dbus_connection_close_sync(fixture->control, NULL, NULL);
        g_object_unref(fixture->control);
        gateway_stage_free(fixture->stage);
}

/* All that was emitted has come, or is counted as dropped. */
static void check_sum(Fixture *fixture, guint32 emitted)
{
        Figures figures;

        wait_last(fixture, emitted); /* the newest are not dropped */
        figures = get_figures(fixture);
        g_test_message("%" G_GUINT64_FORMAT " received, %" G_GUINT64_FORMAT " dropped, %u calls",
                       fixture->received, figures.dropped, fixture->n_answered);
        g_assert_cmpuint(fixture->received, ==, figures.signals);
        g_assert_cmpuint(figures.signals + figures.dropped, ==, emitted);
        g_assert_cmpuint(figures.all_dropped, ==, figures.dropped);
        g_assert_cmpuint(figures.dropped_by_mqtt, ==, figures.dropped);
        g_assert_cmpuint(fixture->lost, ==, figures.dropped);
}

static void test_order_is_kept_and_calls_are_answered(Fixture *fixture, gconstpointer unused)
{
        fixture->goes_on = true;
        flood(fixture, FLOOD, RATE);
        send_call(fixture);
        wait_last(fixture, FLOOD);
        fixture->goes_on = false;
        g_assert_true(LOOP_UNTIL(fixture->n_answered == fixture->n_sent));
        g_assert_cmpuint(fixture->n_answered, >, 1);
        check_sum(fixture, FLOOD);
        g_assert_true(wait_until(has_emitted, fixture, WAIT_MSEC));
}

/* What had come before the broker stopped, and the last ones that wait, arrive. */
static void test_broker_that_stops_costs_no_memory(Fixture *fixture, gconstpointer unused)
{
        Process *broker = broker_get_process(fixture->stage->broker);
        long before, stopped;

        flood(fixture, 1, 0);
        wait_last(fixture, 1);
        g_assert_true(wait_until(has_emitted, fixture, WAIT_MSEC));
        before = get_anonymous_kib(fixture);
        flood(fixture, BURST, 0);
        g_assert_true(LOOP_UNTIL(fixture->received >= BURST_PASSED));
        process_signal(broker, SIGSTOP);
        g_assert_true(wait_until(has_emitted, fixture, 2 * WAIT_MSEC));
        wait_processed(fixture);
        stopped = get_anonymous_kib(fixture);
        process_signal(broker, SIGCONT);
        check_sum(fixture, BURST + 1);
        g_test_message("RssAnon %ld KiB, then %ld KiB", before, stopped);
        g_assert_cmpuint(fixture->lost, >, 0);
        g_assert_true(has_logged(fixture, "a signal was dropped: the broker takes none"));
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed */
        g_assert_cmpint(stopped - before, <, GROWTH_KIB);
#endif
        /* and everything goes on */
        send_call(fixture);
        g_assert_true(LOOP_UNTIL(fixture->n_answered == 1));
        flood(fixture, 1, 0);
        check_sum(fixture, BURST + 2);
        g_assert_true(wait_until(has_emitted, fixture, WAIT_MSEC));
}

/* Its arguments have room in a payload, but not in an envelope. */
static void test_what_cannot_be_sent_is_dropped(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        CLEANUP_SCRIPTED_SERVICE ScriptedService *service = NULL;
        g_autofree char *fill = g_strnfill((1 << 20) - 8, 'x');
        Fixture fixture = {.stage = stage};
        static const char *const rights[] = {"--call", "gateway", NULL};
        Figures figures;

        gateway_stage_add_mapping(stage, "test", NAME, "", objects);
        broker_add_user(stage->broker, "admin", "secret of admin", rights);
        gateway_stage_start(stage);
        fixture.admin = mqtt_client_new(stage->broker, "admin");
        service = scripted_service_new(stage->bus);
        scripted_service_own(service, NAME);
        open_bus(&fixture);
        scripted_service_emit(service, "/", FACE, "Flooded", g_variant_new("(u)", 1));
        scripted_service_emit(service, "/", FACE, "Said", g_variant_new("(s)", fill));
        scripted_service_emit(service, "/", FACE, "Flooded", g_variant_new("(u)", 2));
        wait_last(&fixture, 2);
        figures = get_figures(&fixture);
        g_assert_cmpuint(figures.signals, ==, 2);
        g_assert_cmpuint(figures.dropped, ==, 1);
        g_assert_cmpuint(figures.dropped_by_mqtt, ==, 1);
        g_assert_true(has_logged(&fixture, "-/Said is not told to MQTT: Message too long"));
        mqtt_client_free(fixture.admin);
        loop_drop_bus(fixture.bus);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/flood/order-is-kept-and-calls-are-answered", Fixture, NULL, set_up,
                   test_order_is_kept_and_calls_are_answered, tear_down);
        g_test_add("/flood/broker-that-stops-costs-no-memory", Fixture, NULL, set_up,
                   test_broker_that_stops_costs_no_memory, tear_down);
        g_test_add_func("/flood/what-cannot-be-sent-is-dropped-and-counted",
                        test_what_cannot_be_sent_is_dropped);
        return g_test_run();
}
