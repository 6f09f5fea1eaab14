/* SPDX-License-Identifier: MIT */

#include "common/backoff.h"

#include "common/util.h"

#define BACKOFF_FIRST_USEC (UINT64_C(250) * USEC_PER_MSEC)
#define BACKOFF_LEAST_USEC (UINT64_C(20) * USEC_PER_MSEC)

static uint64_t scale(uint64_t range, uint32_t random)
{
        return (uint64_t)((double)range * ((double)random / (double)UINT32_MAX));
}

uint64_t backoff_next(Backoff *backoff, uint32_t random, uint64_t maximum)
{
        uint64_t ceiling = BACKOFF_FIRST_USEC;

        for (unsigned i = 0; i < backoff->failures && ceiling < maximum; i++)
                ceiling *= 2;
        backoff->failures++;
        ceiling = MIN(ceiling, maximum);
        return MIN(MAX(scale(ceiling, random), BACKOFF_LEAST_USEC), maximum);
}

uint64_t backoff_long(uint32_t random, uint64_t maximum)
{
        return maximum / 2 + scale(maximum / 2, random);
}

void backoff_reset(Backoff *backoff)
{
        backoff->failures = 0;
}
