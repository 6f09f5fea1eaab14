/* SPDX-License-Identifier: MIT */
#pragma once

/* Progress of a request on its way to the answer (protocol section 6). Serving: what a handler
 * reports is sent at once, or held back for a moment and overwritten by what is newer. Calling:
 * what comes is passed to the caller's handler in the order of its numbers. */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/envelope.h"

/* Of a request in hand. */
typedef struct RequestProgress {
        uint64_t seq;       /* of the last one sent */
        uint64_t next_usec; /* when the next may go */
        Deadline due;       /* queued while a value is held back */
        Buffer held;
} RequestProgress;

/* Sends what is held back, before the answer. */
void progress_flush(MqttRpcRequest *request);
/* Forgets it; the request leaves the bus. */
void progress_drop(MqttRpcRequest *request);

/* Hands what has come for a pending call to its handler, in which the call may end. False if it was
 * not asked for, or comes too late or twice. */
bool progress_take(PendingCall *call, const EnvelopeProgress *progress);
