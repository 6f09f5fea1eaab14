/* SPDX-License-Identifier: MIT */
#pragma once

/* What is served on a bus: services, their objects with vtables, or a fallback for all; and the way
 * of a request to its handler. */

#include "libmqttrpc/arguments.h"
#include "libmqttrpc/bus.h"

/* Requests of one caller that a service has in hand. */
typedef struct CallerLoad {
        unsigned inflight;
        UT_hash_handle hh;
        char name[];
} CallerLoad;

typedef struct Method {
        const MqttRpcMember *member; /* borrowed: a line of the vtable */
        ArgumentList params;
} Method;

typedef struct Object {
        MqttRpcSlot slot; /* first: a slot is an object */
        Service *service;
        Method *methods;
        size_t n_methods;
        void *userdata;
        UT_hash_handle hh;
        char name[];
} Object;

typedef struct Fallback {
        MqttRpcSlot slot;
        Service *service;
        MqttRpcMethodHandler handler;
        void *userdata;
} Fallback;

enum { SERVICE_EPOCH_LENGTH = 16 };

struct Service {
        unsigned refs;   /* registrations and requests in hand */
        MqttRpcBus *bus; /* NULL once nothing is registered */
        Object *objects; /* hash by name */
        Fallback *fallback;
        CallerLoad *loads; /* hash by name: callers with requests in hand */
        unsigned inflight;
        uint64_t inflight_bytes;
        char epoch[SERVICE_EPOCH_LENGTH + 1]; /* of this incarnation */
        UT_hash_handle hh;
        char name[];
};

Service *service_find(MqttRpcBus *bus, TextSpan name);
Service *service_ref(Service *service);
Service *service_unref(Service *service);

/* Counts a request in; NULL without memory. */
CallerLoad *service_take(Service *service, TextSpan caller, size_t size);
/* Counts it out. */
void service_give_back(Service *service, CallerLoad *load, size_t size);
/* True if the caps allow one more request of that caller. */
bool service_has_room(const Service *service, const MqttRpcBus *bus, TextSpan caller);

/* Hands the request to its handler and sees to it that it is answered or held. Consumes the
 * caller's reference. */
void service_dispatch(Service *service, MqttRpcRequest *request);
