/* SPDX-License-Identifier: MIT */

#include "bridge/filters.h"

#include "tests/unit/bridge/load.h"

static char *join(const Filters *filters)
{
        GString *text = g_string_new(NULL);

        for (size_t i = 0; i < filters->count; i++)
                g_string_append_printf(text, "%s ", filters->items[i]);
        return g_string_free(text, FALSE);
}

/* A broker may deliver a message once for each filter that fits it. */
static void test_signals_never_overlap(void)
{
        CLEANUP_POLICY Policy *named = load_policy(
                ",\"publish\":[{\"service\":\"a\",\"signals\":[\"S\"]},{\"service\":\"b\","
                "\"signals\":[\"*\"]},{\"service\":\"a\",\"object\":\"x\",\"signals\":[\"T\"]},"
                "{\"service\":\"c\",\"properties\":[\"*\"]}]");
        CLEANUP_POLICY Policy *any = load_policy(
                ",\"publish\":[{\"service\":\"a\",\"signals\":[\"S\"]},{\"service\":\"b*\","
                "\"signals\":[\"*\"]}]");
        CLEANUP_FILTERS Filters of_named = {};
        CLEANUP_FILTERS Filters of_any = {};
        g_autofree char *text = NULL, *wide = NULL;

        g_assert_cmpint(filters_for_signals(named, &of_named), ==, 0);
        g_assert_cmpint(filters_for_signals(any, &of_any), ==, 0);
        text = join(&of_named);
        wide = join(&of_any);
        g_assert_cmpstr(text, ==, "mb1/a/+/sig/+ mb1/b/+/sig/+ ");
        g_assert_cmpstr(wide, ==, "mb1/+/+/sig/+ ");
}

static void test_services(void)
{
        CLEANUP_POLICY Policy *policy =
                load_policy(",\"publish\":[{\"service\":\"a\",\"properties\":[\"P\"]}]");
        CLEANUP_FILTERS Filters filters = {};
        g_autofree char *text = NULL;

        g_assert_false(filters_need_discovery(policy));
        g_assert_cmpint(filters_for_service(policy, "a", &filters), ==, 0);
        text = join(&filters);
        g_assert_cmpstr(text, ==, "mb1/a/$state mb1/a/$api mb1/a/+/prop/+ mb1/a/+/$meta ");
}

static void test_the_cloud_has_one_for_each_class(void)
{
        CLEANUP_POLICY Policy *policy = load_policy("");
        CLEANUP_FILTERS Filters filters = {};
        g_autofree char *text = NULL;

        g_assert_cmpint(filters_for_calls(policy, &filters), ==, 0);
        text = join(&filters);
        g_assert_cmpstr(text, ==, "dev1/mb1/+/+/call/+/+ dev1/mb1/+/+/rpc/+ ");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/filters/signals-never-overlap", test_signals_never_overlap);
        g_test_add_func("/filters/services", test_services);
        g_test_add_func("/filters/the-cloud-has-one-for-each-class",
                        test_the_cloud_has_one_for_each_class);
        return g_test_run();
}
