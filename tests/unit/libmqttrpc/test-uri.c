/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/uri.h"

#include "common/util.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "libmqttrpc/error.h"

static void test_parse_accepts(void)
{
        static const struct {
                const char *text;
                bool tls;
                uint16_t port;
                const char *host, *user, *password;
        } rows[] = {
                {"mqtt://localhost", false, 1883, "localhost", NULL, NULL},
                {"mqtt://localhost/", false, 1883, "localhost", NULL, NULL},
                {"mqtt://h:1", false, 1, "h", NULL, NULL},
                {"mqtts://h.example.org", true, 8883, "h.example.org", NULL, NULL},
                {"mqtts://h:65535/", true, 65535, "h", NULL, NULL},
                {"mqtt://alice@h", false, 1883, "h", "alice", NULL},
                {"mqtt://alice:secret@h:7", false, 7, "h", "alice", "secret"},
                {"mqtt://alice:@h", false, 1883, "h", "alice", ""},
                {"mqtt://a%40b:p%3a%2Fq@h", false, 1883, "h", "a@b", "p:/q"},
                {"mqtt://a:b:c@h", false, 1883, "h", "a", "b:c"},
                {"mqtt://a:p@ss@h", false, 1883, "h", "a", "p@ss"},
                {"mqtt://[::1]", false, 1883, "::1", NULL, NULL},
                {"mqtts://u@[fe80::1]:99", true, 99, "fe80::1", "u", NULL},
                {"unix:///run/mqttrpc/broker.sock", false, 0, "/run/mqttrpc/broker.sock", NULL,
                 NULL},
                {"unix:///a%20b", false, 0, "/a b", NULL, NULL},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP(uri_done) Uri uri = {};

                g_test_message("%s", rows[i].text);
                g_assert_cmpint(uri_parse(rows[i].text, &uri, NULL), ==, 0);
                g_assert_cmpint(uri.tls, ==, rows[i].tls);
                g_assert_cmpuint(uri.port, ==, rows[i].port);
                g_assert_cmpstr(uri.host, ==, rows[i].host);
                g_assert_cmpstr(uri.user, ==, rows[i].user);
                g_assert_cmpstr(uri.password, ==, rows[i].password);
        }
}

static const char *const refused[] = {
        "",
        "localhost",
        "http://h",
        "MQTT://h",
        "mqtt:/h",
        "mqtt://",
        "mqtt:///",
        "mqtt://:1883",
        "mqtt://h:",
        "mqtt://h:0",
        "mqtt://h:65536",
        "mqtt://h:-1",
        "mqtt://h:1.0",
        "mqtt://h:18a",
        "mqtt://h:99999999999999999999",
        "mqtt://h/path",
        "mqtt://::1",
        "mqtt://[::1",
        "mqtt://[::1]x",
        "mqtt://[]",
        "mqtt://u%@h",
        "mqtt://u%4@h",
        "mqtt://u%zz@h",
        "mqtt://u%\x14\x11@h",
        "mqtt://u%00@h",
        "unix://",
        "unix://relative",
        "unix:///a%0",
};

static void test_parse_refuses(void)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
                CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
                Uri uri = {};

                g_test_message("%s", refused[i]);
                g_assert_cmpint(uri_parse(refused[i], &uri, &error), ==, -EINVAL);
                g_assert_null(uri.host);
                g_assert_null(uri.user);
                g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_INVALID_PARAMS);
                g_assert_nonnull(strstr(mqttrpc_error_get_message(error), "mqtt://host"));
        }
}

static void test_refusal_does_not_tell_the_password(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        Uri uri = {};

        g_assert_cmpint(uri_parse("mqtt://alice:hunter2@h:x", &uri, &error), ==, -EINVAL);
        g_assert_null(strstr(mqttrpc_error_get_message(error), "hunter2"));
}

static void test_socket_paths_fit_the_kernel(void)
{
        g_autoptr(GString) text = g_string_new("unix:///");
        CLEANUP(uri_done) Uri uri = {};

        while (text->len < strlen("unix://") + 107)
                g_string_append_c(text, 'x');
        g_assert_cmpint(uri_parse(text->str, &uri, NULL), ==, 0);
        uri_done(&uri);
        g_string_append_c(text, 'x');
        g_assert_cmpint(uri_parse(text->str, &uri, NULL), ==, -EINVAL);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/uri/parse/accepts", test_parse_accepts);
        g_test_add_func("/uri/parse/refuses", test_parse_refuses);
        g_test_add_func("/uri/refusal-does-not-tell-the-password",
                        test_refusal_does_not_tell_the_password);
        g_test_add_func("/uri/socket-paths-fit-the-kernel", test_socket_paths_fit_the_kernel);
        return g_test_run();
}
