/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/error.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* ---- the table ---- */

static void test_table_walks_both_ways(void)
{
        size_t count;
        const ErrorCode *table = error_code_table(&count);

        g_assert_cmpuint(count, ==, 24);
        for (size_t i = 0; i < count; i++) {
                CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(table[i].code, "x");
                int back = mqttrpc_error_code_from_errno(table[i].negative_errno);

                g_test_message("%s", table[i].name);
                g_assert_true(error_code_find(table[i].code) == &table[i]);
                g_assert_cmpstr(mqttrpc_error_code_to_name(table[i].code), ==, table[i].name);
                g_assert_cmpint(mqttrpc_error_get_errno(error), ==, table[i].negative_errno);
                g_assert_cmpint(mqttrpc_error_get_executed(error), ==, table[i].executed);
                g_assert_cmpint(table[i].negative_errno, <, 0);
                /* The first of those with that errno; AUTH_REQUIRED gives its to ACCESS_DENIED. */
                if (table[i].code == MQTTRPC_ERROR_AUTH_REQUIRED)
                        g_assert_cmpint(back, ==, MQTTRPC_ERROR_ACCESS_DENIED);
                else
                        g_assert_cmpint(error_code_find(back)->negative_errno, ==,
                                        table[i].negative_errno);
        }
}

static void test_codes_and_names_are_unique(void)
{
        size_t count;
        const ErrorCode *table = error_code_table(&count);

        for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < i; j++) {
                        g_assert_cmpint(table[i].code, !=, table[j].code);
                        g_assert_cmpstr(table[i].name, !=, table[j].name);
                }
}

static void test_other_numbers(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(42, "application");

        g_assert_null(mqttrpc_error_code_to_name(42));
        g_assert_null(mqttrpc_error_get_name(error));
        g_assert_cmpint(mqttrpc_error_get_errno(error), ==, -EREMOTEIO);
        g_assert_cmpint(mqttrpc_error_code_from_errno(-EXDEV), ==, MQTTRPC_ERROR_INTERNAL);
        g_assert_cmpint(mqttrpc_error_code_from_errno(0), ==, MQTTRPC_ERROR_INTERNAL);
        g_assert_cmpint(mqttrpc_error_code_from_errno(-EPERM), ==, MQTTRPC_ERROR_ACCESS_DENIED);
}

/* ---- without memory ---- */

static void test_null_is_an_error_too(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_null(mqttrpc_error_free(NULL));
        g_assert_cmpint(mqttrpc_error_get_code(NULL), ==, MQTTRPC_ERROR_INTERNAL);
        g_assert_cmpstr(mqttrpc_error_get_message(NULL), ==, "out of memory");
        g_assert_cmpstr(mqttrpc_error_get_name(NULL), ==, "INTERNAL");
        g_assert_null(mqttrpc_error_get_data(NULL));
        g_assert_cmpint(mqttrpc_error_get_errno(NULL), ==, -ENOMEM);
        g_assert_false(mqttrpc_error_is_remote(NULL));
        g_assert_cmpint(mqttrpc_error_set_name(NULL, "x"), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_retry_after(NULL, 1), ==, 0);
        g_assert_null(mqttrpc_error_copy(NULL));
        g_assert_cmpint(mqttrpc_error_write(NULL, &buffer), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"code\":-32603,\"message\":\"out of memory\"}");
}

/* ---- setting ---- */

static void test_first_reason_stays(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

        g_assert_cmpint(mqttrpc_error_set(NULL, MQTTRPC_ERROR_BUSY, "x"), ==, -EBUSY);
        g_assert_cmpint(mqttrpc_error_set(&error, MQTTRPC_ERROR_NOT_FOUND, "no %s", "zone"), ==,
                        -ENOENT);
        g_assert_cmpint(mqttrpc_error_set(&error, MQTTRPC_ERROR_BUSY, "later"), ==, -EBUSY);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_NOT_FOUND);
        g_assert_cmpstr(mqttrpc_error_get_message(error), ==, "no zone");
        g_assert_cmpint(mqttrpc_error_set(NULL, 42, "x"), ==, -EREMOTEIO);
}

static void assert_written(const MqttRpcError *error, const char *expected)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(mqttrpc_error_write(error, &buffer), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, expected);
}

static void test_members_are_written(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(7, "m");

        assert_written(error, "{\"code\":7,\"message\":\"m\"}");
        g_assert_null(mqttrpc_error_get_data(error));
        g_assert_cmpint(mqttrpc_error_set_retry_after(error, 100), ==, 0);
        assert_written(error, "{\"code\":7,\"message\":\"m\",\"data\":{\"retry_after_ms\":100}}");
        g_assert_cmpint(mqttrpc_error_set_name(error, "org.x.Y"), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_field(error, "f"), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_detail(error, "\"d\""), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_MAYBE), ==, 0);
        g_assert_cmpstr(mqttrpc_error_get_data(error), ==,
                        "{\"name\":\"org.x.Y\",\"field\":\"f\",\"detail\":\"\\\"d\\\"\","
                        "\"executed\":\"maybe\",\"retry_after_ms\":100}");
        g_assert_cmpstr(mqttrpc_error_get_name(error), ==, "org.x.Y");
}

/* A message out of a file name or a foreign library must not spoil the whole reply. */
static void test_text_that_is_not_utf8_is_mended(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(7, "caf\xe9 %s", "\xf0\x9f");

        g_assert_cmpint(mqttrpc_error_set_detail(error, "a\xff"), ==, 0);
        assert_written(error, "{\"code\":7,\"message\":\"caf? ??\",\"data\":{\"detail\":\"a?\"}}");
}

/* ---- the wire ---- */

static MqttRpcError *read_error(const char *text)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        g_assert_cmpint(json_scan(&doc, text, strlen(text), 0), ==, 0);
        return mqttrpc_error_read(&doc, 0);
}

static void test_written_error_is_read_back(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(MQTTRPC_ERROR_BUSY, "später");
        CLEANUP_RPC_ERROR MqttRpcError *back = NULL, *copy = NULL;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(mqttrpc_error_set_retry_after(error, 100), ==, 0);
        g_assert_cmpint(mqttrpc_error_write(error, &buffer), ==, 0);
        back = read_error(buffer_text(&buffer));
        g_assert_true(mqttrpc_error_is_remote(back));
        g_assert_cmpint(mqttrpc_error_get_code(back), ==, MQTTRPC_ERROR_BUSY);
        g_assert_cmpstr(mqttrpc_error_get_message(back), ==, "später");
        g_assert_cmpint(mqttrpc_error_get_executed(back), ==, MQTTRPC_EXECUTED_NO);
        copy = mqttrpc_error_copy(back);
        assert_written(copy, buffer_text(&buffer));
        g_assert_true(mqttrpc_error_is_remote(copy));
}

static void test_data_stays_as_it_came(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = read_error(
                "{\"code\":-32000,\"message\":\"\",\"data\":{\"name\":\"a.b\",\"big\":1e400}}");
        CLEANUP_RPC_ERROR MqttRpcError *array =
                read_error("{\"message\":\"m\",\"code\":5,\"data\":[1]}");

        g_assert_cmpstr(mqttrpc_error_get_name(error), ==, "a.b");
        g_assert_cmpstr(mqttrpc_error_get_data(error), ==, "{\"name\":\"a.b\",\"big\":1e400}");
        g_assert_cmpstr(mqttrpc_error_get_data(array), ==, "[1]");
}

/* What this side adds to an error that came leaves alone what it does not know. */
static void test_members_are_added_to_data_that_came(void)
{
        CLEANUP_RPC_ERROR MqttRpcError *error =
                read_error("{\"code\":7,\"message\":\"\",\"data\":{\"na\\u006de\":\"a.b\","
                           "\"big\":1e400,\"executed\":\"no\",\"detail\":5}}");
        CLEANUP_RPC_ERROR MqttRpcError *array =
                read_error("{\"message\":\"m\",\"code\":5,\"data\":[1]}");
        CLEANUP_RPC_ERROR MqttRpcError *none = read_error("{\"message\":\"m\",\"code\":5}");

        g_assert_cmpint(mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_YES), ==, 0);
        g_assert_cmpstr(mqttrpc_error_get_data(error), ==,
                        "{\"na\\u006de\":\"a.b\",\"big\":1e400,\"detail\":5,"
                        "\"executed\":\"yes\"}");
        g_assert_cmpint(mqttrpc_error_set_name(error, "c.d"), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_detail(error, "\"d\""), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_retry_after(error, 5), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_retry_after(error, 0), ==, 0);
        g_assert_cmpint(mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_UNKNOWN), ==, 0);
        g_assert_cmpstr(mqttrpc_error_get_data(error), ==,
                        "{\"big\":1e400,\"name\":\"c.d\",\"detail\":\"\\\"d\\\"\"}");
        g_assert_cmpstr(mqttrpc_error_get_name(error), ==, "c.d");
        g_assert_cmpint(mqttrpc_error_set_field(array, "f"), ==, 0);
        g_assert_cmpstr(mqttrpc_error_get_data(array), ==, "{\"value\":[1],\"field\":\"f\"}");
        g_assert_cmpint(mqttrpc_error_set_field(none, "f"), ==, 0);
        g_assert_cmpstr(mqttrpc_error_get_data(none), ==, "{\"field\":\"f\"}");
}

static void test_malformed_errors_become_protocol_errors(void)
{
        static const char *const rows[] = {
                "null",
                "[]",
                "\"text\"",
                "{}",
                "{\"code\":1}",
                "{\"message\":\"m\"}",
                "{\"code\":\"1\",\"message\":\"m\"}",
                "{\"code\":1.5,\"message\":\"m\"}",
                "{\"code\":99999999999,\"message\":\"m\"}",
                "{\"code\":1,\"message\":null}",
                "{\"code\":1,\"message\":\"a\\u0000b\"}",
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_RPC_ERROR MqttRpcError *error = read_error(rows[i]);

                g_test_message("%s", rows[i]);
                g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_PROTOCOL);
                g_assert_false(mqttrpc_error_is_remote(error));
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/rpc-error/table-walks-both-ways", test_table_walks_both_ways);
        g_test_add_func("/rpc-error/codes-and-names-are-unique", test_codes_and_names_are_unique);
        g_test_add_func("/rpc-error/other-numbers", test_other_numbers);
        g_test_add_func("/rpc-error/null-is-an-error-too", test_null_is_an_error_too);
        g_test_add_func("/rpc-error/first-reason-stays", test_first_reason_stays);
        g_test_add_func("/rpc-error/members-are-written", test_members_are_written);
        g_test_add_func("/rpc-error/text-that-is-not-utf8-is-mended",
                        test_text_that_is_not_utf8_is_mended);
        g_test_add_func("/rpc-error/written-error-is-read-back", test_written_error_is_read_back);
        g_test_add_func("/rpc-error/data-stays-as-it-came", test_data_stays_as_it_came);
        g_test_add_func("/rpc-error/members-are-added-to-data-that-came",
                        test_members_are_added_to_data_that_came);
        g_test_add_func("/rpc-error/malformed-errors-become-protocol-errors",
                        test_malformed_errors_become_protocol_errors);
        return g_test_run();
}
