/* SPDX-License-Identifier: MIT */
#pragma once

/* One connection to a D-Bus bus on the loop: opened without waiting, opened again with jittered
 * pauses whenever it is lost, with the owners of the names that somebody watches.
 *
 * Callbacks run from the event loop. A watch may be removed inside its callback. */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "common/error.h"

typedef struct DbusLink DbusLink;
typedef struct DbusWatch DbusWatch;

/* What the handler of a reply returns. After a 0 sd-bus goes on to compare the reply with each
 * match rule and each object there is. */
enum { DBUS_LINK_TAKEN = 1 };

/* A name that is watched. `owner` is its unique owner, NULL when it has none, or none is known
 * because the connection is down. Called for every change, also of the connection. */
typedef void (*DbusWatchHandler)(const char *owner, void *userdata);

/* Called when the connection comes up, when it is lost, and when the first attempt fails. */
typedef void (*DbusLinkHandler)(DbusLink *link, bool connected, void *userdata);

/* `address` is "system", "session" or a D-Bus address. Does not connect yet. */
int dbus_link_new(sd_event *event, const char *address, DbusLinkHandler handler, void *userdata,
                  DbusLink **ret_link);
/* Pending calls end without a callback. Remove all watches before. */
DbusLink *dbus_link_free(DbusLink *link);

/* The longest pause between two attempts to connect; it is 5 s if that is less. */
void dbus_link_set_reconnect_maximum(DbusLink *link, uint64_t usec);
/* Starts connecting; retries for ever. Fails only without memory. */
int dbus_link_open(DbusLink *link);

const char *dbus_link_get_address(const DbusLink *link);
/* The connection, or NULL while it is down. Borrowed: do not keep it. */
sd_bus *dbus_link_get_bus(const DbusLink *link);
bool dbus_link_is_connected(const DbusLink *link);
/* True once it was connected, or an attempt to connect has failed. */
bool dbus_link_was_tried(const DbusLink *link);

/* Whether that unique name is one of this process: a connection of any link to the same bus as this
 * one. */
bool dbus_link_is_own(const DbusLink *link, const char *unique_name);

/* Sends what nobody answers. `size` is about how large it is: -ENOBUFS if the bus has not taken too
 * much of it, for no cap on calls in flight bounds such messages. -ENOTCONN while it is down. */
int dbus_link_send(DbusLink *link, sd_bus_message *m, size_t size);

int dbus_link_watch(DbusLink *link, const char *name, DbusWatchHandler handler, void *userdata,
                    DbusWatch **ret_watch);
/* The owner that the handler was last told of. Borrowed. */
const char *dbus_watch_get_owner(const DbusWatch *watch);
/* Accepts NULL, returns NULL. */
DbusWatch *dbus_watch_free(DbusWatch *watch);
