/* SPDX-License-Identifier: MIT */
#pragma once

/* What the user reads, and the exit status that goes with it: results on standard output, errors
 * on standard error, or with --json both on standard output. Functions that
 * return an int return the ExitStatus. */

#include "cli/client.h"
#include "cli/exit-status.h"
#include "common/buffer.h"

/* A wrong command line. `verb` may be NULL. */
int report_usage(const char *verb, const Error *error);

/* Trouble in this process, -ENOMEM say. */
int report_internal(int negative_errno);

/* The connection was not made, for `r`: the reason is in `error`, or a signal came. */
int report_no_connection(const Client *client, int r, const MqttRpcError *error);

/* A call failed, for `r`: the reason is in `error`, or a signal came. */
int report_failed_call(const Client *client, const ClientCall *call, int r,
                       const MqttRpcError *error);

/* The bus could not be looked at, for `r`: the reason is in `error`, or a signal came. */
int report_failed_watch(const Client *client, int r, const MqttRpcError *error);

/* A JSON text as it is, for people indented, or with --json as the member `result`, on one line. */
int report_value(const Client *client, const char *text, size_t length);

/* The result of a call. */
int report_result(const Client *client, const MqttRpcReply *reply);

/* With --verbose: the equivalent line for a shell, on standard error. */
void report_command_line(const Client *client, const ClientCall *call, bool notification);

/* Appends "error":{…}, the member of a JSON-RPC response. */
void report_write_error_member(Buffer *buffer, const MqttRpcError *error);

/* Writes a text to standard output, at once. */
int report_print(const Buffer *buffer);
