/* SPDX-License-Identifier: MIT */

#include "gateway/recorded-calls.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "tests/support/message.h"

#define CALL(more) \
        "{\"calls\": [{\"path\": \"/a\", \"interface\": \"a.I\", \"method\": \"M\"" more "}]}"

static int load(const char *text, bool expected, Diagnostics *diagnostics, RecordedCalls *calls)
{
        g_autofree char *path = NULL;
        int fd, r;

        fd = g_file_open_tmp("calls-XXXXXX", &path, NULL);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        r = recorded_calls_load(path, expected, diagnostics, calls);
        g_unlink(path);
        return r;
}

static void expect_reply(const RecordedCall *call, const char *expected)
{
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;
        TestBus bus;

        test_bus_init(&bus);
        g_assert_cmpint(recorded_call_write_expected(call, bus.bus, &out, &error), ==, 0);
        g_assert_cmpstr(buffer_text(&out), ==, expected);
        test_bus_done(&bus);
}

static void test_file_is_read(void)
{
        static const char text[] =
                "{ // comments are allowed\n"
                "\"calls\": [{\"path\": \"/a\", \"interface\": \"a.I\", \"method\": \"M\","
                "\"signature\": \"sv\", \"args\": [\"x\", {\"type\": \"u\", \"data\": 1}],"
                "\"reply\": {\"signature\": \"a{sv}t\", \"args\": "
                "[{\"b\": \"x\", \"a\": true}, 5]}},"
                "{\"path\": \"/a\", \"interface\": \"a.I\", \"method\": \"N\", \"reply\": {}},"
                "{\"path\": \"/a\", \"interface\": \"a.I\", \"method\": \"O\","
                "\"error\": \"a.Error\"}]}";
        CLEANUP_RECORDED_CALLS RecordedCalls calls = {};
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};

        g_assert_cmpint(load(text, true, &diagnostics, &calls), ==, 0);
        g_assert_cmpuint(diagnostics.count, ==, 0);
        g_assert_cmpuint(calls.count, ==, 3);
        g_assert_cmpstr(calls.items[0].path, ==, "/a");
        g_assert_cmpstr(calls.items[0].args.signature, ==, "sv");
        expect_reply(&calls.items[0], "a{sv}t [{\"a\":{\"data\":true,\"type\":\"b\"},"
                                      "\"b\":{\"data\":\"x\",\"type\":\"s\"}},5]");
        expect_reply(&calls.items[1], "()");
        expect_reply(&calls.items[2], "error a.Error");
}

static void test_what_is_wrong_is_named(void)
{
        static const struct {
                const char *text;
                const char *expected;
        } rows[] = {
                {"{}", "calls"},
                {"[]", "expected an object"},
                {"{\"calls\": {}}", "expected an array"},
                {CALL(""), "no service to compare with"},
                {CALL(", \"reply\": {}, \"error\": \"a.E\""), "not both"},
                {CALL(", \"error\": \"bad\""), "bad"},
                {CALL(", \"signature\": \"(\", \"reply\": {}"), "no signature"},
                {CALL(", \"args\": 5, \"reply\": {}"), "expected an array"},
                {CALL(", \"path\": \"b\""), ""},
                {CALL(", \"replies\": {}"), "replies"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_RECORDED_CALLS RecordedCalls calls = {};
                CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};

                g_assert_cmpint(load(rows[i].text, true, &diagnostics, &calls), <, 0);
                g_assert_cmpuint(diagnostics.count, >, 0);
                if (!strstr(diagnostics.items[0].text, rows[i].expected))
                        g_error("%s: %s", rows[i].text, diagnostics.items[0].text);
        }
}

static void test_replies_are_not_needed_with_a_service(void)
{
        CLEANUP_RECORDED_CALLS RecordedCalls calls = {};

        g_assert_cmpint(load(CALL(""), false, NULL, &calls), ==, 0);
        g_assert_cmpuint(calls.count, ==, 1);
}

static void test_reply_that_does_not_fit_its_signature(void)
{
        CLEANUP_RECORDED_CALLS RecordedCalls calls = {};
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;
        TestBus bus;

        g_assert_cmpint(load(CALL(", \"reply\": {\"signature\": \"u\", \"args\": [-1]}"), true,
                             NULL, &calls),
                        ==, 0);
        test_bus_init(&bus);
        g_assert_cmpint(recorded_call_write_expected(&calls.items[0], bus.bus, &out, &error), <, 0);
        g_assert_true(g_str_has_prefix(error_text(error), "the reply of M: "));
        test_bus_done(&bus);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/recorded-calls/file-is-read", test_file_is_read);
        g_test_add_func("/recorded-calls/what-is-wrong-is-named", test_what_is_wrong_is_named);
        g_test_add_func("/recorded-calls/replies-are-not-needed-with-a-service",
                        test_replies_are_not_needed_with_a_service);
        g_test_add_func("/recorded-calls/reply-that-does-not-fit-its-signature",
                        test_reply_that_does_not_fit_its_signature);
        return g_test_run();
}
