/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/watched-values.h"

#include <errno.h>

#include "common/limits.h"

/* About what a value costs beside its bytes. */
enum { OVERHEAD_BYTES = sizeof(WatchedValue) + 32 };

static void append_level(Buffer *key, TextSpan level)
{
        buffer_append(key, level.at, level.length);
        buffer_append_char(key, '\0');
}

static int write_key(WatchedValues *values, TopicKind kind, TextSpan service, TextSpan object,
                     TextSpan name)
{
        buffer_clear(&values->key);
        buffer_append_char(&values->key, kind == TOPIC_META ? 'm' : 'p');
        append_level(&values->key, service);
        append_level(&values->key, object);
        append_level(&values->key, name);
        return buffer_status(&values->key);
}

static WatchedValue *find_key(WatchedValues *values)
{
        WatchedValue *value;

        HASH_FIND(hh, values->values, values->key.data, values->key.length, value);
        return value;
}

static int add(WatchedValues *values, const Topic *topic, WatchedValue **ret_value)
{
        size_t length = values->key.length;
        WatchedValue *value;

        if (HASH_COUNT(values->values) >= LIMIT_WATCHED_VALUES)
                return -ENOBUFS;
        value = calloc(1, sizeof(*value) + length);
        if (!value)
                return -ENOMEM;
        *value = (WatchedValue){
                .kind = topic->kind,
                .stale = true,
                .service_length = (uint16_t)topic->service.length,
                .object_length = (uint16_t)topic->object.length,
                .name_length = (uint16_t)topic->name.length,
        };
        memcpy(value->key, values->key.data, length);
        HASH_ADD_KEYPTR(hh, values->values, value->key, length, value);
        if (!hash_added(value->hh)) {
                free(value);
                return -ENOMEM;
        }
        values->bytes += OVERHEAD_BYTES + length;
        *ret_value = value;
        return 0;
}

static void remove_value(WatchedValues *values, WatchedValue *value)
{
        size_t key_length = value->hh.keylen;

        HASH_DEL(values->values, value);
        values->bytes -= OVERHEAD_BYTES + key_length + value->length;
        free(value->value);
        free(value);
}

void watched_values_done(WatchedValues *values)
{
        while (values->values)
                remove_value(values, values->values);
        buffer_done(&values->key);
}

void watched_value_clear(WatchedValues *values, WatchedValue *value)
{
        values->bytes -= value->length;
        free(STEAL(value->value));
        value->length = 0;
        values->has_waste = true;
}

static int set_text(WatchedValues *values, WatchedValue *value, const char *text, size_t length)
{
        char *copy;

        if (values->bytes - value->length + length > LIMIT_WATCHED_BYTES)
                return -ENOBUFS;
        copy = malloc(length + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, length);
        copy[length] = '\0';
        values->bytes += length;
        values->bytes -= value->length;
        free(value->value);
        value->value = copy;
        value->length = length;
        return 0;
}

int watched_values_put(WatchedValues *values, const Topic *topic, const char *text, size_t length,
                       uint64_t generation, WatchedValue **ret_value, bool *ret_changed)
{
        WatchedValue *value;
        int r;

        r = write_key(values, topic->kind, topic->service, topic->object, topic->name);
        if (r < 0)
                return r;
        *ret_changed = false;
        *ret_value = value = find_key(values);
        if (length == 0) {
                *ret_changed = value && value->value;
                if (*ret_changed)
                        watched_value_clear(values, value);
                return 0;
        }
        r = value ? 0 : add(values, topic, &value);
        if (r < 0)
                return r;
        *ret_value = value;
        value->generation = generation;
        if (value->value && value->length == length && !memcmp(value->value, text, length))
                return 0;
        r = set_text(values, value, text, length);
        if (r < 0) {
                /* An old value would be a wrong one. */
                watched_value_clear(values, value);
                return r;
        }
        *ret_changed = true;
        return 0;
}

WatchedValue *watched_values_find(WatchedValues *values, TopicKind kind, const char *service,
                                  const char *object, const char *name)
{
        WatchedValue *value;

        if (write_key(values, kind, (TextSpan){service, strlen(service)},
                      (TextSpan){object, strlen(object)}, (TextSpan){name, strlen(name)}) < 0)
                return NULL;
        value = find_key(values);
        return value && value->value ? value : NULL;
}

void watched_values_collect(WatchedValues *values,
                            bool (*wanted)(const WatchedValue *value, void *data), void *data)
{
        WatchedValue *value, *next;

        if (!values->has_waste)
                return;
        values->has_waste = false;
        HASH_ITER (hh, values->values, value, next)
                if (!value->value || !wanted(value, data))
                        remove_value(values, value);
}
