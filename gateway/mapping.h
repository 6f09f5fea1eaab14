/* SPDX-License-Identifier: MIT */
#pragma once

/* Mapping files, compiled: which D-Bus services, objects and members exist on the MQTT side, under
 * which names and with which types. Everything that crosses the gateway is looked up here, in
 * constant time; what is not here does not exist on the other side.
 *
 * A MappingSet owns services, a service its objects, an object its interfaces and its members. A
 * file is compiled when it is loaded. Members whose types it does not give, and those that a "*"
 * stands for, become usable when the introspection of their object has been applied, which may be
 * done again at any time: the members are then made anew. Who keeps a member beyond that, as a call
 * in flight does, holds a reference; a member stands on its own, it points to nothing that may go.
 *
 * Objects that come and go. A MappingObject is an entry of the file: one path, or a template for
 * many. It carries interfaces and members for all its objects, so introspection of one of them
 * serves the rest. What exists at run time is an instance, (MappingObject, path, name), and none of
 * the table's business. To make instances:
 *
 * - An entry with a path of its own has one instance, there whenever the service is.
 * - Those of a template are found as MappingObject.find says. By ObjectManager: call
 *   GetManagedObjects at MappingService.object_manager, which unsaid is P (see path-template.h),
 * and where that has none "/"; then listen to InterfacesAdded and InterfacesRemoved. By walk:
 *   introspect from path_template_root() on, going only into children for which
 *   mapping_service_leads_through() says that templates may have paths there, which also bounds a
 *   tree without end. MAPPING_FIND_AUTO is the former, and without an ObjectManager the latter.
 * - mapping_service_resolve_path() makes the instance of a path that was found, or says that none
 * is mapped. The entry must be the one whose `find` was followed, and the object must have one of
 *   its interfaces; otherwise it does not exist on the MQTT side.
 * - Calls come with the object's name: look that up among the instances. An object that nobody has
 *   found yet may still be there; mapping_service_resolve_name() gives its path.
 * - A service with `is_family` stands for many bus names; each that appears gets a mapping of its
 *   own by mapping_service_of_member(), for the next may be another program, if
 *   mapping_set_find_bus_name() returns this service for it and not one that names it more exactly.
 *
 * Nothing here does I/O but the loading functions. Tables are uthash tables in the order of the
 * file; iterate with `for (x = table; x; x = x->hh.next)`. */

#include <stdbool.h>
#include <stdint.h>

#include "gateway/codec/type.h"
#include "gateway/introspection.h"
#include "gateway/name-family.h"
#include "gateway/path-template.h"

/* ---- what a file says ---- */

/* One argument, or the value of a property. Unsaid: NULL, or -1. */
typedef struct MappingArgRule {
        char *name;    /* owned */
        char *type;    /* owned; one complete type, checked */
        int bytes;     /* CodecBytes */
        int variant;   /* 0 plain, 1 typed */
        char **fields; /* owned; names for the members of a struct */
        size_t n_fields;
        bool mask;
} MappingArgRule;

typedef struct MappingArgRules {
        MappingArgRule *items; /* owned */
        size_t count;
        bool given; /* an empty list is not the same as none */
} MappingArgRules;

/* Signals pass only if the argument has this value. */
typedef struct MappingFilter {
        char *argument; /* owned */
        char *value;    /* owned; a JSON string, number or boolean, as written */
} MappingFilter;

/* Who on D-Bus may use a member of a service that MQTT provides: users and groups by name or
 * number. */
typedef struct MappingAllow {
        bool given;
        char **users; /* owned */
        size_t n_users;
        char **groups; /* owned */
        size_t n_groups;
} MappingAllow;

/* The options of one member, or of "*" for many. Keys that do not fit its kind are never set. */
typedef struct MappingRule {
        unsigned n_refs;
        MemberKind kind;
        char *member;  /* D-Bus name, or "*"; owned */
        bool excluded; /* `false`: not even by "*" */

        char *as; /* another name in topics; owned */
        char *summary;
        char *access; /* access class; NULL: MAPPING_ACCESS_DEFAULT */
        MappingAllow allow;
        bool deprecated;
        bool mask;
        int bytes;   /* CodecBytes for all arguments; -1: unsaid */
        int variant; /* 0 plain, 1 typed; -1: unsaid */

        MappingArgRules in;     /* methods */
        MappingArgRules out;    /* methods; the arguments of signals */
        uint64_t timeout_usec;  /* 0: the default */
        unsigned max_in_flight; /* 0: only the service's own limit */
        bool idempotent;
        bool no_auto_start;
        bool callback; /* the service calls objects of its caller back */
        int no_reply;  /* the service sends no reply; -1: unsaid, then as introspection says */
        int result;    /* 0: null, the value or an array; 1: an object by argument names */
        int batch;     /* may be called by rpc/ though its access class is not `read`; -1: unsaid */

        MappingArgRule value; /* properties */
        int retain;           /* -1: unsaid */
        int writable;         /* -1: unsaid; 0 narrows what introspection says */
        int emits_changed;    /* EmitsChanged; -1: unsaid, then as introspection says */
        unsigned poll_s;      /* 0: never */

        unsigned qos;               /* signals */
        bool unicast;               /* sent to one client only */
        uint64_t min_interval_usec; /* properties and signals; 0: none */
        MappingFilter *filter;
        size_t n_filter;
        char *adds; /* a signal's argument with the path of an object that has come; owned */
        char *removes;

        uint32_t node; /* where it is in the file; means nothing after loading */
        UT_hash_handle hh;
} MappingRule;

/* Access class of members that a file gives none: the one that is granted last. */
#define MAPPING_ACCESS_DEFAULT "admin"

/* ---- the compiled table ---- */

/* A signal passes only if this argument, as the codec writes it, is this text. */
typedef struct MappingTest {
        size_t argument; /* index into MappingMember.out */
        char *json;      /* owned */
} MappingTest;

/* A method, property or signal that exists on the MQTT side. Immutable. */
typedef struct MappingMember {
        unsigned n_refs;
        MemberKind kind;
        char *name;      /* in topics; owned */
        char *interface; /* D-Bus interface and member; owned */
        char *member;
        MappingRule *rule;  /* its options; a reference */
        bool typed;         /* false: `in` and `out` are not known yet, it cannot be used */
        CodecArgs in;       /* a method's arguments */
        CodecArgs out;      /* a method's results; a signal's arguments; a property's one value */
        const char *access; /* never NULL */
        bool batch;         /* a method: may be called by way of rpc/ (protocol section 3) */
        bool mask;          /* values are secret: not published, not logged */
        bool deprecated;
        bool no_reply; /* the annotation Method.NoReply */
        bool readable; /* a property; true if nothing is known */
        bool writable;
        EmitsChanged emits_changed;
        MappingTest *tests; /* owned; the filter of a signal, all must pass */
        size_t n_tests;
        UT_hash_handle hh;      /* in the object, by `name` */
        UT_hash_handle hh_dbus; /* in the interface, by `member` */
} MappingMember;

typedef struct MappingObject MappingObject;
typedef struct MappingService MappingService;

typedef struct MappingInterface {
        char *name; /* owned */
        MappingObject *object;
        MappingRule *rules[MEMBER_KINDS]; /* by D-Bus member; owned */
        MappingRule *all[MEMBER_KINDS];   /* of "*"; NULL: only what is listed */
        MappingAllow allow;
        IntrospectionInterface *introspection; /* what was applied last; a reference, or NULL */
        MappingMember *members[MEMBER_KINDS];  /* by D-Bus member (hh_dbus); borrowed */
        UT_hash_handle hh;
} MappingInterface;

/* How the objects of a template are found; see the top of this file. */
typedef enum MappingFind {
        MAPPING_FIND_AUTO,
        MAPPING_FIND_OBJECT_MANAGER,
        MAPPING_FIND_WALK,
        MAPPING_FIND_BOTH,
} MappingFind;

/* Who implements the service. */
typedef enum MappingProvider {
        MAPPING_PROVIDER_DBUS,
        MAPPING_PROVIDER_MQTT,
        MAPPING_PROVIDER_AUTO,
} MappingProvider;

struct MappingObject {
        MappingService *service;
        char *path;                   /* as written, with captures; owned */
        char *name;                   /* in topics, with captures; owned */
        PathTemplate *template;       /* NULL: the path is that of one object */
        MappingFind find;             /* of a template */
        uint32_t node;                /* where it is in the file; means nothing after loading */
        MappingInterface *interfaces; /* by name; owned */
        MappingMember *members[MEMBER_KINDS]; /* by name in topics; one reference each */
        UT_hash_handle hh;                    /* in the service, by `name` */
        UT_hash_handle hh_path;               /* in the service, by `path` */
};

/* Tells two versions of a file apart; all zero of what was not loaded from a file. */
typedef struct MappingDigest {
        uint64_t hash; /* FNV-1a, 64 bits */
        uint64_t length;
} MappingDigest;

/* A method without arguments that each new owner of the name is called with before it is looked at,
 * since it sends signals to those only who have. NULLs: there is none. All owned. */
typedef struct MappingSubscribe {
        char *path;
        char *interface;
        char *method;
} MappingSubscribe;

struct MappingService {
        char *name; /* in topics, of a family with a capture; owned */
        char *file; /* where it came from; owned */
        char *summary;
        MappingProvider provider;
        char *bus;            /* "system", "session" or an address; NULL is "system" */
        char *bus_name;       /* D-Bus name, or "org.example.Family.*"; owned */
        bool is_family;       /* `family` says which names it stands for */
        NameFamily family;    /* what the service is called for each of them */
        char *object_manager; /* path of its ObjectManager; NULL: unsaid */
        char *unit;           /* of systemd, that starts it; NULL: "dbus-{bus_name}.service" */
        bool activate;        /* a call may start the service */
        MappingSubscribe subscribe;
        unsigned max_in_flight;  /* D-Bus calls at a time */
        char *introspection;     /* the file beside, as written; NULL: none */
        Introspection *document; /* that file; owned; NULL where D-Bus provides the service */
        char *source;            /* of a family: the text of the file, for its members; owned */
        char *source_xml;        /* and that of the file beside; owned, or NULL */
        MappingDigest digest;    /* of both files */
        bool release_when_lost;  /* the D-Bus name, with the MQTT service that has it */
        MappingAllow allow;
        MappingObject *objects;    /* by name (hh); owned */
        MappingObject *paths;      /* the same by path (hh_path) */
        MappingObject **templates; /* those with captures, the most specific first; borrowed */
        size_t n_templates;
        char *bus_key;         /* `bus` and `bus_name` in one; owned */
        UT_hash_handle hh;     /* in the set, by `name` */
        UT_hash_handle hh_bus; /* in the set, by `bus_key` */
};

typedef struct MappingSet {
        MappingService *services;  /* by name (hh); owned */
        MappingService *bus_names; /* the same by bus_key (hh_bus) */
} MappingSet;

/* An object: its entry and both its names. */
typedef struct MappingInstance {
        MappingObject *object; /* borrowed */
        char *path;            /* owned */
        char *name;            /* in topics; owned */
} MappingInstance;

/* ---- loading ---- */

/* Loads one file and, if it names one, the introspection file beside it. All or nothing: on failure
 * (-EINVAL, -ENOMEM, or the errno of reading it) the errors have been reported to `diagnostics`.
 * Warnings may be reported in any case. The service is owned by the caller. */
int mapping_load(const char *path, Diagnostics *diagnostics, MappingService **ret_service);

/* The same with a text; `name` stands for the path. */
int mapping_parse(const char *name, const char *text, size_t length, Diagnostics *diagnostics,
                  MappingService **ret_service);

/* The mapping of one member of a family: as a file would be that names it alone, but for default
 * names of objects. -ENOENT, -ENAMETOOLONG as name_family_service(), -ENOMEM. */
int mapping_service_of_member(const MappingService *family, const char *bus_name,
                              MappingService **ret_service);

/* Adds a service, which then belongs to the set. -EEXIST when its name could be that of another
 * one, or its D-Bus name on the same bus is mapped already: reported with both files, and the
 * service stays the caller's. */
int mapping_set_add(MappingSet *set, MappingService *service, Diagnostics *diagnostics);

/* Loads every *.json of the folders, but mapping.schema.json, in the order of file names. A file in
 * a later folder takes the place of the file of that name in an earlier one, also if it is bad. A
 * file that cannot be loaded is reported and left out, a folder that is not there gives a warning.
 * Returns the number of files left out, or -ENOMEM. */
int mapping_set_load_folders(MappingSet *set, const char *const *folders, size_t n_folders,
                             Diagnostics *diagnostics);

/* What mapping_set_reload() has done with the files. */
typedef struct MappingReload {
        unsigned added;
        unsigned changed;
        unsigned removed;
        unsigned unchanged;
        unsigned kept;     /* in their old version, because the new one is bad */
        unsigned left_out; /* bad, and there is no old version */
} MappingReload;

/* Reads the folders again. All or nothing for each file, told apart by their names without folders:
 * services of unchanged files, and of those that have become bad, stay what and where they are;
 * `ret_retired` gets the services that are gone or replaced, for the caller to end their use and
 * then free. Of files whose names clash that which was there first stays. On -ENOMEM nothing has
 * changed. */
int mapping_set_reload(MappingSet *set, const char *const *folders, size_t n_folders,
                       Diagnostics *diagnostics, MappingReload *ret_reload,
                       MappingSet *ret_retired);

void mapping_set_done(MappingSet *set);

/* Accepts NULL, returns NULL. */
MappingService *mapping_service_free(MappingService *service);

DEFINE_CLEANUP(MappingService *, mapping_service_free, mapping_service_cleanup)
#define CLEANUP_MAPPING_SERVICE  CLEANUP(mapping_service_cleanup)
#define CLEANUP_MAPPING_SET      CLEANUP(mapping_set_done)
#define CLEANUP_MAPPING_INSTANCE CLEANUP(mapping_instance_done)

/* ---- introspection ---- */

/* True while something in the object cannot be used without introspection. */
bool mapping_object_needs_introspection(const MappingObject *object);

/* Fills in what the file left open: types and argument names of listed members, and the members
 * that "*" stands for, which are never those marked as deprecated. Types that the file gives are
 * compared with the introspection and win, with a warning. Interfaces that it does not have keep
 * what they know. All members of the object are made anew: pointers to them without a reference
 * are void afterwards. On -ENOMEM the object has no members. */
int mapping_object_apply_introspection(MappingObject *object, const Introspection *introspection,
                                       Diagnostics *diagnostics);

/* ---- lookup: NULL if there is none; borrowed ----
 *
 * Of entries that fit one path the most specific has it: that of the path itself, then the template
 * with more elements that are no captures, then the one that comes first in the file. Of bus names
 * it is the name itself, then the family with the longest prefix. Takes the time of a hash lookup;
 * for names that no entry has as they stand, also that of a look at each template, or family. */

MappingService *mapping_set_find_service(const MappingSet *set, const char *name);
/* `bus` as in MappingService, NULL included. */
MappingService *mapping_set_find_bus_name(const MappingSet *set, const char *bus,
                                          const char *bus_name);
/* The entry that has that one name; not one of a template. */
MappingObject *mapping_service_find_object(const MappingService *service, const char *name);
/* The entry of a path, be it a template. */
MappingObject *mapping_service_find_path(const MappingService *service, const char *path);

/* The instance of a path, or of a name. 0; -ENOENT if no entry has it, -ENAMETOOLONG if the name
 * would exceed LIMIT_OBJECT_LENGTH, -ENOMEM. What is returned has to be freed by
 * mapping_instance_done(), also if nothing was. */
int mapping_service_resolve_path(const MappingService *service, const char *path,
                                 MappingInstance *ret_instance);
int mapping_service_resolve_name(const MappingService *service, const char *name,
                                 MappingInstance *ret_instance);
void mapping_instance_done(MappingInstance *instance);
/* Whether a template that is found by a walk may have paths below this one. */
bool mapping_service_leads_through(const MappingService *service, const char *path);

/* By the name in topics. */
MappingMember *mapping_object_find(const MappingObject *object, MemberKind kind, const char *name);
/* By the D-Bus names. */
MappingMember *mapping_object_find_dbus(const MappingObject *object, MemberKind kind,
                                        const char *interface, const char *member);

/* True if the file gives all its types, so that introspection has no say in them. */
bool mapping_member_is_complete(const MappingMember *member);
MappingMember *mapping_member_ref(MappingMember *member);
/* Accepts NULL, returns NULL. */
MappingMember *mapping_member_unref(MappingMember *member);
