/* SPDX-License-Identifier: MIT */
#pragma once

/* What a name that the bus does not know was meant to be: a service, object, method or property
 * that is there and is spelled nearly so, or the service that a D-Bus name stands for. */

#include "cli/description.h"
#include "cli/inventory.h"

/* All borrowed from the inventory; NULL: nothing is near. */
const char *near_service(const Inventory *inventory, const char *name);
const char *near_object(const Inventory *inventory, const char *service, const char *name);

/* The same for methods or properties of a service. Owned by the caller. */
char *near_member(const Inventory *inventory, const char *service, MemberKind kind,
                  const char *name);

/* Appends hints for a call that has failed because something is not there, or, for a service that
 * is not there, because it is not granted. Looks at the bus for a moment, and says nothing if that
 * does not work. `ret_unknown_service` tells that the bus has no such service. */
void near_write_hints(Buffer *buffer, const Client *client, const ClientCall *call,
                      const MqttRpcError *error, bool *ret_unknown_service);
