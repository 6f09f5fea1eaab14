/* SPDX-License-Identifier: MIT */
#pragma once

/* A request in a service's hands: from dispatch until its answer, its deadline, or the loss of the
 * connection it came by. It owns copies of all it was made from, so that a handler may keep it. */

#include "libmqttrpc/borrowed.h"
#include "libmqttrpc/bus.h"
#include "libmqttrpc/progress.h"
#include "libmqttrpc/service.h"

typedef struct Batch Batch;

/* Where a response goes. In a request or batch the strings are its own. */
typedef struct ReplyAddress {
        const char *topic; /* the request's topic and the token */
        const void *correlation;
        size_t correlation_length;
        int qos;
        uint64_t generation; /* of the connection: a reply never leaves by another one */
} ReplyAddress;

/* What a request is made from; all borrowed. */
typedef struct RequestParts {
        Service *service;
        TextSpan object;
        TextSpan method;
        TextSpan caller;
        TextSpan id;  /* raw token; empty for a notification */
        TextSpan key; /* for recognizing duplicates; empty: cannot be recognized */
        TextSpan params;
        uint64_t key_hash;
        ReplyAddress address;
        uint64_t deadline_usec;
        bool own_deadline; /* ours, not the caller's: its end is answered with TIMEOUT */
        bool generic;
        bool keep_response; /* for duplicates that come after the answer */
        bool wants_progress;
        unsigned hops;
        TextSpan dbus_sender; /* for whom a gateway calls; empty: it does not say */
        TextSpan dbus_uid;
        Batch *batch;
        unsigned batch_index;
} RequestParts;

struct MqttRpcRequest {
        unsigned refs;
        MqttRpcBus *bus; /* NULL once it is answered, expired, or the bus has gone */
        Service *service;
        CallerLoad *load;
        Deadline deadline;
        MqttRpcRequest *key_previous, *key_next; /* in one of bus->requests */
        MqttRpcRequest *previous, *next;
        MqttRpcRequest *caller_previous, *caller_next; /* in the list of the load */
        RequestParts parts; /* the spans point into text[], each followed by a NUL */
        size_t size;
        RequestProgress progress;
        bool sensitive; /* the response is not kept */
        bool expired;
        bool cancelled; /* its caller wants no answer any more */
        bool withdrawn; /* and has got one instead of the handler's */
        MqttRpcCancelHandler cancel_handler;
        void *cancel_userdata;
        JsonDoc doc;         /* of params, at the first use */
        struct cJSON *value; /* likewise */
        BorrowedList borrowed;
        char *checked_params; /* once they fit the method's declaration: in its order */
        size_t checked_length;
        char *property; /* what prop.set is about; owned; NULL: another method */
        char text[];
};

/* The one with that key that waits for an answer, or NULL. `hash` is hash_bytes() of the key. */
MqttRpcRequest *request_find(const MqttRpcBus *bus, TextSpan key, uint64_t hash);

int request_new(MqttRpcBus *bus, const RequestParts *parts, MqttRpcRequest **ret_request);

/* 0 if it can still be answered, else what mqttrpc_request_reply() returns. */
int request_check_open(const MqttRpcRequest *request);

/* The answer goes by another connection than the one the request came by: it was repeated there. */
void request_move(MqttRpcRequest *request, uint64_t generation);

/* Answers CANCELLED in the place of the handler, who is still working on it. */
void request_withdraw(MqttRpcRequest *request);

/* Checks the params against a declaration, and puts them in its order. INVALID_PARAMS. */
int request_check_params(MqttRpcRequest *request, const ArgumentList *params,
                         MqttRpcError **ret_error);
/* Makes it the setting of a property; `params` is [value], checked, and moves in. */
int request_set_property(MqttRpcRequest *request, const char *name, Buffer *params);

/* Publishes a response; -ENOTCONN when the connection is not the one of the address. */
int reply_send(MqttRpcBus *bus, const ReplyAddress *address, const char *response, size_t length,
               int code);
