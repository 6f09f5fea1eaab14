/* SPDX-License-Identifier: MIT */

#include "gateway/error-map.h"

#include <glib.h>
#include <systemd/sd-bus.h>

#define DBUS(name) "org.freedesktop.DBus.Error." name

static void test_walks_from_names_to_codes(void)
{
        size_t count;
        const ErrorMapEntry *table = error_map_table(&count);

        for (size_t i = 0; i < count; i++) {
                MqttRpcExecuted executed = MQTTRPC_EXECUTED_YES;

                if (table[i].use == ERROR_MAP_OUT)
                        continue;
                g_assert_cmpint(error_map_from_dbus(table[i].name, true, &executed), ==,
                                table[i].code);
                g_assert_cmpint(executed, ==, table[i].executed);
        }
}

static void test_walks_from_codes_to_names(void)
{
        size_t count;
        const ErrorMapEntry *table = error_map_table(&count);

        for (size_t i = 0; i < count; i++)
                if (table[i].use != ERROR_MAP_IN)
                        g_assert_cmpstr(error_map_to_dbus(table[i].code), ==, table[i].name);
}

/* A name means one code, a code has one name, and what is sent for a code is understood. */
static void test_is_unambiguous(void)
{
        size_t count;
        const ErrorMapEntry *table = error_map_table(&count);

        for (size_t i = 0; i < count; i++) {
                bool understood = false;

                for (size_t j = 0; j < count; j++) {
                        bool same_name = g_str_equal(table[i].name, table[j].name);

                        understood |= same_name && table[j].use != ERROR_MAP_OUT;
                        if (i == j)
                                continue;
                        if (table[i].use != ERROR_MAP_OUT && table[j].use != ERROR_MAP_OUT)
                                g_assert_false(same_name);
                        if (table[i].use != ERROR_MAP_IN && table[j].use != ERROR_MAP_IN)
                                g_assert_cmpint(table[i].code, !=, table[j].code);
                }
                g_assert_true(understood);
                g_assert_true(sd_bus_interface_name_is_valid(table[i].name) > 0);
        }
}

static void test_every_code_has_a_name(void)
{
        static const int codes[] = {
                MQTTRPC_ERROR_PARSE,         MQTTRPC_ERROR_INVALID_REQUEST,
                MQTTRPC_ERROR_NO_METHOD,     MQTTRPC_ERROR_INVALID_PARAMS,
                MQTTRPC_ERROR_INTERNAL,      MQTTRPC_ERROR_FAILED,
                MQTTRPC_ERROR_ACCESS_DENIED, MQTTRPC_ERROR_NOT_FOUND,
                MQTTRPC_ERROR_EXISTS,        MQTTRPC_ERROR_BUSY,
                MQTTRPC_ERROR_TIMEOUT,       MQTTRPC_ERROR_CANCELLED,
                MQTTRPC_ERROR_READ_ONLY,     MQTTRPC_ERROR_NOT_SUPPORTED,
                MQTTRPC_ERROR_TOO_LARGE,     MQTTRPC_ERROR_STALE_EPOCH,
                MQTTRPC_ERROR_DUPLICATE,     MQTTRPC_ERROR_UNAVAILABLE,
                MQTTRPC_ERROR_AUTH_REQUIRED, MQTTRPC_ERROR_VERSION,
                MQTTRPC_ERROR_NO_SERVICE,    MQTTRPC_ERROR_PEER_LOST,
                MQTTRPC_ERROR_DISCONNECTED,  MQTTRPC_ERROR_PROTOCOL,
        };
        size_t count;
        const ErrorMapEntry *table = error_map_table(&count);

        for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
                bool found = false;

                for (size_t j = 0; j < count; j++)
                        found |= table[j].code == codes[i] && table[j].use != ERROR_MAP_IN;
                g_assert_true(found);
        }
}

static void test_foreign_names_and_codes_fail(void)
{
        MqttRpcExecuted executed = MQTTRPC_EXECUTED_YES;

        g_assert_cmpint(error_map_from_dbus("org.example.Broken", true, &executed), ==,
                        MQTTRPC_ERROR_FAILED);
        g_assert_cmpint(executed, ==, MQTTRPC_EXECUTED_UNKNOWN);
        g_assert_cmpint(error_map_from_dbus(NULL, true, NULL), ==, MQTTRPC_ERROR_FAILED);
        g_assert_cmpstr(error_map_to_dbus(42), ==, DBUS("Failed"));
}

static void test_no_reply_before_the_deadline_is_a_dead_callee(void)
{
        MqttRpcExecuted executed = MQTTRPC_EXECUTED_UNKNOWN;

        g_assert_cmpint(error_map_from_dbus(DBUS("NoReply"), true, NULL), ==,
                        MQTTRPC_ERROR_TIMEOUT);
        g_assert_cmpint(error_map_from_dbus(DBUS("NoReply"), false, &executed), ==,
                        MQTTRPC_ERROR_UNAVAILABLE);
        g_assert_cmpint(executed, ==, MQTTRPC_EXECUTED_MAYBE);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/error-map/walks-from-names-to-codes", test_walks_from_names_to_codes);
        g_test_add_func("/error-map/walks-from-codes-to-names", test_walks_from_codes_to_names);
        g_test_add_func("/error-map/is-unambiguous", test_is_unambiguous);
        g_test_add_func("/error-map/every-code-has-a-name", test_every_code_has_a_name);
        g_test_add_func("/error-map/foreign-names-and-codes-fail",
                        test_foreign_names_and_codes_fail);
        g_test_add_func("/error-map/no-reply-before-the-deadline-is-a-dead-callee",
                        test_no_reply_before_the_deadline_is_a_dead_callee);
        return g_test_run();
}
