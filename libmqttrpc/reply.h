/* SPDX-License-Identifier: MIT */
#pragma once

/* What a call ended with: a result text or an error. Made by call.c, read by its caller. */

#include "libmqttrpc/error.h"

/* Both return a reply in any case: without memory, one that says so.
 *
 * `result` is copied; it need not be NUL-terminated. */
MqttRpcReply *reply_new_result(const char *result, size_t length);
/* Takes `error` over; NULL stands for "out of memory". */
MqttRpcReply *reply_new_error(MqttRpcError *error);
