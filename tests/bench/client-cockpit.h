/* SPDX-License-Identifier: MIT */
#pragma once

/* A requester at Cockpit's bridge, the program of that name, which also makes JSON of D-Bus: frames
 * on its standard input and output, payload type dbus-json3. Strings only. */

#include "tests/bench/client.h"

#include <sys/types.h>

/* Starts the program, and opens a channel to who has `name` on the bus; ended with the client. */
Client *client_new_cockpit(const char *address, const char *name, const Payload *payload);
pid_t client_cockpit_pid(const Client *client);
