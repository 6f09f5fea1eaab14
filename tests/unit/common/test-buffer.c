/* SPDX-License-Identifier: MIT */

#include "common/buffer.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void test_grows_and_keeps_text(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpstr(buffer_text(&buffer), ==, "");
        for (unsigned i = 0; i < 1000; i++)
                g_assert_cmpint(buffer_printf(&buffer, "%03u", i), ==, 0);
        g_assert_cmpuint(buffer.length, ==, 3000);
        g_assert_cmpint(strncmp(buffer_text(&buffer) + 2997, "999", 4), ==, 0);
        buffer_truncate(&buffer, 3);
        g_assert_cmpstr(buffer_text(&buffer), ==, "000");
        buffer_clear(&buffer);
        g_assert_cmpstr(buffer_text(&buffer), ==, "");
}

static void test_failure_is_sticky_until_cleared(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(4);

        g_assert_cmpint(buffer_append_text(&buffer, "abc"), ==, 0);
        g_assert_cmpint(buffer_append_text(&buffer, "de"), ==, -EMSGSIZE);
        g_assert_cmpint(buffer_append_char(&buffer, 'd'), ==, -EMSGSIZE);
        g_assert_null(buffer_steal(&buffer));
        buffer_clear(&buffer);
        g_assert_cmpint(buffer_append_text(&buffer, "abcd"), ==, 0);
}

static void test_steal_moves_the_text_out(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        g_autofree char *empty = buffer_steal(&buffer);
        g_autofree char *text = NULL;

        g_assert_cmpstr(empty, ==, "");
        buffer_append_text(&buffer, "abc");
        text = buffer_steal(&buffer);
        g_assert_cmpstr(text, ==, "abc");
        g_assert_null(buffer.data);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/buffer/grows-and-keeps-text", test_grows_and_keeps_text);
        g_test_add_func("/buffer/failure-is-sticky-until-cleared",
                        test_failure_is_sticky_until_cleared);
        g_test_add_func("/buffer/steal-moves-the-text-out", test_steal_moves_the_text_out);
        return g_test_run();
}
