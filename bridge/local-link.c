/* SPDX-License-Identifier: MIT */

#include "bridge/local-link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/filters.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

#define RECONNECT_USEC (UINT64_C(30) * USEC_PER_SEC)
/* How long the broker may be silent before it has delivered all it keeps, and then the marker. */
#define READ_USEC (UINT64_C(60) * USEC_PER_SEC)

struct LocalLink {
        Core *core;
        UpState *state;
        DownCall *calls;
        Filters services;      /* whose topics are subscribed to */
        Filters filters;       /* all that are in force, or soon */
        unsigned n_unanswered; /* subscriptions */
        uint64_t marker;       /* the last one sent */
        uint64_t read_usec;    /* end of the time for the next message until local_ready */
        char *mark_topic;
};

/* ---- subscriptions ---- */

static void subscribe(LocalLink *link, const Filters *filters)
{
        int r = 0, mid;

        for (size_t i = 0; r >= 0 && i < filters->count; i++)
                r = filters_add(&link->filters, filters->items[i]);
        if (r >= 0)
                r = mqtt_subscribe(link->core->local, (const char *const *)filters->items,
                                   filters->count, false, &mid);
        if (r < 0)
                mqtt_fail(link->core->local, "cannot subscribe");
        else
                link->n_unanswered++;
}

static void add_service(LocalLink *link, const char *service)
{
        CLEANUP_FILTERS Filters filters = {};

        if (filters_has(&link->services, service))
                return;
        if (link->services.count >= LIMIT_PRESENCES) {
                core_complain(link->core, "more than %u services: '%s' is left out",
                              LIMIT_PRESENCES, service);
                return;
        }
        if (filters_add(&link->services, service) < 0 ||
            filters_for_service(link->core->policy, service, &filters) < 0) {
                mqtt_fail(link->core->local, "out of memory");
                return;
        }
        subscribe(link, &filters);
}

static void subscribe_always(LocalLink *link)
{
        CLEANUP_FILTERS Filters filters = {};
        CLEANUP_FREE char *answers = NULL;
        int r;

        r = down_call_list_filters(link->calls, &answers);
        if (r >= 0)
                r = filters_add(&filters, answers);
        if (r >= 0)
                r = filters_add(&filters, link->mark_topic);
        if (r < 0)
                mqtt_fail(link->core->local, "out of memory");
        else
                subscribe(link, &filters);
}

static void subscribe_services(LocalLink *link)
{
        CLEANUP_FILTERS Filters names = {};
        CLEANUP_FILTERS Filters discovery = {};

        if (filters_list_services(link->core->policy, &names) < 0 ||
            filters_printf(&discovery, "%s/+/$state", link->core->policy->root) < 0) {
                mqtt_fail(link->core->local, "out of memory");
                return;
        }
        if (filters_need_discovery(link->core->policy) &&
            !filters_has(&link->filters, discovery.items[0]))
                subscribe(link, &discovery);
        for (size_t i = 0; i < names.count; i++)
                add_service(link, names.items[i]);
}

static void send_marker(LocalLink *link)
{
        char payload[24];
        MqttPublish publish = {.topic = link->mark_topic, .payload = payload, .qos = 1};

        snprintf(payload, sizeof(payload), "%" PRIu64, ++link->marker);
        publish.length = strlen(payload);
        if (mqtt_publish(link->core->local, &publish, 0) < 0)
                mqtt_fail(link->core->local, "cannot publish");
}

static void on_marker(LocalLink *link, const MqttMessage *message)
{
        char payload[24];

        snprintf(payload, sizeof(payload), "%" PRIu64, link->marker);
        if (message->length != strlen(payload) ||
            memcmp(message->payload, payload, message->length) != 0 || link->n_unanswered > 0)
                return;
        if (!link->core->local_ready)
                log_info("local broker: %zu topics to mirror", up_state_count(link->state));
        link->core->local_ready = true;
        up_state_end_local(link->state);
}

/* ---- events ---- */

static void on_open(void *userdata, bool session_present)
{
        LocalLink *link = userdata;

        free(STEAL(link->core->local_error));
        link->core->stats.local_connects++;
        log_info("connected to the local broker, %s", link->core->policy->local.uri);
        filters_done(&link->services);
        filters_done(&link->filters);
        link->n_unanswered = 0;
        link->read_usec = clock_now() + READ_USEC;
        up_state_begin_local(link->state);
        subscribe_always(link);
        subscribe_services(link);
}

static void on_subscribed(void *userdata, int mid, bool granted)
{
        LocalLink *link = userdata;

        if (!granted) {
                mqtt_fail_long(link->core->local, "the local broker refuses a subscription");
                return;
        }
        if (link->n_unanswered > 0 && --link->n_unanswered == 0)
                send_marker(link);
}

static void discover(LocalLink *link, const Topic *topic)
{
        CLEANUP_FREE char *service = NULL;

        if (topic->kind != TOPIC_STATE || !filters_need_discovery(link->core->policy) ||
            !policy_publishes_service(link->core->policy, topic->service))
                return;
        service = strndup(topic->service.at, topic->service.length);
        if (service)
                add_service(link, service);
}

static void on_message(void *userdata, const MqttMessage *message)
{
        LocalLink *link = userdata;
        const char *rest = topic_below(message->topic, link->core->policy->root);
        Topic topic;

        if (!link->core->local_ready)
                link->read_usec = clock_now() + READ_USEC;
        if (strcmp(message->topic, link->mark_topic) == 0) {
                on_marker(link, message);
                return;
        }
        if (!rest || topic_parse(rest, &topic) < 0)
                return;
        switch (topic.kind) {
        case TOPIC_CALL_REPLY: down_call_take_answer(link->calls, rest, &topic, message); break;
        case TOPIC_STATE:
        case TOPIC_API:
        case TOPIC_META:
        case TOPIC_PROPERTY:
                discover(link, &topic);
                up_state_take(link->state, rest, &topic, message);
                break;
        default: break;
        }
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
        LocalLink *link = userdata;

        if (cookie_kind(cookie) == COOKIE_CALL)
                down_call_on_published(link->calls, cookie_number(cookie), reason);
        else if (reason >= 0x80)
                mqtt_fail_long(link->core->local,
                               "the local broker does not let the bridge publish its marker: it "
                               "must own the topics of its service");
}

static void on_down(void *userdata, const char *reason)
{
        LocalLink *link = userdata;
        Core *core = link->core;

        core->local_ready = false;
        down_call_on_local_down(link->calls);
        if (core->local_error && strcmp(core->local_error, reason) == 0)
                return;
        free(core->local_error);
        core->local_error = strdup(reason);
        core_complain(core, "local broker: %s; trying again until it works", reason);
}

static const MqttEvents link_events = {
        .on_open = on_open,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_published = on_published,
        .on_down = on_down,
};

/* ---- life ---- */

int local_link_new(Core *core, UpState *state, DownCall *calls, LocalLink **ret_link)
{
        LocalLink *link = calloc(1, sizeof(*link));
        int r;

        if (!link)
                return -ENOMEM;
        *link = (LocalLink){.core = core, .state = state, .calls = calls};
        r = mqtt_new(&link_events, link, &core->local);
        if (r < 0) {
                free(link);
                return r;
        }
        *ret_link = link;
        return 0;
}

LocalLink *local_link_free(LocalLink *link)
{
        if (!link)
                return NULL;
        filters_done(&link->services);
        filters_done(&link->filters);
        free(link->mark_topic);
        free(link);
        return NULL;
}

int local_link_open(LocalLink *link, Error **ret_error)
{
        const Policy *policy = link->core->policy;

        link->core->local_ready = false;
        down_call_on_local_down(link->calls);
        free(link->mark_topic);
        if (asprintf(&link->mark_topic, "%s/%s/$mark", policy->root, policy->name) < 0) {
                link->mark_topic = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        return mqtt_open(link->core->local,
                         &(MqttSettings){.endpoint = &policy->local,
                                         .client_id = policy->local.client_id,
                                         .inflight = UINT16_MAX,
                                         .reconnect_usec = RECONNECT_USEC},
                         ret_error);
}

uint64_t local_link_process(LocalLink *link, uint64_t now)
{
        if (link->core->local_ready || !mqtt_is_open(link->core->local))
                return USEC_INFINITY;
        if (now >= link->read_usec)
                mqtt_fail_long(link->core->local,
                               "the local broker does not deliver the bridge's own marker: it must "
                               "own the topics of its service");
        return link->read_usec;
}

/* Whether another policy still needs a filter that is in force. */
static bool is_needed(const LocalLink *link, const char *filter)
{
        const char *rest = topic_below(filter, link->core->policy->root);
        const char *slash = rest ? strchr(rest, '/') : NULL;
        bool discovers = filters_need_discovery(link->core->policy);

        if (!slash || strstr(filter, "/call/") || strcmp(filter, link->mark_topic) == 0)
                return true;
        if (strncmp(rest, "+/", 2) == 0)
                return discovers;
        if (discovers && strcmp(slash, "/$state") == 0)
                return false;
        return policy_publishes_service(link->core->policy, (Span){rest, (size_t)(slash - rest)});
}

void local_link_apply_policy(LocalLink *link)
{
        CLEANUP_FILTERS Filters before = link->filters;

        if (!mqtt_is_open(link->core->local))
                return;
        link->filters = (Filters){};
        filters_done(&link->services);
        for (size_t i = 0; i < before.count; i++) {
                const char *filter = before.items[i];

                if (!is_needed(link, filter) && mqtt_unsubscribe(link->core->local, &filter, 1) < 0)
                        mqtt_fail(link->core->local, "cannot unsubscribe");
        }
        /* Subscribing again to what is in force makes the broker send what it keeps of it: that is
         * how topics that only the new policy publishes come. */
        subscribe_always(link);
        subscribe_services(link);
}
