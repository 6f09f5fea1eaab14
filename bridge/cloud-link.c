/* SPDX-License-Identifier: MIT */

#include "bridge/cloud-link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/filters.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

#define RECONNECT_USEC (UINT64_C(60) * USEC_PER_SEC)

/* How long the cloud may be silent before it has answered the subscriptions and delivered all it
 * keeps: it is not dead, since it answers pings, but of no use. */
#define COMPARE_USEC (UINT64_C(60) * USEC_PER_SEC)

enum { EPOCH_LENGTH = 16, CALLS_INFLIGHT = 128 };

typedef enum MarkKind {
        MARK_END,   /* of what the cloud keeps */
        MARK_PROBE, /* only the answer matters */
} MarkKind;

struct CloudLink {
        Core *core;
        UpState *state;
        UpEvents *events;
        DownCall *calls;
        char epoch[EPOCH_LENGTH + 1];
        unsigned n_unanswered; /* subscriptions */
        bool comparing;
        uint64_t compare_usec; /* end of the time for the next step on the way to cloud_ready */
        uint64_t probe_usec;   /* when to ask for a sign of life */
        bool stalled;          /* and told */
        const char *said;      /* the state that the cloud was told last; a constant */
        char *node_topic;
        char *mark_topic;
};

/* ---- presence ---- */

static int say(CloudLink *link, const char *state)
{
        CLEANUP_FREE char *payload = NULL;
        MqttPublish publish = {
                .topic = link->node_topic, .qos = 1, .retain = link->core->policy->quirks.retain};
        int r;

        if (asprintf(&payload, "{\"state\":\"%s\",\"epoch\":\"%s\",\"proto\":\"mb1\"}", state,
                     link->epoch) < 0) {
                payload = NULL;
                return -ENOMEM;
        }
        publish.payload = payload;
        publish.length = strlen(payload);
        r = mqtt_publish(link->core->cloud, &publish, 0);
        if (r >= 0)
                link->said = state;
        return r;
}

static int send_mark(CloudLink *link, MarkKind kind)
{
        MqttPublish publish = {.topic = link->mark_topic,
                               .payload = link->epoch,
                               .length = EPOCH_LENGTH,
                               .qos = 1};

        return mqtt_publish(link->core->cloud, &publish, cookie_make(COOKIE_MARK, kind));
}

/* Sees to it that the cloud has something to answer, so that a link that holds calls back is known
 * for that when they come. Returns when to look again. */
static uint64_t watch_link(CloudLink *link, uint64_t now)
{
        const Policy *policy = link->core->policy;
        bool stalled = mqtt_get_lag(link->core->cloud, now) > 0;

        if (stalled && !link->stalled)
                log_info("the link to the cloud has stalled");
        link->stalled = stalled;
        if (policy->n_allow == 0)
                return USEC_INFINITY;
        if (now >= link->probe_usec) {
                link->probe_usec = now + policy->cloud.keepalive_s * USEC_PER_SEC / 3;
                if (mqtt_count_unanswered(link->core->cloud) == 0)
                        (void)send_mark(link, MARK_PROBE);
        }
        return link->probe_usec;
}

uint64_t cloud_link_process(CloudLink *link, uint64_t now)
{
        static const char ready[] = "ready", waiting[] = "init";
        const char *state = link->core->local_ready ? ready : waiting;

        if (link->core->cloud_ready && link->said != state)
                (void)say(link, state);
        if (!mqtt_is_open(link->core->cloud))
                return USEC_INFINITY;
        if (link->core->cloud_ready)
                return watch_link(link, now);
        if (now >= link->compare_usec)
                mqtt_fail_long(link->core->cloud,
                               "the cloud does not deliver what it keeps, or not the bridge's own "
                               "messages; 'emit acl' prints what it has to allow");
        return link->compare_usec;
}

void cloud_link_say_offline(CloudLink *link)
{
        if (link->core->cloud_ready)
                (void)say(link, "offline");
}

/* ---- connecting ---- */

static void subscribe(CloudLink *link, const Filters *filters, bool fresh)
{
        int mid, r;

        r = mqtt_subscribe(link->core->cloud, (const char *const *)filters->items, filters->count,
                           fresh, &mid);
        if (r < 0)
                mqtt_fail(link->core->cloud, "cannot subscribe");
        else
                link->n_unanswered++;
}

static void on_open(void *userdata, bool session_present)
{
        CLEANUP_FILTERS Filters calls = {};
        CLEANUP_FILTERS Filters kept = {};
        CloudLink *link = userdata;
        const Policy *policy = link->core->policy;

        free(STEAL(link->core->cloud_error));
        link->core->stats.cloud_connects++;
        log_info("connected to the cloud, %s", policy->cloud.uri);
        link->n_unanswered = 0;
        link->probe_usec = 0;
        link->stalled = false;
        link->said = NULL;
        link->comparing = policy->quirks.retain;
        link->compare_usec = clock_now() + COMPARE_USEC;
        if (filters_for_calls(policy, &calls) < 0 || filters_for_kept(policy, &kept) < 0) {
                mqtt_fail(link->core->cloud, "out of memory");
                return;
        }
        up_state_begin_compare(link->state);
        subscribe(link, &calls, true);
        if (link->comparing)
                subscribe(link, &kept, false);
}

static void go(CloudLink *link)
{
        link->comparing = false;
        link->core->cloud_ready = true;
        up_state_end_compare(link->state);
        cloud_link_process(link, clock_now());
}

static void send_marker(CloudLink *link)
{
        if (send_mark(link, MARK_END) < 0)
                mqtt_fail(link->core->cloud, "cannot publish");
}

static void on_subscribed(void *userdata, int mid, bool granted)
{
        CloudLink *link = userdata;

        if (link->n_unanswered == 0) /* an answer to nothing would have all state sent again */
                return;
        if (!granted) {
                mqtt_fail_long(link->core->cloud,
                               "the cloud refuses a subscription; 'emit acl' prints what it has to "
                               "allow");
                return;
        }
        if (--link->n_unanswered > 0)
                return;
        if (link->comparing)
                send_marker(link);
        else
                go(link);
}

static void end_compare(CloudLink *link)
{
        CLEANUP_FILTERS Filters kept = {};

        if (filters_for_kept(link->core->policy, &kept) < 0 ||
            mqtt_unsubscribe(link->core->cloud, (const char *const *)kept.items, kept.count) < 0) {
                mqtt_fail(link->core->cloud, "cannot unsubscribe");
                return;
        }
        go(link);
}

/* True for what belongs to the comparison, or comes late for it. */
static bool take_kept(CloudLink *link, const MqttMessage *message)
{
        const char *rest = topic_below(message->topic, link->core->policy->prefix);
        Topic topic;

        if (strcmp(message->topic, link->mark_topic) == 0) {
                if (link->comparing && message->length == EPOCH_LENGTH &&
                    memcmp(message->payload, link->epoch, EPOCH_LENGTH) == 0)
                        end_compare(link);
                return true;
        }
        if (!rest || topic_parse(rest, &topic) < 0 || topic.kind == TOPIC_CALL ||
            topic.kind == TOPIC_RPC || topic.kind == TOPIC_CALL_REPLY || topic.kind == TOPIC_SIGNAL)
                return false;
        if (link->comparing && message->retain) {
                link->compare_usec = clock_now() + COMPARE_USEC;
                up_state_compare(link->state, rest, message);
        }
        return true;
}

static void on_message(void *userdata, const MqttMessage *message)
{
        CloudLink *link = userdata;

        if (!take_kept(link, message))
                down_call_take(link->calls, message);
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
        CloudLink *link = userdata;

        switch (cookie_kind(cookie)) {
        case COOKIE_STATE: up_state_on_published(link->state, cookie_number(cookie), reason); break;
        case COOKIE_EVENT:
                up_events_on_published(link->events, cookie_number(cookie), reason);
                break;
        case COOKIE_MARK:
                if (reason >= 0x80 && cookie_number(cookie) == MARK_END)
                        mqtt_fail_long(link->core->cloud,
                                       "the cloud refuses the bridge's own topics; 'emit acl' "
                                       "prints what it has to allow");
                break;
        default:
                if (reason < 0x80)
                        break;
                link->core->stats.refused_up++;
                core_complain(link->core, "the cloud refuses %s (0x%02x)",
                              cookie_kind(cookie) == COOKIE_REPLY ? "an answer"
                                                                  : "the bridge's own topics",
                              (unsigned)reason);
        }
}

/* What was on its way is no longer. */
static void take_down(CloudLink *link)
{
        link->core->cloud_ready = false;
        link->comparing = false;
        up_state_on_cloud_down(link->state);
        up_events_on_cloud_down(link->events);
        down_call_on_cloud_down(link->calls);
}

static void on_down(void *userdata, const char *reason)
{
        CloudLink *link = userdata;
        Core *core = link->core;

        take_down(link);
        if (core->cloud_error && strcmp(core->cloud_error, reason) == 0)
                return;
        free(core->cloud_error);
        core->cloud_error = strdup(reason);
        core_complain(core, "cloud: %s; trying again until it works", reason);
}

static const MqttEvents link_events = {
        .on_open = on_open,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_published = on_published,
        .on_down = on_down,
};

/* ---- life ---- */

int cloud_link_new(Core *core, UpState *state, UpEvents *events, DownCall *calls,
                   CloudLink **ret_link)
{
        CloudLink *link = calloc(1, sizeof(*link));
        uint64_t number = 0;
        int r;

        if (!link)
                return -ENOMEM;
        *link = (CloudLink){.core = core, .state = state, .events = events, .calls = calls};
        r = getrandom(&number, sizeof(number), 0) == sizeof(number) ? 0 : -EIO;
        snprintf(link->epoch, sizeof(link->epoch), "%016" PRIx64, number);
        if (r >= 0)
                r = mqtt_new(&link_events, link, &core->cloud);
        if (r < 0) {
                free(link);
                return r;
        }
        *ret_link = link;
        return 0;
}

CloudLink *cloud_link_free(CloudLink *link)
{
        if (!link)
                return NULL;
        free(link->node_topic);
        free(link->mark_topic);
        free(link);
        return NULL;
}

int cloud_link_open(CloudLink *link, Error **ret_error)
{
        const Policy *policy = link->core->policy;
        CLEANUP_FREE char *will = NULL;

        /* An orderly end has no Will, if the broker sees it: what was said under the old settings
         * would stay. */
        cloud_link_say_offline(link);
        take_down(link);
        free(STEAL(link->node_topic));
        free(STEAL(link->mark_topic));
        if (asprintf(&link->node_topic, "%s/$node", policy->prefix) < 0)
                link->node_topic = NULL;
        if (asprintf(&link->mark_topic, "%s/%s/$mark", policy->prefix, policy->name) < 0)
                link->mark_topic = NULL;
        if (asprintf(&will, "{\"state\":\"lost\",\"epoch\":\"%s\",\"proto\":\"mb1\"}",
                     link->epoch) < 0)
                will = NULL;
        if (!link->node_topic || !link->mark_topic || !will)
                return error_set(ret_error, -ENOMEM, "out of memory");
        return mqtt_open(
                link->core->cloud,
                &(MqttSettings){.endpoint = &policy->cloud,
                                .client_id = policy->cloud.client_id,
                                .inflight = CALLS_INFLIGHT,
                                .packet_bytes = LIMIT_BRIDGE_PACKET_BYTES,
                                .reconnect_usec = RECONNECT_USEC,
                                .will_topic = policy->quirks.retain ? link->node_topic : NULL,
                                .will_payload = will},
                ret_error);
}
