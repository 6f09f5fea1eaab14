/* SPDX-License-Identifier: MIT */
#pragma once

/* One mapped D-Bus service on MQTT, from the bus name on one side to the service with its presence,
 * objects, properties and signals on the other.
 *
 * An entry of the mapping is an ExposeType: it keeps what is learned about its members by
 * introspection, which is forgotten when the owner of the name changes, since the next one may be
 * another version. What exists is an ExposeObject, an instance of a type, made when the owner
 * appears or the object is found, and gone with either. Nothing here outlives the owner but types.
 *
 *   expose.c           life; who owns the name, and what `$state` says of it
 *   expose-type.c      introspection of an entry
 *   expose-object.c    objects: which there are, and their `$meta`
 *   expose-walk.c      finding them by introspection of the tree
 *   expose-fetch.c     asking for values, few at a time
 *   expose-property.c  values on their way to MQTT, and what the service says of them
 *   expose-due.c       what has to wait: coalescing and polling
 *   expose-signal.c    what the service emits
 *   expose-call.c      the way of a call; expose-set.c that of prop.get and its like
 *
 * Callbacks of D-Bus and timers enter here; nothing waits. */

#include <mqttrpc/mqttrpc.h>

#include "common/json-scan.h"
#include "common/log-limit.h"
#include "gateway/dbus-link.h"
#include "gateway/mapping.h"
#include "gateway/usage.h"

typedef struct Expose Expose;
typedef struct ExposeCall ExposeCall;
typedef struct ExposeDue ExposeDue;
typedef struct ExposeFetch ExposeFetch;
typedef struct ExposeObject ExposeObject;
typedef struct ExposeWalk ExposeWalk;

/* Working memory that all services share, since only one conversion runs at a time. */
typedef struct ExposeScratch {
        JsonDoc doc;
        Buffer buffer;
} ExposeScratch;

/* An entry of the mapping, and what its service says about it. */
typedef struct ExposeType {
        Expose *expose;
        MappingObject *mapping;
        bool wants_introspection; /* the mapping leaves something open */
        bool is_known;            /* introspection of the present owner has been applied */
        bool was_known;           /* that of any owner */
        char *path;               /* of the object that is asked; owned */
        sd_bus_slot *query;       /* Introspect in flight */
        ExposeCall *waiting;      /* calls that wait for it */
        UT_hash_handle hh;        /* by `mapping` */
} ExposeType;

/* An object that exists. */
struct ExposeObject {
        Expose *expose;
        ExposeType *type;
        char *path;                          /* owned */
        char *name;                          /* in topics; owned */
        const MappingInterface **interfaces; /* those it has; owned, its items borrowed */
        size_t n_interfaces;
        unsigned n_fetches;     /* waiting and in flight */
        bool introspected;      /* was asked about its interfaces */
        bool fetched;           /* once at least, or there was nothing to fetch */
        bool announced;         /* has its $meta */
        bool is_missing;        /* the service says that there is no such object */
        ExposeDue *dues;        /* list */
        UT_hash_handle hh;      /* by `path` */
        UT_hash_handle hh_name; /* by `name` */
};

typedef struct ExposeStats {
        uint64_t calls;
        uint64_t errors;        /* calls that ended in one */
        uint64_t signals;       /* handed to the library, which counts those that it drops */
        uint64_t dropped;       /* that could not be handed to it, or were not the owner's */
        uint64_t activity_usec; /* CLOCK_MONOTONIC of the last call or signal; 0: none */
} ExposeStats;

struct Expose {
        MappingService *mapping; /* borrowed */
        const char *name;        /* in topics; borrowed */
        const char *bus_name;    /* borrowed */
        sd_event *event;         /* borrowed */
        DbusLink *link;          /* borrowed */
        MqttRpcBus *bus;         /* borrowed */
        ExposeScratch *scratch;  /* borrowed */
        Usage *usage;            /* borrowed; NULL: nobody counts */
        void (*on_presence)(void *userdata);
        void *userdata;
        MqttRpcSlot *registration;

        /* the owner */
        DbusWatch *watch;
        char *owner;              /* unique name; NULL: none */
        char *gateway;            /* that of a facade, which counts as none */
        bool owner_known;         /* the bus has said so */
        bool activatable;         /* the bus can start it */
        sd_bus_slot *owner_query; /* whether it is a facade; in flight */
        bool is_ready;            /* the first look at the present owner is over */
        int running;              /* what `$state` says: -1 nothing */
        sd_bus_slot *activatable_query;
        sd_bus_slot *activatable_match;
        sd_bus_slot *subscribing;     /* MappingService.subscribe in flight */
        sd_bus_slot *match;           /* of all that the service emits */
        sd_event_source *ready_timer; /* ends the first look at the latest */

        ExposeType *types;     /* hash */
        ExposeObject *objects; /* hash by path */
        ExposeObject *names;   /* the same by name */
        bool too_many;         /* objects: told once per owner */

        sd_bus_slot *managed; /* GetManagedObjects in flight */
        unsigned n_managers;  /* places that were asked */
        bool has_manager;     /* one has answered */
        ExposeWalk *walk;

        ExposeFetch *fetches;  /* list: waiting */
        ExposeFetch *fetching; /* list: in flight */
        unsigned n_fetching;

        ExposeDue *dues; /* list by time */
        sd_event_source *due_timer;

        ExposeCall *calls; /* list: in flight on D-Bus */
        unsigned n_calls;  /* in flight and waiting */
        bool description_is_old;
        ExposeStats stats;
        LogLimit log_limit; /* for what the service sends */
};

/* ---- expose.c ---- */

typedef struct ExposeOptions {
        MappingService *mapping;
        sd_event *event;
        DbusLink *link;
        MqttRpcBus *bus;
        ExposeScratch *scratch;
        Usage *usage; /* NULL: nobody counts */
        /* Who owns the name, or whether it can be started, may be another matter now. Must not free
         * the Expose. NULL: nobody wants to know. */
        void (*on_presence)(void *userdata);
        void *userdata;
} ExposeOptions;

/* Registers the service. Everything borrowed must outlive it. On failure the error says why. */
int expose_new(const ExposeOptions *options, Expose **ret_expose, Error **ret_error);
/* Takes the service off both sides; calls in flight are answered with UNAVAILABLE. */
Expose *expose_free(Expose *expose);
/* To be called when the link is connected, is lost, or cannot be had. */
void expose_on_link(Expose *expose, bool connected);

/* Whether the bus has said that the name has no owner; whether a call would start one. */
bool expose_is_gone(const Expose *expose);
bool expose_can_start(const Expose *expose);

/* Looks whether the first look at a new owner is over; to be called when a part of it is. */
void expose_check_ready(Expose *expose);
/* Logs what the service has caused, not more often than limits.h says. */
void expose_warn(Expose *expose, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A call of a method of the service, which does not start it. `path`, `interface`, `member` as on
 * D-Bus; the caller appends the arguments. -ENOTCONN. */
int expose_new_message(Expose *expose, const char *path, const char *interface, const char *member,
                       sd_bus_message **ret_message);
/* Whether an answer comes from the present owner, or from the bus itself. */
bool expose_is_current(const Expose *expose, sd_bus_message *m);

/* ---- expose-type.c ---- */

int expose_type_add(Expose *expose, MappingObject *mapping);
ExposeType *expose_type_find(const Expose *expose, const MappingObject *mapping);
ExposeType *expose_type_free(ExposeType *type);
/* Forgets what the last owner has said. */
void expose_type_forget(ExposeType *type);
/* Asks the service for the introspection of an object of the type, unless that is under way;
 * `start` allows that to start the service. */
int expose_type_introspect(ExposeType *type, const char *path, bool start);
/* Applies an introspection that has come. */
int expose_type_apply(ExposeType *type, const Introspection *introspection,
                      Diagnostics *diagnostics);
/* Whether something in it cannot be used before its introspection has come. */
bool expose_type_must_wait(const ExposeType *type);

/* ---- expose-object.c ---- */

/* Makes the objects that are always there, and looks for the others. */
void expose_objects_start(Expose *expose);
/* All go, with what is retained of them. */
void expose_objects_stop(Expose *expose);
ExposeObject *expose_object_find(const Expose *expose, const char *path);
ExposeObject *expose_object_find_name(const Expose *expose, const char *name);
/* An object has been found, with these D-Bus interfaces (NULL-terminated), or more of them: makes
 * it, fetches its values. `by` says how it was found. */
void expose_object_found(Expose *expose, const char *path, const char *const *interfaces,
                         MappingFind by);
/* For one that is heard of, by a signal; NULL if it is not mapped, or found in other ways. */
ExposeObject *expose_object_hear(Expose *expose, const char *path);
/* A signal of the service says that one is no more. */
void expose_object_gone(Expose *expose, const char *path);
bool expose_object_has(const ExposeObject *object, const MappingInterface *interface);
void expose_object_free(ExposeObject *object);
/* All that was asked for has come: it is announced, or goes. May free it. */
void expose_object_on_fetched(ExposeObject *object);
/* The types of the type are known: its objects' values can be fetched. */
void expose_objects_on_type(ExposeType *type);
/* InterfacesAdded, InterfacesRemoved. */
void expose_object_on_added(Expose *expose, sd_bus_message *m);
void expose_object_on_removed(Expose *expose, sd_bus_message *m);

/* ---- expose-walk.c ---- */

/* Looks for objects of templates; `all` those of MAPPING_FIND_AUTO too. */
void expose_walk_start(Expose *expose, bool all);
/* Looks at one path, which may be of an object that is not known yet. */
void expose_walk_visit(Expose *expose, const char *path);
bool expose_walk_is_under_way(const ExposeWalk *walk);
ExposeWalk *expose_walk_free(ExposeWalk *walk);

/* ---- expose-fetch.c ---- */

/* Asks for all properties of an interface, or with `member` for one. Does nothing if that is to be
 * asked already. */
void expose_fetch(ExposeObject *object, const MappingInterface *interface, MappingMember *member);
/* Sends what there is room for. */
void expose_fetch_go_on(Expose *expose);
void expose_fetch_stop(ExposeObject *object);

/* ---- expose-property.c ---- */

/* Whether its value is kept by the broker. */
bool expose_property_is_retained(const MappingMember *member);
/* Whether there is anything to fetch in an interface. */
bool expose_property_wants_fetch(const MappingInterface *interface);
/* The value in the variant at the read position. Returns what the codec says. */
int expose_property_take(ExposeObject *object, MappingMember *member, sd_bus_message *m);
/* A dict of values a{sv} at the read position. */
int expose_property_take_all(ExposeObject *object, const MappingInterface *interface,
                             sd_bus_message *m);
void expose_property_on_changed(ExposeObject *object, sd_bus_message *m);
/* Begins to poll those that the mapping wants polled. */
void expose_property_start_polls(ExposeObject *object, const MappingInterface *interface);
/* Takes the values of an interface that has gone off MQTT. */
void expose_property_clear(ExposeObject *object, const MappingInterface *interface);

/* ---- expose-due.c ---- */

/* Sends a value or a signal, or keeps it while one of the same name was sent a moment ago; of
 * several that are kept the last one is sent. `text` is JSON. */
void expose_due_send(ExposeObject *object, MappingMember *member, const char *text, size_t length);
int expose_due_poll(ExposeObject *object, const MappingInterface *interface, MappingMember *member);
void expose_due_free_all(ExposeObject *object);
/* Forgets those of a member of that interface. */
void expose_due_free_interface(ExposeObject *object, const MappingInterface *interface);

/* ---- expose-signal.c ---- */

/* Subscribes to what the service emits, by one match rule. */
int expose_signal_start(Expose *expose);

/* ---- expose-call.c ---- */

/* The handler of the service's requests; `userdata` is the Expose. */
int expose_call_on_request(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error);
/* Introspection has come, or has failed with `error` (else NULL): the waiting calls go on. */
void expose_call_resume(ExposeType *type, const sd_bus_error *error);
/* Answers all calls of the service with UNAVAILABLE. */
void expose_call_end_all(Expose *expose);

/* ---- expose-set.c ---- */

bool expose_set_is_method(const char *method);
/* prop.get, prop.getall, prop.set, prop.set.{name} of an object whose types are known. */
int expose_set_on_request(Expose *expose, MqttRpcRequest *request, const MappingObject *mapping,
                          const char *path, MqttRpcError **ret_error);
