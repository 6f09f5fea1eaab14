/* SPDX-License-Identifier: MIT */

#include "tests/bench/row.h"

/* clang-format off */
const Row row_table[] = {
        {"call-tcp", "gateway ÷ (D-Bus + MQTT), string, QoS 0, TCP",
         GOAL_AT_MOST, 1.25, row_measure_call, TRANSPORT_TCP, PAYLOAD_STRING, 0},
        {"call-unix", "the same, unix socket",
         GOAL_AT_MOST, 1.20, row_measure_call, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"call-qos1", "the same, unix socket, QoS 1",
         GOAL_AT_MOST, 1.25, row_measure_call, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"call-dict", "the same, unix socket, a{sv} of 20",
         GOAL_AT_MOST, 1.25, row_measure_call, TRANSPORT_UNIX, PAYLOAD_DICT, 0},
        {"call-64k", "the same, unix socket, 64 KiB",
         GOAL_AT_MOST, 1.20, row_measure_call, TRANSPORT_UNIX, PAYLOAD_LARGE, 0},
        {"unpinned-tcp", "gateway ÷ (D-Bus + MQTT), string, QoS 0, TCP, on all CPUs",
         GOAL_AT_MOST, 1.25, row_measure_call, TRANSPORT_TCP, PAYLOAD_STRING, 0,
         .unpinned = true},
        {"unpinned-unix", "the same, unix socket",
         GOAL_AT_MOST, 1.20, row_measure_call, TRANSPORT_UNIX, PAYLOAD_STRING, 0,
         .unpinned = true},
        {"slowest-qos0", "slowest gateway call in a row, ms, TCP, QoS 0",
         GOAL_AT_MOST, 20, row_measure_slowest, TRANSPORT_TCP, PAYLOAD_STRING, 0},
        {"slowest-qos1", "the same, QoS 1",
         GOAL_AT_MOST, 20, row_measure_slowest, TRANSPORT_TCP, PAYLOAD_STRING, 1},
        {"lib-qos0", "libmqttrpc pair ÷ raw MQTT pair, unix socket, QoS 0",
         GOAL_AT_MOST, 1.10, row_measure_lib, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"lib-qos1", "the same, QoS 1",
         GOAL_AT_MOST, 1.10, row_measure_lib, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"lib-many-calls", "calls/s, libmqttrpc ÷ raw MQTT, one caller, 1,000 in flight",
         GOAL_AT_LEAST, 0.80, row_measure_many_calls, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"lib-many-callers", "the same, 100 callers with 10 in flight each",
         GOAL_AT_LEAST, 0.80, row_measure_many_callers, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"facade", "call by D-Bus to a native service ÷ (D-Bus + raw MQTT), unix socket, QoS 1",
         GOAL_AT_MOST, 1.25, row_measure_facade, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"rate-tcp", "calls/s, 64 in flight ÷ 1/(1/D-Bus + 1/MQTT), TCP",
         GOAL_AT_LEAST, 1.20, row_measure_rate, TRANSPORT_TCP, PAYLOAD_STRING, 0},
        {"rate-unix", "the same, unix socket",
         GOAL_AT_LEAST, 1.25, row_measure_rate, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"inflight", "calls/s through the gateway, 256 in flight ÷ 64, unix socket",
         GOAL_AT_LEAST, 0.90, row_measure_inflight, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"batch", "calls/s, batches of 64 ÷ single calls, unix socket",
         GOAL_AT_LEAST, 1.8, row_measure_batch, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"cpu-string", "CPU of the gateway ÷ (D-Bus client + MQTT responder)",
         GOAL_AT_MOST, 0.80, row_measure_cpu, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"cpu-dict", "the same, a{sv} of 20",
         GOAL_AT_MOST, 0.95, row_measure_cpu, TRANSPORT_UNIX, PAYLOAD_DICT, 0},
        {"signals-tcp", "signals/s through the gateway ÷ min(D-Bus, MQTT), TCP, QoS 1",
         GOAL_AT_LEAST, 0.68, row_measure_signals, TRANSPORT_TCP, PAYLOAD_STRING, 1},
        {"signals-unix", "the same, unix socket",
         GOAL_AT_LEAST, 0.80, row_measure_signals, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"signals-lost", "signals lost of four streams of 10,000, QoS 1",
         GOAL_AT_MOST, 0, row_measure_signals_lost, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"flood", "p99 of calls under 20,000 signals/s ÷ without, unix socket, QoS 1",
         GOAL_AT_MOST, 10, row_measure_flood, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"rss", "idle memory of the gateway ÷ a bare process",
         GOAL_AT_MOST, 1.15, row_measure_rss, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"rss-service", "idle memory of a service with 100 properties ÷ a bare one",
         GOAL_AT_MOST, 1.15, row_measure_rss_service, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"rss-mappings", "idle memory with all shipped mappings, MB",
         GOAL_AT_MOST, 6, row_measure_rss_mappings, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"memory-mapping", "bytes per method of a mapping",
         GOAL_AT_MOST, 2048, row_measure_memory_mapping, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"memory-pending", "bytes per call that waits for its answer",
         GOAL_AT_MOST, 2048, row_measure_memory_pending, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"burst", "growth by 100,000 signals while the broker is stopped, MB",
         GOAL_AT_MOST, 8, row_measure_burst, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"idle-wakeups", "wake-ups in 10 s without anything to do",
         GOAL_AT_MOST, 2, row_measure_idle, TRANSPORT_UNIX, PAYLOAD_STRING, 0},
        {"start", "ms from exec until 20 mapped services take calls, unix socket",
         GOAL_AT_MOST, 25, row_measure_start, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"move-pause", "longest pause of callers, service moves ÷ restarts on D-Bus",
         GOAL_AT_MOST, 1.25, row_measure_move, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"cockpit-call", "gateway ÷ cockpit-bridge, string, QoS 0, unix socket",
         GOAL_AT_MOST, 0.65, row_measure_cockpit_call, TRANSPORT_UNIX, PAYLOAD_STRING, 0,
         "cockpit-bridge"},
        {"cockpit-cpu", "CPU of the gateway ÷ cockpit-bridge, 64 in flight",
         GOAL_AT_MOST, 0.2, row_measure_cockpit_cpu, TRANSPORT_UNIX, PAYLOAD_STRING, 0,
         "cockpit-bridge"},
        {"growth-time", "snapshot per property, 1,000 objects ÷ 100, of ten properties each",
         GOAL_AT_MOST, 1.15, row_measure_growth_time, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"growth-memory", "bytes per property with 1,000 objects",
         GOAL_AT_MOST, 250, row_measure_growth_memory, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"growth-change", "CPU of the gateway for one change, 1,000 objects ÷ 10",
         GOAL_AT_MOST, 1.15, row_measure_growth_change, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
#ifdef BENCH_BRIDGE
        {"bridge-call", "call through the bridge ÷ (local + cloud broker), QoS 1, cloud by TCP",
         GOAL_AT_MOST, 1.30, row_measure_bridge_call, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"bridge-events", "events/s, durable ÷ mosquitto's own bridge, which forgets",
         GOAL_AT_LEAST, 0.60, row_measure_bridge_events, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"bridge-catch-up", "events/s after offline time ÷ as they come",
         GOAL_AT_LEAST, 1.5, row_measure_bridge_catch_up, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"bridge-rss", "memory of the bridge after a stream, MB",
         GOAL_AT_MOST, 12, row_measure_bridge_rss, TRANSPORT_UNIX, PAYLOAD_STRING, 1},
        {"bridge-fleet", "share of 200 devices in the fullest tenth, after a restart of the cloud",
         GOAL_AT_MOST, 0.30, row_measure_bridge_fleet, TRANSPORT_TCP, PAYLOAD_STRING, 1},
#endif

        /* The last number is the gate of the ordinary tests: the goal, or where that is not reached
         * the present figure and 5 %, for other CPUs and updates of the libraries. It goes down with
         * the figure. At QoS 1, as a facade calls, there is one packet more each way. */
        {"instructions-string", "user instructions per call, string",
         GOAL_AT_MOST, 32000, row_measure_instructions, TRANSPORT_UNIX, PAYLOAD_STRING, 0,
         "valgrind", false, 41500, true},
        {"instructions-dict", "the same, a{sv} of 20",
         GOAL_AT_MOST, 210000, row_measure_instructions, TRANSPORT_UNIX, PAYLOAD_DICT, 0,
         "valgrind", false, 268000, true},
        {"instructions-facade", "the same, string, through a facade, QoS 1",
         GOAL_AT_MOST, 42000, row_measure_instructions, TRANSPORT_UNIX, PAYLOAD_STRING, 1,
         "valgrind", true, 67600, true},
        {"allocations-string", "heap allocations per call, string",
         GOAL_AT_MOST, 30, row_measure_allocations, TRANSPORT_UNIX, PAYLOAD_STRING, 0,
         "valgrind", false, 30, true},
        {"allocations-dict", "the same, a{sv} of 20",
         GOAL_AT_MOST, 150, row_measure_allocations, TRANSPORT_UNIX, PAYLOAD_DICT, 0,
         "valgrind", false, 150, true},
        {"allocations-facade", "the same, string, through a facade, QoS 1",
         GOAL_AT_MOST, 50, row_measure_allocations, TRANSPORT_UNIX, PAYLOAD_STRING, 1,
         "valgrind", true, 84, true},
        {"syscalls", "system calls per call, one at a time",
         GOAL_AT_MOST, 14, row_measure_syscalls, TRANSPORT_UNIX, PAYLOAD_STRING, 0, "strace", false, 14, true},
        {"syscalls-many", "the same, 64 in flight",
         GOAL_AT_MOST, 9.5, row_measure_syscalls_many, TRANSPORT_UNIX, PAYLOAD_STRING, 0,
         "strace", false, 9.5, true},
        {"syscalls-facade", "the same, one at a time, through a facade, QoS 1",
         GOAL_AT_MOST, 17, row_measure_syscalls, TRANSPORT_UNIX, PAYLOAD_STRING, 1, "strace", true, 17.5, true},
        {"growth-instructions", "user instructions for one change, 1,000 objects ÷ 10",
         GOAL_AT_MOST, 1.15, row_measure_growth_instructions, TRANSPORT_UNIX, PAYLOAD_STRING, 1,
         "valgrind", .exact = true},
        {},
};
/* clang-format on */

bool row_is_ok(const Row *row, double value)
{
        return row->kind == GOAL_AT_MOST ? value <= row->goal : value >= row->goal;
}

double row_gap(const Row *row, double value)
{
        return 100 * (value / row->goal - 1);
}

void row_add_figure(RowResult *result, Figure figure)
{
        g_array_append_val(result->figures, figure);
}

void row_add_times(RowResult *result, const char *label, Samples *usec)
{
        row_add_figure(result, figure_of_times(label, usec));
}

void row_add_count(RowResult *result, const char *label, double count)
{
        row_add_figure(result, figure_of_count(label, count));
}
