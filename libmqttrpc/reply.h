/* SPDX-License-Identifier: MIT */
#pragma once

/* What a call ended with: a result text or an error. Made by call.c, read by its caller. */

#include "libmqttrpc/error.h"

/* `result` is copied; it need not be NUL-terminated. */
int reply_new_result(const char *result, size_t length, MqttRpcReply **ret_reply);
/* Takes `error` over, also on failure; NULL stands for "out of memory". */
int reply_new_error(MqttRpcError *error, MqttRpcReply **ret_reply);
