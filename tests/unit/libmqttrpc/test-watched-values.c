/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/watched-values.h"

#include <errno.h>
#include <glib.h>

#include "common/limits.h"

static WatchedValue *put(WatchedValues *values, const char *topic, const char *text, bool changed)
{
        WatchedValue *value;
        bool is_changed;
        Topic parsed;

        g_assert_cmpint(topic_parse("mb1", topic, &parsed), ==, 0);
        g_assert_cmpint(
                watched_values_put(values, &parsed, text, strlen(text), 1, &value, &is_changed), ==,
                0);
        g_assert_cmpint(is_changed, ==, changed);
        return value;
}

static void test_only_changes_are_news(void)
{
        WatchedValues values = {};
        WatchedValue *value;

        g_assert_null(put(&values, "mb1/s/o/prop/P", "", false));
        value = put(&values, "mb1/s/o/prop/P", "1", true);
        g_assert_cmpstr(value->value, ==, "1");
        g_assert_true(value->stale);
        g_assert_true(put(&values, "mb1/s/o/prop/P", "1", false) == value);
        g_assert_true(put(&values, "mb1/s/o/prop/P", "22", true) == value);
        g_assert_true(put(&values, "mb1/s/o/prop/P", "", true) == value);
        g_assert_null(value->value);
        put(&values, "mb1/s/o/prop/P", "", false);
        g_assert_true(put(&values, "mb1/s/o/prop/P", "3", true) == value);
        watched_values_done(&values);
}

static void test_keys_do_not_run_together(void)
{
        WatchedValues values = {};
        WatchedValue *value;

        put(&values, "mb1/s/o/prop/P", "1", true);
        put(&values, "mb1/s/o.P/$meta", "2", true);
        value = put(&values, "mb1/s/o/$meta", "3", true);
        g_assert_cmpuint(HASH_COUNT(values.values), ==, 3);
        g_assert_cmpstr(watched_value_service(value).at, ==, "s");
        g_assert_cmpstr(watched_value_object(value).at, ==, "o");
        g_assert_cmpuint(watched_value_name(value).length, ==, 0);
        value = watched_values_find(&values, TOPIC_PROPERTY, "s", "o", "P");
        g_assert_cmpstr(value->value, ==, "1");
        g_assert_cmpstr(watched_value_name(value).at, ==, "P");
        g_assert_null(watched_values_find(&values, TOPIC_PROPERTY, "s", "o", "Q"));
        watched_values_done(&values);
}

static bool is_kept(const WatchedValue *value, void *data)
{
        return !strcmp(watched_value_name(value).at, data);
}

static void test_collect(void)
{
        char none[] = "none", p[] = "P";
        WatchedValues values = {};

        put(&values, "mb1/s/o/prop/P", "1", true);
        put(&values, "mb1/s/o/prop/Q", "1", true);
        watched_values_collect(&values, is_kept, none); /* nothing was marked */
        g_assert_cmpuint(HASH_COUNT(values.values), ==, 2);
        put(&values, "mb1/s/o/prop/Q", "", true);
        watched_values_collect(&values, is_kept, p);
        g_assert_cmpuint(HASH_COUNT(values.values), ==, 1);
        values.has_waste = true;
        watched_values_collect(&values, is_kept, none);
        g_assert_cmpuint(HASH_COUNT(values.values), ==, 0);
        g_assert_cmpuint(values.bytes, ==, 0);
        watched_values_done(&values);
}

static void test_number_is_limited(void)
{
        WatchedValues values = {};
        WatchedValue *value;
        bool changed;
        Topic parsed;

        for (unsigned i = 0; i < LIMIT_WATCHED_VALUES; i++) {
                g_autofree char *topic = g_strdup_printf("mb1/s/o/prop/P%u", i);

                put(&values, topic, "1", true);
        }
        g_assert_cmpint(topic_parse("mb1", "mb1/s/o/prop/More", &parsed), ==, 0);
        g_assert_cmpint(watched_values_put(&values, &parsed, "1", 1, 1, &value, &changed), ==,
                        -ENOBUFS);
        put(&values, "mb1/s/o/prop/P7", "2", true); /* those that are there go on */
        watched_values_done(&values);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/watched-values/only-changes-are-news", test_only_changes_are_news);
        g_test_add_func("/watched-values/keys-do-not-run-together", test_keys_do_not_run_together);
        g_test_add_func("/watched-values/collect", test_collect);
        g_test_add_func("/watched-values/number-is-limited", test_number_is_limited);
        return g_test_run();
}
