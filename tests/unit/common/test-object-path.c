/* SPDX-License-Identifier: MIT */

#include "common/object-path.h"

#include <glib.h>
#include <string.h>

static void test_well_formed_ones(void)
{
        static const char *const paths[] = {"/",  "/a",      "/_",
                                            "/0", "/a/B/c9", "/org/freedesktop/x_2e"};

        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
                g_assert_true(object_path_is_valid(paths[i], strlen(paths[i])));
                g_assert_true(g_variant_is_object_path(paths[i]));
        }
}

static void test_others(void)
{
        static const char *const paths[] = {
                "",     "a",    "a/b",  "//",        "/a/",  "/a//b", "//a",
                "/a-b", "/a.b", "/a b", "/\xc3\xa4", "/a\n", "/a/*",  " /a",
        };

        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
                g_test_message("%s", paths[i]);
                g_assert_false(object_path_is_valid(paths[i], strlen(paths[i])));
                g_assert_false(g_variant_is_object_path(paths[i]));
        }
        g_assert_false(object_path_is_valid("/a\0b", 4));
        g_assert_false(object_path_is_valid("/a\0", 3));
}

static void test_length_is_not_limited(void)
{
        g_autofree char *path = g_strnfill(100000, 'a');

        path[0] = '/';
        g_assert_true(object_path_is_valid(path, strlen(path)));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/object-path/well-formed-ones", test_well_formed_ones);
        g_test_add_func("/object-path/others", test_others);
        g_test_add_func("/object-path/length-is-not-limited", test_length_is_not_limited);
        return g_test_run();
}
