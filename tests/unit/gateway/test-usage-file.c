/* SPDX-License-Identifier: MIT */

#include "gateway/usage-file.h"

#include <glib.h>
#include <glib/gstdio.h>

typedef struct Fixture {
        sd_event *event;
        char *folder;
        char *path;
        char *aside;
} Fixture;

static const UsageKey key = {USAGE_MQTT, USAGE_CALL, "test", "-", "org.example.Test1", "Get"};

static void set_up(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(sd_event_new(&fixture->event), >=, 0);
        fixture->folder = g_dir_make_tmp("usage-file-XXXXXX", NULL);
        fixture->path = g_build_filename(fixture->folder, "usage.json", NULL);
        fixture->aside = g_build_filename(fixture->folder, "usage.json.bad", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        sd_event_unref(fixture->event);
        g_unlink(fixture->path);
        g_unlink(fixture->aside);
        g_rmdir(fixture->folder);
        g_free(fixture->folder);
        g_free(fixture->path);
        g_free(fixture->aside);
}

/* Opens it, counts, and closes it; returns what was counted then. */
static uint64_t count(const Fixture *fixture, const char *folder, unsigned times)
{
        CLEANUP_USAGE Usage usage = {};
        UsageFile *file;

        g_assert_cmpint(usage_file_new(folder, fixture->event, &usage, &file), ==, 0);
        for (unsigned i = 0; i < times; i++)
                usage_count(&usage, &key, "alice", NULL, 1767268800);
        usage_file_free(file);
        return usage.entries ? usage.entries->count : 0;
}

static void test_goes_on_where_it_was(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpuint(count(fixture, fixture->folder, 2), ==, 2);
        g_assert_cmpuint(count(fixture, fixture->folder, 1), ==, 3);
        g_assert_false(g_file_test(fixture->aside, G_FILE_TEST_EXISTS));
}

static void test_is_not_written_without_a_change(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpuint(count(fixture, fixture->folder, 0), ==, 0);
        g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

/* The first call after a pause must not have to wait for the disk. */
static void test_is_not_written_at_once(Fixture *fixture, gconstpointer data)
{
        CLEANUP_USAGE Usage usage = {};
        UsageFile *file;

        g_assert_cmpint(usage_file_new(fixture->folder, fixture->event, &usage, &file), ==, 0);
        usage_count(&usage, &key, "alice", NULL, 1767268800);
        g_assert_cmpint(sd_event_run(fixture->event, 0), ==, 0);
        g_assert_true(usage.changed);
        g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
        usage_file_free(file);
        g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

static void test_sets_aside_what_it_cannot_use(Fixture *fixture, gconstpointer data)
{
        static const char *const rows[] = {"", "{\"format\":", "{\"a\": 1}", "\1\2\3"};
        g_autofree char *large = g_strnfill(LIMIT_FILE_BYTES + 1, ' ');

        for (size_t i = 0; i <= G_N_ELEMENTS(rows); i++) {
                const char *text = i < G_N_ELEMENTS(rows) ? rows[i] : large;
                g_autofree char *aside = NULL;

                g_assert_true(g_file_set_contents(fixture->path, text, -1, NULL));
                g_assert_cmpuint(count(fixture, fixture->folder, 1), ==, 1);
                g_assert_true(g_file_get_contents(fixture->aside, &aside, NULL, NULL));
                g_assert_cmpstr(aside, ==, text);
                g_assert_cmpuint(count(fixture, fixture->folder, 1), ==, 2);
        }
}

static void test_counts_without_a_folder(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpuint(count(fixture, fixture->path, 2), ==, 2);
        g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

/* What is in the place of the new file shall not end anything. */
static void test_survives_that_it_cannot_write(Fixture *fixture, gconstpointer data)
{
        g_autofree char *new_path = g_strconcat(fixture->path, ".new", NULL);

        g_assert_cmpint(g_mkdir(new_path, 0700), ==, 0);
        g_assert_cmpuint(count(fixture, fixture->folder, 2), ==, 2);
        g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
        g_assert_cmpint(g_rmdir(new_path), ==, 0);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/usage-file/goes-on-where-it-was", test_goes_on_where_it_was);
        ADD("/usage-file/is-not-written-without-a-change", test_is_not_written_without_a_change);
        ADD("/usage-file/is-not-written-at-once", test_is_not_written_at_once);
        ADD("/usage-file/sets-aside-what-it-cannot-use", test_sets_aside_what_it_cannot_use);
        ADD("/usage-file/counts-without-a-folder", test_counts_without_a_folder);
        ADD("/usage-file/survives-that-it-cannot-write", test_survives_that_it_cannot_write);
        return g_test_run();
}
