/* SPDX-License-Identifier: MIT */

#include "common/printable.h"

#include <glib.h>

static void test_keeps_what_can_be_printed(void)
{
        static const char text[] = "Grüße, 日本 \302\240 \302";
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(printable_write(&buffer, text), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, text);
}

static void test_replaces_controls(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(printable_write(&buffer, "\033[2J\n\302\233x\t\177"), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "?[2J ?x ?");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/printable/keeps-what-can-be-printed", test_keeps_what_can_be_printed);
        g_test_add_func("/printable/replaces-controls", test_replaces_controls);
        return g_test_run();
}
