/* SPDX-License-Identifier: MIT */

/* The benchmark of the gateway: private buses, every row of the goals with its baseline, measured
 * in turns. docs/PERFORMANCE.md tells how to read what it prints. */

#include "tests/bench/report.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIPPED = 77 }; /* as ctest is told */

static const Effort full = {
        .name = "full",
        .turns = 40,
        .block = 150,
        .slow_calls = 10000,
        .repeats = 3,
        .rate_calls = 50000,
        .exact_short = 100,
        .exact_long = 1100,
        .growth_objects = 1000,
        .growth_turns = 9,
        .growth_changes = 1000,
        .window_calls = 20000,
        .burst = 100000,
        .idle_msec = 10000,
        .moves = 50,
        .outage_msec = 3000,
};

static const Effort quick = {
        .name = "quick",
        .turns = 12,
        .block = 150,
        .slow_calls = 10000,
        .repeats = 3,
        .rate_calls = 3000,
        .exact_short = 100,
        .exact_long = 600,
        .growth_objects = 1000,
        .growth_turns = 3,
        .growth_changes = 100,
        .window_calls = 2000,
        .burst = 100000,
        .idle_msec = 10000,
        .moves = 8,
        .outage_msec = 1000,
};

static const Effort smoke = {
        .name = "smoke",
        .turns = 2,
        .block = 5,
        .slow_calls = 50,
        .repeats = 1,
        .rate_calls = 256,
        .exact_short = 10,
        .exact_long = 30,
        .growth_objects = 100,
        .growth_turns = 1,
        .growth_changes = 20,
        .window_calls = 300,
        .burst = 2000,
        .idle_msec = 50,
        .moves = 1,
        .outage_msec = 300,
};

static struct {
        gboolean quick, smoke, exact, gate, list;
        char **only;
        char *json;
} options;

static const GOptionEntry entries[] = {
        {"quick", 0, 0, G_OPTION_ARG_NONE, &options.quick, "Measure less, in about a minute", NULL},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.only,
         "Measure this row, or those whose names begin with ROW-; may be repeated, and have * in "
         "it",
         "ROW"},
        {"exact", 0, 0, G_OPTION_ARG_NONE, &options.exact,
         "Also count instructions, allocations and system calls (valgrind, strace)", NULL},
        {"gate", 0, 0, G_OPTION_ARG_NONE, &options.gate,
         "Measure the counts alone, and fail where one is above its gate", NULL},
        {"json", 0, 0, G_OPTION_ARG_FILENAME, &options.json, "Write the figures to FILE", "FILE"},
        {"list", 0, 0, G_OPTION_ARG_NONE, &options.list, "List the rows", NULL},
        {"smoke", 0, 0, G_OPTION_ARG_NONE, &options.smoke,
         "Only see whether every row can be measured; the figures mean nothing", NULL},
        {},
};

/* "growth" means all of "growth-…", unless a row has that very name. */
static bool is_meant(const char *pattern, const Row *row)
{
        size_t length = strlen(pattern);

        if (g_pattern_match_simple(pattern, row->name))
                return true;
        for (const Row *other = row_table; other->name; other++)
                if (!strcmp(other->name, pattern))
                        return false;
        return !strncmp(row->name, pattern, length) && row->name[length] == '-';
}

/* With --only nothing else decides: a row that is named is wanted. */
static bool is_wanted(const Row *row)
{
        if (options.gate && row->gate <= 0)
                return false;
        for (char **pattern = options.only; pattern && *pattern; pattern++)
                if (is_meant(*pattern, row))
                        return true;
        return !options.only && (!row->exact || options.exact || options.gate);
}

static bool only_names_rows(void)
{
        for (char **pattern = options.only; pattern && *pattern; pattern++) {
                bool found = false;

                for (const Row *row = row_table; row->name; row++)
                        found = found || is_meant(*pattern, row);
                if (!found) {
                        fprintf(stderr, "bench-gateway: no row '%s'; see --list\n", *pattern);
                        return false;
                }
        }
        return true;
}

/* What the ordinary tests see to. */
static bool is_within_gate(const Row *row, double value)
{
        if (!options.gate || value <= row->gate)
                return true;
        fprintf(stderr,
                "bench-gateway: %s: %.2f, and the gate is %.2f (tests/bench/row.c); the lines "
                "above "
                "tell what costs it\n",
                row->name, value, row->gate);
        return false;
}

static int measure_row(Report *report, Buses *buses, const Effort *effort, const Row *row)
{
        g_autofree char *tool = row->tool ? g_find_program_in_path(row->tool) : NULL;
        RowResult result = {};
        gint64 start;

        if (row->tool && !tool) {
                g_autofree char *why = g_strdup_printf("%s is not installed", row->tool);

                report_skip(report, row, why);
                return options.gate ? EXIT_SKIPPED : EXIT_SUCCESS;
        }
        result.figures = g_array_new(FALSE, FALSE, sizeof(Figure));
        g_array_set_clear_func(result.figures, (GDestroyNotify)figure_done);
        start = g_get_monotonic_time();
        row->measure(buses, effort, row, &result);
        result.seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
        report_add(report, row, &result);
        g_array_free(result.figures, TRUE);
        return is_within_gate(row, result.value) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int measure_all(void)
{
        const Effort *effort = options.smoke                   ? &smoke
                               : options.quick || options.gate ? &quick
                                                               : &full;
        g_autoptr(Report) report = report_new(effort);
        g_autoptr(Buses) buses = buses_new();
        int status = EXIT_SUCCESS;

        for (const Row *row = row_table; row->name; row++) {
                int r = is_wanted(row) ? measure_row(report, buses, effort, row) : EXIT_SUCCESS;

                if (status != EXIT_FAILURE && r != EXIT_SUCCESS)
                        status = r;
        }
        report_finish(report);
        if (options.json && report_write_json(report, options.json) < 0)
                return EXIT_FAILURE;
        return status;
}

static void list_rows(void)
{
        for (const Row *row = row_table; row->name; row++)
                printf("%-20s %s%s\n", row->name, row->text, row->exact ? " (--exact)" : "");
}

int main(int argc, char **argv)
{
        g_autoptr(GOptionContext) context = g_option_context_new("- benchmark of the gateway");
        g_autoptr(GError) error = NULL;

        setlocale(LC_CTYPE, "C.UTF-8");
        g_option_context_add_main_entries(context, entries, NULL);
        if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
                fprintf(stderr, "bench-gateway: %s\n", error ? error->message : "no arguments");
                return 2;
        }
        if (!only_names_rows())
                return 2;
        if (!options.list)
                return measure_all();
        list_rows();
        return 0;
}
