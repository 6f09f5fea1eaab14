/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "common/deadline.h"
#include "common/hash.h"
#include "common/limits.h"
#include "common/offload.h"
#include "common/util.h"
#include "libmqttrpc/error.h"

/* From the first packet to the acknowledged subscriptions. */
#define OPEN_TIMEOUT_USEC (UINT64_C(20) * USEC_PER_SEC)

/* Two clients with one id throw each other out, and not all brokers say so. What gives them away is
 * this many connections lost in a row, none older than the first pause of the other one, and no
 * failed attempt in between, as there is when a broker restarts. */
enum { TAKEN_OVER_LOSSES = 5 };
#define YOUNG_USEC (UINT64_C(500) * USEC_PER_MSEC)

/* Entries of the account of messages that are kept for the next ones: many more than are under way
 * at a time usually, and 24 KiB. */
enum { KEPT_FREE = 256 };

typedef enum LinkState {
        LINK_CLOSED,
        LINK_STARTING, /* a thread resolves the host's name and connects */
        LINK_OPENING,  /* connected as a socket; CONNACK and SUBACK are awaited */
        LINK_UP,
        LINK_PAUSED, /* until wake_usec */
} LinkState;

/* A message of QoS 1 that the broker has not acknowledged. */
typedef struct Unacknowledged {
        int mid;
        uint64_t cookie;
        size_t length;
        UT_hash_handle hh;
        struct Unacknowledged *next_free;
} Unacknowledged;

struct Link {
        LinkSettings settings;
        const LinkEvents *events;
        void *userdata;
        LinkState state;
        LinkHandle *handle;
        Offload *offload; /* its data is `handle` */
        Backoff backoff;
        uint64_t reconnect_maximum;
        uint64_t wake_usec; /* end of the pause, or of the time to open */
        uint64_t misc_usec; /* when keep-alive must be looked at */
        uint64_t generation;
        uint64_t descriptor; /* counts those that link_fd() has given */
        uint64_t up_usec;
        unsigned losses;     /* of young connections, in a row */
        bool accepted;       /* subscriptions can be made */
        int last_mid;        /* of the last of the first subscriptions */
        unsigned unanswered; /* subscriptions made and ended, to which no answer has come */
        bool processing;     /* inside link_process(): the handle is in use */
        bool failed;         /* the handle is to be given up */
        bool farewell;       /* closed while up: DISCONNECT is still to be sent */
        bool taken_over;     /* another client has used our client id */
        bool restarting;     /* the handle is given up in order, and the next one needs no pause */
        LinkWill will;
        MqttRpcError *reason;
        Unacknowledged *unacknowledged; /* hash by mid */
        Unacknowledged *free_list;
        unsigned n_free;
        size_t unacknowledged_bytes;
        size_t backlog_bytes; /* handed over while the socket would not take more */
};

/* ---- account of messages on their way ---- */

static Unacknowledged *unacknowledged_new(Link *link)
{
        Unacknowledged *item = link->free_list;

        if (!item)
                return malloc(sizeof(*item));
        link->free_list = item->next_free;
        link->n_free--;
        return item;
}

static void unacknowledged_drop(Link *link, Unacknowledged *item)
{
        HASH_DEL(link->unacknowledged, item);
        link->unacknowledged_bytes -= item->length;
        if (link->n_free >= KEPT_FREE) {
                free(item);
                return;
        }
        item->next_free = link->free_list;
        link->free_list = item;
        link->n_free++;
}

static void forget_messages(Link *link)
{
        Unacknowledged *item, *next;

        HASH_ITER (hh, link->unacknowledged, item, next) {
                HASH_DEL(link->unacknowledged, item);
                free(item);
        }
        while ((item = link->free_list)) {
                link->free_list = item->next_free;
                free(item);
        }
        link->n_free = 0;
        link->unacknowledged_bytes = 0;
        link->backlog_bytes = 0;
        link->unanswered = 0;
}

/* ---- state ---- */

static void drop_handle(Link *link)
{
        if (link->offload) {
                link->offload = offload_abandon(link->offload);
                link->handle = NULL; /* released there, or by the thread */
        }
        link->handle = link_handle_free(link->handle);
        forget_messages(link);
        link->failed = false;
}

/* After link_close(), outside of the handle's callbacks. */
static void end(Link *link)
{
        if (link->farewell && !link->failed)
                link_handle_disconnect(link->handle);
        link->farewell = false;
        drop_handle(link);
}

static void set_reason(Link *link, MqttRpcError *reason)
{
        mqttrpc_error_free(link->reason);
        link->reason = reason;
}

static void note_failure(Link *link, const char *text)
{
        link->failed = true;
        set_reason(link, mqttrpc_error_new(MQTTRPC_ERROR_DISCONNECTED, "broker %s: %s",
                                           link->settings.host, text));
}

/* Sees whether the loss of this connection is one of many. Once it was, the other one's long pause
 * makes connections last longer, and changes nothing. */
static void note_loss(Link *link, uint64_t now)
{
        uint64_t age = now - link->up_usec;

        if (link->state == LINK_UP && age < YOUNG_USEC)
                link->losses++;
        else if (link->state != LINK_UP || link->losses < TAKEN_OVER_LOSSES ||
                 age / 2 > link->reconnect_maximum)
                link->losses = 0;
        if (link->losses < TAKEN_OVER_LOSSES || link->taken_over ||
            link->settings.client_id_is_random)
                return;
        link->taken_over = true;
        note_failure(link, "connection lost again and again: does another client use the same "
                           "client id?");
}

/* Gives the handle up, tells why, and schedules the next attempt. */
static void enter_pause(Link *link, uint64_t now)
{
        uint32_t random = 0;

        (void)!getrandom(&random, sizeof(random), 0);
        if (link->restarting)
                link_handle_disconnect(link->handle);
        else
                note_loss(link, now);
        drop_handle(link);
        link->state = LINK_PAUSED;
        /* Two clients with one id throw each other out for ever; do not make a storm of it. */
        if (link->taken_over)
                link->wake_usec = now + backoff_long(random, link->reconnect_maximum);
        else if (link->restarting)
                link->wake_usec = now;
        else
                link->wake_usec =
                        now + backoff_next(&link->backoff, random, link->reconnect_maximum);
        link->taken_over = false;
        link->restarting = false;
        link->events->on_down(link->userdata, link->reason);
}

static void enter_opening(Link *link, uint64_t now)
{
        link->state = LINK_OPENING;
        link->misc_usec = now + link->settings.keepalive_sec * USEC_PER_SEC / 3;
}

static void enter_up(Link *link)
{
        link->state = LINK_UP;
        link->up_usec = clock_now();
        backoff_reset(&link->backoff);
        link->events->on_up(link->userdata);
}

/* ---- events of the handle ---- */

static void on_connack(void *userdata, int reason)
{
        Link *link = userdata;

        if (reason != 0) {
                note_failure(link, link_reason_text(&link->settings, reason));
                return;
        }
        link->generation++;
        link->last_mid = -1;
        link->accepted = true;
        link->events->on_accepted(link->userdata);
}

static void on_suback(void *userdata, int mid, bool granted)
{
        Link *link = userdata;

        link->unanswered--;
        if (mid != link->last_mid)
                link->events->on_subscribed(link->userdata, mid, granted);
        else if (!granted)
                note_failure(link, "a subscription was refused");
        else if (link->state == LINK_OPENING)
                enter_up(link);
}

static void on_unsuback(void *userdata)
{
        Link *link = userdata;

        link->unanswered--;
        link->events->on_unsubscribed(link->userdata);
}

static void on_puback(void *userdata, int mid, int reason)
{
        Link *link = userdata;
        Unacknowledged *item;
        uint64_t cookie;

        HASH_FIND_INT(link->unacknowledged, &mid, item);
        if (!item)
                return; /* QoS 0: written */
        cookie = item->cookie;
        unacknowledged_drop(link, item);
        if (link->state == LINK_UP)
                link->events->on_published(link->userdata, cookie, reason);
}

static void on_message(void *userdata, const LinkMessage *message)
{
        Link *link = userdata;

        if (link->state != LINK_CLOSED)
                link->events->on_message(link->userdata, message);
}

static void on_disconnect(void *userdata, int reason)
{
        Link *link = userdata;

        if (link->state == LINK_CLOSED)
                return;
        if (reason == LINK_REASON_SESSION_TAKEN_OVER) {
                link->taken_over = true;
                note_failure(link, "another client has connected with the same client id");
        } else if (!link->failed) {
                note_failure(link, reason >= 0x80 ? link_reason_text(&link->settings, reason)
                                                  : link_handle_reason(link->handle));
        }
}

static const LinkHandleEvents handle_events = {
        .on_connack = on_connack,
        .on_suback = on_suback,
        .on_unsuback = on_unsuback,
        .on_puback = on_puback,
        .on_message = on_message,
        .on_disconnect = on_disconnect,
};

/* ---- connecting ---- */

static int run_connect(void *data)
{
        return link_handle_connect(data);
}

static void release_handle(void *data)
{
        link_handle_free(data);
}

static int new_handle(Link *link, MqttRpcError **ret_error)
{
        return link_handle_new(&link->settings, &handle_events, link, &link->handle, ret_error);
}

/* One attempt. Returns a failure only for what no retry can cure. */
static int start(Link *link, uint64_t now, MqttRpcError **ret_error)
{
        int r;

        r = link->handle ? 0 : new_handle(link, ret_error);
        if (r >= 0)
                r = link_handle_set_will(link->handle, &link->will);
        if (r < 0)
                return r;
        link->wake_usec = now + OPEN_TIMEOUT_USEC;
        link->descriptor++;
        link->accepted = false;
        if (link_settings_need_resolver(&link->settings)) {
                r = offload_start(run_connect, release_handle, link->handle, &link->offload);
                if (r >= 0) {
                        link->state = LINK_STARTING;
                        return 0;
                }
        } else {
                r = link_handle_connect(link->handle);
        }
        if (r < 0)
                note_failure(link, link_handle_reason(link->handle));
        enter_opening(link, now);
        return 0;
}

static void collect_start(Link *link, uint64_t now)
{
        int result;

        if (offload_collect(link->offload, &result) == 0)
                return;
        link->offload = offload_free(link->offload);
        link->descriptor++;
        enter_opening(link, now);
        if (result < 0)
                note_failure(link, link_handle_reason(link->handle));
}

/* ---- public ---- */

int link_new(const LinkEvents *events, void *userdata, Link **ret_link)
{
        Link *link;

        link = calloc(1, sizeof(*link));
        if (!link)
                return -ENOMEM;
        link->events = events;
        link->userdata = userdata;
        *ret_link = link;
        return 0;
}

Link *link_free(Link *link)
{
        LinkSettings *settings;

        if (!link)
                return NULL;
        link_close(link);
        settings = &link->settings;
        free(settings->host);
        free(settings->ca_file);
        free(settings->cert_file);
        free(settings->key_file);
        free(settings->user);
        free(settings->password);
        free(settings->client_id);
        free(link->will.topic);
        free(link->will.payload);
        mqttrpc_error_free(link->reason);
        free(link);
        return NULL;
}

LinkSettings *link_settings(Link *link)
{
        return &link->settings;
}

void link_set_reconnect_maximum(Link *link, uint64_t usec)
{
        link->reconnect_maximum = usec;
}

int link_set_will(Link *link, const char *topic, const char *payload)
{
        LinkWill will = {};

        if (topic) {
                will.topic = strdup(topic);
                will.payload = strdup(payload);
        }
        if (topic && (!will.topic || !will.payload)) {
                free(will.topic);
                free(will.payload);
                return -ENOMEM;
        }
        free(link->will.topic);
        free(link->will.payload);
        link->will = will;
        return 0;
}

int link_open(Link *link, MqttRpcError **ret_error)
{
        int r;

        r = new_handle(link, ret_error);
        if (r < 0)
                return r;
        /* The first attempt begins with link_process(), so that a loop that watches the descriptor
         * of the last connection sees that it is gone before the next may get the same number. */
        backoff_reset(&link->backoff);
        link->wake_usec = 0;
        link->state = LINK_PAUSED;
        return 0;
}

void link_close(Link *link)
{
        bool up = link_is_up(link);

        if (link->state == LINK_CLOSED)
                return;
        link->state = LINK_CLOSED;
        link->farewell = up;
        if (!link->processing)
                end(link);
}

void link_restart(Link *link, const char *reason)
{
        if ((link->state != LINK_OPENING && link->state != LINK_UP) || link->failed)
                return;
        note_failure(link, reason);
        link->restarting = true;
}

bool link_is_up(const Link *link)
{
        return link->state == LINK_UP && !link->failed;
}

bool link_is_idle(Link *link)
{
        return !link_is_up(link) ||
               (HASH_COUNT(link->unacknowledged) == 0 && link->unanswered == 0 &&
                !link_handle_wants_write(link->handle));
}

const MqttRpcError *link_reason(const Link *link)
{
        return link->reason;
}

uint64_t link_generation(const Link *link)
{
        return link->generation;
}

uint64_t link_descriptor(const Link *link)
{
        return link->descriptor;
}

int link_fd(const Link *link)
{
        int fd = -1;

        if (link->state == LINK_STARTING)
                fd = offload_fd(link->offload);
        else if (link->state == LINK_OPENING || link->state == LINK_UP)
                fd = link_handle_fd(link->handle);
        return fd >= 0 ? fd : -ENOTCONN;
}

int link_poll_events(Link *link)
{
        switch (link->state) {
        case LINK_STARTING: return POLLIN;
        case LINK_OPENING:
        case LINK_UP: return POLLIN | (link_handle_wants_write(link->handle) ? POLLOUT : 0);
        default: return 0;
        }
}

uint64_t link_timeout(const Link *link)
{
        if (link->failed)
                return 0;
        switch (link->state) {
        case LINK_CLOSED: return USEC_INFINITY;
        case LINK_UP: return link->misc_usec;
        case LINK_OPENING: return MIN(link->misc_usec, link->wake_usec);
        default: return link->wake_usec;
        }
}

/* Reads, writes what the callbacks queued, and keeps the connection alive. */
static int exchange(Link *link, int revents, uint64_t now)
{
        int r = 0;

        if (revents & ~POLLOUT)
                r = link_handle_read(link->handle);
        if (r >= 0 && link->state != LINK_CLOSED && !link->failed &&
            link_handle_wants_write(link->handle)) {
                int w = link_handle_write(link->handle);

                r = w < 0 ? w : r;
                if (!link_handle_wants_write(link->handle))
                        link->backlog_bytes = 0;
        }
        if (r >= 0 && now >= link->misc_usec) {
                int m = link_handle_misc(link->handle);

                r = m < 0 ? m : r;
                link->misc_usec = now + link->settings.keepalive_sec * USEC_PER_SEC / 3;
        }
        if (r < 0 && !link->failed)
                note_failure(link, link_handle_reason(link->handle));
        return r > 0;
}

int link_process(Link *link, int revents, uint64_t now)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        int r = 0;

        switch (link->state) {
        case LINK_CLOSED: return 0;
        case LINK_STARTING: collect_start(link, now); break;
        case LINK_PAUSED:
                if (now < link->wake_usec)
                        return 0;
                if (start(link, now, &error) < 0) {
                        set_reason(link, STEAL(error));
                        link->failed = true;
                }
                break;
        case LINK_OPENING:
        case LINK_UP:
                link->processing = true;
                if (!link->failed)
                        r = exchange(link, revents, now);
                link->processing = false;
                break;
        }
        if (link->state == LINK_CLOSED) {
                end(link);
                return 0;
        }
        if (link->state != LINK_UP && link->state != LINK_PAUSED && now >= link->wake_usec)
                note_failure(link, "no answer in time");
        if (link->failed) {
                enter_pause(link, now);
                return 1;
        }
        return r;
}

static bool takes_subscriptions(const Link *link)
{
        return (link->state == LINK_OPENING || link->state == LINK_UP) && link->accepted &&
               !link->failed;
}

int link_subscribe(Link *link, const char *const *filters, size_t n_filters, bool retained,
                   int *ret_mid)
{
        int r;

        if (!takes_subscriptions(link))
                return -ENOTCONN;
        r = link_handle_subscribe(link->handle, filters, n_filters, retained, ret_mid);
        if (r >= 0)
                link->unanswered++;
        return r;
}

int link_subscribe_last(Link *link, const char *const *filters, size_t n_filters)
{
        int r;

        r = link_subscribe(link, filters, n_filters, false, &link->last_mid);
        if (r < 0)
                note_failure(link, "cannot subscribe");
        return r;
}

int link_unsubscribe(Link *link, const char *filter)
{
        int r;

        if (!takes_subscriptions(link))
                return -ENOTCONN;
        r = link_handle_unsubscribe(link->handle, filter);
        if (r >= 0)
                link->unanswered++;
        return r;
}

int link_publish(Link *link, const LinkPublish *publish, uint64_t cookie)
{
        size_t length = publish->length + strlen(publish->topic) + MESSAGE_OVERHEAD_BYTES;
        Unacknowledged *item = NULL;
        int r, mid;

        if (!link_is_up(link))
                return -ENOTCONN;
        if (link->unacknowledged_bytes + link->backlog_bytes + length > LIMIT_OUTBOUND_BYTES ||
            HASH_COUNT(link->unacknowledged) >= LIMIT_OUTBOUND_MESSAGES)
                return -ENOBUFS;
        if (publish->qos > 0) {
                item = unacknowledged_new(link);
                if (!item)
                        return -ENOMEM;
        }
        r = link_handle_publish(link->handle, publish, &mid);
        if (r < 0) {
                free(item);
                return r;
        }
        if (item) {
                *item = (Unacknowledged){.mid = mid, .cookie = cookie, .length = length};
                HASH_ADD_INT(link->unacknowledged, mid, item);
                if (!item->hh.tbl)
                        free(item); /* sent all the same; its PUBACK will be ignored */
                else
                        link->unacknowledged_bytes += length;
        } else if (link_handle_wants_write(link->handle)) {
                link->backlog_bytes += length;
        }
        return 0;
}

size_t link_outstanding_bytes(const Link *link)
{
        return link->unacknowledged_bytes + link->backlog_bytes;
}

size_t link_unacknowledged_bytes(const Link *link)
{
        return link->unacknowledged_bytes;
}
