/* SPDX-License-Identifier: MIT */

/* Counts that do not depend on the machine's mood. The gateway runs under a tool, twice, with few
 * and with many calls; the difference leaves out what starting and ending costs. */

#include "tests/bench/row.h"

#include "tests/bench/client.h"
#include "tests/bench/tree.h"

#include <string.h>

enum { IN_FLIGHT = 64 };

/* Runs the gateway under `wrapper` for some calls, and returns what both wrote to stderr. */
static char *run_calls(Buses *buses, const Row *row, const char *const *wrapper, unsigned calls,
                       unsigned in_flight)
{
        ClientMqtt settings = {.service = "bench", .qos = row->qos};
        g_autoptr(Payload) payload = payload_new(row->payload);
        Client *client;

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        buses_start_gateway(buses, wrapper, NULL);
        settings.connection = buses_get_settings(buses);
        client = client_new_mqtt(&settings, payload);
        client_run(client, calls, in_flight);
        client_free(client);
        return buses_stop_gateway(buses);
}

/* The number after `key`, with commas for thousands. */
static double find_number(const char *text, const char *key)
{
        const char *at = strstr(text, key);
        double value = 0;

        if (!at)
                g_error("'%s' is missing in: %s", key, text);
        at += strlen(key);
        for (at += strspn(at, " "); g_ascii_isdigit(*at) || *at == ','; at++)
                if (*at != ',')
                        value = value * 10 + g_ascii_digit_value(*at);
        return value;
}

static double count_by_valgrind(Buses *buses, const Row *row, const char *const *wrapper,
                                const char *key, unsigned calls)
{
        g_autofree char *output = run_calls(buses, row, wrapper, calls, 1);

        return find_number(output, key);
}

static void set_result(RowResult *result, const Effort *effort, double few, double many)
{
        Figure figure = {.label = "gateway, per call"};

        figure.count = (many - few) / (effort->exact_long - effort->exact_short);
        row_add_figure(result, &figure);
        result->value = figure.count;
}

static void measure_by_valgrind(Buses *buses, const Effort *effort, const Row *row,
                                const char *const *wrapper, const char *key, RowResult *result)
{
        double few = count_by_valgrind(buses, row, wrapper, key, effort->exact_short);
        double many = count_by_valgrind(buses, row, wrapper, key, effort->exact_long);

        set_result(result, effort, few, many);
}

void row_measure_instructions(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        const char *wrapper[] = {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                 NULL};

        measure_by_valgrind(buses, effort, row, wrapper, "Collected :", result);
}

void row_measure_allocations(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        const char *wrapper[] = {"valgrind", "--tool=memcheck", "--undef-value-errors=no", NULL};

        measure_by_valgrind(buses, effort, row, wrapper, "total heap usage:", result);
}

/* ---- system calls ---- */

/* Sums what strace -c wrote: lines of "% time, seconds, usecs/call, calls, [errors,] syscall". */
static double sum_calls(const char *path)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        double sum = 0;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                g_error("strace has written nothing");
        lines = g_strsplit(text, "\n", 0);
        for (char **line = lines; *line; line++) {
                unsigned long calls;

                if (!strstr(*line, " total") && sscanf(*line, " %*f %*f %*u %lu", &calls) == 1)
                        sum += (double)calls;
        }
        return sum;
}

static double count_syscalls(Buses *buses, const Row *row, unsigned calls, unsigned in_flight)
{
        g_autofree char *path = temp_dir_build(buses_get_directory(buses), "strace");
        /* strace leaves its child alive when it is killed; setpriv sees to that. */
        const char *wrapper[] = {"strace",  "-f",          "-c",   "-o", path,
                                 "setpriv", "--pdeathsig", "KILL", NULL};

        g_free(run_calls(buses, row, wrapper, calls, in_flight));
        return sum_calls(path);
}

static void measure_syscalls(Buses *buses, const Effort *effort, const Row *row, unsigned in_flight,
                             RowResult *result)
{
        double few = count_syscalls(buses, row, effort->exact_short, in_flight);
        double many = count_syscalls(buses, row, effort->exact_long, in_flight);

        set_result(result, effort, few, many);
}

void row_measure_syscalls(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        measure_syscalls(buses, effort, row, 1, result);
}

void row_measure_syscalls_many(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result)
{
        measure_syscalls(buses, effort, row, IN_FLIGHT, result);
}

/* ---- one change of a property ---- */

static double count_changes(Buses *buses, unsigned n_objects, unsigned changes)
{
        const char *wrapper[] = {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                 NULL};
        Tree *tree = tree_new(buses, wrapper);
        g_autofree char *output = NULL;

        tree_show(tree, n_objects);
        while (changes-- > 0)
                tree_change(tree);
        output = tree_end(tree);
        return find_number(output, "Collected :");
}

static double count_change(Buses *buses, const Effort *effort, unsigned n_objects)
{
        double few = count_changes(buses, n_objects, effort->exact_short);
        double many = count_changes(buses, n_objects, effort->exact_long);

        return (many - few) / (effort->exact_long - effort->exact_short);
}

void row_measure_growth_instructions(Buses *buses, const Effort *effort, const Row *row,
                                     RowResult *result)
{
        Figure few = {.label = "among few objects"}, many = {.label = "among many"};

        few.count = count_change(buses, effort, effort->growth_objects / 100);
        many.count = count_change(buses, effort, effort->growth_objects);
        row_add_figure(result, &few);
        row_add_figure(result, &many);
        result->value = many.count / few.count;
}
