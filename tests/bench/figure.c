/* SPDX-License-Identifier: MIT */

#include "tests/bench/figure.h"

#include <math.h>

/* Buckets of a histogram, per factor of two: each is 9 % wider than the one before. */
enum { BUCKETS_PER_OCTAVE = 8 };

static double bucket_upper(double usec)
{
        return exp2(ceil(log2(MAX(usec, 1)) * BUCKETS_PER_OCTAVE) / BUCKETS_PER_OCTAVE);
}

static GArray *make_histogram(Samples *usec)
{
        GArray *histogram = g_array_new(FALSE, FALSE, sizeof(FigureBucket));
        FigureBucket bucket = {};

        for (guint i = 0; i < samples_count(usec); i++) {
                double upper = bucket_upper(samples_at(usec, i));

                if (bucket.count > 0 && upper > bucket.upper_usec) {
                        g_array_append_val(histogram, bucket);
                        bucket.count = 0;
                }
                bucket.upper_usec = upper;
                bucket.count++;
        }
        if (bucket.count > 0)
                g_array_append_val(histogram, bucket);
        return histogram;
}

Figure figure_of_times(const char *label, Samples *usec)
{
        return (Figure){.label = label,
                        .p50_usec = samples_get(usec, 0.5),
                        .p99_usec = samples_get(usec, 0.99),
                        .max_usec = samples_get(usec, 1),
                        .histogram = make_histogram(usec)};
}

Figure figure_of_count(const char *label, double count)
{
        return (Figure){.label = label, .count = count, .is_count = true};
}

void figure_done(Figure *figure)
{
        if (figure->histogram)
                g_array_unref(figure->histogram);
        figure->histogram = NULL;
}
