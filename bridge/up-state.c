/* SPDX-License-Identifier: MIT */

#include "bridge/up-state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "bridge/recent.h"
#include "common/buffer.h"
#include "common/deadline.h"
#include "common/hash.h"
#include "common/json-scan.h"
#include "common/limits.h"

/* Where a topic is that the cloud does not have as it is here. What waits is out of the way: a turn
 * costs what it sends, however many wait. */
typedef enum Place {
        PLACE_NONE,   /* the cloud has it, or is about to */
        PLACE_QUEUE,  /* to be sent */
        PLACE_DEMAND, /* until somebody asks for it */
        PLACE_LOCAL,  /* it is gone, unless a broker that is not there yet knows better */
        PLACE_LISTS,
        PLACE_DUE = PLACE_LISTS, /* by min_interval_ms */
        PLACE_FLIGHT,            /* until what was sent before is answered */
} Place;

/* A topic that the local broker keeps, or has kept, or that the cloud should not have. */
typedef struct Entry {
        char *rest;    /* below the root */
        char *payload; /* owned; NULL: it is gone */
        size_t length;
        uint64_t number;     /* names it in cookies */
        uint64_t due_usec;   /* not before, by min_interval_ms */
        Deadline due;        /* in PLACE_DUE */
        unsigned generation; /* of the local connection that has shown it last */
        bool same;           /* the cloud has it so, as far as it has been compared */
        bool kept;           /* by the cloud, whatever value */
        uint64_t digest;     /* of that, if nobody here has said yet what it is; 0: none */
        Place place;
        bool inflight;
        bool changed;              /* since it was sent */
        struct Entry *prev, *next; /* in the list of its place */
        UT_hash_handle hh;
        UT_hash_handle by_number;
} Entry;

struct UpState {
        Core *core;
        Entry *entries; /* by topic */
        Entry *numbers; /* the same by number */
        Entry *lists[PLACE_LISTS];
        DeadlineQueue due;
        size_t n_queued; /* at any place */
        size_t n_inflight;
        size_t n_stale; /* entries made by a comparison */
        uint64_t bytes;
        uint64_t last_number;
        unsigned generation;
        bool overflow; /* and told */
        Buffer topic;
};

int up_state_new(Core *core, UpState **ret_state)
{
        UpState *state = calloc(1, sizeof(*state));

        if (!state)
                return -ENOMEM;
        *state = (UpState){.core = core, .topic = BUFFER_INIT(0)};
        *ret_state = state;
        return 0;
}

/* ---- entries ---- */

static Entry *entry_of_due(Deadline *due)
{
        return (Entry *)((char *)due - offsetof(Entry, due));
}

/* False without memory: then it is where it was. */
static bool move(UpState *state, Entry *entry, Place place)
{
        if (entry->place == place)
                return true;
        if (place == PLACE_DUE && deadline_add(&state->due, &entry->due, entry->due_usec) < 0)
                return false;
        if (entry->place == PLACE_DUE)
                deadline_remove(&state->due, &entry->due);
        else if (entry->place != PLACE_NONE && entry->place < PLACE_LISTS)
                DL_DELETE(state->lists[entry->place], entry);
        if (place != PLACE_NONE && place < PLACE_LISTS)
                DL_APPEND(state->lists[place], entry);
        state->n_queued += place != PLACE_NONE;
        state->n_queued -= entry->place != PLACE_NONE;
        entry->place = place;
        return true;
}

static void enqueue(UpState *state, Entry *entry)
{
        entry->changed = true;
        (void)move(state, entry, PLACE_QUEUE);
}

static void dequeue(UpState *state, Entry *entry)
{
        (void)move(state, entry, PLACE_NONE);
}

static void wake_list(UpState *state, Place place)
{
        while (state->lists[place])
                enqueue(state, state->lists[place]);
}

/* Those whose time has come. */
static void wake_due(UpState *state, uint64_t now)
{
        Deadline *due;

        while ((due = deadline_first(&state->due)) && due->usec <= now)
                enqueue(state, entry_of_due(due));
}

static void drop_entry(UpState *state, Entry *entry)
{
        dequeue(state, entry);
        if (entry->inflight)
                state->n_inflight--;
        state->bytes -= strlen(entry->rest) + entry->length;
        HASH_DELETE(hh, state->entries, entry);
        HASH_DELETE(by_number, state->numbers, entry);
        free(entry->rest);
        free(entry->payload);
        free(entry);
}

UpState *up_state_free(UpState *state)
{
        Entry *entry, *next;

        if (!state)
                return NULL;
        HASH_ITER (hh, state->entries, entry, next)
                drop_entry(state, entry);
        deadline_queue_done(&state->due);
        buffer_done(&state->topic);
        free(state);
        return NULL;
}

static Entry *find(UpState *state, const char *rest)
{
        Entry *entry;

        HASH_FIND_STR(state->entries, rest, entry);
        return entry;
}

/* NULL when there is no room for it. */
static Entry *add_entry(UpState *state, const char *rest)
{
        Entry *entry = NULL;
        size_t length = strlen(rest);

        if (HASH_COUNT(state->entries) < LIMIT_BRIDGE_TOPICS)
                entry = calloc(1, sizeof(*entry));
        if (!entry)
                return NULL;
        entry->rest = strdup(rest);
        entry->number = ++state->last_number;
        if (entry->rest)
                HASH_ADD_KEYPTR(hh, state->entries, entry->rest, length, entry);
        if (!entry->rest || !hash_added(entry->hh)) {
                free(entry->rest);
                free(entry);
                return NULL;
        }
        HASH_ADD(by_number, state->numbers, number, sizeof(entry->number), entry);
        if (!hash_added(entry->by_number)) {
                HASH_DELETE(hh, state->entries, entry);
                free(entry->rest);
                free(entry);
                return NULL;
        }
        state->bytes += length;
        return entry;
}

static void complain_overflow(UpState *state, const char *rest)
{
        if (!state->overflow)
                core_complain(state->core,
                              "there is no room to mirror %s and more: at most %u topics and %u "
                              "MiB",
                              rest, LIMIT_BRIDGE_TOPICS,
                              (unsigned)(LIMIT_BRIDGE_STATE_BYTES >> 20));
        state->overflow = true;
}

/* NULL payload: it is gone. False if nothing has changed. */
static bool set_payload(UpState *state, Entry *entry, const void *payload, size_t length)
{
        char *copy = NULL;

        if (!payload && !entry->payload)
                return false;
        if (payload && entry->payload && entry->length == length &&
            memcmp(entry->payload, payload, length) == 0)
                return false;
        if (payload) {
                if (state->bytes + length <= LIMIT_BRIDGE_STATE_BYTES)
                        copy = malloc(length + 1);
                if (!copy) {
                        complain_overflow(state, entry->rest);
                        return false;
                }
                memcpy(copy, payload, length);
                copy[length] = '\0';
        }
        state->bytes = state->bytes - entry->length + length;
        free(entry->payload);
        entry->payload = copy;
        entry->length = length;
        return true;
}

static const PublishRule *rule_of(const UpState *state, const Entry *entry)
{
        Topic topic;

        if (topic_parse(entry->rest, &topic) < 0)
                return NULL;
        return policy_find_publish(state->core->policy, &topic);
}

/* ---- the local side ---- */

void up_state_begin_local(UpState *state)
{
        state->generation++;
}

void up_state_take(UpState *state, const char *rest, const Topic *topic, const MqttMessage *message)
{
        const PublishRule *rule = policy_find_publish(state->core->policy, topic);
        Entry *entry = find(state, rest);

        if (!message->retain || !rule)
                return;
        if (message->length == 0) {
                if (entry && set_payload(state, entry, NULL, 0))
                        enqueue(state, entry);
                return;
        }
        if (!entry)
                entry = add_entry(state, rest);
        if (!entry) {
                complain_overflow(state, rest);
                return;
        }
        entry->generation = state->generation;
        if (!set_payload(state, entry, message->payload, message->length))
                return;
        if (entry->digest != 0 && entry->place == PLACE_NONE && !entry->inflight && rule->retain &&
            entry->digest == recent_digest("", entry->payload, entry->length))
                entry->same = true;
        else
                enqueue(state, entry);
        entry->digest = 0;
}

/* Whether all properties that a $meta names are there, of those that go up. */
static unsigned count_missing(UpState *state, const Entry *meta)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        size_t base = strlen(meta->rest) - strlen("$meta");
        unsigned missing = 0;
        uint32_t props;

        if (json_scan(&doc, meta->payload, meta->length, JSON_SCAN_STRICT) < 0 ||
            json_type(&doc, 0) != JSON_OBJECT)
                return 0;
        props = json_find(&doc, 0, "props");
        if (props == 0 || json_type(&doc, props) != JSON_ARRAY)
                return 0;
        JSON_FOREACH (&doc, props, item) {
                CLEANUP_FREE char *name = NULL, *rest = NULL;
                Topic topic;

                if (json_string_dup(&doc, item, &name) < 0)
                        continue;
                if (asprintf(&rest, "%.*sprop/%s", (int)base, meta->rest, name) < 0) {
                        rest = NULL;
                        continue;
                }
                if (topic_parse(rest, &topic) >= 0 &&
                    policy_find_publish(state->core->policy, &topic) && !find(state, rest))
                        missing++;
        }
        return missing;
}

static void check_complete(UpState *state)
{
        Entry *entry, *next;
        unsigned missing = 0;

        HASH_ITER (hh, state->entries, entry, next) {
                size_t length = strlen(entry->rest);

                if (entry->payload && length > 6 && strcmp(entry->rest + length - 6, "/$meta") == 0)
                        missing += count_missing(state, entry);
        }
        state->core->stats.incomplete += missing;
        if (missing > 0)
                core_complain(state->core,
                              "the local broker has not delivered %u properties that objects say "
                              "they have: is max_queued_messages too small?",
                              missing);
}

void up_state_end_local(UpState *state)
{
        Entry *entry, *next;

        HASH_ITER (hh, state->entries, entry, next)
                if (entry->generation != state->generation) {
                        bool was_stale = !entry->payload;

                        /* What the cloud has too much, and nobody here has, is told now. */
                        if (set_payload(state, entry, NULL, 0) || (was_stale && !entry->inflight))
                                enqueue(state, entry);
                }
        check_complete(state);
}

void up_state_apply_policy(UpState *state)
{
        Entry *entry, *next;

        /* Who waited for what an older policy said is looked at again. */
        wake_list(state, PLACE_DEMAND);
        wake_due(state, USEC_INFINITY);
        HASH_ITER (hh, state->entries, entry, next) {
                const PublishRule *rule = rule_of(state, entry);

                entry->due_usec = 0;
                /* What the cloud keeps and should not, or the other way round, is sent again. */
                if (rule ? entry->payload && state->core->policy->quirks.retain &&
                                    entry->kept != rule->retain
                         : set_payload(state, entry, NULL, 0))
                        enqueue(state, entry);
        }
}

/* ---- the cloud's side ---- */

void up_state_begin_compare(UpState *state)
{
        Entry *entry, *next;

        state->n_stale = 0;
        HASH_ITER (hh, state->entries, entry, next) {
                entry->same = entry->kept = false;
                entry->digest = 0;
        }
}

void up_state_compare(UpState *state, const char *rest, const MqttMessage *message)
{
        Entry *entry = find(state, rest);
        const PublishRule *rule;

        if (message->length == 0)
                return;
        if (!entry) {
                if (state->n_stale >= LIMIT_BRIDGE_STALE)
                        return;
                state->n_stale++;
                entry = add_entry(state, rest);
                /* Not of this generation: it goes when the local side is known. */
                if (entry)
                        entry->generation = state->generation - 1;
        }
        if (!entry)
                return;
        rule = rule_of(state, entry);
        entry->kept = true;
        if (!entry->payload)
                entry->digest = recent_digest("", message->payload, message->length);
        entry->same = entry->payload && rule && rule->retain && entry->length == message->length &&
                      memcmp(entry->payload, message->payload, message->length) == 0;
}

void up_state_end_compare(UpState *state)
{
        Entry *entry, *next;

        HASH_ITER (hh, state->entries, entry, next) {
                if (entry->same)
                        dequeue(state, entry);
                else if (entry->payload || state->core->local_ready)
                        enqueue(state, entry);
                if (entry->same)
                        entry->changed = false;
        }
}

void up_state_on_cloud_down(UpState *state)
{
        Entry *entry, *next;

        state->n_inflight = 0;
        HASH_ITER (hh, state->entries, entry, next) {
                if (!entry->inflight)
                        continue;
                entry->inflight = false;
                enqueue(state, entry);
        }
}

void up_state_on_published(UpState *state, uint64_t number, int reason)
{
        Entry *entry;

        HASH_FIND(by_number, state->numbers, &number, sizeof(number), entry);
        if (!entry || !entry->inflight)
                return;
        entry->inflight = false;
        state->n_inflight--;
        if (entry->place == PLACE_FLIGHT)
                enqueue(state, entry);
        if (reason == CORE_OVER_QUOTA) { /* the comparison after the next connect sends it again */
                core_over_quota(state->core);
                return;
        }
        if (reason >= 0x80) {
                state->core->stats.refused_up++;
                core_complain(state->core, "the cloud refuses state at %s/%s (0x%02x)",
                              state->core->policy->prefix, entry->rest, (unsigned)reason);
        } else {
                state->core->stats.state_out++;
        }
        if (entry->changed)
                return;
        if (!entry->payload)
                drop_entry(state, entry);
}

/* ---- sending ---- */

typedef enum Outcome {
        OUTCOME_DONE, /* sent, or not to be sent at all, or out of the way until it can be */
        OUTCOME_FULL, /* nothing can be sent now */
} Outcome;

/* The cloud is not to keep it any more, by the policy of now. */
static int clear_kept(UpState *state, Entry *entry, const char *topic, int qos)
{
        int r;

        r = mqtt_publish(state->core->cloud,
                         &(MqttPublish){.topic = topic, .payload = "", .qos = qos, .retain = true},
                         0);
        if (r >= 0)
                entry->kept = false;
        return r;
}

static Outcome publish(UpState *state, Entry *entry, const PublishRule *rule, uint64_t *wake,
                       uint64_t now)
{
        Core *core = state->core;
        MqttPublish publish = {
                .payload = entry->payload ? entry->payload : "",
                .length = entry->length,
                .qos = rule ? (int)rule->qos : 1,
                .retain = core->policy->quirks.retain && (!rule || rule->retain || !entry->payload),
        };
        uint64_t wait;
        int r;

        buffer_clear(&state->topic);
        buffer_printf(&state->topic, "%s/%s", core->policy->prefix, entry->rest);
        if (buffer_status(&state->topic) < 0)
                return OUTCOME_FULL;
        publish.topic = state->topic.data;
        if (!core_fits(core, publish.topic, publish.length)) {
                core->stats.refused_up++;
                core_complain(core, "%s (%zu bytes) is more than %s takes", publish.topic,
                              publish.length, core->policy->quirks.name);
                return OUTCOME_DONE;
        }
        wait = rate_take(&core->rate, &core->policy->rate, state->topic.length + publish.length,
                         now);
        if (wait > 0) {
                *wake = MIN(*wake, now + wait);
                return OUTCOME_FULL;
        }
        if (entry->kept && !publish.retain &&
            clear_kept(state, entry, publish.topic, publish.qos) < 0)
                return OUTCOME_FULL;
        r = mqtt_publish(core->cloud, &publish, cookie_make(COOKIE_STATE, entry->number));
        if (r < 0 && r != -EMSGSIZE)
                return OUTCOME_FULL;
        if (r >= 0) {
                entry->kept = publish.retain && entry->payload;
                entry->digest = 0;
        }
        if (r == -EMSGSIZE) {
                core->stats.refused_up++;
                core_complain(core, "%s is larger than the cloud takes", publish.topic);
        } else if (publish.qos > 0) {
                entry->inflight = true;
                state->n_inflight++;
        }
        return OUTCOME_DONE;
}

/* Where it has to wait; PLACE_QUEUE: nowhere. */
static Place find_place(const UpState *state, const Entry *entry, const PublishRule *rule,
                        uint64_t now)
{
        if (entry->inflight)
                return PLACE_FLIGHT;
        if (!entry->payload)
                return state->core->local_ready ? PLACE_QUEUE : PLACE_LOCAL;
        if (!rule)
                return PLACE_NONE;
        if (rule->on_demand && state->core->demand_until <= now)
                return PLACE_DEMAND;
        return entry->due_usec > now ? PLACE_DUE : PLACE_QUEUE;
}

static Outcome send_entry(UpState *state, Entry *entry, uint64_t *wake, uint64_t now)
{
        const PublishRule *rule = rule_of(state, entry);
        Place place = find_place(state, entry, rule, now);
        Outcome outcome;

        if (place != PLACE_QUEUE) {
                if (!move(state, entry, place)) /* without memory: it keeps its turn */
                        *wake = MIN(*wake, entry->due_usec);
                return OUTCOME_DONE;
        }
        outcome = publish(state, entry, rule, wake, now);
        if (outcome != OUTCOME_DONE)
                return outcome;
        entry->changed = false;
        if (rule)
                entry->due_usec = now + rule->min_interval_usec;
        dequeue(state, entry);
        if (!entry->payload && !entry->inflight)
                drop_entry(state, entry);
        return outcome;
}

uint64_t up_state_process(UpState *state, uint64_t now)
{
        const Core *core = state->core;
        unsigned window = MIN(LIMIT_BRIDGE_STATE_INFLIGHT, core->policy->quirks.inflight);
        uint64_t wake = USEC_INFINITY;
        Entry *entry, *next;

        if (!core->cloud_ready || core->paused)
                return wake;
        wake_due(state, now);
        if (core->demand_until > now)
                wake_list(state, PLACE_DEMAND);
        if (core->local_ready)
                wake_list(state, PLACE_LOCAL);
        DL_FOREACH_SAFE (state->lists[PLACE_QUEUE], entry, next) {
                if (state->n_inflight >= window ||
                    send_entry(state, entry, &wake, now) == OUTCOME_FULL)
                        break;
        }
        if (deadline_first(&state->due))
                wake = MIN(wake, deadline_first(&state->due)->usec);
        return wake;
}

size_t up_state_count(const UpState *state)
{
        return HASH_COUNT(state->entries);
}

size_t up_state_count_dirty(const UpState *state)
{
        return state->n_queued + state->n_inflight;
}
