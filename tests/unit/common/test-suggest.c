/* SPDX-License-Identifier: MIT */

#include "common/suggest.h"

#include <glib.h>

static const char *next_word(size_t index, const void *userdata)
{
        static const char *const words[] = {"properties", "methods", "signals", "in", "out", NULL};

        return words[index];
}

typedef struct Case {
        const char *name;
        const char *text;
        const char *meant;
} Case;

static const Case cases[] = {
        {"one-letter-less", "method", "methods"},
        {"ending", "propertys", "properties"},
        {"swapped-letters", "singals", "signals"},
        {"other-case", "Methods", "methods"},
        {"short-word", "inn", "in"},
        {"something-else", "interfaces", NULL},
        {"one-letter", "x", NULL},
        {"empty", "", NULL},
        {"very-long", "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
         NULL},
};

static void test_suggests(gconstpointer data)
{
        const Case *row = data;

        g_assert_cmpstr(suggest(row->text, next_word, NULL), ==, row->meant);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/suggest/", cases[i].name, NULL);

                g_test_add_data_func(path, &cases[i], test_suggests);
        }
        return g_test_run();
}
