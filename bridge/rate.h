/* SPDX-License-Identifier: MIT */
#pragma once

/* Token buckets: how much may be done in a time, with what was not used of the last second (or
 * minute) saved up. Pure: time is an argument. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Bucket {
        double tokens;
        uint64_t last_usec; /* 0: never used, full */
} Bucket;

/* Takes `amount` if it is there. `capacity` tokens come in `span_usec`. Else false, and when it
 * will be. An amount beyond the capacity is let through when the bucket is full. */
bool bucket_take(Bucket *bucket, double amount, double capacity, uint64_t span_usec, uint64_t now,
                 uint64_t *ret_wait_usec);

/* What is sent to the cloud: messages and bytes. */
typedef struct Rate {
        Bucket messages;
        Bucket bytes;
} Rate;

typedef struct RateLimits {
        unsigned messages_per_s; /* 0: no limit */
        unsigned kib_per_s;
} RateLimits;

/* 0: send it, counted; else microseconds to wait. */
uint64_t rate_take(Rate *rate, const RateLimits *limits, uint64_t bytes, uint64_t now);
