/* SPDX-License-Identifier: MIT */

/* What gets installed works from there: programs start, the examples can be built with pkg-config,
 * by the public header and the shared library alone, and every page of the manual is found. */

#include "tests/support/broker.h"
#include "tests/support/wait.h"

#include <string.h>

#define BUILD_MSEC (3 * WAIT_MSEC) /* for the compiler, on a machine that is busy */

typedef struct Fixture {
        TempDir *dir;
        char *root; /* where / would be */
        char *prefix;
        char *library_path; /* environment */
} Fixture;

static char *run(Fixture *fixture, const char *const *argv, const char *const *environment)
{
        const ProcessOptions options = {.environment = environment};
        g_autofree char *errors = NULL;
        char *output = NULL;
        int status;

        status = process_run(fixture->dir, argv, &options, BUILD_MSEC, &output, &errors);
        if (status != 0)
                g_error("%s: status %d: %s%s", argv[0], status, output, errors);
        return output;
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *destdir = NULL;
        g_autofree char *output = NULL;

        fixture->dir = temp_dir_new();
        fixture->root = temp_dir_make(fixture->dir, "root");
        fixture->prefix = g_strconcat(fixture->root, MQTTRPC_TEST_PREFIX, NULL);
        fixture->library_path =
                g_strdup_printf("LD_LIBRARY_PATH=%s/%s", fixture->prefix, MQTTRPC_TEST_LIBDIR);
        destdir = g_strconcat("DESTDIR=", fixture->root, NULL);
        output = run(fixture,
                     (const char *[]){"cmake", "--install", MQTTRPC_TEST_BUILD_DIRECTORY, NULL},
                     (const char *[]){destdir, NULL});
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        g_free(fixture->root);
        g_free(fixture->prefix);
        g_free(fixture->library_path);
        temp_dir_free(fixture->dir);
}

static char *installed(Fixture *fixture, const char *name)
{
        return g_build_filename(fixture->prefix, name, NULL);
}

/* ---- programs ---- */

static void assert_starts(Fixture *fixture, const char *name, const char *option, const char *says)
{
        g_autofree char *program = installed(fixture, name);
        g_autofree char *output = run(fixture, (const char *[]){program, option, NULL}, NULL);

        if (!strstr(output, says))
                g_error("%s %s says: %s", name, option, output);
}

static void test_programs_start(Fixture *fixture, gconstpointer unused)
{
        assert_starts(fixture, "bin/mqttrpc", "--version", "mqttrpc");
        assert_starts(fixture, "sbin/mqttrpc-adduser", "--help", "mqttrpc-adduser");
#ifdef MQTTRPC_TEST_GATEWAY
        assert_starts(fixture, "bin/dbus-mqtt-gateway", "--version", "dbus-mqtt-gateway");
#endif
}

#ifdef MQTTRPC_TEST_GATEWAY
static void test_mappings_are_good(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *gateway = installed(fixture, "bin/dbus-mqtt-gateway");
        g_autofree char *mappings = installed(fixture, "share/dbus-mqtt-gateway/mappings");
        g_autoptr(GDir) folder = g_dir_open(mappings, 0, NULL);
        const char *name;
        unsigned count = 0;

        g_assert_nonnull(folder);
        while ((name = g_dir_read_name(folder))) {
                g_autofree char *path = g_build_filename(mappings, name, NULL);
                g_autofree char *output = NULL;

                if (!g_str_has_suffix(name, ".json") || strstr(name, "schema"))
                        continue;
                output = run(fixture, (const char *[]){gateway, "check", path, NULL}, NULL);
                count++;
        }
        g_assert_cmpuint(count, >, 0);
}
#endif

/* ---- the library ---- */

static char *build_example(Fixture *fixture, const char *name)
{
        g_autofree char *source = g_strdup_printf("share/doc/mqttrpc/examples/%s.c", name);
        g_autofree char *path = installed(fixture, source);
        g_autofree char *script =
                g_strdup_printf("set -e; flags=$(pkg-config --cflags --libs mqttrpc)\n"
                                "%s -std=c99 -Wall -Wextra -Werror '%s' $flags -o '%s'",
                                MQTTRPC_TEST_CC, path, name);
        g_autofree char *pages = g_strdup_printf("PKG_CONFIG_PATH=%s/%s/pkgconfig", fixture->prefix,
                                                 MQTTRPC_TEST_LIBDIR);
        g_autofree char *sysroot = g_strconcat("PKG_CONFIG_SYSROOT_DIR=", fixture->root, NULL);
        g_autofree char *output = run(fixture, (const char *[]){"sh", "-c", script, NULL},
                                      (const char *[]){pages, sysroot, NULL});

        return temp_dir_build(fixture->dir, name);
}

static void test_examples_call_each_other(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *service = build_example(fixture, "thermostat");
        g_autofree char *client = build_example(fixture, "client-sync");
        g_autofree char *tool = installed(fixture, "bin/mqttrpc");
        CLEANUP_BROKER Broker *broker = broker_new(fixture->dir);
        const char *const environment[] = {fixture->library_path, NULL};
        const char *uri = broker_get_uri(broker);
        CLEANUP_PROCESS Process *thermostat = NULL;
        g_autofree char *output = NULL;
        g_autofree char *password = NULL;
        g_autofree char *of_tool = NULL;

        broker_add_user(broker, "heater", "secret",
                        (const char *[]){"--service", "thermostat", NULL});
        broker_add_user(broker, "alice", "secret", (const char *[]){"--call", "thermostat", NULL});
        broker_start(broker);
        thermostat = process_start(fixture->dir, "thermostat",
                                   (const char *[]){service, uri, "heater", "secret", NULL},
                                   &(ProcessOptions){.environment = environment});
        /* it waits for the service */
        output = run(fixture, (const char *[]){client, uri, "alice", "secret", "21.25", NULL},
                     environment);
        g_assert_cmpstr(output, ==, "wanted 21.25 degrees, got 21.25\n");
        password = broker_get_password_file(broker, "alice");
        of_tool = run(fixture,
                      (const char *[]){tool, "--broker", uri, "--user", "alice", "--password-file",
                                       password, "call", "thermostat", "-", "Calibrate",
                                       "reference=21.5", NULL},
                      NULL);
        g_assert_cmpstr(of_tool, ==, "0.25\n");
}

/* ---- the manual ---- */

static char *read_page(Fixture *fixture, const char *name)
{
        char section = name[strlen(name) - 1];
        g_autofree char *path =
                g_strdup_printf("%s/share/man/man%c/%s", fixture->prefix, section, name);
        char *text = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                g_error("%s is not installed", name);
        return text;
}

static void test_pages_are_found(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *sources = process_source_path("docs/man");
        g_autoptr(GDir) folder = g_dir_open(sources, 0, NULL);
        g_autofree char *alias = read_page(fixture, "mqttrpc_bus_open.3");
        const char *name;

        g_assert_nonnull(folder);
        while ((name = g_dir_read_name(folder))) {
                g_autofree char *text = NULL;

#ifndef MQTTRPC_TEST_GATEWAY
                if (g_str_has_suffix(name, "gateway.8"))
                        continue;
#endif
#ifndef MQTTRPC_TEST_BRIDGE
                if (g_str_has_suffix(name, "bridge.8"))
                        continue;
#endif
                text = read_page(fixture, name);
                g_assert_nonnull(strstr(text, "\n.SH NAME\n"));
        }
        g_assert_cmpstr(alias, ==, ".so man3/mqttrpc_bus.3\n");
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/install/programs-start", test_programs_start},
#ifdef MQTTRPC_TEST_GATEWAY
                {"/install/mappings-are-good", test_mappings_are_good},
#endif
                {"/install/examples-call-each-other", test_examples_call_each_other},
                {"/install/pages-are-found", test_pages_are_found},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
