/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/envelope.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct RequestRow {
        const char *name;
        const char *text;
        const char *error;  /* NULL: accepted */
        const char *id;     /* NULL: a notification */
        const char *params; /* NULL: absent */
        uint64_t ttl;
} RequestRow;

#define BAD_ID "'id' must be a string or a number"

static const RequestRow requests[] = {
        {"empty-object", "{}", NULL, NULL, NULL, 0},
        {"without-jsonrpc", "{\"id\":1}", NULL, "1", NULL, 0},
        {"unknown-members", "{\"id\":1,\"foo\":[1],\"Method\":3}", NULL, "1", NULL, 0},
        {"empty-array", "{\"params\":[]}", NULL, NULL, "[]", 0},
        {"object", "{\"params\":{\"a\":1}}", NULL, NULL, "{\"a\":1}", 0},
        {"id-is-the-same-token/exponent", "{\"id\":1.0e0}", NULL, "1.0e0", NULL, 0},
        {"id-is-the-same-token/big", "{\"id\":12345678901234567890}", NULL, "12345678901234567890",
         NULL, 0},
        {"id-is-the-same-token/escaped", "{\"id\":\"a\\u0062\\\"\\/\"}", NULL,
         "\"a\\u0062\\\"\\/\"", NULL, 0},
        {"id-is-the-same-token/empty", "{\"id\":\"\"}", NULL, "\"\"", NULL, 0},
        {"ttl", "{\"x\":{\"ttl\":1500}}", NULL, NULL, NULL, 1500},
        {"ttl-that-is-none", "{\"x\":{\"ttl\":-1}}", NULL, NULL, NULL, 0},
        {"x-that-is-none", "{\"x\":3}", NULL, NULL, NULL, 0},
        {"id-null", "{\"id\":null}", BAD_ID, "null", NULL, 0},
        {"id-object", "{\"id\":{}}", BAD_ID, "null", NULL, 0},
        {"id-boolean", "{\"id\":true}", BAD_ID, "null", NULL, 0},
        {"not-an-object", "3", "a request must be a JSON object", "null", NULL, 0},
        {"wrong-version", "{\"jsonrpc\":\"1.0\",\"id\":7}", "'jsonrpc' must be \"2.0\"", "7", NULL,
         0},
        {"version-number", "{\"jsonrpc\":2.0,\"id\":7}", "'jsonrpc' must be \"2.0\"", "7", NULL, 0},
        {"method-number", "{\"method\":3,\"id\":7}", "'method' must be a string", "7", NULL, 0},
        {"params-null", "{\"params\":null,\"id\":7}", "'params' must be an array or an object", "7",
         NULL, 0},
        {"params-string", "{\"params\":\"x\",\"id\":7}", "'params' must be an array or an object",
         "7", NULL, 0},
        {"bad-notification", "{\"method\":3}", "'method' must be a string", NULL, NULL, 0},
};

static void test_read_request(gconstpointer data)
{
        const RequestRow *row = data;
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_JSON_DOC JsonDoc doc = {};
        EnvelopeRequest request;
        int r;

        g_assert_cmpint(json_scan(&doc, row->text, strlen(row->text), JSON_SCAN_STRICT), ==, 0);
        r = envelope_read_request(&doc, 0, &request, &error);
        g_assert_cmpstr(error ? mqttrpc_error_get_message(error) : NULL, ==, row->error);
        g_assert_cmpint(r, ==, row->error ? -EBADMSG : 0);
        g_assert_cmpint(request.notification, ==, !row->id);
        g_assert_cmpmem(request.id.at, request.id.length, row->id, row->id ? strlen(row->id) : 0);
        g_assert_cmpuint(request.ttl_msec, ==, row->ttl > 0 ? row->ttl : UINT64_MAX);
        if (row->error)
                return;
        g_assert_cmpint(request.params > 0, ==, row->params != NULL);
        if (row->params) {
                size_t length;
                const char *raw = json_raw(&doc, request.params, &length);

                g_assert_cmpmem(raw, length, row->params, strlen(row->params));
        }
}

static void test_id_ends_at_the_limit(void)
{
        for (unsigned length = 127; length <= 128; length++) {
                g_autofree char *digits = g_strnfill(length, '1');
                g_autofree char *text =
                        g_strdup_printf("{\"id\":\"%.*s\"}", (int)length - 1, digits);
                CLEANUP_JSON_DOC JsonDoc doc = {};
                EnvelopeRequest request;
                int r;

                g_assert_cmpint(json_scan(&doc, text, strlen(text), JSON_SCAN_STRICT), ==, 0);
                r = envelope_read_request(&doc, 0, &request, NULL);
                g_assert_cmpint(r, ==, length == 127 ? 0 : -EBADMSG);
        }
}

static void test_read_response(void)
{
        static const struct {
                const char *text;
                int r;
        } rows[] = {
                {"{\"id\":\"a\",\"result\":null}", 0},
                {"{\"id\":1,\"result\":1}", 0},
                {"{\"id\":null,\"error\":{}}", 0},
                {"{\"result\":1}", -EPROTO},
                {"{\"id\":1}", -EPROTO},
                {"{\"id\":1,\"result\":1,\"error\":{}}", -EPROTO},
                {"[]", -EPROTO},
                {"null", -EPROTO},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_JSON_DOC JsonDoc doc = {};
                EnvelopeResponse response = {};

                g_test_message("%s", rows[i].text);
                g_assert_cmpint(json_scan(&doc, rows[i].text, strlen(rows[i].text), 0), ==, 0);
                g_assert_cmpint(envelope_read_response(&doc, &response), ==, rows[i].r);
                g_assert_cmpint(response.id > 0, ==, rows[i].r == 0);
        }
}

static void test_read_progress(void)
{
        static const struct {
                const char *params;
                int r;
        } rows[] = {
                {"{\"id\":\"a\",\"seq\":1,\"value\":null}", 0},
                {"{\"id\":1,\"seq\":18446744073709551615,\"value\":[1],\"more\":2}", 0},
                {"{\"id\":\"a\",\"seq\":0,\"value\":1}", -EPROTO},
                {"{\"id\":\"a\",\"seq\":-1,\"value\":1}", -EPROTO},
                {"{\"id\":\"a\",\"seq\":1.5,\"value\":1}", -EPROTO},
                {"{\"id\":\"a\",\"seq\":\"1\",\"value\":1}", -EPROTO},
                {"{\"id\":\"a\",\"value\":1}", -EPROTO},
                {"{\"id\":\"a\",\"seq\":1}", -EPROTO},
                {"{\"seq\":1,\"value\":1}", -EPROTO},
                {"[\"a\",1,1]", -EPROTO},
                {"null", -EPROTO},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = g_strdup_printf(
                        "{\"method\":\"rpc.progress\",\"params\":%s}", rows[i].params);
                CLEANUP_JSON_DOC JsonDoc doc = {};
                EnvelopeProgress progress = {};

                g_test_message("%s", rows[i].params);
                g_assert_cmpint(json_scan(&doc, text, strlen(text), 0), ==, 0);
                g_assert_true(envelope_is_progress(&doc));
                g_assert_cmpint(envelope_read_progress(&doc, &progress), ==, rows[i].r);
                g_assert_cmpint(progress.seq > 0, ==, rows[i].r == 0);
        }
}

static void test_what_is_progress(void)
{
        static const struct {
                const char *text;
                bool progress;
        } rows[] = {
                {"{\"method\":\"rpc.progress\"}", true},
                {"{\"method\":\"rpc.\\u0070rogress\"}", true},
                {"{\"method\":\"rpc.progress\",\"id\":\"a\",\"result\":1}", false},
                {"{\"method\":\"rpc.progress\",\"id\":\"a\",\"error\":{}}", false},
                {"{\"method\":\"progress\"}", false},
                {"{\"method\":1}", false},
                {"{\"id\":\"a\",\"result\":1}", false},
                {"[]", false},
                {"\"rpc.progress\"", false},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_JSON_DOC JsonDoc doc = {};

                g_test_message("%s", rows[i].text);
                g_assert_cmpint(json_scan(&doc, rows[i].text, strlen(rows[i].text), 0), ==, 0);
                g_assert_cmpint(envelope_is_progress(&doc), ==, rows[i].progress);
        }
}

static void test_progress_is_wanted(void)
{
        static const struct {
                const char *text;
                bool wanted;
        } rows[] = {
                {"{\"x\":{\"pg\":true}}", true},  {"{\"x\":{\"pg\":false}}", false},
                {"{\"x\":{\"pg\":1}}", false},    {"{\"x\":{\"pg\":\"1\"}}", false},
                {"{\"x\":{\"ttl\":1}}", false},   {"{\"pg\":true}", false},
                {"{\"x\":[\"pg\",true]}", false},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_JSON_DOC JsonDoc doc = {};
                EnvelopeRequest request;

                g_test_message("%s", rows[i].text);
                g_assert_cmpint(json_scan(&doc, rows[i].text, strlen(rows[i].text), 0), ==, 0);
                g_assert_cmpint(envelope_read_request(&doc, 0, &request, NULL), ==, 0);
                g_assert_cmpint(request.progress, ==, rows[i].wanted);
        }
}

static void test_write(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(-5, "a \"%s\"", "b");
        EnvelopeExtension extension = {.ttl_msec = 7, .epoch = "ab"};

        g_assert_cmpint(envelope_write_request(&buffer, NULL, "m", NULL, NULL), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}");
        buffer_clear(&buffer);
        g_assert_cmpint(envelope_write_request(&buffer, "a-1", "m", "[1]", &extension), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"jsonrpc\":\"2.0\",\"id\":\"a-1\",\"method\":\"m\",\"params\":[1],"
                        "\"x\":{\"ttl\":7,\"epoch\":\"ab\"}}");
        buffer_clear(&buffer);
        extension = (EnvelopeExtension){.ttl_msec = 7, .epoch = "", .progress = true};
        g_assert_cmpint(envelope_write_request(&buffer, NULL, "m", NULL, &extension), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"x\":{\"ttl\":7,\"pg\":true}}");
        buffer_clear(&buffer);
        g_assert_cmpint(envelope_write_progress(&buffer, (TextSpan){"1e0", 3}, 5, "[2]xx", 3), ==,
                        0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.progress\",\"params\":{\"id\":1e0,"
                        "\"seq\":5,\"value\":[2]}}");
        buffer_clear(&buffer);
        g_assert_cmpint(envelope_write_result(&buffer, (TextSpan){"1e0", 3}, "[2]xx", 3), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"jsonrpc\":\"2.0\",\"id\":1e0,\"result\":[2]}");
        buffer_clear(&buffer);
        g_assert_cmpint(envelope_write_error(&buffer, envelope_null_id, error), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-5,\"message\":"
                        "\"a \\\"b\\\"\"}}");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
                g_autofree char *path = g_strdup_printf("/envelope/request/%s/%s", requests[i].name,
                                                        requests[i].error ? "refused" : "accepted");

                g_test_add_data_func(path, &requests[i], test_read_request);
        }
        g_test_add_func("/envelope/id-ends-at-the-limit", test_id_ends_at_the_limit);
        g_test_add_func("/envelope/response/needs-id-and-one-outcome", test_read_response);
        g_test_add_func("/envelope/progress/needs-id-seq-and-value", test_read_progress);
        g_test_add_func("/envelope/progress/is-no-response", test_what_is_progress);
        g_test_add_func("/envelope/progress/is-wanted", test_progress_is_wanted);
        g_test_add_func("/envelope/writes-what-it-says", test_write);
        return g_test_run();
}
