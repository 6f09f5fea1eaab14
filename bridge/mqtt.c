/* SPDX-License-Identifier: MIT */

#include "bridge/mqtt.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/mqtt-handle.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/limits.h"
#include "common/offload.h"

/* From the first packet to the answer of the broker. */
#define OPEN_TIMEOUT_USEC (UINT64_C(20) * USEC_PER_SEC)
/* How often keep-alive is looked at. */
#define MISC_USEC (UINT64_C(1) * USEC_PER_SEC)
/* A connection that has lasted so long was a good one: the next pause is a short one again. */
#define STABLE_USEC (UINT64_C(5) * USEC_PER_SEC)

/* An answer that takes longer tells that the link has stalled. */
#define STALL_USEC (UINT64_C(1) * USEC_PER_SEC)

typedef enum MqttState {
        MQTT_CLOSED,
        MQTT_STARTING, /* a thread connects */
        MQTT_OPENING,  /* connected as a socket; CONNACK is awaited */
        MQTT_OPEN,
        MQTT_PAUSED, /* until wake_usec */
} MqttState;

/* A message of QoS 1 that the broker has not acknowledged. */
typedef struct Unanswered {
        int mid;
        uint64_t cookie;
        uint64_t sent_usec;
        size_t length;
        UT_hash_handle hh;
} Unanswered;

struct Mqtt {
        const MqttEvents *events;
        void *userdata;
        MqttSettings settings; /* its texts are owned */
        MqttState state;
        MqttHandle *handle;
        Offload *offload; /* its data is `handle` */
        Backoff backoff;
        uint64_t wake_usec; /* end of the pause, or of the time to open */
        uint64_t misc_usec;
        uint64_t open_usec; /* since when it is */
        uint64_t good_usec; /* when the last message was sent that has been answered */
        bool failed;        /* the handle is to be given up */
        bool failed_long;
        bool more; /* to be read, in the buffers of TLS perhaps, where poll() does not see it */
        unsigned n_unwritten;   /* packets read since there was nothing left to be written */
        char *reason;           /* owned; why */
        Unanswered *unanswered; /* the oldest first */
        size_t unanswered_bytes;
        size_t backlog_bytes; /* handed over while the socket would not take more */
};

static void forget_unanswered(Mqtt *mqtt)
{
        Unanswered *item, *next;

        HASH_ITER (hh, mqtt->unanswered, item, next) {
                HASH_DEL(mqtt->unanswered, item);
                free(item);
        }
        mqtt->unanswered_bytes = 0;
        mqtt->backlog_bytes = 0;
}

/* ---- events of the handle ---- */

static void on_connack(void *userdata, int reason, bool session_present)
{
        Mqtt *mqtt = userdata;

        if (reason != 0) {
                mqtt_fail(mqtt, mqtt_handle_reason(mqtt->handle));
                return;
        }
        if (mqtt->state != MQTT_OPENING)
                return;
        mqtt->state = MQTT_OPEN;
        mqtt->open_usec = clock_now();
        mqtt->events->on_open(mqtt->userdata, session_present);
}

static void on_disconnect(void *userdata, int reason)
{
        Mqtt *mqtt = userdata;

        mqtt_fail(mqtt, mqtt_handle_reason(mqtt->handle));
}

static void on_suback(void *userdata, int mid, bool granted)
{
        Mqtt *mqtt = userdata;

        if (mqtt_is_open(mqtt))
                mqtt->events->on_subscribed(mqtt->userdata, mid, granted);
}

static void on_message(void *userdata, const MqttMessage *message)
{
        Mqtt *mqtt = userdata;

        if (mqtt_is_open(mqtt))
                mqtt->events->on_message(mqtt->userdata, message);
}

static void on_puback(void *userdata, int mid, int reason)
{
        Mqtt *mqtt = userdata;
        Unanswered *item;
        uint64_t cookie;

        HASH_FIND_INT(mqtt->unanswered, &mid, item);
        if (!item)
                return;
        cookie = item->cookie;
        mqtt->good_usec = MAX(mqtt->good_usec, item->sent_usec);
        mqtt->unanswered_bytes -= item->length;
        HASH_DEL(mqtt->unanswered, item);
        free(item);
        if (mqtt_is_open(mqtt))
                mqtt->events->on_published(mqtt->userdata, cookie, reason);
}

static const MqttHandleEvents handle_events = {
        .on_connack = on_connack,
        .on_disconnect = on_disconnect,
        .on_suback = on_suback,
        .on_message = on_message,
        .on_puback = on_puback,
};

/* ---- life ---- */

int mqtt_new(const MqttEvents *events, void *userdata, Mqtt **ret_mqtt)
{
        Mqtt *mqtt = calloc(1, sizeof(*mqtt));

        if (!mqtt)
                return -ENOMEM;
        *mqtt = (Mqtt){.events = events, .userdata = userdata};
        *ret_mqtt = mqtt;
        return 0;
}

static void free_settings(MqttSettings *settings)
{
        free((char *)(uintptr_t)settings->client_id);
        free((char *)(uintptr_t)settings->will_topic);
        free((char *)(uintptr_t)settings->will_payload);
        *settings = (MqttSettings){};
}

static void release_handle(void *data)
{
        mqtt_handle_free(data);
}

static void drop_handle(Mqtt *mqtt)
{
        if (mqtt->offload) {
                mqtt->offload = offload_abandon(mqtt->offload);
                mqtt->handle = NULL;
        } else {
                mqtt->handle = mqtt_handle_free(mqtt->handle);
        }
        mqtt->more = false;
        mqtt->n_unwritten = 0;
        forget_unanswered(mqtt);
}

static void say_goodbye(Mqtt *mqtt)
{
        if (mqtt->handle && mqtt->state == MQTT_OPEN && !mqtt->failed)
                mqtt_handle_disconnect(mqtt->handle);
        drop_handle(mqtt);
        mqtt->state = MQTT_CLOSED;
}

Mqtt *mqtt_free(Mqtt *mqtt)
{
        if (!mqtt)
                return NULL;
        say_goodbye(mqtt);
        free_settings(&mqtt->settings);
        free(mqtt->reason);
        free(mqtt);
        return NULL;
}

static int dup_text(const char *text, const char **ret_text)
{
        *ret_text = text ? strdup(text) : NULL;
        return !text || *ret_text ? 0 : -ENOMEM;
}

int mqtt_open(Mqtt *mqtt, const MqttSettings *settings, Error **ret_error)
{
        MqttHandle *probe = NULL;
        int r;

        say_goodbye(mqtt);
        free_settings(&mqtt->settings);
        mqtt->settings = *settings;
        r = dup_text(settings->client_id, &mqtt->settings.client_id);
        if (r >= 0)
                r = dup_text(settings->will_topic, &mqtt->settings.will_topic);
        else
                mqtt->settings.will_topic = NULL;
        if (r >= 0)
                r = dup_text(settings->will_payload, &mqtt->settings.will_payload);
        else
                mqtt->settings.will_payload = NULL;
        if (r < 0)
                return error_set(ret_error, r, "out of memory");
        /* What no retry can cure shows here. */
        r = mqtt_handle_new(&mqtt->settings, &handle_events, mqtt, &probe, ret_error);
        if (r < 0)
                return r;
        mqtt_handle_free(probe);
        backoff_reset(&mqtt->backoff);
        mqtt->failed = mqtt->failed_long = false;
        mqtt->state = MQTT_PAUSED;
        mqtt->wake_usec = 0;
        return 0;
}

void mqtt_adopt(Mqtt *mqtt, const Endpoint *endpoint)
{
        mqtt->settings.endpoint = endpoint;
}

bool mqtt_is_open(const Mqtt *mqtt)
{
        return mqtt->state == MQTT_OPEN && !mqtt->failed;
}

void mqtt_fail(Mqtt *mqtt, const char *reason)
{
        if (mqtt->failed)
                return;
        mqtt->failed = true;
        free(mqtt->reason);
        mqtt->reason = strdup(reason);
}

void mqtt_fail_long(Mqtt *mqtt, const char *reason)
{
        mqtt_fail(mqtt, reason);
        mqtt->failed_long = true;
}

static uint32_t random_number(void)
{
        uint32_t number = 0;

        (void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
        return number;
}

/* Gives a failed handle up. */
static void give_up(Mqtt *mqtt, uint64_t now)
{
        CLEANUP_FREE char *reason = STEAL(mqtt->reason);
        uint64_t maximum = mqtt->settings.reconnect_usec;

        drop_handle(mqtt);
        mqtt->wake_usec =
                now + (mqtt->failed_long ? backoff_long(random_number(), maximum)
                                         : backoff_next(&mqtt->backoff, random_number(), maximum));
        mqtt->state = MQTT_PAUSED;
        mqtt->failed = false;
        mqtt->failed_long = false;
        mqtt->events->on_down(mqtt->userdata, reason ? reason : "out of memory");
}

static int run_connect(void *data)
{
        return mqtt_handle_connect(data);
}

static void start_connecting(Mqtt *mqtt, uint64_t now)
{
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = mqtt_handle_new(&mqtt->settings, &handle_events, mqtt, &mqtt->handle, &error);
        if (r >= 0) {
                r = offload_start(run_connect, release_handle, mqtt->handle, &mqtt->offload);
                mqtt->state = MQTT_STARTING;
                mqtt->wake_usec = now + OPEN_TIMEOUT_USEC;
        }
        if (r < 0)
                mqtt_fail(mqtt, error ? error_text(error) : strerrordesc_np(-r));
}

static void collect(Mqtt *mqtt, uint64_t now)
{
        int result = 0;

        if (offload_collect(mqtt->offload, &result) == 0)
                return;
        mqtt->offload = offload_free(mqtt->offload);
        if (result < 0) {
                mqtt_fail(mqtt, mqtt_handle_reason(mqtt->handle));
                return;
        }
        mqtt->state = MQTT_OPENING;
        mqtt->good_usec = now;
        mqtt->misc_usec = now + MISC_USEC;
}

/* ---- sending ---- */

int mqtt_subscribe(Mqtt *mqtt, const char *const *filters, size_t n_filters, bool fresh,
                   int *ret_mid)
{
        if (!mqtt_is_open(mqtt))
                return -ENOTCONN;
        return mqtt_handle_subscribe(mqtt->handle, filters, n_filters, fresh, ret_mid);
}

int mqtt_unsubscribe(Mqtt *mqtt, const char *const *filters, size_t n_filters)
{
        if (!mqtt_is_open(mqtt))
                return -ENOTCONN;
        return mqtt_handle_unsubscribe(mqtt->handle, filters, n_filters);
}

static int send_counted(Mqtt *mqtt, const MqttPublish *publish, uint64_t cookie, size_t length)
{
        Unanswered *item = NULL;
        int r, mid = 0;

        if (publish->qos > 0) {
                item = calloc(1, sizeof(*item));
                if (!item)
                        return -ENOMEM;
        }
        r = mqtt_handle_publish(mqtt->handle, publish, &mid);
        if (r < 0 || !item) {
                free(item);
                return r;
        }
        *item = (Unanswered){
                .mid = mid, .cookie = cookie, .sent_usec = clock_now(), .length = length};
        HASH_ADD_INT(mqtt->unanswered, mid, item);
        if (!hash_added(item->hh)) {
                free(item);
                mqtt_fail(mqtt, "out of memory");
                return -ENOMEM;
        }
        mqtt->unanswered_bytes += length;
        return 0;
}

int mqtt_publish(Mqtt *mqtt, const MqttPublish *publish, uint64_t cookie)
{
        size_t length = strlen(publish->topic) + publish->length;
        int r;

        if (!mqtt_is_open(mqtt))
                return -ENOTCONN;
        if (!mqtt_handle_wants_write(mqtt->handle))
                mqtt->backlog_bytes = 0;
        if (MAX(mqtt->unanswered_bytes, mqtt->backlog_bytes) + length > LIMIT_OUTBOUND_BYTES ||
            HASH_COUNT(mqtt->unanswered) >= LIMIT_OUTBOUND_MESSAGES)
                return -ENOBUFS;
        r = send_counted(mqtt, publish, cookie, length);
        if (r >= 0)
                mqtt->backlog_bytes += length;
        return r;
}

size_t mqtt_count_unanswered(const Mqtt *mqtt)
{
        return HASH_COUNT(mqtt->unanswered);
}

uint64_t mqtt_get_lag(const Mqtt *mqtt, uint64_t now)
{
        if (!mqtt->unanswered || now < mqtt->unanswered->sent_usec + STALL_USEC)
                return 0;
        return now - mqtt->good_usec;
}

/* ---- loop ---- */

int mqtt_fd(const Mqtt *mqtt)
{
        if (mqtt->state == MQTT_STARTING && mqtt->offload)
                return offload_fd(mqtt->offload);
        return mqtt->handle ? mqtt_handle_fd(mqtt->handle) : -1;
}

/* A broker that sends and does not take our acknowledgements is not listened to until it does. */
static bool is_choked(const Mqtt *mqtt)
{
        return mqtt->n_unwritten >= LIMIT_BRIDGE_UNWRITTEN;
}

short mqtt_poll_events(Mqtt *mqtt)
{
        if (mqtt->state == MQTT_STARTING || !mqtt->handle)
                return POLLIN;
        return (short)((is_choked(mqtt) ? 0 : POLLIN) |
                       (mqtt_handle_wants_write(mqtt->handle) ? POLLOUT : 0));
}

uint64_t mqtt_timeout(const Mqtt *mqtt)
{
        if (mqtt->failed || (mqtt->more && !is_choked(mqtt)))
                return 0;
        switch (mqtt->state) {
        case MQTT_CLOSED: return USEC_INFINITY;
        case MQTT_OPENING: return MIN(mqtt->wake_usec, mqtt->misc_usec);
        case MQTT_OPEN: return mqtt->misc_usec;
        default: return mqtt->wake_usec;
        }
}

static void read_all(Mqtt *mqtt)
{
        int r = 1;

        for (unsigned i = 0; r > 0 && i < LIMIT_BRIDGE_BATCH && !mqtt->failed; i++) {
                r = mqtt_handle_read(mqtt->handle);
                mqtt->n_unwritten++;
        }
        mqtt->more = r > 0;
        if (r < 0)
                mqtt_fail(mqtt, mqtt_handle_reason(mqtt->handle));
}

static void write_all(Mqtt *mqtt)
{
        if (mqtt->failed)
                return;
        if (mqtt->events->before_write && mqtt->events->before_write(mqtt->userdata) < 0) {
                mqtt_fail_long(mqtt, "what has come cannot be stored");
                return;
        }
        if (mqtt_handle_wants_write(mqtt->handle) && mqtt_handle_write(mqtt->handle) < 0)
                mqtt_fail(mqtt, mqtt_handle_reason(mqtt->handle));
        else if (!mqtt_handle_wants_write(mqtt->handle))
                mqtt->n_unwritten = 0;
}

static void process_handle(Mqtt *mqtt, int revents, uint64_t now)
{
        if (!is_choked(mqtt) && (mqtt->more || (revents & (POLLIN | POLLHUP | POLLERR))))
                read_all(mqtt);
        if (now >= mqtt->misc_usec && !mqtt->failed) {
                mqtt->misc_usec = now + MISC_USEC;
                if (mqtt_handle_misc(mqtt->handle) < 0)
                        mqtt_fail(mqtt, mqtt_handle_reason(mqtt->handle));
        }
        write_all(mqtt);
        if (mqtt->state == MQTT_OPEN && now > mqtt->open_usec + STABLE_USEC)
                backoff_reset(&mqtt->backoff);
}

void mqtt_process(Mqtt *mqtt, int revents, uint64_t now)
{
        if (mqtt->state == MQTT_PAUSED && now >= mqtt->wake_usec)
                start_connecting(mqtt, now);
        if (mqtt->state == MQTT_STARTING && mqtt->offload)
                collect(mqtt, now);
        if (mqtt->state == MQTT_OPENING || mqtt->state == MQTT_OPEN)
                process_handle(mqtt, revents, now);
        if ((mqtt->state == MQTT_STARTING || mqtt->state == MQTT_OPENING) && !mqtt->failed &&
            now >= mqtt->wake_usec)
                mqtt_fail(mqtt, "no answer in time");
        if (mqtt->failed)
                give_up(mqtt, now);
}

void mqtt_flush(Mqtt *mqtt)
{
        if (mqtt->state == MQTT_OPEN && !mqtt->failed && mqtt_handle_wants_write(mqtt->handle))
                write_all(mqtt);
}
