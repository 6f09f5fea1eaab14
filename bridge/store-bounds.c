/* SPDX-License-Identifier: MIT */

/* The second half of store.h: what keeps the queue within its bounds, and the gaps that this
 * leaves. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/store-private.h"

#define KEY_CLOCK "clock"

/* Less is not worth writing. */
enum { CLOCK_STEP_SEC = 5 };

/* ---- growing gaps ---- */

typedef struct Last {
        int64_t id;
        bool is_gap; /* with the reason that was asked for, and with a number */
} Last;

static int look_at_last(Store *store, const char *reason, Last *ret_last)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_LAST);
        Last last = {};
        int rc;

        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
                last.id = sqlite3_column_int64(statement, 0);
                last.is_gap =
                        sqlite3_column_type(statement, 1) != SQLITE_NULL &&
                        sqlite3_column_int64(statement, 1) >= 0 &&
                        (size_t)sqlite3_column_bytes(statement, 2) == strlen(reason) &&
                        memcmp(sqlite3_column_blob(statement, 2), reason, strlen(reason)) == 0;
        }
        sqlite3_reset(statement);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
                return store_give_up(store, rc);
        *ret_last = last;
        return 0;
}

int store_grow_gap(Store *store, int64_t dropped, const char *from, const char *to,
                   const char *reason, int64_t now_sec)
{
        sqlite3_stmt *statement;
        Last last = {};
        int r;

        r = store_make_dirty(store);
        if (r >= 0)
                r = look_at_last(store, reason, &last);
        if (r < 0)
                return r;
        if (!last.is_gap || last.id <= store->sent)
                return store_add_gap(store, dropped, from, to, reason, now_sec);
        statement = store_begin(store, STATEMENT_GROW);
        sqlite3_bind_int64(statement, 1, last.id);
        sqlite3_bind_int64(statement, 2, dropped);
        store_bind_text(statement, 3, to);
        r = store_run(store, statement);
        if (r >= 0)
                store->counts.dropped += (uint64_t)dropped;
        return r;
}

/* ---- cutting ---- */

typedef struct Range {
        uint64_t rows;
        uint64_t bytes;
        uint64_t events; /* rows that are no gaps */
        int64_t first;
        char from[48];   /* what is missing first */
        int64_t dropped; /* events, those of gaps among them included; -1: not known */
} Range;

static int measure(Store *store, int64_t after, int64_t upto, Range *ret_range)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_SUM);
        int rc;

        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int64(statement, 2, upto);
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
                *ret_range = (Range){
                        .rows = (uint64_t)sqlite3_column_int64(statement, 0),
                        .bytes = (uint64_t)sqlite3_column_int64(statement, 1),
                        .events = (uint64_t)sqlite3_column_int64(statement, 5),
                        .first = sqlite3_column_int64(statement, 2),
                        .dropped = sqlite3_column_int64(statement, 4) < 0
                                           ? -1
                                           : sqlite3_column_int64(statement, 3),
                };
        sqlite3_reset(statement);
        return rc == SQLITE_ROW ? 0 : store_give_up(store, rc);
}

/* Where the first row behind `after`, if that is a gap itself, says that it begins. */
static int copy_begin(Store *store, int64_t after, char *from, size_t size)
{
        StoreEvent event;
        int r;

        r = store_next(store, after, &event);
        if (r > 0 && event.gap && event.from && event.from[0] != '\0')
                snprintf(from, size, "%s", event.from);
        return r < 0 ? r : 0;
}

static int put_gap(Store *store, int64_t id, const Range *range, const char *reason,
                   int64_t now_sec)
{
        size_t bytes = strlen(reason) + ROW_BYTES;
        sqlite3_stmt *statement = store_begin(store, STATEMENT_PUT_GAP);
        char to[48];
        int r;

        snprintf(to, sizeof(to), "%s-%" PRId64, store->id, id);
        sqlite3_bind_int64(statement, 1, id);
        sqlite3_bind_int64(statement, 2, now_sec);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)bytes);
        store_bind_text(statement, 4, reason);
        sqlite3_bind_int64(statement, 5, range->dropped);
        store_bind_text(statement, 6, range->from);
        store_bind_text(statement, 7, to);
        r = store_run(store, statement);
        if (r < 0)
                return r;
        store->counts.events++;
        store->counts.bytes += bytes;
        return 0;
}

/* Replaces all from behind `after` up to `upto` by one gap. */
static int cut(Store *store, int64_t after, int64_t upto, const char *reason, int64_t now_sec)
{
        sqlite3_stmt *statement;
        Range range = {};
        int r;

        r = store_make_dirty(store);
        if (r >= 0)
                r = measure(store, after, upto, &range);
        if (r < 0 || range.rows == 0)
                return r;
        snprintf(range.from, sizeof(range.from), "%s-%" PRId64, store->id, range.first);
        r = copy_begin(store, after, range.from, sizeof(range.from));
        if (r < 0)
                return r;
        statement = store_begin(store, STATEMENT_REMOVE_RANGE);
        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int64(statement, 2, upto);
        r = store_run(store, statement);
        if (r < 0)
                return r;
        store->counts.events -= range.rows;
        store->counts.bytes -= MIN(store->counts.bytes, range.bytes);
        store->counts.dropped += range.events;
        return put_gap(store, upto, &range, reason, now_sec);
}

/* The first row that a statement finds, behind `after`; 0: none. */
static int find(Store *store, Statement which, int64_t after, int64_t limit, int64_t *ret_number)
{
        sqlite3_stmt *statement = store_begin(store, which);
        int rc;

        if (sqlite3_bind_parameter_count(statement) > 0)
                sqlite3_bind_int64(statement, 1, after);
        if (sqlite3_bind_parameter_count(statement) > 1)
                sqlite3_bind_int64(statement, 2, limit);
        rc = sqlite3_step(statement);
        *ret_number = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
        sqlite3_reset(statement);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
                return store_give_up(store, rc);
        return rc == SQLITE_ROW;
}

/* The first row with which those from behind `after` have so many bytes; 0: they have less. Summed
 * up here: a window function of SQLite keeps all rows in memory. */
static int find_bytes(Store *store, int64_t after, uint64_t bytes, int64_t *ret_id)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_BYTES);
        uint64_t total = 0;
        int64_t id = 0;
        int rc;

        sqlite3_bind_int64(statement, 1, after);
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW && total < bytes) {
                id = sqlite3_column_int64(statement, 0);
                total += (uint64_t)sqlite3_column_int64(statement, 1);
        }
        sqlite3_reset(statement);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
                return store_give_up(store, rc);
        *ret_id = total >= bytes ? id : 0;
        return 0;
}

static int trim_bytes(Store *store, int64_t now_sec)
{
        uint64_t maximum = store->settings.max_bytes;
        int64_t id = 0;
        int r;

        if (store->counts.bytes <= maximum)
                return 0;
        /* Some more than needed, so that it is not done for each event. */
        r = find_bytes(store, store->sent, store->counts.bytes - maximum + maximum / GAP_SHARE,
                       &id);
        return r >= 0 && id > 0 ? cut(store, store->sent, id, "bytes", now_sec) : r;
}

static int trim_age(Store *store, int64_t now_sec)
{
        int64_t limit = now_sec - (int64_t)store->settings.max_age_sec, oldest = 0, upto = 0;
        int r;

        if (store->settings.max_age_sec == 0)
                return 0;
        r = find(store, STATEMENT_OLDEST, store->sent, 0, &oldest);
        if (r <= 0 || oldest >= limit)
                return MIN(r, 0);
        r = find(store, STATEMENT_YOUNG, store->sent, limit, &upto);
        if (r > 0)
                upto--;
        else if (r == 0)
                r = find(store, STATEMENT_LAST, 0, 0, &upto);
        return r < 0 ? r : cut(store, store->sent, upto, "age", now_sec);
}

int store_trim(Store *store, int64_t now_sec)
{
        int r = trim_bytes(store, now_sec);

        return r < 0 ? r : trim_age(store, now_sec);
}

int store_get_last_id(Store *store, int64_t *ret_id)
{
        return MIN(find(store, STATEMENT_LAST_ID, 0, 0, ret_id), 0);
}

/* ---- time ---- */

int store_start_clock(Store *store, int64_t wall_sec, int64_t *ret_now_sec)
{
        CLEANUP_FREE char *text = NULL;
        int64_t newest = 0;
        int r;

        r = store_get_text(store, KEY_CLOCK, &text);
        if (r >= 0)
                r = find(store, STATEMENT_NEWEST, 0, 0, &newest);
        if (r < 0)
                return r;
        store->ahead_sec = strtoll(text, NULL, 10);
        *ret_now_sec = MAX(wall_sec - store->ahead_sec, newest);
        return 0;
}

int store_note_clock(Store *store, int64_t wall_sec, int64_t now_sec)
{
        int64_t ahead_sec = wall_sec - now_sec;
        char text[24];
        int r;

        if (ahead_sec - store->ahead_sec <= CLOCK_STEP_SEC &&
            store->ahead_sec - ahead_sec <= CLOCK_STEP_SEC)
                return 0;
        snprintf(text, sizeof(text), "%" PRId64, ahead_sec);
        r = store_set_text(store, KEY_CLOCK, text);
        if (r < 0)
                return r;
        store->ahead_sec = ahead_sec;
        return 1;
}

int store_remove(Store *store, int64_t id)
{
        sqlite3_stmt *statement;
        Range range = {};
        int r;

        r = store_make_dirty(store);
        if (r >= 0)
                r = measure(store, 0, id, &range);
        if (r < 0)
                return r;
        statement = store_begin(store, STATEMENT_REMOVE);
        sqlite3_bind_int64(statement, 1, id);
        r = store_run(store, statement);
        if (r < 0)
                return r;
        store->counts.events -= MIN(store->counts.events, range.rows);
        store->counts.bytes -= MIN(store->counts.bytes, range.bytes);
        return 0;
}
