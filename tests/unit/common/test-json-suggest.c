/* SPDX-License-Identifier: MIT */

#include "common/json-suggest.h"

#include <glib.h>
#include <string.h>

static const char *next_word(size_t index, const void *userdata)
{
        static const char *const words[] = {"arg0", "arg1", "degrees", NULL};

        return words[index];
}

static const char *suggest_first(const char *json)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        return json_suggest(&doc, 0, 1, next_word, NULL);
}

static void test_near_ones(void)
{
        g_assert_cmpstr(suggest_first("{\"degres\":1}"), ==, "degrees");
        g_assert_cmpstr(suggest_first("{\"degr\\u0065s\":1}"), ==, "degrees");
        g_assert_null(suggest_first("{\"zone\":1}"));
        g_assert_null(suggest_first("{\"degrees\\u0000\":1}"));
}

static void test_members_are_not_suggested(void)
{
        g_assert_cmpstr(suggest_first("{\"arg2\":1,\"degrees\":5}"), ==, "arg0");
        g_assert_cmpstr(suggest_first("{\"arg2\":1,\"arg0\":5}"), ==, "arg1");
        g_assert_null(suggest_first("{\"arg2\":1,\"arg0\":5,\"arg1\":5}"));
}

static void test_nothing_for_many_members(void)
{
        g_autoptr(GString) json = g_string_new("{\"degres\":1");

        for (unsigned i = 1; i < 64; i++)
                g_string_append_printf(json, ",\"k%u\":1", i);
        g_string_append_c(json, '}');
        g_assert_cmpstr(suggest_first(json->str), ==, "degrees");
        g_string_insert(json, json->len - 1, ",\"k\":1");
        g_assert_null(suggest_first(json->str));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/json-suggest/near-ones", test_near_ones);
        g_test_add_func("/json-suggest/members-are-not-suggested", test_members_are_not_suggested);
        g_test_add_func("/json-suggest/nothing-for-many-members", test_nothing_for_many_members);
        return g_test_run();
}
