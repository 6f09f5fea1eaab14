/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls of others, shown to monitors: every message at a call topic that the broker hands out,
 * requests and replies, is passed on as it came. The calls of this bus itself are not touched. */

#include "libmqttrpc/bus.h"

/* Before the message goes where it belongs. Does nothing for topics that are no calls. */
void monitors_on_message(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message);
