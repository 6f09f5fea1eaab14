/* SPDX-License-Identifier: MIT */
#pragma once

/* Asks a running gateway, by way of its own service on the broker. */

#include "gateway/cmd-settings.h"

/* Calls a method of it and waits for the answer. The result is JSON text, owned by the caller. On
 * failure the error is a sentence that says who does not answer; -ENOENT: it answers that there is
 * no such thing. */
int cmd_ask(const GatewayConfig *config, const char *method, const char *params, char **ret_result,
            Error **ret_error);
