/* SPDX-License-Identifier: MIT */

#include "common/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void buffer_done(Buffer *buffer)
{
        free(buffer->data);
        *buffer = BUFFER_INIT(buffer->maximum);
}

void buffer_clear(Buffer *buffer)
{
        buffer->length = 0;
        buffer->status = 0;
        if (buffer->data)
                buffer->data[0] = '\0';
}

static int fail(Buffer *buffer, int status)
{
        if (buffer->status == 0)
                buffer->status = status;
        return buffer->status;
}

char *buffer_reserve(Buffer *buffer, size_t length)
{
        size_t needed, capacity;
        char *data;

        if (buffer->status < 0)
                return NULL;
        if (length > SIZE_MAX / 2 - buffer->length - 1) {
                fail(buffer, -ENOMEM);
                return NULL;
        }
        needed = buffer->length + length;
        if (buffer->maximum > 0 && needed > buffer->maximum) {
                fail(buffer, -EMSGSIZE);
                return NULL;
        }
        if (needed + 1 > buffer->capacity) {
                capacity = MAX(needed + 1, MAX(buffer->capacity * 2, (size_t)128));
                if (buffer->maximum > 0)
                        capacity = MIN(capacity, buffer->maximum + 1);
                data = realloc(buffer->data, capacity);
                if (!data) {
                        fail(buffer, -ENOMEM);
                        return NULL;
                }
                buffer->data = data;
                buffer->capacity = capacity;
        }
        return buffer->data + buffer->length;
}

void buffer_commit(Buffer *buffer, size_t length)
{
        buffer->length += length;
        buffer->data[buffer->length] = '\0';
}

int buffer_append(Buffer *buffer, const void *data, size_t length)
{
        char *end;

        if (buffer->status == 0 && length < buffer->capacity - buffer->length)
                end = buffer->data + buffer->length;
        else
                end = buffer_reserve(buffer, length);
        if (!end)
                return buffer->status;
        if (length > 0)
                memcpy(end, data, length);
        buffer_commit(buffer, length);
        return 0;
}

int buffer_append_text(Buffer *buffer, const char *text)
{
        return buffer_append(buffer, text, strlen(text));
}

int buffer_printf(Buffer *buffer, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0) {
                text = NULL;
                return fail(buffer, -ENOMEM);
        }
        return buffer_append(buffer, text, (size_t)length);
}

void buffer_truncate(Buffer *buffer, size_t length)
{
        if (length >= buffer->length)
                return;
        buffer->length = length;
        buffer->data[length] = '\0';
}

char *buffer_steal(Buffer *buffer)
{
        char *text;

        if (buffer->status < 0 || (!buffer->data && !buffer_reserve(buffer, 0)))
                return NULL;
        buffer->data[buffer->length] = '\0';
        /* It may be kept for long, a thousand times. */
        text = realloc(buffer->data, buffer->length + 1);
        if (!text)
                text = buffer->data;
        buffer->data = NULL;
        buffer_done(buffer);
        return text;
}
