/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line of mosquitto_rr(1), or of mosquitto_pub(1) for a notification, that does what a
 * call of ours does: to learn from, and to paste into a shell. It never shows a password. */

#include "cli/client.h"
#include "common/buffer.h"

/* Appends the line, without its end. The client has been connected, or at least opened. */
int mosquitto_line_write(Buffer *buffer, const Client *client, const ClientCall *call,
                         bool notification);

/* The same by mosquitto_sub(1) for topics below the root that are watched, NULL-terminated filters:
 * until interrupted, or with `retained` for what the broker keeps alone. */
int mosquitto_line_write_watch(Buffer *buffer, const Client *client, const char *const *filters,
                               bool retained);
