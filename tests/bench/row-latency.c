/* SPDX-License-Identifier: MIT */

#include "tests/bench/measure.h"
#include "tests/bench/row.h"

static Client *new_mqtt(const Buses *buses, const Row *row, const char *service,
                        const Payload *payload)
{
        ClientMqtt settings = {
                .connection = buses_get_settings(buses), .service = service, .qos = row->qos};

        return client_new_mqtt(&settings, payload);
}

void row_measure_call(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        static const char *const labels[] = {"D-Bus", "raw MQTT", "gateway"};
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Client) dbus = NULL, raw = NULL, gateway = NULL;
        typeof(measure_latency) *measure =
                row->unpinned ? measure_latency_unpinned : measure_latency;
        unsigned block = row->payload == PAYLOAD_LARGE ? MAX(effort->block / 5, 1) : effort->block;
        Samples *usec[MEASURE_CLIENTS_MAX];

        buses_use(buses, row->transport);
        dbus = client_new_dbus(buses_get_address(buses), BENCH_NAME, payload);
        raw = new_mqtt(buses, row, "raw", payload);
        gateway = new_mqtt(buses, row, "bench", payload);
        result->value = measure(buses, (Client *const[]){dbus, raw, gateway}, 3, effort->turns,
                                block, measure_ratio_of_sum, usec);
        for (unsigned i = 0; i < 3; i++) {
                row_add_times(result, labels[i], usec[i]);
                samples_free(usec[i]);
        }
}

void row_measure_lib(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Client) raw = NULL, lib = NULL;
        Samples *usec[MEASURE_CLIENTS_MAX];
        ConnectionSettings settings;

        buses_use(buses, row->transport);
        settings = buses_get_settings(buses);
        raw = new_mqtt(buses, row, "raw", payload);
        /* The library subscribes to the replies of all services: as the same user it would get
         * those of the raw pair too. */
        settings.user = "requester";
        lib = client_new_rpc(buses_get_uri(buses), &settings, row->qos, 1, payload);
        result->value = measure_latency(buses, (Client *const[]){raw, lib}, 2, effort->turns,
                                        effort->block, measure_ratio_of_two, usec);
        row_add_times(result, "raw MQTT", usec[0]);
        row_add_times(result, "libmqttrpc", usec[1]);
        samples_free(usec[0]);
        samples_free(usec[1]);
}

void row_measure_slowest(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Client) gateway = NULL;
        g_autoptr(Samples) usec = NULL;

        buses_use(buses, row->transport);
        gateway = new_mqtt(buses, row, "bench", payload);
        usec = measure_sequence(buses, gateway, effort->slow_calls);
        result->value = samples_get(usec, 1) / 1000;
        row_add_times(result, "gateway", usec);
}
