/* SPDX-License-Identifier: MIT */
#pragma once

/* An object of an own service: its vtable, if it has one, and what is published of it and retained
 * by the broker: properties and $meta. All that is published is kept here, so that it can be
 * published again on the next connection; what could not be sent is dirty and goes out when there
 * is room. */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/vtable.h"

typedef struct Object Object;

/* A published property. */
typedef struct Property {
        char *value; /* JSON text; owned; NULL: to be cleared, or not asked for yet */
        uint32_t length;
        bool dirty; /* the broker has another value, or none */
        bool sent;  /* on this connection, some value */
        char name[];
} Property;

/* Counts the signals of one name. */
typedef struct SignalCounter {
        uint64_t count;
        struct SignalCounter *next;
        char name[];
} SignalCounter;

struct Object {
        MqttRpcSlot slot;             /* first: a slot is an object; unused without a vtable */
        Service *service;             /* a reference */
        const MqttRpcMember *members; /* the vtable as given; borrowed; NULL: there is none */
        Vtable vtable;
        void *userdata;
        Property **properties; /* owned; in the order of names */
        size_t n_properties;
        SignalCounter *signals; /* owned */
        bool detached;          /* no longer in its service */
        bool announced;         /* has $meta */
        bool meta_dirty;
        bool dirty;       /* something in it is, and the service counts it */
        char *interfaces; /* JSON array; owned; NULL: from the vtable */
        UT_hash_handle hh;
        char name[];
};

/* NULL: there is none. */
Object *object_find(const Service *service, const char *name, size_t length);
/* Without a vtable. -ENOMEM. */
int object_new(Service *service, const char *name, Object **ret_object);
/* Takes it out of its service; it is still to be freed. */
void object_detach(Object *object);
Object *object_free(Object *object);

/* Keeps a value and publishes it if it is another one; NULL: clears it. -EMSGSIZE, -ENOMEM. */
int object_put(Object *object, const char *property, const char *value, size_t length);
/* The kept property; NULL. */
Property *object_find_property(const Object *object, const char *name, size_t length);
/* Asks the vtable for the properties it publishes. */
void object_refresh(Object *object);

/* Something of it, or all, has to be published (again). */
void object_set_dirty(Object *object);
void object_set_all_dirty(Object *object);
/* Publishes what is dirty, as far as there is a connection and room: 0 when nothing is left. */
int object_flush(Object *object);
/* Clears $meta and all properties at the broker. */
void object_clear(Object *object);
/* Counts the next signal of that name; 0 without memory. */
uint64_t object_count_signal(Object *object, const char *name);

/* ---- property.c ---- */

/* The present value of a vtable property, appended to `buffer`, checked against its type. */
int property_get(Object *object, const VtableProperty *property, Buffer *buffer,
                 MqttRpcError **ret_error);
/* Publishes what has become of it, or tells that it has changed. */
int property_refresh(Object *object, const VtableProperty *property);
/* prop.get, prop.getall, prop.set, prop.set.{name} of an object with a vtable. */
int property_call(Object *object, MqttRpcRequest *request, MqttRpcError **ret_error);

/* ---- signal.c ---- */

int signal_send(Object *object, const char *name, const char *params, size_t length, int qos);
/* Signals that wait go out, as far as there is room. */
void outbox_flush(MqttRpcBus *bus);
Outbox *outbox_free(Outbox *outbox);
