/* SPDX-License-Identifier: MIT */

#include "bridge/audit.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"

typedef struct Fixture {
        char *folder, *path, *old;
        Audit *audit;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        log_set_level(LOG_LEVEL_ERROR);
        fixture->folder = g_dir_make_tmp("bridge-audit-XXXXXX", NULL);
        fixture->path = g_build_filename(fixture->folder, "audit", NULL);
        fixture->old = g_strconcat(fixture->path, ".1", NULL);
        g_assert_cmpint(audit_new(fixture->path, &fixture->audit, NULL), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        audit_free(fixture->audit);
        unlink(fixture->path);
        unlink(fixture->old);
        rmdir(fixture->folder);
        g_free(fixture->folder);
        g_free(fixture->path);
        g_free(fixture->old);
}

static Span span(const char *text)
{
        return (Span){text, strlen(text)};
}

static void write_entry(Fixture *fixture, const char *caller, bool refused)
{
        audit_write(fixture->audit, &(AuditEntry){.caller = span(caller),
                                                  .service = span("net"),
                                                  .object = span("-"),
                                                  .method = span("Scan"),
                                                  .verdict = refused ? "denied" : "done",
                                                  .code = refused ? -32001 : 0,
                                                  .refused = refused,
                                                  .usec = 12345});
}

static unsigned count_lines(const char *path, const char *with)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        unsigned n = 0;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++)
                n += strstr(*line, with) != NULL;
        return n;
}

static void test_a_line_for_each(Fixture *fixture, gconstpointer data)
{
        write_entry(fixture, "alice", false);
        write_entry(fixture, "e\"v\ni", true);
        g_assert_cmpuint(count_lines(fixture->path,
                                     "\"caller\":\"alice\",\"service\":\"net\",\"object\":\"-\","
                                     "\"method\":\"Scan\",\"verdict\":\"done\",\"code\":0,"
                                     "\"ms\":12}"),
                         ==, 1);
        /* What a caller calls himself does not begin a line. */
        g_assert_cmpuint(count_lines(fixture->path, "\"caller\":\"e\\\"v\\ni\""), ==, 1);
}

/* Refused ones are rationed, those that were made are not. */
static void test_a_flood(Fixture *fixture, gconstpointer data)
{
        const unsigned n = 10 * LIMIT_BRIDGE_AUDIT_LINES;

        for (unsigned i = 0; i < n; i++)
                write_entry(fixture, "eve", true);
        for (unsigned i = 0; i < n; i++)
                write_entry(fixture, "alice", false);
        /* It may have taken more than one second. */
        g_assert_cmpuint(count_lines(fixture->path, "denied"), <, n);
        g_assert_cmpuint(count_lines(fixture->path, "denied"), >=, LIMIT_BRIDGE_AUDIT_LINES);
        g_assert_cmpuint(count_lines(fixture->path, "done"), ==, n);
        g_assert_cmpuint(count_lines(fixture->path, "\"left_out\":"), >=, 1);
}

static void test_the_file_is_bounded(Fixture *fixture, gconstpointer data)
{
        g_autofree char *caller = g_strnfill(1000, 'c');
        struct stat now, old;

        for (unsigned i = 0; i < 3 * LIMIT_BRIDGE_AUDIT_BYTES / 1000; i++)
                write_entry(fixture, caller, false);
        g_assert_cmpint(stat(fixture->path, &now), ==, 0);
        g_assert_cmpint(stat(fixture->old, &old), ==, 0);
        g_assert_cmpint(now.st_size, <=, (off_t)LIMIT_BRIDGE_AUDIT_BYTES + 4096);
        g_assert_cmpint(old.st_size, <=, (off_t)LIMIT_BRIDGE_AUDIT_BYTES + 4096);
}

static void test_a_folder_that_is_not_there(Fixture *fixture, gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;
        Audit *audit = NULL;

        g_assert_cmpint(audit_new("/does/not/exist", &audit, &error), <, 0);
        g_assert_nonnull(strstr(error_text(error), "/does/not/exist"));
        g_assert_null(audit);
}

/* It cannot be begun anew when it is full, and then it can. */
static void test_it_goes_on_when_it_can(Fixture *fixture, gconstpointer data)
{
        g_autofree char *away = g_strconcat(fixture->folder, "-away", NULL);

        fixture->audit = audit_free(fixture->audit);
        g_assert_cmpint(truncate(fixture->path, LIMIT_BRIDGE_AUDIT_BYTES), ==, 0);
        g_assert_cmpint(audit_new(fixture->path, &fixture->audit, NULL), ==, 0);
        g_assert_cmpint(rename(fixture->folder, away), ==, 0);
        write_entry(fixture, "lost", false);
        g_assert_cmpint(rename(away, fixture->folder), ==, 0);
        write_entry(fixture, "alice", false);
        g_assert_cmpuint(count_lines(fixture->path, "\"caller\":\"alice\""), ==, 1);
}

#define ADD(name, function) g_test_add("/audit/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("a-line-for-each", test_a_line_for_each);
        ADD("a-flood", test_a_flood);
        ADD("the-file-is-bounded", test_the_file_is_bounded);
        ADD("it-goes-on-when-it-can", test_it_goes_on_when_it_can);
        ADD("a-folder-that-is-not-there", test_a_folder_that_is_not_there);
        return g_test_run();
}
