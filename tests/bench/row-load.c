/* SPDX-License-Identifier: MIT */

/* A service on libmqttrpc under more calls than it can answer at once, against the raw pair under
 * as many. */

#include "tests/bench/measure.h"
#include "tests/bench/row.h"

enum { IN_FLIGHT = 1000, CALLERS = 100 };

static void add_figure(RowResult *result, const char *label, const Throughput *throughput,
                       const GArray *usec)
{
        g_autoptr(Samples) samples = samples_new();
        Figure figure;

        for (guint i = 0; i < usec->len; i++)
                samples_add(samples, g_array_index(usec, double, i));
        figure = figure_of_times(label, samples);
        figure.rate = throughput->rate;
        figure.cpu_usec = throughput->cpu_usec[PART_REQUESTER];
        row_add_figure(result, figure);
}

static void measure(Buses *buses, const Effort *effort, const Row *row, unsigned callers,
                    RowResult *result)
{
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Client) raw = NULL, lib = NULL;
        ClientMqtt settings = {.service = "raw", .qos = row->qos};
        Throughput found[2];

        buses_use(buses, row->transport);
        settings.connection = buses_get_settings(buses);
        raw = client_new_mqtt(&settings, payload);
        settings.connection.user = "requester"; /* or it would get the raw pair's replies, too */
        lib = client_new_rpc(buses_get_uri(buses), &settings.connection, row->qos, callers,
                             payload);
        raw->usec = g_array_new(FALSE, FALSE, sizeof(double));
        lib->usec = g_array_new(FALSE, FALSE, sizeof(double));
        result->value =
                measure_throughput(buses, (Client *const[]){raw, lib}, 2, effort->repeats,
                                   effort->rate_calls, IN_FLIGHT, measure_ratio_of_two, found);
        add_figure(result, "raw MQTT", &found[0], raw->usec);
        add_figure(result, callers == 1 ? "libmqttrpc" : "libmqttrpc, 100 callers", &found[1],
                   lib->usec);
        g_array_unref(raw->usec);
        g_array_unref(lib->usec);
}

void row_measure_many_calls(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        measure(buses, effort, row, 1, result);
}

void row_measure_many_callers(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        measure(buses, effort, row, CALLERS, result);
}
