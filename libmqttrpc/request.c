/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/request.h"

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/json-basic.h"
#include "common/limits.h"
#include "libmqttrpc/batch.h"
#include "libmqttrpc/envelope.h"
#include "libmqttrpc/json-build.h"
#include "libmqttrpc/json-read.h"

/* ---- life ---- */

static MqttRpcRequest *request_of_deadline(Deadline *deadline)
{
        return (MqttRpcRequest *)((char *)deadline - offsetof(MqttRpcRequest, deadline));
}

/* Lists instead of a table that grows: with one request at a time that would be made and freed with
 * each, and with thousands a list is still short. */
static MqttRpcRequest **get_list(MqttRpcBus *bus, uint64_t key_hash)
{
        return &bus->requests[key_hash % BUS_REQUEST_LISTS];
}

MqttRpcRequest *request_find(const MqttRpcBus *bus, TextSpan key, uint64_t hash)
{
        MqttRpcRequest *request;

        DL_FOREACH2(bus->requests[hash % BUS_REQUEST_LISTS], request, key_next)
        if (request->parts.key_hash == hash && request->parts.key.length == key.length &&
            !memcmp(request->parts.key.at, key.at, key.length))
                return request;
        return NULL;
}

/* Takes the request off the bus: it is no longer in flight, and cannot be answered any more. */
static void detach(MqttRpcRequest *request)
{
        MqttRpcBus *bus = request->bus;

        if (!bus)
                return;
        deadline_remove(&bus->deadlines, &request->deadline);
        progress_drop(request);
        if (request->parts.key.length > 0)
                DL_DELETE2(*get_list(bus, request->parts.key_hash), request, key_previous,
                           key_next);
        DL_DELETE2(bus->inflight, request, previous, next);
        DL_DELETE2(request->load->requests, request, caller_previous, caller_next);
        /* What has expired or was taken out of the handler's hands is still being worked on, and
         * counts until the handler lets go. */
        if (!request->expired && !request->withdrawn)
                service_give_back(request->service, STEAL(request->load), request->size);
        request->bus = NULL;
}

/* The same, without an answer. */
static void abandon(MqttRpcRequest *request)
{
        batch_skip(request->parts.batch, request->bus);
        detach(request);
}

void requests_detach_all(MqttRpcBus *bus)
{
        while (bus->inflight) {
                batch_skip(bus->inflight->parts.batch, NULL);
                detach(bus->inflight);
        }
}

static void request_free(MqttRpcRequest *request)
{
        if (request->bus)
                detach(request);
        if (request->load)
                service_give_back(request->service, request->load, request->size);
        service_unref(request->service);
        cJSON_Delete(request->value);
        borrowed_list_done(&request->borrowed);
        free(request->checked_params);
        free(request->property);
        json_doc_done(&request->doc);
        free(request);
}

/* The end of a deadline that the caller knows needs no words; ours does. */
static void on_deadline(Deadline *deadline)
{
        MqttRpcRequest *request = request_of_deadline(deadline);
        MqttRpcError *error;

        bus_count(request->bus, MQTTRPC_COUNT_EXPIRED);
        request->expired = true;
        if (request->parts.own_deadline) {
                error = mqttrpc_error_new(MQTTRPC_ERROR_TIMEOUT, "%s did not answer in time",
                                          request->service->name);
                (void)mqttrpc_request_reply_error(request, error);
                mqttrpc_error_free(error);
                return;
        }
        abandon(request);
}

static TextSpan copy_span(char **at, TextSpan span)
{
        TextSpan copy = {*at, span.length};

        if (span.length > 0)
                memcpy(*at, span.at, span.length);
        (*at)[span.length] = '\0';
        *at += span.length + 1;
        return copy;
}

static void copy_parts(MqttRpcRequest *request, const RequestParts *parts)
{
        TextSpan topic = {parts->address.topic, strlen(parts->address.topic)};
        TextSpan correlation = {parts->address.correlation, parts->address.correlation_length};
        char *at = request->text;

        request->parts = *parts;
        request->parts.object = copy_span(&at, parts->object);
        request->parts.method = copy_span(&at, parts->method);
        request->parts.caller = copy_span(&at, parts->caller);
        request->parts.id = copy_span(&at, parts->id);
        request->parts.key = copy_span(&at, parts->key);
        request->parts.params = copy_span(&at, parts->params);
        request->parts.dbus_sender = copy_span(&at, parts->dbus_sender);
        request->parts.dbus_uid = copy_span(&at, parts->dbus_uid);
        request->parts.address.topic = copy_span(&at, topic).at;
        request->parts.address.correlation = copy_span(&at, correlation).at;
}

static int attach(MqttRpcBus *bus, MqttRpcRequest *request)
{
        int r;

        request->load = service_take(request->service, request->parts.caller, request->size);
        if (!request->load)
                return -ENOMEM;
        r = deadline_add(&bus->deadlines, &request->deadline, request->parts.deadline_usec);
        if (r < 0) {
                service_give_back(request->service, STEAL(request->load), request->size);
                return r;
        }
        DL_APPEND2(bus->inflight, request, previous, next);
        DL_APPEND2(request->load->requests, request, caller_previous, caller_next);
        request->bus = bus;
        if (request->parts.key.length > 0)
                DL_APPEND2(*get_list(bus, request->parts.key_hash), request, key_previous,
                           key_next);
        return 0;
}

int request_new(MqttRpcBus *bus, const RequestParts *parts, MqttRpcRequest **ret_request)
{
        size_t size = sizeof(MqttRpcRequest) + 10; /* a NUL after each of the ten texts */
        MqttRpcRequest *request;
        int r;

        size += parts->object.length + parts->method.length + parts->caller.length +
                parts->id.length + parts->key.length + parts->params.length +
                strlen(parts->address.topic) + parts->address.correlation_length +
                parts->dbus_sender.length + parts->dbus_uid.length;
        request = malloc(size);
        if (!request)
                return -ENOMEM;
        *request = (MqttRpcRequest){.refs = 1, .size = size};
        request->service = service_ref(parts->service);
        request->deadline.on_expired = on_deadline;
        copy_parts(request, parts);
        r = attach(bus, request);
        if (r < 0) {
                request_free(request);
                return r;
        }
        *ret_request = request;
        return 0;
}

MQTTRPC_PUBLIC MqttRpcRequest *mqttrpc_request_ref(MqttRpcRequest *request)
{
        request->refs++;
        return request;
}

static void answer_cancelled(MqttRpcRequest *request)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

        error = mqttrpc_error_new(MQTTRPC_ERROR_CANCELLED, "cancelled by its caller");
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_MAYBE);
        (void)mqttrpc_request_reply_error(request, error);
}

void request_withdraw(MqttRpcRequest *request)
{
        request->withdrawn = true;
        answer_cancelled(request);
}

static void answer_dropped(MqttRpcRequest *request)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

        error = mqttrpc_error_new(MQTTRPC_ERROR_INTERNAL, "%s gave no answer",
                                  request->service->name);
        (void)mqttrpc_request_reply_error(request, error);
}

MQTTRPC_PUBLIC MqttRpcRequest *mqttrpc_request_unref(MqttRpcRequest *request)
{
        if (!request || --request->refs > 0)
                return NULL;
        if (request->bus) {
                request->refs = 1;
                if (request->cancelled)
                        answer_cancelled(request);
                else
                        answer_dropped(request);
                request->refs = 0;
        }
        request_free(request);
        return NULL;
}

void request_move(MqttRpcRequest *request, uint64_t generation)
{
        request->parts.address.generation = generation;
        if (request->parts.batch)
                batch_move(request->parts.batch, generation);
}

static int set_checked(MqttRpcRequest *request, Buffer *params)
{
        size_t length = params->length;
        char *text = buffer_steal(params);

        if (!text)
                return -ENOMEM;
        free(request->checked_params);
        request->checked_params = text;
        request->checked_length = length;
        json_doc_done(&request->doc); /* of what they were before */
        return 0;
}

int request_check_params(MqttRpcRequest *request, const ArgumentList *params,
                         MqttRpcError **ret_error)
{
        JsonDoc *doc = &request->bus->params_doc;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        size_t length;
        const char *text = mqttrpc_request_get_params(request, &length);
        int r;

        r = json_scan(doc, text, length, JSON_SCAN_STRICT);
        if (r >= 0)
                r = argument_list_check(params, doc, &buffer, ret_error);
        return r < 0 ? r : set_checked(request, &buffer);
}

int request_set_property(MqttRpcRequest *request, const char *name, Buffer *params)
{
        char *copy = strdup(name);

        if (!copy)
                return -ENOMEM;
        free(request->property);
        request->property = copy;
        return set_checked(request, params);
}

/* ---- what it says ---- */

MQTTRPC_PUBLIC const char *mqttrpc_request_get_service(const MqttRpcRequest *request)
{
        return request->service->name;
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_object(const MqttRpcRequest *request)
{
        return request->parts.object.at;
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_method(const MqttRpcRequest *request)
{
        return request->parts.method.at;
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_caller(const MqttRpcRequest *request)
{
        return request->parts.caller.at;
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_params(const MqttRpcRequest *request,
                                                      size_t *ret_length)
{
        const char *text = request->parts.params.at;
        size_t length = request->parts.params.length;

        if (request->checked_params) {
                text = request->checked_params;
                length = request->checked_length;
        } else if (length == 0) {
                text = "[]";
                length = 2;
        }
        if (ret_length)
                *ret_length = length;
        return text;
}

MQTTRPC_PUBLIC const struct cJSON *mqttrpc_request_get_value(MqttRpcRequest *request)
{
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);

        if (!request->value)
                request->value = cJSON_ParseWithLength(params, length);
        return request->value;
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_property(const MqttRpcRequest *request)
{
        return request->property;
}

MQTTRPC_PUBLIC uint64_t mqttrpc_request_get_deadline(const MqttRpcRequest *request)
{
        return request->parts.deadline_usec;
}

MQTTRPC_PUBLIC int mqttrpc_request_set_timeout(MqttRpcRequest *request, uint64_t timeout_usec)
{
        MqttRpcBus *bus = request->bus;

        if (!bus)
                return -EALREADY;
        if (!request->parts.own_deadline)
                return -EPERM;
        timeout_usec =
                MIN(MIN(timeout_usec, LIMIT_TIMEOUT_USEC), bus->limits[MQTTRPC_LIMIT_TIMEOUT_USEC]);
        request->parts.deadline_usec = clock_now() + timeout_usec;
        deadline_remove(&bus->deadlines, &request->deadline);
        return deadline_add(&bus->deadlines, &request->deadline, request->parts.deadline_usec);
}

MQTTRPC_PUBLIC void mqttrpc_request_set_sensitive(MqttRpcRequest *request)
{
        request->sensitive = true;
}

MQTTRPC_PUBLIC bool mqttrpc_request_is_notification(const MqttRpcRequest *request)
{
        return request->parts.id.length == 0;
}

MQTTRPC_PUBLIC bool mqttrpc_request_is_generic(const MqttRpcRequest *request)
{
        return request->parts.generic;
}

MQTTRPC_PUBLIC unsigned mqttrpc_request_get_hops(const MqttRpcRequest *request)
{
        return request->parts.hops;
}

static const char *origin_text(TextSpan span)
{
        return span.length > 0 ? span.at : NULL;
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_dbus_sender(const MqttRpcRequest *request)
{
        return origin_text(request->parts.dbus_sender);
}

MQTTRPC_PUBLIC const char *mqttrpc_request_get_dbus_uid(const MqttRpcRequest *request)
{
        return origin_text(request->parts.dbus_uid);
}

/* ---- typed arguments ---- */

static int scan_params(MqttRpcRequest *request)
{
        const char *params;
        size_t length;

        if (request->doc.n_nodes > 0)
                return 0;
        params = mqttrpc_request_get_params(request, &length);
        return json_scan(&request->doc, params, length, JSON_SCAN_STRICT);
}

static int find_argument(MqttRpcRequest *request, unsigned index, uint32_t *ret_node)
{
        unsigned i = 0;
        int r;

        r = scan_params(request);
        if (r < 0)
                return r;
        if (json_type(&request->doc, 0) != JSON_ARRAY)
                return -EINVAL;
        JSON_FOREACH (&request->doc, 0, item) {
                if (i++ == index) {
                        *ret_node = item;
                        return 0;
                }
        }
        return -ENOENT;
}

MQTTRPC_PUBLIC int mqttrpc_request_get_boolean(MqttRpcRequest *request, unsigned index,
                                               bool *ret_value)
{
        uint32_t node;
        int r = find_argument(request, index, &node);

        if (r < 0)
                return r;
        if (json_type(&request->doc, node) != JSON_BOOLEAN)
                return -EINVAL;
        *ret_value = json_boolean(&request->doc, node);
        return 0;
}

/* The digits of a number, or of a string of digits. */
static TextSpan digits_of(const JsonDoc *doc, uint32_t node)
{
        TextSpan span;

        span.at = json_raw(doc, node, &span.length);
        if (json_type(doc, node) == JSON_STRING) {
                span.at++;
                span.length -= 2;
        }
        return span;
}

static int find_digits(MqttRpcRequest *request, unsigned index, TextSpan *ret_digits)
{
        uint32_t node;
        int r = find_argument(request, index, &node);

        if (r >= 0)
                *ret_digits = digits_of(&request->doc, node);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_request_get_int64(MqttRpcRequest *request, unsigned index,
                                             int64_t *ret_value)
{
        TextSpan digits;
        int r = find_digits(request, index, &digits);

        return r < 0 ? r : json_parse_int64(digits.at, digits.length, ret_value);
}

MQTTRPC_PUBLIC int mqttrpc_request_get_uint64(MqttRpcRequest *request, unsigned index,
                                              uint64_t *ret_value)
{
        TextSpan digits;
        int r = find_digits(request, index, &digits);

        return r < 0 ? r : json_parse_uint64(digits.at, digits.length, ret_value);
}

MQTTRPC_PUBLIC int mqttrpc_request_get_double(MqttRpcRequest *request, unsigned index,
                                              double *ret_value)
{
        JsonSource source = {.doc = &request->doc};
        JsonBasic value;
        uint32_t node;
        int r = find_argument(request, index, &node);

        if (r >= 0)
                r = json_basic_number(&source, node, 'd', &value);
        if (r >= 0)
                *ret_value = value.d;
        buffer_done(&source.scratch);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_request_get_string(MqttRpcRequest *request, unsigned index,
                                              const char **ret_value)
{
        uint32_t node;
        char *text;
        int r = find_argument(request, index, &node);

        if (r >= 0)
                r = json_string_dup(&request->doc, node, &text);
        if (r >= 0)
                r = borrowed_list_add(&request->borrowed, text);
        if (r >= 0)
                *ret_value = text;
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_request_read(MqttRpcRequest *request, const char *types, ...)
{
        va_list args;
        int r;

        r = scan_params(request);
        if (r < 0)
                return r;
        va_start(args, types);
        r = json_read_values(&request->doc, 0, types, true, &request->borrowed, args);
        va_end(args);
        return r;
}

/* ---- answering ---- */

int reply_send(MqttRpcBus *bus, const ReplyAddress *address, const char *response, size_t length,
               int code)
{
        char digits[16];
        LinkUserProperty user[] = {{"rc", digits}};
        LinkPublish message = {
                .topic = address->topic,
                .payload = response,
                .length = length,
                .qos = address->qos,
                .correlation = address->correlation,
                .correlation_length = address->correlation_length,
                .user = user,
                .n_user = ARRAY_SIZE(user),
        };
        int r;

        if (link_generation(bus->link) != address->generation)
                return -ENOTCONN;
        if (code == 0)
                user[0].value = "0";
        else
                snprintf(digits, sizeof(digits), "%d", code);
        r = link_publish(bus->link, &message, 0);
        if (r < 0) {
                if (r != -EMSGSIZE) /* then an error goes in its place */
                        bus_count(bus, MQTTRPC_COUNT_DROPPED_REPLIES);
                bus_log_peer(bus, "reply to %s could not be sent: %s", address->topic,
                             strerrordesc_np(-r));
                return r;
        }
        bus_count(bus, MQTTRPC_COUNT_REPLIES);
        if (code != 0)
                bus_count(bus, MQTTRPC_COUNT_ERRORS);
        return 0;
}

/* The method was executed, but its result cannot travel. */
static int answer_too_large(MqttRpcRequest *request)
{
        MqttRpcError *error;

        error = mqttrpc_error_new(MQTTRPC_ERROR_TOO_LARGE, "the result of %s is too large to send",
                                  request->parts.method.at);
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_YES);
        (void)mqttrpc_request_reply_error(request, error);
        mqttrpc_error_free(error);
        return -EMSGSIZE;
}

/* Hands the response in bus->payload to the batch or the connection; the request leaves the bus. */
static int deliver(MqttRpcRequest *request, int code)
{
        MqttRpcBus *bus = request->bus;
        const RequestParts *parts = &request->parts;
        int r = 0;

        if (parts->keep_response && !request->sensitive && !request->expired)
                dedup_store(bus->dedup, parts->key.at, parts->key.length, bus->payload.data,
                            bus->payload.length, code, parts->deadline_usec, clock_now());
        if (parts->batch)
                batch_put(parts->batch, bus, parts->batch_index, bus->payload.data,
                          bus->payload.length);
        else
                r = reply_send(bus, &parts->address, bus->payload.data, bus->payload.length, code);
        if (r == -EMSGSIZE && code != MQTTRPC_ERROR_TOO_LARGE)
                return answer_too_large(request); /* the broker's limit is lower than ours */
        detach(request);
        return r;
}

/* There is no memory to write the answer down. */
static int drop_reply(MqttRpcRequest *request, int r)
{
        bus_count(request->bus, MQTTRPC_COUNT_DROPPED_REPLIES);
        abandon(request);
        return r;
}

int request_check_open(const MqttRpcRequest *request)
{
        if (!request->bus && request->expired)
                return -ETIMEDOUT;
        if (!request->bus)
                return request->withdrawn ? -ECANCELED : -EALREADY;
        return !request->expired && clock_now() >= request->parts.deadline_usec ? -ETIMEDOUT : 0;
}

/* 0 if an answer is still wanted and can be sent; 1 if it is not wanted. */
static int check_answerable(MqttRpcRequest *request)
{
        int r = request_check_open(request);

        if (r < 0) {
                if (request->bus)
                        on_deadline(&request->deadline); /* the loop just had no time for it */
                return r;
        }
        if (request->parts.id.length == 0) {
                abandon(request);
                return 1;
        }
        progress_flush(request);
        buffer_clear(&request->bus->payload);
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_request_reply(MqttRpcRequest *request, const char *result, size_t length)
{
        int r;

        /* A property that was set is told before its setter hears of it. */
        if (request->bus && request->property) {
                (void)mqttrpc_property_changed(request->bus, request->service->name,
                                               request->parts.object.at, request->property);
                result = NULL;
        }
        r = check_answerable(request);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!result) {
                result = "null";
                length = SIZE_MAX;
        }
        if (length == SIZE_MAX)
                length = strlen(result);
        if (length > request->bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES])
                return answer_too_large(request);
        r = envelope_write_result(&request->bus->payload, request->parts.id, result, length);
        return r < 0 ? drop_reply(request, r) : deliver(request, 0);
}

/* The service is to blame, not the caller: a bad value must not look like a wrong argument. */
static int answer_unwritable(MqttRpcRequest *request, int r)
{
        MqttRpcError *error;

        error = mqttrpc_error_new(MQTTRPC_ERROR_INTERNAL, "the result of %s cannot be written: %s",
                                  request->parts.method.at, strerrordesc_np(-r));
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_YES);
        (void)mqttrpc_request_reply_error(request, error);
        mqttrpc_error_free(error);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_request_reply_values(MqttRpcRequest *request, const char *types, ...)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        va_list args;
        int r;

        va_start(args, types);
        r = json_build_append(&buffer, types, false, args);
        va_end(args);
        if (r < 0)
                return answer_unwritable(request, r);
        return mqttrpc_request_reply(request, buffer.data, buffer.length);
}

MQTTRPC_PUBLIC int mqttrpc_request_reply_error(MqttRpcRequest *request, const MqttRpcError *error)
{
        int r;

        r = check_answerable(request);
        if (r != 0)
                return r < 0 ? r : 0;
        r = envelope_write_error(&request->bus->payload, request->parts.id, error);
        if (r < 0)
                return drop_reply(request, r);
        return deliver(request, mqttrpc_error_get_code(error));
}
