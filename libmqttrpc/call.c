/* SPDX-License-Identifier: MIT */

/* Own calls: sending them, and the table of those that wait for a reply. A call is in the table
 * from the moment its request was handed to the connection until exactly one of these: its reply, a
 * refusal by the broker, its deadline, the loss of the connection, its slot's end. A notification
 * that shall be acknowledged is a call that ends when the broker has taken it. */

#include "libmqttrpc/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/util.h"
#include "libmqttrpc/envelope.h"
#include "libmqttrpc/presence.h"
#include "libmqttrpc/progress.h"
#include "libmqttrpc/reply.h"

enum { ID_LENGTH = BUS_PREFIX_LENGTH + 1 + 20 }; /* prefix, '-', a 64-bit number */

static PendingCall *call_of_slot(MqttRpcSlot *slot)
{
        return (PendingCall *)slot;
}

static PendingCall *call_of_deadline(Deadline *deadline)
{
        return (PendingCall *)((char *)deadline - offsetof(PendingCall, deadline));
}

static void cancel_call(MqttRpcSlot *slot)
{
        PendingCall *call = call_of_slot(slot);

        HASH_DEL(slot->bus->calls, call);
        deadline_remove(&slot->bus->deadlines, &call->deadline);
}

static void release_call(MqttRpcSlot *slot)
{
        free(call_of_slot(slot));
}

/* ---- ends of a call ---- */

/* Takes the call out of the table and tells its owner. Consumes `reply`. */
static void finish(PendingCall *call, MqttRpcReply *reply)
{
        MqttRpcReplyHandler handler = call->handler;
        void *userdata = call->userdata;
        MqttRpcBus *bus = call->slot.bus;

        slot_end(&call->slot);
        bus->refs++;
        bus->dispatching++;
        handler(reply, userdata);
        bus->dispatching--;
        mqttrpc_bus_unref(bus);
        mqttrpc_reply_unref(reply);
}

static void finish_with_error(PendingCall *call, MqttRpcError *error)
{
        finish(call, reply_new_error(error));
}

static void on_deadline(Deadline *deadline)
{
        PendingCall *call = call_of_deadline(deadline);
        const char *what = "reply in time from";

        if (call->notification)
                what = "acknowledgement by the broker in time for";
        else if (deadline->usec < call->end_usec)
                what = "progress in time from";
        finish_with_error(call,
                          mqttrpc_error_new(MQTTRPC_ERROR_TIMEOUT, "no %s %s", what, call->topic));
}

void calls_fail_all(MqttRpcBus *bus, const char *text)
{
        /* A callback may start or cancel others: always take the first. New ones cannot come in,
         * since the link is down. */
        while (bus->calls) {
                MqttRpcError *error = mqttrpc_error_new(MQTTRPC_ERROR_DISCONNECTED, "%s", text);

                (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_MAYBE);
                finish_with_error(bus->calls, error);
        }
}

/* ---- presence ---- */

static MqttRpcError *not_there(TextSpan service)
{
        MqttRpcError *error;

        error = mqttrpc_error_new(MQTTRPC_ERROR_NO_SERVICE, "there is no service '%.*s'",
                                  (int)service.length, service.at);
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_NO);
        return error;
}

static MqttRpcError *lost(TextSpan service)
{
        MqttRpcError *error;

        error = mqttrpc_error_new(MQTTRPC_ERROR_PEER_LOST, "service '%.*s' went before it answered",
                                  (int)service.length, service.at);
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_MAYBE);
        return error;
}

/* A call whose service has gone, or is another incarnation now, will not be answered. What was sent
 * to a predecessor that hands over still is. */
static bool is_lost(const PendingCall *call, const Presence *presence)
{
        if (!text_span_is(call->service, presence->name))
                return false;
        if (!presence_is_up(presence))
                return true;
        return call->epoch[0] && presence->epoch[0] && strcmp(call->epoch, presence->epoch) != 0 &&
               strcmp(call->epoch, presence->predecessor) != 0;
}

/* Known not to be there. Own services are, also before they have been announced. */
static bool is_absent(MqttRpcBus *bus, TextSpan service)
{
        const Presence *presence = presence_find(bus, service.at, service.length);

        if (service_find(bus, service))
                return false;
        if (!presence || !presence->details)
                return presence_is_complete(bus);
        return !presence_is_up(presence) && presence->effective != MQTTRPC_SERVICE_UNKNOWN;
}

/* The first that is to be ended; handlers may change the table, so it is looked for anew. */
static PendingCall *find_lost(MqttRpcBus *bus, const Presence *presence)
{
        for (PendingCall *call = bus->calls; call; call = call->hh.next)
                if (!call->notification &&
                    (presence ? is_lost(call, presence) : is_absent(bus, call->service)))
                        return call;
        return NULL;
}

void calls_on_presence(MqttRpcBus *bus, const Presence *presence)
{
        PendingCall *call;

        /* States come one by one; before the last of them a host may just not be known yet. Of own
         * services we know more than the broker. */
        if ((!presence_is_complete(bus) && !presence_is_up(presence)) ||
            service_find(bus, (TextSpan){presence->name, strlen(presence->name)}))
                return;
        while ((call = find_lost(bus, presence)))
                finish_with_error(call, call->epoch[0] || presence_is_up(presence)
                                                ? lost(call->service)
                                                : not_there(call->service));
}

void calls_on_presence_known(MqttRpcBus *bus)
{
        PendingCall *call;

        while ((call = find_lost(bus, NULL)))
                finish_with_error(call, not_there(call->service));
}

void calls_on_published(MqttRpcBus *bus, uint64_t cookie, int reason)
{
        PendingCall *call;

        if (cookie == 0)
                return; /* nobody waits for it */
        HASH_FIND(hh, bus->calls, &cookie, sizeof(cookie), call);
        if (!call)
                return;
        if (reason == LINK_REASON_NO_SUBSCRIBERS)
                finish_with_error(call, not_there(call->service));
        else if (reason == LINK_REASON_NOT_AUTHORIZED) {
                MqttRpcError *error = mqttrpc_error_new(
                        MQTTRPC_ERROR_ACCESS_DENIED, "the broker does not let '%s' publish to %s",
                        bus->caller, call->topic);

                (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_NO);
                finish_with_error(call, error);
        } else if (reason >= 0x80) {
                finish_with_error(call, mqttrpc_error_new(MQTTRPC_ERROR_FAILED,
                                                          "the broker refuses the request (0x%02x)",
                                                          (unsigned)reason));
        } else if (call->notification) {
                finish(call, reply_new_result("null", strlen("null")));
        }
}

/* ---- replies ---- */

static void write_id(const MqttRpcBus *bus, uint64_t counter, char id[static ID_LENGTH + 1])
{
        snprintf(id, ID_LENGTH + 1, "%s-%" PRIu64, bus->id_prefix, counter);
}

/* The counter in "prefix-counter", if the prefix is ours. */
static bool parse_own_id(const MqttRpcBus *bus, const char *id, size_t length,
                         uint64_t *ret_counter)
{
        return length > BUS_PREFIX_LENGTH + 1 && !memcmp(id, bus->id_prefix, BUS_PREFIX_LENGTH) &&
               id[BUS_PREFIX_LENGTH] == '-' &&
               json_parse_uint64(id + BUS_PREFIX_LENGTH + 1, length - BUS_PREFIX_LENGTH - 1,
                                 ret_counter) >= 0;
}

static PendingCall *find_by_id(MqttRpcBus *bus, const char *id, size_t length)
{
        PendingCall *call;
        uint64_t counter;

        if (!id || !parse_own_id(bus, id, length, &counter))
                return NULL;
        HASH_FIND(hh, bus->calls, &counter, sizeof(counter), call);
        return call && !call->notification ? call : NULL;
}

/* The call that a response belongs to: by its id, or, when the server could not read the id, by the
 * Correlation Data, which carries the same text. */
static PendingCall *find_call(MqttRpcBus *bus, const EnvelopeResponse *response,
                              const LinkMessage *message)
{
        const char *id = message->correlation;
        size_t length = message->correlation_length;

        if (json_type(&bus->doc, response->id) == JSON_STRING) {
                id = json_raw(&bus->doc, response->id, &length);
                id++;
                length -= 2;
                if (message->correlation_length > 0 &&
                    (message->correlation_length != length ||
                     memcmp(message->correlation, id, length) != 0))
                        return NULL;
        } else if (json_type(&bus->doc, response->id) != JSON_NULL || response->error == 0) {
                return NULL;
        }
        return find_by_id(bus, id, length);
}

static void accept_reply(MqttRpcBus *bus, PendingCall *call, const EnvelopeResponse *response)
{
        const char *result;
        size_t length;

        if (response->error > 0) {
                finish_with_error(call, mqttrpc_error_read(&bus->doc, response->error));
                return;
        }
        result = json_raw(&bus->doc, response->result, &length);
        finish(call, reply_new_result(result, length));
}

static bool is_own_token(const MqttRpcBus *bus, const Topic *topic)
{
        return topic->token.length == strlen(bus->token) &&
               !memcmp(topic->token.at, bus->token, topic->token.length) &&
               topic->caller.length == strlen(bus->caller) &&
               !memcmp(topic->caller.at, bus->caller, topic->caller.length);
}

/* A reply that cannot be read still ends the call that its Correlation Data names: waiting on would
 * bring nothing. */
static void refuse_reply(MqttRpcBus *bus, PendingCall *call)
{
        const char *reason = bus->doc.error_reason;
        MqttRpcError *error;

        error = mqttrpc_error_new(MQTTRPC_ERROR_PROTOCOL, "the reply from %s cannot be read: %s",
                                  call->topic, reason ? reason : "not a JSON-RPC response");
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_YES);
        finish_with_error(call, error);
}

/* The call, if it is at that topic that its reply may come. */
static PendingCall *check_topic(PendingCall *call, const Topic *topic, const LinkMessage *message)
{
        size_t length = (size_t)(topic->token.at - message->topic) - 1;

        return call && call->topic_length == length && !memcmp(call->topic, message->topic, length)
                       ? call
                       : NULL;
}

static void on_progress(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        EnvelopeProgress progress;
        PendingCall *call = NULL;

        if (envelope_read_progress(&bus->doc, &progress) >= 0)
                call = find_call(bus, &(EnvelopeResponse){.id = progress.id}, message);
        call = check_topic(call, topic, message);
        if (!call || !progress_take(call, &progress))
                bus_count(bus, MQTTRPC_COUNT_UNMATCHED_REPLIES);
}

void calls_on_reply(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        EnvelopeResponse response;
        PendingCall *call = NULL;
        bool readable = false;

        if (!message->retain && is_own_token(bus, topic)) {
                readable = json_scan(&bus->doc, message->payload, message->length,
                                     JSON_SCAN_STRICT) >= 0;
                if (readable && envelope_is_progress(&bus->doc)) {
                        on_progress(bus, topic, message);
                        return;
                }
                readable = readable && envelope_read_response(&bus->doc, &response) >= 0;
                call = readable
                               ? find_call(bus, &response, message)
                               : find_by_id(bus, message->correlation, message->correlation_length);
        }
        call = check_topic(call, topic, message);
        if (!call)
                bus_count(bus, MQTTRPC_COUNT_UNMATCHED_REPLIES);
        else if (readable)
                accept_reply(bus, call, &response);
        else
                refuse_reply(bus, call);
}

/* ---- sending ---- */

static int check_params(MqttRpcBus *bus, const char *params, MqttRpcError **ret_error)
{
        JsonDoc *doc = &bus->params_doc;

        if (!params)
                return 0;
        if (json_scan(doc, params, strlen(params), JSON_SCAN_STRICT) < 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "params are not JSON: %s at byte %zu", doc->error_reason,
                                         doc->error_offset);
        if (json_type(doc, 0) != JSON_ARRAY && json_type(doc, 0) != JSON_OBJECT)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "params must be a JSON array or object");
        return 0;
}

static int check_name(const char *what, const char *name, bool valid, MqttRpcError **ret_error)
{
        if (valid)
                return 0;
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "'%.64s' is no valid %s: use letters, digits, '_', '.' and '-'",
                                 name, what);
}

static int check_names(const char *service, const char *object, const char *method,
                       MqttRpcError **ret_error)
{
        int r;

        r = check_name("service", service, topic_name_is_valid(service, strlen(service)),
                       ret_error);
        if (r >= 0)
                r = check_name("object", object, topic_object_is_valid(object, strlen(object)),
                               ret_error);
        if (r >= 0)
                r = check_name("method", method, topic_name_is_valid(method, strlen(method)),
                               ret_error);
        return r;
}

/* One request to be sent, and what its MQTT 5 properties say. */
typedef struct Outgoing {
        const char *id; /* NULL: a notification */
        uint64_t timeout_usec;
        int qos;
        bool progress; /* is wanted */
        uint64_t counter;
        const char *epoch; /* of the service, "": not known */
        const MqttRpcOrigin *origin;
} Outgoing;

enum { USER_PROPERTIES = 6 };

static void add_user(LinkPublish *message, LinkUserProperty user[static USER_PROPERTIES],
                     const char *name, const char *value)
{
        if (value && *value)
                user[message->n_user++] = (LinkUserProperty){name, value};
}

static int explain_publish(int r, MqttRpcBus *bus, MqttRpcError **ret_error)
{
        MqttRpcError *error = NULL;

        switch (r) {
        case -ENOTCONN:
                r = mqttrpc_error_set(&error, MQTTRPC_ERROR_DISCONNECTED,
                                      "not connected to the broker; nothing was sent");
                break;
        case -ENOBUFS:
                r = mqttrpc_error_set(&error, MQTTRPC_ERROR_BUSY,
                                      "the broker does not take messages fast enough");
                break;
        case -EMSGSIZE:
                r = mqttrpc_error_set(&error, MQTTRPC_ERROR_TOO_LARGE,
                                      "the request is larger than allowed");
                break;
        default: return r;
        }
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_NO);
        if (ret_error && !*ret_error)
                *ret_error = error;
        else
                mqttrpc_error_free(error);
        return r;
}

/* The request's topic is in bus->topic. */
static int publish(MqttRpcBus *bus, const char *method, const char *params,
                   const Outgoing *outgoing, MqttRpcError **ret_error)
{
        bool v5 = link_settings(bus->link)->protocol == 5;
        uint64_t ttl_msec = (outgoing->timeout_usec + 999) / USEC_PER_MSEC;
        CLEANUP_BUFFER Buffer response_topic = BUFFER_INIT(0);
        const MqttRpcOrigin *origin = outgoing->origin;
        char ttl[24], hops[12];
        LinkUserProperty user[USER_PROPERTIES] = {{"ttl", ttl}};
        LinkPublish message = {.qos = outgoing->qos, .user = user, .n_user = 1};
        EnvelopeExtension extension = {
                .ttl_msec = ttl_msec,
                .epoch = outgoing->epoch,
                .progress = outgoing->progress,
        };
        int r;

        add_user(&message, user, "epoch", outgoing->epoch);
        add_user(&message, user, "pg", outgoing->progress ? "1" : NULL);
        if (origin) {
                snprintf(hops, sizeof(hops), "%u", origin->hops);
                add_user(&message, user, "hops", hops);
                add_user(&message, user, "dbus-sender", origin->dbus_sender);
                add_user(&message, user, "dbus-uid", origin->dbus_uid);
        }
        buffer_clear(&bus->payload);
        r = envelope_write_request(&bus->payload, outgoing->id, method, params,
                                   v5 ? NULL : &extension);
        if (r >= 0 && bus->payload.length > bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES])
                r = -EMSGSIZE;
        if (r >= 0 && outgoing->id) {
                buffer_append(&response_topic, bus->topic.data, bus->topic.length);
                buffer_append_char(&response_topic, '/');
                r = buffer_append_text(&response_topic, bus->token);
        }
        if (r < 0)
                return explain_publish(r, bus, ret_error);
        snprintf(ttl, sizeof(ttl), "%" PRIu64, ttl_msec);
        message.topic = bus->topic.data;
        message.payload = bus->payload.data;
        message.length = bus->payload.length;
        message.response_topic = outgoing->id ? response_topic.data : NULL;
        message.correlation = outgoing->id;
        message.correlation_length = outgoing->id ? strlen(outgoing->id) : 0;
        message.expiry_sec = (uint32_t)((ttl_msec + 999) / 1000);
        return explain_publish(link_publish(bus->link, &message, outgoing->counter), bus,
                               ret_error);
}

/* Nothing is sent to who is not there. */
static int check_presence(MqttRpcBus *bus, const char *name, MqttRpcError **ret_error)
{
        TextSpan service = {name, strlen(name)};
        MqttRpcError *error;

        if (!is_absent(bus, service))
                return 0;
        error = not_there(service);
        if (ret_error && !*ret_error)
                *ret_error = STEAL(error);
        mqttrpc_error_free(error);
        return -ENOENT;
}

/* Of an own service that serves, the broker may still say what a predecessor was. */
static const char *epoch_of(MqttRpcBus *bus, const char *service)
{
        const Presence *presence = presence_find(bus, service, strlen(service));
        const Service *own = service_find(bus, (TextSpan){service, strlen(service)});

        if (own && (own->phase == ANNOUNCE_BIRTH || own->phase == ANNOUNCE_UP))
                return own->epoch;
        return presence ? presence->epoch : "";
}

static int prepare(MqttRpcBus *bus, const char *service, const char *object, const char *method,
                   const char *params, MqttRpcError **ret_error)
{
        int r;

        r = check_names(service, object, method, ret_error);
        if (r >= 0)
                r = check_params(bus, params, ret_error);
        if (r < 0)
                return r;
        if (!link_is_up(bus->link))
                return explain_publish(-ENOTCONN, bus, ret_error);
        buffer_clear(&bus->topic);
        return topic_write_call(&bus->topic, bus->root, service, object, method, bus->caller);
}

static int qos_of(const MqttRpcBus *bus, MqttRpcCallFlags flags)
{
        if (flags & MQTTRPC_CALL_QOS0)
                return 0;
        return flags & MQTTRPC_CALL_QOS1 ? 1 : bus->qos;
}

static uint64_t deadline_of(const PendingCall *call, uint64_t now)
{
        return call->idle_usec > 0 ? MIN(call->end_usec, now + call->idle_usec) : call->end_usec;
}

void call_restart_idle(PendingCall *call)
{
        DeadlineQueue *queue = &call->slot.bus->deadlines;

        if (call->idle_usec == 0)
                return;
        deadline_remove(queue, &call->deadline);
        (void)deadline_add(queue, &call->deadline, deadline_of(call, clock_now())); /* has room */
}

/* The request's topic is in bus->topic. */
static int add_call(MqttRpcBus *bus, const CallRequest *request, uint64_t timeout_usec,
                    PendingCall **ret_call)
{
        uint64_t now = clock_now();
        PendingCall *call;
        int r;

        call = malloc(sizeof(*call) + bus->topic.length + 1);
        if (!call)
                return -ENOMEM;
        *call = (PendingCall){.end_usec = now + timeout_usec,
                              .idle_usec = MIN(request->idle_usec, timeout_usec),
                              .counter = ++bus->id_counter,
                              .progress_handler = request->progress_handler,
                              .handler = request->handler,
                              .userdata = request->userdata,
                              .qos = qos_of(bus, request->flags),
                              .notification = request->notification,
                              .topic_length = bus->topic.length};
        memcpy(call->topic, bus->topic.data, bus->topic.length + 1);
        call->service = (TextSpan){call->topic + strlen(bus->root) + 1, strlen(request->service)};
        strcpy(call->epoch, epoch_of(bus, request->service));
        call->deadline.on_expired = on_deadline;
        r = deadline_add(&bus->deadlines, &call->deadline, deadline_of(call, now));
        if (r < 0) {
                free(call);
                return r;
        }
        HASH_ADD(hh, bus->calls, counter, sizeof(call->counter), call);
        if (!call->hh.tbl) {
                deadline_remove(&bus->deadlines, &call->deadline);
                free(call);
                return -ENOMEM;
        }
        *ret_call = call;
        return 0;
}

int call_start(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const CallRequest *request,
               MqttRpcError **ret_error)
{
        Outgoing outgoing = {.qos = qos_of(bus, request->flags),
                             .progress = request->progress_handler != NULL,
                             .origin = request->origin};
        char id[ID_LENGTH + 1];
        PendingCall *call;
        int r;

        outgoing.timeout_usec = request->timeout_usec > 0
                                        ? MIN(request->timeout_usec, LIMIT_TIMEOUT_USEC)
                                        : DEFAULT_TIMEOUT_USEC;
        r = prepare(bus, request->service, request->object, request->method, request->params,
                    ret_error);
        if (r >= 0 && !request->notification)
                r = check_presence(bus, request->service, ret_error);
        if (r < 0)
                return r;
        if (HASH_COUNT(bus->calls) >= bus->limits[MQTTRPC_LIMIT_PENDING_CALLS])
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY,
                                         "%u calls are waiting for replies already",
                                         HASH_COUNT(bus->calls));
        r = add_call(bus, request, outgoing.timeout_usec, &call);
        if (r < 0)
                return r;
        write_id(bus, call->counter, id);
        outgoing.id = request->notification ? NULL : id;
        outgoing.counter = call->counter;
        outgoing.epoch = call->epoch;
        slot_init(&call->slot, bus, NULL, cancel_call, release_call);
        r = publish(bus, request->method, request->params, &outgoing, ret_error);
        if (r < 0) {
                slot_end(&call->slot);
                return r;
        }
        if (ret_slot) {
                call->slot.floating = false;
                call->slot.refs = 1;
                *ret_slot = &call->slot;
        }
        return 0;
}

int call_start_notification(MqttRpcBus *bus, const CallRequest *request, MqttRpcError **ret_error)
{
        Outgoing outgoing = {
                .qos = qos_of(bus, request->flags),
                .timeout_usec = DEFAULT_TIMEOUT_USEC,
                .epoch = epoch_of(bus, request->service),
                .origin = request->origin,
        };
        int r;

        r = prepare(bus, request->service, request->object, request->method, request->params,
                    ret_error);
        return r < 0 ? r : publish(bus, request->method, request->params, &outgoing, ret_error);
}

/* ---- what belongs to a call ---- */

PendingCall *call_find_by_slot(MqttRpcSlot *slot)
{
        PendingCall *call = slot->bus && slot->cancel == cancel_call ? call_of_slot(slot) : NULL;

        return call && !call->notification ? call : NULL;
}

int call_write_id(const PendingCall *call, Buffer *buffer)
{
        char id[ID_LENGTH + 1];

        write_id(call->slot.bus, call->counter, id);
        return buffer_append_text(buffer, id);
}

int call_notify(const PendingCall *call, const char *method, const char *params)
{
        MqttRpcBus *bus = call->slot.bus;
        uint64_t now = clock_now();
        Outgoing outgoing = {.qos = call->qos, .timeout_usec = 1, .epoch = call->epoch};
        Topic topic;
        int r;

        r = topic_parse(bus->root, call->topic, &topic);
        if (r < 0)
                return r;
        if (call->end_usec > now)
                outgoing.timeout_usec = call->end_usec - now; /* later it is of no use */
        buffer_clear(&bus->topic);
        buffer_append(&bus->topic, call->topic, (size_t)(topic.method.at - call->topic));
        buffer_append_text(&bus->topic, method);
        buffer_append_char(&bus->topic, '/');
        r = buffer_append(&bus->topic, topic.caller.at, topic.caller.length);
        return r < 0 ? r : publish(bus, method, params, &outgoing, NULL);
}
