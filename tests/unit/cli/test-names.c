/* SPDX-License-Identifier: MIT */

#include "cli/names.h"

#include <errno.h>
#include <glib.h>

static void test_accepts(void)
{
        g_autofree char *longest = g_strnfill(255, 'x');
        g_autofree char *longest_object = g_strnfill(1024, 'x');

        g_assert_cmpint(names_check("hostname", "-", "Describe", NULL), ==, 0);
        g_assert_cmpint(names_check("a.b", ".x.y", "rpc.ping", NULL), ==, 0);
        g_assert_cmpint(names_check(longest, longest_object, longest, NULL), ==, 0);
}

static void test_explains_what_is_wrong(void)
{
        g_autofree char *too_long = g_strnfill(256, 'x');
        g_autofree char *too_long_object = g_strnfill(1025, 'x');
        const struct {
                const char *service, *object, *method;
                const char *text;
        } rows[] = {
                {"", "-", "M", "the name of the service is empty"},
                {"s", "", "M", "the name of the object is empty"},
                {"s", "-", "", "the name of the method is empty"},
                {"a/b", "-", "M",
                 "'a/b' is not a valid service name: use letters, digits, '_', '.' and '-'"},
                {"s", "a b", "M",
                 "'a b' is not a valid object name: use letters, digits, '_', '.' and '-'"},
                {"s", "-", "M#",
                 "'M#' is not a valid method name: use letters, digits, '_', '.' and '-'"},
                {"s", "/org/x", "M",
                 "'/org/x' is a D-Bus path: the root object of a service is '-', and .../x/y "
                 "below it is 'x.y'"},
                {too_long, "-", "M", "the name of the service is longer than 255 characters"},
                {"s", too_long_object, "M",
                 "the name of the object is longer than 1024 characters"},
                {"s", "-", too_long, "the name of the method is longer than 255 characters"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_ERROR Error *error = NULL;

                g_assert_cmpint(
                        names_check(rows[i].service, rows[i].object, rows[i].method, &error), ==,
                        -EINVAL);
                g_assert_cmpstr(error_text(error), ==, rows[i].text);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-names/accepts", test_accepts);
        g_test_add_func("/cli-names/explains-what-is-wrong", test_explains_what_is_wrong);
        return g_test_run();
}
