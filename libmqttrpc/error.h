/* SPDX-License-Identifier: MIT */
#pragma once

/* The wire's error object (protocol section 8): how it is built, written into a response and read
 * from one. The table of codes is in error.c and nowhere else. The public functions are declared in
 * mqttrpc.h. */

#include "common/buffer.h"
#include "common/json-scan.h"
#include "mqttrpc/mqttrpc.h"

typedef struct ErrorCode {
        int code;
        const char *name;
        int negative_errno;
        MqttRpcExecuted executed; /* what the code alone tells; UNKNOWN: nothing */
} ErrorCode;

/* The line of a code, or NULL for an application's code. */
const ErrorCode *error_code_find(int code);

/* The whole table, for tests and documentation. */
const ErrorCode *error_code_table(size_t *ret_count);

/* Writes {"code":…,"message":…,"data":{…}}; NULL is written as INTERNAL. */
int mqttrpc_error_write(const MqttRpcError *error, Buffer *buffer);

/* Reads the `error` member of a response. The new error is remote and keeps `data` as it came.
 * NULL only when memory is short; an ill-formed member becomes a PROTOCOL error. */
MqttRpcError *mqttrpc_error_read(const JsonDoc *doc, uint32_t node);

/* INTERNAL "out of memory", which is there always; must not be changed or freed. */
const MqttRpcError *error_out_of_memory(void);

MqttRpcError *mqttrpc_error_copy(const MqttRpcError *error);

DEFINE_CLEANUP(MqttRpcError *, mqttrpc_error_free, mqttrpc_error_cleanup)
#define CLEANUP_RPC_ERROR CLEANUP(mqttrpc_error_cleanup)
