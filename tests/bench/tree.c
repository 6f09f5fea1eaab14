/* SPDX-License-Identifier: MIT */

#include "tests/bench/tree.h"

#include "tests/bench/cpu.h"
#include "tests/support/wait.h"

#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define CONTROL "org.mqttrpc.BenchControl"

struct Tree {
        Buses *buses;
        Process *service;
        sd_bus *bus;
        struct mosquitto *observer;
        unsigned n_objects; /* shown */
        unsigned n_topics;  /* retained now: properties and $meta, as they have come */
        unsigned n_values;  /* have come */
        bool ready;         /* says $state */
};

static const char mapping[] =
        "{\n"
        "  \"service\": \"tree\",\n"
        "  \"dbus\": { \"name\": \"org.mqttrpc.BenchTree\" },\n"
        "  \"objects\": [{\n"
        "    \"path\": \"/org/mqttrpc/BenchTree/{device}\",\n"
        "    \"interfaces\": { \"org.mqttrpc.BenchDevice\": { \"properties\": {\n"
        "      \"Address\": { \"type\": \"s\" }, \"Name\": { \"type\": \"s\" },\n"
        "      \"Icon\": { \"type\": \"s\" }, \"Level\": { \"type\": \"u\" },\n"
        "      \"Class\": { \"type\": \"u\" }, \"Battery\": { \"type\": \"d\" },\n"
        "      \"Signal\": { \"type\": \"n\" }, \"Paired\": { \"type\": \"b\" },\n"
        "      \"Trusted\": { \"type\": \"b\" }, \"Connected\": { \"type\": \"b\" }\n"
        "    } } }\n"
        "  }]\n"
        "}\n";

static int check(const char *what, int r)
{
        if (r < 0)
                g_error("the tree: %s: %s", what, strerror(-r));
        return r;
}

/* ---- what arrives ---- */

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
        Tree *tree = userdata;
        const char *payload = message->payload;
        bool is_value = strstr(message->topic, "/prop/");

        if (g_str_has_suffix(message->topic, "/$state")) {
                tree->ready = message->payloadlen > 0 &&
                              g_strstr_len(payload, message->payloadlen, "\"state\":\"ready\"");
        } else if (is_value && message->payloadlen > 0) {
                tree->n_values++;
        } else if (message->payloadlen == 0) {
                tree->n_topics--;
        }
        if (message->payloadlen > 0 && g_str_has_suffix(message->topic, "/$meta"))
                tree->n_topics += 1 + TREE_PROPERTIES;
}

/* ---- costs ---- */

static TreeCost now(const Tree *tree)
{
        struct timespec clock;

        clock_gettime(CLOCK_MONOTONIC, &clock);
        return (TreeCost){
                .usec = (double)clock.tv_sec * 1e6 + (double)clock.tv_nsec / 1e3,
                .cpu = cpu_time_usec(buses_get_pid(tree->buses, PART_GATEWAY)),
        };
}

static TreeCost since(const Tree *tree, TreeCost start)
{
        TreeCost end = now(tree);

        return (TreeCost){.usec = end.usec - start.usec, .cpu = end.cpu - start.cpu};
}

static void tell(const Tree *tree, const char *method, unsigned n)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;

        check(method,
              sd_bus_call_method(tree->bus, CONTROL, "/", CONTROL, method, &error, NULL, "u", n));
}

TreeCost tree_show(Tree *tree, unsigned n_objects)
{
        TreeCost start = now(tree);

        tree->n_objects = n_objects;
        tree->n_values = 0;
        tell(tree, "Show", n_objects);
        while (!tree->ready || tree->n_topics < n_objects * (1 + TREE_PROPERTIES) ||
               tree->n_values < n_objects * TREE_PROPERTIES)
                connection_process(tree->observer, true);
        return since(tree, start);
}

TreeCost tree_hide(Tree *tree)
{
        TreeCost start = now(tree);

        tree->n_objects = 0;
        tell(tree, "Show", 0);
        while (tree->ready || tree->n_topics > 0)
                connection_process(tree->observer, true);
        return since(tree, start);
}

TreeCost tree_change(Tree *tree)
{
        TreeCost start = now(tree);

        tree->n_values = 0;
        tell(tree, "Change", 1);
        while (tree->n_values == 0)
                connection_process(tree->observer, false);
        return since(tree, start);
}

void tree_pin(const Tree *tree, bool pinned)
{
        const pid_t pids[] = {
                getpid(),
                process_get_pid(tree->service),
                buses_get_pid(tree->buses, PART_BROKER),
                buses_get_pid(tree->buses, PART_DBUS_DAEMON),
                buses_get_pid(tree->buses, PART_GATEWAY),
        };

        for (size_t i = 0; i < G_N_ELEMENTS(pids); i++)
                (pinned ? cpu_pin : cpu_unpin)(pids[i]);
}

double tree_memory(const Tree *tree)
{
        return cpu_rss_anon_kib(buses_get_pid(tree->buses, PART_GATEWAY)) * 1024;
}

/* ---- life ---- */

static void start_service(Tree *tree)
{
        g_autofree char *program = g_build_filename(BENCH_DIRECTORY, "bench-tree", NULL);
        const char *argv[] = {program, buses_get_address(tree->buses), NULL};

        tree->service = process_start(buses_get_directory(tree->buses), "bench-tree", argv, NULL);
        if (!process_wait_output(tree->service, PROCESS_STDOUT, "ready", WAIT_MSEC))
                g_error("the service with many objects does not start");
}

static void start_gateway(Tree *tree, const char *const *wrapper)
{
        g_autofree char *mappings = temp_dir_build(buses_get_directory(tree->buses), "tree");
        g_autofree char *file = g_build_filename(mappings, "tree.json", NULL);

        if (g_mkdir_with_parents(mappings, 0755) < 0 ||
            !g_file_set_contents(file, mapping, -1, NULL))
                g_error("cannot write %s", file);
        buses_use(tree->buses, TRANSPORT_UNIX);
        g_free(buses_stop_gateway(tree->buses));
        buses_start_gateway(tree->buses, wrapper, mappings);
}

Tree *tree_new(Buses *buses, const char *const *wrapper)
{
        Tree *tree = g_new0(Tree, 1);
        ConnectionSettings settings;

        tree->buses = buses;
        start_service(tree);
        start_gateway(tree, wrapper);
        settings = buses_get_settings(buses);
        tree->observer = connection_open(&settings, "mb1/tree/#", 1, on_message, tree);
        check("new bus", sd_bus_new(&tree->bus));
        check("address", sd_bus_set_address(tree->bus, buses_get_address(buses)));
        check("client", sd_bus_set_bus_client(tree->bus, true));
        check("connect", sd_bus_start(tree->bus));
        return tree;
}

char *tree_end(Tree *tree)
{
        char *output;

        sd_bus_close_unref(tree->bus);
        connection_close(tree->observer);
        output = buses_stop_gateway(tree->buses);
        process_free(tree->service);
        g_free(tree);
        return output;
}

void tree_free(Tree *tree)
{
        if (tree)
                g_free(tree_end(tree));
}
