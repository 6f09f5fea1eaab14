/* SPDX-License-Identifier: MIT */
#pragma once

/* A request that waits for D-Bus, and its errors: what expose-call.c and expose-set.c share. */

#include "gateway/expose.h"

struct ExposeCall {
        Expose *expose;
        MqttRpcRequest *request; /* a reference */
        MappingMember *member;   /* a reference; NULL while it waits for introspection */
        sd_bus_slot *slot;
        uint64_t deadline_usec;
        ExposeCall *prev, *next;

        /* prop.getall: the answer so far, and the interface that is asked */
        const MappingInterface *interface;
        char *path; /* owned */
        Buffer answer;
};

DEFINE_CLEANUP(MqttRpcError *, mqttrpc_error_free, rpc_error_cleanup)
#define CLEANUP_RPC_ERROR CLEANUP(rpc_error_cleanup)

/* Appends to the list, which is one of those in Expose and ExposeType. 0 or -ENOMEM. */
int expose_call_new(Expose *expose, MqttRpcRequest *request, ExposeCall **list,
                    ExposeCall **ret_call);
void expose_call_free(ExposeCall *call, ExposeCall **list);

/* Sends what belongs to a call in flight, with the time it has left; on failure the error is set
 * and the call is as it was. */
int expose_call_send(ExposeCall *call, sd_bus_message *m, sd_bus_message_handler_t handler,
                     MqttRpcError **ret_error);

int expose_call_error(MqttRpcError **ret_error, MqttRpcExecuted executed, int code,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* JSON that is not of the type; `r` and `why` are the codec's. */
int expose_call_explain_params(int r, const char *field, const Error *why,
                               MqttRpcError **ret_error);
int expose_call_explain_send(int r, const Expose *expose, MqttRpcError **ret_error);
/* Answers with an error of D-Bus. */
void expose_call_reply_failure(const ExposeCall *call, const sd_bus_error *dbus);
/* Counts what is about to be passed on to D-Bus; the names are those there. */
void expose_call_count(const Expose *expose, const MqttRpcRequest *request, UsageKind kind,
                       const MappingObject *object, const char *interface, const char *member);
