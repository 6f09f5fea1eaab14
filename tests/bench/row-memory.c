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
        Figure gateway = {.label = "gateway, KiB"}, bare = {.label = "bare process, KiB"};
        CLEANUP_PROCESS Process *process = NULL;

        gateway.count = gateway_rss(buses, NULL);
        process = buses_start_bare(buses);
        bare.count = cpu_rss_kib(process_get_pid(process));
        row_add_figure(result, &bare);
        row_add_figure(result, &gateway);
        result->value = gateway.count / bare.count;
}

void row_measure_rss_service(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        Figure service = {.label = "service, KiB"}, bare = {.label = "bare responder, KiB"};

        buses_use(buses, TRANSPORT_UNIX);
        bare.count = cpu_rss_kib(buses_get_pid(buses, PART_RESPONDER));
        service.count = cpu_rss_kib(buses_get_pid(buses, PART_RPC_RESPONDER));
        row_add_figure(result, &bare);
        row_add_figure(result, &service);
        result->value = service.count / bare.count;
}

void row_measure_rss_mappings(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autofree char *mappings = process_source_path("mappings");
        Figure gateway = {.label = "gateway, KiB", .count = gateway_rss(buses, mappings)};

        row_add_figure(result, &gateway);
        result->value = gateway.count * 1024 / 1e6;
}
