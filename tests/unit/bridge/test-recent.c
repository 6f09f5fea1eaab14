/* SPDX-License-Identifier: MIT */

#include "bridge/recent.h"

#include <errno.h>
#include <glib.h>

static Recent recent;

static void add(int64_t event_id, uint64_t digest, uint16_t mid)
{
        RecentItem item = {event_id, digest, mid};

        recent_add(&recent, &item);
}

static void test_known_by_id_and_content(void)
{
        recent = (Recent){};
        add(1, 77, 5);
        g_assert_true(recent_has(&recent, 5, 77, 1));
        g_assert_false(recent_has(&recent, 6, 77, 1));
        g_assert_false(recent_has(&recent, 5, 78, 1));
        g_assert_false(recent_has(&recent, 0, 0, 1));
}

static void test_what_is_long_ago_is_not_known(void)
{
        recent = (Recent){};
        add(1, 77, 5);
        g_assert_true(recent_has(&recent, 5, 77, LIMIT_BRIDGE_BATCH));
        g_assert_false(recent_has(&recent, 5, 77, LIMIT_BRIDGE_BATCH + 1));
        for (unsigned i = 0; i < LIMIT_BRIDGE_BATCH; i++)
                add(2 + i, 78, (uint16_t)i);
        g_assert_false(recent_has(&recent, 5, 77, 2));
}

static void test_digests(void)
{
        g_assert_cmpuint(recent_digest("a", "b", 1), ==, recent_digest("a", "b", 1));
        g_assert_cmpuint(recent_digest("a", "b", 1), !=, recent_digest("ab", "", 0));
        g_assert_cmpuint(recent_digest("a", "b", 1), !=, recent_digest("a", "c", 1));
}

static void test_goes_on_where_it_was(void)
{
        RecentItem item = {40, UINT64_MAX, UINT16_MAX};
        char text[RECENT_TEXT_BYTES];

        recent = (Recent){};
        recent_format(&item, text);
        g_assert_cmpint(recent_load(&recent, "2", text), ==, 0);
        item.event_id = 41;
        recent_format(&item, text);
        g_assert_cmpint(recent_load(&recent, "3", text), ==, 0);
        item.event_id = 39;
        recent_format(&item, text);
        g_assert_cmpint(recent_load(&recent, "511", text), ==, 0);
        g_assert_true(recent_has(&recent, UINT16_MAX, UINT64_MAX, 41));
        g_assert_cmpuint(recent_add(&recent, &item), ==, 4);
        g_assert_cmpint(recent_load(&recent, "512", text), ==, -EINVAL);
        g_assert_cmpint(recent_load(&recent, "x", text), ==, -EINVAL);
        g_assert_cmpint(recent_load(&recent, "1", ""), ==, -EINVAL);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/recent/known-by-id-and-content", test_known_by_id_and_content);
        g_test_add_func("/recent/what-is-long-ago-is-not-known",
                        test_what_is_long_ago_is_not_known);
        g_test_add_func("/recent/digests", test_digests);
        g_test_add_func("/recent/goes-on-where-it-was", test_goes_on_where_it_was);
        return g_test_run();
}
