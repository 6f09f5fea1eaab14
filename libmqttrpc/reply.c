/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/reply.h"

#include <cJSON.h>
#include <errno.h>
#include <string.h>

#include "common/util.h"
#include "libmqttrpc/json-read.h"

struct MqttRpcReply {
        unsigned refs;
        bool failed;
        MqttRpcError *error; /* NULL when it failed for want of memory */
        cJSON *value;        /* parsed at the first use */
        JsonReading reading;
        size_t length;
        char result[]; /* NUL-terminated */
};

/* What a call ends with when there is no memory for its reply: it must end all the same. Shared by
 * all buses and threads, so it is never written to. */
static MqttRpcReply out_of_memory = {.failed = true};

static MqttRpcReply *reply_new(size_t length)
{
        MqttRpcReply *reply;

        reply = calloc(1, sizeof(*reply) + length + 1);
        if (reply)
                reply->refs = 1;
        return reply;
}

MqttRpcReply *reply_new_result(const char *result, size_t length)
{
        MqttRpcReply *reply = reply_new(length);

        if (!reply)
                return &out_of_memory;
        reply->length = length;
        memcpy(reply->result, result, length);
        return reply;
}

MqttRpcReply *reply_new_error(MqttRpcError *error)
{
        MqttRpcReply *reply = reply_new(0);

        if (!reply) {
                mqttrpc_error_free(error);
                return &out_of_memory;
        }
        reply->failed = true;
        reply->error = error;
        return reply;
}

MQTTRPC_PUBLIC MqttRpcReply *mqttrpc_reply_ref(MqttRpcReply *reply)
{
        if (reply != &out_of_memory)
                reply->refs++;
        return reply;
}

MQTTRPC_PUBLIC MqttRpcReply *mqttrpc_reply_unref(MqttRpcReply *reply)
{
        if (!reply || reply == &out_of_memory || --reply->refs > 0)
                return NULL;
        mqttrpc_error_free(reply->error);
        cJSON_Delete(reply->value);
        json_reading_done(&reply->reading);
        free(reply);
        return NULL;
}

MQTTRPC_PUBLIC const MqttRpcError *mqttrpc_reply_get_error(const MqttRpcReply *reply)
{
        return reply->failed && !reply->error ? error_out_of_memory() : reply->error;
}

MQTTRPC_PUBLIC const char *mqttrpc_reply_get_result(const MqttRpcReply *reply, size_t *ret_length)
{
        if (reply->failed)
                return NULL;
        if (ret_length)
                *ret_length = reply->length;
        return reply->result;
}

MQTTRPC_PUBLIC const struct cJSON *mqttrpc_reply_get_value(MqttRpcReply *reply)
{
        if (!reply->failed && !reply->value)
                reply->value = cJSON_ParseWithLength(reply->result, reply->length);
        return reply->value;
}

MQTTRPC_PUBLIC int mqttrpc_reply_read(MqttRpcReply *reply, const char *types, ...)
{
        va_list args;
        int r;

        if (reply->failed)
                return reply->error ? mqttrpc_error_get_errno(reply->error) : -ENOMEM;
        va_start(args, types);
        r = json_reading_values(&reply->reading, reply->result, reply->length, types, false, args);
        va_end(args);
        return r;
}
