/* SPDX-License-Identifier: MIT */
#pragma once

/* What a measurement found: one line below a row. Statistics over many times come with a histogram,
 * from which charts are drawn. */

#include "tests/bench/measure.h"

/* Times up to `upper_usec`, and above that of the bucket before. */
typedef struct FigureBucket {
        double upper_usec;
        guint count;
} FigureBucket;

/* What was not measured is 0. */
typedef struct Figure {
        const char *label; /* a constant, or interned */
        double p50_usec, p99_usec, max_usec;
        double rate;       /* calls per second */
        double cpu_usec;   /* per call */
        double count;      /* per call, or what the label says */
        bool is_count;     /* `count` is the figure, also where it is 0 */
        const char *curve; /* of a chart: NULL, or its name; the label says more */
        double at;         /* on the chart's other axis: calls in flight, or properties */
        GArray *histogram; /* of FigureBucket, owned; NULL */
} Figure;

/* Median, p99, maximum and histogram of times in microseconds. */
Figure figure_of_times(const char *label, Samples *usec);
Figure figure_of_count(const char *label, double count);
void figure_done(Figure *figure);
