/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls written down in a JSON file, to be made again, and what they are to be answered with:
 *
 *         { "calls": [
 *           { "path": "/org/example/A", "interface": "org.example.A", "method": "Add",
 *             "signature": "ii", "args": [1, 2],
 *             "reply": { "signature": "i", "args": [3] } },
 *           { "path": "/org/example/A", "interface": "org.example.A", "method": "Fail",
 *             "error": "org.example.Error.Failed" } ] }
 *
 * Values are JSON as in protocol section 9, bytes (ay) as arrays of numbers. */

#include "common/buffer.h"
#include "common/diagnostics.h"
#include "gateway/codec/type.h"
#include "gateway/snapshot.h"

/* Arguments, of a call or of a reply. */
typedef struct RecordedArgs {
        char *signature; /* owned; NULL: none */
        char *values;    /* owned; a JSON array; NULL: none */
} RecordedArgs;

typedef struct RecordedCall {
        char *path; /* owned, as all strings */
        char *interface;
        char *method;
        RecordedArgs args;
        RecordedArgs reply;
        bool has_reply;
        char *error; /* the name of the error that is expected; NULL: none */
} RecordedCall;

typedef struct RecordedCalls {
        RecordedCall *items; /* owned */
        size_t count;
} RecordedCalls;

void recorded_calls_done(RecordedCalls *calls);
#define CLEANUP_RECORDED_CALLS CLEANUP(recorded_calls_done)

/* Reads a file. `expected`: each call must say how it is to be answered. -EINVAL, reported. */
int recorded_calls_load(const char *path, bool expected, Diagnostics *diagnostics,
                        RecordedCalls *ret_calls);

/* Makes a call and appends what it is answered with: as value_text_message() writes a reply, or
 * "error NAME". Fails as peer_call(), or with -EINVAL for arguments that do not fit. */
int recorded_call_make(const RecordedCall *call, Peer *peer, Buffer *out, Error **ret_error);

/* Appends in the same form what the file expects. `bus` is only asked for a message to write to. */
int recorded_call_write_expected(const RecordedCall *call, sd_bus *bus, Buffer *out,
                                 Error **ret_error);
