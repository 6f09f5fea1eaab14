/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus error names and the error codes of protocol section 8, in one const table. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include <mqttrpc/mqttrpc.h>

typedef enum ErrorMapUse {
        ERROR_MAP_IN,   /* the name is understood, another one is sent for its code */
        ERROR_MAP_BOTH, /* the name for its code */
        ERROR_MAP_OUT,  /* the code is sent as this name, which means another code by itself */
} ErrorMapUse;

typedef struct ErrorMapEntry {
        const char *name;
        int code;
        MqttRpcExecuted executed; /* UNKNOWN: the name alone does not tell */
        ErrorMapUse use;
} ErrorMapEntry;

/* The code of a D-Bus error. A name that is not in the table, NULL included, is FAILED; the caller
 * keeps it in `data.name`. `deadline_passed` tells what a NoReply means: the bus reports it too
 * when the callee has died before answering, which is UNAVAILABLE and not TIMEOUT.
 * `ret_executed` may be NULL. */
int error_map_from_dbus(const char *name, bool deadline_passed, MqttRpcExecuted *ret_executed);

/* The D-Bus error name of a code; org.freedesktop.DBus.Error.Failed for what the table lacks, as
 * codes of applications. A constant. */
const char *error_map_to_dbus(int code);

/* The whole table, for tests and documents. */
const ErrorMapEntry *error_map_table(size_t *ret_count);
