/* SPDX-License-Identifier: MIT */
#pragma once

/* A service that MQTT provides, on D-Bus under its well-known name: the mirror image of expose.h,
 * by the same mapping and the same codec. All types are in the mapping, or in the introspection
 * file beside it, so D-Bus clients find the objects as they were when a daemon had them.
 *
 * The name is requested when the service is ready and all that is retained of it has come, so that
 * nobody meets a half of it. It is kept when the service goes, because to let it go would start the
 * daemon that the bus has a file for: callers get ServiceUnknown at once. It is requested with
 * ALLOW_REPLACEMENT: a daemon that takes it has won, until it goes. Where either side may provide
 * the service (FacadeOptions.queue), the facade then waits in the bus's queue for the name, so that
 * there is no moment without an owner in which a call would start the daemon again; and it lets a
 * daemon have the name that waits in that queue itself.
 *
 * Messages come by one filter of the connection, which is the facade's own, and not by vtables of
 * sd-bus: those are static and answer from within the call, but mappings are read at run time,
 * properties may have to be fetched, objects come and go, and what D-Bus sees of them shall not
 * depend on how sd-bus writes introspection. org.freedesktop.DBus.Peer is left to sd-bus.
 *
 *   facade.c            life: the service's presence, and the state that follows
 *   facade-name.c       the name on D-Bus
 *   facade-object.c     objects: which there are; ObjectManager
 *   facade-introspect.c introspection
 *   facade-dispatch.c   what a message is about; the errors that clients know
 *   facade-access.c     who sends it, and whether he may
 *   facade-call.c       methods, and the setting of properties: the way of a call and back
 *   facade-property.c   values as they come, PropertiesChanged
 *   facade-fetch.c      answers that need values which are not retained
 *   facade-signal.c     signals
 *
 * What a service sends with other types than the mapping gives is dropped, logged and counted; it
 * never reaches D-Bus. Signals, changes of properties and answers leave in the order in which they
 * came, changes of one turn of the loop together. */

#include "gateway/expose.h"

typedef struct Facade Facade;
typedef struct FacadeCall FacadeCall;
typedef struct FacadeJob FacadeJob;
typedef struct FacadeObject FacadeObject;
typedef struct FacadeRule FacadeRule;
typedef struct FacadeSender FacadeSender;

typedef enum FacadeState {
        FACADE_WAITING,   /* the service is not there, and the name is not ours */
        FACADE_SYNCING,   /* it is; what is retained of it is on its way */
        FACADE_CLAIMING,  /* all is known; the name is requested, or D-Bus is not connected */
        FACADE_SERVING,   /* the name is ours */
        FACADE_LOST,      /* the service has gone; the name is kept */
        FACADE_TAKEN,     /* somebody else has the name; the service may be there or not */
        FACADE_REFUSED,   /* the service is what D-Bus has under this very name */
        FACADE_RELEASING, /* by facade_suspend(): calls that came before are still on their way */
        FACADE_SUSPENDED, /* the name has been released */
} FacadeState;

/* Called when the state has changed, or what facade_is_service_up() says, or whether it waits for
 * the name. The facade may not be freed inside. */
typedef void (*FacadeHandler)(Facade *facade, FacadeState state, void *userdata);

typedef struct FacadeOptions {
        MappingService *mapping; /* of provider mqtt or auto; types are complete */
        const char *name;        /* in topics; of a member of a family its own */
        const char *bus_name;    /* likewise */
        sd_event *event;
        DbusLink *link; /* its own */
        MqttRpcBus *bus;
        ExposeScratch *scratch;
        Usage *usage;           /* NULL: nobody counts */
        FacadeHandler on_state; /* may be NULL */
        void *userdata;
        bool suspended; /* from the start */
        bool queue;     /* the service may be provided by D-Bus, too */
} FacadeOptions;

typedef struct FacadeStats {
        uint64_t calls;         /* messages from D-Bus */
        uint64_t errors;        /* of these, answered with one */
        uint64_t signals;       /* to D-Bus */
        uint64_t dropped;       /* signals that could not be passed on */
        uint64_t wrongly_typed; /* values, signals and results that did not fit the mapping */
        uint64_t denied;        /* calls */
        uint64_t activity_usec; /* CLOCK_MONOTONIC of the last call or signal; 0: none */
} FacadeStats;

/* A value of a property. */
typedef struct FacadeValue {
        MappingMember *member; /* borrowed; the key */
        char *json;            /* owned; checked; NULL: there is none */
        size_t length;
        bool retained; /* is kept up to date by the service; else it was fetched once */
        bool dirty;    /* D-Bus has not been told of the change */
        UT_hash_handle hh;
} FacadeValue;

struct FacadeObject {
        Facade *facade;
        MappingObject *mapping; /* borrowed */
        char *path;             /* owned */
        char *name;             /* in topics; owned */
        size_t n_interfaces;    /* of the mapping */
        bool *has;              /* which of them it has; owned */
        bool *shown;            /* which of them D-Bus has been told of; owned */
        bool announced;         /* it is there */
        bool adding;            /* D-Bus will be told when its values have come */
        FacadeValue *values;    /* hash by member */
        bool dirty;             /* some value is */
        FacadeObject *dirty_prev, *dirty_next;
        UT_hash_handle hh;      /* by `path` */
        UT_hash_handle hh_name; /* by `name` */
};

struct Facade {
        MappingService *mapping; /* borrowed, as all that follows up to `handler` */
        char *name;              /* owned */
        char *bus_name;          /* owned */
        sd_event *event;
        DbusLink *link;
        MqttRpcBus *bus;
        ExposeScratch *scratch;
        Usage *usage;
        bool queue;
        FacadeHandler handler;
        void *userdata;

        /* the service */
        MqttRpcSlot *presence, *objects_watch, *values_watch, *signals_match;
        MqttRpcSlot *sync;
        sd_event_source *sync_timer;
        char *details; /* its $state; owned */
        bool is_ready;
        bool is_synced;
        bool has_ended;  /* in order */
        bool is_hosted;  /* by this very process, for D-Bus */
        bool is_refused; /* comes from the D-Bus name that we would have */

        /* the name */
        FacadeState state;
        DbusWatch *watch;
        sd_bus_slot *filter, *request, *release, *lost_match;
        sd_bus_slot *rivals;           /* ListQueuedOwners in flight */
        sd_event_source *rivals_timer; /* of the next */
        bool owns;
        bool is_queued;          /* waits for the name */
        bool is_taken;           /* somebody else has it */
        bool was_up, was_queued; /* the handler has been told so */
        bool is_suspended;
        bool was_shown; /* under the present ownership: clients know what there is */

        /* the unit of the daemon that it stands for */
        DbusWatch *manager_watch; /* of the service manager */
        sd_bus_slot *unit_query, *unit_match;
        char *unit;         /* its name; owned; NULL: not known */
        bool unit_started;  /* since we have the name */
        bool daemon_failed; /* after that */

        const char *manager; /* path of the ObjectManager; NULL: none */
        char *manager_home;  /* owned; where the mapping does not say it */
        FacadeObject *objects;
        FacadeObject *names;
        FacadeObject *dirty;
        sd_event_source *flush_source;
        bool too_many;

        FacadeRule *rules;
        FacadeSender *senders;
        unsigned n_waiting; /* messages whose sender is not known yet */

        FacadeCall *calls;
        FacadeJob *jobs;
        unsigned n_calls; /* both */
        FacadeStats stats;
        LogLimit log_limit;
};

/* ---- facade.c ---- */

/* Watches the service from now on. All that is borrowed must outlive it; the names are copied. On
 * failure the error says why. */
int facade_new(const FacadeOptions *options, Facade **ret_facade, Error **ret_error);
/* Releases the name; calls in flight are answered with NoReply. Accepts NULL, returns NULL. */
Facade *facade_free(Facade *facade);
/* To be called when the link is connected, is lost, or cannot be had. */
void facade_on_link(Facade *facade, bool connected);
/* Releases the name and takes no more calls; those in flight go on. And back. */
void facade_suspend(Facade *facade);
void facade_resume(Facade *facade);
/* Whether MQTT has the service, and not by way of D-Bus. */
bool facade_is_service_up(const Facade *facade);
/* Whether calls that come are to be served. */
bool facade_takes_calls(const Facade *facade);
const char *facade_state_name(FacadeState state);

/* Logs what a service or client has caused, not more often than limits.h says. */
void facade_warn(Facade *facade, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what does not fit the mapping; counts it. */
void facade_warn_type(Facade *facade, const char *what, const char *object, const Error *why);

/* Looks at what has become of the service and its name, and does what follows. */
void facade_update(Facade *facade);

/* ---- facade-name.c ---- */

int facade_name_set_up(Facade *facade);
/* Releases it. */
void facade_name_free(Facade *facade);
/* The connection has come up; has gone. */
int facade_name_start(Facade *facade);
void facade_name_stop(Facade *facade);
/* Asks for it or lets it go, if it is time. */
void facade_name_update(Facade *facade);

/* ---- facade-unit.c ---- */

int facade_unit_set_up(Facade *facade);
void facade_unit_free(Facade *facade);
/* The connection, or the service manager, has gone. */
void facade_unit_stop(Facade *facade);
/* The name may not be ours any more. */
void facade_unit_update(Facade *facade);

/* ---- facade-object.c ---- */

/* Makes the objects that are always there. */
int facade_objects_start(Facade *facade);
void facade_objects_free(Facade *facade);
/* An object that is there; NULL. */
FacadeObject *facade_object_find(const Facade *facade, const char *path);
/* The object of a name in topics, which is made if need be; NULL if none is mapped, or for want of
 * memory or room. */
FacadeObject *facade_object_get(Facade *facade, const char *name);
bool facade_object_has(const FacadeObject *object, const MappingInterface *interface);
/* The interface, if it has it. */
const MappingInterface *facade_object_interface(const FacadeObject *object, const char *name);
/* Whether D-Bus has been told of the interface, so that it can be told of changes. */
bool facade_object_is_shown(const FacadeObject *object, const MappingInterface *interface);
/* Whether the ObjectManager has it. */
bool facade_object_is_managed(const FacadeObject *object);
void facade_object_on_meta(const MqttRpcObjectEvent *event, void *userdata);
/* Clients see the service from here on: they are told what has changed since they saw it last,
 * unless nobody has. */
void facade_objects_show(Facade *facade);
/* Emits InterfacesAdded for what has been waiting for its values. */
void facade_object_add(FacadeObject *object);
/* Frees it if nothing is known of it any more. */
void facade_object_drop(FacadeObject *object);
/* The answer of GetManagedObjects. */
int facade_object_append_managed(Facade *facade, sd_bus_message *m);

/* ---- facade-introspect.c ---- */

/* Whether there is such a node, with or without an object. */
bool facade_node_exists(const Facade *facade, const char *path);
int facade_introspect(const Facade *facade, const char *path, Buffer *buffer);

/* ---- facade-dispatch.c ---- */

int facade_on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
/* What a message is about, of a sender that is known. Answers it now or later. */
void facade_dispatch(Facade *facade, sd_bus_message *m, const FacadeSender *sender);
/* Answers with an error, if an answer is wanted. */
void facade_reply_error(Facade *facade, sd_bus_message *m, const char *name, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));
/* Sends an answer, after all that was there before it. */
void facade_reply(Facade *facade, sd_bus_message *reply);
/* Answers with what a call by MQTT has ended with. */
void facade_reply_failure(Facade *facade, sd_bus_message *m, const MqttRpcError *error);
/* Whether one more call may be in flight; else it is answered with LimitsExceeded. */
bool facade_has_room(Facade *facade, sd_bus_message *m);

/* ---- facade-access.c ---- */

/* Looks up the users and groups of the mapping. */
int facade_access_start(Facade *facade);
/* Forgets who is who. */
void facade_access_reset(Facade *facade);
void facade_access_free(Facade *facade);
/* Dispatches the message when its sender is known, after his earlier ones. */
int facade_access_admit(Facade *facade, sd_bus_message *m);
/* Whether a sender may use a member; of a property, write it. Answers `m` with AccessDenied if not.
 */
bool facade_access_check(Facade *facade, const FacadeSender *sender, const MappingInterface *i,
                         const MappingMember *member, sd_bus_message *m);
/* Counts what he uses; of GetAll the interface, "" for all, with the member "*". */
void facade_access_count(const FacadeSender *sender, UsageKind kind, const FacadeObject *object,
                         const char *interface, const char *member);
/* For whom a call is made. */
void facade_access_origin(const FacadeSender *sender, MqttRpcOrigin *ret_origin);

/* ---- facade-call.c ---- */

void facade_call_method(FacadeObject *object, MappingMember *member, sd_bus_message *m,
                        const FacadeSender *sender);
/* `m` is at the variant with the new value, which has the type of the property. */
void facade_call_set(FacadeObject *object, MappingMember *member, sd_bus_message *m,
                     const FacadeSender *sender);
/* Answers all calls. */
void facade_calls_end(Facade *facade);

/* ---- facade-property.c ---- */

void facade_property_on_value(const MqttRpcPropertyEvent *event, void *userdata);
/* Takes a value, if it is of the type of the property: 0, or -EINVAL and the reason. */
int facade_property_take(FacadeObject *object, MappingMember *member, const char *json,
                         size_t length, bool retained, Error **ret_error);
/* The value, if there is one; else NULL. */
const FacadeValue *facade_property_value(const FacadeObject *object, const MappingMember *member);
/* Whether it has to be asked for. */
bool facade_property_wants_fetch(const FacadeObject *object, const MappingMember *member);
void facade_property_forget(FacadeObject *object, const MappingMember *member);
/* The service says that it has changed, and not how. */
void facade_property_invalidate(FacadeObject *object, MappingMember *member);
/* Appends the value as a variant. */
int facade_property_append(const FacadeObject *object, const FacadeValue *value, sd_bus_message *m);
/* Appends all values of an interface that are there: a{sv}, or without the array the items. */
int facade_property_append_all(const FacadeObject *object, const MappingInterface *interface,
                               sd_bus_message *m);
int facade_property_append_items(const FacadeObject *object, const MappingInterface *interface,
                                 sd_bus_message *m);
/* Tells D-Bus of all changes so far. */
void facade_property_flush(Facade *facade);
void facade_property_clean(FacadeObject *object);
void facade_property_free_all(FacadeObject *object);

/* ---- facade-fetch.c ---- */

void facade_fetch_get(FacadeObject *object, MappingMember *member, sd_bus_message *m);
/* `interface` NULL: all. */
void facade_fetch_get_all(FacadeObject *object, const MappingInterface *interface,
                          sd_bus_message *m);
void facade_fetch_managed(Facade *facade, sd_bus_message *m);
/* Calls facade_object_add() when the values of a new object have come. */
void facade_fetch_added(FacadeObject *object);
/* Ends all; with `answer` those who wait get an answer. */
void facade_fetch_end(Facade *facade);

/* ---- facade-signal.c ---- */

void facade_signal_on_signal(const MqttRpcSignal *signal, void *userdata);
/* Sends what the facade emits; consumes nothing. Counts it. */
void facade_signal_send(Facade *facade, sd_bus_message *m);
