/* SPDX-License-Identifier: MIT */

#include "gateway/generate-access.h"

#include <glib.h>

static void test_guesses(void)
{
        static const struct {
                const char *name;
                size_t n_results;
                const char *access;
        } rows[] = {
                {"GetAll", 1, "read"},      {"Get", 1, "read"},
                {"ListUnits", 1, "read"},   {"Describe", 1, "read"},
                {"CanReboot", 1, "read"},   {"GetSecrets", 1, "admin"},
                {"GetKey", 1, "admin"},     {"Getaway", 1, "admin"},
                {"Get", 0, "admin"},        {"List_all", 1, "read"},
                {"Issue", 1, "admin"},      {"Stop", 0, "control"},
                {"StopUnit", 1, "admin"},   {"PlayPause", 0, "control"},
                {"Reboot", 0, "admin"},     {"SetHostname", 0, "admin"},
                {"Frobnicate", 0, "admin"}, {"ConnectWithPassword", 0, "admin"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                IntrospectionMember member = {
                        .name = (char *)rows[i].name,
                        .out = {.count = rows[i].n_results},
                };

                g_assert_cmpstr(guess_access(&member), ==, rows[i].access);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/generate-access/guesses", test_guesses);
        return g_test_run();
}
