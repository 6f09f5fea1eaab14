/* SPDX-License-Identifier: MIT */

#include "common/table.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static const char *const titles[] = {"NAME", "VALUE", NULL};

static void test_columns_are_as_wide_as_needed(void)
{
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        table_add(&table, "a");
        table_add(&table, "first");
        table_add(&table, "größer");
        table_add(&table, "");
        table_add(&table, NULL);
        table_add(&table, "\033[2J");
        g_assert_cmpint(table_write(&table, &text), ==, 0);
        g_assert_cmpstr(buffer_text(&text), ==,
                        "NAME    VALUE\n"
                        "a       first\n"
                        "größer  -\n"
                        "-       ?[2J\n");
}

static void test_empty_has_titles(void)
{
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        g_assert_cmpint(table_write(&table, &text), ==, 0);
        g_assert_cmpstr(buffer_text(&text), ==, "NAME  VALUE\n");
}

static void test_leaves_out_half_a_row(void)
{
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        for (unsigned i = 0; i < 201; i++)
                g_assert_cmpint(table_add(&table, "x"), ==, 0);
        g_assert_cmpint(table_write(&table, &text), ==, 0);
        g_assert_cmpuint(text.length, ==, strlen("NAME  VALUE\n") + 100 * strlen("x     x\n"));
}

static void test_reports_a_full_buffer(void)
{
        CLEANUP_TABLE Table table = TABLE_INIT(titles);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(4);

        g_assert_cmpint(table_write(&table, &text), ==, -EMSGSIZE);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/table/columns-are-as-wide-as-needed", test_columns_are_as_wide_as_needed);
        g_test_add_func("/table/empty-has-titles", test_empty_has_titles);
        g_test_add_func("/table/leaves-out-half-a-row", test_leaves_out_half_a_row);
        g_test_add_func("/table/reports-a-full-buffer", test_reports_a_full_buffer);
        return g_test_run();
}
