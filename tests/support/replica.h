/* SPDX-License-Identifier: MIT */
#pragma once

/* A D-Bus service, and beside it the same by way of MQTT. A gateway shows the service on MQTT by
 * its shipped mapping; what is there to be seen is recorded, and the gateway stopped. A program on
 * MQTT (native-replica.c) then is what was recorded, and another gateway offers it on a second bus,
 * by the same mapping with provider mqtt and the introspection of the service. */

#include "tests/support/dbus-daemon.h"

typedef struct Replica Replica;

/* A call whose result is recorded. `object` NULL: the array ends. */
typedef struct ReplicaCall {
        const char *object;
        const char *method;
        const char *params; /* JSON; NULL: none */
} ReplicaCall;

/* A method that sets a property to its first argument, or a property that is secret and has to be
 * asked for. `object` NULL: the array ends. */
typedef struct ReplicaMember {
        const char *object;
        const char *method;
        const char *property;
} ReplicaMember;

typedef struct ReplicaOptions {
        const char *mapping;        /* the name of a file of mappings/ */
        const char *const *changes; /* texts of it to replace, for recording and for both; pairs */
        const char *const *facade;  /* the same for the facade alone; NULL: none */
        const char *service;        /* in topics */
        const char *bus_name;       /* on D-Bus */
        const char *const *objects; /* names in topics, to be waited for */
        const ReplicaCall *calls;   /* NULL: none, as the others */
        const ReplicaMember *sets;
        const ReplicaMember *secrets;
} ReplicaOptions;

/* The service must be there, or be started by a call. Fails the test if something does not work. */
Replica *replica_new(TempDir *dir, DbusDaemon *legacy, const ReplicaOptions *options);
/* Accepts NULL, returns NULL. */
Replica *replica_free(Replica *replica);
DEFINE_CLEANUP(Replica *, replica_free, cleanup_replica)
#define CLEANUP_REPLICA CLEANUP(cleanup_replica)

/* Where the facade is. Borrowed. */
DbusDaemon *replica_get_bus(Replica *replica);
