/* SPDX-License-Identifier: MIT */
#pragma once

/* What store.c and store-bounds.c share: the statements on the file, and adding a row. */

#include <sqlite3.h>

#include "bridge/store.h"

/* What a row costs beyond its texts. */
enum { ROW_BYTES = 64, ID_LENGTH = 8, PAGE_BYTES = 4096 };

/* The part of the queue that is kept for gaps when the newest events are dropped; and what goes in
 * one go when the oldest are. */
enum { GAP_SHARE = 64 };

typedef enum Statement {
        STATEMENT_ADD,
        STATEMENT_REMOVE,
        STATEMENT_REMOVE_RANGE,
        STATEMENT_NEXT,
        STATEMENT_SUM,
        STATEMENT_BYTES,
        STATEMENT_OLDEST,
        STATEMENT_YOUNG,
        STATEMENT_NEWEST,
        STATEMENT_LAST_ID,
        STATEMENT_PUT_GAP,
        STATEMENT_LAST,
        STATEMENT_GROW,
        STATEMENT_GET_TEXT,
        STATEMENT_SET_TEXT,
        STATEMENT_EACH_TEXT,
        STATEMENT_MAX,
} Statement;

struct Store {
        char *path;
        StoreSettings settings; /* path: the same */
        sqlite3 *db;
        sqlite3_stmt *statements[STATEMENT_MAX];
        bool dirty; /* in a transaction */
        char id[ID_LENGTH + 1];
        char reason[128]; /* of the last failure */
        StoreCounts counts;
        StoreCounts committed; /* as of the last commit */
        uint64_t added_bytes;  /* since then */
        int64_t sent;          /* the last id that must not change */
        int64_t ahead_sec;     /* the wall clock, of the store's time, as far as that is written */
};

/* An event or a gap to be added. */
typedef struct StoreRow {
        const char *topic;
        const void *payload;
        size_t length;
        const char *seq;
        bool gap;
        int64_t dropped;
        const char *from;
        const char *to;
} StoreRow;

sqlite3_stmt *store_begin(Store *store, Statement which);
void store_bind_text(sqlite3_stmt *statement, int index, const char *text);
/* Runs a statement without rows. */
int store_run(Store *store, sqlite3_stmt *statement);
/* Begins a transaction, unless there is one. */
int store_make_dirty(Store *store);
/* Ends a transaction that cannot be completed; returns the errno of SQLite's code. */
int store_give_up(Store *store, int rc);
int store_add_row(Store *store, const StoreRow *row, int64_t now_sec);
