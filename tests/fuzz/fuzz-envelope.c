/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <string.h>

#include "libmqttrpc/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An id that was accepted goes into a reply that can be read again, with the same token. */
static void check_reply(TextSpan id, const MqttRpcError *error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        EnvelopeResponse response;
        size_t length;
        const char *raw;

        if (envelope_write_error(&buffer, id, error) < 0 ||
            json_scan(&doc, buffer.data, buffer.length, JSON_SCAN_STRICT) < 0 ||
            envelope_read_response(&doc, &response) < 0 || response.error == 0)
                abort();
        raw = json_raw(&doc, response.id, &length);
        if (length != id.length || memcmp(raw, id.at, length) != 0)
                abort();
}

static void read_request(const JsonDoc *doc, uint32_t node)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        EnvelopeRequest request;

        if ((envelope_read_request(doc, node, &request, &error) < 0) != (error != NULL))
                abort();
        if (request.notification != (request.id.length == 0))
                abort();
        if (!request.notification)
                check_reply(request.id, error);
}

static void read_response(const JsonDoc *doc)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        EnvelopeResponse response;

        if (envelope_read_response(doc, &response) < 0 || response.error == 0)
                return;
        error = mqttrpc_error_read(doc, response.error);
        if (!error || !mqttrpc_error_get_message(error))
                abort();
        check_reply(envelope_null_id, error);
}

/* Progress that was accepted can be passed on as it is. */
static void read_progress(const JsonDoc *doc)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc again = {};
        EnvelopeProgress progress, copy;
        const char *value;
        size_t length;
        TextSpan id;

        if (!envelope_is_progress(doc) || envelope_read_progress(doc, &progress) < 0)
                return;
        id.at = json_raw(doc, progress.id, &id.length);
        value = json_raw(doc, progress.value, &length);
        if (envelope_write_progress(&buffer, id, progress.seq, value, length) < 0 ||
            json_scan(&again, buffer.data, buffer.length, JSON_SCAN_STRICT) < 0 ||
            !envelope_is_progress(&again) || envelope_read_progress(&again, &copy) < 0 ||
            copy.seq != progress.seq)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        if (json_scan(&doc, (const char *)data, size, JSON_SCAN_STRICT) < 0)
                return 0;
        read_request(&doc, 0);
        if (json_type(&doc, 0) == JSON_ARRAY)
                JSON_FOREACH (&doc, 0, item)
                        read_request(&doc, item);
        read_response(&doc);
        read_progress(&doc);
        return 0;
}
