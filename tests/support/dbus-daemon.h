/* SPDX-License-Identifier: MIT */
#pragma once

/* A private dbus-daemon on a unix socket in the temporary directory. Policies and activatable
 * services are added before it starts; it can be stopped or killed, and comes back at the same
 * address. */

#include "tests/support/process.h"

#include <gio/gio.h>

typedef struct DbusDaemon DbusDaemon;

typedef enum DbusDaemonKind {
        DBUS_DAEMON_OPEN,   /* as a session bus: everybody may own and send everything */
        DBUS_DAEMON_SYSTEM, /* as a system bus: closed, with the policies of installed packages */
} DbusDaemonKind;

/* A daemon that is not started. The directory is borrowed and must outlive it. */
DbusDaemon *dbus_daemon_new(TempDir *dir, DbusDaemonKind kind);
/* Kills it. Accepts NULL, returns NULL. */
DbusDaemon *dbus_daemon_free(DbusDaemon *daemon);
DEFINE_CLEANUP(DbusDaemon *, dbus_daemon_free, cleanup_dbus_daemon)
#define CLEANUP_DBUS_DAEMON CLEANUP(cleanup_dbus_daemon)

/* Adds elements such as <policy> to the configuration, after all others. For the time after the
 * start see dbus_daemon_reload(). */
void dbus_daemon_add_policy(DbusDaemon *daemon, const char *xml);
/* Adds an activatable service: `command` is the Exec= line. */
void dbus_daemon_add_service(DbusDaemon *daemon, const char *name, const char *command);

/* Starts it, for the first time or again; returns when it takes connections. */
void dbus_daemon_start(DbusDaemon *daemon);
void dbus_daemon_stop(DbusDaemon *daemon);
/* SIGKILL: no client is told. */
void dbus_daemon_kill(DbusDaemon *daemon);
/* NULL while it is stopped. */
Process *dbus_daemon_get_process(const DbusDaemon *daemon);
/* Lets the running daemon read its configuration, with policies and services added since. */
void dbus_daemon_reload(DbusDaemon *daemon);

/* "unix:path=…", valid also before the start. Borrowed. */
const char *dbus_daemon_get_address(const DbusDaemon *daemon);
/* A new connection; the caller unrefs it. It does not end the program when the bus goes away. */
GDBusConnection *dbus_daemon_connect(DbusDaemon *daemon);
/* Waits until a name has an owner, or has none any more. False when time is up. Dispatches the
 * default main context. */
bool dbus_daemon_wait_name(DbusDaemon *daemon, const char *name, bool owned, unsigned msec);
