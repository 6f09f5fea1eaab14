/* SPDX-License-Identifier: MIT */
#pragma once

/* The error object for what a person has to read: a negative errno and a sentence. It is set once,
 * by the function that knows most; callers prepend what they were doing on the way up.
 *
 *         Error *error = NULL;
 *         r = mapping_load(path, &mapping, &error);
 *         if (r < 0)
 *                 error_prefix(&error, "cannot start: ");
 *
 * Every function that takes an Error ** accepts NULL there, and leaves it untouched on success. */

#include "common/util.h"

typedef struct Error {
        int code;   /* negative errno */
        char *text; /* owned, never NULL */
} Error;

/* Sets *error (which must be NULL or absent) and returns `code`, so that a failing function can end
 * with `return error_set(error, -EINVAL, "…")`. When memory is short the text is a constant. */
int error_set(Error **error, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* As error_set(), with ": " and the text of errno `-code` appended. */
int error_set_errno(Error **error, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Puts context in front of an error that is set; does nothing when there is none. */
void error_prefix(Error **error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text, or "unknown error" for NULL. Borrowed. */
const char *error_text(const Error *error);

/* Accepts NULL, returns NULL. */
Error *error_free(Error *error);

DEFINE_CLEANUP(Error *, error_free, error_cleanup)
#define CLEANUP_ERROR CLEANUP(error_cleanup)
