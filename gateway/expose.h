/* SPDX-License-Identifier: MIT */
#pragma once

/* One mapped D-Bus service on MQTT: registered with the MQTT bus as a service that takes all calls
 * below its name. Keeps what is learned about its objects at run time: introspection, which is
 * asked for when a call first needs it and forgotten when the service's owner changes, since the
 * next owner may be another version. The way of a call is in expose-call.c. */

#include <mqttrpc/mqttrpc.h>

#include "common/json-scan.h"
#include "common/log-limit.h"
#include "gateway/dbus-link.h"
#include "gateway/mapping.h"

typedef struct Expose Expose;
typedef struct ExposeCall ExposeCall;

/* Working memory that all services share, since only one conversion runs at a time. */
typedef struct ExposeScratch {
        JsonDoc doc;
        Buffer buffer;
} ExposeScratch;

/* An object of the mapping, and what its service says about it. */
typedef struct ExposeObject {
        Expose *expose;
        MappingObject *mapping;
        bool wants_introspection; /* the mapping leaves something open */
        bool is_known;            /* introspection of the present owner has been applied */
        bool was_known;           /* that of any owner */
        sd_bus_slot *query;       /* Introspect in flight */
        ExposeCall *waiting;      /* calls that wait for it */
        UT_hash_handle hh;        /* by `mapping` */
} ExposeObject;

struct Expose {
        MappingService *mapping; /* borrowed */
        DbusLink *link;          /* borrowed */
        ExposeScratch *scratch;  /* borrowed */
        MqttRpcSlot *registration;
        DbusWatch *watch;
        ExposeObject *objects; /* hash */
        ExposeCall *calls;     /* list: in flight on D-Bus */
        unsigned n_calls;      /* in flight and waiting */
        LogLimit log_limit;    /* for what the service sends */
};

/* Registers the service. Everything borrowed must outlive it. On failure the error says why. */
int expose_new(MappingService *mapping, DbusLink *link, MqttRpcBus *bus, ExposeScratch *scratch,
               Expose **ret_expose, Error **ret_error);
/* Takes the service off both sides; calls in flight are answered with UNAVAILABLE. */
Expose *expose_free(Expose *expose);

/* ---- expose-call.c ---- */

/* The handler of the service's requests; `userdata` is the Expose. */
int expose_call_on_request(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error);
/* Introspection has come, or has failed with `error` (else NULL): the waiting calls go on. */
void expose_call_resume(ExposeObject *object, const sd_bus_error *error);
/* Answers all calls of the service with UNAVAILABLE. */
void expose_call_end_all(Expose *expose);

/* ---- between the two files ---- */

/* Logs what the service has caused, not more often than limits.h says. */
void expose_warn(Expose *expose, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Asks the service for the object's introspection, unless that is under way; `start` allows that to
 * start the service. */
int expose_introspect(ExposeObject *object, bool start);
