/* SPDX-License-Identifier: MIT */
#pragma once

/* Own calls that wait for their end, and how one is started. The table of them is call.c's. */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/service.h"

/* What to send and whom to tell; all borrowed. */
typedef struct CallRequest {
        const char *service;
        const char *object;
        const char *method;
        const char *params;    /* NULL: none */
        uint64_t timeout_usec; /* 0: the default */
        uint64_t idle_usec;    /* 0: no such time-out */
        MqttRpcCallFlags flags;
        bool notification;                       /* ends when the broker has taken it */
        const MqttRpcOrigin *origin;             /* NULL: the caller calls for itself */
        MqttRpcProgressHandler progress_handler; /* NULL: progress is not wanted */
        MqttRpcReplyHandler handler;
        void *userdata;
} CallRequest;

struct PendingCall {
        MqttRpcSlot slot;  /* first: a slot is a call */
        Deadline deadline; /* the end of the time, or before it that of patience without progress */
        uint64_t end_usec;
        uint64_t idle_usec; /* 0: no limit */
        uint64_t seq;       /* of the last progress */
        uint64_t counter;   /* of its id; the key */
        UT_hash_handle hh;
        MqttRpcProgressHandler progress_handler; /* NULL: it is not wanted */
        MqttRpcReplyHandler handler;
        void *userdata;
        int qos;
        bool notification;
        char epoch[SERVICE_EPOCH_LENGTH + 1]; /* of the service it was sent to; "": not known */
        TextSpan service;                     /* in `topic` */
        size_t topic_length;
        char topic[]; /* of the request */
};

/* Sends the request and adds it to the table. Failures as those of mqttrpc_call_async(). */
int call_start(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const CallRequest *request,
               MqttRpcError **ret_error);

/* Sends it without waiting for anything. Failures as those of mqttrpc_notify(). */
int call_start_notification(MqttRpcBus *bus, const CallRequest *request, MqttRpcError **ret_error);

/* Begins the time without progress anew. */
void call_restart_idle(PendingCall *call);

/* NULL unless the slot is that of a call that waits for a reply. */
PendingCall *call_find_by_slot(MqttRpcSlot *slot);
int call_write_id(const PendingCall *call, Buffer *buffer);
/* Sends a notification to the object that was called, in the order of the call. Failures as those
 * of mqttrpc_notify(). */
int call_notify(const PendingCall *call, const char *method, const char *params);
