/* SPDX-License-Identifier: MIT */

#include "gateway/emit-json.h"

#include <string.h>

#include "common/json-write.h"

static void start_line(EmitJson *emit)
{
        if (!emit->pretty || emit->flat > 0)
                return;
        buffer_append_char(emit->buffer, '\n');
        for (unsigned i = 0; i < emit->depth; i++)
                buffer_append_text(emit->buffer, "  ");
}

static void start_value(EmitJson *emit, const char *key)
{
        if (emit->follows)
                buffer_append_text(emit->buffer, emit->pretty && emit->flat > 0 ? ", " : ",");
        if (emit->depth > 0)
                start_line(emit);
        emit->follows = true;
        if (!key)
                return;
        json_write_string(emit->buffer, key, strlen(key));
        buffer_append_text(emit->buffer, emit->pretty ? ": " : ":");
}

void emit_open(EmitJson *emit, const char *key, char bracket)
{
        start_value(emit, key);
        buffer_append_char(emit->buffer, bracket);
        emit->depth++;
        if (emit->flat > 0)
                emit->flat++;
        emit->follows = false;
}

void emit_open_flat(EmitJson *emit, const char *key, char bracket)
{
        emit_open(emit, key, bracket);
        if (emit->flat == 0)
                emit->flat = 1;
}

void emit_close(EmitJson *emit, char bracket)
{
        bool flat = emit->flat > 0;

        emit->depth--;
        if (emit->follows && !flat)
                start_line(emit);
        if (flat)
                emit->flat--;
        buffer_append_char(emit->buffer, bracket);
        emit->follows = true;
}

void emit_string(EmitJson *emit, const char *key, const char *value)
{
        start_value(emit, key);
        json_write_string(emit->buffer, value, strlen(value));
}

void emit_boolean(EmitJson *emit, const char *key, bool value)
{
        emit_raw(emit, key, value ? "true" : "false");
}

void emit_integer(EmitJson *emit, const char *key, int64_t value)
{
        start_value(emit, key);
        json_write_int64(emit->buffer, value);
}

void emit_raw(EmitJson *emit, const char *key, const char *json)
{
        start_value(emit, key);
        buffer_append_text(emit->buffer, json);
}
