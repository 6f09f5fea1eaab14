/* SPDX-License-Identifier: MIT */

#include "bridge/down-call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/request.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/limits.h"
#include "mqttrpc/mqttrpc.h"

enum { CORRELATION_BYTES = 8, TOKEN_LENGTH = 9 };

#define CALLER_OTHER "cloud.other"

/* A call that the local broker has got. */
typedef struct Call {
        uint64_t number; /* our Correlation Data */
        char *rest;      /* topic of the request from {svc} on; owned, and `topic` points into it */
        Topic topic;
        char *token; /* of the cloud's reply topic */
        char *id;    /* raw */
        void *correlation;
        size_t correlation_length;
        int qos;
        bool named; /* by a rule; else the caller is one with all others that are not */
        bool timed; /* by its caller: when the time is over nobody listens */
        uint64_t start_usec;
        uint64_t deadline_usec;
        UT_hash_handle hh;
} Call;

/* How often a caller has called by a rule. */
typedef struct Meter {
        char *key; /* RULE/CALLER */
        Bucket bucket;
        UT_hash_handle hh;
} Meter;

struct DownCall {
        Core *core;
        Call *calls;
        Meter *meters;
        uint64_t next_number;
        uint64_t wake_usec; /* not after the first deadline */
        char token[TOKEN_LENGTH + 1];
        Buffer topic;
        Buffer payload;
};

/* A request as it is looked at. */
typedef struct Incoming {
        const MqttMessage *message;
        const char *rest; /* of its topic, from {svc} on */
        Topic topic;
        Span token;
        Request request;
        const AllowRule *rule;
        uint64_t ttl_msec; /* of the caller; UINT64_MAX: none */
        uint64_t now;
} Incoming;

/* ---- life ---- */

static void call_free(Call *call)
{
        free(call->rest);
        free(call->token);
        free(call->id);
        free(call->correlation);
        free(call);
}

static void forget(DownCall *calls, Call *call)
{
        HASH_DEL(calls->calls, call);
        call_free(call);
}

int down_call_new(Core *core, DownCall **ret_calls)
{
        DownCall *calls = calloc(1, sizeof(*calls));
        uint32_t number = 0;

        if (!calls)
                return -ENOMEM;
        *calls = (DownCall){.core = core,
                            .wake_usec = USEC_INFINITY,
                            .topic = BUFFER_INIT(0),
                            .payload = BUFFER_INIT(0)};
        /* A token of its own: what comes for a bridge that has died is not taken for ours. */
        if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
                free(calls);
                return -EIO;
        }
        snprintf(calls->token, sizeof(calls->token), "b%08" PRIx32, number);
        *ret_calls = calls;
        return 0;
}

void down_call_apply_policy(DownCall *calls)
{
        Meter *meter, *next;

        HASH_ITER (hh, calls->meters, meter, next) {
                HASH_DEL(calls->meters, meter);
                free(meter->key);
                free(meter);
        }
}

DownCall *down_call_free(DownCall *calls)
{
        Call *call, *next;

        if (!calls)
                return NULL;
        HASH_ITER (hh, calls->calls, call, next)
                forget(calls, call);
        down_call_apply_policy(calls);
        buffer_done(&calls->topic);
        buffer_done(&calls->payload);
        free(calls);
        return NULL;
}

int down_call_list_filters(const DownCall *calls, char **ret_filter)
{
        if (asprintf(ret_filter, "%s/+/+/call/+/+/%s", calls->core->policy->root, calls->token) < 0)
                return -ENOMEM;
        return 0;
}

size_t down_call_count(const DownCall *calls)
{
        return HASH_COUNT(calls->calls);
}

/* ---- answers of our own ---- */

static void audit(DownCall *calls, const Topic *topic, const char *verdict, int code, bool refused,
                  uint64_t usec)
{
        audit_write(calls->core->audit, &(AuditEntry){.caller = topic->caller,
                                                      .service = topic->service,
                                                      .object = topic->object,
                                                      .method = topic->name,
                                                      .verdict = verdict,
                                                      .code = code,
                                                      .refused = refused,
                                                      .usec = usec});
}

static int send_up(DownCall *calls, const char *rest, Span token, MqttPublish *publish)
{
        Core *core = calls->core;
        int r;

        buffer_clear(&calls->topic);
        buffer_printf(&calls->topic, "%s/%s/%.*s", core->policy->prefix, rest, (int)token.length,
                      token.at);
        r = buffer_status(&calls->topic);
        if (r < 0)
                return r;
        publish->topic = calls->topic.data;
        if (!core_fits(core, publish->topic, publish->length))
                return -EMSGSIZE;
        return mqtt_publish(core->cloud, publish, cookie_make(COOKIE_REPLY, 0));
}

static void send_error(DownCall *calls, const char *rest, Span token, const char *id, int qos,
                       const void *correlation, size_t correlation_length,
                       const RequestError *error)
{
        char code[16];
        MqttPair pairs[] = {{"rc", code}};
        MqttPublish publish = {.qos = qos,
                               .correlation = correlation,
                               .correlation_length = correlation_length,
                               .pairs = pairs,
                               .n_pairs = ARRAY_SIZE(pairs)};

        snprintf(code, sizeof(code), "%d", error->code);
        buffer_clear(&calls->payload);
        if (request_write_error(&calls->payload, id, error) < 0)
                return;
        publish.payload = calls->payload.data;
        publish.length = calls->payload.length;
        (void)send_up(calls, rest, token, &publish);
}

static RequestError make_error(int code, const char *message, const char *executed)
{
        return (RequestError){.code = code,
                              .name = mqttrpc_error_code_to_name(code),
                              .message = message,
                              .executed = executed};
}

/* Refuses a request: counted, audited and, unless it wants none, answered. */
static void refuse(DownCall *calls, const Incoming *in, const char *verdict, RequestError error)
{
        calls->core->stats.calls_refused++;
        audit(calls, &in->topic, verdict, error.code, true, 0);
        if (in->request.id && mqtt_count_unanswered(calls->core->cloud) < LIMIT_BRIDGE_REFUSALS)
                send_error(calls, in->rest, in->token, in->request.id, in->message->qos,
                           in->message->correlation, in->message->correlation_length, &error);
}

/* The same without an answer, where one would go to who knows whom, or to nobody. */
static void drop(DownCall *calls, const Incoming *in, const char *verdict)
{
        calls->core->stats.calls_refused++;
        audit(calls, &in->topic, verdict, 0, true, 0);
}

/* ---- looking at a request ---- */

static Meter *find_meter(DownCall *calls, const char *key)
{
        Meter *meter;

        HASH_FIND_STR(calls->meters, key, meter);
        if (meter)
                return meter;
        /* Only callers that the policy names have one, and all others together. */
        if (HASH_COUNT(calls->meters) >= LIMIT_BRIDGE_CALLERS * 4)
                return NULL;
        meter = calloc(1, sizeof(*meter));
        if (!meter)
                return NULL;
        meter->key = strdup(key);
        if (meter->key)
                HASH_ADD_KEYPTR(hh, calls->meters, meter->key, strlen(meter->key), meter);
        if (meter->key && hash_added(meter->hh))
                return meter;
        free(meter->key);
        free(meter);
        return NULL;
}

/* Microseconds to wait; 0: go. */
static uint64_t take_turn(DownCall *calls, const Incoming *in)
{
        CLEANUP_FREE char *key = NULL;
        bool named = allow_rule_names(in->rule, in->topic.caller);
        uint64_t wait = 60 * USEC_PER_SEC;
        Meter *meter;

        if (asprintf(&key, "%zu/%.*s", (size_t)(in->rule - calls->core->policy->allow),
                     named ? (int)in->topic.caller.length : 0, in->topic.caller.at) < 0) {
                key = NULL;
                return wait;
        }
        meter = find_meter(calls, key);
        if (meter && bucket_take(&meter->bucket, 1, in->rule->rate_per_minute, 60 * USEC_PER_SEC,
                                 in->now, &wait))
                return 0;
        return wait;
}

/* Calls that wait of this caller, or of all that have no name: else these could take the room of
 * everybody, each under another one. */
static unsigned count_of_caller(const DownCall *calls, const Incoming *in)
{
        bool named = allow_rule_names(in->rule, in->topic.caller);
        Span caller = in->topic.caller;
        const Call *call, *next;
        unsigned count = 0;

        HASH_ITER (hh, calls->calls, call, next)
                count +=
                        named ? call->named && call->topic.caller.length == caller.length &&
                                        memcmp(call->topic.caller.at, caller.at, caller.length) == 0
                              : !call->named;
        return count;
}

/* False if it has been refused. */
static bool check_room(DownCall *calls, const Incoming *in)
{
        uint64_t wait;
        RequestError busy;

        if (HASH_COUNT(calls->calls) >= LIMIT_BRIDGE_CALLS ||
            count_of_caller(calls, in) >= LIMIT_BRIDGE_CALLER_CALLS) {
                busy = make_error(MQTTRPC_ERROR_BUSY, "too many calls wait for an answer", "no");
                busy.retry_after_msec = 1000;
                refuse(calls, in, "busy", busy);
                return false;
        }
        wait = take_turn(calls, in);
        if (wait == 0)
                return true;
        busy = make_error(MQTTRPC_ERROR_BUSY, "called more often than the policy allows", "no");
        busy.retry_after_msec = wait / USEC_PER_MSEC + 1;
        refuse(calls, in, "rate", busy);
        return false;
}

/* What makes a request none, whoever sends it. False if it has been refused or dropped. */
static bool check_form(DownCall *calls, Incoming *in)
{
        const MqttMessage *message = in->message;
        int r;

        if (message->retain) {
                drop(calls, in, "retained");
                return false;
        }
        if (message->correlation_length > LIMIT_CORRELATION_BYTES ||
            (message->response_topic &&
             request_reply_token(in->rest, message->response_topic, &in->token) < 0)) {
                drop(calls, in, "reply-address");
                return false;
        }
        if (message->length > LIMIT_PAYLOAD_BYTES) {
                drop(calls, in, "size");
                return false;
        }
        r = request_read(message->payload, message->length, &in->request);
        if (r == -EBADMSG)
                refuse(calls, in, "malformed",
                       make_error(MQTTRPC_ERROR_PARSE, "the request is not JSON", "no"));
        else if (r < 0)
                refuse(calls, in, "malformed",
                       make_error(MQTTRPC_ERROR_INVALID_REQUEST, "this is no request", "no"));
        return r >= 0;
}

/* False if it is too late already. */
static bool check_time(DownCall *calls, Incoming *in)
{
        const MqttMessage *message = in->message;

        in->ttl_msec = MIN(request_parse_ttl(message->ttl), in->request.ttl_msec);
        if (message->expires)
                in->ttl_msec = MIN(in->ttl_msec, ((uint64_t)message->expiry_sec + 1) * 1000);
        if (in->ttl_msec > 0)
                return true;
        drop(calls, in, "expired");
        return false;
}

/* False if the policy does not let it through. */
static bool check_policy(DownCall *calls, Incoming *in)
{
        if (in->topic.kind == TOPIC_CALL)
                in->rule = policy_find_allow(calls->core->policy, &in->topic);
        if (!in->rule) {
                refuse(calls, in, "denied",
                       make_error(MQTTRPC_ERROR_ACCESS_DENIED,
                                  in->topic.kind == TOPIC_RPC
                                          ? "the generic endpoint does not cross the bridge"
                                          : "the policy of the bridge does not allow this call",
                                  "no"));
                return false;
        }
        if (in->message->length > in->rule->max_bytes) {
                refuse(calls, in, "size",
                       make_error(MQTTRPC_ERROR_TOO_LARGE,
                                  "the request is larger than the policy of the bridge allows",
                                  "no"));
                return false;
        }
        return true;
}

/* ---- handing it on ---- */

static Call *call_new(DownCall *calls, const Incoming *in, uint64_t deadline)
{
        const MqttMessage *message = in->message;
        Call *call = calloc(1, sizeof(*call));

        if (!call)
                return NULL;
        *call = (Call){.number = ++calls->next_number,
                       .rest = strdup(in->rest),
                       .token = strndup(in->token.at, in->token.length),
                       .id = strdup(in->request.id),
                       .correlation = malloc(message->correlation_length + 1),
                       .correlation_length = message->correlation_length,
                       .qos = message->qos,
                       .named = allow_rule_names(in->rule, in->topic.caller),
                       .timed = in->ttl_msec != UINT64_MAX,
                       .start_usec = in->now,
                       .deadline_usec = deadline};
        if (call->rest && call->token && call->id && call->correlation &&
            topic_parse(call->rest, &call->topic) >= 0) {
                if (message->correlation_length > 0)
                        memcpy(call->correlation, message->correlation,
                               message->correlation_length);
                HASH_ADD(hh, calls->calls, number, sizeof(call->number), call);
                if (hash_added(call->hh))
                        return call;
        }
        call_free(call);
        return NULL;
}

static int publish_down(DownCall *calls, const Incoming *in, uint64_t number, uint64_t ttl_msec)
{
        const Policy *policy = calls->core->policy;
        bool named = allow_rule_names(in->rule, in->topic.caller);
        CLEANUP_FREE char *origin = strndup(in->topic.caller.at, in->topic.caller.length);
        CLEANUP_FREE char *reply = NULL;
        char ttl[24];
        MqttPair pairs[] = {{"ttl", ttl},
                            {"epoch", in->message->epoch},
                            {"pg", in->message->pg},
                            {"hops", in->message->hops},
                            {"origin", named ? NULL : origin}};
        MqttPublish publish = {.payload = in->message->payload,
                               .length = in->message->length,
                               .qos = 1,
                               .correlation = &number,
                               .correlation_length = CORRELATION_BYTES,
                               .expiry_sec = (uint32_t)((ttl_msec + 999) / 1000),
                               .pairs = pairs,
                               .n_pairs = ARRAY_SIZE(pairs)};
        size_t n_front = (size_t)(in->topic.caller.at - in->rest);

        snprintf(ttl, sizeof(ttl), "%" PRIu64, ttl_msec);
        buffer_clear(&calls->topic);
        buffer_printf(&calls->topic, "%s/%.*s", policy->root, (int)n_front, in->rest);
        if (named)
                buffer_printf(&calls->topic, "cloud.%s", origin);
        else
                buffer_append_text(&calls->topic, CALLER_OTHER);
        if (!origin || buffer_status(&calls->topic) < 0 ||
            asprintf(&reply, "%s/%s", calls->topic.data, calls->token) < 0) {
                reply = NULL;
                return -ENOMEM;
        }
        publish.topic = calls->topic.data;
        publish.response_topic = reply;
        return mqtt_publish(calls->core->local, &publish, cookie_make(COOKIE_CALL, number));
}

static void hand_on(DownCall *calls, const Incoming *in)
{
        uint64_t limit_msec = MIN(in->rule->timeout_usec, LIMIT_TIMEOUT_USEC) / USEC_PER_MSEC;
        uint64_t ttl_msec = MIN(in->ttl_msec, limit_msec), deadline;
        uint64_t lag_msec = mqtt_get_lag(calls->core->cloud, in->now) / USEC_PER_MSEC;
        Call *call = NULL;
        int r;

        if (lag_msec >= ttl_msec) {
                refuse(calls, in, "late",
                       make_error(MQTTRPC_ERROR_TIMEOUT,
                                  "the link to the bridge has stalled, and the time of the call "
                                  "may be over",
                                  "no"));
                return;
        }
        ttl_msec -= lag_msec;
        deadline = in->now + ttl_msec * USEC_PER_MSEC;
        if (!in->request.notification) {
                call = call_new(calls, in, deadline);
                if (!call) {
                        refuse(calls, in, "failed",
                               make_error(MQTTRPC_ERROR_INTERNAL, "out of memory", "no"));
                        return;
                }
        }
        r = publish_down(calls, in, call ? call->number : ++calls->next_number, ttl_msec);
        if (r < 0) {
                if (call)
                        forget(calls, call);
                refuse(calls, in, "unavailable",
                       make_error(MQTTRPC_ERROR_UNAVAILABLE,
                                  "the local broker does not take the call now", "no"));
                return;
        }
        calls->core->stats.calls++;
        if (call)
                calls->wake_usec = MIN(calls->wake_usec, deadline);
        else
                audit(calls, &in->topic, "notified", 0, false, 0);
}

static void take_request(DownCall *calls, Incoming *in)
{
        if (!check_form(calls, in) || !check_time(calls, in) || !check_policy(calls, in))
                return;
        if (!calls->core->local_ready) {
                refuse(calls, in, "unavailable",
                       make_error(MQTTRPC_ERROR_UNAVAILABLE,
                                  "the bridge has no connection to the local broker", "no"));
                return;
        }
        if (check_room(calls, in))
                hand_on(calls, in);
}

void down_call_take(DownCall *calls, const MqttMessage *message)
{
        static const char default_token[] = "reply";
        Incoming in = {
                .message = message,
                .rest = topic_below(message->topic, calls->core->policy->prefix),
                .token = {default_token, strlen(default_token)},
                .ttl_msec = UINT64_MAX,
                .now = clock_now(),
        };

        if (!in.rest || topic_parse(in.rest, &in.topic) < 0 ||
            (in.topic.kind != TOPIC_CALL && in.topic.kind != TOPIC_RPC)) {
                calls->core->stats.foreign++;
                core_complain(calls->core, "the cloud sends to a topic that is not for the bridge");
                return;
        }
        take_request(calls, &in);
        request_done(&in.request);
}

/* ---- answers ---- */

static Call *find_call(DownCall *calls, uint64_t number)
{
        Call *call;

        HASH_FIND(hh, calls->calls, &number, sizeof(number), call);
        return call;
}

/* Ends a call with an error of our own; `verdict` for the audit. */
static void end_with_error(DownCall *calls, Call *call, const char *verdict,
                           const RequestError *error)
{
        audit(calls, &call->topic, verdict, error->code, false, clock_now() - call->start_usec);
        send_error(calls, call->rest, (Span){call->token, strlen(call->token)}, call->id, call->qos,
                   call->correlation, call->correlation_length, error);
        forget(calls, call);
}

static int error_code_of(const char *rc)
{
        return rc ? (int)strtol(rc, NULL, 10) : 0;
}

static void pass_answer(DownCall *calls, Call *call, const MqttMessage *message, bool final)
{
        uint64_t now = clock_now(), left = call->deadline_usec - now;
        MqttPair pairs[] = {{"rc", message->rc}};
        MqttPublish publish = {.payload = message->payload,
                               .length = message->length,
                               .qos = call->qos,
                               .correlation = call->correlation,
                               .correlation_length = call->correlation_length,
                               .expiry_sec = (uint32_t)((left + USEC_PER_SEC - 1) / USEC_PER_SEC),
                               .pairs = pairs,
                               .n_pairs = ARRAY_SIZE(pairs)};
        RequestError error;
        int r;

        r = send_up(calls, call->rest, (Span){call->token, strlen(call->token)}, &publish);
        if (r == -EMSGSIZE && final) {
                error = make_error(MQTTRPC_ERROR_TOO_LARGE,
                                   "the answer is larger than the cloud takes", "yes");
                end_with_error(calls, call, "size", &error);
                return;
        }
        if (!final)
                return;
        audit(calls, &call->topic, r < 0 ? "unsent" : "done", error_code_of(message->rc), false,
              now - call->start_usec);
        forget(calls, call);
}

/* Whether it is at the topic that belongs to the call: our Correlation Data alone is no proof. */
static bool belongs(const Call *call, const Topic *topic)
{
        const Topic *asked = &call->topic;

        return topic->service.length == asked->service.length &&
               memcmp(topic->service.at, asked->service.at, asked->service.length) == 0 &&
               topic->object.length == asked->object.length &&
               memcmp(topic->object.at, asked->object.at, asked->object.length) == 0 &&
               topic->name.length == asked->name.length &&
               memcmp(topic->name.at, asked->name.at, asked->name.length) == 0;
}

void down_call_take_answer(DownCall *calls, const char *rest, const Topic *topic,
                           const MqttMessage *message)
{
        uint64_t number;
        Call *call = NULL;

        if (message->correlation_length == sizeof(number) && !message->retain) {
                memcpy(&number, message->correlation, sizeof(number));
                call = find_call(calls, number);
        }
        if (!call || !belongs(call, topic) || clock_now() >= call->deadline_usec) {
                calls->core->stats.late++;
                return;
        }
        pass_answer(calls, call, message, request_is_final(message->payload, message->length));
}

void down_call_on_published(DownCall *calls, uint64_t number, int reason)
{
        Call *call = find_call(calls, number);
        RequestError error;

        if (!call || (reason < 0x80 && reason != 0x10))
                return;
        if (reason == 0x10)
                error = make_error(MQTTRPC_ERROR_UNAVAILABLE, "there is no such service", "no");
        else if (reason == 0x87)
                error = make_error(MQTTRPC_ERROR_ACCESS_DENIED,
                                   "the local broker does not let the bridge make this call", "no");
        else
                error = make_error(MQTTRPC_ERROR_UNAVAILABLE, "the local broker refuses the call",
                                   "no");
        end_with_error(calls, call, "failed", &error);
}

void down_call_on_local_down(DownCall *calls)
{
        RequestError error = make_error(MQTTRPC_ERROR_UNAVAILABLE,
                                        "the connection to the local broker is lost", "maybe");
        Call *call, *next;

        HASH_ITER (hh, calls->calls, call, next)
                end_with_error(calls, call, "lost", &error);
}

void down_call_on_cloud_down(DownCall *calls)
{
        Call *call, *next;

        HASH_ITER (hh, calls->calls, call, next) {
                audit(calls, &call->topic, "cloud-lost", 0, false, clock_now() - call->start_usec);
                forget(calls, call);
        }
}

/* ---- time ---- */

static void time_out(DownCall *calls, Call *call)
{
        RequestError error = make_error(MQTTRPC_ERROR_TIMEOUT,
                                        "no answer within the time of the policy", "maybe");

        if (!call->timed) {
                end_with_error(calls, call, "timeout", &error);
                return;
        }
        audit(calls, &call->topic, "timeout", error.code, false, clock_now() - call->start_usec);
        forget(calls, call);
}

uint64_t down_call_process(DownCall *calls, uint64_t now)
{
        Call *call, *next;

        if (now < calls->wake_usec)
                return calls->wake_usec;
        calls->wake_usec = USEC_INFINITY;
        HASH_ITER (hh, calls->calls, call, next) {
                if (call->deadline_usec <= now)
                        time_out(calls, call);
                else
                        calls->wake_usec = MIN(calls->wake_usec, call->deadline_usec);
        }
        return calls->wake_usec;
}
