/* SPDX-License-Identifier: MIT */

#include "cli/address.h"

#include <errno.h>
#include <glib.h>

static void test_takes_apart(void)
{
        static const struct {
                const char *uri;
                bool tls, unix_socket;
                const char *host, *port, *user;
                bool has_password;
        } rows[] = {
                {"mqtt://localhost", false, false, "localhost", "1883", NULL, false},
                {"mqtts://a.example", true, false, "a.example", "8883", NULL, false},
                {"mqtt://h:21/", false, false, "h", "21", NULL, false},
                {"mqtt://al%40ice@h:21", false, false, "h", "21", "al@ice", false},
                {"mqtt://alice:p%3aw@h", false, false, "h", "1883", "alice", true},
                {"mqtt://a:p@w@h", false, false, "h", "1883", "a", true},
                {"mqtt://[::1]", false, false, "::1", "1883", NULL, false},
                {"mqtts://u@[fe80::1]:99", true, false, "fe80::1", "99", "u", false},
                {"unix:///run/x.sock", false, true, "/run/x.sock", NULL, NULL, false},
                {"unix:///run/a%20b%zz", false, true, "/run/a b%zz", NULL, NULL, false},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_ADDRESS Address address = {};

                g_assert_cmpint(address_parse(rows[i].uri, &address), ==, 0);
                g_assert_cmpint(address.tls, ==, rows[i].tls);
                g_assert_cmpint(address.unix_socket, ==, rows[i].unix_socket);
                g_assert_cmpstr(address.host, ==, rows[i].host);
                g_assert_cmpstr(address.port, ==, rows[i].port);
                g_assert_cmpstr(address.user, ==, rows[i].user);
                g_assert_cmpint(address.has_password, ==, rows[i].has_password);
        }
}

static void test_refuses(void)
{
        static const char *const uris[] = {"", "localhost", "http://x", "mqtt:/x", "mqtt://[::1"};

        for (unsigned i = 0; i < G_N_ELEMENTS(uris); i++) {
                CLEANUP_ADDRESS Address address = {};

                g_assert_cmpint(address_parse(uris[i], &address), ==, -EINVAL);
                g_assert_null(address.host);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-address/takes-apart", test_takes_apart);
        g_test_add_func("/cli-address/refuses", test_refuses);
        return g_test_run();
}
