/* SPDX-License-Identifier: MIT */
#pragma once

/* The real systemd-hostnamed on a private bus, in namespaces of its own with a private /etc, so
 * that nothing it is told to do reaches the host (scripts/lib/run-hostnamed.sh does that). */

#include "tests/support/dbus-daemon.h"

typedef struct Hostnamed Hostnamed;

typedef enum HostnamedStart {
        HOSTNAMED_DIRECT,    /* hostnamed_start() starts it */
        HOSTNAMED_ACTIVATED, /* the bus starts it at the first call */
} HostnamedStart;

/* False if hostnamed cannot be run here at all; then the test is to be skipped. */
bool hostnamed_is_installed(void);
/* True if it has namespaces of its own, and may be told to change something. Otherwise only reading
 * calls work, the bus refuses the others, and the caller gets (and frees) the reason. */
bool hostnamed_can_write(TempDir *dir, char **ret_reason);

/* Prepares a bus that has not been started. Both are borrowed and must outlive it. */
Hostnamed *hostnamed_new(TempDir *dir, DbusDaemon *bus, HostnamedStart start);
/* Kills it, if it was started directly; an activated one ends with its bus. Accepts NULL, returns
 * NULL. */
Hostnamed *hostnamed_free(Hostnamed *hostnamed);
DEFINE_CLEANUP(Hostnamed *, hostnamed_free, cleanup_hostnamed)
#define CLEANUP_HOSTNAMED CLEANUP(cleanup_hostnamed)

/* HOSTNAMED_DIRECT only, for the first time or again; returns when it has its name. */
void hostnamed_start(Hostnamed *hostnamed);
/* SIGKILL. What it has written stays for the next start. */
void hostnamed_kill(Hostnamed *hostnamed);

/* The directory it sees as /etc. Borrowed. */
const char *hostnamed_get_etc(const Hostnamed *hostnamed);
/* NULL unless started directly and running. */
Process *hostnamed_get_process(const Hostnamed *hostnamed);
