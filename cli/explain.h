/* SPDX-License-Identifier: MIT */
#pragma once

/* Errors in words: what happened, whether the method ran, what can be done about it; and the exit
 * status that belongs to each. One line that names the cause, then lines that begin with "hint: ".
 * What peers send is shown without its control characters. Pure. */

#include "cli/address.h"
#include "cli/exit-status.h"
#include "common/buffer.h"
#include "mqttrpc/mqttrpc.h"

/* What was called, by whom. All borrowed. */
typedef struct CallContext {
        const char *service;
        const char *object;
        const char *method;
        const char *root;
        const char *caller;
        const char *user; /* NULL: not logged in by name */
        uint64_t timeout_usec;
        bool unknown_service; /* nothing on the bus has its name: a grant would not help */
        bool sees_refusals;   /* by MQTT 5 and QoS 1 the broker tells what it does not deliver */
} CallContext;

ExitStatus explain_status(const MqttRpcError *error);

/* Appends the lines, each with its '\n'. */
int explain_error(Buffer *buffer, const MqttRpcError *error, const CallContext *context);

/* How the connection was tried. All borrowed. */
typedef struct ConnectContext {
        const Address *address;
        const char *user; /* NULL: none */
        bool has_password;
} ConnectContext;

/* The same for an error of connecting. */
int explain_connect(Buffer *buffer, const MqttRpcError *error, const ConnectContext *context);
