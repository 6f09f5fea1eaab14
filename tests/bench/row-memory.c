/* SPDX-License-Identifier: MIT */

#include "tests/bench/row.h"

#include "tests/bench/client.h"
#include "tests/bench/cpu.h"

#include <string.h>

enum { ITEMS = 1000 };

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

/* ---- per item ---- */

/* A fresh gateway on a mapping with so many methods; returns its own memory, in KiB. */
static double anon_with_methods(Buses *buses, unsigned n)
{
        g_autofree char *folder = temp_dir_make(buses_get_directory(buses), "methods");
        g_autofree char *file = g_build_filename(folder, "bench.json", NULL);
        GString *text = g_string_new("{\"service\":\"bench\",\"dbus\":{\"name\":"
                                     "\"org.mqttrpc.Bench\"},\"objects\":[{\"path\":"
                                     "\"/org/mqttrpc/Bench\",\"interfaces\":{"
                                     "\"org.mqttrpc.Bench\":{\"methods\":{");
        double kib;

        for (unsigned i = 0; i < n; i++)
                g_string_append_printf(text,
                                       "%s\"Method%u\":{\"in\":[\"name:s\",\"level:u\"],\"out\":"
                                       "[\"done:b\"],\"access\":\"read\"}",
                                       i ? "," : "", i);
        g_string_append(text, "}}}}]}");
        g_assert_true(g_file_set_contents(file, text->str, -1, NULL));
        g_string_free(text, TRUE);
        buses_start_gateway(buses, NULL, folder);
        kib = cpu_rss_anon_kib(buses_get_pid(buses, PART_GATEWAY));
        g_free(buses_stop_gateway(buses));
        return kib;
}

void row_measure_memory_mapping(Buses *buses, const Effort *effort, const Row *row,
                                RowResult *result)
{
        double one, many;

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        one = anon_with_methods(buses, 1);
        many = anon_with_methods(buses, 1 + ITEMS);
        row_add_count(result, "1 method, KiB", one);
        row_add_count(result, "1,001 methods, KiB", many);
        result->value = (many - one) * 1024 / ITEMS;
}

/* Calls that are not answered: when the one after them is, all of them wait. */
static void hold_calls(Buses *buses, const Row *row, unsigned n)
{
        ClientMqtt settings = {
                .connection = buses_get_settings(buses), .service = "bench", .qos = row->qos};
        g_autoptr(Payload) payload = payload_new(row->payload);
        g_autoptr(Client) client = client_new_mqtt(&settings, payload);
        struct mosquitto *mosquitto = connection_open(&settings.connection, NULL, 0, NULL, NULL);

        for (unsigned i = 0; i < n; i++) {
                g_autofree char *request = g_strdup_printf(
                        "{\"jsonrpc\":\"2.0\",\"id\":\"0badcafe-%u\",\"params\":%s}", i + 1,
                        payload_get_params(payload));

                connection_publish(mosquitto, "mb1/bench/-/call/Hold/bench", request,
                                   strlen(request), 1);
                while (mosquitto_want_write(mosquitto))
                        connection_process(mosquitto, true);
        }
        client_call(client);
        connection_close(mosquitto);
}

void row_measure_memory_pending(Buses *buses, const Effort *effort, const Row *row,
                                RowResult *result)
{
        double before, after;
        pid_t pid;

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        buses_start_gateway(buses, NULL, NULL);
        pid = buses_get_pid(buses, PART_GATEWAY);
        hold_calls(buses, row, 1);
        before = cpu_rss_anon_kib(pid);
        hold_calls(buses, row, ITEMS);
        after = cpu_rss_anon_kib(pid);
        row_add_count(result, "idle, KiB", before);
        row_add_count(result, "1,000 calls wait, KiB", after);
        result->value = (after - before) * 1024 / ITEMS;
        g_free(buses_stop_gateway(buses)); /* nobody answers them */
}
