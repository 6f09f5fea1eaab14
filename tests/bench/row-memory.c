/* SPDX-License-Identifier: MIT */

#include "tests/bench/cpu.h"
#include "tests/bench/row.h"

static double gateway_rss(Buses *buses, const char *mappings)
{
        double kib;

        buses_use(buses, TRANSPORT_UNIX);
        g_free(buses_stop_gateway(buses));
        buses_start_gateway(buses, NULL, mappings);
        kib = cpu_rss_kib(buses_get_pid(buses, PART_GATEWAY));
        if (mappings)
                g_free(buses_stop_gateway(buses));
        return kib;
}

void row_measure_rss(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        double gateway = gateway_rss(buses, NULL), bare;
        CLEANUP_PROCESS Process *process = NULL;

        process = buses_start_bare(buses);
        bare = cpu_rss_kib(process_get_pid(process));
        row_add_count(result, "bare process, KiB", bare);
        row_add_count(result, "gateway, KiB", gateway);
        result->value = gateway / bare;
}

void row_measure_rss_service(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        double service, bare;

        buses_use(buses, TRANSPORT_UNIX);
        bare = cpu_rss_kib(buses_get_pid(buses, PART_RESPONDER));
        service = cpu_rss_kib(buses_get_pid(buses, PART_RPC_RESPONDER));
        row_add_count(result, "bare responder, KiB", bare);
        row_add_count(result, "service, KiB", service);
        result->value = service / bare;
}

void row_measure_rss_mappings(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autofree char *mappings = process_source_path("mappings");
        double kib = gateway_rss(buses, mappings);

        row_add_count(result, "gateway, KiB", kib);
        result->value = kib * 1024 / 1e6;
}
