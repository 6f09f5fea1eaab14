/* SPDX-License-Identifier: MIT */
#pragma once

/* What the bridge has to know of a request from the cloud and of an answer to it: never more than
 * the envelope (protocol section 3). Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/names.h"
#include "common/buffer.h"

typedef struct Request {
        bool notification;
        char *id; /* the raw token, owned; "null" if it cannot be read; NULL for a notification */
        uint64_t ttl_msec; /* from "x"; UINT64_MAX: none */
} Request;

/* 0; -EBADMSG: not JSON; -EINVAL: no request. On failure `id` is set all the same. */
int request_read(const void *payload, size_t length, Request *ret_request);
void request_done(Request *request);

/* The user property `ttl`: milliseconds, UINT64_MAX if there is none or it is no number. */
uint64_t request_parse_ttl(const char *text);

/* The reply address rule (protocol section 4): from {svc} on, `response` must be `rest`, which is
 * the request's topic from {svc} on, plus one level. 0 and that level, or -EPERM. */
int request_reply_token(const char *rest, const char *response, Span *ret_token);

/* Whether an answer is the last one, and not rpc.progress. */
bool request_is_final(const void *payload, size_t length);

typedef struct RequestError {
        int code;
        const char *name; /* of the code */
        const char *message;
        const char *executed;      /* "no", "maybe" */
        uint64_t retry_after_msec; /* 0: not said */
} RequestError;

int request_write_error(Buffer *buffer, const char *id, const RequestError *error);
