/* SPDX-License-Identifier: MIT */

#include "bridge/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "bridge/store-private.h"
#include "common/limits.h"

static const char *const statement_texts[STATEMENT_MAX] = {
        [STATEMENT_ADD] =
                "INSERT INTO event (time, bytes, topic, payload, seq, dropped, first, last) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        [STATEMENT_REMOVE] = "DELETE FROM event WHERE id <= ?1",
        [STATEMENT_REMOVE_RANGE] = "DELETE FROM event WHERE id > ?1 AND id <= ?2",
        [STATEMENT_NEXT] = "SELECT id, topic, payload, seq, dropped, first, last FROM event "
                           "WHERE id > ?1 ORDER BY id LIMIT 1",
        [STATEMENT_SUM] = "SELECT count(*), coalesce(sum(bytes), 0), min(id), "
                          "sum(coalesce(dropped, 1)), coalesce(min(dropped), 0), "
                          "sum(dropped IS NULL) FROM event "
                          "WHERE id > ?1 AND id <= ?2",
        [STATEMENT_BYTES] = "SELECT id, bytes FROM event WHERE id > ?1 ORDER BY id",
        /* Times grow with ids, so that neither of these reads more than goes. */
        [STATEMENT_OLDEST] = "SELECT time FROM event WHERE id > ?1 AND dropped IS NULL "
                             "ORDER BY id LIMIT 1",
        [STATEMENT_YOUNG] = "SELECT id FROM event WHERE id > ?1 AND dropped IS NULL AND time >= ?2 "
                            "ORDER BY id LIMIT 1",
        [STATEMENT_NEWEST] = "SELECT time FROM event ORDER BY id DESC LIMIT 1",
        [STATEMENT_LAST_ID] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'",
        [STATEMENT_PUT_GAP] = "INSERT INTO event (id, time, bytes, topic, payload, seq, dropped, "
                              "first, last) VALUES (?1, ?2, ?3, '', ?4, NULL, ?5, ?6, ?7)",
        [STATEMENT_LAST] = "SELECT id, dropped, payload FROM event ORDER BY id DESC LIMIT 1",
        [STATEMENT_GROW] = "UPDATE event SET dropped = dropped + ?2, last = ?3 WHERE id = ?1",
        [STATEMENT_GET_TEXT] = "SELECT text FROM text WHERE key = ?1",
        [STATEMENT_SET_TEXT] = "INSERT INTO text (key, text) VALUES (?1, ?2) "
                               "ON CONFLICT (key) DO UPDATE SET text = ?2",
        [STATEMENT_EACH_TEXT] = "SELECT key, text FROM text WHERE key >= ?1 AND key < ?1 || '~'",
};

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "time INTEGER NOT NULL, bytes INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB, "
        "seq TEXT, dropped INTEGER, first TEXT, last TEXT);"
        "CREATE TABLE IF NOT EXISTS text (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;";

/* ---- errors ---- */

static int to_errno(int rc)
{
        switch (rc & 0xff) {
        case SQLITE_OK:
        case SQLITE_DONE:
        case SQLITE_ROW: return 0;
        case SQLITE_NOMEM: return -ENOMEM;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return -EBUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return -EBADF;
        case SQLITE_PERM:
        case SQLITE_READONLY:
        case SQLITE_AUTH: return -EACCES;
        case SQLITE_CANTOPEN: return -ENOENT;
        default: return -ENOSPC; /* full, or as good as that: I/O errors */
        }
}

/* Ends a transaction that cannot be completed. */
int store_give_up(Store *store, int rc)
{
        snprintf(store->reason, sizeof(store->reason), "%s", sqlite3_errmsg(store->db));
        if (store->dirty)
                sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        store->dirty = false;
        store->counts = store->committed;
        store->added_bytes = 0;
        return to_errno(rc);
}

sqlite3_stmt *store_begin(Store *store, Statement which)
{
        sqlite3_reset(store->statements[which]);
        sqlite3_clear_bindings(store->statements[which]);
        return store->statements[which];
}

/* Runs a statement without rows. */
int store_run(Store *store, sqlite3_stmt *statement)
{
        int rc = sqlite3_step(statement);

        sqlite3_reset(statement);
        return rc == SQLITE_DONE ? 0 : store_give_up(store, rc);
}

int store_make_dirty(Store *store)
{
        int rc;

        if (store->dirty)
                return 0;
        rc = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc != SQLITE_OK)
                return store_give_up(store, rc);
        store->dirty = true;
        return 0;
}

/* ---- opening ---- */

/* The file may be larger than what is in it by its indexes, by what is free after a removal, and by
 * one commit, which is cut to size only when it ends. */
static int set_page_count(Store *store)
{
        uint64_t most = store->settings.max_bytes * 2 + LIMIT_BRIDGE_COMMIT_BYTES * 2;
        char *text;
        int rc;

        text = sqlite3_mprintf("PRAGMA max_page_count=%lld", (long long)(most / PAGE_BYTES));
        if (!text)
                return SQLITE_NOMEM;
        rc = sqlite3_exec(store->db, text, NULL, NULL, NULL);
        sqlite3_free(text);
        return rc;
}

static int set_pragmas(Store *store)
{
        int rc;

        /* Exclusive: two bridges on one file would send each event twice. */
        rc = sqlite3_exec(store->db,
                          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; "
                          "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
                          "PRAGMA cache_size=-2000; PRAGMA journal_size_limit=4194304",
                          NULL, NULL, NULL);
        return rc == SQLITE_OK ? set_page_count(store) : rc;
}

static int prepare(Store *store)
{
        int rc = SQLITE_OK;

        for (int i = 0; rc == SQLITE_OK && i < STATEMENT_MAX; i++)
                rc = sqlite3_prepare_v3(store->db, statement_texts[i], -1,
                                        SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);
        return rc;
}

static void close_file(Store *store)
{
        for (int i = 0; i < STATEMENT_MAX; i++) {
                sqlite3_finalize(store->statements[i]);
                store->statements[i] = NULL;
        }
        sqlite3_close(store->db);
        store->db = NULL;
        store->dirty = false;
        store->added_bytes = 0;
        store->sent = 0;
}

static int count_rows(Store *store)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_SUM);
        int rc;

        sqlite3_bind_int64(statement, 1, 0);
        sqlite3_bind_int64(statement, 2, INT64_MAX);
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
                store->counts.events = (uint64_t)sqlite3_column_int64(statement, 0);
                store->counts.bytes = (uint64_t)sqlite3_column_int64(statement, 1);
        }
        sqlite3_reset(statement);
        store->committed = store->counts;
        return to_errno(rc);
}

static int load_id(Store *store)
{
        CLEANUP_FREE char *id = NULL;
        uint32_t number = 0;
        int r;

        r = store_get_text(store, "id", &id);
        if (r >= 0 && strlen(id) == ID_LENGTH) {
                memcpy(store->id, id, ID_LENGTH);
                return 0;
        }
        if (r < 0)
                return r;
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                return -EIO;
        snprintf(store->id, sizeof(store->id), "%08" PRIx32, number);
        r = store_set_text(store, "id", store->id);
        return r < 0 ? r : store_commit(store);
}

static int is_sound(Store *store)
{
        sqlite3_stmt *statement = NULL;
        const char *text;
        int rc, r;

        rc = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(statement);
        r = to_errno(rc);
        if (rc == SQLITE_ROW) {
                text = (const char *)sqlite3_column_text(statement, 0);
                if (!text || strcmp(text, "ok") != 0)
                        r = -EBADF;
        }
        sqlite3_finalize(statement);
        return r;
}

static int open_file(Store *store)
{
        int rc, r;

        rc = sqlite3_open_v2(store->path, &store->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
                             NULL);
        if (rc == SQLITE_OK)
                rc = set_pragmas(store);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(store->db, schema, NULL, NULL, NULL);
        r = to_errno(rc);
        if (r >= 0)
                r = is_sound(store);
        if (r >= 0)
                r = to_errno(prepare(store));
        if (r >= 0)
                r = count_rows(store);
        if (r >= 0)
                r = load_id(store);
        if (r < 0)
                close_file(store);
        return r;
}

/* One stays for who wants to look, in the place of an older one: they are bounded as well. */
static int set_aside(Store *store)
{
        static const char *const endings[] = {"", "-wal", "-shm"};
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
                CLEANUP_FREE char *from = NULL, *to = NULL;

                if (asprintf(&from, "%s%s", store->path, endings[i]) < 0)
                        from = NULL;
                if (asprintf(&to, "%s.damaged%s", store->path, endings[i]) < 0)
                        to = NULL;
                if (!from || !to)
                        return -ENOMEM;
                if (rename(from, to) < 0 && errno != ENOENT)
                        r = -errno;
        }
        return r;
}

int store_recover(Store *store, Error **ret_error)
{
        uint64_t dropped = store->counts.dropped;
        int r;

        close_file(store);
        r = set_aside(store);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot set the damaged %s aside",
                                       store->path);
        store->counts = (StoreCounts){.dropped = dropped};
        r = open_file(store);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot make a new %s", store->path);
        r = store_add_gap(store, -1, "", "", "store", (int64_t)time(NULL));
        if (r >= 0)
                r = store_commit(store);
        return r < 0 ? error_set_errno(ret_error, r, "cannot write to %s", store->path) : 0;
}

int store_open(const StoreSettings *settings, Store **ret_store, bool *ret_damaged,
               Error **ret_error)
{
        CLEANUP_STORE Store *store = calloc(1, sizeof(*store));
        int r;

        if (!store)
                return error_set(ret_error, -ENOMEM, "out of memory");
        store->settings = *settings;
        store->path = strdup(settings->path);
        if (!store->path)
                return error_set(ret_error, -ENOMEM, "out of memory");
        *ret_damaged = false;
        r = open_file(store);
        if (r == -EBADF) {
                r = store_recover(store, ret_error);
                if (r < 0)
                        return r;
                *ret_damaged = true;
        }
        if (r == -EBUSY)
                return error_set(ret_error, r, "%s is in use by another process", store->path);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot open %s", store->path);
        *ret_store = STEAL(store);
        return 0;
}

Store *store_free(Store *store)
{
        if (!store)
                return NULL;
        if (store->db)
                (void)store_commit(store);
        close_file(store);
        free(store->path);
        free(store);
        return NULL;
}

int store_probe(const char *path)
{
        sqlite3 *db = NULL;
        int rc;

        rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL);
        sqlite3_close(db);
        return to_errno(rc) == -EBUSY ? -EBUSY : 0;
}

void store_set_bounds(Store *store, const StoreSettings *settings)
{
        const char *path = store->settings.path;

        store->settings = *settings;
        store->settings.path = path;
        /* What does not fit any more stays; a file that is larger than its limit does not grow. */
        (void)set_page_count(store);
}

uint64_t store_count_uncommitted(const Store *store)
{
        return store->added_bytes;
}

void store_set_sent(Store *store, int64_t id)
{
        store->sent = id;
}

const char *store_get_reason(const Store *store)
{
        return store->reason;
}

const char *store_get_id(const Store *store)
{
        return store->id;
}

StoreCounts store_get_counts(const Store *store)
{
        return store->counts;
}

/* ---- adding ---- */

void store_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
        if (text)
                sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

int store_add_row(Store *store, const StoreRow *row, int64_t now_sec)
{
        size_t bytes = strlen(row->topic) + row->length + ROW_BYTES;
        sqlite3_stmt *statement;
        int r;

        r = store_make_dirty(store);
        if (r < 0)
                return r;
        statement = store_begin(store, STATEMENT_ADD);
        sqlite3_bind_int64(statement, 1, now_sec);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)bytes);
        store_bind_text(statement, 3, row->topic);
        sqlite3_bind_blob64(statement, 4, row->payload, row->length, SQLITE_STATIC);
        store_bind_text(statement, 5, row->seq);
        if (row->gap)
                sqlite3_bind_int64(statement, 6, row->dropped);
        store_bind_text(statement, 7, row->from);
        store_bind_text(statement, 8, row->to);
        r = store_run(store, statement);
        if (r < 0)
                return r;
        store->counts.events++;
        store->counts.bytes += bytes;
        store->added_bytes += bytes;
        return 0;
}

int store_add(Store *store, const char *topic, const void *payload, size_t length, const char *seq,
              int64_t now_sec)
{
        uint64_t bytes = store->counts.bytes + length + strlen(topic) + ROW_BYTES;

        /* The gaps need room as well, and must not make it by driving out what is older. */
        if (store->settings.drop_newest &&
            bytes + store->settings.max_bytes / GAP_SHARE > store->settings.max_bytes)
                return store_grow_gap(store, 1, "", "", "full", now_sec);
        return store_add_row(
                store,
                &(StoreRow){.topic = topic, .payload = payload, .length = length, .seq = seq},
                now_sec);
}

int store_add_gap(Store *store, int64_t dropped, const char *from, const char *to,
                  const char *reason, int64_t now_sec)
{
        if (dropped > 0)
                store->counts.dropped += (uint64_t)dropped;
        return store_add_row(store,
                             &(StoreRow){.topic = "",
                                         .payload = reason,
                                         .length = strlen(reason),
                                         .gap = true,
                                         .dropped = dropped,
                                         .from = from,
                                         .to = to},
                             now_sec);
}

bool store_is_dirty(const Store *store)
{
        return store->dirty;
}

int store_commit(Store *store)
{
        int rc;

        if (!store->dirty)
                return 0;
        /* While something is being read the log beside the file is not begun anew, and grows. */
        sqlite3_reset(store->statements[STATEMENT_NEXT]);
        rc = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
        if (rc != SQLITE_OK)
                return store_give_up(store, rc);
        store->dirty = false;
        store->committed = store->counts;
        store->added_bytes = 0;
        return 0;
}

/* ---- reading ---- */

int store_next(Store *store, int64_t after, StoreEvent *ret_event)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_NEXT);
        int rc;

        sqlite3_bind_int64(statement, 1, after);
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW) {
                sqlite3_reset(statement);
                return rc == SQLITE_DONE ? 0 : to_errno(rc);
        }
        *ret_event = (StoreEvent){
                .id = sqlite3_column_int64(statement, 0),
                .topic = (const char *)sqlite3_column_text(statement, 1),
                .payload = sqlite3_column_blob(statement, 2),
                .length = (size_t)sqlite3_column_bytes(statement, 2),
                .seq = (const char *)sqlite3_column_text(statement, 3),
                .gap = sqlite3_column_type(statement, 4) != SQLITE_NULL,
                .dropped = sqlite3_column_int64(statement, 4),
                .from = (const char *)sqlite3_column_text(statement, 5),
                .to = (const char *)sqlite3_column_text(statement, 6),
        };
        if (ret_event->gap)
                ret_event->reason = (const char *)sqlite3_column_text(statement, 2);
        return ret_event->topic ? 1 : -ENOMEM;
}

/* ---- texts ---- */

int store_get_text(Store *store, const char *key, char **ret_text)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_GET_TEXT);
        const char *text = "";
        int rc;

        store_bind_text(statement, 1, key);
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
                text = (const char *)sqlite3_column_text(statement, 0);
        *ret_text = rc == SQLITE_ROW || rc == SQLITE_DONE ? strdup(text ? text : "") : NULL;
        sqlite3_reset(statement);
        if (*ret_text)
                return 0;
        return to_errno(rc) < 0 ? to_errno(rc) : -ENOMEM;
}

int store_set_text(Store *store, const char *key, const char *text)
{
        sqlite3_stmt *statement;
        int r;

        r = store_make_dirty(store);
        if (r < 0)
                return r;
        statement = store_begin(store, STATEMENT_SET_TEXT);
        store_bind_text(statement, 1, key);
        store_bind_text(statement, 2, text);
        return store_run(store, statement);
}

int store_each_text(Store *store, const char *prefix,
                    int (*handler)(const char *key, const char *text, void *userdata),
                    void *userdata)
{
        sqlite3_stmt *statement = store_begin(store, STATEMENT_EACH_TEXT);
        int rc, r = 0;

        store_bind_text(statement, 1, prefix);
        while (r >= 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW)
                r = handler((const char *)sqlite3_column_text(statement, 0),
                            (const char *)sqlite3_column_text(statement, 1), userdata);
        sqlite3_reset(statement);
        return r < 0 ? r : to_errno(rc);
}
