/* SPDX-License-Identifier: MIT */

#include "tests/bench/measure.h"
#include "tests/bench/row.h"

enum {
        IN_FLIGHT = 64,
        BATCH = 64,
};

typedef struct Setup {
        Payload *payload;
        Client *dbus, *raw, *gateway, *batch;
} Setup;

static Client *new_mqtt(const Buses *buses, const Row *row, const char *service, unsigned batch,
                        const Payload *payload)
{
        ClientMqtt settings = {
                .connection = buses_get_settings(buses),
                .service = service,
                .qos = row->qos,
                .batch = batch,
        };

        return client_new_mqtt(&settings, payload);
}

static void setup_init(Setup *setup, Buses *buses, const Row *row)
{
        buses_use(buses, row->transport);
        setup->payload = payload_new(row->payload);
        setup->dbus = client_new_dbus(buses_get_address(buses), BENCH_NAME, setup->payload);
        setup->raw = new_mqtt(buses, row, "raw", 1, setup->payload);
        setup->gateway = new_mqtt(buses, row, "bench", 1, setup->payload);
        setup->batch = new_mqtt(buses, row, "bench", BATCH, setup->payload);
}

static void setup_done(Setup *setup)
{
        client_free(setup->dbus);
        client_free(setup->raw);
        client_free(setup->gateway);
        client_free(setup->batch);
        payload_free(setup->payload);
}

static void add_rate(RowResult *result, const char *label, const Throughput *throughput,
                     BusesPart part)
{
        Figure figure = {
                .label = label, .rate = throughput->rate, .cpu_usec = throughput->cpu_usec[part]};

        row_add_figure(result, figure);
}

/* Who did what for a call through the gateway. */
static void add_parts(RowResult *result, const Throughput *gateway)
{
        static const BusesPart parts[] = {PART_BROKER, PART_GATEWAY, PART_DBUS_DAEMON,
                                          PART_REQUESTER, PART_SERVICE};

        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
                Figure figure = {.label = buses_part_name(parts[i]),
                                 .cpu_usec = gateway->cpu_usec[parts[i]]};

                row_add_figure(result, figure);
        }
}

void row_measure_rate(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        Throughput found[3];
        Setup setup;

        setup_init(&setup, buses, row);
        result->value = measure_throughput(
                buses, (Client *const[]){setup.dbus, setup.raw, setup.gateway}, 3, effort->repeats,
                effort->rate_calls, IN_FLIGHT, measure_ratio_of_rates, found);
        add_rate(result, "D-Bus", &found[0], PART_REQUESTER);
        add_rate(result, "raw MQTT", &found[1], PART_REQUESTER);
        add_rate(result, "through the gateway", &found[2], PART_REQUESTER);
        add_parts(result, &found[2]);
        setup_done(&setup);
}

/* One batch is a large message that each stage works on in turn, so two are under way: the stages
 * work side by side, as they do with single calls. */
void row_measure_batch(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        unsigned calls = effort->rate_calls / BATCH * BATCH;
        Throughput found[2];
        Setup setup;

        setup_init(&setup, buses, row);
        result->value =
                measure_throughput(buses, (Client *const[]){setup.gateway, setup.batch}, 2,
                                   effort->repeats, calls, 2 * BATCH, measure_ratio_of_two, found);
        add_rate(result, "single", &found[0], PART_REQUESTER);
        add_rate(result, "batches", &found[1], PART_REQUESTER);
        add_parts(result, &found[1]);
        setup_done(&setup);
}

/* What a gateway has to do at least is what its neighbours do: call by sd-bus, answer on MQTT. */
void row_measure_cpu(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        Throughput found[3];
        double least;
        Setup setup;

        setup_init(&setup, buses, row);
        measure_throughput(buses, (Client *const[]){setup.dbus, setup.raw, setup.gateway}, 3,
                           effort->repeats, effort->rate_calls, IN_FLIGHT, measure_ratio_of_rates,
                           found);
        least = found[0].cpu_usec[PART_REQUESTER] + found[1].cpu_usec[PART_RESPONDER];
        result->value = found[2].cpu_usec[PART_GATEWAY] / least;
        add_rate(result, "D-Bus client", &found[0], PART_REQUESTER);
        add_rate(result, "MQTT responder", &found[1], PART_RESPONDER);
        add_rate(result, "gateway", &found[2], PART_GATEWAY);
        setup_done(&setup);
}
