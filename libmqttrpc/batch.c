/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/batch.h"

#include <errno.h>
#include <string.h>

#include "libmqttrpc/envelope.h"

struct Batch {
        unsigned pending;
        unsigned n_items;
        bool gone;    /* the bus went: send nothing */
        size_t bytes; /* of the responses, also of those that were not kept */
        char **responses;
        ReplyAddress address; /* strings owned */
};

static Batch *batch_free(Batch *batch)
{
        if (!batch)
                return NULL;
        for (unsigned i = 0; batch->responses && i < batch->n_items; i++)
                free(batch->responses[i]);
        free(batch->responses);
        free((char *)(uintptr_t)batch->address.topic);
        free((void *)(uintptr_t)batch->address.correlation);
        free(batch);
        return NULL;
}

DEFINE_CLEANUP(Batch *, batch_free, batch_cleanup)

int batch_new(unsigned n_items, const ReplyAddress *address, Batch **ret_batch)
{
        CLEANUP(batch_cleanup) Batch *batch = calloc(1, sizeof(*batch));

        if (!batch)
                return -ENOMEM;
        batch->pending = n_items + 1;
        batch->n_items = n_items;
        batch->address = *address;
        batch->address.topic = strdup(address->topic);
        batch->address.correlation = NULL;
        batch->responses = calloc(n_items, sizeof(*batch->responses));
        if (!batch->address.topic || !batch->responses)
                return -ENOMEM;
        if (address->correlation_length > 0) {
                void *correlation = malloc(address->correlation_length);

                if (!correlation)
                        return -ENOMEM;
                memcpy(correlation, address->correlation, address->correlation_length);
                batch->address.correlation = correlation;
        }
        *ret_batch = STEAL(batch);
        return 0;
}

static void write_array(const Batch *batch, Buffer *buffer)
{
        for (unsigned i = 0; i < batch->n_items; i++) {
                if (!batch->responses[i])
                        continue;
                buffer_append_char(buffer, buffer->length == 0 ? '[' : ',');
                buffer_append_text(buffer, batch->responses[i]);
        }
        if (buffer->length > 0)
                buffer_append_char(buffer, ']');
}

static void send_too_large(const Batch *batch, MqttRpcBus *bus)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

        error = mqttrpc_error_new(MQTTRPC_ERROR_TOO_LARGE,
                                  "the responses to this batch are together too large to send");
        (void)mqttrpc_error_set_executed(error, MQTTRPC_EXECUTED_YES);
        if (envelope_write_error(&buffer, envelope_null_id, error) >= 0)
                (void)reply_send(bus, &batch->address, buffer.data, buffer.length,
                                 MQTTRPC_ERROR_TOO_LARGE);
}

static void finish(Batch *batch, MqttRpcBus *bus)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES]);
        int r = -EMSGSIZE;

        if (batch->bytes <= buffer.maximum) {
                write_array(batch, &buffer);
                r = buffer_status(&buffer);
        }
        if (r >= 0 && buffer.length > 0)
                r = reply_send(bus, &batch->address, buffer.data, buffer.length, 0);
        if (r == -EMSGSIZE)
                send_too_large(batch, bus);
}

void batch_move(Batch *batch, uint64_t generation)
{
        batch->address.generation = generation;
}

void batch_put(Batch *batch, MqttRpcBus *bus, unsigned index, const char *response, size_t length)
{
        batch->bytes += length;
        if (batch->bytes <= bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES]) {
                batch->responses[index] = strndup(response, length);
                if (!batch->responses[index])
                        bus_count(bus, MQTTRPC_COUNT_DROPPED_REPLIES);
                if (!batch->responses[index])
                        bus_log(bus, MQTTRPC_LOG_ERROR, "a batch lost a response: out of memory");
        }
        batch_skip(batch, bus);
}

void batch_skip(Batch *batch, MqttRpcBus *bus)
{
        if (!batch)
                return;
        if (!bus)
                batch->gone = true;
        if (--batch->pending > 0)
                return;
        if (!batch->gone)
                finish(batch, bus);
        batch_free(batch);
}
