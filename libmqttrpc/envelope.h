/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON-RPC 2.0 objects (protocol section 3): a scanned text to its parts, and parts to a text.
 * Pure. Ids are kept as the raw JSON token, quotes included, so that they go back as they came. */

#include "common/json-scan.h"
#include "libmqttrpc/error.h"
#include "libmqttrpc/topic.h"

typedef struct EnvelopeRequest {
        bool notification; /* no `id` at all */
        TextSpan id;       /* the raw token; "null" when it is there but cannot be used, or when
                            * this is no object; empty for a notification */
        uint32_t method;   /* node; 0: absent */
        uint32_t params;   /* node; 0: absent */
        uint64_t ttl_msec; /* from "x"; UINT64_MAX: absent */
        uint32_t epoch;    /* node, from "x"; 0: absent */
        bool progress;     /* wanted, says "x" */
} EnvelopeRequest;

typedef struct EnvelopeResponse {
        uint32_t id;     /* node */
        uint32_t result; /* node; 0 for an error response */
        uint32_t error;  /* node; 0 for a result */
} EnvelopeResponse;

typedef struct EnvelopeProgress {
        uint32_t id;    /* node */
        uint32_t value; /* node */
        uint64_t seq;
} EnvelopeProgress;

extern const TextSpan envelope_null_id;

/* Takes the request at `node` apart. On failure the negative errno of INVALID_REQUEST, and
 * ret_request->id and notification say what can be answered. */
int envelope_read_request(const JsonDoc *doc, uint32_t node, EnvelopeRequest *ret_request,
                          MqttRpcError **ret_error);

/* Takes a response apart: -EPROTO unless it has a string id and either a result or an error. */
int envelope_read_response(const JsonDoc *doc, EnvelopeResponse *ret_response);

/* True if it is no response but the notification rpc.progress, well-formed or not. */
bool envelope_is_progress(const JsonDoc *doc);
/* Takes one apart: -EPROTO unless it has id, seq (from 1) and value. */
int envelope_read_progress(const JsonDoc *doc, EnvelopeProgress *ret_progress);

/* The member "x": what a client without MQTT 5 properties has to say. */
typedef struct EnvelopeExtension {
        uint64_t ttl_msec;
        const char *epoch; /* "": none */
        bool progress;     /* is wanted */
} EnvelopeExtension;

/* `id` NULL: a notification. `params` NULL: none. `extension` NULL: none. */
int envelope_write_request(Buffer *buffer, const char *id, const char *method, const char *params,
                           const EnvelopeExtension *extension);
int envelope_write_result(Buffer *buffer, TextSpan id, const char *result, size_t length);
int envelope_write_error(Buffer *buffer, TextSpan id, const MqttRpcError *error);
int envelope_write_progress(Buffer *buffer, TextSpan id, uint64_t seq, const char *value,
                            size_t length);
