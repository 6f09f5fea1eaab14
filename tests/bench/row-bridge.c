/* SPDX-License-Identifier: MIT */

#include <stdlib.h>

#include "tests/bench/cpu.h"
#include "tests/bench/crossing.h"
#include "tests/bench/measure.h"
#include "tests/bench/row.h"

static Client *new_client(const Crossing *crossing, bool cloud, const char *prefix,
                          const Payload *payload)
{
        ClientMqtt settings = {.connection = crossing_get_settings(crossing, cloud),
                               .service = "lib",
                               .prefix = prefix,
                               .qos = 1};

        return client_new_mqtt(&settings, payload);
}

/* Whoever calls through the bridge crosses both brokers, so what it is compared with is a call at
 * the one and a call at the other, of the same service by the same requester. */
void row_measure_bridge_call(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        static const char *const labels[] = {"local broker", "cloud broker", "through the bridge"};
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Crossing) crossing = crossing_new();
        g_autoptr(Client) local = new_client(crossing, false, "", payload);
        g_autoptr(Client) cloud = new_client(crossing, true, "", payload);
        g_autoptr(Client) bridge = new_client(crossing, true, "dev1/", payload);
        Samples *usec[MEASURE_CLIENTS_MAX];

        crossing_pin(crossing, true);
        result->value = measure_latency(buses, (Client *const[]){local, cloud, bridge}, 3,
                                        effort->turns, effort->block, measure_ratio_of_sum, usec);
        for (unsigned i = 0; i < 3; i++) {
                row_add_times(result, labels[i], usec[i]);
                samples_free(usec[i]);
        }
}

typedef struct Streams {
        Samples *stock, *ours, *ratio;
        double stock_cpu, ours_cpu; /* microseconds, of mosquitto and of the bridge */
} Streams;

static void take_turn(Crossing *crossing, Streams *streams, unsigned n)
{
        pid_t broker = process_get_pid(broker_get_process(crossing->stage->local));
        pid_t bridge = process_get_pid(crossing->stage->bridge);
        double stock, ours, before;

        before = cpu_time_usec(broker);
        stock = crossing_stream(crossing, "stock", n);
        streams->stock_cpu += cpu_time_usec(broker) - before;
        before = cpu_time_usec(bridge);
        ours = crossing_stream(crossing, "ours", n);
        streams->ours_cpu += cpu_time_usec(bridge) - before;
        samples_add(streams->stock, stock);
        samples_add(streams->ours, ours);
        samples_add(streams->ratio, ours / stock);
}

static void add_rate(RowResult *result, const char *label, Samples *rates, double cpu_usec)
{
        Figure figure = {.label = label, .rate = samples_get(rates, 0.5), .cpu_usec = cpu_usec};

        row_add_figure(result, figure);
}

static void measure_streams(Crossing *crossing, const Effort *effort, RowResult *result)
{
        Streams streams = {samples_new(), samples_new(), samples_new(), 0, 0};
        double n = (double)effort->rate_calls * effort->repeats;

        for (unsigned turn = 0; turn < effort->repeats; turn++)
                take_turn(crossing, &streams, effort->rate_calls);
        add_rate(result, "mosquitto's bridge", streams.stock, streams.stock_cpu / n);
        add_rate(result, "mqttrpc-bridge", streams.ours, streams.ours_cpu / n);
        result->value = samples_get(streams.ratio, 0.5);
        samples_free(streams.stock);
        samples_free(streams.ours);
        samples_free(streams.ratio);
}

void row_measure_bridge_events(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result)
{
        g_autoptr(Crossing) crossing = crossing_new();

        measure_streams(crossing, effort, result);
}

static void wait_for_queue(Crossing *crossing, unsigned n)
{
        g_autofree char *text = g_strdup_printf("%u", n);

        bridge_stage_expect(crossing->stage, "QueueEvents", text);
}

/* From when the first that waited arrives: when the bridge connects again is a matter of chance. */
static double measure_catch_up(Crossing *crossing, unsigned n)
{
        unsigned start_count, end;
        gint64 start;

        wait_for_queue(crossing, 0);
        crossing_stop_cloud(crossing);
        for (unsigned i = 0; i < n; i++) {
                crossing_send(crossing, "ours");
                if (i % 100 == 0)
                        crossing_process(crossing);
        }
        while (mosquitto_want_write(crossing->device))
                crossing_process(crossing);
        wait_for_queue(crossing, n);
        end = crossing->received + n;
        start_count = crossing->received;
        crossing_start_cloud(crossing);
        while (crossing->received == start_count)
                crossing_process(crossing);
        start = g_get_monotonic_time();
        start_count = crossing->received;
        while (crossing->received < end)
                crossing_process(crossing);
        return (end - start_count) * 1e6 / (double)(g_get_monotonic_time() - start);
}

void row_measure_bridge_catch_up(Buses *buses, const Effort *effort, const Row *row,
                                 RowResult *result)
{
        g_autoptr(Crossing) crossing = crossing_new();
        Figure live = {.label = "as they come"}, late = {.label = "after offline time"};

        live.rate = crossing_stream(crossing, "ours", effort->rate_calls);
        late.rate = measure_catch_up(crossing, effort->rate_calls);
        row_add_figure(result, live);
        row_add_figure(result, late);
        result->value = late.rate / live.rate;
}

void row_measure_bridge_rss(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autoptr(Crossing) crossing = crossing_new();
        double idle, busy;
        pid_t bridge = process_get_pid(crossing->stage->bridge);

        idle = cpu_rss_kib(bridge);
        crossing_stream(crossing, "ours", effort->rate_calls);
        crossing_stream(crossing, "stock", effort->rate_calls);
        busy = cpu_rss_kib(bridge);
        row_add_count(result, "idle, KiB", idle);
        row_add_count(result, "after a stream, KiB", busy);
        row_add_count(result, "mosquitto, KiB",
                      cpu_rss_kib(process_get_pid(broker_get_process(crossing->stage->local))));
        result->value = busy * 1024 / 1e6;
}
