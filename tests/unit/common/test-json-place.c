/* SPDX-License-Identifier: MIT */

#include "common/json-place.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void test_steps_go_in_front(void)
{
        CLEANUP_ERROR Error *error = NULL;

        json_place_index(&error, 1);
        json_place_key(NULL, "\"a\"", 3);
        g_assert_null(error);
        error_set(&error, -EINVAL, ": bad");
        json_place_member(&error, "data");
        json_place_key(&error, "\"a\\\"b\": 5", 6);
        json_place_index(&error, 3);
        g_assert_cmpstr(error_text(error), ==, "[3][\"a\\\"b\"].data: bad");
}

static void test_long_keys_are_cut_between_characters(void)
{
        g_autofree char *fill = g_strnfill(62, 'x');
        g_autofree char *key = g_strconcat("\"", fill, "éé\"", NULL);
        g_autofree char *expected = g_strconcat("[\"", fill, "…\"]: bad", NULL);
        CLEANUP_ERROR Error *error = NULL;

        error_set(&error, -EINVAL, ": bad");
        json_place_key(&error, key, strlen(key));
        g_assert_cmpstr(error_text(error), ==, expected);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/json-place/steps-go-in-front", test_steps_go_in_front);
        g_test_add_func("/json-place/long-keys-are-cut-between-characters",
                        test_long_keys_are_cut_between_characters);
        return g_test_run();
}
