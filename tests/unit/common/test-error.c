/* SPDX-License-Identifier: MIT */

#include "common/error.h"

#include <errno.h>
#include <glib.h>

static void test_set_returns_the_code(void)
{
        CLEANUP_ERROR Error *error = NULL;

        g_assert_cmpint(error_set(&error, -EINVAL, "bad %s", "thing"), ==, -EINVAL);
        g_assert_cmpint(error->code, ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "bad thing");
        g_assert_cmpint(error_set(NULL, -EIO, "nobody listens"), ==, -EIO);
}

static void test_prefix_puts_context_in_front(void)
{
        CLEANUP_ERROR Error *error = NULL;

        error_prefix(&error, "no error yet: ");
        g_assert_null(error);
        error_set_errno(&error, -ENOENT, "cannot open %s", "x.json");
        error_prefix(&error, "mapping: ");
        g_assert_cmpstr(error_text(error), ==,
                        "mapping: cannot open x.json: No such file or directory");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/error/set-returns-the-code", test_set_returns_the_code);
        g_test_add_func("/error/prefix-puts-context-in-front", test_prefix_puts_context_in_front);
        return g_test_run();
}
