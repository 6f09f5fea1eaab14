/* SPDX-License-Identifier: MIT */

#include "bridge/recent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/util.h"

/* FNV-1a. Who makes two messages with one digest harms only himself. */
static uint64_t digest_add(uint64_t digest, const void *data, size_t length)
{
        const unsigned char *at = data;

        while (length-- > 0)
                digest = (digest ^ *at++) * UINT64_C(0x100000001b3);
        return digest;
}

uint64_t recent_digest(const char *topic, const void *payload, size_t length)
{
        /* With the NUL, so that the border between the two counts. */
        uint64_t digest = digest_add(UINT64_C(0xcbf29ce484222325), topic, strlen(topic) + 1);

        return digest_add(digest, payload, length);
}

bool recent_has(const Recent *recent, uint16_t mid, uint64_t digest, int64_t last_id)
{
        for (size_t i = 0; i < ARRAY_SIZE(recent->items); i++) {
                const RecentItem *item = &recent->items[i];

                if (item->event_id > 0 && item->mid == mid && item->digest == digest &&
                    item->event_id + (int64_t)ARRAY_SIZE(recent->items) > last_id)
                        return true;
        }
        return false;
}

unsigned recent_add(Recent *recent, const RecentItem *item)
{
        unsigned place = recent->next;

        recent->items[place] = *item;
        recent->next = (place + 1) % (unsigned)ARRAY_SIZE(recent->items);
        return place;
}

void recent_format(const RecentItem *item, char text[RECENT_TEXT_BYTES])
{
        snprintf(text, RECENT_TEXT_BYTES, "%" PRId64 " %016" PRIx64 " %u", item->event_id,
                 item->digest, (unsigned)item->mid);
}

int recent_load(Recent *recent, const char *place, const char *text)
{
        const RecentItem *newest;
        RecentItem item = {};
        uint64_t number;

        if (json_parse_uint64(place, strlen(place), &number) < 0 ||
            number >= ARRAY_SIZE(recent->items) ||
            sscanf(text, "%" SCNd64 " %" SCNx64 " %" SCNu16, &item.event_id, &item.digest,
                   &item.mid) != 3)
                return -EINVAL;
        recent->items[number] = item;
        newest = &recent->items[(recent->next + ARRAY_SIZE(recent->items) - 1) %
                                ARRAY_SIZE(recent->items)];
        if (item.event_id >= newest->event_id)
                recent->next = ((unsigned)number + 1) % (unsigned)ARRAY_SIZE(recent->items);
        return 0;
}
