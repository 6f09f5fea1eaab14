/* SPDX-License-Identifier: MIT */
#pragma once

/* A list of findings about a file: its reader reports all it finds, not only the first, and the
 * caller prints them. Of each level LIMIT_DIAGNOSTICS texts are kept, the rest is counted. Every
 * function accepts NULL for a caller who does not want to know. */

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/util.h"

typedef enum DiagnosticLevel {
        DIAGNOSTIC_WARNING,
        DIAGNOSTIC_ERROR,
} DiagnosticLevel;

typedef struct Diagnostic {
        DiagnosticLevel level;
        char *text; /* owned; one line, without a line end */
} Diagnostic;

typedef struct Diagnostics {
        Diagnostic *items; /* owned; in the order of the reports */
        size_t count;
        size_t capacity;
        size_t n_errors; /* reported, whether their text was kept or not */
        size_t n_warnings;
} Diagnostics;

void diagnostics_done(Diagnostics *diagnostics);

/* Reports one finding. Without memory for the text it still counts. */
void diagnostics_add(Diagnostics *diagnostics, DiagnosticLevel level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Prints them to standard error, a line each. */
void diagnostics_print(const Diagnostics *diagnostics);

/* How many reports have left no text. */
static inline size_t diagnostics_dropped(const Diagnostics *diagnostics)
{
        return diagnostics->n_errors + diagnostics->n_warnings - diagnostics->count;
}

#define CLEANUP_DIAGNOSTICS CLEANUP(diagnostics_done)
