/* SPDX-License-Identifier: MIT */

/* What callers are told when a request cannot be passed on. The way of a call needs both buses:
 * tests/integration/test-expose.c. */

#include "gateway/expose-call.h"
#include "tests/unit/gateway/make-expose.h"

#include <errno.h>
#include <string.h>

static void set_up(ExposeMade *made, gconstpointer unused)
{
        expose_make(made, expose_objects);
}

static void tear_down(ExposeMade *made, gconstpointer unused)
{
        expose_unmake(made);
}

static void test_error_says_whether_it_was_executed(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        int r;

        r = expose_call_error(&error, MQTTRPC_EXECUTED_NO, MQTTRPC_ERROR_BUSY, "%u of %s", 5U,
                              "them");
        g_assert_cmpint(r, ==, mqttrpc_error_get_errno(error));
        g_assert_cmpint(r, <, 0);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_BUSY);
        g_assert_cmpstr(mqttrpc_error_get_message(error), ==, "5 of them");
        g_assert_cmpint(mqttrpc_error_get_executed(error), ==, MQTTRPC_EXECUTED_NO);
}

static void test_params(void)
{
        static const struct {
                int r;
                int code;
                bool names_field;
        } rows[] = {
                {-EINVAL, MQTTRPC_ERROR_INVALID_PARAMS, true},
                {-ERANGE, MQTTRPC_ERROR_INVALID_PARAMS, true},
                {-E2BIG, MQTTRPC_ERROR_INVALID_PARAMS, true},
                {-EOPNOTSUPP, MQTTRPC_ERROR_NOT_SUPPORTED, true},
                {-ENOMEM, MQTTRPC_ERROR_INTERNAL, false}, /* not the argument's fault */
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
                CLEANUP_ERROR Error *why = NULL;

                error_set(&why, rows[i].r, "level: 300 does not fit");
                g_assert_cmpint(expose_call_explain_params(rows[i].r, "level", why, &error), <, 0);
                g_assert_cmpint(mqttrpc_error_get_code(error), ==, rows[i].code);
                g_assert_nonnull(strstr(mqttrpc_error_get_message(error), "does not fit"));
                g_assert_cmpint(rows[i].names_field, ==,
                                strstr(mqttrpc_error_get_data(error), "level") != NULL);
                g_assert_cmpint(mqttrpc_error_get_executed(error), ==, MQTTRPC_EXECUTED_NO);
        }
}

static void test_send(ExposeMade *made, gconstpointer unused)
{
        static const struct {
                int r;
                int code;
                const char *text;
        } rows[] = {
                {-ENOBUFS, MQTTRPC_ERROR_BUSY, "fast enough"},
                {-ENOTCONN, MQTTRPC_ERROR_UNAVAILABLE, "unix:path=/nowhere"},
                {-ECONNRESET, MQTTRPC_ERROR_UNAVAILABLE, "not connected"},
                {-ENOMEM, MQTTRPC_ERROR_INTERNAL, "org.a"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

                g_assert_cmpint(expose_call_explain_send(rows[i].r, made->expose, &error), <, 0);
                g_assert_cmpint(mqttrpc_error_get_code(error), ==, rows[i].code);
                g_assert_nonnull(strstr(mqttrpc_error_get_message(error), rows[i].text));
                g_assert_cmpint(mqttrpc_error_get_executed(error), ==, MQTTRPC_EXECUTED_NO);
        }
}

/* Those of expose-set.c: the prefix is reserved, whatever comes behind it. */
static void test_methods_of_properties(void)
{
        g_assert_true(expose_set_is_method("prop.get"));
        g_assert_true(expose_set_is_method("prop.set.Level"));
        g_assert_true(expose_set_is_method("prop.move"));
        g_assert_false(expose_set_is_method("prop"));
        g_assert_false(expose_set_is_method("property.get"));
        g_assert_false(expose_set_is_method("Get"));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/expose-call/error-says-whether-it-was-executed",
                        test_error_says_whether_it_was_executed);
        g_test_add_func("/expose-call/explains-parameters", test_params);
        g_test_add("/expose-call/explains-what-was-not-sent", ExposeMade, NULL, set_up, test_send,
                   tear_down);
        g_test_add_func("/expose-set/methods-of-properties", test_methods_of_properties);
        return g_test_run();
}
