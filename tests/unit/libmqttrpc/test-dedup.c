/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/dedup.h"

#include <glib.h>
#include <string.h>

#include "common/limits.h"

static const TextSpan alice = {"alice", 5}, bob = {"bob", 3};

DEFINE_CLEANUP(Dedup *, dedup_free, cleanup_dedup)
#define CLEANUP_DEDUP CLEANUP(cleanup_dedup)

static Dedup *new_dedup(void)
{
        Dedup *dedup = NULL;

        g_assert_cmpint(dedup_new(&dedup), ==, 0);
        return dedup;
}

/* ---- ids ---- */

static void test_ids_of_the_library_are_known(void)
{
        static const struct {
                const char *id;
                bool own;
                uint32_t prefix;
                uint64_t counter;
        } rows[] = {
                {"\"0123abcd-1\"", true, 0x0123abcd, 1},
                {"\"ffffffff-18446744073709551615\"", true, 0xffffffff, UINT64_MAX},
                {"\"ffffffff-18446744073709551616\"", false, 0, 0},
                {"\"0123abcd-0\"", false, 0, 0},
                {"\"0123abcd-01\"", false, 0, 0},
                {"\"0123abcd--1\"", false, 0, 0},
                {"\"0123abcd-1.0\"", false, 0, 0},
                {"\"0123abcd-\"", false, 0, 0},
                {"\"0123abcd-1e3\"", false, 0, 0},
                {"\"0123ABCD-1\"", false, 0, 0},
                {"\"0123abc-12\"", false, 0, 0},
                {"\"0123abcd_1\"", false, 0, 0},
                {"\"0123abcd-\\u0031\"", false, 0, 0},
                {"\"\"", false, 0, 0},
                {"1", false, 0, 0},
                {"123456789-123456789", false, 0, 0},
                {"null", false, 0, 0},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                TextSpan id = {rows[i].id, strlen(rows[i].id)};
                uint64_t counter = 0;
                uint32_t prefix = 0;

                g_test_message("%s", rows[i].id);
                g_assert_cmpint(dedup_parse_id(id, &prefix, &counter), ==, rows[i].own);
                g_assert_cmpuint(prefix, ==, rows[i].prefix);
                if (rows[i].own)
                        g_assert_cmpuint(counter, ==, rows[i].counter);
        }
}

/* ---- windows ---- */

static void test_window_slides(gconstpointer data)
{
        uint64_t shift = *(const uint64_t *)data, first = 2000;
        CLEANUP_DEDUP Dedup *dedup = new_dedup();

        /* Marks at both edges of a window and around its word boundaries, then one far ahead. */
        for (uint64_t age = 0; age < LIMIT_DEDUP_BITS; age += 31)
                g_assert_cmpint(dedup_mark(dedup, alice, 7, first - age), ==, 0);
        g_assert_cmpint(dedup_mark(dedup, alice, 7, first + shift), ==, 0);
        g_assert_true(dedup_is_seen(dedup, alice, 7, first + shift));
        if (first + shift < UINT64_MAX)
                g_assert_false(dedup_is_seen(dedup, alice, 7, first + shift + 1));
        for (uint64_t age = 1; age < LIMIT_DEDUP_BITS; age++) {
                uint64_t counter = first + shift - age;
                bool marked = counter <= first && (first - counter) % 31 == 0;

                if (dedup_is_seen(dedup, alice, 7, counter) != marked)
                        g_error("age %u: %s", (unsigned)age, marked ? "forgotten" : "made up");
        }
        /* Too old to tell counts as seen. */
        g_assert_true(dedup_is_seen(dedup, alice, 7, first + shift - LIMIT_DEDUP_BITS));
        g_assert_true(dedup_is_seen(dedup, alice, 7, 1));
}

static const uint64_t shifts[] = {1,   2,    31,   63,   64,   65,   127,
                                  128, 1000, 1023, 1024, 1025, 5000, UINT64_MAX - 2000};

static void test_ids_out_of_order(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();

        g_assert_cmpint(dedup_mark(dedup, alice, 7, 5000), ==, 0);
        g_assert_false(dedup_is_seen(dedup, alice, 7, 4999));
        g_assert_cmpint(dedup_mark(dedup, alice, 7, 4999), ==, 0);
        g_assert_true(dedup_is_seen(dedup, alice, 7, 4999));
        g_assert_true(dedup_is_seen(dedup, alice, 7, 5000));
        g_assert_false(dedup_is_seen(dedup, alice, 7, 4998));
        /* Marking what is too old changes nothing and harms nothing. */
        g_assert_cmpint(dedup_mark(dedup, alice, 7, 5), ==, 0);
        g_assert_false(dedup_is_seen(dedup, alice, 7, 4998));
}

static void test_windows_are_apart(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();

        g_assert_cmpint(dedup_mark(dedup, alice, 7, 1), ==, 0);
        g_assert_true(dedup_is_seen(dedup, alice, 7, 1));
        g_assert_false(dedup_is_seen(dedup, alice, 8, 1));
        g_assert_false(dedup_is_seen(dedup, bob, 7, 1));
}

static void test_idle_window_goes_first(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();

        for (uint32_t prefix = 0; prefix < LIMIT_DEDUP_WINDOWS; prefix++)
                g_assert_cmpint(dedup_mark(dedup, alice, prefix, 1), ==, 0);
        g_assert_true(dedup_is_seen(dedup, alice, 0, 1));
        g_assert_cmpint(dedup_mark(dedup, alice, 0, 2), ==, 0); /* no longer the idle one */
        g_assert_cmpint(dedup_mark(dedup, alice, LIMIT_DEDUP_WINDOWS, 1), ==, 0);
        g_assert_true(dedup_is_seen(dedup, alice, 0, 1));
        g_assert_false(dedup_is_seen(dedup, alice, 1, 1));
        g_assert_true(dedup_is_seen(dedup, alice, 2, 1));
}

static void test_longest_caller_has_a_window(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();
        char name[LIMIT_NAME_LENGTH];
        TextSpan caller = {name, sizeof(name)};

        memset(name, 'x', sizeof(name));
        g_assert_cmpint(dedup_mark(dedup, caller, 1, 1), ==, 0);
        g_assert_true(dedup_is_seen(dedup, caller, 1, 1));
}

/* ---- results ---- */

static const char *find(Dedup *dedup, const char *key, uint64_t now)
{
        static char text[64];
        size_t length;
        int code = 0;
        const char *response = dedup_find(dedup, key, strlen(key), now, &length, &code);

        if (!response)
                return NULL;
        g_assert_cmpint(code, ==, 7);
        g_assert_cmpuint(length, <, sizeof(text));
        memcpy(text, response, length);
        text[length] = '\0';
        return text;
}

static void store(Dedup *dedup, const char *key, const char *response, uint64_t expiry,
                  uint64_t now)
{
        dedup_store(dedup, key, strlen(key), response, strlen(response), 7, expiry, now);
}

static void test_result_is_kept_until_its_deadline(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();

        store(dedup, "k", "one", 100, 0);
        g_assert_cmpstr(find(dedup, "k", 99), ==, "one");
        g_assert_null(find(dedup, "k", 100));
        g_assert_null(find(dedup, "K", 0));
        store(dedup, "k", "two", 200, 100);
        g_assert_cmpstr(find(dedup, "k", 199), ==, "two");
        store(dedup, "k", "three", 200, 100);
        g_assert_cmpstr(find(dedup, "k", 199), ==, "three");
}

static void test_results_are_bounded_by_count(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();

        for (unsigned i = 0; i <= LIMIT_DEDUP_RESULTS; i++) {
                g_autofree char *key = g_strdup_printf("k%u", i);

                store(dedup, key, "x", 100, 0);
        }
        g_assert_null(find(dedup, "k0", 0));
        g_assert_nonnull(find(dedup, "k1", 0));
}

static void test_results_are_bounded_by_bytes(void)
{
        CLEANUP_DEDUP Dedup *dedup = new_dedup();
        size_t quarter = LIMIT_DEDUP_RESULT_BYTES / 4 - 2, length;
        int code;
        g_autofree char *big = g_malloc0(LIMIT_DEDUP_RESULT_BYTES + 1);
        static const char *const keys[] = {"k0", "k1", "k2", "k3", "k4"};

        for (unsigned i = 0; i < 4; i++)
                dedup_store(dedup, keys[i], 2, big, quarter, 0, 100, 0);
        g_assert_nonnull(dedup_find(dedup, "k0", 2, 0, &length, &code));
        g_assert_cmpuint(length, ==, quarter);
        dedup_store(dedup, keys[4], 2, big, quarter, 0, 100, 0);
        g_assert_null(dedup_find(dedup, "k0", 2, 0, &length, &code));
        g_assert_nonnull(dedup_find(dedup, "k1", 2, 0, &length, &code));
        /* What can never fit must not drive out the others. */
        dedup_store(dedup, "k5", 2, big, LIMIT_DEDUP_RESULT_BYTES + 1, 0, 100, 0);
        g_assert_null(dedup_find(dedup, "k5", 2, 0, &length, &code));
        g_assert_nonnull(dedup_find(dedup, "k4", 2, 0, &length, &code));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dedup/ids-of-the-library-are-known", test_ids_of_the_library_are_known);
        for (unsigned i = 0; i < G_N_ELEMENTS(shifts); i++) {
                g_autofree char *path = g_strdup_printf(
                        "/dedup/window/slides-by/%" G_GUINT64_FORMAT, (guint64)shifts[i]);

                g_test_add_data_func(path, &shifts[i], test_window_slides);
        }
        g_test_add_func("/dedup/window/ids-out-of-order", test_ids_out_of_order);
        g_test_add_func("/dedup/window/one-for-each-caller-and-prefix", test_windows_are_apart);
        g_test_add_func("/dedup/window/idle-one-goes-first", test_idle_window_goes_first);
        g_test_add_func("/dedup/window/longest-caller-has-one", test_longest_caller_has_a_window);
        g_test_add_func("/dedup/result/is-kept-until-its-deadline",
                        test_result_is_kept_until_its_deadline);
        g_test_add_func("/dedup/result/bounded-by-count", test_results_are_bounded_by_count);
        g_test_add_func("/dedup/result/bounded-by-bytes", test_results_are_bounded_by_bytes);
        return g_test_run();
}
