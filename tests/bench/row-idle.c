/* SPDX-License-Identifier: MIT */

/* A gateway that has nothing to do, and one that starts. */

#include "tests/bench/row.h"

#include "tests/bench/cpu.h"

#include <stdio.h>

enum { SERVICES = BENCH_MANY };

/* How often it has been woken in ten seconds; every one of them is a CPU that does not sleep. */
void row_measure_idle(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        pid_t pid;
        double before, cpu;

        buses_use(buses, row->transport);
        pid = buses_get_pid(buses, PART_GATEWAY);
        before = cpu_wakeups(pid);
        cpu = cpu_time_usec(pid);
        g_usleep((gulong)effort->idle_msec * 1000);
        result->value = (cpu_wakeups(pid) - before) * 10000 / effort->idle_msec;
        row_add_count(result, "seconds", effort->idle_msec / 1000.0);
        row_add_count(result, "CPU of them, µs", cpu_time_usec(pid) - cpu);
}

/* ---- the start ---- */

typedef struct Observer {
        struct mosquitto *mosquitto;
        bool seen[SERVICES];
        unsigned n; /* of them */
} Observer;

/* A service says $state, `init` or `ready`, when it takes calls. */
static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
        Observer *observer = userdata;
        unsigned i;

        if (sscanf(message->topic, "mb1/many%u/$state", &i) != 1 || i >= SERVICES ||
            message->payloadlen == 0 || observer->seen[i] ||
            g_strstr_len(message->payload, message->payloadlen, "\"state\":\"offline\""))
                return;
        observer->seen[i] = true;
        observer->n++;
}

static char *write_mappings(const Buses *buses)
{
        char *folder = temp_dir_make(buses_get_directory(buses), "many");
        GError *error = NULL;

        for (unsigned i = 0; i < SERVICES; i++) {
                g_autofree char *file = g_strdup_printf("%s/many%u.json", folder, i);
                g_autofree char *text = g_strdup_printf(
                        "{\"service\":\"many%u\",\"dbus\":{\"name\":\"org.mqttrpc.Many%u\"},"
                        "\"objects\":[{\"path\":\"/org/mqttrpc/Bench\",\"interfaces\":{"
                        "\"org.mqttrpc.Bench\":{"
                        "\"methods\":{\"EchoString\":{\"in\":[\"text:s\"],\"out\":[\"text:s\"]}},"
                        "\"signals\":{\"Tick\":{\"args\":[\"n:u\"]}}}}}]}",
                        i, i);

                g_file_set_contents(file, text, -1, &error);
                g_assert_no_error(error);
        }
        return folder;
}

static double time_start(Buses *buses, const char *mappings)
{
        ConnectionSettings settings = buses_get_settings(buses);
        Observer observer = {};
        double usec;
        gint64 start;

        observer.mosquitto = connection_open(&settings, "mb1/+/$state", 1, on_message, &observer);
        start = g_get_monotonic_time();
        buses_launch_gateway(buses, NULL, mappings);
        while (observer.n < SERVICES)
                connection_process(observer.mosquitto, true);
        usec = (double)(g_get_monotonic_time() - start);
        connection_close(observer.mosquitto);
        buses_wait_gateway(buses);
        g_free(buses_stop_gateway(buses));
        return usec;
}

void row_measure_start(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        g_autofree char *mappings = write_mappings(buses);
        g_autoptr(Samples) usec = samples_new();

        buses_use(buses, row->transport);
        g_free(buses_stop_gateway(buses));
        for (unsigned i = 0; i < effort->growth_turns; i++)
                samples_add(usec, time_start(buses, mappings));
        result->value = samples_get(usec, 0.5) / 1000;
        row_add_times(result, "until the last takes calls", usec);
}
