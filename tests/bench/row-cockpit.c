/* SPDX-License-Identifier: MIT */

/* Beside Cockpit's bridge, which turns D-Bus into JSON for a browser: one process and one pipe, no
 * broker. What it has is no rights per caller, no topics and no state; what a caller wants of both
 * is the answer. */

#include "tests/bench/row.h"

#include "tests/bench/client-cockpit.h"
#include "tests/bench/cpu.h"
#include "tests/bench/measure.h"

enum { IN_FLIGHT = 64 };

typedef struct Setup {
        Payload *payload;
        Client *cockpit, *gateway;
} Setup;

static void setup_init(Setup *setup, Buses *buses, const Row *row)
{
        ClientMqtt settings = {.service = "bench", .qos = row->qos};

        buses_use(buses, row->transport);
        settings.connection = buses_get_settings(buses);
        setup->payload = payload_new(row->payload);
        setup->cockpit = client_new_cockpit(buses_get_address(buses), BENCH_NAME, setup->payload);
        setup->gateway = client_new_mqtt(&settings, setup->payload);
        buses_set_pid(buses, PART_COCKPIT, client_cockpit_pid(setup->cockpit));
}

static void setup_done(Setup *setup, Buses *buses)
{
        buses_set_pid(buses, PART_COCKPIT, 0);
        client_free(setup->cockpit);
        client_free(setup->gateway);
        payload_free(setup->payload);
}

void row_measure_cockpit_call(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        Samples *usec[MEASURE_CLIENTS_MAX];
        Setup setup;

        setup_init(&setup, buses, row);
        result->value = measure_latency(buses, (Client *const[]){setup.cockpit, setup.gateway}, 2,
                                        effort->turns, effort->block, measure_ratio_of_two, usec);
        row_add_times(result, "cockpit-bridge", usec[0]);
        row_add_times(result, "gateway", usec[1]);
        samples_free(usec[0]);
        samples_free(usec[1]);
        setup_done(&setup, buses);
}

static void add_rate(RowResult *result, const char *label, const Throughput *found, BusesPart part)
{
        Figure figure = {.label = label, .rate = found->rate, .cpu_usec = found->cpu_usec[part]};

        row_add_figure(result, figure);
}

void row_measure_cockpit_cpu(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        Throughput found[2];
        Setup setup;

        setup_init(&setup, buses, row);
        measure_throughput(buses, (Client *const[]){setup.cockpit, setup.gateway}, 2,
                           effort->repeats, effort->window_calls, IN_FLIGHT, measure_ratio_of_two,
                           found);
        result->value = found[1].cpu_usec[PART_GATEWAY] / found[0].cpu_usec[PART_COCKPIT];
        add_rate(result, "cockpit-bridge", &found[0], PART_COCKPIT);
        add_rate(result, "gateway", &found[1], PART_GATEWAY);
        setup_done(&setup, buses);
}
