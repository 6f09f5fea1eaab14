/* SPDX-License-Identifier: MIT */
#pragma once

/* dbus-mqtt-gateway as a process, watched as a service manager would: it gets a notification socket
 * and must end in order, without a word from a sanitizer. */

#include "tests/support/process.h"

typedef struct GatewayProcess GatewayProcess;

typedef struct GatewayOptions {
        const char *broker;        /* URI */
        const char *user;          /* at the broker; NULL: "gateway" */
        const char *password_file; /* of that user */
        const char *bus;           /* a D-Bus address */
        const char *mappings;      /* folder */
        unsigned watchdog_msec;    /* 0: no watchdog */
        bool unwatched;            /* no notification socket, which somebody would have to read */
        const char *config;        /* a file with further settings; NULL: none */
} GatewayOptions;

/* Starts it and does not wait. It keeps its state in the directory, also over restarts, each
 * user in a folder of its own; that is borrowed and must outlive it. */
GatewayProcess *gateway_process_start(TempDir *dir, const GatewayOptions *options);
/* Stops it as gateway_process_stop() does, if that was not done. Accepts NULL, returns NULL. */
GatewayProcess *gateway_process_free(GatewayProcess *gateway);
DEFINE_CLEANUP(GatewayProcess *, gateway_process_free, cleanup_gateway_process)
#define CLEANUP_GATEWAY_PROCESS CLEANUP(cleanup_gateway_process)

/* SIGTERM. Fails the test if it does not exit with 0, or a sanitizer has complained. */
void gateway_process_stop(GatewayProcess *gateway);
/* SIGKILL: nobody is told. */
void gateway_process_kill(GatewayProcess *gateway);

/* Waits until it has told the service manager something that starts with `text`, such as "READY=1".
 * Each notification is looked at once. False when time is up. */
bool gateway_process_wait_notify(GatewayProcess *gateway, const char *text, unsigned msec);
/* Takes in what has come, without waiting: whether any of it starts with `text`. */
bool gateway_process_has_notified(GatewayProcess *gateway, const char *text);

Process *gateway_process_get_process(const GatewayProcess *gateway);
/* Open file descriptors. */
unsigned gateway_process_count_fds(const GatewayProcess *gateway);
