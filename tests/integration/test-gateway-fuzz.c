/* SPDX-License-Identifier: MIT */

/* Ten thousand damaged payloads at the topics of a running gateway, the same in every run. It must
 * stay alive, keep answering, answer all that has an id that can be read, and leak nothing. */

#include "tests/support/gateway-stage.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <cJSON.h>
#include <string.h>

enum { N_PAYLOADS = 10000, N_TOGETHER = 50 };

static const char objects[] =
        "[{ \"path\": \"/org/example/Test\", \"interfaces\": { \"org.example.Test1\": {"
        " \"methods\": {"
        "  \"Echo\": { \"in\": [\"a:a{sv}\", \"b:(tay)\", \"c:d\"],"
        "             \"out\": [\"a:a{sv}\", \"b:(tay)\", \"c:d\"], \"access\": \"read\","
        "             \"variant\": \"typed\" },"
        "  \"EchoNone\": { \"in\": [], \"out\": [], \"access\": \"read\" }, \"*\": {} } } } }]";

static const char *const seeds[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":\"%u\",\"method\":\"Echo\",\"params\":[{\"k\":{\"type\":\"u\","
        "\"data\":5}},[\"18446744073709551615\",\"AAEC\"],1.5]}",
        "{\"id\":%u,\"params\":{\"a\":{\"x\":{\"type\":\"as\",\"data\":[\"y\"]}},\"b\":[7,\"\"],"
        "\"c\":\"NaN\"},\"method\":\"Echo\"}",
        "{\"id\":\"%u\",\"method\":\"Echo\",\"params\":[{\"\\u00e9\":{\"type\":\"v\",\"data\":"
        "{\"type\":\"o\",\"data\":\"/"
        "\"}}},[0,\"=\"],-1e300],\"x\":{\"pg\":true}}",
        "[{\"id\":\"%u\",\"method\":\"EchoNone\"},{\"method\":\"Echo\",\"params\":[]}]",
        "{\"id\":%u,\"method\":\"EchoNone\",\"params\":[[[[[[[[]]]]]]]]}",
};

static const char *const topics[] = {
        "mb1/test/-/call/Echo/alice",     "mb1/test/-/rpc/alice",
        "mb1/test/-/call/EchoNone/alice", "mb1/test/nowhere/call/Echo/alice",
        "mb1/test/-/call/rpc.ping/alice",
};

static const char *const pieces[] = {
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "null",
        "-",
        "1e999",
        "99999999999999999999",
        "\"id\":",
        "\"params\":[]",
        "\xff",
        "\xc3",
        "true",
        "\"type\":",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"a\":{\"a\":{\"a\":",
        " ",
};

static void damage(GRand *random, GString *payload)
{
        guint32 n = (guint32)g_rand_int_range(random, 0, 4);

        while (n-- > 0 && payload->len > 0) {
                gssize at = g_rand_int_range(random, 0, (gint32)payload->len);
                gssize length = g_rand_int_range(random, 1, 12);
                const char *piece =
                        pieces[g_rand_int_range(random, 0, (gint32)G_N_ELEMENTS(pieces))];

                length = MIN(length, (gssize)payload->len - at);
                switch (g_rand_int_range(random, 0, 5)) {
                case 0: payload->str[at] = (char)g_rand_int_range(random, 0, 256); break;
                case 1: g_string_truncate(payload, (gsize)at); break;
                case 2: g_string_erase(payload, at, length); break;
                case 3: g_string_insert(payload, at, piece); break;
                default: g_string_insert_len(payload, at, payload->str, length); break;
                }
        }
}

/* Whether a stock JSON parser finds a request whose id can be echoed. What it is more lenient with
 * than JSON-RPC allows the gateway still has to answer, with an error. */
static bool wants_answer(const GString *payload)
{
        cJSON *tree = cJSON_ParseWithLength(payload->str, payload->len);
        const cJSON *request = cJSON_IsArray(tree) ? cJSON_GetArrayItem(tree, 0) : tree;
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
        bool wants = cJSON_IsString(id) || cJSON_IsNumber(id);

        cJSON_Delete(tree);
        return wants;
}

/* How many replies are a batch of several cannot be told from outside; so each payload is a batch
 * of its own, at an own time, and gets at most one message. */
static unsigned send_some(GatewayStage *stage, GRand *random, unsigned first)
{
        unsigned n_expected = 0;

        for (unsigned i = first; i < first + N_TOGETHER; i++) {
                const char *topic =
                        topics[g_rand_int_range(random, 0, (gint32)G_N_ELEMENTS(topics))];
                const char *seed = seeds[i % G_N_ELEMENTS(seeds)];
                g_autofree char *id = g_strdup_printf("%u", 100000 + i);
                g_autoptr(GString) payload = g_string_new(seed);

                g_string_replace(payload, "%u", id, 1);
                damage(random, payload);
                n_expected += wants_answer(payload);
                mqtt_client_publish(stage->client, topic, payload->str, payload->len);
        }
        return n_expected;
}

/* The reply to a last request comes behind all others but those that D-Bus still has, and these
 * are behind the second one. */
static void let_all_pass(GatewayStage *stage)
{
        for (unsigned i = 0; i < 2; i++) {
                g_autofree char *reply = gateway_stage_call(stage, "test", "EchoNone", NULL);

                rpc_reply_assert_result(reply, "null");
        }
}

static void check_replies(GatewayStage *stage, unsigned n_expected)
{
        size_t n_replies = mqtt_client_collect(stage->client);
        char *reply;

        g_assert_cmpuint(n_replies, >=, n_expected);
        g_assert_cmpuint(n_replies, <=, N_TOGETHER);
        while (mqtt_client_collect(stage->client) > 0) {
                cJSON *tree;

                reply = mqtt_client_wait_any(stage->client, 0);
                tree = cJSON_Parse(reply);
                if (cJSON_IsObject(tree))
                        (void)rpc_reply_get_code(reply);
                else
                        g_assert_true(cJSON_IsArray(tree));
                cJSON_Delete(tree);
                g_free(reply);
        }
}

static void test_damaged_payloads(void)
{
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        CLEANUP_PROCESS Process *service = NULL;
        g_autoptr(GRand) random = g_rand_new_with_seed(20240917);
        unsigned n_fds, n_expected = 0;

        gateway_stage_add_mapping(stage, "test", "org.example.Test", "", objects);
        gateway_stage_start(stage);
        service = gateway_stage_start_service(stage, "org.example.Test", NULL);
        let_all_pass(stage);
        n_fds = gateway_process_count_fds(stage->gateway);
        for (unsigned i = 0; i < N_PAYLOADS; i += N_TOGETHER) {
                unsigned n = send_some(stage, random, i);

                let_all_pass(stage);
                check_replies(stage, n);
                n_expected += n;
        }
        /* the damage was neither none nor all */
        g_assert_cmpuint(n_expected, >, N_PAYLOADS / 5);
        g_assert_cmpuint(n_expected, <, N_PAYLOADS * 4 / 5);
        g_assert_cmpuint(gateway_process_count_fds(stage->gateway), ==, n_fds);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/gateway-fuzz/survives-and-answers-10000-damaged-payloads",
                        test_damaged_payloads);
        return g_test_run();
}
