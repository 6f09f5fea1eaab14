/* SPDX-License-Identifier: MIT */
#pragma once

/* Which of the D-Bus names that a mapping stands for there are on a bus, and why. Follows them as
 * long as the connection lasts, and looks again when it is back; what is gone meanwhile is told
 * then. */

#include "gateway/dbus-link.h"

typedef struct NameWatch NameWatch;

/* Why a name is there. None: it is not. */
typedef enum NameReasons {
        NAME_OWNED = 1 << 0,     /* somebody has it */
        NAME_STARTABLE = 1 << 1, /* the bus can start it */
        NAME_CAME = 1 << 2,      /* beside NAME_OWNED: its owner was not found, but has just come */
} NameReasons;

/* The reasons have changed; for one name also when its owner has. The watch may not be freed
 * inside. */
typedef void (*NameWatchHandler)(const char *name, NameReasons reasons, void *userdata);

typedef struct NameWatchOptions {
        DbusLink *link;   /* borrowed */
        const char *name; /* the one, or the prefix of a family "`name`.*"; borrowed */
        bool is_family;
        bool startable; /* asks for what the bus can start, too */
        NameWatchHandler handler;
        void *userdata;
} NameWatchOptions;

/* For one name, owners that are connections of this process do not count. -ENOMEM. */
int name_watch_new(const NameWatchOptions *options, NameWatch **ret_watch);
/* Tells nobody of anything. Accepts NULL, returns NULL. */
NameWatch *name_watch_free(NameWatch *watch);

/* To be called when the link is connected, is lost, or cannot be had. */
void name_watch_on_link(NameWatch *watch, bool connected);

/* Tells of all names that are there once more. */
void name_watch_tell(const NameWatch *watch);
