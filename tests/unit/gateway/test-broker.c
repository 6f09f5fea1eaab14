/* SPDX-License-Identifier: MIT */

#include "gateway/broker.h"

#include <glib.h>

static void test_public_uri_has_no_secrets(void)
{
        static const char *const rows[][2] = {
                {"mqtt://localhost:1883", "mqtt://localhost:1883"},
                {"mqtt://me:secret@localhost", "mqtt://localhost"},
                {"mqtts://me:p@ss@[::1]:8883", "mqtts://[::1]:8883"},
                {"unix:///run/a@b.sock", "unix:///run/a@b.sock"},
                {"me:secret@host", "host"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = broker_dup_public_uri(rows[i][0]);

                g_assert_cmpstr(text, ==, rows[i][1]);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/gateway-broker/public-uri", test_public_uri_has_no_secrets);
        return g_test_run();
}
