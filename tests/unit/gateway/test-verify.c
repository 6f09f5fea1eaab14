/* SPDX-License-Identifier: MIT */

#include "gateway/verify.h"

#include <glib.h>

static const char *const ignore[] = {"*.Clock", "/b *"};

static void fill(VerifyReport *report)
{
        CLEANUP_FACTS Facts left = {}, right = {}, calls = {}, others = {};

        g_assert_cmpint(facts_add(&left, "/a I.P", "u 1"), ==, 0);
        g_assert_cmpint(facts_add(&left, "/a I.Clock", "t 1"), ==, 0);
        g_assert_cmpint(facts_add(&left, "/b I.P", "s \"\033\""), ==, 0);
        g_assert_cmpint(facts_add(&right, "/a I.P", "u 2"), ==, 0);
        g_assert_cmpint(facts_add(&right, "/a I.Clock", "t 2"), ==, 0);
        g_assert_cmpint(facts_add(&right, "/c I.Q", "s \"\033\""), ==, 0);
        g_assert_cmpint(verify_compare(report, VERIFY_PROPERTY, &left, &right), ==, 0);
        g_assert_cmpint(facts_add(&calls, "1 /a I.M", "()"), ==, 0);
        g_assert_cmpint(facts_add(&others, "1 /a I.M", "()"), ==, 0);
        g_assert_cmpint(verify_compare(report, VERIFY_CALL, &calls, &others), ==, 0);
}

static void test_text(void)
{
        CLEANUP_VERIFY_REPORT VerifyReport report = {.ignore = ignore, .n_ignore = 2};
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);

        fill(&report);
        g_assert_cmpint(verify_write_text(&report, &out), ==, 0);
        g_assert_cmpstr(buffer_text(&out), ==,
                        "property /a I.P: legacy u 1, facade u 2\n"
                        "property /c I.Q: legacy nothing, facade s \"?\"\n"
                        "2 differences in 0 facts of introspection, 3 properties, 1 call; "
                        "2 left out\n");
}

static void test_json(void)
{
        CLEANUP_VERIFY_REPORT VerifyReport report = {.ignore = ignore, .n_ignore = 2};
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);

        fill(&report);
        g_assert_cmpint(verify_write_json(&report, &out), ==, 0);
        g_assert_cmpstr(buffer_text(&out), ==,
                        "{\n"
                        "  \"equal\": false,\n"
                        "  \"compared\": {\"introspection\": 0, \"properties\": 3, \"calls\": 1},\n"
                        "  \"ignored\": 2,\n"
                        "  \"differences\": [\n"
                        "    {\"kind\": \"property\", \"where\": \"/a I.P\", \"legacy\": \"u 1\", "
                        "\"facade\": \"u 2\"},\n"
                        "    {\"kind\": \"property\", \"where\": \"/c I.Q\", \"legacy\": null, "
                        "\"facade\": \"s \\\"\\u001b\\\"\"}\n"
                        "  ]\n"
                        "}\n");
}

static void test_equal(void)
{
        CLEANUP_VERIFY_REPORT VerifyReport report = {};
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0), json = BUFFER_INIT(0);
        CLEANUP_FACTS Facts left = {}, right = {};

        g_assert_cmpint(facts_add(&left, "/a", "1"), ==, 0);
        g_assert_cmpint(facts_add(&right, "/a", "1"), ==, 0);
        g_assert_cmpint(verify_compare(&report, VERIFY_INTROSPECTION, &left, &right), ==, 0);
        g_assert_cmpint(verify_write_text(&report, &out), ==, 0);
        g_assert_cmpstr(buffer_text(&out), ==,
                        "no differences in 1 fact of introspection, 0 properties, 0 calls\n");
        g_assert_cmpint(verify_write_json(&report, &json), ==, 0);
        g_assert_true(g_str_has_prefix(buffer_text(&json), "{\n  \"equal\": true,\n"));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/verify/text", test_text);
        g_test_add_func("/verify/json", test_json);
        g_test_add_func("/verify/equal", test_equal);
        return g_test_run();
}
