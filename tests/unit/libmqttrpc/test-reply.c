/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/reply.h"

#include <errno.h>
#include <glib.h>

/* The linker puts this in the place of calloc(). */
static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
        return no_memory ? NULL : __real_calloc(count, size);
}

static void test_result(void)
{
        MqttRpcReply *reply = reply_new_result("[1]xx", 3);
        size_t length;

        g_assert_null(mqttrpc_reply_get_error(reply));
        g_assert_cmpstr(mqttrpc_reply_get_result(reply, &length), ==, "[1]");
        g_assert_cmpuint(length, ==, 3);
        g_assert_nonnull(mqttrpc_reply_get_value(reply));
        g_assert_true(mqttrpc_reply_ref(reply) == reply);
        g_assert_null(mqttrpc_reply_unref(reply));
        g_assert_cmpstr(mqttrpc_reply_get_result(reply, NULL), ==, "[1]");
        mqttrpc_reply_unref(reply);
}

static void test_error(void)
{
        MqttRpcReply *reply = reply_new_error(mqttrpc_error_new(7, "m"));

        g_assert_cmpint(mqttrpc_error_get_code(mqttrpc_reply_get_error(reply)), ==, 7);
        g_assert_null(mqttrpc_reply_get_result(reply, NULL));
        g_assert_null(mqttrpc_reply_get_value(reply));
        mqttrpc_reply_unref(reply);
}

static void assert_says_out_of_memory(MqttRpcReply *reply)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);

        g_assert_nonnull(error);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_INTERNAL);
        g_assert_cmpint(mqttrpc_error_get_errno(error), ==, -ENOMEM);
        g_assert_cmpstr(mqttrpc_error_get_message(error), ==, "out of memory");
        g_assert_null(mqttrpc_error_get_data(error));
        g_assert_null(mqttrpc_reply_get_result(reply, NULL));
        g_assert_null(mqttrpc_reply_get_value(reply));
}

/* The error was for the reply, and is freed with the attempt. */
static void test_there_is_a_reply_without_memory(void)
{
        MqttRpcError *error = mqttrpc_error_new(7, "m");
        MqttRpcReply *replies[2];

        no_memory = true;
        replies[0] = reply_new_result("1", 1);
        replies[1] = reply_new_error(error);
        no_memory = false;
        for (unsigned i = 0; i < G_N_ELEMENTS(replies); i++) {
                assert_says_out_of_memory(replies[i]);
                g_assert_true(mqttrpc_reply_ref(replies[i]) == replies[i]);
                for (unsigned n = 0; n < 3; n++)
                        mqttrpc_reply_unref(replies[i]);
                assert_says_out_of_memory(replies[i]);
        }
}

/* The reply was had, the error in it was not. */
static void test_error_without_memory(void)
{
        MqttRpcReply *reply = reply_new_error(NULL);

        assert_says_out_of_memory(reply);
        mqttrpc_reply_unref(reply);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/reply/result", test_result);
        g_test_add_func("/reply/error", test_error);
        g_test_add_func("/reply/without-memory", test_there_is_a_reply_without_memory);
        g_test_add_func("/reply/error-without-memory", test_error_without_memory);
        return g_test_run();
}
