/* SPDX-License-Identifier: MIT */

/* Sets of mappings: lookup, collisions, folders. */

#include "gateway/mapping.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

static char *make_text(const char *service, const char *bus_name)
{
        return g_strdup_printf("{\"service\":\"%s\",\"dbus\":{\"name\":\"%s\"},\"objects\":["
                               "{\"path\":\"/x\",\"interfaces\":{\"a.I\":\"*\"}}]}",
                               service, bus_name);
}

static MappingService *make(const char *file, const char *service, const char *bus_name)
{
        g_autofree char *text = make_text(service, bus_name);
        MappingService *result = NULL;

        g_assert_cmpint(mapping_parse(file, text, strlen(text), NULL, &result), ==, 0);
        return result;
}

static void test_finds_services(void)
{
        CLEANUP_MAPPING_SET MappingSet set = {};

        g_assert_cmpint(mapping_set_add(&set, make("1.json", "one", "a.one"), NULL), ==, 0);
        g_assert_cmpint(mapping_set_add(&set, make("2.json", "two", "a.two"), NULL), ==, 0);
        g_assert_cmpstr(mapping_set_find_service(&set, "two")->bus_name, ==, "a.two");
        g_assert_null(mapping_set_find_service(&set, "three"));
        g_assert_cmpstr(mapping_set_find_bus_name(&set, NULL, "a.one")->name, ==, "one");
        g_assert_cmpstr(mapping_set_find_bus_name(&set, "system", "a.one")->name, ==, "one");
        g_assert_null(mapping_set_find_bus_name(&set, "session", "a.one"));
}

static void test_refuses_collisions(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *name = make("2.json", "one", "a.two");
        CLEANUP_MAPPING_SERVICE MappingService *bus_name = make("3.json", "three", "a.one");
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_MAPPING_SET MappingSet set = {};

        g_assert_cmpint(mapping_set_add(&set, make("1.json", "one", "a.one"), &list), ==, 0);
        g_assert_cmpint(mapping_set_add(&set, name, &list), ==, -EEXIST);
        g_assert_cmpint(mapping_set_add(&set, bus_name, &list), ==, -EEXIST);
        g_assert_cmpuint(list.count, ==, 2);
        g_assert_cmpstr(list.items[0].text, ==,
                        "2.json: the service 'one' is mapped by 1.json already");
        g_assert_cmpstr(list.items[1].text, ==,
                        "3.json: the D-Bus name a.one is mapped by 1.json already");
        g_assert_cmpuint(HASH_COUNT(set.services), ==, 1);
}

/* ---- families ---- */

static void test_finds_families(void)
{
        CLEANUP_MAPPING_SET MappingSet set = {};
        MappingService *all = make("1.json", "any.{n}", "org.*");
        MappingService *family = make("2.json", "player.{n}", "org.mpris.Player.*");
        MappingService *one = make("3.json", "vlc", "org.mpris.Player.vlc");

        g_assert_cmpint(mapping_set_add(&set, all, NULL), ==, 0);
        g_assert_cmpint(mapping_set_add(&set, family, NULL), ==, 0);
        g_assert_cmpint(mapping_set_add(&set, one, NULL), ==, 0);
        g_assert_true(mapping_set_find_bus_name(&set, NULL, "org.mpris.Player.vlc") == one);
        g_assert_true(mapping_set_find_bus_name(&set, NULL, "org.mpris.Player.vlc.x") == family);
        g_assert_true(mapping_set_find_bus_name(&set, NULL, "org.mpris.Player") == all);
        g_assert_null(mapping_set_find_bus_name(&set, NULL, "org"));
        g_assert_null(mapping_set_find_bus_name(&set, NULL, "org.*"));
        g_assert_null(mapping_set_find_bus_name(&set, NULL, "org."));
        g_assert_null(mapping_set_find_bus_name(&set, "session", "org.x"));
        g_assert_true(mapping_set_find_service(&set, "vlc") == one);
        g_assert_true(mapping_set_find_service(&set, "player.mpv") == family);
        g_assert_true(mapping_set_find_service(&set, "any.x") == all);
        /* names of what a more exact mapping has */
        g_assert_null(mapping_set_find_service(&set, "player.vlc"));
        g_assert_null(mapping_set_find_service(&set, "any.mpris.Player.mpv"));
        g_assert_null(mapping_set_find_service(&set, "player.{n}"));
}

/* The mapping of a member is one for itself, also when the files of the family are no more. */
static void test_makes_mappings_of_members(void)
{
        static const char text[] =
                "{\"service\":\"player.{n}\",\"dbus\":{\"name\":\"org.Player.*\"},"
                "\"introspection\":\"player.xml\",\"objects\":[{\"path\":\"/org/Player/sub\","
                "\"interfaces\":{\"a.I\":\"*\"}}]}";
        static const char xml[] = "<node><interface name=\"a.I\"><method name=\"Do\"/>"
                                  "</interface></node>";
        CLEANUP_MAPPING_SERVICE MappingService *family = NULL, *member = NULL;
        g_autofree char *folder = g_dir_make_tmp("mqttrpc-mapping-XXXXXX", NULL);
        g_autofree char *path = g_build_filename(folder, "player.json", NULL);
        g_autofree char *beside = g_build_filename(folder, "player.xml", NULL);
        const MappingObject *object;

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_true(g_file_set_contents(beside, xml, -1, NULL));
        g_assert_cmpint(mapping_load(path, NULL, &family), ==, 0);
        g_unlink(path);
        g_unlink(beside);
        g_rmdir(folder);
        g_assert_cmpint(mapping_service_of_member(family, "org.Other.vlc", &member), ==, -ENOENT);
        g_assert_cmpint(mapping_service_of_member(family, "org.Player.vlc", &member), ==, 0);
        g_assert_false(member->is_family);
        g_assert_cmpstr(member->name, ==, "player.vlc");
        g_assert_cmpstr(member->bus_name, ==, "org.Player.vlc");
        object = mapping_service_find_object(member, "sub");
        g_assert_nonnull(object);
        g_assert_true(object != mapping_service_find_object(family, "sub"));
        g_assert_nonnull(mapping_object_find(object, MEMBER_METHOD, "Do"));
}

static void test_families_collide(void)
{
        static const struct {
                const char *service;
                const char *bus_name;
                const char *error; /* NULL: they go together */
        } rows[] = {
                {"player.vlc", "org.other",
                 "the service 'player.vlc' could be one that is mapped by "
                 "1.json already"},
                {"player.vlc", "org.mpris.Player.vlc", NULL},
                {"player.a.{x}", "org.b.*",
                 "the service 'player.a.{x}' could be one that is mapped "
                 "by 1.json already"},
                {"{n}", "org.b.*",
                 "the service '{n}' could be one that is mapped by 1.json already"},
                {"other.{n}", "org.mpris.Player.*",
                 "the D-Bus name org.mpris.Player.* is mapped by "
                 "1.json already"},
                {"other.{n}", "org.mpris.*", NULL},
                {"player", "org.b", NULL},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                MappingService *service = make("2.json", rows[i].service, rows[i].bus_name);
                g_autofree char *expected = g_strdup_printf("2.json: %s", rows[i].error);
                CLEANUP_DIAGNOSTICS Diagnostics list = {};
                CLEANUP_MAPPING_SET MappingSet set = {};

                g_assert_cmpint(mapping_set_add(&set,
                                                make("1.json", "player.{n}", "org.mpris.Player.*"),
                                                NULL),
                                ==, 0);
                g_assert_cmpint(mapping_set_add(&set, service, &list), ==,
                                rows[i].error ? -EEXIST : 0);
                if (!rows[i].error)
                        continue;
                g_assert_cmpstr(list.items[0].text, ==, expected);
                mapping_service_free(service);
        }
}

/* ---- folders ---- */

typedef struct Fixture {
        char *shipped;
        char *local;
        const char *folders[2];
        MappingSet set;
        Diagnostics list;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folders[0] = fixture->shipped = g_dir_make_tmp("mapping-XXXXXX", NULL);
        fixture->folders[1] = fixture->local = g_dir_make_tmp("mapping-XXXXXX", NULL);
}

static void remove_folder(char *folder)
{
        g_autoptr(GDir) handle = g_dir_open(folder, 0, NULL);
        const char *name;

        while (handle && (name = g_dir_read_name(handle))) {
                g_autofree char *path = g_build_filename(folder, name, NULL);

                g_unlink(path);
        }
        g_rmdir(folder);
        g_free(folder);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        mapping_set_done(&fixture->set);
        diagnostics_done(&fixture->list);
        remove_folder(fixture->shipped);
        remove_folder(fixture->local);
}

static void put(const char *folder, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void put_service(const char *folder, const char *name, const char *service,
                        const char *bus_name)
{
        g_autofree char *text = make_text(service, bus_name);

        put(folder, name, text);
}

static int load(Fixture *fixture)
{
        return mapping_set_load_folders(&fixture->set, fixture->folders, 2, &fixture->list);
}

static void test_later_folder_overrides(Fixture *fixture, gconstpointer data)
{
        put_service(fixture->shipped, "a.json", "a", "org.a");
        put_service(fixture->shipped, "b.json", "b", "org.b");
        put_service(fixture->local, "b.json", "bb", "org.b");
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpuint(fixture->list.count, ==, 0);
        g_assert_nonnull(mapping_set_find_service(&fixture->set, "a"));
        g_assert_null(mapping_set_find_service(&fixture->set, "b"));
        g_assert_true(g_str_has_prefix(mapping_set_find_service(&fixture->set, "bb")->file,
                                       fixture->local));
}

static void test_skips_what_is_no_mapping(Fixture *fixture, gconstpointer data)
{
        put_service(fixture->shipped, "a.json", "a", "org.a");
        put(fixture->shipped, "mapping.schema.json", "{}");
        put(fixture->shipped, ".hidden.json", "{}");
        put(fixture->shipped, "b.json.bak", "{}");
        put(fixture->shipped, "README.md", "text");
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpuint(fixture->list.count, ==, 0);
        g_assert_cmpuint(HASH_COUNT(fixture->set.services), ==, 1);
}

static void test_bad_file_costs_only_itself(Fixture *fixture, gconstpointer data)
{
        put_service(fixture->shipped, "a.json", "a", "org.a");
        put_service(fixture->shipped, "b.json", "b", "org.b");
        put_service(fixture->shipped, "c.json", "c", "org.c");
        put(fixture->local, "b.json", "{");
        g_assert_cmpint(load(fixture), ==, 1);
        g_assert_cmpuint(fixture->list.n_errors, ==, 1);
        g_assert_true(g_str_has_suffix(fixture->list.items[0].text,
                                       "/b.json:1:2: expected a key in quotes"));
        g_assert_nonnull(mapping_set_find_service(&fixture->set, "a"));
        g_assert_null(mapping_set_find_service(&fixture->set, "b"));
        g_assert_nonnull(mapping_set_find_service(&fixture->set, "c"));
}

static void test_collision_names_both_files(Fixture *fixture, gconstpointer data)
{
        g_autofree char *expected = NULL;

        put_service(fixture->local, "a.json", "same", "org.a");
        put_service(fixture->shipped, "b.json", "same", "org.b");
        g_assert_cmpint(load(fixture), ==, 1);
        expected = g_strdup_printf("%s/b.json: the service 'same' is mapped by %s/a.json already",
                                   fixture->shipped, fixture->local);
        g_assert_cmpstr(fixture->list.items[0].text, ==, expected);
        g_assert_cmpstr(mapping_set_find_service(&fixture->set, "same")->bus_name, ==, "org.a");
}

static void test_missing_folder_is_a_warning(Fixture *fixture, gconstpointer data)
{
        put_service(fixture->shipped, "a.json", "a", "org.a");
        fixture->folders[1] = "/nonexistent/mappings.d";
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpuint(fixture->list.n_warnings, ==, 1);
        g_assert_cmpstr(fixture->list.items[0].text, ==,
                        "cannot open the folder /nonexistent/mappings.d: No such file or "
                        "directory");
        g_assert_nonnull(mapping_set_find_service(&fixture->set, "a"));
}

/* ---- what is shipped ---- */

static void test_shipped_mappings_load(void)
{
        g_autofree char *folder = g_build_filename(g_getenv("MQTTRPC_SRCDIR"), "mappings", NULL);
        const char *folders[] = {folder};
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_MAPPING_SET MappingSet set = {};
        const MappingObject *object;
        const MappingMember *describe;

        g_assert_cmpint(mapping_set_load_folders(&set, folders, 1, &list), ==, 0);
        g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
        object = mapping_service_find_object(mapping_set_find_service(&set, "hostname"), "-");
        g_assert_false(mapping_object_needs_introspection(object));
        describe = mapping_object_find(object, MEMBER_METHOD, "Describe");
        g_assert_cmpuint(describe->in.count, ==, 0);
        g_assert_cmpstr(describe->out.signature, ==, "s");
        g_assert_true(describe->batch);
}

/* The mapping says the same as the daemon, as of version 252. */
static void test_hostname_agrees_with_its_daemon(void)
{
        g_autofree char *path =
                g_build_filename(g_getenv("MQTTRPC_SRCDIR"), "mappings", "hostname1.json", NULL);
        g_autofree char *xml = g_build_filename(g_getenv("G_TEST_SRCDIR"), "data",
                                                "org.freedesktop.hostname1.xml", NULL);
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        IntrospectionInterface *interface;
        MappingObject *object;

        g_assert_cmpint(mapping_load(path, &list, &service), ==, 0);
        g_assert_cmpint(introspection_load(xml, &list, &introspection, NULL), ==, 0);
        object = mapping_service_find_object(service, "-");
        g_assert_cmpint(mapping_object_apply_introspection(object, introspection, &list), ==, 0);
        g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
        interface = introspection_find(introspection, "org.freedesktop.hostname1");
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                for (IntrospectionMember *m = interface->members[kind]; m; m = m->hh.next)
                        g_assert_nonnull(mapping_object_find(object, kind, m->name));
}

/* Every example of the reference is a whole mapping. */
static void test_examples_load(void)
{
        g_autofree char *path =
                g_build_filename(g_getenv("MQTTRPC_SRCDIR"), "docs", "MAPPINGS.md", NULL);
        g_autofree char *text = NULL;
        g_auto(GStrv) parts = NULL;
        guint count = 0;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        parts = g_strsplit(text, "```", -1);
        for (guint i = 1; parts[i] && parts[i + 1]; i += 2) {
                CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
                CLEANUP_DIAGNOSTICS Diagnostics list = {};
                const char *example = parts[i] + strlen("jsonc\n");

                if (!g_str_has_prefix(parts[i], "jsonc\n"))
                        continue;
                mapping_parse("MAPPINGS.md", example, strlen(example), &list, &service);
                g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
                count++;
        }
        g_assert_cmpuint(count, >=, 8);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/mapping/finds-services", test_finds_services);
        g_test_add_func("/mapping/refuses-collisions", test_refuses_collisions);
        g_test_add_func("/mapping/finds-families", test_finds_families);
        g_test_add_func("/mapping/makes-mappings-of-members", test_makes_mappings_of_members);
        g_test_add_func("/mapping/families-collide", test_families_collide);
        ADD("/mapping/later-folder-overrides", test_later_folder_overrides);
        ADD("/mapping/skips-what-is-no-mapping", test_skips_what_is_no_mapping);
        ADD("/mapping/bad-file-costs-only-itself", test_bad_file_costs_only_itself);
        ADD("/mapping/collision-names-both-files", test_collision_names_both_files);
        ADD("/mapping/missing-folder-is-a-warning", test_missing_folder_is_a_warning);
        g_test_add_func("/mapping/shipped-mappings-load", test_shipped_mappings_load);
        g_test_add_func("/mapping/hostname-agrees-with-its-daemon",
                        test_hostname_agrees_with_its_daemon);
        g_test_add_func("/mapping/examples-load", test_examples_load);
        return g_test_run();
}
