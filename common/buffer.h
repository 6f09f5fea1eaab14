/* SPDX-License-Identifier: MIT */
#pragma once

/* A growable byte buffer with an upper bound: what topics, payloads and texts are built in. It is
 * reusable (buffer_clear() keeps the memory), and sticky on failure: after a failed append every
 * further one fails too, so that a writer may check once, at the end, with buffer_status(). */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/util.h"

typedef struct Buffer {
        char *data; /* owned; NUL-terminated whenever it is not NULL */
        size_t length;
        size_t capacity; /* never more than `maximum` takes */
        size_t maximum;  /* bytes; 0 = only memory is the limit */
        int status;      /* 0, -ENOMEM, or -EMSGSIZE when `maximum` would be exceeded */
} Buffer;

#define BUFFER_INIT(max) ((Buffer){.maximum = (max)})

void buffer_done(Buffer *buffer);
void buffer_clear(Buffer *buffer);

/* 0 or the first failure since buffer_clear(). */
static inline int buffer_status(const Buffer *buffer)
{
        return buffer->status;
}

/* The text so far; "" when empty. Borrowed, valid until the next change. */
static inline const char *buffer_text(const Buffer *buffer)
{
        return buffer->data ? buffer->data : "";
}

/* Makes room for `length` more bytes and returns where they go, or NULL on failure. The caller
 * writes at most that many and then adds what it wrote to buffer->length by buffer_commit(). */
char *buffer_reserve(Buffer *buffer, size_t length);
void buffer_commit(Buffer *buffer, size_t length);

int buffer_append(Buffer *buffer, const void *data, size_t length);
int buffer_append_text(Buffer *buffer, const char *text);

static inline int buffer_append_char(Buffer *buffer, char c)
{
        if (buffer->status < 0 || buffer->capacity - buffer->length < 2)
                return buffer_append(buffer, &c, 1);
        buffer->data[buffer->length++] = c;
        buffer->data[buffer->length] = '\0';
        return 0;
}

int buffer_printf(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Cuts back to `length` bytes; used to undo a started item. Does not clear a failure. */
void buffer_truncate(Buffer *buffer, size_t length);

/* Moves the text out, owned by the caller; NULL when a failure happened. Never NULL for an empty
 * buffer unless memory is short. */
char *buffer_steal(Buffer *buffer);

#define CLEANUP_BUFFER CLEANUP(buffer_done)
