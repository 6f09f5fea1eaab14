/* SPDX-License-Identifier: MIT */
#pragma once

/* Which names of a family there are on a bus: those that have an owner, and if wanted those that
 * the bus could start. Follows them as long as the connection lasts, and looks again when it is
 * back; what is gone meanwhile is told then. */

#include "gateway/dbus-link.h"

typedef struct FamilyWatch FamilyWatch;

/* `name` is there, or is no more. It may be taken away in the callback, the watch may not. */
typedef void (*FamilyWatchHandler)(const char *name, bool is_there, void *userdata);

/* Names are those below "`prefix`.". `activatable` asks for those that the bus can start, too. The
 * link and the prefix are borrowed. -ENOMEM. */
int family_watch_new(DbusLink *link, const char *prefix, bool activatable,
                     FamilyWatchHandler handler, void *userdata, FamilyWatch **ret_watch);
/* Tells nobody of anything. Accepts NULL, returns NULL. */
FamilyWatch *family_watch_free(FamilyWatch *watch);

/* To be called when the link is connected, is lost, or cannot be had. */
void family_watch_on_link(FamilyWatch *watch, bool connected);

/* Tells of all names that are there once more. */
void family_watch_tell(const FamilyWatch *watch);
