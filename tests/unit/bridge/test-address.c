/* SPDX-License-Identifier: MIT */

#include "bridge/address.h"

#include <errno.h>
#include <glib.h>

static void test_good_ones(void)
{
        static const struct {
                const char *uri, *host;
                unsigned port;
                bool tls, local;
        } rows[] = {
                {"unix:///run/x", "/run/x", 0, false, true},
                {"mqtt://a.example", "a.example", 1883, false, false},
                {"mqtts://a.example:443", "a.example", 443, true, false},
                {"mqtt://127.0.0.1:9", "127.0.0.1", 9, false, true},
                {"mqtt://[::1]:9", "::1", 9, false, true},
                {"mqtts://[fe80::1]", "fe80::1", 8883, true, false},
                {"mqtt://127.evil.example", "127.evil.example", 1883, false, false},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Address address;

                g_assert_cmpint(address_parse(rows[i].uri, &address, NULL), ==, 0);
                g_assert_cmpstr(address.host, ==, rows[i].host);
                g_assert_cmpuint(address.port, ==, rows[i].port);
                g_assert_true(address.tls == rows[i].tls);
                g_assert_true(address_is_local(&address) == rows[i].local);
                address_done(&address);
        }
}

static void test_bad_ones(void)
{
        static const char *const rows[] = {
                "",           "mqtt://",        "http://a",      "unix://x",
                "mqtt://a:0", "mqtt://a:65536", "mqtt://a:",     "mqtt://u:p@a",
                "mqtt://a/b", "mqtt://[::1",    "mqtt://[::1]x",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Address address;
                Error *error = NULL;

                g_test_message("%s", rows[i]);
                g_assert_cmpint(address_parse(rows[i], &address, &error), ==, -EINVAL);
                g_assert_nonnull(error);
                error_free(error);
        }
}

static void test_the_same_place(void)
{
        static const struct {
                const char *a, *b;
                bool same;
        } rows[] = {
                {"mqtt://localhost", "mqtt://127.0.0.1", true},
                {"mqtt://[::1]:7", "mqtt://127.1.2.3:7", true},
                {"mqtt://A.example", "mqtt://a.example:1883", true},
                {"unix:///run/x", "unix:///run/x", true},
                {"mqtt://localhost", "mqtt://127.0.0.1:7", false},
                {"unix:///run/x", "unix:///run/X", false},
                {"unix:///run/x", "unix:///run/y", false},
                {"mqtt://a.example", "mqtt://b.example", false},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Address a, b;

                g_test_message("%s %s", rows[i].a, rows[i].b);
                g_assert_cmpint(address_parse(rows[i].a, &a, NULL), ==, 0);
                g_assert_cmpint(address_parse(rows[i].b, &b, NULL), ==, 0);
                g_assert_true(address_is_same(&a, &b) == rows[i].same);
                address_done(&a);
                address_done(&b);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/address/good-ones", test_good_ones);
        g_test_add_func("/address/bad-ones", test_bad_ones);
        g_test_add_func("/address/the-same-place", test_the_same_place);
        return g_test_run();
}
