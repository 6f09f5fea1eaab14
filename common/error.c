/* SPDX-License-Identifier: MIT */

#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What stands in when there is no memory for a real error; never freed. */
static Error error_out_of_memory = {.code = -ENOMEM, .text = (char *)"out of memory"};

static void set_text(Error **error, int code, char *text)
{
        Error *new;

        new = text ? malloc(sizeof(*new)) : NULL;
        if (!new) {
                free(text);
                *error = &error_out_of_memory;
                return;
        }
        *new = (Error){.code = code, .text = text};
        *error = new;
}

int error_set(Error **error, int code, const char *format, ...)
{
        char *text = NULL;
        va_list arguments;

        if (!error)
                return code;
        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        set_text(error, code, text);
        return code;
}

int error_set_errno(Error **error, int code, const char *format, ...)
{
        CLEANUP_FREE char *prefix = NULL;
        char *text = NULL;
        va_list arguments;

        if (!error)
                return code;
        va_start(arguments, format);
        if (vasprintf(&prefix, format, arguments) < 0)
                prefix = NULL;
        va_end(arguments);
        if (prefix && asprintf(&text, "%s: %s", prefix, strerrordesc_np(-code)) < 0)
                text = NULL;
        set_text(error, code, text);
        return code;
}

void error_prefix(Error **error, const char *format, ...)
{
        CLEANUP_FREE char *prefix = NULL;
        char *text = NULL;
        va_list arguments;

        if (!error || !*error || *error == &error_out_of_memory)
                return;
        va_start(arguments, format);
        if (vasprintf(&prefix, format, arguments) < 0)
                prefix = NULL;
        va_end(arguments);
        if (!prefix || asprintf(&text, "%s%s", prefix, (*error)->text) < 0)
                return;
        free((*error)->text);
        (*error)->text = text;
}

const char *error_text(const Error *error)
{
        return error ? error->text : "unknown error";
}

Error *error_free(Error *error)
{
        if (!error || error == &error_out_of_memory)
                return NULL;
        free(error->text);
        free(error);
        return NULL;
}
