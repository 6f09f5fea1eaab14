/* SPDX-License-Identifier: MIT */

/* The way of a request from its topic to a service: is it fresh, where may the reply go, is it
 * JSON, is it JSON-RPC, is there time left, was it seen before, is there room. Each step either
 * passes it on, answers it with an error, or drops it, counted (protocol sections 3 to 5). */

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "libmqttrpc/batch.h"
#include "libmqttrpc/cancel.h"
#include "libmqttrpc/envelope.h"
#include "libmqttrpc/leaving.h"
#include "libmqttrpc/request.h"

#define BUSY_RETRY_MSEC 100

/* Correlation Data that is long enough to be taken for unique. */
#define UNIQUE_CORRELATION_BYTES 8

/* One message, and what the steps have found out about it. */
typedef struct Incoming {
        MqttRpcBus *bus;
        Service *service;
        const Topic *topic;
        const LinkMessage *message;
        ReplyAddress address;
        uint64_t now;
        uint64_t patience; /* how long the caller waits, as far as properties say */
        uint64_t deadline_usec;
        bool own_deadline;
        uint64_t key_hash; /* of bus->request_key, the key of the item being looked at */
        Batch *batch;      /* NULL: a single request */
        unsigned index;    /* of the item in the batch */
} Incoming;

/* ---- answers without a request object ---- */

static void answer(Incoming *in, const char *response, size_t length, int code)
{
        if (in->batch)
                batch_put(in->batch, in->bus, in->index, response, length);
        else
                (void)reply_send(in->bus, &in->address, response, length, code);
}

static void drop(Incoming *in)
{
        batch_skip(in->batch, in->bus);
}

static void reject(Incoming *in, TextSpan id, const MqttRpcError *error)
{
        Buffer *buffer = &in->bus->payload;

        buffer_clear(buffer);
        if (id.length == 0)
                drop(in); /* a notification: not even an error */
        else if (envelope_write_error(buffer, id, error) >= 0)
                answer(in, buffer->data, buffer->length, mqttrpc_error_get_code(error));
        else
                drop(in);
}

static void reject_with(Incoming *in, TextSpan id, int code, const char *text)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = mqttrpc_error_new(code, "%s", text);

        reject(in, id, error);
}

/* ---- reply address and time ---- */

static int find_reply_address(Incoming *in)
{
        static const TextSpan plain = {"reply", 5};
        const LinkMessage *message = in->message;
        Buffer *reply_topic = &in->bus->reply_topic;
        TextSpan token = plain;

        if (message->response_topic &&
            topic_reply_token(in->topic, message->topic, message->response_topic,
                              message->response_topic_length, &token) < 0) {
                bus_count(in->bus, MQTTRPC_COUNT_BAD_RESPONSE_TOPIC);
                bus_log_peer(in->bus,
                             "request at %s dropped: its Response Topic is not that topic plus one "
                             "level",
                             message->topic);
                return -EPERM;
        }
        buffer_clear(reply_topic);
        buffer_append_text(reply_topic, message->topic);
        buffer_append_char(reply_topic, '/');
        if (buffer_append(reply_topic, token.at, token.length) < 0)
                return -ENOMEM;
        in->address = (ReplyAddress){
                .topic = reply_topic->data,
                .correlation = message->correlation,
                .correlation_length = message->correlation_length,
                .qos = message->qos,
                .generation = link_generation(in->bus->link),
        };
        return message->correlation_length > LIMIT_CORRELATION_BYTES ? -EMSGSIZE : 0;
}

static uint64_t msec_to_usec(uint64_t msec)
{
        return MIN(msec, LIMIT_TIMEOUT_USEC / USEC_PER_MSEC) * USEC_PER_MSEC;
}

/* What the message's properties say of the time its caller waits; infinite if they say nothing. */
static uint64_t read_patience(const LinkMessage *message)
{
        uint64_t usec = USEC_INFINITY, ttl;

        if (message->expiry_sec >= 0)
                usec = ((uint64_t)message->expiry_sec + 1) * USEC_PER_SEC;
        if (message->ttl && json_parse_uint64(message->ttl, strlen(message->ttl), &ttl) >= 0)
                usec = MIN(usec, msec_to_usec(ttl));
        return usec;
}

/* The deadline is the least of what the caller says and our own limit; it is "own" when the caller
 * may still be waiting then. */
static void find_deadline(Incoming *in, uint64_t patience)
{
        uint64_t own = in->bus->limits[MQTTRPC_LIMIT_TIMEOUT_USEC];

        if (patience == USEC_INFINITY)
                own = MIN(own, DEFAULT_TIMEOUT_USEC);
        own = MIN(own, LIMIT_TIMEOUT_USEC);
        in->own_deadline = own < patience;
        in->deadline_usec = in->now + MIN(own, patience);
}

static bool is_expired(Incoming *in)
{
        if (in->deadline_usec > in->now)
                return false;
        bus_count(in->bus, MQTTRPC_COUNT_EXPIRED);
        return true;
}

/* ---- duplicates ---- */

static bool is_unique(const Incoming *in)
{
        return in->message->correlation_length >= UNIQUE_CORRELATION_BYTES;
}

/* What makes two requests the same: caller and id, and for ids that are not unique by themselves
 * also the topics, the Correlation Data and the payload. */
static int write_key(Incoming *in, TextSpan id, bool own_id)
{
        Buffer *key = &in->bus->request_key;
        uint64_t payload_hash;

        buffer_clear(key);
        buffer_append(key, in->topic->caller.at, in->topic->caller.length);
        buffer_append_char(key, '\0');
        buffer_append(key, id.at, id.length);
        if (!own_id) {
                payload_hash = hash_bytes(in->message->payload, in->message->length);
                buffer_append_char(key, '\0');
                buffer_append_text(key, in->address.topic);
                buffer_append_char(key, '\0');
                buffer_append(key, in->address.correlation, in->address.correlation_length);
                buffer_append(key, &in->index, sizeof(in->index));
                buffer_append(key, &payload_hash, sizeof(payload_hash));
        }
        in->key_hash = hash_bytes(buffer_text(key), key->length);
        return buffer_status(key);
}

static TextSpan get_key(const Incoming *in)
{
        return (TextSpan){in->bus->request_key.data, in->bus->request_key.length};
}

static void answer_again(Incoming *in, TextSpan id)
{
        TextSpan key = get_key(in);
        const char *response;
        size_t length;
        int code;

        response = dedup_find(in->bus->dedup, key.at, key.length, in->now, &length, &code);
        if (response)
                answer(in, response, length, code);
        else
                reject_with(in, id, MQTTRPC_ERROR_DUPLICATE,
                            "this request was executed before; its result was not kept");
}

/* True if the request was seen before and has been dealt with. */
static bool is_duplicate(Incoming *in, TextSpan id, bool own_id, uint32_t prefix, uint64_t counter)
{
        TextSpan key = get_key(in);
        MqttRpcRequest *request;
        size_t length;
        int code;

        request = request_find(in->bus, key, in->key_hash);
        if (request) {
                /* Joins the first, whose answer is for both and goes where this one can get it. */
                request_move(request, in->address.generation);
                drop(in);
        } else if (own_id && dedup_is_seen(in->bus->dedup, in->topic->caller, prefix, counter)) {
                answer_again(in, id);
        } else if (!own_id && is_unique(in) &&
                   dedup_find(in->bus->dedup, key.at, key.length, in->now, &length, &code)) {
                answer_again(in, id);
        } else {
                return false;
        }
        bus_count(in->bus, MQTTRPC_COUNT_DUPLICATES);
        return true;
}

/* ---- dispatch ---- */

static void reject_busy(Incoming *in, TextSpan id)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

        bus_count(in->bus, MQTTRPC_COUNT_BUSY);
        error = mqttrpc_error_new(MQTTRPC_ERROR_BUSY, "%s has too many requests in hand",
                                  in->service->name);
        (void)mqttrpc_error_set_retry_after(error, BUSY_RETRY_MSEC);
        reject(in, id, error);
}

static unsigned parse_hops(const LinkMessage *message)
{
        uint64_t hops = 0;

        if (message->hops && json_parse_uint64(message->hops, strlen(message->hops), &hops) < 0)
                hops = LIMIT_HOPS;
        return (unsigned)MIN(hops, (uint64_t)UINT16_MAX);
}

/* What is too long to be a name on D-Bus says nothing. */
static TextSpan origin_span(const char *text)
{
        size_t length = text ? strlen(text) : 0;

        if (length > LIMIT_NAME_LENGTH)
                length = 0;
        return (TextSpan){text, length};
}

/* Progress is for one who waits, and a batch has but one reply. */
static bool wants_progress(const Incoming *in, const EnvelopeRequest *envelope)
{
        return !envelope->notification && !in->batch &&
               (envelope->progress || (in->message->pg && !strcmp(in->message->pg, "1")));
}

static void dispatch(Incoming *in, const EnvelopeRequest *envelope, TextSpan method, bool keep)
{
        RequestParts parts = {
                .service = in->service,
                .object = in->topic->object,
                .method = method,
                .caller = in->topic->caller,
                .id = envelope->id,
                .address = in->address,
                .deadline_usec = in->deadline_usec,
                .own_deadline = in->own_deadline,
                .generic = in->topic->kind == TOPIC_RPC,
                .keep_response = keep,
                .key_hash = in->key_hash,
                .wants_progress = wants_progress(in, envelope),
                .hops = parse_hops(in->message),
                .dbus_sender = origin_span(in->message->dbus_sender),
                .dbus_uid = origin_span(in->message->dbus_uid),
                .batch = in->batch,
                .batch_index = in->index,
        };
        MqttRpcRequest *request;

        if (envelope->params > 0)
                parts.params.at = json_raw(&in->bus->doc, envelope->params, &parts.params.length);
        if (!envelope->notification)
                parts.key = get_key(in);
        if (request_new(in->bus, &parts, &request) < 0) {
                reject_with(in, envelope->id, MQTTRPC_ERROR_INTERNAL, "out of memory");
                return;
        }
        bus_count(in->bus, MQTTRPC_COUNT_REQUESTS);
        service_dispatch(in->service, request);
}

/* The last steps for one request whose method is known. */
static void admit(Incoming *in, const EnvelopeRequest *envelope, TextSpan method)
{
        uint64_t counter = 0;
        uint32_t prefix = 0;
        bool own_id;

        own_id = !envelope->notification && dedup_parse_id(envelope->id, &prefix, &counter);
        if (!envelope->notification && write_key(in, envelope->id, own_id) < 0) {
                reject_with(in, envelope->id, MQTTRPC_ERROR_INTERNAL, "out of memory");
                return;
        }
        if (!envelope->notification && is_duplicate(in, envelope->id, own_id, prefix, counter))
                return;
        /* What makes room must not need it. */
        if (!cancel_is_method(method) &&
            !service_has_room(in->service, in->bus, in->topic->caller)) {
                reject_busy(in, envelope->id);
                return;
        }
        if (own_id && dedup_mark(in->bus->dedup, in->topic->caller, prefix, counter) < 0) {
                reject_with(in, envelope->id, MQTTRPC_ERROR_INTERNAL, "out of memory");
                return;
        }
        dispatch(in, envelope, method, own_id || is_unique(in));
}

/* Meant for an earlier incarnation; but not for one that we have taken over from, which still was
 * there: it leaves to us what came after our claim. */
static bool is_stale(const Incoming *in, const EnvelopeRequest *envelope)
{
        const char *const epochs[] = {in->service->epoch, in->service->predecessor};
        bool asked = in->message->epoch || envelope->epoch > 0;

        for (size_t i = 0; asked && i < ARRAY_SIZE(epochs); i++) {
                if (!epochs[i][0])
                        continue;
                if (in->message->epoch ? !strcmp(in->message->epoch, epochs[i])
                                       : json_string_is(&in->bus->doc, envelope->epoch, epochs[i]))
                        return false;
        }
        return asked;
}

/* The span is in the message, or in a text that is made for it and owned by the caller. */
static int read_method(const JsonDoc *doc, uint32_t node, char **ret_text, TextSpan *ret_method)
{
        size_t length;
        int r;

        if (!doc->nodes[node].escaped) {
                ret_method->at = json_raw(doc, node, &length) + 1;
                ret_method->length = length - 2;
                return 0;
        }
        r = json_string_dup(doc, node, ret_text);
        if (r >= 0)
                *ret_method = (TextSpan){*ret_text, strlen(*ret_text)};
        return r;
}

/* On call/ the topic names the method and the body may repeat it; on rpc/ the body names it. */
static int find_method(Incoming *in, const EnvelopeRequest *envelope, char **ret_text,
                       TextSpan *ret_method)
{
        int r;

        if (envelope->method == 0) {
                *ret_method = in->topic->method;
                return in->topic->kind == TOPIC_CALL ? 0 : -EINVAL;
        }
        r = read_method(&in->bus->doc, envelope->method, ret_text, ret_method);
        if (r < 0)
                return -EINVAL;
        if (in->topic->kind == TOPIC_RPC)
                return topic_name_is_valid(ret_method->at, ret_method->length) ? 0 : -EINVAL;
        return ret_method->length == in->topic->method.length &&
                               !memcmp(ret_method->at, in->topic->method.at, ret_method->length)
                       ? 0
                       : -EINVAL;
}

static void handle_item(Incoming *in, uint32_t node)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_FREE char *method_text = NULL;
        EnvelopeRequest envelope;
        TextSpan method;

        if (envelope_read_request(&in->bus->doc, node, &envelope, &error) < 0) {
                reject(in, envelope.id, error);
                return;
        }
        if (!in->service) {
                reject_with(in, envelope.id, MQTTRPC_ERROR_UNAVAILABLE,
                            "the service has just ended");
                return;
        }
        if (find_method(in, &envelope, &method_text, &method) < 0) {
                reject_with(in, envelope.id, MQTTRPC_ERROR_INVALID_REQUEST,
                            in->topic->kind == TOPIC_CALL
                                    ? "'method' differs from the method in the topic"
                                    : "'method' is missing or not a valid name");
                return;
        }
        find_deadline(in, envelope.ttl_msec < UINT64_MAX && !in->message->ttl
                                  ? MIN(in->patience, msec_to_usec(envelope.ttl_msec))
                                  : in->patience);
        if (is_expired(in))
                drop(in);
        else if (is_stale(in, &envelope))
                reject_with(in, envelope.id, MQTTRPC_ERROR_STALE_EPOCH,
                            "the request was meant for an earlier incarnation of the service");
        else
                admit(in, &envelope, method);
}

static void handle_batch(Incoming *in)
{
        uint32_t count = in->bus->doc.nodes[0].count;
        Batch *batch;

        if (in->topic->kind != TOPIC_RPC || count == 0 || count > LIMIT_BATCH_ITEMS) {
                reject_with(in, envelope_null_id, MQTTRPC_ERROR_INVALID_REQUEST,
                            in->topic->kind != TOPIC_RPC
                                    ? "batches are for rpc/ topics"
                                    : "a batch must have between 1 and 64 requests");
                return;
        }
        if (batch_new(count, &in->address, &batch) < 0) {
                reject_with(in, envelope_null_id, MQTTRPC_ERROR_INTERNAL, "out of memory");
                return;
        }
        in->batch = batch;
        JSON_FOREACH (&in->bus->doc, 0, item) {
                handle_item(in, item);
                in->index++;
        }
        batch_skip(batch, in->bus);
}

static void reject_unreadable(Incoming *in, int r)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        const JsonDoc *doc = &in->bus->doc;
        int code = MQTTRPC_ERROR_PARSE;

        if (r == -EMSGSIZE)
                code = MQTTRPC_ERROR_TOO_LARGE;
        else if (r == -ENOMEM)
                code = MQTTRPC_ERROR_INTERNAL;
        error = mqttrpc_error_new(code, "%s%s at byte %zu",
                                  code == MQTTRPC_ERROR_PARSE ? "not valid JSON: " : "",
                                  doc->error_reason, doc->error_offset);
        reject(in, envelope_null_id, error);
}

static void handle_payload(Incoming *in)
{
        const LinkMessage *message = in->message;
        JsonDoc *doc = &in->bus->doc;
        int r;

        if (message->length > in->bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES]) {
                reject_with(in, envelope_null_id, MQTTRPC_ERROR_TOO_LARGE,
                            "the request is larger than this service takes");
                return;
        }
        r = json_scan(doc, message->payload, message->length, JSON_SCAN_STRICT);
        if (r < 0) {
                reject_unreadable(in, r);
        } else if (json_type(doc, 0) == JSON_ARRAY) {
                handle_batch(in);
        } else {
                handle_item(in, 0);
        }
}

void incoming_on_request(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        Incoming in = {
                .bus = bus,
                .service = service_find(bus, topic->service),
                .topic = topic,
                .message = message,
                .now = clock_now(),
        };
        int r;

        if (in.service ? !announce_takes_requests(in.service) : !leaving_has(bus, topic->service))
                return;
        if (message->retain) {
                bus_count(bus, MQTTRPC_COUNT_RETAINED_REFUSED);
                bus_log_peer(bus, "retained request at %s refused", message->topic);
                return;
        }
        if (in.service)
                service_ref(in.service);
        r = find_reply_address(&in);
        in.patience = read_patience(message);
        find_deadline(&in, in.patience);
        if (r == -EMSGSIZE)
                reject_with(&in, envelope_null_id, MQTTRPC_ERROR_INVALID_REQUEST,
                            "Correlation Data is longer than 64 bytes");
        else if (r >= 0 && !is_expired(&in))
                handle_payload(&in);
        service_unref(in.service);
}
