/* SPDX-License-Identifier: MIT */
#pragma once

/* The two ways to measure, and the statistics over what they find.
 *
 * Latency: machines drift, by more than what is to be seen, so the ways of calling take turns in
 * short blocks, and what is compared are the blocks of one turn. All processes share one CPU: then
 * a call costs its work and no waking of idle CPUs. Throughput: unpinned, the ways take turns too,
 * and the median of the repeats counts. Time is CLOCK_MONOTONIC. */

#include "tests/bench/buses.h"
#include "tests/bench/client.h"

enum { MEASURE_CLIENTS_MAX = 3 };

typedef struct Samples Samples;

Samples *samples_new(void);
void samples_free(Samples *samples);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Samples, samples_free)

void samples_add(Samples *samples, double value);
/* `quantile` 0 … 1; 0.5 is the median, 1 the largest. Sorts. 0 without samples. */
double samples_get(Samples *samples, double quantile);
guint samples_count(const Samples *samples);
/* By size, once samples_get() has sorted them. */
double samples_at(const Samples *samples, guint i);

/* The value to compare, of one turn: from one number per client. */
typedef double (*MeasureRatio)(const double *values, unsigned n);

/* value[2] ÷ (value[0] + value[1]); value[2] ÷ 1/(1/value[0] + 1/value[1]); value[1] ÷ value[0] */
double measure_ratio_of_sum(const double *values, unsigned n);
double measure_ratio_of_rates(const double *values, unsigned n);
double measure_ratio_of_two(const double *values, unsigned n);

/* `usec` gets every call of a client, in microseconds; entries are made here and freed by the
 * caller. Returns the median over the turns of the ratio of the blocks' medians. */
double measure_latency(const Buses *buses, Client *const *clients, unsigned n, unsigned turns,
                       unsigned block, MeasureRatio ratio, Samples **usec);
/* The same on all CPUs, where a call also costs waking those that sleep. */
double measure_latency_unpinned(const Buses *buses, Client *const *clients, unsigned n,
                                unsigned turns, unsigned block, MeasureRatio ratio, Samples **usec);

/* The longest of `calls` calls, one at a time, on one CPU. */
Samples *measure_sequence(const Buses *buses, Client *client, unsigned calls);

typedef struct Throughput {
        double rate;               /* calls per second, the median of the repeats */
        double cpu_usec[PART_MAX]; /* per call, all repeats together; 0: did not run */
} Throughput;

/* Fills one entry per client, and returns the median over the repeats of the ratio of rates. */
double measure_throughput(const Buses *buses, Client *const *clients, unsigned n, unsigned repeats,
                          unsigned calls, unsigned in_flight, MeasureRatio ratio,
                          Throughput *ret_throughput);
