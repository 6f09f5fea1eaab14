/* SPDX-License-Identifier: MIT */

#include "cli/settings.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct Fixture {
        char *folder;
        char *file;
        Settings settings;
} Fixture;

static const char *const variables[] = {
        "MQTTRPC_CONFIG",  "MQTTRPC_BROKER", "MQTTRPC_USER", "MQTTRPC_PASSWORD_FILE", "MQTTRPC_QOS",
        "MQTTRPC_TIMEOUT", "MQTTRPC_ROOT",   "MQTTRPC_CA",   "XDG_CONFIG_HOME"};

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *below = NULL;

        fixture->folder = g_dir_make_tmp("mqttrpc-XXXXXX", NULL);
        below = g_build_filename(fixture->folder, ".config", "mqttrpc", NULL);
        g_assert_cmpint(g_mkdir_with_parents(below, 0700), ==, 0);
        fixture->file = g_build_filename(below, "config.json", NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++)
                g_unsetenv(variables[i]);
        g_setenv("HOME", fixture->folder, TRUE);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *below = g_path_get_dirname(fixture->file);
        g_autofree char *config = g_path_get_dirname(below);

        settings_done(&fixture->settings);
        g_remove(fixture->file);
        g_rmdir(below);
        g_rmdir(config);
        g_rmdir(fixture->folder);
        g_free(fixture->file);
        g_free(fixture->folder);
}

static void write_file(Fixture *fixture, const char *text)
{
        g_assert_true(g_file_set_contents(fixture->file, text, -1, NULL));
        g_assert_cmpint(g_chmod(fixture->file, 0600), ==, 0);
}

static int load(Fixture *fixture)
{
        CLEANUP_ERROR Error *error = NULL;

        settings_done(&fixture->settings);
        return settings_init(&fixture->settings, &error);
}

static void test_file_of_the_user(Fixture *fixture, gconstpointer unused)
{
        write_file(fixture,
                   "{ // a comment\n"
                   "\"broker\": \"mqtt://a.example\", \"user\": \"alice\", \"qos\": 0,\n"
                   "\"password_file\": \"secret\", \"timeout\": \"2s\", \"mqtt\": \"3.1.1\",\n"
                   "\"ca\": \"/etc/ca.pem\"}");
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtt://a.example");
        g_assert_cmpstr(fixture->settings.fallback_user, ==, "alice");
        g_assert_null(fixture->settings.user);
        g_assert_true(g_str_has_prefix(fixture->settings.fallback_password_file, fixture->folder));
        g_assert_true(g_str_has_suffix(fixture->settings.fallback_password_file,
                                       "/.config/mqttrpc/secret"));
        g_assert_cmpuint(fixture->settings.qos, ==, 0);
        g_assert_cmpuint(fixture->settings.protocol, ==, 4);
        g_assert_cmpuint(fixture->settings.timeout_usec, ==, 2 * USEC_PER_SEC);
        g_assert_cmpstr(fixture->settings.ca_file, ==, "/etc/ca.pem");
        g_assert_true(fixture->settings.ca_file == fixture->settings.fallback_ca_file);
}

static void test_environment_goes_before_the_file(Fixture *fixture, gconstpointer unused)
{
        write_file(fixture, "{\"broker\":\"mqtt://a\",\"root\":\"x\",\"user\":\"alice\","
                            "\"password_file\":\"secret\"}");
        g_setenv("MQTTRPC_BROKER", "mqtt://b", TRUE);
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtt://b");
        g_assert_cmpstr(fixture->settings.root, ==, "x");
        g_assert_nonnull(fixture->settings.fallback_password_file);
        /* Another's password is not for this user. */
        g_setenv("MQTTRPC_USER", "bob", TRUE);
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpstr(fixture->settings.fallback_user, ==, "bob");
        g_assert_null(fixture->settings.fallback_password_file);
        g_setenv("MQTTRPC_USER", "alice", TRUE);
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_nonnull(fixture->settings.fallback_password_file);
}

/* The user's file is read after the system's. */
static void test_later_files_go_before_earlier(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_ERROR Error *error = NULL;

        g_setenv("MQTTRPC_CONFIG", "", TRUE);
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpstr(fixture->settings.broker, ==, DEFAULT_BROKER);
        write_file(fixture, "{\"broker\":\"mqtt://a\",\"root\":\"x\"}");
        g_assert_cmpint(settings_load_file(&fixture->settings, fixture->file, &error), ==, 0);
        write_file(fixture, "{\"broker\":\"mqtt://b\"}");
        g_assert_cmpint(settings_load_file(&fixture->settings, fixture->file, &error), ==, 0);
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtt://b");
        g_assert_cmpstr(fixture->settings.root, ==, "x");
}

static void test_variable_names_the_file(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *none = g_strconcat(fixture->file, ".none", NULL);

        write_file(fixture, "{\"broker\":\"mqtt://a\"}");
        g_setenv("XDG_CONFIG_HOME", "/nonexistent", TRUE);
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpstr(fixture->settings.broker, ==, DEFAULT_BROKER);
        g_setenv("MQTTRPC_CONFIG", fixture->file, TRUE);
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpstr(fixture->settings.broker, ==, "mqtt://a");
        g_setenv("MQTTRPC_CONFIG", none, TRUE);
        g_assert_cmpint(load(fixture), ==, -ENOENT);
}

static const struct {
        const char *text;
        const char *error; /* behind the name of the file */
} wrong_files[] = {
        {"{\"borker\":\"x\"}", ":1:2 /borker: unknown key 'borker'; is it that of the option "
                               "--broker?"},
        {"{\"password\":\"x\"}", ":1:2 /password: unknown key 'password'"},
        {"{\"qos\":2}", ":1:8 /qos: '2' is neither 0 nor 1"},
        {"{\"qos\":true}", ":1:8 /qos: expected a string, not a boolean"},
        {"[]", ":1:1: expected an object, not an array"},
};

static void test_reports_what_is_wrong(Fixture *fixture, gconstpointer unused)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(wrong_files); i++) {
                CLEANUP_ERROR Error *error = NULL;
                g_autofree char *expected = NULL;

                expected = g_strconcat(fixture->file, wrong_files[i].error, NULL);
                write_file(fixture, wrong_files[i].text);
                settings_done(&fixture->settings);
                g_assert_cmpint(settings_init(&fixture->settings, &error), ==, -EINVAL);
                g_assert_cmpstr(error_text(error), ==, expected);
        }
}

static void test_is_careful_with_secrets(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_ERROR Error *error = NULL;

        write_file(fixture, "{}");
        g_assert_cmpint(g_chmod(fixture->file, 0664), ==, 0);
        g_assert_cmpint(load(fixture), ==, -EPERM);
        write_file(fixture, "{\"broker\":\"mqtt://alice:secret@a\"}");
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpint(g_chmod(fixture->file, 0644), ==, 0);
        g_assert_cmpint(load(fixture), ==, -EPERM);
        /* Here the file itself stands for a password file. */
        write_file(fixture, "{\"user\":\"alice\",\"password_file\":\"config.json\"}");
        g_assert_cmpint(load(fixture), ==, 0);
        g_assert_cmpint(g_chmod(fixture->file, 0644), ==, 0);
        settings_done(&fixture->settings);
        g_assert_cmpint(settings_init(&fixture->settings, &error), ==, -EPERM);
        g_assert_nonnull(strstr(error_text(error), "can be read by everybody: chmod o-r makes"));
}

#define ADD(path, function) \
        g_test_add("/cli-settings/" path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("file-of-the-user", test_file_of_the_user);
        ADD("environment-goes-before-the-file", test_environment_goes_before_the_file);
        ADD("later-files-go-before-earlier", test_later_files_go_before_earlier);
        ADD("variable-names-the-file", test_variable_names_the_file);
        ADD("reports-what-is-wrong", test_reports_what_is_wrong);
        ADD("is-careful-with-secrets", test_is_careful_with_secrets);
        return g_test_run();
}
