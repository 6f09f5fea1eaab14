/* SPDX-License-Identifier: MIT */
#pragma once

/* A network of the test program's own, in which packets can be lost: one that is dropped is neither
 * answered nor reset, as on a radio link that is gone. There is only the loopback in it, so that
 * what shall go on meanwhile talks by unix sockets. */

#include <stdbool.h>

#include "tests/support/temp-dir.h"

/* Starts the program once more, in a network namespace, and does not return; the first thing in
 * main(). Returns where that is not allowed, or MQTTRPC_NO_NAMESPACES is set, or it has been done.
 */
void network_enter(char **argv);
/* Whether it was entered. */
bool network_is_own(void);

/* From now on all packets are dropped, or none any more. */
void network_drop(TempDir *dir, bool drop);
/* How many have been since they are. */
unsigned network_count_dropped(TempDir *dir);
