/* SPDX-License-Identifier: MIT */

/* What the cloud may call, and what it may not. */

#include <string.h>

#include "tests/support/bridge-stage.h"

static const char rules[] =
        ",\"allow\":[{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Scan\",\"prop.set.*\"],"
        "\"callers\":[\"alice\"],\"rate_per_minute\":1000,\"max_bytes\":500},"
        "{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Ping\"],\"others\":true,"
        "\"rate_per_minute\":3,\"timeout_ms\":3000}]";

typedef struct Calls {
        BridgeStage *stage;
        RawClient *service; /* sees all requests at the local broker */
        RawClient *cloud;   /* sees all answers */
} Calls;

static void set_up(Calls *calls, gconstpointer data)
{
        calls->stage = bridge_stage_new();
        calls->service = raw_client_new(calls->stage->local, &(RawOptions){});
        raw_client_subscribe(calls->service, "mb1/net/#");
        bridge_stage_run(calls->stage, rules);
        calls->cloud = raw_client_new(calls->stage->cloud, &(RawOptions){});
        raw_client_subscribe(calls->cloud, "dev1/mb1/+/+/call/+/+/+");
        raw_client_subscribe(calls->cloud, "dev1/mb1/+/+/rpc/+/+");
}

static void tear_down(Calls *calls, gconstpointer data)
{
        raw_client_free(calls->cloud);
        raw_client_free(calls->service);
        bridge_stage_free(calls->stage);
}

static void answer(Calls *calls, const RawMessage *request, const char *payload)
{
        g_autofree char *topic = g_strdup(request->response_topic);
        g_autofree char *correlation = g_memdup2(request->correlation, request->correlation_length);

        raw_client_post(calls->service,
                        &(RawPublish){.topic = topic,
                                      .payload = payload,
                                      .qos = 1,
                                      .correlation = correlation,
                                      .correlation_length = request->correlation_length});
}

static void test_there_and_back(Calls *calls, gconstpointer data)
{
        static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":\"x-1\",\"params\":[1.50]}";
        const RawMessage *message;

        raw_client_post(calls->cloud,
                        &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                      .payload = request,
                                      .qos = 1,
                                      .response_topic = "dev1/mb1/net/-/call/Scan/alice/t7",
                                      .correlation = "12345678",
                                      .correlation_length = 8});
        message = raw_client_receive(calls->service);
        /* The caller is another one, whatever he calls himself; the payload is what it was. */
        g_assert_cmpstr(message->topic, ==, "mb1/net/-/call/Scan/cloud.alice");
        g_assert_cmpstr(message->payload, ==, request);
        g_assert_false(message->retain);
        answer(calls, message, "{\"jsonrpc\":\"2.0\",\"id\":\"x-1\",\"result\":[2.50]}");
        message = raw_client_receive(calls->cloud);
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/call/Scan/alice/t7");
        g_assert_cmpstr(message->payload, ==,
                        "{\"jsonrpc\":\"2.0\",\"id\":\"x-1\",\"result\":[2.50]}");
        g_assert_cmpmem(message->correlation, message->correlation_length, "12345678", 8);
}

static void test_progress_and_then_the_answer(Calls *calls, gconstpointer data)
{
        const RawMessage *message;
        g_autofree char *topic = NULL, *correlation = NULL;

        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1});
        message = raw_client_receive(calls->service);
        topic = g_strdup(message->response_topic);
        correlation = g_memdup2(message->correlation, message->correlation_length);
        for (int i = 0; i < 3; i++)
                raw_client_post(calls->service,
                                &(RawPublish){.topic = topic,
                                              .payload = i < 2 ? "{\"method\":\"rpc.progress\"}"
                                                               : "{\"id\":1,\"result\":0}",
                                              .qos = 1,
                                              .correlation = correlation,
                                              .correlation_length = 8});
        for (int i = 0; i < 3; i++) {
                message = raw_client_receive(calls->cloud);
                g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/call/Scan/alice/reply");
        }
        g_assert_cmpstr(message->payload, ==, "{\"id\":1,\"result\":0}");
}

/* Sends a request, and returns the code of the error that comes back; 0 if it gets through. */
static int code_of(Calls *calls, const char *topic, const char *payload)
{
        const RawMessage *message;
        const char *code;

        raw_client_post(calls->cloud, &(RawPublish){.topic = topic, .payload = payload, .qos = 1});
        g_assert_true(LOOP_UNTIL((message = raw_client_poll(calls->service)) != NULL ||
                                 (message = raw_client_poll(calls->cloud)) != NULL));
        code = strstr(message->payload, "\"code\":");
        return code ? atoi(code + strlen("\"code\":")) : 0;
}

static void test_matrix(Calls *calls, gconstpointer data)
{
        static const char ok[] = "{\"id\":1}";
        g_autofree char *large = g_strdup_printf("{\"id\":1,\"params\":[\"%0600d\"]}", 0);
        const struct {
                const char *topic, *payload;
                int code;
        } rows[] = {
                {"dev1/mb1/net/-/call/Scan/alice", ok, 0},
                {"dev1/mb1/net/-/call/prop.set.Name/alice", ok, 0},
                {"dev1/mb1/net/-/call/rpc.cancel/alice", ok, 0},
                {"dev1/mb1/net/-/call/Ping/anybody", ok, 0},
                {"dev1/mb1/net/-/call/Scan/bob", ok, -32001},
                {"dev1/mb1/net/-/call/Scan/cloud.alice", ok, -32001},
                {"dev1/mb1/net/-/call/Reboot/alice", ok, -32001},
                {"dev1/mb1/net/-/call/prop.get/alice", ok, -32001},
                {"dev1/mb1/net/other/call/Scan/alice", ok, -32001},
                {"dev1/mb1/other/-/call/Scan/alice", ok, -32001},
                {"dev1/mb1/bridge/-/call/pause/alice", ok, -32001},
                {"dev1/mb1/net/-/call/rpc.cancel/bob", ok, -32001},
                {"dev1/mb1/net/-/rpc/alice", ok, -32001},
                {"dev1/mb1/net/-/call/Scan/alice", "{\"id\":", -32700},
                {"dev1/mb1/net/-/call/Scan/alice", "[]", -32600},
                {"dev1/mb1/net/-/call/Scan/alice", "{\"id\":null}", -32600},
                {"dev1/mb1/net/-/call/Scan/alice", large, -32009},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_test_message("%s %.20s", rows[i].topic, rows[i].payload);
                g_assert_cmpint(code_of(calls, rows[i].topic, rows[i].payload), ==, rows[i].code);
        }
        bridge_stage_expect(calls->stage, "Calls", "4");
        bridge_stage_expect(calls->stage, "CallsRefused", "13");
}

static void test_others_share_a_name_and_a_rate(Calls *calls, gconstpointer data)
{
        const RawMessage *message;

        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Ping/eve",
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1});
        message = raw_client_receive(calls->service);
        g_assert_cmpstr(message->topic, ==, "mb1/net/-/call/Ping/cloud.other");
        g_assert_cmpint(code_of(calls, "dev1/mb1/net/-/call/Ping/mallory", "{\"id\":1}"), ==, 0);
        g_assert_cmpint(code_of(calls, "dev1/mb1/net/-/call/Ping/trudy", "{\"id\":1}"), ==, 0);
        g_assert_cmpint(code_of(calls, "dev1/mb1/net/-/call/Ping/oscar", "{\"id\":1}"), ==, -32004);
}

/* Dropped without an answer, and nothing of it reaches the local broker. */
static void test_dropped_in_silence(Calls *calls, gconstpointer data)
{
        static const char topic[] = "dev1/mb1/net/-/call/Scan/alice";
        const RawPublish rows[] = {
                {.response_topic = "elsewhere/t"},
                {.response_topic = "dev1/mb1/net/-/call/Scan/bob/t"},
                {.response_topic = "dev1/mb1/net/-/call/Scan/alice"},
                {.response_topic = "dev1/mb1/net/-/call/Scan/alice/a/b"},
                {.ttl = "0"},
                {.payload = "{\"id\":1,\"x\":{\"ttl\":0}}"},
                {.correlation = topic, .correlation_length = sizeof(topic) * 3},
        };
        char correlation[200] = "";
        const RawMessage *message;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                RawPublish publish = rows[i];

                publish.topic = topic;
                publish.qos = 1;
                if (!publish.payload)
                        publish.payload = "{\"id\":1}";
                if (publish.correlation)
                        publish.correlation = correlation;
                raw_client_post(calls->cloud, &publish);
        }
        raw_client_post(calls->cloud,
                        &(RawPublish){.topic = topic, .payload = "{\"id\":\"last\"}", .qos = 1});
        message = raw_client_receive(calls->service);
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"last\"}");
        answer(calls, message, "{\"id\":\"last\",\"result\":1}");
        message = raw_client_receive(calls->cloud);
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"last\",\"result\":1}");
        bridge_stage_expect(calls->stage, "CallsRefused", "7");
}

static void test_retained_requests_are_refused(Calls *calls, gconstpointer data)
{
        const RawMessage *message;

        bridge_stage_retain(calls->cloud, "dev1/mb1/net/-/call/Scan/alice", "{\"id\":1}");
        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                                    .payload = "{\"id\":2}",
                                                    .qos = 1});
        message = raw_client_receive(calls->service);
        g_assert_cmpstr(message->payload, ==, "{\"id\":2}");
}

static void test_nobody_answers(Calls *calls, gconstpointer data)
{
        g_autofree char *topic = NULL, *correlation = NULL;
        const RawMessage *message;

        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Ping/eve",
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1});
        message = raw_client_receive(calls->service);
        topic = g_strdup(message->response_topic);
        correlation = g_memdup2(message->correlation, 8);
        message = raw_client_receive(calls->cloud);
        g_assert_nonnull(strstr(message->payload, "\"code\":-32005"));
        g_assert_nonnull(strstr(message->payload, "\"executed\":\"maybe\""));
        /* An answer after that goes nowhere. */
        raw_client_publish(calls->service, &(RawPublish){.topic = topic,
                                                         .payload = "{\"id\":1,\"result\":1}",
                                                         .qos = 1,
                                                         .correlation = correlation,
                                                         .correlation_length = 8});
        bridge_stage_expect(calls->stage, "LateAnswers", "1");
        g_assert_null(raw_client_poll(calls->cloud));
}

static void test_an_answer_of_another_is_not_taken(Calls *calls, gconstpointer data)
{
        g_autofree char *topic = NULL, *correlation = NULL;
        g_auto(GStrv) parts = NULL;
        const RawMessage *message;

        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1});
        message = raw_client_receive(calls->service);
        correlation = g_memdup2(message->correlation, 8);
        parts = g_strsplit(message->response_topic, "/net/", 2);
        topic = g_strdup_printf("%s/evil/%s", parts[0], parts[1]);
        raw_client_publish(calls->service, &(RawPublish){.topic = topic,
                                                         .payload = "{\"id\":1,\"result\":1}",
                                                         .qos = 1,
                                                         .correlation = correlation,
                                                         .correlation_length = 8});
        bridge_stage_expect(calls->stage, "LateAnswers", "1");
        g_assert_null(raw_client_poll(calls->cloud));
}

/* Until the local broker knows that nobody subscribes any more. */
static void end_service(Calls *calls)
{
        CLEANUP_RAW_CLIENT RawClient *other = raw_client_new(calls->stage->local, &(RawOptions){});
        const RawPublish publish = {.topic = "mb1/net/nobody", .payload = "", .qos = 1};
        gint64 deadline = wait_deadline(WAIT_MSEC);
        int reason;

        calls->service = raw_client_free(calls->service);
        do
                reason = raw_client_publish(other, &publish);
        while (reason != 0x10 && wait_left(deadline) > 0);
        g_assert_cmpint(reason, ==, 0x10);
}

static void test_no_local_broker(Calls *calls, gconstpointer data)
{
        const RawMessage *message;

        end_service(calls);
        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1});
        message = raw_client_receive(calls->cloud);
        g_assert_nonnull(strstr(message->payload, "there is no such service"));
        process_mark_output(calls->stage->bridge, PROCESS_STDERR);
        broker_kill(calls->stage->local);
        g_assert_true(process_wait_output(calls->stage->bridge, PROCESS_STDERR,
                                          "trying again until it works", WAIT_MSEC));
        raw_client_post(calls->cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Scan/alice",
                                                    .payload = "{\"id\":2}",
                                                    .qos = 1});
        message = raw_client_receive(calls->cloud);
        g_assert_nonnull(strstr(message->payload, "\"code\":-32012"));
}

#define ADD(name, function) \
        g_test_add("/bridge-calls/" name, Calls, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("there-and-back", test_there_and_back);
        ADD("progress-and-then-the-answer", test_progress_and_then_the_answer);
        ADD("matrix", test_matrix);
        ADD("others-share-a-name-and-a-rate", test_others_share_a_name_and_a_rate);
        ADD("dropped-in-silence", test_dropped_in_silence);
        ADD("retained-requests-are-refused", test_retained_requests_are_refused);
        ADD("nobody-answers", test_nobody_answers);
        ADD("an-answer-of-another-is-not-taken", test_an_answer_of_another_is_not_taken);
        ADD("no-local-broker", test_no_local_broker);
        return g_test_run();
}
