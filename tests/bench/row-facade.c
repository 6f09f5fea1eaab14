/* SPDX-License-Identifier: MIT */

/* The other direction: a client of D-Bus calls a native service, by way of the facade that the
 * gateway makes of it. */

#include "tests/bench/measure.h"
#include "tests/bench/row.h"

void row_measure_facade(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        static const char *const labels[] = {"D-Bus", "raw MQTT", "facade"};
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Client) dbus = NULL, raw = NULL, facade = NULL;
        Samples *usec[MEASURE_CLIENTS_MAX];
        ClientMqtt settings = {.service = "raw", .qos = row->qos};

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        buses_start_facade(buses, NULL);
        settings.connection = buses_get_settings(buses);
        dbus = client_new_dbus(buses_get_address(buses), BENCH_NAME, payload);
        raw = client_new_mqtt(&settings, payload);
        facade = client_new_dbus(buses_get_address(buses), FACADE_NAME, payload);
        result->value = measure_latency(buses, (Client *const[]){dbus, raw, facade}, 3,
                                        effort->turns, effort->block, measure_ratio_of_sum, usec);
        for (unsigned i = 0; i < 3; i++) {
                row_add_times(result, labels[i], usec[i]);
                samples_free(usec[i]);
        }
        g_free(buses_stop_gateway(buses)); /* others want the usual one */
}
