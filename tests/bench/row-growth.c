/* SPDX-License-Identifier: MIT */

/* How the cost of a service grows with its objects: a snapshot of all of them, the memory they
 * take, and what one change costs among many. The sizes take turns, as everywhere. */

#include "tests/bench/row.h"

#include "tests/bench/measure.h"
#include "tests/bench/tree.h"

#include <math.h>

enum { SIZES = 3 };

/* Each ten times the one before. */
static unsigned size_at(const Effort *effort, unsigned i)
{
        unsigned size = effort->growth_objects;

        for (; i + 1 < SIZES; i++)
                size /= 10;
        return size;
}

static const char *label_of(const Effort *effort, unsigned i, const char *what)
{
        g_autofree char *text = g_strdup_printf("%u objects%s", size_at(effort, i), what);

        return g_intern_string(text);
}

/* The e of cost ~ size^e: 1 is linear. */
static void add_exponent(RowResult *result, const char *label, const double *costs)
{
        row_add_count(result, label, (log10(costs[SIZES - 1]) - log10(costs[0])) / (SIZES - 1));
}

/* ---- snapshots ---- */

typedef struct CostSamples {
        Samples *usec; /* per property */
        Samples *cpu;
} CostSamples;

static CostSamples cost_samples_new(void)
{
        return (CostSamples){.usec = samples_new(), .cpu = samples_new()};
}

static void cost_samples_done(CostSamples *samples)
{
        samples_free(samples->usec);
        samples_free(samples->cpu);
}

static void cost_samples_add(CostSamples *samples, TreeCost cost, double n)
{
        samples_add(samples->usec, cost.usec / n);
        samples_add(samples->cpu, cost.cpu / n);
}

/* `curve` NULL: not for the chart. */
static void report_costs(const char *label, CostSamples *samples, const char *curve,
                         double n_properties, RowResult *result)
{
        Figure figure = figure_of_times(label, samples->usec);

        figure.cpu_usec = samples_get(samples->cpu, 0.5);
        figure.curve = curve;
        figure.at = n_properties;
        row_add_figure(result, figure);
}

static double properties_at(const Effort *effort, unsigned i)
{
        return (double)size_at(effort, i) * TREE_PROPERTIES;
}

static void report_snapshots(const Effort *effort, CostSamples *shown, CostSamples *gone,
                             RowResult *result)
{
        double usec[SIZES], cpu[SIZES];

        for (unsigned i = 0; i < SIZES; i++) {
                report_costs(label_of(effort, i, ""), &shown[i], "appear", properties_at(effort, i),
                             result);
                usec[i] = samples_get(shown[i].usec, 0.5) * properties_at(effort, i);
                cpu[i] = samples_get(shown[i].cpu, 0.5) * properties_at(effort, i);
        }
        add_exponent(result, "exponent, time", usec);
        add_exponent(result, "exponent, CPU", cpu);
        for (unsigned i = 0; i < SIZES; i++)
                report_costs(label_of(effort, i, " go"), &gone[i], "go", properties_at(effort, i),
                             result);
}

void row_measure_growth_time(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autoptr(Samples) ratios = samples_new();
        g_autoptr(Tree) tree = tree_new(buses, NULL);
        CostSamples shown[SIZES], gone[SIZES];
        double usec[SIZES];

        for (unsigned i = 0; i < SIZES; i++) {
                shown[i] = cost_samples_new();
                gone[i] = cost_samples_new();
        }
        for (unsigned turn = 0; turn < effort->growth_turns; turn++) {
                for (unsigned i = 0; i < SIZES; i++) {
                        TreeCost cost = tree_show(tree, size_at(effort, i));

                        usec[i] = cost.usec / properties_at(effort, i);
                        cost_samples_add(&shown[i], cost, properties_at(effort, i));
                        cost_samples_add(&gone[i], tree_hide(tree), properties_at(effort, i));
                }
                samples_add(ratios, usec[SIZES - 1] / usec[SIZES - 2]);
        }
        report_snapshots(effort, shown, gone, result);
        for (unsigned i = 0; i < SIZES; i++) {
                cost_samples_done(&shown[i]);
                cost_samples_done(&gone[i]);
        }
        result->value = samples_get(ratios, 0.5);
}

/* ---- memory ---- */

/* Bytes that a gateway has taken for so many objects, beyond what it had with none. */
static double take_memory(Buses *buses, unsigned n_objects)
{
        g_autoptr(Tree) tree = tree_new(buses, NULL);
        double before = tree_memory(tree);

        tree_show(tree, n_objects);
        return tree_memory(tree) - before;
}

void row_measure_growth_memory(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result)
{
        double bytes[SIZES];

        for (unsigned i = 0; i < SIZES; i++) {
                bytes[i] = take_memory(buses, size_at(effort, i));
                row_add_count(result, label_of(effort, i, ", KiB"), bytes[i] / 1024);
        }
        add_exponent(result, "exponent", bytes);
        result->value = bytes[SIZES - 1] / properties_at(effort, SIZES - 1);
}

/* ---- a change ---- */

/* Adds each change to `all`, and returns the median of their CPU time. */
static double change_block(Tree *tree, unsigned n_objects, unsigned changes, CostSamples *all)
{
        g_autoptr(Samples) block = samples_new();

        tree_show(tree, n_objects);
        for (unsigned i = 0; i < changes / 10; i++)
                tree_change(tree);
        for (unsigned i = 0; i < changes; i++) {
                TreeCost cost = tree_change(tree);

                samples_add(block, cost.cpu);
                cost_samples_add(all, cost, 1);
        }
        tree_hide(tree);
        return samples_get(block, 0.5);
}

void row_measure_growth_change(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result)
{
        CostSamples few = cost_samples_new(), many = cost_samples_new();
        g_autoptr(Samples) ratios = samples_new();
        g_autoptr(Tree) tree = tree_new(buses, NULL);

        tree_pin(tree, true);
        for (unsigned turn = 0; turn < effort->growth_turns; turn++) {
                double least = change_block(tree, size_at(effort, 0), effort->growth_changes, &few);
                double most = change_block(tree, size_at(effort, SIZES - 1), effort->growth_changes,
                                           &many);

                samples_add(ratios, most / least);
        }
        tree_pin(tree, false);
        report_costs(label_of(effort, 0, ""), &few, NULL, 0, result);
        report_costs(label_of(effort, SIZES - 1, ""), &many, NULL, 0, result);
        cost_samples_done(&few);
        cost_samples_done(&many);
        result->value = samples_get(ratios, 0.5);
}
