/* SPDX-License-Identifier: MIT */
#pragma once

/* A D-Bus service inside of the test program, with objects and properties as the test makes them.
 * It answers from a thread of its own, also while the test waits for something else: Properties,
 * ObjectManager and Introspectable from its tables, any other method with an empty reply, after
 * emitting the signal "Called" of the same interface. */

#include "tests/support/dbus-daemon.h"

typedef struct ScriptedService ScriptedService;

/* Connects. It has no name yet. The daemon is borrowed. */
ScriptedService *scripted_service_new(DbusDaemon *daemon);
/* Ends its connection. Accepts NULL, returns NULL. */
ScriptedService *scripted_service_free(ScriptedService *service);
DEFINE_CLEANUP(ScriptedService *, scripted_service_free, cleanup_scripted_service)
#define CLEANUP_SCRIPTED_SERVICE CLEANUP(cleanup_scripted_service)

/* As if it was killed: the connection ends, and its tables stay. What is emitted then is lost. */
void scripted_service_disconnect(ScriptedService *service);
/* Starts again with the present tables, and without a name. */
void scripted_service_reconnect(ScriptedService *service, DbusDaemon *daemon);

/* Takes a name, from another one that has allowed it, if need be. */
void scripted_service_own(ScriptedService *service, const char *name);
void scripted_service_release(ScriptedService *service, const char *name);

/* Values are floating or owned references, consumed. Sets one without a word. NULL: none. */
void scripted_service_set(ScriptedService *service, const char *path, const char *interface,
                          const char *property, GVariant *value);
/* Emits PropertiesChanged, with the present value or as invalidated. */
void scripted_service_tell(ScriptedService *service, const char *path, const char *interface,
                           const char *property, bool invalidated);
/* `arguments`: a tuple, or NULL. */
void scripted_service_emit(ScriptedService *service, const char *path, const char *interface,
                           const char *signal, GVariant *arguments);
/* The same to one peer only. */
void scripted_service_emit_to(ScriptedService *service, const char *destination, const char *path,
                              const char *interface, const char *signal, GVariant *arguments);
/* Calls to the object are not answered any more. */
void scripted_service_mute(ScriptedService *service, const char *path);
/* Properties of that interface are refused as many services do it: with InvalidArgs. */
void scripted_service_lack(ScriptedService *service, const char *path, const char *interface);
/* The answer to Introspect, for a path or, with NULL, for all. */
void scripted_service_introspect(ScriptedService *service, const char *path, const char *xml);
/* GetManagedObjects at this path lists all that has properties. */
void scripted_service_manage(ScriptedService *service, const char *path);
/* Emits InterfacesAdded with what is there now. */
void scripted_service_tell_added(ScriptedService *service, const char *path, const char *interface);
/* Removes the interface from the tables and emits InterfacesRemoved. */
void scripted_service_remove(ScriptedService *service, const char *path, const char *interface);
/* How often a method was called, any object and interface. */
guint scripted_service_count(ScriptedService *service, const char *method);
