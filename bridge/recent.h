/* SPDX-License-Identifier: MIT */
#pragma once

/* The last messages that were stored and carry no `seq`, by packet id and content: when the local
 * broker sends one of them again after a crash, since it has not got our PUBACK, it is known. Only
 * as many as the broker may have under way are of interest. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

typedef struct RecentItem {
        int64_t event_id; /* 0: free */
        uint64_t digest;
        uint16_t mid;
} RecentItem;

typedef struct Recent {
        RecentItem items[LIMIT_BRIDGE_BATCH];
        unsigned next;
} Recent;

enum { RECENT_TEXT_BYTES = 64 };

uint64_t recent_digest(const char *topic, const void *payload, size_t length);
/* `last_id` is that of the last event that was stored: what is too far behind it has been
 * acknowledged long ago, and its packet id may be another message's. */
bool recent_has(const Recent *recent, uint16_t mid, uint64_t digest, int64_t last_id);
/* In the place of the oldest; returns which place. */
unsigned recent_add(Recent *recent, const RecentItem *item);

/* For the store: an item as a text, and back into its place. -EINVAL. */
void recent_format(const RecentItem *item, char text[RECENT_TEXT_BYTES]);
int recent_load(Recent *recent, const char *place, const char *text);
