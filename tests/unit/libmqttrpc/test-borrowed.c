/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/borrowed.h"

#include <glib.h>
#include <string.h>

static void test_cut_frees_the_last_ones(void)
{
        BorrowedList list = {};

        for (unsigned i = 0; i < 5; i++)
                g_assert_cmpint(borrowed_list_add(&list, strdup("text")), ==, 0);
        borrowed_list_cut(&list, 2);
        g_assert_cmpuint(list.count, ==, 2);
        g_assert_cmpstr(list.items[1], ==, "text");
        borrowed_list_cut(&list, 9);
        g_assert_cmpuint(list.count, ==, 2);
        borrowed_list_done(&list);
        g_assert_null(list.items);
        borrowed_list_done(&list);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/borrowed/cut-frees-the-last-ones", test_cut_frees_the_last_ones);
        return g_test_run();
}
