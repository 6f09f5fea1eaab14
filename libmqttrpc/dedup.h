/* SPDX-License-Identifier: MIT */
#pragma once

/* At most once (protocol section 5): which requests were seen before, and what was answered.
 *
 * Ids of this library ("8hex-counter") are remembered as one bit each, in a sliding window per
 * caller and prefix: never executed twice, whatever happens to the results. Results are kept apart,
 * for any request that can be recognized, until its deadline, in a bounded least-recently-stored
 * list. Pure: time is an argument. */

#include <stdint.h>

#include "libmqttrpc/topic.h"

typedef struct Dedup Dedup;

int dedup_new(Dedup **ret_dedup);
Dedup *dedup_free(Dedup *dedup);

/* Takes "xxxxxxxx-N" (a raw JSON token, with quotes) apart; false for any other id. */
bool dedup_parse_id(TextSpan id, uint32_t *ret_prefix, uint64_t *ret_counter);

/* Whether an id of this library was marked before, or is too old to tell. */
bool dedup_is_seen(Dedup *dedup, TextSpan caller, uint32_t prefix, uint64_t counter);

/* Marks it. 0 or -ENOMEM; the request must not be executed then. */
int dedup_mark(Dedup *dedup, TextSpan caller, uint32_t prefix, uint64_t counter);

/* Keeps the response to the request with that key until `expiry_usec`; forgets the oldest ones
 * beyond the limits. `code` is that of the error in it, or 0. Failing to keep it is not a failure:
 * the request counts as DUPLICATE later. */
void dedup_store(Dedup *dedup, const void *key, size_t key_length, const char *response,
                 size_t length, int code, uint64_t expiry_usec, uint64_t now);

/* The response, or NULL. Borrowed until the next dedup_store(). */
const char *dedup_find(Dedup *dedup, const void *key, size_t key_length, uint64_t now,
                       size_t *ret_length, int *ret_code);
