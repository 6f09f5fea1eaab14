/* SPDX-License-Identifier: MIT */

#include "bridge/rate.h"

#include "common/util.h"

static void refill(Bucket *bucket, double capacity, uint64_t span_usec, uint64_t now)
{
        if (bucket->last_usec == 0)
                bucket->tokens = capacity;
        else if (now > bucket->last_usec)
                bucket->tokens += (double)(now - bucket->last_usec) * capacity / (double)span_usec;
        bucket->tokens = MIN(bucket->tokens, capacity);
        bucket->last_usec = now;
}

bool bucket_take(Bucket *bucket, double amount, double capacity, uint64_t span_usec, uint64_t now,
                 uint64_t *ret_wait_usec)
{
        double need = MIN(amount, capacity);

        refill(bucket, capacity, span_usec, now);
        if (bucket->tokens >= need) {
                bucket->tokens -= amount;
                return true;
        }
        *ret_wait_usec = (uint64_t)((need - bucket->tokens) * (double)span_usec / capacity) + 1;
        return false;
}

uint64_t rate_take(Rate *rate, const RateLimits *limits, uint64_t bytes, uint64_t now)
{
        Bucket messages = rate->messages;
        uint64_t wait = 0;

        if (limits->messages_per_s > 0 &&
            !bucket_take(&messages, 1, limits->messages_per_s, USEC_PER_SEC, now, &wait))
                return wait;
        if (limits->kib_per_s > 0 &&
            !bucket_take(&rate->bytes, (double)bytes, limits->kib_per_s * 1024.0, USEC_PER_SEC, now,
                         &wait))
                return wait;
        rate->messages = messages;
        return 0;
}
