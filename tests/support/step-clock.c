/* SPDX-License-Identifier: MIT */

/* To be preloaded into a program under test: its wall clock is off by the number of seconds in the
 * file that MQTTRPC_STEP_FILE names, which a test changes while the program runs. The monotonic
 * clock is left alone. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
        const char *path = getenv("MQTTRPC_STEP_FILE");
        FILE *file = path ? fopen(path, "re") : NULL;
        long seconds = 0;

        if (!file)
                return 0;
        if (fscanf(file, "%ld", &seconds) != 1)
                seconds = 0;
        fclose(file);
        return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
        int r = (int)syscall(SYS_clock_gettime, clock, now);

        if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
                now->tv_sec += offset();
        return r;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
        struct timespec precise;

        (void)clock_gettime(CLOCK_REALTIME, &precise);
        now->tv_sec = precise.tv_sec;
        now->tv_usec = precise.tv_nsec / 1000;
        return 0;
}

time_t time(time_t *ret_now)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        if (ret_now)
                *ret_now = now.tv_sec;
        return now.tv_sec;
}
