/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether the owner of a D-Bus name is a facade of a gateway, which offers on D-Bus what it has
 * from MQTT. That must not go back there: it would be shown as the service that it stands for, and
 * a call of it would go round for ever. Only the owner itself can say; anybody else answers that it
 * knows no such method. */

#include <systemd/sd-bus.h>

/* What facades answer. It is not in their introspection, which is that of the legacy service. No
 * arguments; returns the name of the service in topics. */
#define LOOP_QUERY_PATH      "/org/mqttrpc/Facade"
#define LOOP_QUERY_INTERFACE "org.mqttrpc.Facade1"
#define LOOP_QUERY_MEMBER    "GetService"

/* Asks without starting anything. `on_answer` gets the reply, also if the owner does not answer in
 * time. */
int loop_query(sd_bus *bus, const char *name, sd_bus_message_handler_t on_answer, void *userdata,
               sd_bus_slot **ret_slot);
/* The service, if the answer is that of a facade; else NULL. Borrowed from the message. */
const char *loop_query_service(sd_bus_message *answer);

/* Tells the person who has to mend it. `service` is what the facade has answered. */
void loop_query_log(const char *mapped, const char *bus_name, const char *service);
