/* SPDX-License-Identifier: MIT */

#include "common/config.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>

typedef struct Settings {
        char *broker;
        JsonPaths folders;
        unsigned keepalive;
} Settings;

static const JsonField fields[] = {
        {"broker", JSON_FIELD_STRING, offsetof(Settings, broker), .fallback = "mqtt://localhost"},
        {"folders", JSON_FIELD_PATHS, offsetof(Settings, folders), .fallback = "/usr/share/x"},
        {"keepalive_s", JSON_FIELD_UINT, offsetof(Settings, keepalive), 5, 600, .fallback = "60"},
};

typedef struct Fixture {
        char *folder;
        char *path;
        Settings settings;
        Config config;
        Diagnostics list;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folder = g_dir_make_tmp("config-XXXXXX", NULL);
        fixture->path = g_build_filename(fixture->folder, "x.json", NULL);
        g_assert_cmpint(config_init(&fixture->config, fields, G_N_ELEMENTS(fields),
                                    &fixture->settings, NULL),
                        ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        config_done(&fixture->config);
        diagnostics_done(&fixture->list);
        g_unlink(fixture->path);
        g_rmdir(fixture->folder);
        g_free(fixture->path);
        g_free(fixture->folder);
}

static int load(Fixture *fixture, const char *text)
{
        g_assert_true(g_file_set_contents(fixture->path, text, -1, NULL));
        return config_load(&fixture->config, fixture->path, &fixture->list);
}

static void test_has_defaults(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtt://localhost");
        g_assert_cmpuint(fixture->settings.folders.count, ==, 1);
        g_assert_cmpuint(fixture->settings.keepalive, ==, 60);
}

static void test_file_replaces_defaults(Fixture *fixture, gconstpointer data)
{
        g_autofree char *expected = g_build_filename(fixture->folder, "y", NULL);

        g_assert_cmpint(load(fixture, "{\"keepalive_s\": 10, // slow\n \"folders\": [\"y\"]}"), ==,
                        0);
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtt://localhost");
        g_assert_cmpuint(fixture->settings.folders.count, ==, 1);
        g_assert_cmpstr(fixture->settings.folders.items[0], ==, expected);
        g_assert_cmpuint(fixture->settings.keepalive, ==, 10);
}

static void test_options_win_over_the_file(Fixture *fixture, gconstpointer data)
{
        Config *config = &fixture->config;

        g_assert_cmpint(config_set(config, "keepalive_s", "30", NULL), ==, 0);
        g_assert_cmpint(config_set(config, "folders", "a", NULL), ==, 0);
        g_assert_cmpint(config_set(config, "folders", "b", NULL), ==, 0);
        g_assert_cmpint(load(fixture, "{\"keepalive_s\":10,\"folders\":[\"y\"],\"broker\":\"z\"}"),
                        ==, 0);
        g_assert_cmpint(config_set(config, "broker", "mqtts://h", NULL), ==, 0);
        g_assert_cmpuint(fixture->settings.keepalive, ==, 30);
        g_assert_cmpuint(fixture->settings.folders.count, ==, 2);
        g_assert_cmpstr(fixture->settings.folders.items[0], ==, "a");
        g_assert_cmpstr(fixture->settings.folders.items[1], ==, "b");
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtts://h");
}

static void test_reports_errors(Fixture *fixture, gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;
        g_autofree char *expected = g_strdup_printf(
                "%s:1:2 /brokr: unknown key 'brokr', did you mean 'broker'?", fixture->path);

        g_assert_cmpint(load(fixture, "{\"brokr\":\"x\",\"keepalive_s\":1}"), ==, -EINVAL);
        g_assert_cmpuint(fixture->list.count, ==, 2);
        g_assert_cmpstr(fixture->list.items[0].text, ==, expected);
        g_assert_cmpint(load(fixture, "[]"), ==, -EINVAL);
        g_assert_cmpint(config_set(&fixture->config, "nothing", "x", &error), ==, -ENOENT);
        g_assert_cmpstr(error_text(error), ==, "there is no setting 'nothing'");
        error = error_free(error);
        g_assert_cmpint(config_set(&fixture->config, "keepalive_s", "4", &error), ==, -ERANGE);
        g_assert_cmpstr(error_text(error), ==, "keepalive_s: expected a number from 5 to 600");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/config/has-defaults", test_has_defaults);
        ADD("/config/file-replaces-defaults", test_file_replaces_defaults);
        ADD("/config/options-win-over-the-file", test_options_win_over_the_file);
        ADD("/config/reports-errors", test_reports_errors);
        return g_test_run();
}
