/* SPDX-License-Identifier: MIT */
#pragma once

/* A JSON-RPC batch on rpc/ (protocol section 3): collects the responses of its items and sends them
 * as one array, in the order of the requests, when the last is there. Freed with the last item. */

#include "libmqttrpc/request.h"

/* Expects `n_items` items and one batch_skip() of the maker, who thereby says that all have been
 * dispatched. */
int batch_new(unsigned n_items, const ReplyAddress *address, Batch **ret_batch);

/* The reply goes by another connection than the one the batch came by. */
void batch_move(Batch *batch, uint64_t generation);

/* The response of an item. Not kept once all together are too large to be sent. */
void batch_put(Batch *batch, MqttRpcBus *bus, unsigned index, const char *response, size_t length);

/* An item that has no response (a notification, or one that nobody waits for). `bus` NULL: the bus
 * goes, send nothing. Accepts NULL as batch. */
void batch_skip(Batch *batch, MqttRpcBus *bus);
