/* SPDX-License-Identifier: MIT */
#pragma once

/* A mapped service as the gateway's own service tells of it. */

#include "gateway/emit-json.h"
#include "gateway/expose.h"
#include "gateway/facade.h"
#include "gateway/provider.h"

#define OWN_STATE_LOOP "loop"

/* Or a family of them. All borrowed; what is NULL or -1 is not known, or not there. */
typedef struct OwnInstance {
        const MappingService *mapping;
        const char *name; /* in topics */
        const char *bus;  /* address, as in settings */
        const char *bus_name;
        const char *state; /* a word, see below */
        const char *owner; /* unique name on D-Bus */
        unsigned n_objects;
        unsigned n_calls; /* in flight */
        ExposeStats stats;
        uint64_t wrongly_typed, denied; /* see FacadeStats */
        bool is_family;                 /* no service by itself: its members are listed, too */
} OwnInstance;

typedef void (*OwnInstanceHandler)(const OwnInstance *instance, void *userdata);

/* What an Expose is at the moment. Its state: "running", "starting" (its owner is being looked at,
 * or the bus has not said yet who that is), "stopped" (a call starts it), "unavailable" (it does
 * not run, and no call starts it), "loop" (a gateway has its name, and offers there what it has
 * from MQTT), "disconnected" (its D-Bus is away). */
void own_instance_of_expose(const Expose *expose, OwnInstance *ret_instance);
/* A family: "watching" for names, or "disconnected". */
void own_instance_of_family(const MappingService *family, const DbusLink *link,
                            OwnInstance *ret_instance);
/* A facade: facade_state_name(), "conflict" (a daemon has failed, since the gateway has its name),
 * or "disconnected". */
void own_instance_of_facade(const Facade *facade, OwnInstance *ret_instance);
/* What either side may provide: provider_state_name(). `expose` is NULL while D-Bus does not; the
 * counts are those of both. */
void own_instance_of_either(const Expose *expose, const Facade *facade, ProviderState state,
                            OwnInstance *ret_instance);

/* Emits the members of one; the object is the caller's. `now` is CLOCK_MONOTONIC. */
void own_instance_emit(EmitJson *emit, const OwnInstance *instance, uint64_t now);
/* "dbus", "mqtt", "auto". */
const char *own_provider_name(MappingProvider provider);
/* Numbers and times as the own service tells them. */
void own_emit_text(EmitJson *emit, const char *key, const char *text);
void own_emit_count(EmitJson *emit, const char *key, uint64_t count);
void own_emit_seconds(EmitJson *emit, const char *key, uint64_t since, uint64_t now);
