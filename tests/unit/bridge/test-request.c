/* SPDX-License-Identifier: MIT */

#include "bridge/request.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void test_requests(void)
{
        static const struct {
                const char *payload;
                int result;
                const char *id; /* NULL: a notification */
                uint64_t ttl;
        } rows[] = {
                {"{\"id\":1}", 0, "1", UINT64_MAX},
                {"{\"id\":\"a\\u0041\",\"params\":[]}", 0, "\"a\\u0041\"", UINT64_MAX},
                {"{}", 0, NULL, UINT64_MAX},
                {"{\"id\":1,\"x\":{\"ttl\":500}}", 0, "1", 500},
                {"{\"id\":1,\"x\":{\"ttl\":\"500\"}}", 0, "1", UINT64_MAX},
                {"{\"id\":null}", -EINVAL, "null", UINT64_MAX},
                {"{\"id\":[1]}", -EINVAL, "null", UINT64_MAX},
                {"[]", -EINVAL, "null", UINT64_MAX},
                {"", -EBADMSG, "null", UINT64_MAX},
                {"{\"id\":1}x", -EBADMSG, "null", UINT64_MAX},
                {"{\"id\":1,\"id\":2}", -EBADMSG, "null", UINT64_MAX},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Request request;

                g_test_message("%s", rows[i].payload);
                g_assert_cmpint(request_read(rows[i].payload, strlen(rows[i].payload), &request),
                                ==, rows[i].result);
                g_assert_cmpstr(request.id, ==, rows[i].id);
                g_assert_true(request.notification == (rows[i].id == NULL));
                g_assert_cmpuint(request.ttl_msec, ==, rows[i].ttl);
                request_done(&request);
        }
}

static void test_reply_addresses(void)
{
        static const char rest[] = "net/-/call/Scan/alice";
        static const struct {
                const char *response, *token; /* NULL: refused */
        } rows[] = {
                {"dev1/mb1/net/-/call/Scan/alice/t1", "t1"},
                {"net/-/call/Scan/alice/t1", "t1"},
                {"other/net/-/call/Scan/alice/t1", "t1"},
                {"xnet/-/call/Scan/alice/t1", NULL},
                {"dev1/mb1/net/-/call/Scan/alice", NULL},
                {"dev1/mb1/net/-/call/Scan/alice/", NULL},
                {"dev1/mb1/net/-/call/Scan/alice/#", NULL},
                {"dev1/mb1/net/-/call/Scan/alice/a/b", NULL},
                {"dev1/mb1/net/-/call/Scan/bob/t1", NULL},
                {"t1", NULL},
                {"", NULL},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Span token = {};
                int r = request_reply_token(rest, rows[i].response, &token);

                g_test_message("%s", rows[i].response);
                g_assert_cmpint(r, ==, rows[i].token ? 0 : -EPERM);
                if (rows[i].token)
                        g_assert_cmpmem(token.at, token.length, rows[i].token,
                                        strlen(rows[i].token));
        }
}

static bool is_final(const char *payload)
{
        return request_is_final(payload, strlen(payload));
}

static void test_last_answers(void)
{
        g_assert_true(is_final("{\"id\":1,\"result\":null}"));
        g_assert_true(is_final("{\"id\":1,\"error\":{}}"));
        g_assert_true(is_final("no JSON"));
        g_assert_false(is_final("{\"method\":\"rpc.progress\",\"params\":{}}"));
}

static void test_ttl(void)
{
        g_assert_cmpuint(request_parse_ttl("250"), ==, 250);
        g_assert_cmpuint(request_parse_ttl("0"), ==, 0);
        g_assert_cmpuint(request_parse_ttl(NULL), ==, UINT64_MAX);
        g_assert_cmpuint(request_parse_ttl("soon"), ==, UINT64_MAX);
        g_assert_cmpuint(request_parse_ttl("-1"), ==, UINT64_MAX);
}

static void test_errors(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        RequestError error = {-32004, "BUSY", "say \"later\"", "no", 1500};

        g_assert_cmpint(request_write_error(&buffer, "\"x\"", &error), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32004,\"message\":"
                        "\"say \\\"later\\\"\",\"data\":{\"name\":\"BUSY\",\"executed\":\"no\","
                        "\"retry_after_ms\":1500}}}");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/request/requests", test_requests);
        g_test_add_func("/request/reply-addresses", test_reply_addresses);
        g_test_add_func("/request/last-answers", test_last_answers);
        g_test_add_func("/request/ttl", test_ttl);
        g_test_add_func("/request/errors", test_errors);
        return g_test_run();
}
