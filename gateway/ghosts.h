/* SPDX-License-Identifier: MIT */
#pragma once

/* Services that a predecessor of this gateway has left on the broker: hosted by its name, but not
 * mapped any more. Each is taken over for a moment, by which the library clears what is retained of
 * its objects, and then given up, by which it clears the rest. Services that are mapped are swept
 * when they are announced, and are none of this. */

#include <mqttrpc/mqttrpc.h>

typedef struct Ghosts Ghosts;

/* Watches from now on. `host` is the gateway's own service name; both are borrowed. 0 or a negative
 * errno. */
int ghosts_new(MqttRpcBus *bus, const char *host, Ghosts **ret_ghosts);
/* Gives up a name that is mapped again. */
void ghosts_yield(Ghosts *ghosts, const char *name);
/* Gives up what has been cleared; to be called now and then, outside of callbacks. */
void ghosts_process(Ghosts *ghosts);
/* Accepts NULL, returns NULL. */
Ghosts *ghosts_free(Ghosts *ghosts);
