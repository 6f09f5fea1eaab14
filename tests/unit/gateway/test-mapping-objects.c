/* SPDX-License-Identifier: MIT */

/* Which entry of a mapping has which path and which name. */

#include "gateway/mapping.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* A mapping of org.a with these objects, each "path" or "path name". */
static MappingService *parse(const char *const *objects, Diagnostics *list)
{
        g_autoptr(GString) text = g_string_new("{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
                                               "\"objects\":[");
        MappingService *service = NULL;

        for (size_t i = 0; objects[i]; i++) {
                g_auto(GStrv) words = g_strsplit(objects[i], " ", 2);

                g_string_append_printf(text, "%s\n{\"path\":\"%s\",\"interfaces\":{}", i ? "," : "",
                                       words[0]);
                if (words[1])
                        g_string_append_printf(text, ",\"object\":\"%s\"", words[1]);
                g_string_append(text, "}");
        }
        g_string_append(text, "]}");
        mapping_parse("x.json", text->str, text->len, list, &service);
        return service;
}

/* The entry, "PATH NAME", that has a path, and the name that it gives it. */
static char *dup_path_owner(const MappingService *service, const char *path)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};

        if (mapping_service_resolve_path(service, path, &instance) < 0)
                return NULL;
        g_assert_cmpstr(instance.path, ==, path);
        g_assert_true(mapping_service_find_path(service, path) == instance.object);
        return g_strdup_printf("%s %s", instance.object->path, instance.name);
}

static const char *const overlapping[] = {
        "/org/a/{x}/{y}", "/org/a/{x}/b",         "/org/a/c/{z} {z}-c",
        "/org/a/c/d",     "/{x}/{y} top-{x}-{y}", NULL,
};

static void test_most_specific_entry_has_the_path(void)
{
        static const char *const rows[][2] = {
                {"/org/a/c/d", "/org/a/c/d c.d"},
                {"/org/a/c/x", "/org/a/c/{z} x-c"},
                {"/org/a/x/b", "/org/a/{x}/b x.b"},
                {"/org/a/x/y", "/org/a/{x}/{y} x.y"},
                {"/org/a", "/{x}/{y} top-org-a"},
                {"/org/a/c/b", "/org/a/{x}/b c.b"},
                {"/org/a/c", NULL},
                {"/org/a/{x}/b", NULL},
                {"/", NULL},
        };
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(overlapping, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *owner = dup_path_owner(service, rows[i][0]);

                g_assert_cmpstr(owner, ==, rows[i][1]);
        }
}

static void test_names_lead_to_the_path_that_has_them(void)
{
        static const char *const rows[][3] = {
                {"c.d", "/org/a/c/d", "/org/a/c/d"},
                {"x-c", "/org/a/c/{z}", "/org/a/c/x"},
                {"x.b", "/org/a/{x}/b", "/org/a/x/b"},
                {"x.y", "/org/a/{x}/{y}", "/org/a/x/y"},
                {"top-org-a", "/{x}/{y}", "/org/a"},
                /* the path has another name, by a more specific entry */
                {"c.x", NULL, NULL},
                {"{x}.b", NULL, NULL},
                {"nothing", NULL, NULL},
                {"", NULL, NULL},
        };
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(overlapping, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_MAPPING_INSTANCE MappingInstance instance = {};
                int r = mapping_service_resolve_name(service, rows[i][0], &instance);

                g_assert_cmpint(r, ==, rows[i][1] ? 0 : -ENOENT);
                g_assert_cmpstr(instance.object ? instance.object->path : NULL, ==, rows[i][1]);
                g_assert_cmpstr(instance.path, ==, rows[i][2]);
                g_assert_cmpstr(instance.name, ==, rows[i][1] ? rows[i][0] : NULL);
        }
}

static void test_only_exact_entries_are_found_by_name(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = parse(overlapping, NULL);

        g_assert_nonnull(mapping_service_find_object(service, "c.d"));
        g_assert_null(mapping_service_find_object(service, "x.y"));
        g_assert_null(mapping_service_find_object(service, "{x}.{y}"));
}

static void test_walk_goes_where_templates_are(void)
{
        static const char text[] =
                "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":["
                "{\"path\":\"/a/{x}/b/{y}\",\"find\":\"both\",\"interfaces\":{}},"
                "{\"path\":\"/c/{x}\",\"find\":\"object_manager\",\"interfaces\":{}},"
                "{\"path\":\"/d/e\",\"interfaces\":{}}]}";
        static const char *const inside[] = {"/", "/a", "/a/1", "/a/1/b"};
        static const char *const outside[] = {"/a/1/c", "/a/1/b/2", "/c", "/d"};
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;

        g_assert_cmpint(mapping_parse("x", text, strlen(text), NULL, &service), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(inside); i++)
                g_assert_true(mapping_service_leads_through(service, inside[i]));
        for (size_t i = 0; i < G_N_ELEMENTS(outside); i++)
                g_assert_false(mapping_service_leads_through(service, outside[i]));
}

/* ---- disputes ---- */

typedef struct Dispute {
        const char *name;
        const char *objects[4];
        const char *finding; /* after "x.json:LINE:1 /objects/N: "; NULL: none */
} Dispute;

static const Dispute disputes[] = {
        {"default-names-never", {"/{x}/y/{z}", "/b/{x}/{y}", "/b/{x}/c", NULL}, NULL},
        {"same-name-for-one-path", {"/b/{x} n.{x}", "/b/c n.c", NULL}, NULL},
        {"same-name-for-another-path",
         {"/b/{x} n.{x}", "/b/c n.d", NULL},
         "the names of objects, 'n.d' of /b/c and 'n.{x}' of /b/{x}, could be the same: give one "
         "of them another one by \"object\""},
        {"path-is-somebody-elses", {"/b/{x} n.{x}", "/b/c n.d", "/b/d m", NULL}, NULL},
        {"explicit-and-default",
         {"/org/a/{x}", "/b/{y} {y}", NULL},
         "the names of objects, '{y}' of /b/{y} and '{x}' of /org/a/{x}, could be the same: give "
         "one of them another one by \"object\""},
        {"divided-differently", {"/b/{x}/{y} {x}.{y}", "/c/{x}/{y} {x}-{y}", NULL}, NULL},
        {"captures-in-other-order",
         {"/b/{x}/{y} {x}.{y}", "/b/{x}/{y}/c {y}.{x}", NULL},
         "the names of objects, '{y}.{x}' of /b/{x}/{y}/c and '{x}.{y}' of /b/{x}/{y}, could be "
         "the same: give one of them another one by \"object\""},
        {"never-used",
         {"/b/{x}", "/b/{y}", NULL},
         "/b/{y} is never used: /b/{x} fits the same paths and comes first"},
};

static void test_dispute(gconstpointer data)
{
        const Dispute *row = data;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        const char *text;

        service = parse(row->objects, &list);
        g_assert_cmpuint(list.count, ==, row->finding ? 1 : 0);
        if (!row->finding)
                return;
        text = strstr(list.items[0].text, ": ");
        g_assert_nonnull(text);
        g_assert_cmpstr(text + 2, ==, row->finding);
}

static void test_number_of_templates_is_limited(void)
{
        g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func(g_free);
        CLEANUP_DIAGNOSTICS Diagnostics list = {};

        for (int i = 0; i < 129; i++)
                g_ptr_array_add(objects, g_strdup_printf("/b%d/{x}", i));
        g_ptr_array_add(objects, NULL);
        g_assert_null(parse((const char *const *)objects->pdata, &list));
        g_assert_cmpuint(list.count, ==, 1);
        g_assert_cmpstr(list.items[0].text, ==,
                        "x.json:130:1 /objects/128: more than 128 objects with captures");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/mapping-objects/most-specific-entry-has-the-path",
                        test_most_specific_entry_has_the_path);
        g_test_add_func("/mapping-objects/names-lead-to-the-path-that-has-them",
                        test_names_lead_to_the_path_that_has_them);
        g_test_add_func("/mapping-objects/only-exact-entries-are-found-by-name",
                        test_only_exact_entries_are_found_by_name);
        g_test_add_func("/mapping-objects/walk-goes-where-templates-are",
                        test_walk_goes_where_templates_are);
        for (gsize i = 0; i < G_N_ELEMENTS(disputes); i++) {
                g_autofree char *path =
                        g_strconcat("/mapping-objects/dispute/", disputes[i].name, NULL);

                g_test_add_data_func(path, &disputes[i], test_dispute);
        }
        g_test_add_func("/mapping-objects/number-of-templates-is-limited",
                        test_number_of_templates_is_limited);
        return g_test_run();
}
