/* SPDX-License-Identifier: MIT */

/* dbus-mqtt-gateway verify between two services on two private buses. It asks by D-Bus alone, so
 * neither has to be a gateway. */

#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <cJSON.h>
#include <string.h>

#define NAME       "org.example.Native"
#define PATH       "/org/example/Native"
#define PROPERTIES "org.freedesktop.DBus.Properties"

#define STANDARD                                                                           \
        "<interface name='org.freedesktop.DBus.Introspectable'><method name='Introspect'>" \
        "<arg type='s' direction='out'/></method></interface>"

static const char root[] = "<node>" STANDARD "<node name='org'/></node>";
static const char org[] = "<node>" STANDARD "<node name='example'/></node>";
static const char example[] = "<node>" STANDARD "<node name='Native'/></node>";
static const char object[] =
        "<node><interface name='org.example.Native'>"
        "<property name='Clock' type='t' access='read'/><property name='Level' type='u'"
        " access='read'/><property name='Key' type='s' access='write'/><method name='Do'>"
        "<arg name='arg0' type='s'/></method></interface>" STANDARD "</node>";
/* the same, otherwise written, with other names */
static const char other_object[] =
        "<node>" STANDARD "<interface name='org.example.Native'>"
        "<method name='Do'><arg name='what' type='s' direction='in'/></method>"
        "<property name='Key' type='s' access='write'/><property name='Level' type='u'"
        " access='read'><annotation name='x.Note' value='1'/></property>"
        "<property name='Clock' type='t' access='read'/></interface></node>";

typedef struct Fixture {
        TempDir *dir;
        DbusDaemon *buses[2]; /* of the legacy service, and of the facade */
        ScriptedService *services[2];
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
        f->dir = temp_dir_new();
        for (size_t i = 0; i < 2; i++) {
                f->buses[i] = dbus_daemon_new(f->dir, DBUS_DAEMON_OPEN);
                dbus_daemon_start(f->buses[i]);
                f->services[i] = scripted_service_new(f->buses[i]);
                scripted_service_introspect(f->services[i], "/", root);
                scripted_service_introspect(f->services[i], "/org", org);
                scripted_service_introspect(f->services[i], "/org/example", example);
                scripted_service_introspect(f->services[i], PATH, object);
                scripted_service_set(f->services[i], PATH, NAME, "Level", g_variant_new("u", 7));
                scripted_service_set(f->services[i], PATH, NAME, "Clock",
                                     g_variant_new("t", (guint64)i));
                scripted_service_own(f->services[i], NAME);
        }
}

static void tear_down(Fixture *f, gconstpointer unused)
{
        for (size_t i = 0; i < 2; i++) {
                scripted_service_free(f->services[i]);
                dbus_daemon_free(f->buses[i]);
        }
        temp_dir_free(f->dir);
}

static char *write_file(Fixture *f, const char *name, const char *text)
{
        char *path = g_build_filename(temp_dir_get_path(f->dir), name, NULL);

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        return path;
}

/* `more` ends with NULL. `against` NULL: the legacy bus. */
static int verify(Fixture *f, const char *against, const char *const *more, char **ret_out,
                  char **ret_err)
{
        g_autofree char *program = process_program_path("dbus-mqtt-gateway");
        g_autoptr(GPtrArray) argv = g_ptr_array_new();

        g_ptr_array_add(argv, program);
        g_ptr_array_add(argv, (gpointer) "verify");
        g_ptr_array_add(argv, (gpointer) "--bus");
        g_ptr_array_add(argv, (gpointer)dbus_daemon_get_address(f->buses[1]));
        g_ptr_array_add(argv, (gpointer) "--against");
        g_ptr_array_add(argv, (gpointer)(against ? against : dbus_daemon_get_address(f->buses[0])));
        for (; more && *more; more++)
                g_ptr_array_add(argv, (gpointer)*more);
        g_ptr_array_add(argv, (gpointer)NAME);
        g_ptr_array_add(argv, NULL);
        return process_run(f->dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, ret_out,
                           ret_err);
}

static void test_equal_services(Fixture *f, gconstpointer unused)
{
        static const char *const more[] = {"--ignore", "*.Clock", NULL};
        g_autofree char *out = NULL, *err = NULL;

        g_assert_cmpint(verify(f, NULL, more, &out, &err), ==, 0);
        g_assert_cmpstr(err, ==, "");
        /* 4 × Introspectable and its method, 3 nodes, the interface with 4 members; both values */
        g_assert_cmpstr(out, ==,
                        "no differences in 16 facts of introspection, 2 properties, 0 calls; "
                        "1 left out\n");
}

static void test_each_difference_is_told(Fixture *f, gconstpointer unused)
{
        g_autofree char *out = NULL, *err = NULL;

        scripted_service_introspect(f->services[1], PATH, other_object);
        scripted_service_set(f->services[1], PATH, NAME, "Level", g_variant_new("i", 7));
        scripted_service_set(f->services[1], PATH, NAME, "More", g_variant_new("b", TRUE));
        g_assert_cmpint(verify(f, NULL, NULL, &out, &err), ==, 1);
        g_assert_cmpstr(out, ==,
                        "introspection " PATH " " NAME
                        " method Do: legacy in s arg0, facade in s what\n"
                        "introspection " PATH " " NAME " property Level annotation x.Note: "
                        "legacy nothing, facade 1\n"
                        "property " PATH " " NAME ".Clock: legacy t 0, facade t 1\n"
                        "property " PATH " " NAME ".Level: legacy u 7, facade i 7\n"
                        "property " PATH " " NAME ".More: legacy nothing, facade b true\n"
                        "5 differences in 16 facts of introspection, 2 properties, 0 calls\n");
}

static void test_json(Fixture *f, gconstpointer unused)
{
        static const char *const more[] = {"--json", NULL};
        g_autofree char *out = NULL, *err = NULL;
        cJSON *tree, *difference;

        g_assert_cmpint(verify(f, NULL, more, &out, &err), ==, 1);
        tree = cJSON_Parse(out);
        g_assert_true(cJSON_IsFalse(cJSON_GetObjectItem(tree, "equal")));
        difference = cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "differences"), 0);
        g_assert_cmpstr(cJSON_GetStringValue(cJSON_GetObjectItem(difference, "where")), ==,
                        PATH " " NAME ".Clock");
        g_assert_cmpstr(cJSON_GetStringValue(cJSON_GetObjectItem(difference, "facade")), ==, "t 1");
        cJSON_Delete(tree);
}

static void test_managed_objects(Fixture *f, gconstpointer unused)
{
        static const char manager[] = "<node><interface name='org.freedesktop.DBus.ObjectManager'/>"
                                      "<interface name='org.example.Native'/></node>";
        g_autofree char *out = NULL, *err = NULL;

        for (size_t i = 0; i < 2; i++) {
                scripted_service_introspect(f->services[i], PATH, manager);
                scripted_service_manage(f->services[i], PATH);
                scripted_service_remove(f->services[i], PATH, NAME);
                scripted_service_introspect(f->services[i], PATH "/item", "<node/>");
                scripted_service_set(f->services[i], PATH "/item", "org.example.Item", "Size",
                                     g_variant_new("u", (guint32)i));
        }
        scripted_service_introspect(f->services[0], PATH "/gone", "<node/>");
        scripted_service_set(f->services[0], PATH "/gone", "org.example.Item", "Size",
                             g_variant_new("u", 0));
        g_assert_cmpint(verify(f, NULL, NULL, &out, &err), ==, 1);
        g_assert_nonnull(strstr(out, "property " PATH "/item org.example.Item.Size in "
                                     "GetManagedObjects of " PATH ": legacy u 0, facade u 1\n"));
        g_assert_nonnull(strstr(out,
                                "introspection " PATH "/gone org.example.Item in "
                                "GetManagedObjects of " PATH ": legacy there, facade nothing\n"));
}

static void test_against_a_file(Fixture *f, gconstpointer unused)
{
        g_autofree char *same = write_file(f, "same.xml", object);
        g_autofree char *tree = write_file(f, "tree.xml",
                                           "<node name='/org'><node name='example'>" STANDARD
                                           "<node name='Native'/></node>" STANDARD "</node>");
        g_autofree char *other = write_file(f, "other.xml", other_object);
        g_autofree char *out = NULL, *err = NULL;

        g_assert_cmpint(verify(f, same, NULL, &out, &err), ==, 0);
        g_free(STEAL(out));
        g_free(STEAL(err));
        g_assert_cmpint(verify(f, tree, NULL, &out, &err), ==, 0);
        g_assert_cmpstr(out, ==,
                        "no differences in 6 facts of introspection, 0 properties, "
                        "0 calls\n");
        g_free(STEAL(out));
        g_free(STEAL(err));
        g_assert_cmpint(verify(f, other, NULL, &out, &err), ==, 1);
        g_assert_nonnull(strstr(out, "method Do: legacy in s what, facade in s arg0\n"));
}

#define GET(property, more)                                                                \
        "{\"path\": \"" PATH "\", \"interface\": \"" PROPERTIES "\", \"method\": \"Get\"," \
        "\"signature\": \"ss\", \"args\": [\"" NAME "\", \"" property "\"]" more "}"

static void test_calls(Fixture *f, gconstpointer unused)
{
        g_autofree char *live = write_file(
                f, "live.json",
                "{\"calls\": [" GET("Level", "") "," GET("Clock", "") "," GET("None", "") "]}");
        g_autofree char *recorded = write_file(
                f, "recorded.json",
                "{\"calls\": [" GET(
                        "Level",
                        ", \"reply\": {\"signature\": \"v\", \"args\": "
                        "[{\"type\": \"u\", \"data\": 8}]}") "," GET("None",
                                                                     ", \"error\": "
                                                                     "\"org.freedesktop.DBus.Error."
                                                                     "UnknownProperty\"") "]}");
        g_autofree char *same = write_file(f, "same.xml", object);
        const char *more[] = {"--calls", live, "--ignore", PATH "*", NULL};
        g_autofree char *out = NULL, *err = NULL;

        g_assert_cmpint(verify(f, NULL, more, &out, &err), ==, 1);
        g_assert_cmpstr(out, ==,
                        "call 2 " PATH " " PROPERTIES ".Get: legacy v [{\"data\":0,\"type\":"
                        "\"t\"}], facade v [{\"data\":1,\"type\":\"t\"}]\n"
                        "1 difference in 16 facts of introspection, 2 properties, 3 calls; "
                        "1 left out\n");
        g_free(STEAL(out));
        g_free(STEAL(err));
        more[1] = recorded;
        g_assert_cmpint(verify(f, same, more, &out, &err), ==, 1);
        g_assert_cmpstr(out, ==,
                        "call 1 " PATH " " PROPERTIES ".Get: legacy v [{\"data\":8,\"type\":"
                        "\"u\"}], facade v [{\"data\":7,\"type\":\"u\"}]\n"
                        "1 difference in 7 facts of introspection, 0 properties, 2 calls\n");
}

static void test_trouble(Fixture *f, gconstpointer unused)
{
        g_autofree char *bad = write_file(f, "bad.json", "{\"calls\": [{}]}");
        g_autofree char *no_xml = write_file(f, "bad.xml", "<no/>");
        const char *calls[] = {"--calls", bad, NULL};
        const struct {
                const char *against;
                const char *const *more;
                const char *expected;
        } rows[] = {
                {"nowhere", NULL, "--against is neither a file nor a bus"},
                {no_xml, NULL, "<node>"},
                {NULL, calls, "bad.json cannot be used"},
                {"unix:path=/nonexistent", NULL, "cannot connect"},
                {NULL, NULL, NAME " cannot be reached"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *out = NULL, *err = NULL;

                if (i == G_N_ELEMENTS(rows) - 1)
                        scripted_service_release(f->services[1], NAME);
                g_assert_cmpint(verify(f, rows[i].against, rows[i].more, &out, &err), ==, 2);
                g_assert_cmpstr(out, ==, "");
                if (!strstr(err, rows[i].expected))
                        g_error("%s", err);
        }
}

#define TEST(path, function) g_test_add((path), Fixture, NULL, set_up, (function), tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        TEST("/verify/equal-services", test_equal_services);
        TEST("/verify/each-difference-is-told", test_each_difference_is_told);
        TEST("/verify/json", test_json);
        TEST("/verify/managed-objects", test_managed_objects);
        TEST("/verify/against-a-file", test_against_a_file);
        TEST("/verify/calls", test_calls);
        TEST("/verify/trouble", test_trouble);
        return g_test_run();
}
