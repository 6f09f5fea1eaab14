/* SPDX-License-Identifier: MIT */

#include "gateway/path-template.h"

#include <errno.h>
#include <glib.h>

typedef struct Pair {
        const char *name;
        const char *bus_name;
        const char *path;
        const char *object;
} Pair;

static const Pair pairs[] = {
        {"home", "org.freedesktop.hostname1", "/org/freedesktop/hostname1", "-"},
        {"below-home", "org.bluez", "/org/bluez/hci0/dev_1", "hci0.dev_1"},
        {"elsewhere", "org.a", "/b/c", ".b.c"},
        {"root", "org.a", "/", "."},
        {"name-with-home-as-prefix", "org.blue", "/org/bluez/x", ".org.bluez.x"},
        {"parent-of-home", "org.a.b", "/org/a", ".org.a"},
        {"one-element", "a.b", "/a", ".a"},
        {"bus-name-with-dash", "org.my-app", "/org/my_app", ".org.my_app"},
};

static void test_goes_both_ways(gconstpointer data)
{
        const Pair *row = data;
        CLEANUP_FREE char *object = NULL, *path = NULL;

        g_assert_cmpint(object_name_from_path(row->bus_name, row->path, &object, NULL), ==, 0);
        g_assert_cmpstr(object, ==, row->object);
        g_assert_cmpint(object_path_from_name(row->bus_name, row->object, &path, NULL), ==, 0);
        g_assert_cmpstr(path, ==, row->path);
}

/* Names that no path has, or that would be a second name of one. */
static const Pair refusals[] = {
        {"empty", "org.a", NULL, ""},
        {"absolute-name-of-home", "org.a", NULL, ".org.a"},
        {"absolute-name-below-home", "org.a", NULL, ".org.a.x"},
        {"double-dot", "org.a", NULL, "x..y"},
        {"dot-at-end", "org.a", NULL, "x."},
        {"dash-in-path", "org.a", NULL, "x-y"},
        {"slash", "org.a", NULL, "x/y"},
        {"home-of-a-bus-name-with-dash", "org.my-app", NULL, "-"},
        {"below-a-bus-name-with-dash", "org.my-app", NULL, "x"},
};

static void test_refuses_names(gconstpointer data)
{
        const Pair *row = data;
        CLEANUP_ERROR Error *error = NULL;
        g_autofree char *expected =
                g_strdup_printf("no object path has the name '%s'", row->object);
        char *path = NULL;

        g_assert_cmpint(object_path_from_name(row->bus_name, row->object, &path, &error), ==,
                        -EINVAL);
        g_assert_cmpstr(error_text(error), ==, expected);
        g_assert_null(path);
}

static void test_refuses_paths(void)
{
        g_autofree char *letters = g_strnfill(1100, 'x');
        g_autofree char *path = g_strconcat("/", letters, NULL);
        CLEANUP_ERROR Error *error = NULL;
        char *name = NULL;

        g_assert_cmpint(object_name_from_path("org.a", "/a//b", &name, &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "'/a//b' is not an object path");
        g_assert_cmpint(object_name_from_path("org.a", "", &name, NULL), ==, -EINVAL);
        g_assert_cmpint(object_name_from_path("org.a", path, &name, NULL), ==, -ENAMETOOLONG);
        g_assert_null(name);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
                g_autofree char *path =
                        g_strconcat("/path-template/goes-both-ways/", pairs[i].name, NULL);

                g_test_add_data_func(path, &pairs[i], test_goes_both_ways);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
                g_autofree char *path =
                        g_strconcat("/path-template/refuses-names/", refusals[i].name, NULL);

                g_test_add_data_func(path, &refusals[i], test_refuses_names);
        }
        g_test_add_func("/path-template/refuses-paths", test_refuses_paths);
        return g_test_run();
}
