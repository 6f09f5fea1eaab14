/* SPDX-License-Identifier: MIT */
#pragma once

/* Waiting for things to happen, always with a deadline and never for a fixed time. Used where no
 * event can be had (a server that begins to listen); elsewhere the modules wait for the event. */

#include "common/util.h"

#include <glib.h>
#include <stdbool.h>

/* Patience for what normally takes milliseconds: generous, since it only ends a failing test. */
#define WAIT_MSEC 20000U

/* A deadline `msec` from now, for wait_left(). */
gint64 wait_deadline(unsigned msec);
/* Milliseconds left, as poll() wants them: never negative. */
int wait_left(gint64 deadline);

typedef bool (*WaitPredicate)(void *userdata);

/* Dispatches the default main context until the predicate holds: true; or `msec` have passed. The
 * predicate is asked after each dispatched event, and every 5 ms. */
bool wait_until(WaitPredicate predicate, void *userdata, unsigned msec);

/* Whether something listens there at this moment. */
bool wait_connects_unix(const char *path);
bool wait_connects_tcp(guint16 port);

/* A TCP port of 127.0.0.1 that was free a moment ago. */
guint16 wait_find_port(void);
