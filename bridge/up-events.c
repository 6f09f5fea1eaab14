/* SPDX-License-Identifier: MIT */

#include "bridge/up-events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bridge/filters.h"
#include "bridge/sources.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/log.h"

/* How long the local broker keeps what came while the bridge was away. */
enum { SESSION_SEC = 24 * 3600 };

/* Removals may wait: what was removed too late is sent again, with the same id. */
#define REMOVE_USEC (UINT64_C(250) * USEC_PER_MSEC)
#define TRIM_USEC   (UINT64_C(10) * USEC_PER_SEC)
/* Between attempts to use a store that cannot be. */
#define REPAIR_USEC    (UINT64_C(10) * USEC_PER_SEC)
#define RECONNECT_USEC (UINT64_C(10) * USEC_PER_SEC)

#define KEY_SOURCE  "seq:"
#define KEY_FILTER  "filter:"
#define KEY_SESSION "session"

/* An event on its way to the cloud. */
typedef struct Flight {
        int64_t id;
        bool answered;
} Flight;

struct UpEvents {
        Core *core;
        Sources *sources;
        unsigned n_unanswered;                       /* subscriptions */
        Flight flights[LIMIT_BRIDGE_EVENT_INFLIGHT]; /* a ring */
        unsigned first_flight, n_flights;
        int64_t sent_id;    /* the last that was sent on this connection, or need not be */
        int64_t done_id;    /* all up to here have been taken */
        int64_t removed_id; /* and are gone from the store */
        uint64_t remove_usec;
        uint64_t trim_usec;
        uint64_t repair_usec;
        bool failed; /* the store, since the last commit */
        bool full;   /* and told */
        Buffer topic;
        Buffer payload;
};

/* ---- the store ---- */

static int64_t wall_sec(void)
{
        return (int64_t)time(NULL);
}

static int load_source(const char *key, const char *text, void *userdata)
{
        UpEvents *events = userdata;

        sources_set(events->sources, key + strlen(KEY_SOURCE), text);
        return 0;
}

static void reload_sources(UpEvents *events)
{
        sources_clear(events->sources);
        if (events->core->store)
                (void)store_each_text(events->core->store, KEY_SOURCE, load_source, events);
}

static int write_source(const char *topic, const char *seq, void *userdata)
{
        CLEANUP_FREE char *key = NULL;
        UpEvents *events = userdata;

        if (asprintf(&key, KEY_SOURCE "%s", topic) < 0) {
                key = NULL;
                return -ENOMEM;
        }
        return store_set_text(events->core->store, key, seq);
}

static StoreSettings settings_of(const Policy *policy)
{
        return (StoreSettings){
                .path = policy->queue.path,
                .max_bytes = (uint64_t)policy->queue.max_mib << 20,
                .max_age_sec = (uint64_t)policy->queue.max_age_hours * 3600,
                .drop_newest = policy->queue.drop == 1,
        };
}

int up_events_open_store(UpEvents *events, Error **ret_error)
{
        StoreSettings settings = settings_of(events->core->policy);
        bool damaged = false;
        int r;

        r = store_open(&settings, &events->core->store, &damaged, ret_error);
        if (r < 0)
                return r;
        if (damaged)
                core_complain(events->core,
                              "%s was damaged and has been set aside as %s.damaged: the events in "
                              "it are lost",
                              settings.path, settings.path);
        reload_sources(events);
        events->sent_id = events->done_id = events->removed_id = 0;
        return 0;
}

/* After any failure of the store: what was not committed must be taken as never seen. */
static void on_store_failure(UpEvents *events, int r)
{
        CLEANUP_ERROR Error *error = NULL;
        Core *core = events->core;

        events->failed = true;
        if (r == -EBADF) {
                core_complain(core, "%s is damaged: it is set aside as %s.damaged",
                              core->policy->queue.path, core->policy->queue.path);
                if (store_recover(core->store, &error) < 0) {
                        core_complain(core, "%s", error_text(error));
                        core->store = store_free(core->store);
                }
                events->sent_id = events->done_id = events->removed_id = 0;
                events->n_flights = 0;
        } else if (!events->full) {
                core_complain(core,
                              "events cannot be stored in %s (%s): they stay with the local broker",
                              core->policy->queue.path, store_get_reason(core->store));
        }
        events->full = r != -EBADF;
        reload_sources(events);
}

/* ---- from the local broker ---- */

static int take_gap(UpEvents *events, const char *rest, const char *seq, uint64_t missing)
{
        events->core->stats.events_lost += missing;
        return store_add_gap(events->core->store, (int64_t)missing, rest, seq, "local", wall_sec());
}

static void send_directly(UpEvents *events, const char *rest, const MqttMessage *message)
{
        MqttPair pairs[] = {{"seq", message->seq}};
        MqttPublish publish = {
                .payload = message->payload,
                .length = message->length,
                .pairs = pairs,
                .n_pairs = ARRAY_SIZE(pairs),
        };
        Core *core = events->core;

        buffer_clear(&events->topic);
        buffer_printf(&events->topic, "%s/%s", core->policy->prefix, rest);
        publish.topic = buffer_text(&events->topic);
        if (core->cloud_ready && !core->paused && core_fits(core, publish.topic, publish.length) &&
            mqtt_publish(core->cloud, &publish, 0) >= 0)
                core->stats.events_out++;
}

static void on_message(void *userdata, const MqttMessage *message)
{
        UpEvents *events = userdata;
        Core *core = events->core;
        const char *rest = topic_below(message->topic, core->policy->root);
        const PublishRule *rule;
        uint64_t missing = 0;
        SourceVerdict verdict;
        Topic topic;
        int r = 0;

        if (!rest || topic_parse(rest, &topic) < 0 || topic.kind != TOPIC_SIGNAL || message->retain)
                return;
        rule = policy_find_publish(core->policy, &topic);
        if (!rule || events->failed)
                return;
        if (rule->qos == 0) {
                send_directly(events, rest, message);
                return;
        }
        verdict = sources_look(events->sources, rest, message->seq, &missing);
        if (verdict == SOURCE_DUPLICATE)
                return;
        if (verdict == SOURCE_GAP)
                r = take_gap(events, rest, message->seq, missing);
        if (r >= 0)
                r = store_add(core->store, rest, message->payload, message->length, message->seq,
                              wall_sec());
        if (r < 0)
                on_store_failure(events, r);
        else
                core->stats.events_in++;
}

static int commit(UpEvents *events)
{
        Store *store = events->core->store;
        int r;

        r = store_trim(store, events->sent_id, wall_sec());
        if (r >= 0)
                r = sources_each_changed(events->sources, write_source, events);
        if (r >= 0 && events->done_id > events->removed_id)
                r = store_remove(store, events->done_id);
        if (r >= 0)
                r = store_commit(store);
        if (r < 0) {
                on_store_failure(events, r);
                return r;
        }
        events->removed_id = events->done_id;
        events->full = false;
        return 0;
}

/* Nothing that has come is acknowledged before it is on disk. */
static int before_write(void *userdata)
{
        UpEvents *events = userdata;

        if (events->failed)
                return -EIO;
        if (!events->core->store)
                return 0; /* nothing has come yet: on_open() gives the connection up */
        return store_is_dirty(events->core->store) ? commit(events) : 0;
}

/* ---- subscriptions ---- */

static int note_filter(const char *key, const char *text, void *userdata)
{
        return *text ? filters_add(userdata, key + strlen(KEY_FILTER)) : 0;
}

static int mark_filter(UpEvents *events, const char *filter, bool subscribed)
{
        CLEANUP_FREE char *key = NULL;

        if (asprintf(&key, KEY_FILTER "%s", filter) < 0) {
                key = NULL;
                return -ENOMEM;
        }
        return store_set_text(events->core->store, key, subscribed ? "1" : "");
}

static void change_filter(UpEvents *events, const char *filter, bool subscribe)
{
        int r, mid;

        if (subscribe)
                r = mqtt_subscribe(events->core->events, &filter, 1, true, &mid);
        else
                r = mqtt_unsubscribe(events->core->events, &filter, 1);
        if (r >= 0 && subscribe)
                events->n_unanswered++;
        if (r >= 0)
                r = mark_filter(events, filter, subscribe);
        if (r < 0)
                mqtt_fail(events->core->events, "cannot subscribe to signals");
}

/* The session may have subscriptions of an older policy: the store knows. */
static void update_filters(UpEvents *events, bool session_present)
{
        CLEANUP_FILTERS Filters before = {};
        CLEANUP_FILTERS Filters now = {};

        if (filters_for_signals(events->core->policy, &now) < 0 ||
            store_each_text(events->core->store, KEY_FILTER, note_filter, &before) < 0) {
                mqtt_fail(events->core->events, "out of memory");
                return;
        }
        for (size_t i = 0; i < before.count; i++)
                if (!filters_has(&now, before.items[i]))
                        change_filter(events, before.items[i], false);
        for (size_t i = 0; i < now.count; i++)
                if (!session_present || !filters_has(&before, now.items[i]))
                        change_filter(events, now.items[i], true);
}

static void on_open(void *userdata, bool session_present)
{
        CLEANUP_FREE char *had_session = NULL;
        UpEvents *events = userdata;
        Core *core = events->core;
        int r;

        if (!core->store) {
                mqtt_fail_long(core->events, "there is no store for events");
                return;
        }
        events->failed = false;
        events->n_unanswered = 0;
        r = store_get_text(core->store, KEY_SESSION, &had_session);
        if (r >= 0 && !session_present && had_session[0] != '\0')
                r = store_add_gap(core->store, -1, "", "", "session", wall_sec());
        if (r >= 0)
                r = store_set_text(core->store, KEY_SESSION, "1");
        if (r < 0)
                on_store_failure(events, r);
        else
                update_filters(events, session_present);
        core->events_ready = events->n_unanswered == 0;
}

static void on_subscribed(void *userdata, int mid, bool granted)
{
        UpEvents *events = userdata;

        if (!granted) {
                mqtt_fail_long(events->core->events,
                               "the local broker refuses the subscription to signals");
                return;
        }
        if (events->n_unanswered > 0)
                events->n_unanswered--;
        events->core->events_ready = events->n_unanswered == 0;
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
}

static void on_down(void *userdata, const char *reason)
{
        UpEvents *events = userdata;

        events->core->events_ready = false;
        /* The next connection may try: else not even its CONNECT would be written. */
        events->failed = false;
        log_debug("local broker, events: %s", reason);
}

static const MqttEvents link_events = {
        .on_open = on_open,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_published = on_published,
        .before_write = before_write,
        .on_down = on_down,
};

void up_events_apply_policy(UpEvents *events)
{
        StoreSettings settings = settings_of(events->core->policy);

        if (!events->core->store)
                return;
        store_set_bounds(events->core->store, &settings);
        if (mqtt_is_open(events->core->events))
                update_filters(events, true);
}

int up_events_open(UpEvents *events, Error **ret_error)
{
        const Endpoint *endpoint = &events->core->policy->local;
        CLEANUP_FREE char *client_id = NULL;

        if (asprintf(&client_id, "%s-events", endpoint->client_id) < 0) {
                client_id = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        return mqtt_open(events->core->events,
                         &(MqttSettings){.endpoint = endpoint,
                                         .client_id = client_id,
                                         .session_sec = SESSION_SEC,
                                         .inflight = LIMIT_BRIDGE_BATCH,
                                         .reconnect_usec = RECONNECT_USEC},
                         ret_error);
}

/* ---- life ---- */

int up_events_new(Core *core, UpEvents **ret_events)
{
        UpEvents *events = calloc(1, sizeof(*events));
        int r;

        if (!events)
                return -ENOMEM;
        *events = (UpEvents){.core = core, .topic = BUFFER_INIT(0), .payload = BUFFER_INIT(0)};
        r = sources_new(&events->sources);
        if (r >= 0)
                r = mqtt_new(&link_events, events, &core->events);
        if (r < 0) {
                up_events_free(events);
                return r;
        }
        *ret_events = events;
        return 0;
}

UpEvents *up_events_free(UpEvents *events)
{
        if (!events)
                return NULL;
        if (events->core->store && events->done_id > events->removed_id)
                (void)store_remove(events->core->store, events->done_id);
        sources_free(events->sources);
        buffer_done(&events->topic);
        buffer_done(&events->payload);
        free(events);
        return NULL;
}

/* ---- to the cloud ---- */

void up_events_on_cloud_down(UpEvents *events)
{
        events->n_flights = 0;
        events->sent_id = events->done_id;
}

static void land(UpEvents *events)
{
        while (events->n_flights > 0 && events->flights[events->first_flight].answered) {
                events->done_id = events->flights[events->first_flight].id;
                events->first_flight = (events->first_flight + 1) % LIMIT_BRIDGE_EVENT_INFLIGHT;
                events->n_flights--;
        }
}

void up_events_on_published(UpEvents *events, uint64_t number, int reason)
{
        Core *core = events->core;

        if (reason == 0x97) { /* over quota: what was sent is not lost, and goes again in order */
                core->stats.refused_up++;
                mqtt_fail_long(core->cloud, "the cloud says that its quota is exceeded");
                return;
        }
        if (reason >= 0x80) {
                core->stats.refused_up++;
                core_complain(core, "the cloud refuses an event (0x%02x): it is dropped",
                              (unsigned)reason);
        } else {
                core->stats.events_out++;
        }
        for (unsigned i = 0; i < events->n_flights; i++) {
                Flight *flight =
                        &events->flights[(events->first_flight + i) % LIMIT_BRIDGE_EVENT_INFLIGHT];

                if (flight->id == (int64_t)number) {
                        flight->answered = true;
                        break;
                }
        }
        land(events);
}

static void add_flight(UpEvents *events, int64_t id, bool answered)
{
        unsigned at = (events->first_flight + events->n_flights) % LIMIT_BRIDGE_EVENT_INFLIGHT;

        events->flights[at] = (Flight){.id = id, .answered = answered};
        events->n_flights++;
        events->sent_id = id;
        land(events);
}

static void write_gap(UpEvents *events, const StoreEvent *event)
{
        Buffer *payload = &events->payload;
        const char *reason = event->reason ? event->reason : "";
        const char *from = event->from ? event->from : "", *to = event->to ? event->to : "";

        buffer_clear(payload);
        buffer_append_text(payload, "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.gap\",\"params\":{");
        if (event->dropped >= 0)
                buffer_printf(payload, "\"dropped\":%" PRId64, event->dropped);
        else
                buffer_append_text(payload, "\"dropped\":null");
        buffer_append_text(payload, ",\"from\":");
        json_write_string(payload, from, strlen(from));
        buffer_append_text(payload, ",\"to\":");
        json_write_string(payload, to, strlen(to));
        buffer_append_text(payload, ",\"reason\":");
        json_write_string(payload, reason, event->reason ? event->length : 0);
        buffer_append_text(payload, "}}");
}

/* Whether it may go up by the policy of now, which need not be that of when it came. */
static bool is_published(const Core *core, const StoreEvent *event)
{
        Topic topic;

        return event->gap || (topic_parse(event->topic, &topic) >= 0 &&
                              policy_find_publish(core->policy, &topic));
}

/* > 0: on its way or skipped; 0: not now. */
static int send_event(UpEvents *events, const StoreEvent *event, uint64_t *wake, uint64_t now)
{
        Core *core = events->core;
        char eid[48];
        MqttPair pairs[] = {{"eid", eid}, {"seq", event->seq}};
        MqttPublish publish = {.payload = event->payload ? event->payload : "",
                               .length = event->length,
                               .qos = 1,
                               .pairs = pairs,
                               .n_pairs = ARRAY_SIZE(pairs)};
        uint64_t wait;
        int r;

        snprintf(eid, sizeof(eid), "%s-%" PRId64, store_get_id(core->store), event->id);
        buffer_clear(&events->topic);
        if (event->gap) {
                write_gap(events, event);
                publish.payload = buffer_text(&events->payload);
                publish.length = events->payload.length;
                buffer_printf(&events->topic, "%s/%s/-/sig/rpc.gap", core->policy->prefix,
                              core->policy->name);
        } else {
                buffer_printf(&events->topic, "%s/%s", core->policy->prefix, event->topic);
        }
        if (buffer_status(&events->topic) < 0 || buffer_status(&events->payload) < 0)
                return 0;
        publish.topic = events->topic.data;
        if (!is_published(core, event) || !core_fits(core, publish.topic, publish.length)) {
                core->stats.refused_up++;
                add_flight(events, event->id, true);
                return 1;
        }
        wait = rate_take(&core->rate, &core->policy->rate, events->topic.length + publish.length,
                         now);
        if (wait > 0) {
                *wake = MIN(*wake, now + wait);
                return 0;
        }
        r = mqtt_publish(core->cloud, &publish, cookie_make(COOKIE_EVENT, (uint64_t)event->id));
        if (r == -EMSGSIZE)
                core->stats.refused_up++;
        if (r < 0 && r != -EMSGSIZE)
                return 0;
        add_flight(events, event->id, r == -EMSGSIZE);
        return 1;
}

static void send_all(UpEvents *events, uint64_t *wake, uint64_t now)
{
        Core *core = events->core;
        unsigned window = MIN(LIMIT_BRIDGE_EVENT_INFLIGHT, core->policy->quirks.inflight);
        StoreEvent event;
        int r = 1;

        /* An id that is not committed may yet be another event's. */
        if (store_is_dirty(core->store))
                return;
        while (r > 0 && events->n_flights < window) {
                r = store_next(core->store, events->sent_id, &event);
                if (r > 0)
                        r = send_event(events, &event, wake, now);
        }
        if (r < 0)
                on_store_failure(events, r);
}

static void repair(UpEvents *events, uint64_t now)
{
        CLEANUP_ERROR Error *error = NULL;

        if (now < events->repair_usec)
                return;
        events->repair_usec = now + REPAIR_USEC;
        if (up_events_open_store(events, &error) < 0)
                core_complain(events->core, "%s", error_text(error));
}

uint64_t up_events_process(UpEvents *events, uint64_t now)
{
        Core *core = events->core;
        uint64_t wake = USEC_INFINITY;

        if (!core->store) {
                repair(events, now);
                return events->repair_usec;
        }
        if (now >= events->trim_usec ||
            (events->done_id > events->removed_id && now >= events->remove_usec)) {
                events->trim_usec = now + TRIM_USEC;
                events->remove_usec = now + REMOVE_USEC;
                (void)commit(events);
        }
        if (!core->store)
                return events->repair_usec;
        if (core->cloud_ready && !core->paused)
                send_all(events, &wake, now);
        if (events->done_id > events->removed_id)
                wake = MIN(wake, events->remove_usec);
        return MIN(wake, events->trim_usec);
}
