/* SPDX-License-Identifier: MIT */

#include "gateway/codec/path.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void test_steps_go_in_front(void)
{
        CLEANUP_ERROR Error *error = NULL;

        codec_path_index(&error, 1);
        codec_path_key(NULL, "\"a\"", 3);
        g_assert_null(error);
        error_set(&error, -EINVAL, ": bad");
        codec_path_member(&error, "data");
        codec_path_key(&error, "\"a\\\"b\": 5", 6);
        codec_path_index(&error, 3);
        g_assert_cmpstr(error_text(error), ==, "[3][\"a\\\"b\"].data: bad");
}

static void test_long_keys_are_cut_between_characters(void)
{
        g_autofree char *fill = g_strnfill(62, 'x');
        g_autofree char *key = g_strconcat("\"", fill, "éé\"", NULL);
        g_autofree char *expected = g_strconcat("[\"", fill, "…\"]: bad", NULL);
        CLEANUP_ERROR Error *error = NULL;

        error_set(&error, -EINVAL, ": bad");
        codec_path_key(&error, key, strlen(key));
        g_assert_cmpstr(error_text(error), ==, expected);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/codec/path/steps-go-in-front", test_steps_go_in_front);
        g_test_add_func("/codec/path/long-keys-are-cut-between-characters",
                        test_long_keys_are_cut_between_characters);
        return g_test_run();
}
