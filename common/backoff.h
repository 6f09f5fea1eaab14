/* SPDX-License-Identifier: MIT */
#pragma once

/* How long to wait before the next attempt to connect: "full jitter", a random time between zero
 * and a ceiling that doubles with each failure, so that many clients of a restarted broker do not
 * come back in step. Pure: randomness is an argument. */

#include <stdint.h>

typedef struct Backoff {
        unsigned failures; /* in a row */
} Backoff;

/* The pause after one more failure, in microseconds: at least 20 ms, at most `maximum`. `random`
 * is uniform over all 32 bits. */
uint64_t backoff_next(Backoff *backoff, uint32_t random, uint64_t maximum);

/* A pause between half of `maximum` and `maximum`, for what quick retries would make worse. */
uint64_t backoff_long(uint32_t random, uint64_t maximum);

void backoff_reset(Backoff *backoff);
