/* SPDX-License-Identifier: MIT */
#pragma once

/* Everything that is started: a private dbus-daemon, a private mosquitto on the packaged
 * configuration (unix socket and TCP, both with nodelay, password and ACL as in production), the
 * echo service behind them, the responders of the baselines, and the gateway. The gateway and the
 * responders use one kind of socket at a time. */

#include "tests/bench/connection.h"
#include "tests/support/broker.h"
#include "tests/support/dbus-daemon.h"

typedef enum Transport {
        TRANSPORT_UNIX,
        TRANSPORT_TCP,
} Transport;

/* Services that the gateway may serve, beside those of the benchmark: many0, many1, …, which are
 * org.mqttrpc.Many0, … of the echo service on D-Bus. */
enum { BENCH_MANY = 20 };

/* Those whose CPU time is told apart. The requester is this process. */
typedef enum BusesPart {
        PART_REQUESTER,
        PART_BROKER,
        PART_GATEWAY,
        PART_DBUS_DAEMON,
        PART_SERVICE,       /* sd-bus, behind the gateway */
        PART_RESPONDER,     /* libmosquitto */
        PART_RPC_RESPONDER, /* libmqttrpc */
        PART_COCKPIT,       /* cockpit-bridge, while there is one */
        PART_MAX,
} BusesPart;

typedef struct Buses Buses;

/* Starts buses and service. Never fails: nothing can be measured without. */
Buses *buses_new(void);
void buses_free(Buses *buses);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Buses, buses_free)

/* Starts what speaks MQTT on this kind of socket, unless it runs there already. */
void buses_use(Buses *buses, Transport transport);

/* A fresh gateway, on the unix socket. `wrapper` is a command line before its own, such as
 * valgrind's, or NULL; `mappings` a folder, or NULL for that of the benchmark. */
void buses_start_gateway(Buses *buses, const char *const *wrapper, const char *mappings);
/* The same, without waiting until it is ready; and that. */
void buses_launch_gateway(Buses *buses, const char *const *wrapper, const char *mappings);
void buses_wait_gateway(Buses *buses);
/* One that has only the facade of "lib" to serve; waits until that is on D-Bus. */
void buses_start_facade(Buses *buses, const char *const *wrapper);
/* One that has both the echo service and the facade to serve. */
void buses_start_both(Buses *buses);
/* Waits until somebody has a name on D-Bus. */
void buses_wait_name(const Buses *buses, const char *name);
/* Ends it in order, and returns what it and its wrapper wrote to standard error; to be freed. */
char *buses_stop_gateway(Buses *buses);

/* Stops the broker under the gateway, and the responders with it; and starts them again. */
void buses_stop_broker(Buses *buses);
void buses_start_broker(Buses *buses);

/* A bare process with a connection to each bus; the caller frees it. */
Process *buses_start_bare(Buses *buses);

/* 0 while the part does not run. */
pid_t buses_get_pid(const Buses *buses, BusesPart part);
/* Of a part that somebody else has started; 0: no more. */
void buses_set_pid(Buses *buses, BusesPart part, pid_t pid);
/* A constant, for people. */
const char *buses_part_name(BusesPart part);

const char *buses_get_address(const Buses *buses); /* of D-Bus */
const char *buses_get_uri(const Buses *buses);     /* of the broker, as last used */
/* The user "bench", who may call everything; "requester" has the same password, and may call "lib".
 * Borrowed. */
ConnectionSettings buses_get_settings(const Buses *buses);
TempDir *buses_get_directory(const Buses *buses);
