/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/limits.h"
#include "libmqttrpc/presence.h"
#include "libmqttrpc/signal-sources.h"
#include "libmqttrpc/watched-values.h"

struct Subscription {
        unsigned refs;
        bool retained;
        UT_hash_handle hh;
        char filter[];
};

typedef struct Watch {
        MqttRpcSlot slot;           /* first: a slot is a watch */
        WatchSpec spec;             /* its texts are owned */
        Subscription *subscription; /* NULL for services: all states are subscribed anyway */
        bool fresh;                 /* has to be told what is known already */
        struct Watch *prev, *next;
} Watch;

struct WatchTable {
        Watch *watches;
        Watch *cursor;               /* the next one to be told, while messages are handed out */
        Subscription *subscriptions; /* hash by filter */
        WatchedValues values;
        SignalSources sources;
        unsigned n_fresh;
};

/* ---- subscriptions ---- */

void subscription_unref(MqttRpcBus *bus, Subscription *subscription)
{
        if (!subscription || --subscription->refs > 0)
                return;
        HASH_DEL(bus->watches->subscriptions, subscription);
        bus_unsubscribe(bus, subscription->filter);
        free(subscription);
}

int subscription_get(MqttRpcBus *bus, const char *filter, bool retained,
                     Subscription **ret_subscription)
{
        WatchTable *table = bus->watches;
        size_t length = strlen(filter);
        Subscription *subscription;

        HASH_FIND(hh, table->subscriptions, filter, length, subscription);
        if (!subscription) {
                subscription = calloc(1, sizeof(*subscription) + length + 1);
                if (!subscription)
                        return -ENOMEM;
                memcpy(subscription->filter, filter, length);
                subscription->retained = retained;
                HASH_ADD_KEYPTR(hh, table->subscriptions, subscription->filter, length,
                                subscription);
                if (!subscription->hh.tbl) {
                        free(subscription);
                        return -ENOMEM;
                }
                bus_subscribe(bus, filter, retained);
        }
        subscription->refs++;
        *ret_subscription = subscription;
        return 0;
}

bool watches_have_filter(const MqttRpcBus *bus, const char *filter)
{
        const Subscription *subscription;

        HASH_FIND_STR(bus->watches->subscriptions, filter, subscription);
        return subscription;
}

int watches_write_filters(MqttRpcBus *bus, FilterList *filters)
{
        int r = 0;

        for (Subscription *subscription = bus->watches->subscriptions; r >= 0 && subscription;
             subscription = subscription->hh.next)
                r = filter_list_add(filters, "%s", subscription->filter);
        return r;
}

/* ---- table ---- */

int watch_table_new(WatchTable **ret_table)
{
        *ret_table = calloc(1, sizeof(**ret_table));
        return *ret_table ? 0 : -ENOMEM;
}

WatchTable *watch_table_free(WatchTable *table)
{
        if (!table)
                return NULL;
        watched_values_done(&table->values);
        signal_sources_done(&table->sources);
        free(table);
        return NULL;
}

static bool level_matches(const char *pattern, TextSpan level)
{
        return !pattern || text_span_is(level, pattern);
}

static bool matches(const Watch *watch, TopicKind kind, TextSpan service, TextSpan object,
                    TextSpan name)
{
        return watch->spec.kind == kind && level_matches(watch->spec.service, service) &&
               level_matches(watch->spec.object, object) && level_matches(watch->spec.name, name);
}

static bool matches_value(const Watch *watch, const WatchedValue *value)
{
        return matches(watch, value->kind, watched_value_service(value),
                       watched_value_object(value), watched_value_name(value));
}

/* ---- watches ---- */

static bool is_watched(const WatchedValue *value, void *data)
{
        const WatchTable *table = data;
        const Watch *watch;

        DL_FOREACH (table->watches, watch)
                if (matches_value(watch, value))
                        return true;
        return false;
}

static void collect(WatchTable *table)
{
        watched_values_collect(&table->values, is_watched, table);
}

static void cancel_watch(MqttRpcSlot *slot)
{
        WatchTable *table = slot->bus->watches;
        Watch *watch = (Watch *)slot;

        if (table->cursor == watch)
                table->cursor = watch->next;
        if (watch->fresh)
                table->n_fresh--;
        DL_DELETE(table->watches, watch);
        subscription_unref(slot->bus, STEAL(watch->subscription));
        table->values.has_waste = true;
}

static void release_watch(MqttRpcSlot *slot)
{
        Watch *watch = (Watch *)slot;

        free((char *)watch->spec.service);
        free((char *)watch->spec.object);
        free((char *)watch->spec.name);
        free(watch);
}

static int check_level(const char *what, const char *text, bool valid, MqttRpcError **ret_error)
{
        if (valid)
                return 0;
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "'%.64s' is no valid %s: use letters, digits, '_', '.' and '-'",
                                 text, what);
}

int watch_check_levels(const char *service, const char *object, const char *name,
                       MqttRpcError **ret_error)
{
        int r;

        r = check_level("service", service,
                        !service || topic_name_is_valid(service, strlen(service)), ret_error);
        if (r >= 0)
                r = check_level("object", object,
                                !object || topic_object_is_valid(object, strlen(object)),
                                ret_error);
        if (r >= 0)
                r = check_level("name", name, !name || topic_name_is_valid(name, strlen(name)),
                                ret_error);
        return r;
}

static int subscribe(MqttRpcBus *bus, Watch *watch)
{
        CLEANUP_BUFFER Buffer filter = BUFFER_INIT(0);
        int r;

        if (watch->spec.kind == TOPIC_STATE)
                return 0;
        r = topic_write(&filter, watch->spec.kind, bus->root,
                        watch->spec.service ? watch->spec.service : "+",
                        watch->spec.object ? watch->spec.object : "+",
                        watch->spec.name ? watch->spec.name : "+");
        return r < 0 ? r
                     : subscription_get(bus, filter.data, watch->spec.kind != TOPIC_SIGNAL,
                                        &watch->subscription);
}

static int dup_levels(WatchSpec *spec, const WatchSpec *from)
{
        spec->service = from->service ? strdup(from->service) : NULL;
        spec->object = from->object ? strdup(from->object) : NULL;
        spec->name = from->name ? strdup(from->name) : NULL;
        return !from->service == !spec->service && !from->object == !spec->object &&
                               !from->name == !spec->name
                       ? 0
                       : -ENOMEM;
}

int watch_add(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const WatchSpec *spec,
              MqttRpcError **ret_error)
{
        Watch *watch;
        int r;

        r = watch_check_levels(spec->service, spec->object, spec->name, ret_error);
        if (r < 0)
                return r;
        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        watch->spec = *spec;
        r = dup_levels(&watch->spec, spec);
        if (r >= 0)
                r = subscribe(bus, watch);
        if (r < 0) {
                release_watch(&watch->slot);
                return r;
        }
        watch->fresh = spec->kind != TOPIC_SIGNAL;
        bus->watches->n_fresh += watch->fresh;
        slot_init(&watch->slot, bus, ret_slot, cancel_watch, release_watch);
        DL_APPEND(bus->watches->watches, watch);
        return 0;
}

/* ---- handing out ---- */

/* One thing to be told to the watches that fit. */
typedef struct News {
        TopicKind kind;
        TextSpan service;
        TextSpan object;
        TextSpan name;
        union {
                const MqttRpcSignal *signal;
                const WatchedValue *value;
                const Presence *presence;
        };
} News;

static void tell(const Watch *watch, const News *news)
{
        CLEANUP(json_reading_done) JsonReading reading = {};
        const MqttRpcPropertyEvent property = {news->value, &reading};
        const MqttRpcObjectEvent object = {news->value};
        const MqttRpcDescriptionEvent description = {news->value};
        const MqttRpcServiceEvent service = {news->presence};

        switch (news->kind) {
        case TOPIC_SIGNAL: watch->spec.on_signal(news->signal, watch->spec.userdata); break;
        case TOPIC_PROPERTY: watch->spec.on_property(&property, watch->spec.userdata); break;
        case TOPIC_META: watch->spec.on_object(&object, watch->spec.userdata); break;
        case TOPIC_API: watch->spec.on_description(&description, watch->spec.userdata); break;
        default: watch->spec.on_service(&service, watch->spec.userdata); break;
        }
}

/* A handler may drop any watch, its own included, and close the bus. Fresh watches are told later,
 * once. */
static void hand_out(MqttRpcBus *bus, const News *news)
{
        WatchTable *table = bus->watches;
        Watch *watch;

        for (table->cursor = table->watches; (watch = table->cursor);) {
                table->cursor = watch->next;
                if (!watch->fresh &&
                    matches(watch, news->kind, news->service, news->object, news->name))
                        tell(watch, news);
        }
}

static void hand_out_value(MqttRpcBus *bus, const WatchedValue *value)
{
        const News news = {
                .kind = value->kind,
                .service = watched_value_service(value),
                .object = watched_value_object(value),
                .name = watched_value_name(value),
                .value = value,
        };

        hand_out(bus, &news);
}

/* ---- messages ---- */

static bool refuse(MqttRpcBus *bus, const LinkMessage *message, const char *why)
{
        bus_count(bus, MQTTRPC_COUNT_STATE_REFUSED);
        bus_log_peer(bus, "message at %s ignored: %s", message->topic, why);
        return false;
}

static bool scan(MqttRpcBus *bus, const LinkMessage *message)
{
        if (message->length > bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES])
                return refuse(bus, message, "it is larger than this program takes");
        if (json_scan(&bus->doc, message->payload, message->length, JSON_SCAN_STRICT) < 0)
                return refuse(bus, message, bus->doc.error_reason);
        return true;
}

/* A signal is a JSON-RPC notification whose method is the name in the topic. */
static bool read_signal(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message,
                        MqttRpcSignal *signal)
{
        const JsonDoc *doc = &bus->doc;
        uint32_t method, params;

        if (!scan(bus, message))
                return false;
        if (json_type(doc, 0) != JSON_OBJECT)
                return refuse(bus, message, "a signal must be a JSON object");
        method = json_find(doc, 0, "method");
        if (method > 0 && !json_string_is(doc, method, signal->name))
                return refuse(bus, message, "'method' differs from the signal in the topic");
        params = json_find(doc, 0, "params");
        signal->params = "[]";
        signal->params_length = 2;
        if (params > 0 && json_type(doc, params) != JSON_ARRAY &&
            json_type(doc, params) != JSON_OBJECT)
                return refuse(bus, message, "'params' must be an array or object");
        if (params > 0)
                signal->params = json_raw(doc, params, &signal->params_length);
        return true;
}

static bool has_signal_watch(const WatchTable *table, const Topic *topic)
{
        const Watch *watch;

        DL_FOREACH (table->watches, watch)
                if (matches(watch, TOPIC_SIGNAL, topic->service, topic->object, topic->name))
                        return true;
        return false;
}

static void tell_signal(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message,
                        MqttRpcSignal *signal)
{
        const News news = {
                .kind = TOPIC_SIGNAL,
                .service = topic->service,
                .object = topic->object,
                .name = topic->name,
                .signal = signal,
        };

        if (!signal_sources_note(&bus->watches->sources, message->topic, message->seq,
                                 &signal->lost))
                return; /* it came twice, by overlapping filters */
        bus->counters[MQTTRPC_COUNT_SIGNALS_LOST] += signal->lost;
        hand_out(bus, &news);
}

void watches_on_signal(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0); /* names and params with NULs behind them */
        size_t at_object = topic->service.length + 1;
        size_t at_name = at_object + topic->object.length + 1;
        size_t at_params = at_name + topic->name.length + 1;
        CLEANUP(json_reading_done) JsonReading reading = {};
        MqttRpcSignal signal = {.reading = &reading};

        if (!has_signal_watch(bus->watches, topic))
                return;
        if (message->retain) {
                refuse(bus, message, "a signal must not be retained");
                return;
        }
        buffer_append(&text, topic->service.at, topic->service.length);
        buffer_append_char(&text, '\0');
        buffer_append(&text, topic->object.at, topic->object.length);
        buffer_append_char(&text, '\0');
        buffer_append(&text, topic->name.at, topic->name.length);
        buffer_append_char(&text, '\0');
        signal.name = buffer_status(&text) < 0 ? NULL : text.data + at_name;
        if (!signal.name || !read_signal(bus, topic, message, &signal) ||
            buffer_append(&text, signal.params, signal.params_length) < 0)
                return;
        signal.service = text.data;
        signal.object = text.data + at_object;
        signal.name = text.data + at_name;
        signal.params = text.data + at_params;
        tell_signal(bus, topic, message, &signal);
}

static bool is_wanted(const WatchTable *table, const Topic *topic)
{
        const Watch *watch;

        DL_FOREACH (table->watches, watch)
                if (matches(watch, topic->kind, topic->service, topic->object, topic->name))
                        return true;
        return false;
}

static bool service_is_up(const MqttRpcBus *bus, TextSpan service)
{
        const Presence *presence = presence_find(bus, service.at, service.length);

        return presence && presence_is_up(presence);
}

void watches_on_retained(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        WatchTable *table = bus->watches;
        WatchedValue *value;
        bool changed = false;
        int r;

        if (!is_wanted(table, topic) || (message->length > 0 && !scan(bus, message)))
                return;
        r = watched_values_put(&table->values, topic, message->payload, message->length,
                               link_generation(bus->link), &value, &changed);
        if (r < 0) {
                refuse(bus, message,
                       r == -ENOBUFS ? "more values than this program keeps" : "out of memory");
                return;
        }
        if (!value)
                return;
        if (value->value && value->stale == service_is_up(bus, topic->service)) {
                value->stale = !value->stale;
                changed = true;
        }
        if (changed)
                hand_out_value(bus, value);
        collect(table);
}

/* ---- presence and connection ---- */

void watches_on_presence(MqttRpcBus *bus, const Presence *presence)
{
        TextSpan service = {presence->name, strlen(presence->name)};
        const News news = {.kind = TOPIC_STATE, .service = service, .presence = presence};
        bool stale = !presence_is_up(presence);

        hand_out(bus, &news);
        WATCHED_VALUES_FOREACH(&bus->watches->values, value)
        {
                TextSpan of = watched_value_service(value);

                if (value->stale == stale || !value->value || of.length != service.length ||
                    memcmp(of.at, service.at, of.length) != 0)
                        continue;
                value->stale = stale;
                hand_out_value(bus, value);
        }
        collect(bus->watches);
}

void watches_on_complete(MqttRpcBus *bus)
{
        uint64_t generation = link_generation(bus->link);

        WATCHED_VALUES_FOREACH(&bus->watches->values, value)
        {
                if (!value->value || value->generation == generation)
                        continue;
                watched_value_clear(&bus->watches->values, value);
                hand_out_value(bus, value);
        }
        collect(bus->watches);
}

/* ---- what a new watch is told ---- */

static void tell_values(MqttRpcBus *bus, Watch *watch)
{
        WATCHED_VALUES_FOREACH(&bus->watches->values, value)
        {
                const News news = {.kind = value->kind, .value = value};

                if (!watch->slot.bus)
                        break; /* it has dropped itself */
                if (value->value && matches_value(watch, value))
                        tell(watch, &news);
        }
}

static void tell_presence(Presence *presence, void *data)
{
        const News news = {.kind = TOPIC_STATE, .presence = presence};
        Watch *watch = data;

        if (watch->slot.bus && presence->known && presence->details &&
            level_matches(watch->spec.service, (TextSpan){presence->name, strlen(presence->name)}))
                tell(watch, &news);
}

bool watches_are_waiting(const MqttRpcBus *bus)
{
        return bus->watches->n_fresh > 0;
}

void watches_process(MqttRpcBus *bus)
{
        WatchTable *table = bus->watches;
        Watch *watch;

        while (table->n_fresh > 0) {
                DL_SEARCH_SCALAR(table->watches, watch, fresh, true);
                if (!watch)
                        break;
                watch->fresh = false;
                table->n_fresh--;
                watch->slot.refs++; /* its handler may drop it */
                if (watch->spec.kind == TOPIC_STATE)
                        presence_foreach(bus, tell_presence, watch);
                else
                        tell_values(bus, watch);
                mqttrpc_slot_unref(&watch->slot);
        }
        collect(table);
}

void watches_on_down(MqttRpcBus *bus)
{
        WATCHED_VALUES_FOREACH(&bus->watches->values, value)
        {
                if (value->stale || !value->value)
                        continue;
                value->stale = true;
                hand_out_value(bus, value);
        }
}

const WatchedValue *watch_find_value(const MqttRpcSlot *slot, const char *service,
                                     const char *object, const char *name)
{
        const Watch *watch = (const Watch *)slot;
        const WatchedValue *value;

        value = watched_values_find(&slot->bus->watches->values, watch->spec.kind, service, object,
                                    name);
        return value && matches_value(watch, value) ? value : NULL;
}
