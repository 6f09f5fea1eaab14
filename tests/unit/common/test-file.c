/* SPDX-License-Identifier: MIT */

#include "common/file.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>

typedef struct Fixture {
        char *folder;
        char *path;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folder = g_dir_make_tmp("file-XXXXXX", NULL);
        fixture->path = g_build_filename(fixture->folder, "x", NULL);
        g_assert_true(g_file_set_contents(fixture->path, "12345", 5, NULL));
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        g_unlink(fixture->path);
        g_rmdir(fixture->folder);
        g_free(fixture->path);
        g_free(fixture->folder);
}

static void test_reads_up_to_the_limit(Fixture *fixture, gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *text = NULL;
        g_autofree char *expected = NULL;
        size_t length = 0;

        g_assert_cmpint(file_read(fixture->path, 5, &text, &length, &error), ==, 0);
        g_assert_cmpstr(text, ==, "12345");
        g_assert_cmpuint(length, ==, 5);
        g_clear_pointer(&text, free);
        g_assert_cmpint(file_read(fixture->path, 4, &text, &length, &error), ==, -EFBIG);
        expected = g_strdup_printf("%s is larger than 4 bytes", fixture->path);
        g_assert_cmpstr(error_text(error), ==, expected);
        g_assert_null(text);
}

static void test_reads_large_and_empty_files(Fixture *fixture, gconstpointer data)
{
        g_autofree char *large = g_strnfill(100000, 'x');
        CLEANUP_FREE char *text = NULL, *empty = NULL;
        size_t length = 0;

        g_assert_true(g_file_set_contents(fixture->path, large, -1, NULL));
        g_assert_cmpint(file_read(fixture->path, 1 << 20, &text, &length, NULL), ==, 0);
        g_assert_cmpstr(text, ==, large);
        g_assert_true(g_file_set_contents(fixture->path, "", 0, NULL));
        g_assert_cmpint(file_read(fixture->path, 1 << 20, &empty, &length, NULL), ==, 0);
        g_assert_cmpstr(empty, ==, "");
        g_assert_cmpuint(length, ==, 0);
}

static void test_says_what_is_in_the_way(Fixture *fixture, gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;
        g_autofree char *expected = NULL;
        char *text = NULL;
        size_t length;

        g_assert_cmpint(file_read("/nonexistent/x", 9, &text, &length, &error), ==, -ENOENT);
        g_assert_cmpstr(error_text(error), ==,
                        "cannot open /nonexistent/x: No such file or directory");
        error = error_free(error);
        g_assert_cmpint(file_read(fixture->folder, 9, &text, &length, &error), ==, -EISDIR);
        expected = g_strdup_printf("cannot read %s: Is a directory", fixture->folder);
        g_assert_cmpstr(error_text(error), ==, expected);
}

static void test_beside(void)
{
        CLEANUP_FREE char *absolute = file_beside("/etc/a.json", "/x/y");
        CLEANUP_FREE char *relative = file_beside("/etc/a.json", "b");
        CLEANUP_FREE char *here = file_beside("a.json", "b");

        g_assert_cmpstr(absolute, ==, "/x/y");
        g_assert_cmpstr(relative, ==, "/etc/b");
        g_assert_cmpstr(here, ==, "b");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

static void test_replaces(Fixture *fixture, gconstpointer data)
{
        g_autofree char *temporary = g_strconcat(fixture->path, ".new", NULL);
        g_autofree char *text = NULL;

        g_assert_cmpint(file_replace(fixture->path, "abc", 3, NULL), ==, 0);
        g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
        g_assert_cmpstr(text, ==, "abc");
        g_assert_false(g_file_test(temporary, G_FILE_TEST_EXISTS));
}

static void test_leaves_alone_what_it_cannot_replace(Fixture *fixture, gconstpointer data)
{
        g_autofree char *temporary = g_strconcat(fixture->path, ".new", NULL);
        CLEANUP_ERROR Error *error = NULL;
        g_autofree char *text = NULL;

        g_assert_cmpint(g_mkdir(temporary, 0700), ==, 0);
        g_assert_cmpint(file_replace(fixture->path, "abc", 3, &error), ==, -EISDIR);
        g_assert_nonnull(error);
        g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
        g_assert_cmpstr(text, ==, "12345");
        g_rmdir(temporary);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/file/reads-up-to-the-limit", test_reads_up_to_the_limit);
        ADD("/file/reads-large-and-empty-files", test_reads_large_and_empty_files);
        ADD("/file/says-what-is-in-the-way", test_says_what_is_in_the_way);
        g_test_add_func("/file/beside", test_beside);
        g_test_add("/file/replaces", Fixture, NULL, set_up, test_replaces, tear_down);
        g_test_add("/file/leaves-alone-what-it-cannot-replace", Fixture, NULL, set_up,
                   test_leaves_alone_what_it_cannot_replace, tear_down);
        return g_test_run();
}
