/* SPDX-License-Identifier: MIT */
#pragma once

/* The values of watched properties, objects ($meta) and descriptions ($api), as they came last: a
 * table with a cap on values and bytes. Values are only taken out by watched_values_collect(), so
 * that the table can be gone through while handlers run. Pure. */

#include <stdint.h>

#include "common/hash.h"
#include "libmqttrpc/topic.h"

typedef struct WatchedValue {
        TopicKind kind; /* TOPIC_PROPERTY, TOPIC_META or TOPIC_API */
        bool stale;     /* its service is not up */
        uint16_t service_length;
        uint16_t object_length;
        uint16_t name_length;
        char *value; /* JSON text, NUL-terminated; owned; NULL: it is gone */
        size_t length;
        uint64_t generation; /* of the connection by which it came */
        UT_hash_handle hh;
        char key[]; /* kind, then service, object and name, a NUL behind each */
} WatchedValue;

typedef struct WatchedValues {
        WatchedValue *values; /* hash by key */
        uint64_t bytes;
        Buffer key;     /* scratch */
        bool has_waste; /* something may be collected */
} WatchedValues;

void watched_values_done(WatchedValues *values);

/* Takes a message of a topic in; an empty one says that it is gone. `ret_value` is NULL if it was
 * not there before either; `ret_changed` tells whether it is another value now. -ENOBUFS: no room,
 * -ENOMEM. */
int watched_values_put(WatchedValues *values, const Topic *topic, const char *text, size_t length,
                       uint64_t generation, WatchedValue **ret_value, bool *ret_changed);
/* NULL if there is none, or it is gone. */
WatchedValue *watched_values_find(WatchedValues *values, TopicKind kind, const char *service,
                                  const char *object, const char *name);
/* Makes it one that is gone. */
void watched_value_clear(WatchedValues *values, WatchedValue *value);

/* Frees those that are gone, and those that are not `wanted`; not while they are gone through. */
void watched_values_collect(WatchedValues *values,
                            bool (*wanted)(const WatchedValue *value, void *data), void *data);

#define WATCHED_VALUES_FOREACH(table, item) \
        for (WatchedValue *item = (table)->values; item; item = item->hh.next)

static inline TextSpan watched_value_service(const WatchedValue *value)
{
        return (TextSpan){value->key + 1, value->service_length};
}

static inline TextSpan watched_value_object(const WatchedValue *value)
{
        return (TextSpan){value->key + 1 + value->service_length + 1, value->object_length};
}

/* Empty for $meta. */
static inline TextSpan watched_value_name(const WatchedValue *value)
{
        return (TextSpan){value->key + 1 + value->service_length + 1 + value->object_length + 1,
                          value->name_length};
}
