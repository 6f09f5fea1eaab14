/* SPDX-License-Identifier: MIT */

#include "tests/bench/measure.h"

#include "tests/bench/cpu.h"

#include <stdlib.h>
#include <time.h>

/* ---- statistics ---- */

struct Samples {
        GArray *values;
};

Samples *samples_new(void)
{
        Samples *samples = g_new0(Samples, 1);

        samples->values = g_array_new(FALSE, FALSE, sizeof(double));
        return samples;
}

void samples_free(Samples *samples)
{
        if (!samples)
                return;
        g_array_free(samples->values, TRUE);
        g_free(samples);
}

void samples_add(Samples *samples, double value)
{
        g_array_append_val(samples->values, value);
}

static int compare(gconstpointer a, gconstpointer b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

double samples_get(Samples *samples, double quantile)
{
        guint n = samples->values->len;

        if (n == 0)
                return 0;
        g_array_sort(samples->values, compare);
        return g_array_index(samples->values, double, (guint)(quantile * (n - 1) + 0.5));
}

guint samples_count(const Samples *samples)
{
        return samples->values->len;
}

double samples_at(const Samples *samples, guint i)
{
        return g_array_index(samples->values, double, i);
}

double measure_ratio_of_sum(const double *values, unsigned n)
{
        return values[2] / (values[0] + values[1]);
}

double measure_ratio_of_rates(const double *values, unsigned n)
{
        return values[2] * (1 / values[0] + 1 / values[1]);
}

double measure_ratio_of_two(const double *values, unsigned n)
{
        return values[1] / values[0];
}

/* ---- latency ---- */

static double now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void pin_all(const Buses *buses, bool pinned)
{
        for (BusesPart part = 0; part < PART_MAX; part++) {
                pid_t pid = buses_get_pid(buses, part);

                if (pid > 0)
                        (pinned ? cpu_pin : cpu_unpin)(pid);
        }
}

static double time_call(Client *client)
{
        double start = now_usec();

        client_call(client);
        return now_usec() - start;
}

/* Adds the block's calls to `all`, and returns their median. */
static double time_block(Client *client, unsigned calls, Samples *all)
{
        g_autoptr(Samples) block = samples_new();

        while (calls-- > 0) {
                double usec = time_call(client);

                samples_add(block, usec);
                samples_add(all, usec);
        }
        return samples_get(block, 0.5);
}

static void warm_up(Client *const *clients, unsigned n, unsigned calls)
{
        for (unsigned i = 0; i < n; i++)
                for (unsigned call = 0; call < calls; call++)
                        client_call(clients[i]);
}

double measure_latency_unpinned(const Buses *buses, Client *const *clients, unsigned n,
                                unsigned turns, unsigned block, MeasureRatio ratio, Samples **usec)
{
        g_autoptr(Samples) ratios = samples_new();
        double medians[MEASURE_CLIENTS_MAX];

        for (unsigned i = 0; i < n; i++)
                usec[i] = samples_new();
        warm_up(clients, n, block);
        while (turns-- > 0) {
                for (unsigned i = 0; i < n; i++)
                        medians[i] = time_block(clients[i], block, usec[i]);
                samples_add(ratios, ratio(medians, n));
        }
        return samples_get(ratios, 0.5);
}

double measure_latency(const Buses *buses, Client *const *clients, unsigned n, unsigned turns,
                       unsigned block, MeasureRatio ratio, Samples **usec)
{
        double value;

        pin_all(buses, true);
        value = measure_latency_unpinned(buses, clients, n, turns, block, ratio, usec);
        pin_all(buses, false);
        return value;
}

Samples *measure_sequence(const Buses *buses, Client *client, unsigned calls)
{
        Samples *usec = samples_new();

        pin_all(buses, true);
        while (calls-- > 0)
                samples_add(usec, time_call(client));
        pin_all(buses, false);
        return usec;
}

/* ---- throughput ---- */

static void read_cpu(const Buses *buses, double *ret_usec)
{
        for (BusesPart part = 0; part < PART_MAX; part++) {
                pid_t pid = buses_get_pid(buses, part);

                ret_usec[part] = pid > 0 ? cpu_time_usec(pid) : 0;
        }
}

/* Returns calls per second, and adds the CPU time of each part to `cpu_usec`. */
static double time_run(const Buses *buses, Client *client, unsigned calls, unsigned in_flight,
                       double *cpu_usec)
{
        double before[PART_MAX], after[PART_MAX], start, usec;

        read_cpu(buses, before);
        start = now_usec();
        client_run(client, calls, in_flight);
        usec = now_usec() - start;
        read_cpu(buses, after);
        for (BusesPart part = 0; part < PART_MAX; part++)
                cpu_usec[part] += after[part] - before[part];
        return calls / usec * 1e6;
}

double measure_throughput(const Buses *buses, Client *const *clients, unsigned n, unsigned repeats,
                          unsigned calls, unsigned in_flight, MeasureRatio ratio,
                          Throughput *ret_throughput)
{
        g_autoptr(Samples) ratios = samples_new();
        Samples *all[MEASURE_CLIENTS_MAX];
        double rates[MEASURE_CLIENTS_MAX];

        for (unsigned i = 0; i < n; i++) {
                all[i] = samples_new();
                ret_throughput[i] = (Throughput){};
                client_run(clients[i], calls / 10 + in_flight, in_flight);
        }
        for (unsigned turn = 0; turn < repeats; turn++) {
                for (unsigned i = 0; i < n; i++) {
                        rates[i] = time_run(buses, clients[i], calls, in_flight,
                                            ret_throughput[i].cpu_usec);
                        samples_add(all[i], rates[i]);
                }
                samples_add(ratios, ratio(rates, n));
        }
        for (unsigned i = 0; i < n; i++) {
                ret_throughput[i].rate = samples_get(all[i], 0.5);
                for (BusesPart part = 0; part < PART_MAX; part++)
                        ret_throughput[i].cpu_usec[part] /= (double)calls * repeats;
                samples_free(all[i]);
        }
        return samples_get(ratios, 0.5);
}
