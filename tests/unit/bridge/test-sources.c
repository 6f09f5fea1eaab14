/* SPDX-License-Identifier: MIT */

#include "bridge/sources.h"

#include <glib.h>

static void test_tells_twice_from_missing(void)
{
        Sources *sources;
        uint64_t missing = 0;

        g_assert_cmpint(sources_new(&sources), ==, 0);
        g_assert_cmpint(sources_look(sources, "a", "0123abcd-5", &missing), ==, SOURCE_NEW);
        g_assert_cmpint(sources_look(sources, "a", "0123abcd-6", &missing), ==, SOURCE_NEW);
        g_assert_cmpint(sources_look(sources, "a", "0123abcd-6", &missing), ==, SOURCE_DUPLICATE);
        g_assert_cmpint(sources_look(sources, "a", "0123abcd-2", &missing), ==, SOURCE_DUPLICATE);
        g_assert_cmpint(sources_look(sources, "a", "0123abcd-9", &missing), ==, SOURCE_GAP);
        g_assert_cmpuint(missing, ==, 2);
        /* Another topic, another incarnation. */
        g_assert_cmpint(sources_look(sources, "b", "0123abcd-1", &missing), ==, SOURCE_NEW);
        g_assert_cmpint(sources_look(sources, "a", "ffffffff-1", &missing), ==, SOURCE_NEW);
        sources_free(sources);
}

static void test_what_is_no_seq_is_new(void)
{
        static const char *const bad[] = {NULL,        "",           "5",          "0123abcd",
                                          "0123abcd-", "0123abcd-x", "0123abcd-0", "0123ABCD-1"};
        Sources *sources;
        uint64_t missing = 0;

        g_assert_cmpint(sources_new(&sources), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
                for (int twice = 0; twice < 2; twice++)
                        g_assert_cmpint(sources_look(sources, "a", bad[i], &missing), ==,
                                        SOURCE_NEW);
        sources_free(sources);
}

static int note(const char *topic, const char *seq, void *userdata)
{
        g_string_append_printf(userdata, "%s=%s ", topic, seq);
        return 0;
}

static void test_changes_are_told_once(void)
{
        g_autoptr(GString) told = g_string_new(NULL);
        Sources *sources;
        uint64_t missing = 0;

        g_assert_cmpint(sources_new(&sources), ==, 0);
        sources_set(sources, "kept", "0123abcd-7");
        sources_look(sources, "a", "0123abcd-1", &missing);
        sources_look(sources, "a", "0123abcd-2", &missing);
        g_assert_cmpint(sources_each_changed(sources, note, told), ==, 0);
        g_assert_cmpint(sources_each_changed(sources, note, told), ==, 0);
        g_assert_cmpstr(told->str, ==, "a=0123abcd-2 ");
        g_assert_cmpint(sources_look(sources, "kept", "0123abcd-7", &missing), ==,
                        SOURCE_DUPLICATE);
        sources_free(sources);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/sources/tells-twice-from-missing", test_tells_twice_from_missing);
        g_test_add_func("/sources/what-is-no-seq-is-new", test_what_is_no_seq_is_new);
        g_test_add_func("/sources/changes-are-told-once", test_changes_are_told_once);
        return g_test_run();
}
