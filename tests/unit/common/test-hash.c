/* SPDX-License-Identifier: MIT */

#include "common/hash.h"

#include <glib.h>

static void test_every_byte_counts(void)
{
        char text[40];

        for (size_t length = 1; length <= sizeof(text); length++) {
                for (size_t i = 0; i < length; i++) {
                        uint64_t before;

                        memset(text, 'a', sizeof(text));
                        before = hash_bytes(text, length);
                        text[i] = 'b';
                        g_assert_cmpuint(hash_bytes(text, length), !=, before);
                }
        }
}

static void test_the_length_counts(void)
{
        static const char zeros[40];

        for (size_t length = 0; length + 1 < sizeof(zeros); length++)
                g_assert_cmpuint(hash_bytes(zeros, length), !=, hash_bytes(zeros, length + 1));
}

/* A copy elsewhere, so that nothing beside it can matter. */
static void test_only_the_bytes_count(void)
{
        for (size_t length = 0; length <= 40; length++) {
                g_autofree char *exact = g_malloc(length + 1);
                char wide[64];

                memset(exact, 'x', length);
                memset(wide, 'x', sizeof(wide));
                g_assert_cmpuint(hash_bytes(exact, length), ==, hash_bytes(wide + 3, length));
        }
}

/* Names that differ in a number only, which is what there is most of: no place of a table gets many
 * more than its share. */
static void test_names_spread(void)
{
        unsigned counts[256] = {};
        char name[64];

        for (unsigned i = 0; i < 8192; i++) {
                int length = g_snprintf(name, sizeof(name), "org.example.Unit%u", i);

                counts[hash_bytes(name, (size_t)length) % G_N_ELEMENTS(counts)]++;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
                g_assert_cmpuint(counts[i], <, 3 * 8192 / G_N_ELEMENTS(counts));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/hash/every-byte-counts", test_every_byte_counts);
        g_test_add_func("/hash/the-length-counts", test_the_length_counts);
        g_test_add_func("/hash/only-the-bytes-count", test_only_the_bytes_count);
        g_test_add_func("/hash/names-spread", test_names_spread);
        return g_test_run();
}
