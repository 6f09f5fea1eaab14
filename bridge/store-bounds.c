/* SPDX-License-Identifier: MIT */

/* The second half of store.h: what keeps the queue within its bounds, and the gaps that this
 * leaves. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/store-private.h"

/* A gap at the very end of the queue grows instead of getting a neighbour. */
int store_grow_last_gap(Store *store, int64_t now_sec)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_LAST);
        int64_t id = 0, dropped = 0;
        bool is_gap = false;
        int rc, r;

        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
                id = sqlite3_column_int64(statement, 0);
                is_gap = sqlite3_column_type(statement, 1) != SQLITE_NULL;
                dropped = sqlite3_column_int64(statement, 1);
        }
        sqlite3_reset(statement);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
                return store_give_up(store, rc);
        if (is_gap && dropped >= 0) {
                statement = store_begin(store, STATEMENT_REMOVE_RANGE);
                sqlite3_bind_int64(statement, 1, id - 1);
                sqlite3_bind_int64(statement, 2, id);
                r = store_run(store, statement);
                if (r < 0)
                        return r;
                store->counts.events--;
                store->counts.bytes -= MIN(store->counts.bytes, ROW_BYTES + strlen("full"));
        } else {
                dropped = 0;
        }
        return store_add_row(store,
                             &(StoreRow){.topic = "",
                                         .payload = "full",
                                         .length = strlen("full"),
                                         .gap = true,
                                         .dropped = dropped + 1,
                                         .from = "",
                                         .to = ""},
                             now_sec);
}

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

static int find_cut(Store *store, Statement which, int64_t after, int64_t limit, int64_t *ret_id)
{
        sqlite3_stmt *statement = store_begin(store, which);
        int rc;

        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int64(statement, 2, limit);
        rc = sqlite3_step(statement);
        *ret_id = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
        sqlite3_reset(statement);
        return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_give_up(store, rc);
}

int store_trim(Store *store, int64_t keep, int64_t now_sec)
{
        uint64_t maximum = store->settings.max_bytes;
        int64_t id = 0;
        int r = 0;

        if (store->counts.bytes > maximum) {
                /* Some more than needed, so that it is not done for each event. */
                uint64_t excess = store->counts.bytes - maximum + maximum / 64;

                r = find_cut(store, STATEMENT_CUT_BYTES, keep, (int64_t)excess, &id);
                if (r >= 0 && id > 0)
                        r = cut(store, keep, id, "bytes", now_sec);
        }
        if (r < 0 || store->settings.max_age_sec == 0)
                return r;
        r = find_cut(store, STATEMENT_CUT_AGE, keep, now_sec - (int64_t)store->settings.max_age_sec,
                     &id);
        if (r >= 0 && id > 0)
                r = cut(store, keep, id, "age", now_sec);
        return r;
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
