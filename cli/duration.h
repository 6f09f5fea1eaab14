/* SPDX-License-Identifier: MIT */
#pragma once

/* Durations as people write them: "5" (seconds), "500ms", "1.5s", "2m", "1h". Pure. */

#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"

/* Microseconds; digits below one are dropped. -EINVAL with the reason in `error` for what is no
 * duration, -ERANGE for more than 24 hours. */
int duration_parse(const char *text, uint64_t *ret_usec, Error **error);

/* Appends the duration in the largest unit that keeps it short: "25 s", "500 ms", "1.5 s". */
int duration_write(Buffer *buffer, uint64_t usec);
