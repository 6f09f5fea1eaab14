/* SPDX-License-Identifier: MIT */

#include "common/clock.h"

#include <time.h>

#include "common/util.h"

uint64_t clock_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}
