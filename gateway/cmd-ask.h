/* SPDX-License-Identifier: MIT */
#pragma once

/* Asks a running gateway, by way of its own service on the broker. */

#include "common/json-scan.h"
#include "gateway/cmd-settings.h"

/* Calls a method of it and waits for the answer. The result is JSON text, owned by the caller. On
 * failure the error is a sentence that says who does not answer; -ENOENT: it answers that there is
 * no such thing. */
int cmd_ask(const GatewayConfig *config, const char *method, const char *params, char **ret_result,
            Error **ret_error);

/* The same after reading the settings, with the name of a service as the one argument, or without
 * if that is NULL. */
int cmd_ask_about(CmdSettings *settings, const char *method, const char *name, char **ret_result,
                  Error **ret_error);

/* The text of a string, or a number as it stands; "" for null, and for what is not there. Owned by
 * the caller; NULL without memory. */
char *cmd_dup_member(const JsonDoc *doc, uint32_t object, const char *key);

/* Appends a list of findings as text, a line each, fit for a terminal. */
void cmd_write_findings(const JsonDoc *doc, uint32_t list, Buffer *buffer);
