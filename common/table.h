/* SPDX-License-Identifier: MIT */
#pragma once

/* Tables for people: columns as wide as their widest cell, two spaces between them, titles in
 * capitals. What peers send is shown without control characters. Pure. */

#include "common/buffer.h"

enum { TABLE_COLUMNS = 8 };

typedef struct Table {
        const char *const *titles; /* borrowed; NULL-terminated, at most TABLE_COLUMNS */
        char **cells;              /* owned, row after row */
        size_t count;
        size_t capacity;
        int status; /* 0, or the first failure */
} Table;

#define TABLE_INIT(titles_) ((Table){.titles = (titles_)})

void table_done(Table *table);
#define CLEANUP_TABLE CLEANUP(table_done)

/* Fills in the next cell; an empty or NULL text is shown as "-". -ENOMEM, which is also kept. */
int table_add(Table *table, const char *text);

/* Appends the titles and all complete rows. The failure of an earlier table_add(), or of the
 * buffer. */
int table_write(const Table *table, Buffer *buffer);
