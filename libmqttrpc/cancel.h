/* SPDX-License-Identifier: MIT */
#pragma once

/* rpc.cancel, from both sides (protocol section 6): a caller that wants no answer any more says so,
 * and the service ends what it has in hand of that caller under that id. */

#include "libmqttrpc/bus.h"

bool cancel_is_method(TextSpan method);

/* The built-in method. */
int cancel_on_request(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error);
