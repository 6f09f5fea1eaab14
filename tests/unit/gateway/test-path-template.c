/* SPDX-License-Identifier: MIT */

#include "gateway/path-template.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

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

/* ---- templates ---- */

static PathTemplate *make(const char *path, const char *name)
{
        CLEANUP_ERROR Error *error = NULL;
        PathTemplate *template = NULL;

        g_assert_cmpint(path_template_check_path(path, NULL), ==, 0);
        g_assert_cmpint(path_template_check_name(name, NULL), ==, 0);
        path_template_new(path, name, &template, &error);
        g_assert_cmpstr(error ? error_text(error) : NULL, ==, NULL);
        return template;
}

typedef struct Mapped {
        const char *name;
        const char *path_template;
        const char *name_template;
        const char *path;
        const char *object;
} Mapped;

static const Mapped mapped[] = {
        {"one", "/org/bluez/{a}", "{a}", "/org/bluez/hci0", "hci0"},
        {"two", "/org/bluez/{a}/{d}", "{a}.{d}", "/org/bluez/hci0/dev_1", "hci0.dev_1"},
        {"other-order", "/x/{a}/y/{b}", "{b}-{a}", "/x/1/y/2", "2-1"},
        {"text-around", "/{a}", "p.{a}-s", "/q", "p.q-s"},
        {"text-like-the-value", "/{a}/{b}", "{a}x.{b}", "/yxx/z", "yxxx.z"},
        {"suffix-of-letters", "/{a}", "{a}xx", "/x", "xxx"},
        {"underscores", "/{a}/{b}", "_{a}_-_{b}_", "/_/__", "___-____"},
        {"root-only", "/{a}", ".{a}", "/a", ".a"},
};

static void test_template_goes_both_ways(gconstpointer data)
{
        const Mapped *row = data;
        CLEANUP_PATH_TEMPLATE PathTemplate *template = make(row->path_template, row->name_template);
        CLEANUP_FREE char *object = NULL, *path = NULL;

        g_assert_true(path_template_fits(template, row->path));
        g_assert_cmpint(path_template_name(template, row->path, &object), ==, 0);
        g_assert_cmpstr(object, ==, row->object);
        g_assert_cmpint(path_template_path(template, row->object, &path), ==, 0);
        g_assert_cmpstr(path, ==, row->path);
}

static void test_template_fits_whole_paths_only(void)
{
        static const char *const others[] = {"/",       "/a",      "/a/b",   "/a/b/c/d",
                                             "/b/x/c",  "/a/x/cc", "a/x/c",  "/a//c",
                                             "/a/x/c/", "",        "/aa/x/c"};
        static const char *const names[] = {"",     "a",   "x.c",   "n-",    "n-.",
                                            "n-x.", "m-x", "n-x-y", "n-x/y", "n-x "};
        CLEANUP_PATH_TEMPLATE PathTemplate *template = make("/a/{x}/c", "n-{x}");
        char *text = NULL;

        g_assert_true(path_template_fits(template, "/a/x/c"));
        for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
                g_assert_false(path_template_fits(template, others[i]));
                g_assert_cmpint(path_template_name(template, others[i], &text), ==, -ENOENT);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                g_assert_cmpint(path_template_path(template, names[i], &text), ==, -ENOENT);
        g_assert_null(text);
}

static void test_template_limits_the_length_of_names(void)
{
        g_autofree char *letters = g_strnfill(1020, 'x');
        g_autofree char *path = g_strconcat("/", letters, NULL);
        CLEANUP_PATH_TEMPLATE PathTemplate *fits = make("/{a}", "1234{a}");
        CLEANUP_PATH_TEMPLATE PathTemplate *exceeds = make("/{a}", "12345{a}");
        char *name = NULL;

        g_assert_cmpint(path_template_name(exceeds, path, &name), ==, -ENAMETOOLONG);
        g_assert_null(name);
        g_assert_cmpint(path_template_name(fits, path, &name), ==, 0);
        g_assert_cmpuint(strlen(name), ==, 1024);
        free(name);
}

static void test_template_knows_where_a_walk_goes(void)
{
        CLEANUP_PATH_TEMPLATE PathTemplate *template = make("/a/b/{x}/c/{y}", "{x}.{y}");
        CLEANUP_PATH_TEMPLATE PathTemplate *top = make("/{x}", "{x}");
        static const char *const inside[] = {"/", "/a", "/a/b", "/a/b/1", "/a/b/1/c"};
        static const char *const outside[] = {"/b",         "/a/c",         "/a/b/1/d",
                                              "/a/b/1/c/2", "/a/b/1/c/2/3", "/aa"};

        g_assert_cmpstr(path_template_root(template), ==, "/a/b");
        g_assert_cmpstr(path_template_root(top), ==, "/");
        for (size_t i = 0; i < G_N_ELEMENTS(inside); i++)
                g_assert_true(path_template_leads_through(template, inside[i]));
        for (size_t i = 0; i < G_N_ELEMENTS(outside); i++)
                g_assert_false(path_template_leads_through(template, outside[i]));
}

static void test_template_default_name(void)
{
        static const char *const rows[][3] = {
                {"org.bluez", "/org/bluez/{a}/{d}", "{a}.{d}"},
                {"org.bluez", "/org/blue/{a}", ".org.blue.{a}"},
                {"org.bluez", "/org/{a}", NULL},
                {"org.bluez", "/{a}/{b}/{c}", NULL},
                {"org.bluez", "/{a}", ".{a}"},
                {"org.bluez", "/{a}/other", ".{a}.other"},
                {"org.my-app", "/org/{a}", ".org.{a}"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_FREE char *name = NULL;
                int r = path_template_default_name(rows[i][0], rows[i][1], &name, NULL);

                g_assert_cmpint(r, ==, rows[i][2] ? 0 : -EINVAL);
                g_assert_cmpstr(name, ==, rows[i][2]);
        }
}

/* What could give two paths one name, or one path two, is no template. */
static void test_template_refuses_what_is_ambiguous(void)
{
        static const char *const rows[][3] = {
                {"/{a}/{b}", "{a}{b}",
                 "'{a}{b}': there must be a '.' or '-' between two captures, else two paths could "
                 "have one name"},
                {"/{a}/{b}", "{a}_{b}",
                 "'{a}_{b}': there must be a '.' or '-' between two captures, else two paths could "
                 "have one name"},
                {"/{a}/{b}", "{a}",
                 "'{a}' lacks the capture 'b' of /{a}/{b}: two paths would have one name"},
                {"/{a}/{b}", "{a}.{a}", "'{a}.{a}' has the capture 'a' twice"},
                {"/{a}", "{b}", "'{b}' has a capture 'b' that /{a} has not"},
                {"/{a}", "x", "'x' lacks the capture 'a' of /{a}: two paths would have one name"},
                {"/{a}/{a}", "{a}", "'/{a}/{a}' captures 'a' twice"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_ERROR Error *error = NULL;
                PathTemplate *template = NULL;

                g_assert_cmpint(path_template_new(rows[i][0], rows[i][1], &template, &error), ==,
                                -EINVAL);
                g_assert_cmpstr(error_text(error), ==, rows[i][2]);
        }
}

static void test_template_texts_are_checked(void)
{
        static const char *const paths[] = {"/{}",   "/{a",    "/a}",      "/{1}",
                                            "/{a}b", "/b{a}",  "{a}",      "/{a}/",
                                            "//{a}", "/{a.b}", "/{a}/b-c", "/{a}{b}"};
        static const char *const names[] = {"{}", "{a", "a}", "{1}", "{a}/b", "{a}+", "{a.b}"};
        g_autoptr(GString) many = g_string_new(NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                g_assert_cmpint(path_template_check_path(paths[i], NULL), ==, -EINVAL);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                g_assert_cmpint(path_template_check_name(names[i], NULL), ==, -EINVAL);
        for (int i = 0; i < 16; i++)
                g_string_append_printf(many, "/{c%d}", i);
        g_assert_cmpint(path_template_check_path(many->str, NULL), ==, 0);
        g_string_append(many, "/{d}");
        g_assert_cmpint(path_template_check_path(many->str, NULL), ==, -EINVAL);
}

static void test_templates_have_common_names(void)
{
        static const char *const rows[][3] = {
                {"{a}", "{b}", "_any0_"}, {"n.{a}", "{b}.k", "n.k"},
                {"n.{a}", "m.{b}", NULL}, {"n.{a}", "n-{b}", NULL},
                {"n.{a}", "{b}", NULL},   {"a{x}c", "ab{y}", "ab_any2_c"},
                {"a{x}c", "{y}d", NULL},  {"a{x}", "b{y}", NULL},
                {"n{x}", "n.{y}", NULL},  {"x{a}.y", "x.{b}", NULL},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/{%c}", strchr(rows[i][0], '{')[1]);
                g_autofree char *other = g_strdup_printf("/{%c}", strchr(rows[i][1], '{')[1]);
                CLEANUP_PATH_TEMPLATE PathTemplate *a = make(path, rows[i][0]);
                CLEANUP_PATH_TEMPLATE PathTemplate *b = make(other, rows[i][1]);
                CLEANUP_FREE char *name = NULL, *reverse = NULL;
                int r = path_template_common_name(a, b, &name);

                g_assert_cmpint(r, ==, rows[i][2] ? 0 : -ENOENT);
                g_assert_cmpstr(name, ==, rows[i][2]);
                g_assert_cmpint(path_template_common_name(b, a, &reverse), ==, r);
                g_assert_cmpstr(reverse, ==, name);
        }
}

/* Random templates, random paths: the way back leads home, and no other path has the name. */
static void test_templates_are_injective(void)
{
        static const char *const words[] = {"a", "_", "x1", "aa", "b_a"};
        static const char *const dividers[] = {".", "-", "_.", ".a", "a-a", "..", "-_"};
        GRand *rand = g_rand_new_with_seed(4);

        for (int round = 0; round < 2000; round++) {
                g_autoptr(GString) path = g_string_new(NULL), name = g_string_new(NULL);
                g_autoptr(GHashTable) seen =
                        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
                CLEANUP_PATH_TEMPLATE PathTemplate *template = NULL;
                int n = g_rand_int_range(rand, 1, 4);

                for (int i = 0; i < n; i++) {
                        g_string_append_printf(path, "/{c%d}", i);
                        g_string_append_printf(name, "%s{c%d}",
                                               i > 0 ? dividers[g_rand_int_range(rand, 0, 7)] : "a",
                                               n - 1 - i);
                }
                g_string_append(name, words[g_rand_int_range(rand, 0, 5)]);
                template = make(path->str, name->str);
                for (int i = 0; i < 40; i++) {
                        g_autoptr(GString) concrete = g_string_new(NULL);
                        CLEANUP_FREE char *object = NULL, *back = NULL;
                        const char *other;

                        for (int k = 0; k < n; k++)
                                g_string_append_printf(concrete, "/%s",
                                                       words[g_rand_int_range(rand, 0, 5)]);
                        g_assert_cmpint(path_template_name(template, concrete->str, &object), ==,
                                        0);
                        g_assert_cmpint(path_template_path(template, object, &back), ==, 0);
                        g_assert_cmpstr(back, ==, concrete->str);
                        other = g_hash_table_lookup(seen, object);
                        g_assert_true(!other || strcmp(other, back) == 0);
                        g_hash_table_insert(seen, g_strdup(object), g_strdup(back));
                }
        }
        g_rand_free(rand);
}

static const struct {
        const char *path;
        GTestFunc function;
} tests[] = {
        {"/path-template/template/fits-whole-paths-only", test_template_fits_whole_paths_only},
        {"/path-template/template/limits-the-length-of-names",
         test_template_limits_the_length_of_names},
        {"/path-template/template/knows-where-a-walk-goes", test_template_knows_where_a_walk_goes},
        {"/path-template/template/default-name", test_template_default_name},
        {"/path-template/template/refuses-what-is-ambiguous",
         test_template_refuses_what_is_ambiguous},
        {"/path-template/template/texts-are-checked", test_template_texts_are_checked},
        {"/path-template/template/have-common-names", test_templates_have_common_names},
        {"/path-template/template/are-injective", test_templates_are_injective},
};

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
        for (gsize i = 0; i < G_N_ELEMENTS(mapped); i++) {
                g_autofree char *path = g_strconcat("/path-template/template/goes-both-ways/",
                                                    mapped[i].name, NULL);

                g_test_add_data_func(path, &mapped[i], test_template_goes_both_ways);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add_func(tests[i].path, tests[i].function);
        return g_test_run();
}
