/* SPDX-License-Identifier: MIT */
#pragma once

/* Services that have just been taken off the bus, until the broker has confirmed that it sends
 * their requests here no more: those that are on their way are answered, for nobody else will. */

#include "libmqttrpc/service.h"

/* The requests of a service that takes them have been unsubscribed. Without memory it is as if they
 * had not come.
 */
void leaving_add(MqttRpcBus *bus, const Service *service);
bool leaving_has(const MqttRpcBus *bus, TextSpan name);
/* Something was unsubscribed; an answer to that has come. */
void leaving_on_unsubscribing(MqttRpcBus *bus);
void leaving_on_unsubscribed(MqttRpcBus *bus);
/* The connection is lost: nothing of it comes any more. */
void leaving_clear(MqttRpcBus *bus);
