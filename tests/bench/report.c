/* SPDX-License-Identifier: MIT */

#include "tests/bench/report.h"

#include <errno.h>
#include <math.h>
#include <mosquitto.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { LABEL_WIDTH = 28 };

struct Report {
        GString *json;
        unsigned n_rows, n_ok, n_skipped;
};

/* ---- the machine ---- */

static char *read_cpu_model(void)
{
        g_autofree char *text = NULL;
        char *at;

        if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL) ||
            !(at = strstr(text, "model name")) || !(at = strchr(at, ':')))
                return g_strdup("unknown CPU");
        return g_strndup(at + 2, strcspn(at + 2, "\n"));
}

static char *describe_machine(void)
{
        g_autofree char *model = read_cpu_model();
        int major = 0, minor = 0, revision = 0;
        struct utsname kernel;
        double load = 0;

        uname(&kernel);
        (void)!getloadavg(&load, 1);
        mosquitto_lib_version(&major, &minor, &revision);
        return g_strdup_printf("%ld × %s, Linux %s, libmosquitto %d.%d.%d, load at start %.2f",
                               sysconf(_SC_NPROCESSORS_ONLN), model, kernel.release, major, minor,
                               revision, load);
}

void report_free(Report *report)
{
        g_string_free(report->json, TRUE);
        g_free(report);
}

/* ---- the table ---- */

static void print_cell(double value, int decimals)
{
        if (value > 0)
                printf(" %9.*f", decimals, value);
        else
                printf(" %9s", "");
}

/* A label may have letters of two bytes. */
static void print_label(const char *label)
{
        printf("  %s%*s", label, (int)MAX(LABEL_WIDTH - g_utf8_strlen(label, -1), 0), "");
}

static void print_figure(const Figure *figure)
{
        print_label(figure->label);
        if (figure->is_count) {
                printf(" %9.*f\n", figure->count < 10 ? 2 : 1, figure->count);
                return;
        }
        print_cell(figure->p50_usec, 1);
        print_cell(figure->p99_usec, 1);
        print_cell(figure->max_usec, 0);
        print_cell(figure->rate, 0);
        print_cell(figure->cpu_usec, 1);
        putchar('\n');
}

/* Large numbers without decimals, small ones with enough of them. */
static const char *format_value(char *text, size_t size, double value)
{
        snprintf(text, size, "%.*f", value >= 1000 ? 0 : value >= 100 ? 1 : 2, value);
        return text;
}

static void print_verdict(const Row *row, double value)
{
        char measured[32], goal[32];

        printf("%s %s, goal %s %s: ", row->text, format_value(measured, sizeof(measured), value),
               row->kind == GOAL_AT_MOST ? "≤" : "≥", format_value(goal, sizeof(goal), row->goal));
        if (row_is_ok(row, value))
                printf("ok\n\n");
        else if (row->goal != 0)
                printf("gap %+.0f %%\n\n", row_gap(row, value));
        else
                printf("gap\n\n");
        fflush(stdout);
}

/* ---- JSON ---- */

/* What is for people goes through here: a processor may have quotes in its name. */
static void add_text(GString *json, const char *key, const char *text)
{
        g_string_append_printf(json, "\"%s\":\"", key);
        for (; *text; text++) {
                if (*text == '"' || *text == '\\')
                        g_string_append_c(json, '\\');
                if ((unsigned char)*text >= ' ')
                        g_string_append_c(json, *text);
        }
        g_string_append_c(json, '"');
}

static void add_number(GString *json, const char *key, double value)
{
        char text[G_ASCII_DTOSTR_BUF_SIZE];

        g_string_append_printf(json, ",\"%s\":%s", key,
                               g_ascii_formatd(text, sizeof(text), "%.6g", value));
}

static void add_known(GString *json, const char *key, double value)
{
        if (value != 0)
                add_number(json, key, value);
}

/* Pairs of the upper end of a bucket, in microseconds, and how many were in it. */
static void add_histogram(GString *json, const GArray *histogram)
{
        char text[G_ASCII_DTOSTR_BUF_SIZE];

        g_string_append(json, ",\"histogram\":[");
        for (guint i = 0; i < histogram->len; i++) {
                const FigureBucket *bucket = &g_array_index(histogram, FigureBucket, i);

                g_ascii_formatd(text, sizeof(text), "%.5g", bucket->upper_usec);
                g_string_append_printf(json, "%s[%s,%u]", i ? "," : "", text, bucket->count);
        }
        g_string_append_c(json, ']');
}

static void add_figure(GString *json, const Figure *figure)
{
        g_string_append_c(json, '{');
        add_text(json, "label", figure->label);
        add_known(json, "p50_us", figure->p50_usec);
        add_known(json, "p99_us", figure->p99_usec);
        add_known(json, "max_us", figure->max_usec);
        add_known(json, "calls_per_s", figure->rate);
        add_known(json, "cpu_us", figure->cpu_usec);
        if (figure->is_count)
                add_number(json, "count", figure->count);
        if (figure->curve) {
                g_string_append_printf(json, ",\"curve\":\"%s\"", figure->curve);
                add_number(json, "at", figure->at);
        }
        if (figure->histogram)
                add_histogram(json, figure->histogram);
        g_string_append_c(json, '}');
}

static void begin_row(Report *report, const Row *row)
{
        g_string_append_printf(report->json, "%s\n{\"name\":\"%s\",\"text\":\"%s\"",
                               report->n_rows + report->n_skipped > 0 ? "," : "", row->name,
                               row->text);
        g_string_append_printf(report->json, ",\"better\":\"%s\"",
                               row->kind == GOAL_AT_MOST ? "lower" : "higher");
        add_number(report->json, "goal", row->goal);
}

static void add_row(Report *report, const Row *row, const RowResult *result)
{
        GString *json = report->json;

        begin_row(report, row);
        add_number(json, "value", result->value);
        add_number(json, "seconds", result->seconds);
        if (row->goal != 0)
                add_number(json, "gap_percent",
                           row_is_ok(row, result->value) ? 0 : row_gap(row, result->value));
        g_string_append_printf(json, ",\"verdict\":\"%s\",\"figures\":[",
                               row_is_ok(row, result->value) ? "ok" : "gap");
        for (guint i = 0; i < result->figures->len; i++) {
                if (i > 0)
                        g_string_append_c(json, ',');
                add_figure(json, &g_array_index(result->figures, Figure, i));
        }
        g_string_append(json, "]}");
}

/* ---- rows ---- */

Report *report_new(const Effort *effort)
{
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autofree char *date = g_date_time_format(now, "%Y-%m-%d");
        g_autofree char *machine = describe_machine();
        Report *report = g_new0(Report, 1);

        printf("%s\n\n%-30s %9s %9s %9s %9s %9s\n", machine, "", "p50 µs", "p99 µs", "max µs",
               "calls/s", "CPU µs");
        report->json = g_string_new(NULL);
        g_string_append_c(report->json, '{');
        add_text(report->json, "machine", machine);
        g_string_append_printf(report->json, ",\"date\":\"%s\",\"effort\":\"%s\",\"rows\":[", date,
                               effort->name);
        return report;
}

void report_add(Report *report, const Row *row, const RowResult *result)
{
        printf("%s\n", row->name);
        for (guint i = 0; i < result->figures->len; i++)
                print_figure(&g_array_index(result->figures, Figure, i));
        print_verdict(row, result->value);
        add_row(report, row, result);
        report->n_rows++;
        report->n_ok += row_is_ok(row, result->value);
}

void report_skip(Report *report, const Row *row, const char *why)
{
        printf("%s\n%s: not measured, %s\n\n", row->name, row->text, why);
        begin_row(report, row);
        g_string_append_printf(report->json, ",\"skipped\":\"%s\"}", why);
        report->n_skipped++;
}

void report_finish(const Report *report)
{
        printf("%u rows: %u ok, %u with a gap", report->n_rows, report->n_ok,
               report->n_rows - report->n_ok);
        if (report->n_skipped > 0)
                printf(", %u not measured", report->n_skipped);
        putchar('\n');
}

int report_write_json(const Report *report, const char *path)
{
        g_autofree char *text = g_strdup_printf("%s\n]}\n", report->json->str);
        g_autoptr(GError) error = NULL;

        if (g_file_set_contents(path, text, -1, &error))
                return 0;
        fprintf(stderr, "bench-gateway: %s\n", error->message);
        return -EIO;
}
