/* SPDX-License-Identifier: MIT */

#include "gateway/value-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>

#include "tests/support/message.h"

static TestBus bus;

#define APPEND(m, ...) g_assert_cmpint(sd_bus_message_append((m), __VA_ARGS__), >=, 0)

static void expect_message(sd_bus_message *m, const char *expected)
{
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);

        test_message_seal(m);
        g_assert_cmpint(value_text_message(m, &out), ==, 0);
        g_assert_cmpstr(buffer_text(&out), ==, expected);
        sd_bus_message_unref(m);
}

static void test_messages(void)
{
        sd_bus_message *m = test_message_new(&bus);

        expect_message(m, "()");
        m = test_message_new(&bus);
        APPEND(m, "isay", -5, "x\"y", 3, 1, 2, 255);
        expect_message(m, "isay [-5,\"x\\\"y\",[1,2,255]]");
        m = test_message_new(&bus);
        APPEND(m, "vt", "(us)", 5, "a", UINT64_MAX);
        expect_message(m, "vt [{\"data\":[5,\"a\"],\"type\":\"(us)\"},\"18446744073709551615\"]");
}

static void test_entries_are_in_the_order_of_keys(void)
{
        static const char expected[] =
                "a{sv} [{\"a\":{\"data\":{\"x\":2,\"y\":1},\"type\":\"a{sy}\"},"
                "\"b\":{\"data\":[],\"type\":\"as\"}}]";
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "a{sv}", 2, "b", "as", 0, "a", "a{sy}", 2, "y", 1, "x", 2);
        expect_message(m, expected);
        m = test_message_new(&bus);
        APPEND(m, "a{sv}", 2, "a", "a{sy}", 2, "x", 2, "y", 1, "b", "as", 0);
        expect_message(m, expected);
}

static void test_variant(void)
{
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "vs", "as", 2, "b", "a", "next");
        test_message_seal(m);
        g_assert_cmpint(value_text_variant(m, &out), ==, 1);
        g_assert_cmpstr(buffer_text(&out), ==, "as [\"b\",\"a\"]");
        g_assert_cmpint(value_text_variant(m, &out), ==, -EBADMSG);
        sd_bus_message_unref(m);
}

static void test_what_cannot_be_written_is_named(void)
{
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        sd_bus_message *m = test_message_new(&bus);
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        APPEND(m, "v", "h", fd);
        close(fd);
        test_message_seal(m);
        g_assert_cmpint(value_text_variant(m, &out), ==, 0);
        g_assert_true(g_str_has_prefix(buffer_text(&out), "h (not shown: "));
        sd_bus_message_unref(m);
}

static void test_signature(void)
{
        CLEANUP_ERROR Error *error = NULL;
        CodecArgs args = {};

        g_assert_cmpint(value_text_parse_signature("", &args, &error), ==, 0);
        g_assert_cmpuint(args.count, ==, 0);
        g_assert_cmpint(value_text_parse_signature("sa{sv}(ii)", &args, &error), ==, 0);
        g_assert_cmpuint(args.count, ==, 3);
        g_assert_cmpstr(args.signature, ==, "sa{sv}(ii)");
        g_assert_cmpint(value_text_parse_signature("a{", &args, &error), ==, -EINVAL);
        g_assert_true(g_str_has_prefix(error_text(error), "'a{' is no signature: "));
        codec_args_done(&args);
}

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        test_bus_init(&bus);
        g_test_add_func("/value-text/messages", test_messages);
        g_test_add_func("/value-text/entries-are-in-the-order-of-keys",
                        test_entries_are_in_the_order_of_keys);
        g_test_add_func("/value-text/variant", test_variant);
        g_test_add_func("/value-text/what-cannot-be-written-is-named",
                        test_what_cannot_be_written_is_named);
        g_test_add_func("/value-text/signature", test_signature);
        r = g_test_run();
        test_bus_done(&bus);
        return r;
}
