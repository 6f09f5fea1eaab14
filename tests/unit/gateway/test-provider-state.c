/* SPDX-License-Identifier: MIT */

/* Who provides, by what is seen of both sides: the table of docs/MIGRATION.md. */

#include "gateway/provider.h"

#include <glib.h>

static void test_table(void)
{
        static const struct {
                ProviderView view;
                const char *state;
        } rows[] = {
                {{.facade = FACADE_WAITING}, "none"},
                {{.dbus_has_name = true, .facade = FACADE_WAITING}, "dbus"},
                {{.dbus_has_name = true, .dbus_is_shown = true, .facade = FACADE_REFUSED}, "dbus"},
                {{.dbus_has_name = true, .facade = FACADE_SUSPENDED}, "dbus"},
                /* one comes while the other is there */
                {{.dbus_has_name = true, .mqtt_is_up = true, .facade = FACADE_SYNCING},
                 "taking-over"},
                {{.dbus_has_name = true,
                  .mqtt_is_up = true,
                  .dbus_is_shown = true,
                  .is_queued = true,
                  .facade = FACADE_TAKEN},
                 "taking-over"},
                {{.dbus_has_name = true,
                  .mqtt_is_up = true,
                  .is_queued = true,
                  .facade = FACADE_TAKEN},
                 "conflict"},
                {{.mqtt_is_up = true, .facade = FACADE_SYNCING}, "taking-over"},
                {{.mqtt_is_up = true, .facade = FACADE_CLAIMING}, "taking-over"},
                {{.mqtt_is_up = true, .facade = FACADE_SERVING}, "mqtt"},
                {{.mqtt_is_up = true, .daemon_failed = true, .facade = FACADE_SERVING}, "conflict"},
                /* it was there */
                {{.facade = FACADE_LOST}, "held"},
                {{.mqtt_is_up = true, .facade = FACADE_LOST}, "taking-over"},
                {{.mqtt_is_up = true, .facade = FACADE_RELEASING}, "released"},
                {{.mqtt_is_up = true, .facade = FACADE_SUSPENDED}, "released"},
                {{.facade = FACADE_SUSPENDED}, "released"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                g_assert_cmpstr(provider_state_name(provider_find(&rows[i].view)), ==,
                                rows[i].state);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/provider-state/table", test_table);
        return g_test_run();
}
