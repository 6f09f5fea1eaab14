/* SPDX-License-Identifier: MIT */
#pragma once

/* Command line arguments of a method → `params` of its call. Pure.
 *
 * Each argument is JSON if it reads as JSON, else a string. NAME=VALUE, with a NAME of letters,
 * digits, '_' and '-', is an argument by name, and VALUE is taken likewise; a string in JSON quotes
 * is never that, whatever is in it. Arguments are given all by position or all by name. */

#include <stdbool.h>

#include "common/buffer.h"
#include "common/error.h"

typedef struct Params {
        char *text;            /* owned; a JSON array or object, or NULL for no arguments */
        bool is_one_container; /* the only argument is an array or object */
        char *note; /* owned; which arguments began like JSON but became strings; mostly NULL */
} Params;

void params_done(Params *params);
#define CLEANUP_PARAMS CLEANUP(params_done)

/* Outputs are only set on success. -EINVAL for what makes no params, -EMSGSIZE for too much. */
int params_build(const char *const *arguments, size_t count, Params *ret_params, Error **error);

/* One argument by position, whatever it looks like. */
int params_build_one(const char *argument, Params *ret_params, Error **error);

/* Params given as JSON. */
int params_from_json(const char *json, Params *ret_params, Error **error);
