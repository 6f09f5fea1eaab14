/* SPDX-License-Identifier: MIT */

#include "common/table.h"

#include <errno.h>
#include <string.h>

#include "common/printable.h"
#include "common/util.h"

void table_done(Table *table)
{
        for (size_t i = 0; i < table->count; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (Table){};
}

static int grow(Table *table)
{
        size_t capacity = MAX(table->capacity * 2, 64U);
        char **cells = reallocarray(table->cells, capacity, sizeof(*cells));

        if (!cells)
                return -ENOMEM;
        table->cells = cells;
        table->capacity = capacity;
        return 0;
}

int table_add(Table *table, const char *text)
{
        CLEANUP_BUFFER Buffer cell = BUFFER_INIT(0);
        char *copy = NULL;

        if (table->status < 0)
                return table->status;
        if (printable_write(&cell, text && *text ? text : "-") >= 0)
                copy = buffer_steal(&cell);
        if (!copy || (table->count == table->capacity && grow(table) < 0)) {
                free(copy);
                return table->status = -ENOMEM;
        }
        table->cells[table->count++] = copy;
        return 0;
}

/* In characters, each taken to be one column wide. */
static size_t width_of(const char *text)
{
        size_t width = 0;

        for (; *text; text++)
                width += ((unsigned char)*text & 0xc0) != 0x80;
        return width;
}

static void write_row(Buffer *buffer, const char *const *cells, const size_t *widths,
                      size_t columns)
{
        for (size_t i = 0; i < columns; i++) {
                buffer_append_text(buffer, cells[i]);
                if (i + 1 < columns)
                        buffer_printf(buffer, "%*s", (int)(widths[i] - width_of(cells[i]) + 2), "");
        }
        buffer_append_char(buffer, '\n');
}

int table_write(const Table *table, Buffer *buffer)
{
        size_t widths[TABLE_COLUMNS] = {}, columns = 0;

        if (table->status < 0)
                return table->status;
        for (; columns < TABLE_COLUMNS && table->titles[columns]; columns++)
                widths[columns] = width_of(table->titles[columns]);
        for (size_t i = 0; i < table->count; i++)
                widths[i % columns] = MAX(widths[i % columns], width_of(table->cells[i]));
        write_row(buffer, table->titles, widths, columns);
        for (size_t i = 0; i + columns <= table->count; i += columns)
                write_row(buffer, (const char *const *)table->cells + i, widths, columns);
        return buffer_status(buffer);
}
