/* SPDX-License-Identifier: MIT */
#pragma once

/* The way to the broker, as the settings say: the same for the gateway and for verbs that ask it.
 */

#include <mqttrpc/mqttrpc.h>

#include "gateway/config.h"

/* Moves the reason of a library error into one of ours; `error` may be NULL and is freed. Returns
 * `r`. */
int broker_take_error(int r, MqttRpcError *error, Error **ret_error);

/* Sets URI, credentials, root, keep-alive and TLS of a bus that is closed; not the client id. */
int broker_apply_settings(const GatewayConfig *config, MqttRpcBus *bus, Error **ret_error);

/* The address without user and password, fit for a log. Owned by the caller; NULL without memory.
 */
char *broker_dup_public_uri(const char *uri);
