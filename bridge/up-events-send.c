/* SPDX-License-Identifier: MIT */

/* The second half of up-events.h: events on their way to the cloud. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bridge/up-events-private.h"
#include "common/json-write.h"

void up_events_on_cloud_down(UpEvents *events)
{
        events->n_flights = 0;
        up_events_set_sent(events, events->done_id);
}

bool up_events_is_done(const UpEvents *events, int64_t id)
{
        const Store *store = events->core->store;

        return id <= events->done_id || !store || store_get_counts(store).events == 0;
}

static void land(UpEvents *events)
{
        while (events->n_flights > 0 && events->flights[events->first_flight].answered) {
                const Flight *flight = &events->flights[events->first_flight];

                events->done_id = flight->id;
                if (flight->refused && !flight->gap)
                        up_events_note_refused(events, flight->id, flight->refused);
                if (events->n_flights == 0) /* they went with their store */
                        return;
                events->first_flight = (events->first_flight + 1) % LIMIT_BRIDGE_EVENT_INFLIGHT;
                events->n_flights--;
        }
}

static Flight *find_flight(UpEvents *events, uint64_t number)
{
        for (unsigned i = 0; i < events->n_flights; i++) {
                Flight *flight =
                        &events->flights[(events->first_flight + i) % LIMIT_BRIDGE_EVENT_INFLIGHT];

                if (flight->id == (int64_t)number)
                        return flight;
        }
        return NULL;
}

void up_events_on_published(UpEvents *events, uint64_t number, int reason)
{
        Flight *flight = find_flight(events, number);
        Core *core = events->core;

        if (!flight)
                return;

        if (reason == CORE_OVER_QUOTA) {
                core_over_quota(core);
                return;
        }
        if (reason >= 0x80) {
                core->stats.refused_up++;
                core_complain(core, "the cloud refuses an event (0x%02x): it is dropped",
                              (unsigned)reason);
                flight->refused = "refused";
        } else {
                core->stats.events_out++;
        }
        flight->answered = true;
        land(events);
}

/* `refused`: it does not fit, or is not to go up any more, and is not sent. */
static void add_flight(UpEvents *events, const StoreEvent *event, const char *refused)
{
        unsigned at = (events->first_flight + events->n_flights) % LIMIT_BRIDGE_EVENT_INFLIGHT;

        events->flights[at] = (Flight){.id = event->id,
                                       .gap = event->gap,
                                       .answered = refused != NULL,
                                       .refused = refused};
        events->core->stats.refused_up += refused != NULL;
        events->n_flights++;
        up_events_set_sent(events, event->id);
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
                add_flight(events, event, is_published(core, event) ? "size" : "policy");
                return 1;
        }
        wait = rate_take(&core->rate, &core->policy->rate, events->topic.length + publish.length,
                         now);
        if (wait > 0) {
                *wake = MIN(*wake, now + wait);
                return 0;
        }
        r = mqtt_publish(core->cloud, &publish, cookie_make(COOKIE_EVENT, (uint64_t)event->id));
        if (r < 0 && r != -EMSGSIZE)
                return 0;
        add_flight(events, event, r < 0 ? "size" : NULL);
        return 1;
}

void up_events_send(UpEvents *events, uint64_t *wake, uint64_t now)
{
        Core *core = events->core;
        unsigned window = MIN(LIMIT_BRIDGE_EVENT_INFLIGHT, core->policy->quirks.inflight);
        StoreEvent event;
        int r = 1;

        /* An id that is not committed may yet be another event's. */
        while (r > 0 && events->n_flights < window && core->store && !store_is_dirty(core->store)) {
                r = store_next(core->store, events->sent_id, &event);
                if (r > 0)
                        r = send_event(events, &event, wake, now);
        }
        if (r < 0)
                up_events_on_store_failure(events, r);
}
