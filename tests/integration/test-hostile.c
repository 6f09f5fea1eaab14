/* SPDX-License-Identifier: MIT */

/* Requests that no honest client sends: nothing crashes, nothing is written where it should not be,
 * nothing is executed that must not be, and whoever can be answered is answered. */

#include "tests/integration/serve.h"

#include <string.h>

#define REQUEST "mb1/net/-/call/WhoAmI/alice"

/* ---- Response Topics ---- */

typedef struct ResponseRow {
        const char *name;
        const char *topic;
} ResponseRow;

static const ResponseRow responses[] = {
        {"a-topic-of-another", "mb1/net/-/call/WhoAmI/bob/reply"},
        {"the-request-topic", REQUEST},
        {"a-request-of-another-service", "mb1/power/-/call/Off/net"},
        {"a-request-of-the-same-service", "mb1/net/-/call/Fail/alice"},
        {"a-request-on-rpc", "mb1/net/-/rpc/alice"},
        {"a-signal", "mb1/net/-/sig/Changed"},
        {"a-property", "mb1/net/-/prop/Hostname"},
        {"presence", "mb1/net/$state"},
        {"presence-below-the-request", REQUEST "/$state"},
        {"the-brokers-own-tree", "$SYS/broker/uptime"},
        {"two-levels-below", REQUEST "/a/b"},
        {"an-empty-level-below", REQUEST "/"},
        {"an-empty-level-in-front", "/" REQUEST},
        {"a-longer-method", "mb1/net/-/call/WhoAmIx/alice/reply"},
        {"a-longer-service", "mb1/xnet/-/call/WhoAmI/alice/reply"},
        {"another-object", "mb1/net/eth0.1/call/WhoAmI/alice/reply"},
        {"other-case", "mb1/net/-/CALL/WhoAmI/alice/reply"},
        {"a-space", REQUEST "/re ply"},
        {"letters-beyond-ascii", REQUEST "/r\xc3\xa9ply"},
        {"one-word", "x"},
};

static const char long_token[] = /* 256 characters are one too many */
        REQUEST "/"
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* A monitor of everything sees the request and what is sent afterwards, but nothing between. */
static void test_response_topic(Serve *serve, gconstpointer topic)
{
        CLEANUP_RAW_CLIENT RawClient *monitor = raw_client_new(serve->broker, NULL);
        uint64_t before = serve_counter(serve, MQTTRPC_COUNT_BAD_RESPONSE_TOPIC);

        raw_client_subscribe_fresh(monitor, "#");
        raw_client_post(serve->alice, &(RawPublish){.topic = REQUEST,
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1,
                                                    .response_topic = topic});
        serve_assert_silence(serve);
        g_assert_cmpstr(raw_client_receive(monitor)->topic, ==, REQUEST);
        g_assert_cmpstr(raw_client_receive(monitor)->topic, ==, "mb1/net/-/call/rpc.ping/alice");
        g_assert_cmpstr(raw_client_receive(monitor)->topic, ==,
                        "mb1/net/-/call/rpc.ping/alice/reply");
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_BAD_RESPONSE_TOPIC), ==, before + 1);
        g_assert_nonnull(strstr(serve->log, "Response Topic"));
}

/* A prefix is a bridge's business: accepted, and never used. */
static void test_response_prefix_is_never_used(Serve *serve, gconstpointer unused)
{
        static const char *const topics[] = {
                "evil/" REQUEST "/t", "$SYS/" REQUEST "/t",        "a/b/c/" REQUEST "/t",
                "mb1/" REQUEST "/t",  "net/-/call/WhoAmI/alice/t",
        };
        CLEANUP_RAW_CLIENT RawClient *monitor = raw_client_new(serve->broker, NULL);

        raw_client_subscribe_fresh(monitor, "#");
        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++) {
                raw_client_post(serve->alice, &(RawPublish){.topic = REQUEST,
                                                            .payload = "{\"id\":1}",
                                                            .qos = 1,
                                                            .response_topic = topics[i]});
                g_assert_cmpstr(raw_client_receive(monitor)->topic, ==, REQUEST);
                g_assert_cmpstr(raw_client_receive(monitor)->topic, ==, REQUEST "/t");
        }
}

/* ---- retained requests ---- */

static void test_retained_request_is_refused(Serve *serve, gconstpointer unused)
{
        static const char *const topics[] = {"mb1/net/-/call/Echo/alice", SERVE_RPC_TOPIC};
        RawPublish request = {.payload = "{\"id\":1,\"method\":\"Echo\",\"params\":[1]}",
                              .qos = 1,
                              .retain = true};

        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++) {
                request.topic = topics[i];
                raw_client_post(serve->alice, &request);
        }
        serve_assert_silence(serve);
        g_assert_cmpuint(serve_counter(serve, MQTTRPC_COUNT_RETAINED_REFUSED), ==, 2);
        /* Nor do they come back with the next subscription. */
        mqttrpc_bus_close(serve->server);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(serve->server) == MQTTRPC_STATE_CONNECTED));
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 0);
}

/* ---- strange topics ---- */

static void test_strange_topics_are_ignored(Serve *serve, gconstpointer unused)
{
        static const char *const topics[] = {
                "mb1/net/a b/call/Echo/alice",
                "mb1/net//call/Echo/alice",
                "mb1/net/$x/call/Echo/alice",
                "mb1/net/-/call//alice",
                "mb1/net/-/call/Echo/",
                "mb1/net/-/call/$x/alice",
                "mb1/net/-/call/\xc3\xa9/alice",
                "mb1/net/-/rpc/",
                "mb1/net/-/call/Echo/alice/x/y/z",
                "mb1/net/-/rpc/a b",
        };
        g_autofree char *longest = g_malloc(65536);

        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++)
                serve_send_to(serve, topics[i], "{\"id\":1,\"method\":\"Echo\",\"params\":[1]}");
        memset(longest, 'x', 65535);
        longest[65535] = '\0';
        memcpy(longest, "mb1/net/", 8);
        memcpy(longest + 65535 - 16, "/call/Echo/alice", 16);
        serve_send_to(serve, longest, "{\"id\":1,\"params\":[1]}");
        serve_assert_silence(serve);
        g_assert_cmpuint(serve->executed, ==, 0);
}

static void test_longest_names_are_served(Serve *serve, gconstpointer unused)
{
        g_autofree char *object = g_strnfill(1024, 'o');
        g_autofree char *caller = g_strnfill(255, 'c');
        g_autofree char *topic = g_strdup_printf("mb1/net/%s/call/WhoAmI/%s", object, caller);
        g_autofree char *filter = g_strdup_printf("mb1/net/+/call/+/%s/+", caller);

        raw_client_subscribe(serve->alice, filter);
        serve_assert_error(serve_request_to(serve, topic, "{\"id\":1}"), "1",
                           MQTTRPC_ERROR_NOT_FOUND);
}

/* ---- payloads ---- */

static void test_deep_json(Serve *serve, gconstpointer unused)
{
        g_autofree char *open = g_strnfill(100000, '[');
        g_autofree char *text = g_strdup_printf("{\"id\":1,\"params\":%s", open);

        serve_assert_error(serve_request(serve, "Echo", text), "null", MQTTRPC_ERROR_PARSE);
        g_assert_cmpuint(serve->executed, ==, 0);
}

static void test_huge_array(Serve *serve, gconstpointer unused)
{
        g_autoptr(GString) text = g_string_new("{\"id\":1,\"params\":[[0");

        while (text->len < 900000)
                g_string_append(text, ",0");
        g_string_append(text, "]]}");
        serve_assert_error(serve_request(serve, "Echo", text->str), "null",
                           MQTTRPC_ERROR_TOO_LARGE);
}

static void test_request_too_large(Serve *serve, gconstpointer unused)
{
        g_autofree char *fill = g_strnfill(1 << 20, 'x');
        g_autofree char *text = g_strdup_printf("{\"id\":1,\"params\":[\"%s\"]}", fill);

        serve_assert_error(serve_request(serve, "Echo", text), "null", MQTTRPC_ERROR_TOO_LARGE);
        g_assert_cmpuint(serve->executed, ==, 0);
}

static void test_reply_too_large(Serve *serve, gconstpointer unused)
{
        const char *reply = serve_request(serve, "Big", "{\"id\":1,\"params\":[1048577]}");

        serve_assert_error(reply, "1", MQTTRPC_ERROR_TOO_LARGE);
        g_assert_nonnull(strstr(reply, "\"executed\":\"yes\""));
        reply = serve_request(serve, "Big", "{\"id\":2,\"params\":[1048576]}");
        g_assert_cmpuint(strlen(reply), ==,
                         1048576 + strlen("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":}"));
}

/* The broker takes less than the library would send: it says so at connect. */
static void test_reply_too_large_for_the_broker(Serve *serve, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_PAYLOAD_BYTES,
                                              UINT64_C(8) << 20),
                        ==, 0);
        serve_assert_error(serve_request(serve, "Big", "{\"id\":1,\"params\":[1999990]}"), "1",
                           MQTTRPC_ERROR_TOO_LARGE);
        serve_assert_error(serve_request_to(serve, SERVE_RPC_TOPIC,
                                            "[{\"id\":1,\"method\":\"Big\",\"params\":[999990]},"
                                            "{\"id\":2,\"method\":\"Big\",\"params\":[1000010]}]"),
                           "null", MQTTRPC_ERROR_TOO_LARGE);
}

/* ---- fuzz ---- */

enum { FUZZED = 10000 };

static const char *const seeds[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":@,\"method\":\"Echo\",\"params\":[[1,2.5,{\"a\":null}]]}",
        "{\"id\":@,\"params\":{\"a\":1,\"b\":-2}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"Add\",\"params\":[1,2],\"id\":@,\"x\":{\"ttl\":9000}}",
        "[{\"id\":@,\"method\":\"Echo\",\"params\":[\"\\u00e9\\ud83d\\ude00\"]},{\"method\":"
        "\"Add\"}]",
        "{\"id\":@,\"method\":\"WhoAmI\",\"params\":[]}",
};

/* One of: as it is, cut short, a byte changed, a byte doubled, two pieces swapped. */
static GString *mangle(unsigned number)
{
        GString *text = g_string_new(seeds[number % G_N_ELEMENTS(seeds)]);
        g_autofree char *id = g_strdup_printf("%u", number);
        unsigned kind = (unsigned)g_test_rand_int_range(0, 5);
        gsize at;

        g_string_replace(text, "@", id, 0);
        at = (gsize)g_test_rand_int_range(0, (gint32)text->len);
        if (kind == 1)
                g_string_truncate(text, at);
        else if (kind == 2)
                text->str[at] = (char)g_test_rand_int_range(0, 256);
        else if (kind == 3)
                g_string_insert_c(text, (gssize)at, text->str[at]);
        else if (kind == 4)
                g_string_append_len(g_string_erase(text, 0, (gssize)at), text->str, (gssize)at / 2);
        return text;
}

/* Whether JSON-RPC demands an answer: everything but a notification (an object without id). */
static bool is_notification(const GString *text)
{
        return strstr(text->str, "\"id\"") == NULL;
}

/* trap 31, and the acceptance criterion: every request with an id that can be read is answered. */
static void test_fuzzed_payloads(Serve *serve, gconstpointer unused)
{
        static const char *const methods[] = {"Echo", "Add", "WhoAmI", "Fail"};
        unsigned expected = 0;

        for (unsigned i = 0; i < FUZZED; i++) {
                g_autoptr(GString) text = mangle(i);
                const char *method = methods[i % G_N_ELEMENTS(methods)];
                g_autofree char *topic =
                        i % 7 == 0 ? g_strdup(SERVE_RPC_TOPIC) : serve_call_topic(method);

                raw_client_post(serve->alice, &(RawPublish){.topic = topic,
                                                            .payload = text->str,
                                                            .length = text->len,
                                                            .qos = 1});
                if (!is_notification(text) && memchr(text->str, '\0', text->len) == NULL)
                        expected++;
                while (i % 100 == 99 && raw_client_count(serve->alice) + 100 < expected)
                        loop_step(WAIT_MSEC);
        }
        g_assert_true(LOOP_UNTIL(raw_client_count(serve->alice) >= expected));
        serve_send(serve, "rpc.ping", "{\"id\":\"end\"}");
        while (!strstr(raw_client_receive(serve->alice)->payload, "\"id\":\"end\""))
                continue;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Serve *serve, gconstpointer unused);
        } tests[] = {
                {"/service/trap-23-response-prefix-is-never-used",
                 test_response_prefix_is_never_used},
                {"/service/trap-18-retained-request-is-refused", test_retained_request_is_refused},
                {"/service/trap-27-strange-topics-are-ignored", test_strange_topics_are_ignored},
                {"/service/trap-27-longest-names-are-served", test_longest_names_are_served},
                {"/service/trap-31-deep-json", test_deep_json},
                {"/service/trap-31-huge-array", test_huge_array},
                {"/service/trap-31-request-too-large", test_request_too_large},
                {"/service/trap-31-reply-too-large", test_reply_too_large},
                {"/service/trap-31-reply-too-large-for-the-broker",
                 test_reply_too_large_for_the_broker},
                {"/service/fuzzed-payloads-are-answered", test_fuzzed_payloads},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(responses); i++) {
                g_autofree char *path = g_strdup_printf(
                        "/service/trap-23-hostile-response-topics/%s", responses[i].name);

                SERVE_TEST(path, responses[i].topic, test_response_topic);
        }
        SERVE_TEST("/service/trap-23-hostile-response-topics/a-token-too-long", long_token,
                   test_response_topic);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                SERVE_TEST(tests[i].path, NULL, tests[i].function);
        return g_test_run();
}
