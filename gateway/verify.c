/* SPDX-License-Identifier: MIT */

#include "gateway/verify.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "common/printable.h"
#include "gateway/emit-json.h"

static const struct {
        const char *word; /* of one difference */
        const char *one;
        const char *many;
} kinds[] = {
        [VERIFY_INTROSPECTION] = {"introspection", "fact of introspection",
                                  "facts of introspection"},
        [VERIFY_PROPERTY] = {"property", "property", "properties"},
        [VERIFY_CALL] = {"call", "call", "calls"},
};

void verify_report_done(VerifyReport *report)
{
        for (size_t i = 0; i < report->count; i++) {
                free(report->items[i].where);
                free(report->items[i].legacy);
                free(report->items[i].facade);
        }
        free(report->items);
        report->items = NULL;
        report->count = 0;
}

/* ---- comparing ---- */

typedef struct Comparison {
        VerifyReport *report;
        VerifyKind kind;
        int status;
} Comparison;

static bool is_ignored(const VerifyReport *report, const char *where)
{
        for (size_t i = 0; i < report->n_ignore; i++)
                if (fnmatch(report->ignore[i], where, 0) == 0)
                        return true;
        return false;
}

static void on_difference(const char *where, const char *legacy, const char *facade, void *userdata)
{
        Comparison *comparison = userdata;
        VerifyReport *report = comparison->report;
        VerifyDifference *items, item;

        if (is_ignored(report, where)) {
                report->ignored++;
                return;
        }
        items = reallocarray(report->items, report->count + 1, sizeof(*items));
        if (!items) {
                comparison->status = -ENOMEM;
                return;
        }
        report->items = items;
        item = (VerifyDifference){
                .kind = comparison->kind,
                .where = strdup(where),
                .legacy = legacy ? strdup(legacy) : NULL,
                .facade = facade ? strdup(facade) : NULL,
        };
        if (!item.where || (legacy && !item.legacy) || (facade && !item.facade))
                comparison->status = -ENOMEM;
        if (!item.where) {
                free(item.legacy);
                free(item.facade);
                return;
        }
        items[report->count++] = item;
}

int verify_compare(VerifyReport *report, VerifyKind kind, Facts *legacy, Facts *facade)
{
        Comparison comparison = {.report = report, .kind = kind};

        facts_compare(legacy, facade, on_difference, &comparison);
        report->compared[kind] += legacy->count;
        return comparison.status;
}

/* ---- telling ---- */

int verify_write_text(const VerifyReport *report, Buffer *out)
{
        for (size_t i = 0; i < report->count; i++) {
                const VerifyDifference *item = &report->items[i];

                buffer_printf(out, "%s ", kinds[item->kind].word);
                printable_write(out, item->where);
                buffer_append_text(out, ": legacy ");
                printable_write(out, item->legacy ? item->legacy : "nothing");
                buffer_append_text(out, ", facade ");
                printable_write(out, item->facade ? item->facade : "nothing");
                buffer_append_char(out, '\n');
        }
        if (report->count == 0)
                buffer_append_text(out, "no differences");
        else
                buffer_printf(out, "%zu difference%s", report->count,
                              report->count == 1 ? "" : "s");
        for (VerifyKind kind = 0; kind < VERIFY_KINDS; kind++)
                buffer_printf(out, "%s%zu %s", kind == 0 ? " in " : ", ", report->compared[kind],
                              report->compared[kind] == 1 ? kinds[kind].one : kinds[kind].many);
        if (report->ignored > 0)
                buffer_printf(out, "; %zu left out", report->ignored);
        return buffer_append_char(out, '\n');
}

static void emit_side(EmitJson *emit, const char *key, const char *value)
{
        if (value)
                emit_string(emit, key, value);
        else
                emit_raw(emit, key, "null");
}

int verify_write_json(const VerifyReport *report, Buffer *out)
{
        static const char *const keys[] = {
                [VERIFY_INTROSPECTION] = "introspection",
                [VERIFY_PROPERTY] = "properties",
                [VERIFY_CALL] = "calls",
        };
        EmitJson emit = EMIT_JSON(out, true);

        emit_open(&emit, NULL, '{');
        emit_boolean(&emit, "equal", report->count == 0);
        emit_open_flat(&emit, "compared", '{');
        for (VerifyKind kind = 0; kind < VERIFY_KINDS; kind++)
                emit_integer(&emit, keys[kind], (int64_t)report->compared[kind]);
        emit_close(&emit, '}');
        emit_integer(&emit, "ignored", (int64_t)report->ignored);
        emit_open(&emit, "differences", '[');
        for (size_t i = 0; i < report->count; i++) {
                const VerifyDifference *item = &report->items[i];

                emit_open_flat(&emit, NULL, '{');
                emit_string(&emit, "kind", kinds[item->kind].word);
                emit_string(&emit, "where", item->where);
                emit_side(&emit, "legacy", item->legacy);
                emit_side(&emit, "facade", item->facade);
                emit_close(&emit, '}');
        }
        emit_close(&emit, ']');
        emit_close(&emit, '}');
        return buffer_append_char(out, '\n');
}
