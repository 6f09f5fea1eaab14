/* SPDX-License-Identifier: MIT */

#include "common/log-limit.h"

#include "common/limits.h"
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
