/* SPDX-License-Identifier: MIT */

#include "cli/duration.h"

#include <errno.h>
#include <glib.h>

static void test_parses(void)
{
        static const struct {
                const char *text;
                uint64_t usec;
        } rows[] = {
                {"5", 5000000},         {"0", 0},
                {"500ms", 500000},      {"2s", 2000000},
                {"1m", 60000000},       {"1h", 3600000000},
                {"1.5s", 1500000},      {"0.25", 250000},
                {"1.5m", 90000000},     {"0.5ms", 500},
                {"24h", 86400000000},   {"86400", 86400000000},
                {"0.0000001", 0},       {"00010s", 10000000},
                {"1.000001s", 1000001}, {"0.1234567890123456789s", 123456},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                uint64_t usec = 1;

                g_assert_cmpint(duration_parse(rows[i].text, &usec, NULL), ==, 0);
                g_assert_cmpuint(usec, ==, rows[i].usec);
        }
}

static void test_refuses(void)
{
        static const char *const texts[] = {"",    "x",   "5x",  "s",     "-1",  "+1",  " 1",
                                            "1 s", "1.",  ".5",  "1.s",   "1e3", "1,5", "5S",
                                            "5ss", "0x5", "ms5", "1.2.3", "five"};

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
                CLEANUP_ERROR Error *error = NULL;
                uint64_t usec = 7;

                g_assert_cmpint(duration_parse(texts[i], &usec, &error), ==, -EINVAL);
                g_assert_true(g_str_has_suffix(error_text(error),
                                               "is not a duration: write 500ms, 2s, 1.5m or 1h (no "
                                               "unit: seconds)"));
                g_assert_cmpuint(usec, ==, 7);
        }
}

static void test_refuses_more_than_a_day(void)
{
        static const char *const texts[] = {"86401", "24.1h", "1441m", "99999999999999999999999h",
                                            "86400.000001"};

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
                CLEANUP_ERROR Error *error = NULL;
                uint64_t usec = 7;

                g_assert_cmpint(duration_parse(texts[i], &usec, &error), ==, -ERANGE);
                g_assert_true(g_str_has_suffix(error_text(error), "is more than 24 hours"));
                g_assert_cmpuint(usec, ==, 7);
        }
}

static void test_writes(void)
{
        static const struct {
                uint64_t usec;
                const char *text;
        } rows[] = {
                {25000000, "25 s"},  {500000, "500 ms"}, {1500000, "1.5 s"}, {0, "0 ms"},
                {60000000, "1 min"}, {90000000, "90 s"}, {250, "0.25 ms"},   {3600000000, "60 min"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

                g_assert_cmpint(duration_write(&buffer, rows[i].usec), ==, 0);
                g_assert_cmpstr(buffer_text(&buffer), ==, rows[i].text);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cli-duration/parses", test_parses);
        g_test_add_func("/cli-duration/refuses", test_refuses);
        g_test_add_func("/cli-duration/refuses-more-than-a-day", test_refuses_more_than_a_day);
        g_test_add_func("/cli-duration/writes", test_writes);
        return g_test_run();
}
