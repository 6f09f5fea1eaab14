/* SPDX-License-Identifier: MIT */
#pragma once

/* Typed argument lists of vtable methods: "zone:s degrees:d" is parsed once, at registration, and
 * every request's params are checked against it (ranges included) before a handler sees them. Types
 * are D-Bus signatures, values their JSON form (protocol section 9), read by the code that the
 * gateway reads them by; only `v` takes any JSON value. Pure. */

#include "common/json-scan.h"
#include "libmqttrpc/error.h"

typedef struct Argument {
        char *name; /* owned; "argN" if none was given */
        char *type; /* owned; one complete type */
} Argument;

typedef struct ArgumentList {
        Argument *items;
        size_t count;
} ArgumentList;

/* "" and NULL are the empty list. -EINVAL with a reason, -ENOMEM. */
int argument_list_parse(const char *text, ArgumentList *ret_list, MqttRpcError **ret_error);
void argument_list_done(ArgumentList *list);

/* Checks one value, the node of `doc`, against one complete type, which is valid and without h.
 * INVALID_PARAMS with data.field on a mismatch: the argument `name`, the type, the place within the
 * value and what is wrong there. */
int argument_check_value(const char *type, const JsonDoc *doc, uint32_t node, const char *name,
                         MqttRpcError **ret_error);

/* Checks the params, an array by position or an object by name, which are the root of `doc`, and
 * appends them as a JSON array in the declared order. INVALID_PARAMS with data.field on a mismatch.
 */
int argument_list_check(const ArgumentList *list, const JsonDoc *doc, Buffer *buffer,
                        MqttRpcError **ret_error);
