/* SPDX-License-Identifier: MIT */
#pragma once

/* What verbs have in common: connect, look at the bus, call, report. Functions return an
 * ExitStatus; what goes wrong has been reported. */

#include "cli/inventory.h"
#include "cli/report.h"

/* Sets the client up and connects. `verb` is for the usage errors. */
int session_open(Client *client, const Settings *settings, const char *verb);

/* With --verbose: the mosquitto_sub line for these filters, NULL-terminated. */
void session_show_watch(const Client *client, const char *const *filters, bool retained);

/* Collects (inventory.h), for --timeout or a default time. */
int session_collect(Client *client, Inventory *inventory, unsigned kinds, const char *service,
                    const char *object);

/* Calls; on success the reply is the caller's. */
int session_call(Client *client, const ClientCall *call, MqttRpcReply **ret_reply);

/* --timeout, or the default for a reply. */
uint64_t session_timeout(const Settings *settings);

/* Looks whether the service is on the bus, in whatever state. STATUS_NO_SERVICE is reported with
 * the name of one that is near. */
int session_find_service(Client *client, const char *service);
