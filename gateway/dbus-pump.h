/* SPDX-License-Identifier: MIT */
#pragma once

/* Runs a D-Bus connection on the loop once it is up, in the place of sd_bus_attach_event(): that
 * reckons the time of each connection's next timeout anew, and moves a timer, in every turn of the
 * loop, whatever the turn was about. With a connection for each service this is what most of a turn
 * would be spent on. Here all connections of a loop share one timer, which is only ever moved to an
 * earlier time.
 *
 * Begin when the connection is established, after sd_bus_detach_event(): before that its descriptor
 * may change. Free it before the connection is closed. It may be freed in one of the connection's
 * callbacks. At the end of the loop it sends what is left and closes the connection, as sd-bus
 * does. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct DbusPump DbusPump;

/* Keeps references to both. */
int dbus_pump_new(sd_event *event, sd_bus *bus, DbusPump **ret_pump);
/* Accepts NULL, returns NULL. */
DbusPump *dbus_pump_free(DbusPump *pump);
