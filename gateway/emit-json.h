/* SPDX-License-Identifier: MIT */
#pragma once

/* Writes a JSON document piece by piece: cares for commas, quotes and, if wanted, line ends. The
 * first failure of the buffer sticks; look at buffer_status() at the end. Each function takes a
 * key, or NULL for an item of an array, and each value must be in its place: that is the caller's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"

typedef struct EmitJson {
        Buffer *buffer; /* borrowed */
        bool pretty;    /* a line for each value, indented by two spaces */
        unsigned depth;
        unsigned flat; /* >0: the values are in one line for now */
        bool follows;  /* something stands before the next value in its container */
} EmitJson;

#define EMIT_JSON(text, is_pretty) ((EmitJson){.buffer = (text), .pretty = (is_pretty)})

/* Opens an object ('{') or array ('['); a flat one stays in its line, with all that is in it. */
void emit_open(EmitJson *emit, const char *key, char bracket);
void emit_open_flat(EmitJson *emit, const char *key, char bracket);
/* Closes what was opened last ('}' or ']'). */
void emit_close(EmitJson *emit, char bracket);

void emit_string(EmitJson *emit, const char *key, const char *value);
void emit_boolean(EmitJson *emit, const char *key, bool value);
void emit_integer(EmitJson *emit, const char *key, int64_t value);
/* JSON text as it stands. */
void emit_raw(EmitJson *emit, const char *key, const char *json);
