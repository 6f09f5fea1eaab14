/* SPDX-License-Identifier: MIT */

#include "bridge/up-events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bridge/filters.h"
#include "bridge/up-events-private.h"
#include "common/clock.h"
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
#define KEY_RECENT  "recent:"

/* ---- the store ---- */

/* Goes on by the monotonic clock, whatever happens to that on the wall. */
static int64_t store_sec(const UpEvents *events)
{
        return events->start_sec + (int64_t)((clock_now() - events->start_usec) / USEC_PER_SEC);
}

void up_events_set_sent(UpEvents *events, int64_t id)
{
        events->sent_id = id;
        if (events->core->store)
                store_set_sent(events->core->store, id);
}

static int load_source(const char *key, const char *text, void *userdata)
{
        UpEvents *events = userdata;

        sources_set(events->sources, key + strlen(KEY_SOURCE), text);
        return 0;
}

static int load_recent(const char *key, const char *text, void *userdata)
{
        UpEvents *events = userdata;

        (void)recent_load(&events->recent, key + strlen(KEY_RECENT), text);
        return 0;
}

/* What was known as of the last commit. */
static void reload_known(UpEvents *events)
{
        sources_clear(events->sources);
        events->recent = (Recent){};
        if (!events->core->store)
                return;
        (void)store_each_text(events->core->store, KEY_SOURCE, load_source, events);
        (void)store_each_text(events->core->store, KEY_RECENT, load_recent, events);
}

/* Notes what has no `seq`, and was stored just now. */
static int note_recent(UpEvents *events, const MqttMessage *message, uint64_t digest)
{
        RecentItem item = {.digest = digest, .mid = message->mid};
        char key[32], text[RECENT_TEXT_BYTES];
        int r;

        r = store_get_last_id(events->core->store, &item.event_id);
        if (r < 0)
                return r;
        recent_format(&item, text);
        snprintf(key, sizeof(key), KEY_RECENT "%u", recent_add(&events->recent, &item));
        return store_set_text(events->core->store, key, text);
}

/* Whether it is a message without `seq` that was stored before, and not acknowledged in time. */
static bool is_known(UpEvents *events, const MqttMessage *message, uint64_t digest)
{
        int64_t last_id = 0;

        return message->repeated && store_get_last_id(events->core->store, &last_id) >= 0 &&
               recent_has(&events->recent, message->mid, digest, last_id);
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
        CLEANUP_STORE Store *store = NULL;
        bool damaged = false;
        int r;

        r = store_open(&settings, &store, &damaged, ret_error);
        if (r < 0)
                return r;
        r = store_start_clock(store, (int64_t)time(NULL), &events->start_sec);
        if (r < 0)
                return error_set(ret_error, r, "cannot use %s: %s", settings.path,
                                 store_get_reason(store));
        events->start_usec = clock_now();
        events->core->store = STEAL(store);
        if (damaged)
                core_complain(events->core,
                              "%s was damaged and has been set aside as %s.damaged: the events in "
                              "it are lost",
                              settings.path, settings.path);
        reload_known(events);
        events->done_id = events->removed_id = 0;
        up_events_set_sent(events, 0);
        return 0;
}

/* The ids of a new file begin at 1 again: what the cloud may yet say of old ones is not to be taken
 * for theirs, so the connection goes with the old file. */
static void begin_new_file(UpEvents *events)
{
        Core *core = events->core;

        if (events->n_flights > 0 && mqtt_is_open(core->cloud))
                mqtt_fail(core->cloud, "the events under way are lost with their store");
        events->n_flights = 0;
        events->refused = (Refused){};
        events->done_id = events->removed_id = 0;
        up_events_set_sent(events, 0);
}

void up_events_on_store_failure(UpEvents *events, int r)
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
                begin_new_file(events);
        } else if (!events->full) {
                core_complain(core,
                              "events cannot be stored in %s (%s): they stay with the local broker",
                              core->policy->queue.path, store_get_reason(core->store));
        }
        events->full = r != -EBADF;
        reload_known(events);
}

/* ---- from the local broker ---- */

static int take_gap(UpEvents *events, const char *rest, const char *seq, uint64_t missing)
{
        events->core->stats.events_lost += missing;
        return store_add_gap(events->core->store, (int64_t)missing, rest, seq, "local",
                             store_sec(events));
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
        if (buffer_status(&events->topic) >= 0 && core->cloud_ready && !core->paused &&
            core_fits(core, publish.topic, publish.length) &&
            rate_take(&core->rate, &core->policy->rate, events->topic.length + publish.length,
                      clock_now()) == 0 &&
            mqtt_publish(core->cloud, &publish, 0) >= 0)
                core->stats.events_out++;
}

static int write_refused(UpEvents *events)
{
        const Refused *refused = &events->refused;
        const char *id = store_get_id(events->core->store);
        char first[48], last[48];

        if (!refused->reason)
                return 0;
        snprintf(first, sizeof(first), "%s-%" PRId64, id, refused->first);
        snprintf(last, sizeof(last), "%s-%" PRId64, id, refused->last);
        return store_grow_gap(events->core->store, refused->count, first, last, refused->reason,
                              store_sec(events));
}

int up_events_commit(UpEvents *events)
{
        Store *store = events->core->store;
        int r;

        r = store_trim(store, store_sec(events));
        if (r >= 0)
                r = sources_each_changed(events->sources, write_source, events);
        if (r >= 0)
                r = write_refused(events);
        if (r >= 0 && events->done_id > events->removed_id)
                r = store_remove(store, events->done_id);
        if (r >= 0)
                r = store_commit(store);
        if (r < 0) {
                up_events_on_store_failure(events, r);
                return r;
        }
        events->removed_id = events->done_id;
        events->refused = (Refused){};
        events->full = false;
        return 0;
}

void up_events_note_refused(UpEvents *events, int64_t id, const char *reason)
{
        Refused *refused = &events->refused;

        if (refused->reason && strcmp(refused->reason, reason) != 0 && up_events_commit(events) < 0)
                return;
        if (!refused->reason)
                *refused = (Refused){.first = id, .reason = reason};
        refused->count++;
        refused->last = id;
}

/* What no cloud is sent is not stored either: it might be more than the file may hold, and would
 * stay with the local broker for ever, in front of all the others. */
static int take_too_large(UpEvents *events, const MqttMessage *message)
{
        const char *seq = message->seq ? message->seq : "";

        events->core->stats.refused_up++;
        core_complain(events->core, "an event at %s (%zu bytes) is larger than any may be",
                      message->topic, message->length);
        return store_grow_gap(events->core->store, 1, seq, seq, "size", store_sec(events));
}

/* > 0: stored; 0: it is there already, or will never be. */
static int take_event(UpEvents *events, const char *rest, const MqttMessage *message)
{
        bool too_large = message->length > LIMIT_PAYLOAD_BYTES;
        Store *store = events->core->store;
        uint64_t missing = 0, digest = 0;
        SourceVerdict verdict;
        int r = 0;

        if (!message->seq && !too_large)
                digest = recent_digest(rest, message->payload, message->length);
        verdict = sources_look(events->sources, rest, message->seq, &missing);
        if (verdict == SOURCE_DUPLICATE || (digest != 0 && is_known(events, message, digest)))
                return 0;
        if (verdict == SOURCE_GAP)
                r = take_gap(events, rest, message->seq, missing);
        if (r >= 0 && too_large)
                return take_too_large(events, message);
        if (r >= 0)
                r = store_add(store, rest, message->payload, message->length, message->seq,
                              store_sec(events));
        if (r >= 0 && digest != 0)
                r = note_recent(events, message, digest);
        return r < 0 ? r : 1;
}

static void on_message(void *userdata, const MqttMessage *message)
{
        UpEvents *events = userdata;
        Core *core = events->core;
        const char *rest = topic_below(message->topic, core->policy->root);
        const PublishRule *rule;
        Topic topic;
        int r;

        if (!rest || topic_parse(rest, &topic) < 0 || topic.kind != TOPIC_SIGNAL || message->retain)
                return;
        rule = policy_find_publish(core->policy, &topic);
        if (!rule || events->failed)
                return;
        if (rule->qos == 0) {
                send_directly(events, rest, message);
                return;
        }
        r = take_event(events, rest, message);
        if (r < 0) {
                up_events_on_store_failure(events, r);
                return;
        }
        core->stats.events_in += r > 0;
        if (store_count_uncommitted(core->store) >= LIMIT_BRIDGE_COMMIT_BYTES)
                (void)up_events_commit(events);
}

/* Nothing that has come is acknowledged before it is on disk. */
static int before_write(void *userdata)
{
        UpEvents *events = userdata;

        if (events->failed)
                return -EIO;
        if (!events->core->store)
                return 0; /* nothing has come yet: on_open() gives the connection up */
        return store_is_dirty(events->core->store) ? up_events_commit(events) : 0;
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

/* The session may have subscriptions of an older policy: the store knows. It does not know whether
 * the broker has got what was subscribed to last before a crash, so on a new connection that is
 * done again (`all`); for a session that has them it changes nothing. */
static void update_filters(UpEvents *events, bool all)
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
                if (all || !filters_has(&before, now.items[i]))
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
                r = store_add_gap(core->store, -1, "", "", "session", store_sec(events));
        if (r >= 0)
                r = store_set_text(core->store, KEY_SESSION, "1");
        if (r < 0)
                up_events_on_store_failure(events, r);
        else
                update_filters(events, true);
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
                update_filters(events, false);
}

int up_events_open(UpEvents *events, Error **ret_error)
{
        const Endpoint *endpoint = &events->core->policy->local;
        CLEANUP_FREE char *client_id = NULL;

        if (asprintf(&client_id, "%s-events", endpoint->client_id) < 0) {
                client_id = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        events->core->events_ready = false;
        events->failed = false;
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

/* ---- the loop ---- */

static void repair(UpEvents *events, uint64_t now)
{
        CLEANUP_ERROR Error *error = NULL;

        if (now < events->repair_usec)
                return;
        events->repair_usec = now + REPAIR_USEC;
        if (up_events_open_store(events, &error) < 0)
                core_complain(events->core, "%s", error_text(error));
}

static void note_clock(UpEvents *events)
{
        int r;

        r = store_note_clock(events->core->store, (int64_t)time(NULL), store_sec(events));
        if (r > 0)
                r = up_events_commit(events);
        else if (r < 0)
                up_events_on_store_failure(events, r);
        else
                return;
        if (r >= 0)
                log_info("the clock has been set; events do not get older by that");
}

uint64_t up_events_process(UpEvents *events, uint64_t now)
{
        Core *core = events->core;
        uint64_t wake = USEC_INFINITY;

        if (!core->store) {
                repair(events, now);
                return events->repair_usec;
        }
        note_clock(events);
        if (!core->store)
                return events->repair_usec;
        if (now >= events->trim_usec ||
            (events->done_id > events->removed_id && now >= events->remove_usec)) {
                events->trim_usec = now + TRIM_USEC;
                events->remove_usec = now + REMOVE_USEC;
                (void)up_events_commit(events);
        }
        if (!core->store)
                return events->repair_usec;
        if (core->cloud_ready && !core->paused)
                up_events_send(events, &wake, now);
        if (events->done_id > events->removed_id)
                wake = MIN(wake, events->remove_usec);
        return MIN(wake, events->trim_usec);
}
