/* SPDX-License-Identifier: MIT */

/* Calls a second against calls in flight, of every way, in turns, on all CPUs. */

#include "tests/bench/measure.h"
#include "tests/bench/row.h"

enum { WAYS = 4 };

static const unsigned windows[] = {1, 4, 16, 64, 256};
static const char *const names[WAYS] = {"D-Bus", "raw MQTT", "gateway", "facade"};

typedef struct Setup {
        Payload *payload;
        Client *clients[WAYS];
} Setup;

static Client *new_mqtt(const Buses *buses, const Row *row, const char *service,
                        const Payload *payload)
{
        ClientMqtt settings = {
                .connection = buses_get_settings(buses), .service = service, .qos = row->qos};

        return client_new_mqtt(&settings, payload);
}

static void setup_init(Setup *setup, Buses *buses, const Row *row)
{
        const char *address = buses_get_address(buses);

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        buses_start_both(buses);
        setup->payload = payload_new(row->payload);
        setup->clients[0] = client_new_dbus(address, BENCH_NAME, setup->payload);
        setup->clients[1] = new_mqtt(buses, row, "raw", setup->payload);
        setup->clients[2] = new_mqtt(buses, row, "bench", setup->payload);
        setup->clients[3] = client_new_dbus(address, FACADE_NAME, setup->payload);
}

static void setup_done(Setup *setup, Buses *buses)
{
        for (unsigned i = 0; i < WAYS; i++)
                client_free(setup->clients[i]);
        payload_free(setup->payload);
        g_free(buses_stop_gateway(buses)); /* others want the usual one */
}

static double one_rate(const double *rates, unsigned n)
{
        return rates[0];
}

static double measure_way(Buses *buses, const Effort *effort, const Setup *setup, unsigned way,
                          unsigned window, RowResult *result)
{
        Client *const clients[] = {setup->clients[way]};
        g_autofree char *label = g_strdup_printf("%s, %u in flight", names[way], window);
        Figure figure = {.label = g_intern_string(label), .curve = names[way], .at = window};
        Throughput found;

        /* one at a time they are slow */
        measure_throughput(buses, clients, 1, effort->repeats,
                           effort->window_calls / (window == 1 ? 4 : 1), window, one_rate, &found);
        figure.rate = found.rate;
        figure.cpu_usec = found.cpu_usec[PART_GATEWAY];
        row_add_figure(result, figure);
        return found.rate;
}

/* More calls in flight than are useful must not make it slower. */
void row_measure_inflight(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        double rates[G_N_ELEMENTS(windows)] = {};
        Setup setup;

        setup_init(&setup, buses, row);
        for (size_t i = 0; i < G_N_ELEMENTS(windows); i++)
                for (unsigned way = 0; way < WAYS; way++) {
                        double rate = measure_way(buses, effort, &setup, way, windows[i], result);

                        if (way == 2)
                                rates[i] = rate;
                }
        result->value = rates[G_N_ELEMENTS(windows) - 1] / rates[G_N_ELEMENTS(windows) - 2];
        setup_done(&setup, buses);
}
