/* SPDX-License-Identifier: MIT */

#include "common/log-limit.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/util.h"

bool log_limit_pass(LogLimit *limit, uint64_t now, unsigned *ret_left_out)
{
        if (limit->n_written == 0 || now - limit->start_usec >= LIMIT_LOG_SPAN_USEC) {
                limit->start_usec = now;
                limit->n_written = 0;
        }
        if (limit->n_written >= LIMIT_LOG_LINES) {
                limit->n_left_out++;
                return false;
        }
        limit->n_written++;
        *ret_left_out = limit->n_left_out;
        limit->n_left_out = 0;
        return true;
}

void log_limit_warn(LogLimit *limit, const char *name, const char *format, va_list arguments)
{
        CLEANUP_FREE char *text = NULL;
        unsigned left_out;

        if (!log_limit_pass(limit, clock_now(), &left_out))
                return;
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        if (left_out > 0)
                log_warning("%s: %u warnings were left out", name, left_out);
        log_warning("%s: %s", name, text ? text : format);
}
