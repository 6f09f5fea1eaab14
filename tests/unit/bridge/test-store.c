/* SPDX-License-Identifier: MIT */

#include "bridge/store.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct Fixture {
        char *folder;
        char *path;
        Store *store;
} Fixture;

static void reopen(Fixture *fixture, uint64_t max_bytes, bool newest, bool *ret_damaged)
{
        StoreSettings settings = {.path = fixture->path,
                                  .max_bytes = max_bytes,
                                  .max_age_sec = 3600,
                                  .drop_newest = newest};
        Error *error = NULL;
        bool damaged;
        int r;

        fixture->store = store_free(fixture->store);
        r = store_open(&settings, &fixture->store, &damaged, &error);
        g_assert_cmpstr(error ? error_text(error) : NULL, ==, NULL);
        g_assert_cmpint(r, ==, 0);
        if (ret_damaged)
                *ret_damaged = damaged;
        else
                g_assert_false(damaged);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folder = g_dir_make_tmp("bridge-store-XXXXXX", NULL);
        fixture->path = g_build_filename(fixture->folder, "events.db", NULL);
        reopen(fixture, 1 << 20, false, NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        g_autoptr(GDir) dir = NULL;
        const char *name;

        store_free(fixture->store);
        dir = g_dir_open(fixture->folder, 0, NULL);
        while ((name = g_dir_read_name(dir))) {
                g_autofree char *path = g_build_filename(fixture->folder, name, NULL);

                g_unlink(path);
        }
        g_rmdir(fixture->folder);
        g_free(fixture->path);
        g_free(fixture->folder);
}

static void add(Fixture *fixture, const char *payload, int64_t now)
{
        g_assert_cmpint(store_add(fixture->store, "t", payload, strlen(payload), "s", now), ==, 0);
}

/* What is in the queue, as "payload payload gap(dropped:reason) …". */
static char *list(Fixture *fixture)
{
        GString *text = g_string_new(NULL);
        StoreEvent event;
        int64_t after = 0;

        while (store_next(fixture->store, after, &event) > 0) {
                if (event.gap)
                        g_string_append_printf(text, "gap(%d:%.*s) ", (int)event.dropped,
                                               (int)event.length, event.reason);
                else
                        g_string_append_printf(text, "%.*s ", (int)event.length,
                                               (const char *)event.payload);
                after = event.id;
        }
        return g_string_free(text, FALSE);
}

static void expect(Fixture *fixture, const char *text)
{
        g_autofree char *is = list(fixture);

        g_assert_cmpstr(is, ==, text);
}

static void test_keeps_order_and_survives(Fixture *fixture, gconstpointer data)
{
        g_autofree char *id = g_strdup(store_get_id(fixture->store));

        add(fixture, "one", 1);
        add(fixture, "two", 1);
        g_assert_true(store_is_dirty(fixture->store));
        g_assert_cmpint(store_commit(fixture->store), ==, 0);
        g_assert_false(store_is_dirty(fixture->store));
        reopen(fixture, 1 << 20, false, NULL);
        expect(fixture, "one two ");
        g_assert_cmpstr(store_get_id(fixture->store), ==, id);
        g_assert_cmpuint(store_get_counts(fixture->store).events, ==, 2);
}

/* An id that was used once is never another event's, even when the queue was empty in between. */
static void test_ids_are_never_used_again(Fixture *fixture, gconstpointer data)
{
        StoreEvent event;
        int64_t first;

        add(fixture, "one", 1);
        g_assert_cmpint(store_next(fixture->store, 0, &event), ==, 1);
        first = event.id;
        g_assert_cmpint(store_remove(fixture->store, first), ==, 0);
        g_assert_cmpint(store_commit(fixture->store), ==, 0);
        g_assert_cmpuint(store_get_counts(fixture->store).events, ==, 0);
        g_assert_cmpuint(store_get_counts(fixture->store).bytes, ==, 0);
        reopen(fixture, 1 << 20, false, NULL);
        add(fixture, "two", 1);
        g_assert_cmpint(store_next(fixture->store, 0, &event), ==, 1);
        g_assert_cmpint(event.id, >, first);
}

static void test_oldest_become_a_gap(Fixture *fixture, gconstpointer data)
{
        StoreCounts counts;
        StoreEvent event;

        reopen(fixture, 64 * 100, false, NULL);
        for (int i = 0; i < 1000; i++) {
                add(fixture, "payload of a usual size", 1);
                g_assert_cmpint(store_trim(fixture->store, 1), ==, 0);
        }
        g_assert_cmpint(store_commit(fixture->store), ==, 0);
        counts = store_get_counts(fixture->store);
        g_assert_cmpuint(counts.bytes, <=, 64 * 100);
        g_assert_cmpint(store_next(fixture->store, 0, &event), ==, 1);
        g_assert_true(event.gap);
        /* Nothing is lost without being counted: what is there and what was dropped make it all. */
        g_assert_cmpint(event.dropped + (int64_t)counts.events - 1, ==, 1000);
        g_assert_cmpuint(counts.dropped, ==, (uint64_t)event.dropped);
        g_assert_true(g_str_has_prefix(event.from, store_get_id(fixture->store)));
        g_assert_true(g_str_has_suffix(event.from, "-1"));
}

static void test_what_is_under_way_is_not_dropped(Fixture *fixture, gconstpointer data)
{
        g_autofree char *text = NULL;

        reopen(fixture, 64 * 10, false, NULL);
        for (int i = 0; i < 30; i++) {
                g_autofree char *payload = g_strdup_printf("%d", i);

                add(fixture, payload, 1);
        }
        store_set_sent(fixture->store, 2);
        g_assert_cmpint(store_trim(fixture->store, 1), ==, 0);
        text = list(fixture);
        g_assert_true(g_str_has_prefix(text, "0 1 gap("));
        g_assert_true(g_str_has_suffix(text, ":bytes) 25 26 27 28 29 ") ||
                      g_str_has_suffix(text, " 29 "));
}

static void test_newest_become_a_gap(Fixture *fixture, gconstpointer data)
{
        reopen(fixture, 64 * 3, true, NULL);
        add(fixture, "a", 1);
        add(fixture, "b", 1);
        add(fixture, "c", 1);
        add(fixture, "d", 1);
        expect(fixture, "a b gap(2:full) ");
        g_assert_cmpuint(store_get_counts(fixture->store).dropped, ==, 2);
}

/* The gap that tells of them takes room, too: not that of what is older. */
static void test_newest_leave_the_oldest_alone(Fixture *fixture, gconstpointer data)
{
        StoreEvent event;

        reopen(fixture, 64000, true, NULL);
        for (int i = 0; i < 2000; i++) {
                add(fixture, "a-longer-topic-than-the-row-of-a-gap", 1);
                g_assert_cmpint(store_trim(fixture->store, 1), ==, 0);
        }
        g_assert_cmpint(store_next(fixture->store, 0, &event), ==, 1);
        g_assert_false(event.gap);
        g_assert_cmpint(event.id, ==, 1);
        g_assert_cmpuint(store_get_counts(fixture->store).bytes, <=, 64000);
        g_assert_cmpuint(store_get_counts(fixture->store).events - 1 +
                                 store_get_counts(fixture->store).dropped,
                         ==, 2000);
}

static void test_old_become_a_gap(Fixture *fixture, gconstpointer data)
{
        add(fixture, "old", 1000);
        add(fixture, "old", 1000);
        add(fixture, "new", 5000);
        g_assert_cmpint(store_trim(fixture->store, 5000), ==, 0);
        expect(fixture, "gap(2:age) new ");
        /* The gap itself is not old, and what is behind it gets old in its time. */
        g_assert_cmpint(store_trim(fixture->store, 5001), ==, 0);
        expect(fixture, "gap(2:age) new ");
        g_assert_cmpint(store_trim(fixture->store, 9000), ==, 0);
        expect(fixture, "gap(3:age) ");
        add(fixture, "newest", 9000);
        expect(fixture, "gap(3:age) newest ");
}

/* Somebody has been told of it with this number, and would count it twice. */
static void test_a_gap_under_way_does_not_grow(Fixture *fixture, gconstpointer data)
{
        StoreEvent event;

        g_assert_cmpint(store_grow_gap(fixture->store, 1, "a", "b", "refused", 1), ==, 0);
        g_assert_cmpint(store_grow_gap(fixture->store, 2, "c", "d", "refused", 1), ==, 0);
        g_assert_cmpint(store_grow_gap(fixture->store, 1, "e", "f", "size", 1), ==, 0);
        expect(fixture, "gap(3:refused) gap(1:size) ");
        g_assert_cmpint(store_next(fixture->store, 0, &event), ==, 1);
        g_assert_cmpstr(event.from, ==, "a");
        g_assert_cmpstr(event.to, ==, "d");
        store_set_sent(fixture->store, 2);
        g_assert_cmpint(store_grow_gap(fixture->store, 1, "g", "h", "size", 1), ==, 0);
        expect(fixture, "gap(3:refused) gap(1:size) gap(1:size) ");
        g_assert_cmpuint(store_get_counts(fixture->store).dropped, ==, 5);
}

static int64_t start_clock(Fixture *fixture, int64_t wall_sec)
{
        int64_t now = 0;

        g_assert_cmpint(store_start_clock(fixture->store, wall_sec, &now), ==, 0);
        return now;
}

static void test_a_wall_clock_that_steps_makes_nothing_old(Fixture *fixture, gconstpointer data)
{
        const int64_t today = 1700000000;

        g_assert_cmpint(start_clock(fixture, 10), ==, 10);
        add(fixture, "a", 20);
        /* The clock is set while we run; after a start it goes on from there. */
        g_assert_cmpint(store_note_clock(fixture->store, today, 30), ==, 1);
        g_assert_cmpint(store_note_clock(fixture->store, today + 2, 31), ==, 0);
        g_assert_cmpint(store_commit(fixture->store), ==, 0);
        reopen(fixture, 1 << 20, false, NULL);
        g_assert_cmpint(start_clock(fixture, today + 70), ==, 100);
        /* It steps back, or is not set yet: never before the newest. */
        g_assert_cmpint(start_clock(fixture, 10), ==, 20);
        g_assert_cmpint(store_note_clock(fixture->store, 10, 20), ==, 1);
        g_assert_cmpint(start_clock(fixture, 3610), ==, 3620);
        g_assert_cmpint(store_trim(fixture->store, 3620), ==, 0);
        expect(fixture, "a ");
        g_assert_cmpint(store_trim(fixture->store, 3621), ==, 0);
        expect(fixture, "gap(1:age) ");
}

/* Neither the file nor the log beside it grows with what went through, while the next event is
 * being looked at. */
static void test_the_log_does_not_grow(Fixture *fixture, gconstpointer data)
{
        g_autofree char *payload = g_strnfill(200000, 'x');
        g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
        StoreEvent event;
        GStatBuf file;

        for (int i = 0; i < 200; i++) {
                add(fixture, payload, 1);
                g_assert_cmpint(store_trim(fixture->store, 1), ==, 0);
                g_assert_cmpint(store_commit(fixture->store), ==, 0);
                g_assert_cmpint(store_next(fixture->store, 0, &event), ==, 1);
        }
        g_assert_cmpint(g_stat(log, &file), ==, 0);
        g_assert_cmpint(file.st_size, <, 8 << 20);
        g_assert_cmpint(g_stat(fixture->path, &file), ==, 0);
        g_assert_cmpint(file.st_size, <, 4 << 20);
}

static void test_one_process_at_a_time(Fixture *fixture, gconstpointer data)
{
        StoreSettings settings = {.path = fixture->path, .max_bytes = 1 << 20};
        Store *other = NULL;
        bool damaged;

        add(fixture, "x", 1);
        g_assert_cmpint(store_commit(fixture->store), ==, 0);
        g_assert_cmpint(store_open(&settings, &other, &damaged, NULL), ==, -EBUSY);
        g_assert_cmpint(store_probe(fixture->path), ==, -EBUSY);
        fixture->store = store_free(fixture->store);
        g_assert_cmpint(store_probe(fixture->path), ==, 0);
}

static void test_a_damaged_file_is_set_aside(Fixture *fixture, gconstpointer data)
{
        g_autofree char *aside = g_strconcat(fixture->path, ".damaged", NULL);
        bool damaged = false;

        add(fixture, "x", 1);
        fixture->store = store_free(fixture->store);
        g_assert_true(g_file_set_contents(fixture->path,
                                          "this is no database, whatever it was "
                                          "before; and it is long enough to be seen "
                                          "as none, too",
                                          -1, NULL));
        reopen(fixture, 1 << 20, false, &damaged);
        g_assert_true(damaged);
        g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
        expect(fixture, "gap(-1:store) ");
}

static int count(const char *key, const char *text, void *userdata)
{
        ++*(int *)userdata;
        return 0;
}

static void test_texts_are_kept(Fixture *fixture, gconstpointer data)
{
        g_autofree char *text = NULL, *none = NULL;
        int n = 0;

        g_assert_cmpint(store_set_text(fixture->store, "seq:a", "1"), ==, 0);
        g_assert_cmpint(store_set_text(fixture->store, "seq:a", "2"), ==, 0);
        g_assert_cmpint(store_set_text(fixture->store, "seq:b", "3"), ==, 0);
        g_assert_cmpint(store_commit(fixture->store), ==, 0);
        reopen(fixture, 1 << 20, false, NULL);
        g_assert_cmpint(store_get_text(fixture->store, "seq:a", &text), ==, 0);
        g_assert_cmpstr(text, ==, "2");
        g_assert_cmpint(store_get_text(fixture->store, "other", &none), ==, 0);
        g_assert_cmpstr(none, ==, "");
        g_assert_cmpint(store_each_text(fixture->store, "seq:", count, &n), ==, 0);
        g_assert_cmpint(n, ==, 2);
}

#define ADD(name, function) g_test_add("/store/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("keeps-order-and-survives", test_keeps_order_and_survives);
        ADD("ids-are-never-used-again", test_ids_are_never_used_again);
        ADD("oldest-become-a-gap", test_oldest_become_a_gap);
        ADD("what-is-under-way-is-not-dropped", test_what_is_under_way_is_not_dropped);
        ADD("newest-become-a-gap", test_newest_become_a_gap);
        ADD("newest-leave-the-oldest-alone", test_newest_leave_the_oldest_alone);
        ADD("old-become-a-gap", test_old_become_a_gap);
        ADD("a-gap-under-way-does-not-grow", test_a_gap_under_way_does_not_grow);
        ADD("a-wall-clock-that-steps-makes-nothing-old",
            test_a_wall_clock_that_steps_makes_nothing_old);
        ADD("the-log-does-not-grow", test_the_log_does_not_grow);
        ADD("one-process-at-a-time", test_one_process_at_a_time);
        ADD("a-damaged-file-is-set-aside", test_a_damaged_file_is_set_aside);
        ADD("texts-are-kept", test_texts_are_kept);
        return g_test_run();
}
