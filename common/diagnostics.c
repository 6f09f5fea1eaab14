/* SPDX-License-Identifier: MIT */

#include "common/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/limits.h"

void diagnostics_done(Diagnostics *diagnostics)
{
        for (size_t i = 0; i < diagnostics->count; i++)
                free(diagnostics->items[i].text);
        free(diagnostics->items);
        *diagnostics = (Diagnostics){};
}

static bool make_room(Diagnostics *diagnostics)
{
        size_t capacity = MAX(diagnostics->capacity * 2, (size_t)8);
        Diagnostic *items;

        if (diagnostics->count < diagnostics->capacity)
                return true;
        items = reallocarray(diagnostics->items, capacity, sizeof(*items));
        if (!items)
                return false;
        diagnostics->items = items;
        diagnostics->capacity = capacity;
        return true;
}

void diagnostics_add(Diagnostics *diagnostics, DiagnosticLevel level, const char *format, ...)
{
        char *text = NULL;
        va_list arguments;
        size_t *counter;

        if (!diagnostics)
                return;
        counter = level == DIAGNOSTIC_ERROR ? &diagnostics->n_errors : &diagnostics->n_warnings;
        if (++*counter > LIMIT_DIAGNOSTICS || !make_room(diagnostics))
                return;
        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        if (text)
                diagnostics->items[diagnostics->count++] = (Diagnostic){level, text};
}

void diagnostics_print(const Diagnostics *diagnostics)
{
        for (size_t i = 0; diagnostics && i < diagnostics->count; i++)
                fprintf(stderr, "%s: %s\n",
                        diagnostics->items[i].level == DIAGNOSTIC_ERROR ? "error" : "warning",
                        diagnostics->items[i].text);
        if (diagnostics && diagnostics_dropped(diagnostics) > 0)
                fprintf(stderr, "and %zu more findings\n", diagnostics_dropped(diagnostics));
}
