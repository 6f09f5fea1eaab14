/* SPDX-License-Identifier: MIT */

/* What happens on the connection, handed on to the parts of the bus that it concerns, in an order
 * that matters: state before what depends on it. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "libmqttrpc/leaving.h"
#include "libmqttrpc/monitor.h"
#include "libmqttrpc/presence.h"
#include "libmqttrpc/sync.h"
#include "libmqttrpc/watch.h"

/* ---- what the parts share ---- */

int filter_list_add(FilterList *list, const char *format, ...)
{
        char **items = reallocarray(list->items, list->count + 1, sizeof(*items));
        va_list arguments;
        int r;

        if (!items)
                return -ENOMEM;
        list->items = items;
        va_start(arguments, format);
        r = vasprintf(&items[list->count], format, arguments);
        va_end(arguments);
        if (r < 0)
                return -ENOMEM;
        list->count++;
        return 0;
}

void filter_list_done(FilterList *list)
{
        for (size_t i = 0; i < list->count; i++)
                free(list->items[i]);
        free(list->items);
        *list = (FilterList){};
}

void bus_subscribe(MqttRpcBus *bus, const char *filter, bool retained)
{
        int mid;

        (void)link_subscribe(bus->link, &filter, 1, retained, &mid);
}

void bus_unsubscribe(MqttRpcBus *bus, const char *filter)
{
        if (link_unsubscribe(bus->link, filter) >= 0)
                leaving_on_unsubscribing(bus);
}

int bus_publish_retained(MqttRpcBus *bus, const char *topic, const char *text, size_t length)
{
        const LinkPublish message = {
                .topic = topic, .payload = text, .length = length, .qos = 1, .retain = true};
        int r;

        r = link_publish(bus->link, &message, 0);
        if (r == -ENOBUFS)
                bus->backlogged = true;
        return r;
}

/* ---- events of the link ---- */

/* What is retained comes with the first ones: all states, and what is watched. */
static int write_retained_filters(MqttRpcBus *bus, FilterList *filters)
{
        int r;

        r = filter_list_add(filters, "%s/+/$state", bus->root);
        return r < 0 ? r : watches_write_filters(bus, filters);
}

/* Own replies, by call/ and rpc/ (protocol section 2), and the calls of own services. */
static int write_fresh_filters(MqttRpcBus *bus, FilterList *filters)
{
        int r;

        r = filter_list_add(filters, "%s/+/+/call/+/%s/%s", bus->root, bus->caller, bus->token);
        if (r >= 0)
                r = filter_list_add(filters, "%s/+/+/rpc/%s/%s", bus->root, bus->caller,
                                    bus->token);
        return r < 0 ? r : services_write_filters(bus, filters);
}

static void on_accepted(void *userdata)
{
        CLEANUP_FILTER_LIST FilterList retained = {}, fresh = {};
        MqttRpcBus *bus = userdata;
        int r, mid;

        r = write_retained_filters(bus, &retained);
        if (r >= 0)
                r = write_fresh_filters(bus, &fresh);
        if (r < 0) {
                bus_log(bus, MQTTRPC_LOG_ERROR, "cannot subscribe: out of memory");
                return;
        }
        (void)link_subscribe(bus->link, (const char *const *)retained.items, retained.count, true,
                             &mid);
        (void)link_subscribe_last(bus->link, (const char *const *)fresh.items, fresh.count);
}

static void on_up(void *userdata)
{
        MqttRpcBus *bus = userdata;

        if (link_generation(bus->link) > 1)
                bus_count(bus, MQTTRPC_COUNT_RECONNECTS);
        announce_on_up(bus);
        outbox_flush(bus);
        bus_set_state(bus, MQTTRPC_STATE_CONNECTED, NULL);
}

/* The link is down: nothing that is told here can be answered by sending. */
void bus_tell_down(MqttRpcBus *bus, const MqttRpcError *reason)
{
        announce_on_down(bus);
        leaving_clear(bus);
        calls_fail_all(bus, mqttrpc_error_get_message(reason));
        syncs_on_down(bus, reason);
        presence_on_down(bus);
        watches_on_down(bus);
}

static void on_down(void *userdata, const MqttRpcError *reason)
{
        MqttRpcBus *bus = userdata;

        bus_tell_down(bus, reason);
        if (announce_set_will(bus) < 0)
                bus_log(bus, MQTTRPC_LOG_ERROR, "cannot set the Will: out of memory");
        if (bus->state != MQTTRPC_STATE_CLOSED)
                bus_set_state(bus, MQTTRPC_STATE_WAITING, reason);
}

static void on_retained(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        Service *own = service_find(bus, topic->service);

        if (own)
                announce_on_retained(own, topic, message);
        watches_on_retained(bus, topic, message);
}

static void on_message(void *userdata, const LinkMessage *message)
{
        MqttRpcBus *bus = userdata;
        Topic topic;

        bus->n_retained += message->retain;
        if (topic_parse(bus->root, message->topic, &topic) < 0)
                return;
        if (bus->monitors && !message->retain)
                monitors_on_message(bus, &topic, message);
        switch (topic.kind) {
        case TOPIC_CALL:
        case TOPIC_RPC:
                if (link_is_up(bus->link))
                        incoming_on_request(bus, &topic, message);
                break;
        case TOPIC_CALL_REPLY:
        case TOPIC_RPC_REPLY: calls_on_reply(bus, &topic, message); break;
        case TOPIC_SIGNAL: watches_on_signal(bus, &topic, message); break;
        case TOPIC_PROPERTY:
        case TOPIC_META: on_retained(bus, &topic, message); break;
        case TOPIC_STATE: presence_on_state(bus, &topic, message); break;
        case TOPIC_API: watches_on_retained(bus, &topic, message); break;
        }
}

/* The broker has taken something: perhaps there is room for what waits. */
static void use_room(MqttRpcBus *bus)
{
        if (bus->outbox)
                outbox_flush(bus);
        if (!bus->backlogged ||
            link_unacknowledged_bytes(bus->link) > LIMIT_STATE_OUTSTANDING_BYTES / 2)
                return;
        bus->backlogged = false;
        announce_continue_all(bus);
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
        MqttRpcBus *bus = userdata;

        if (cookie == 0 && reason >= 0x80)
                bus_log_peer(bus,
                             "the broker refuses what is published here (0x%02x): has '%s' the "
                             "right to write below the services it serves, and to reply?",
                             (unsigned)reason, bus->caller);
        calls_on_published(bus, cookie, reason);
        use_room(bus);
}

static void on_unsubscribed(void *userdata)
{
        leaving_on_unsubscribed(userdata);
}

static void on_subscribed(void *userdata, int mid, bool granted)
{
        MqttRpcBus *bus = userdata;

        if (!granted)
                bus_log_peer(bus, "the broker refuses a subscription to states, properties or "
                                  "signals: some are not seen");
        syncs_on_subscribed(bus, mid);
}

const LinkEvents bus_link_events = {
        .on_accepted = on_accepted,
        .on_up = on_up,
        .on_down = on_down,
        .on_message = on_message,
        .on_published = on_published,
        .on_subscribed = on_subscribed,
        .on_unsubscribed = on_unsubscribed,
};
