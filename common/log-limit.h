/* SPDX-License-Identifier: MIT */
#pragma once

/* Keeps what peers can cause from filling the log: so many lines in a span of time, then silence,
 * and with the next line the number of those left out. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct LogLimit {
        uint64_t start_usec; /* of the present span */
        unsigned n_written;  /* in it */
        unsigned n_left_out; /* since the last line that was written */
} LogLimit;

/* Pure: time is an argument. True if a line may be written now; then `ret_left_out` is how many
 * were left out before it. */
bool log_limit_pass(LogLimit *limit, uint64_t now, unsigned *ret_left_out);

/* Logs "name: text" as a warning, if it may be. */
void log_limit_warn(LogLimit *limit, const char *name, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));
