/* SPDX-License-Identifier: MIT */

#include "common/utf8.h"

#include <glib.h>
#include <string.h>

static void test_takes_text(void)
{
        static const char *const good[] = {
                "",
                "abc",
                "\x7f",
                "é",
                "€",
                "\xed\x9f\xbf",
                "\xee\x80\x80",
                "😀",
                "\xf4\x8f\xbf\xbf",
        };

        for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
                g_assert_true(utf8_is_text(good[i], strlen(good[i])));
}

static void test_refuses_what_is_no_text(void)
{
        static const char *const bad[] = {
                "\x80",
                "\xc0\xaf",
                "\xc1\xbf",
                "\xc3",
                "\xe2\x82",
                "\xe0\x9f\xbf",
                "\xed\xa0\x80",
                "\xf0\x8f\xbf\xbf",
                "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80",
                "\xff",
                "a\xc3(",
        };

        for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
                g_assert_false(utf8_is_text(bad[i], strlen(bad[i])));
        g_assert_false(utf8_is_text("a\0b", 3));
}

static void test_finds_every_noncharacter(void)
{
        for (gunichar c = 1; c <= 0x10ffff; c++) {
                bool noncharacter = (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
                char text[8];
                int length;

                if (c >= 0xd800 && c <= 0xdfff)
                        continue;
                length = g_unichar_to_utf8(c, text);
                g_assert_true(utf8_is_text(text, (size_t)length));
                g_assert_cmpint(utf8_has_noncharacter(text, (size_t)length), ==, noncharacter);
        }
}

static void test_cuts_between_characters(void)
{
        g_assert_cmpuint(utf8_cut("abc", 3, 5), ==, 3);
        g_assert_cmpuint(utf8_cut("abc", 3, 2), ==, 2);
        g_assert_cmpuint(utf8_cut("aé", 3, 2), ==, 1);
        g_assert_cmpuint(utf8_cut("😀", 4, 3), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/utf8/takes-text", test_takes_text);
        g_test_add_func("/utf8/refuses-what-is-no-text", test_refuses_what_is_no_text);
        g_test_add_func("/utf8/finds-every-noncharacter", test_finds_every_noncharacter);
        g_test_add_func("/utf8/cuts-between-characters", test_cuts_between_characters);
        return g_test_run();
}
