/* SPDX-License-Identifier: MIT */

#include "gateway/config.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/log.h"

typedef struct Fixture {
        GatewayConfig config;
        Diagnostics list;
        char *folder;
        char *path;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folder = g_dir_make_tmp("gateway-config-XXXXXX", NULL);
        fixture->path = g_build_filename(fixture->folder, "x", NULL);
        g_assert_cmpint(gateway_config_init(&fixture->config, NULL), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        gateway_config_done(&fixture->config);
        diagnostics_done(&fixture->list);
        g_unlink(fixture->path);
        g_rmdir(fixture->folder);
        g_free(fixture->path);
        g_free(fixture->folder);
}

static void test_has_defaults(Fixture *fixture, gconstpointer data)
{
        const GatewayConfig *config = &fixture->config;

        g_assert_cmpstr(config->broker, ==, "unix:///run/mqttrpc/broker.sock");
        g_assert_cmpstr(config->bus, ==, "system");
        g_assert_cmpstr(config->root, ==, "mb1");
        g_assert_cmpstr(config->name, ==, "gateway");
        g_assert_cmpuint(config->mappings.count, ==, 2);
        g_assert_cmpstr(config->state_dir, ==, "/var/lib/dbus-mqtt-gateway");
        g_assert_null(config->user);
        g_assert_cmpuint(config->keepalive_s, ==, 60);
        g_assert_cmpuint(config->reconnect_max_ms, ==, 30000);
        g_assert_cmpint(gateway_config_log_level(config), ==, LOG_LEVEL_INFO);
        g_assert_cmpint(gateway_config_check(config, NULL), ==, 0);
}

static void test_loads_every_key(Fixture *fixture, gconstpointer data)
{
        static const char text[] =
                "{\"broker\":\"unix:///run/m.sock\",\"bus\":\"unix:path=/x\",\"root\":\"a/mb1\","
                "\"name\":\"gw\",\"mappings\":[\"/m\"],\"user\":\"u\",\"password_file\":\"p\","
                "\"ca_file\":\"/ca\",\"cert_file\":\"/cert\",\"key_file\":\"/key\","
                "\"state_dir\":\"state\",\"client_id\":\"c\",\"keepalive_s\":30,"
                "\"reconnect_max_ms\":20,\"log_level\":\"debug\"}";
        const GatewayConfig *config = &fixture->config;

        g_assert_true(g_file_set_contents(fixture->path, text, -1, NULL));
        g_assert_cmpint(gateway_config_load(&fixture->config, fixture->path, &fixture->list), ==,
                        0);
        g_assert_cmpstr(config->broker, ==, "unix:///run/m.sock");
        g_assert_cmpstr(config->bus, ==, "unix:path=/x");
        g_assert_cmpuint(config->mappings.count, ==, 1);
        g_assert_true(g_str_has_prefix(config->password_file, fixture->folder));
        g_assert_cmpstr(config->key_file, ==, "/key");
        g_assert_true(g_str_has_prefix(config->state_dir, fixture->folder));
        g_assert_cmpuint(config->reconnect_max_ms, ==, 20);
        g_assert_cmpint(gateway_config_log_level(config), ==, LOG_LEVEL_DEBUG);
        g_assert_cmpint(gateway_config_check(config, NULL), ==, 0);
}

static void test_refuses_what_is_no_broker(Fixture *fixture, gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;

        g_assert_cmpint(gateway_config_set(&fixture->config, "broker", "localhost", &error), ==,
                        -EINVAL);
        g_assert_cmpstr(error_text(error), ==,
                        "broker: 'localhost' is no broker: expected mqtt://HOST, mqtts://HOST or "
                        "unix:///PATH");
}

static void test_checks_what_belongs_together(Fixture *fixture, gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;

        g_assert_cmpint(gateway_config_set(&fixture->config, "cert_file", "/c", NULL), ==, 0);
        g_assert_cmpint(gateway_config_check(&fixture->config, &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "cert_file and key_file are only of use together");
        error = error_free(error);
        g_assert_cmpint(gateway_config_set(&fixture->config, "key_file", "/k", NULL), ==, 0);
        g_assert_cmpint(gateway_config_set(&fixture->config, "password_file", "/p", NULL), ==, 0);
        g_assert_cmpint(gateway_config_check(&fixture->config, &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "password_file is of no use without user");
}

static void test_reads_the_password(Fixture *fixture, gconstpointer data)
{
        CLEANUP_FREE char *password = NULL;

        g_assert_cmpint(gateway_config_read_password(&fixture->config, &password, NULL), ==, 0);
        g_assert_null(password);
        g_assert_true(g_file_set_contents(fixture->path, "se cret\r\nmore\n", -1, NULL));
        g_assert_cmpint(gateway_config_set(&fixture->config, "password_file", fixture->path, NULL),
                        ==, 0);
        g_assert_cmpint(gateway_config_read_password(&fixture->config, &password, NULL), ==, 0);
        g_assert_cmpstr(password, ==, "se cret");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/gateway-config/has-defaults", test_has_defaults);
        ADD("/gateway-config/loads-every-key", test_loads_every_key);
        ADD("/gateway-config/refuses-what-is-no-broker", test_refuses_what_is_no_broker);
        ADD("/gateway-config/checks-what-belongs-together", test_checks_what_belongs_together);
        ADD("/gateway-config/reads-the-password", test_reads_the_password);
        return g_test_run();
}
