/* SPDX-License-Identifier: MIT */

#include "gateway/name-family.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static NameFamily make(const char *bus_name, const char *service)
{
        NameFamily family = {};

        g_assert_cmpint(name_family_check_bus_name(bus_name, NULL), ==, 0);
        g_assert_cmpint(name_family_check_service(service, NULL), ==, 0);
        g_assert_true(name_family_is(bus_name));
        g_assert_cmpint(name_family_init(&family, bus_name, service, NULL), ==, 0);
        return family;
}

static void test_goes_both_ways(void)
{
        static const char *const rows[][2] = {
                {"org.mpris.MediaPlayer2.vlc", "player.vlc-x"},
                {"org.mpris.MediaPlayer2.vlc.instance7", "player.vlc.instance7-x"},
                {"org.mpris.MediaPlayer2._1-x", "player._1-x-x"},
        };
        CLEANUP(name_family_done)
        NameFamily family = make("org.mpris.MediaPlayer2.*", "player.{name}-x");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_FREE char *service = NULL, *bus_name = NULL;

                g_assert_cmpint(name_family_service(&family, rows[i][0], &service), ==, 0);
                g_assert_cmpstr(service, ==, rows[i][1]);
                g_assert_cmpint(name_family_bus_name(&family, rows[i][1], &bus_name), ==, 0);
                g_assert_cmpstr(bus_name, ==, rows[i][0]);
        }
}

static void test_strangers_are_left_out(void)
{
        static const char *const bus_names[] = {"org.mpris.MediaPlayer2",
                                                "org.mpris.MediaPlayer2.",
                                                "org.mpris.MediaPlayer2x.y",
                                                "org.mpris",
                                                "org.mpris.MediaPlayer2.1x",
                                                ":1.5",
                                                ""};
        static const char *const services[] = {"player.",  "player",    "playerx", "player.a..b",
                                               "player.9", "other.vlc", ""};
        CLEANUP(name_family_done)
        NameFamily family = make("org.mpris.MediaPlayer2.*", "player.{name}");
        char *text = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(bus_names); i++)
                g_assert_cmpint(name_family_service(&family, bus_names[i], &text), ==, -ENOENT);
        for (size_t i = 0; i < G_N_ELEMENTS(services); i++)
                g_assert_cmpint(name_family_bus_name(&family, services[i], &text), ==, -ENOENT);
        g_assert_null(text);
}

static void test_limits_the_length_of_names(void)
{
        g_autofree char *tail = g_strnfill(251, 'x'), *bus_name = g_strconcat("a.", tail, NULL);
        CLEANUP(name_family_done) NameFamily fits = make("a.*", "1234{x}");
        CLEANUP(name_family_done) NameFamily exceeds = make("a.*", "12345{x}");
        char *service = NULL;

        g_assert_cmpint(name_family_service(&exceeds, bus_name, &service), ==, -ENAMETOOLONG);
        g_assert_null(service);
        g_assert_cmpint(name_family_service(&fits, bus_name, &service), ==, 0);
        g_assert_cmpuint(strlen(service), ==, 255);
        free(service);
}

static void test_meets(void)
{
        static const struct {
                const char *a;
                const char *b;
                bool meets;
        } rows[] = {
                {"p.{x}", "p.{y}", true},    {"p.{x}", "q.{y}", false}, {"{x}", "q.{y}", true},
                {"p.{x}", "p.q.{y}", true},  {"{x}.a", "{y}.b", false}, {"{x}.a", "{y}", true},
                {"p{x}.a", "{y}.b.a", true}, {"p{x}-a", "p{y}a", true},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP(name_family_done) NameFamily a = make("org.a.*", rows[i].a);
                CLEANUP(name_family_done) NameFamily b = make("org.b.*", rows[i].b);

                g_assert_true(name_family_meets(&a, &b) == rows[i].meets);
                g_assert_true(name_family_meets(&b, &a) == rows[i].meets);
        }
}

static void test_texts_are_checked(void)
{
        static const char *const bus_names[] = {"*",       ".*",  "org*",   "org.*.x", "org.a*",
                                                "org.{x}", "9.*", "org..*", "org.**"};
        static const char *const services[] = {"{",    "}",     "{}",    "a{b}{c}", "a}b{",
                                               "{b}}", "{a/b}", "a+{b}", ""};

        for (size_t i = 0; i < G_N_ELEMENTS(bus_names); i++)
                g_assert_cmpint(name_family_check_bus_name(bus_names[i], NULL), ==, -EINVAL);
        for (size_t i = 0; i < G_N_ELEMENTS(services); i++)
                g_assert_cmpint(name_family_check_service(services[i], NULL), ==, -EINVAL);
        g_assert_cmpint(name_family_check_bus_name("org.*", NULL), ==, 0);
        g_assert_cmpint(name_family_check_bus_name("org.a", NULL), ==, 0);
        g_assert_cmpint(name_family_check_service("plain", NULL), ==, 0);
        g_assert_false(name_family_is("org.a"));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/name-family/goes-both-ways", test_goes_both_ways);
        g_test_add_func("/name-family/strangers-are-left-out", test_strangers_are_left_out);
        g_test_add_func("/name-family/limits-the-length-of-names", test_limits_the_length_of_names);
        g_test_add_func("/name-family/meets", test_meets);
        g_test_add_func("/name-family/texts-are-checked", test_texts_are_checked);
        return g_test_run();
}
