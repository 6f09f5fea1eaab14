/* SPDX-License-Identifier: MIT */
#pragma once

/* The rows of the table: each has a value, a goal for it, and the figures that the value comes
 * from. A new row is a line in row.c, and a function where none of those below fits. */

#include "tests/bench/buses.h"
#include "tests/bench/figure.h"
#include "tests/bench/payload.h"

/* How much of everything. */
typedef struct Effort {
        const char *name;
        unsigned turns;      /* of a latency row */
        unsigned block;      /* calls per turn and way */
        unsigned slow_calls; /* of which the slowest is looked for */
        unsigned repeats;    /* of a throughput row */
        unsigned rate_calls; /* per repeat and way */
        unsigned exact_short, exact_long;
        unsigned growth_objects; /* the most; a power of ten times a digit */
        unsigned growth_turns, growth_changes;
        unsigned window_calls; /* of the row of calls in flight, per repeat, way and window */
        unsigned burst;        /* signals */
        unsigned idle_msec;
        unsigned outage_msec; /* of the cloud, for a fleet */
        unsigned moves;       /* of a service, there and back */
} Effort;

typedef struct RowResult {
        double value;
        double seconds;  /* that measuring it has taken */
        GArray *figures; /* of Figure */
} RowResult;

typedef enum RowGoal {
        GOAL_AT_MOST,
        GOAL_AT_LEAST,
} RowGoal;

typedef struct Row Row;
typedef void (*RowMeasure)(Buses *buses, const Effort *effort, const Row *row, RowResult *result);

struct Row {
        const char *name;
        const char *text; /* what the value is */
        RowGoal kind;
        double goal;
        RowMeasure measure;
        Transport transport;
        PayloadKind payload;
        int qos;
        const char *tool; /* the program that it needs */
        bool facade;      /* of a row of --exact: a call of the facade */
        double gate;      /* of a row of --exact: what the ordinary tests let pass; 0: anything */
        bool exact;       /* only with --exact */
        bool unpinned;    /* of a row of latency: on all CPUs */
};

/* Ends with one without a name. */
extern const Row row_table[];

bool row_is_ok(const Row *row, double value);
/* In percent of a goal that is not 0. */
double row_gap(const Row *row, double value);
/* Takes what the figure owns. */
void row_add_figure(RowResult *result, Figure figure);
void row_add_times(RowResult *result, const char *label, Samples *usec);
void row_add_count(RowResult *result, const char *label, double count);

/* ---- what rows measure ---- */

/* row-latency.c: gateway ÷ (D-Bus + raw MQTT); libmqttrpc ÷ raw MQTT; the slowest call, in ms */
void row_measure_call(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_lib(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_slowest(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-rate.c: gateway ÷ harmonic combination; batches ÷ single calls; CPU of the gateway ÷ that of
 * a requester on D-Bus and a responder on MQTT */
void row_measure_rate(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_batch(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_cpu(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-inflight.c: calls/s through the gateway with 256 in flight ÷ with 64 */
void row_measure_inflight(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-load.c: libmqttrpc ÷ raw MQTT with 1,000 calls in flight, of one caller and of 100 */
void row_measure_many_calls(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_many_callers(Buses *buses, const Effort *effort, const Row *row,
                              RowResult *result);
/* row-flood.c: signals/s through the gateway ÷ what the slower bus carries alone; how many are lost
 * of a long stream; p99 of gateway
 * calls while their service emits 20,000 signals a second ÷ without */
void row_measure_signals(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_signals_lost(Buses *buses, const Effort *effort, const Row *row,
                              RowResult *result);
void row_measure_flood(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-memory.c: gateway ÷ a bare process; a service with 100 properties ÷ a bare responder; MiB
 * with all shipped mappings */
void row_measure_rss_service(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_rss(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_rss_mappings(Buses *buses, const Effort *effort, const Row *row,
                              RowResult *result);
/* bytes per method of a mapping; per call that waits for its answer */
void row_measure_memory_mapping(Buses *buses, const Effort *effort, const Row *row,
                                RowResult *result);
void row_measure_memory_pending(Buses *buses, const Effort *effort, const Row *row,
                                RowResult *result);
/* row-burst.c: MB that the gateway grows by while the broker is stopped and signals come */
void row_measure_burst(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-idle.c: wake-ups in ten seconds; ms from exec until 20 services are subscribed */
void row_measure_idle(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_start(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-move.c: pause of callers while a service moves ÷ while it restarts on D-Bus */
void row_measure_move(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-cockpit.c: gateway ÷ cockpit-bridge, time and CPU of a call */
void row_measure_cockpit_call(Buses *buses, const Effort *effort, const Row *row,
                              RowResult *result);
void row_measure_cockpit_cpu(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-facade.c: a D-Bus client's call of a native service ÷ (D-Bus + raw MQTT) */
void row_measure_facade(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
/* row-growth.c: time of a snapshot per property, of many objects of a D-Bus service ÷ of a tenth of
 * them; bytes of the gateway per property; its CPU for one change among many ÷ among a hundredth */
void row_measure_growth_time(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_growth_memory(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result);
void row_measure_growth_change(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result);
/* row-bridge.c: a call through the bridge ÷ one at each broker; events/s ÷ those of mosquitto's own
 * bridge; events/s after offline time ÷ as they come; MB. row-bridge-fleet.c: share of devices that
 * come back in the fullest tenth of the time */
void row_measure_bridge_call(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_bridge_events(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result);
void row_measure_bridge_catch_up(Buses *buses, const Effort *effort, const Row *row,
                                 RowResult *result);
void row_measure_bridge_rss(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_bridge_fleet(Buses *buses, const Effort *effort, const Row *row,
                              RowResult *result);
/* row-exact.c: counts per call of the gateway, or of a facade */
void row_measure_instructions(Buses *buses, const Effort *effort, const Row *row,
                              RowResult *result);
void row_measure_allocations(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_syscalls(Buses *buses, const Effort *effort, const Row *row, RowResult *result);
void row_measure_syscalls_many(Buses *buses, const Effort *effort, const Row *row,
                               RowResult *result);
/* the gateway's for one change among many objects ÷ among a hundredth of them */
void row_measure_growth_instructions(Buses *buses, const Effort *effort, const Row *row,
                                     RowResult *result);
