/* SPDX-License-Identifier: MIT */

#include "gateway/codec/key-list.h"

#include <glib.h>
#include <string.h>

/* Keys of four characters in a row. */
static void add_keys(KeyList *list, const char *text)
{
        for (size_t i = 0; i < strlen(text); i += 4)
                g_assert_cmpint(key_list_add(list, i, 4), ==, 0);
}

static void test_finds_a_duplicate_among_few(void)
{
        static const char text[] = "aaaabbbbaaaa";
        KeyList list = {};
        KeySpan duplicate;

        add_keys(&list, text);
        g_assert_true(key_list_close(&list, 0, text, &duplicate));
        g_assert_cmpstr(text + duplicate.offset, ==, "aaaa");
        g_assert_cmpuint(list.count, ==, 0);
        key_list_done(&list);
}

static void test_finds_a_duplicate_among_many(void)
{
        g_autoptr(GString) text = g_string_new(NULL);
        KeyList list = {};
        KeySpan duplicate;

        for (unsigned i = 0; i < 1000; i++)
                g_string_append_printf(text, "%04u", i * 7 % 1000);
        add_keys(&list, text->str);
        g_assert_false(key_list_close(&list, 0, text->str, &duplicate));
        g_string_append(text, "0123");
        add_keys(&list, text->str);
        g_assert_true(key_list_close(&list, 0, text->str, &duplicate));
        g_assert_cmpint(strncmp(text->str + duplicate.offset, "0123", 4), ==, 0);
        key_list_done(&list);
}

static void test_a_prefix_is_another_key(void)
{
        KeyList list = {};
        KeySpan duplicate;

        g_assert_cmpint(key_list_add(&list, 0, 4), ==, 0);
        g_assert_cmpint(key_list_add(&list, 0, 3), ==, 0);
        g_assert_false(key_list_close(&list, 0, "aaaa", &duplicate));
        for (unsigned i = 0; i < 50; i++)
                g_assert_cmpint(key_list_add(&list, 0, i), ==, 0);
        g_assert_false(key_list_close(
                &list, 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &duplicate));
        key_list_done(&list);
}

/* Same length, same beginning, same end. */
static void test_keys_may_be_much_alike(void)
{
        static const char text[] = "/a/path/of/one/object/a/path/of/two/object";
        KeyList list = {};
        KeySpan duplicate;

        g_assert_cmpint(key_list_add(&list, 0, 21), ==, 0);
        g_assert_cmpint(key_list_add(&list, 21, 21), ==, 0);
        g_assert_false(key_list_close(&list, 0, text, &duplicate));
        key_list_done(&list);
}

static void test_inner_dicts_are_apart(void)
{
        static const char text[] = "aaaabbbb";
        KeyList list = {};
        KeySpan duplicate;

        add_keys(&list, text);
        g_assert_cmpint(key_list_add(&list, 0, 4), ==, 0);
        g_assert_false(key_list_close(&list, 2, text, &duplicate));
        g_assert_cmpuint(list.count, ==, 2);
        g_assert_false(key_list_close(&list, 0, text, &duplicate));
        key_list_done(&list);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/codec/key-list/finds-a-duplicate-among-few",
                        test_finds_a_duplicate_among_few);
        g_test_add_func("/codec/key-list/finds-a-duplicate-among-many",
                        test_finds_a_duplicate_among_many);
        g_test_add_func("/codec/key-list/a-prefix-is-another-key", test_a_prefix_is_another_key);
        g_test_add_func("/codec/key-list/keys-may-be-much-alike", test_keys_may_be_much_alike);
        g_test_add_func("/codec/key-list/inner-dicts-are-apart", test_inner_dicts_are_apart);
        return g_test_run();
}
