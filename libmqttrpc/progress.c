/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/progress.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/util.h"
#include "libmqttrpc/call.h"
#include "libmqttrpc/request.h"

struct MqttRpcProgress {
        uint64_t seq;
        size_t length;
        char *value; /* NUL-terminated */
};

/* ---- serving ---- */

static MqttRpcRequest *request_of_due(Deadline *due)
{
        return (MqttRpcRequest *)((char *)due - offsetof(MqttRpcRequest, progress.due));
}

static int publish(MqttRpcRequest *request, const char *value, size_t length)
{
        MqttRpcBus *bus = request->bus;
        const ReplyAddress *address = &request->parts.address;
        LinkPublish message = {
                .topic = address->topic,
                .qos = address->qos,
                .correlation = address->correlation,
                .correlation_length = address->correlation_length,
        };
        int r;

        if (link_generation(bus->link) != address->generation)
                return -ENOTCONN;
        buffer_clear(&bus->payload);
        r = envelope_write_progress(&bus->payload, request->parts.id, request->progress.seq + 1,
                                    value, length);
        if (r < 0)
                return r;
        message.payload = bus->payload.data;
        message.length = bus->payload.length;
        r = link_publish(bus->link, &message, 0);
        if (r >= 0)
                request->progress.seq++;
        return r;
}

static int send_held(MqttRpcRequest *request)
{
        RequestProgress *progress = &request->progress;

        return publish(request, progress->held.data, progress->held.length);
}

static void on_due(Deadline *due)
{
        MqttRpcRequest *request = request_of_due(due);
        RequestProgress *progress = &request->progress;

        progress->next_usec = clock_now() + LIMIT_PROGRESS_USEC;
        /* A broker that is slow gets less: the value waits, and the next one takes its place. */
        if (send_held(request) == -ENOBUFS &&
            deadline_add(&request->bus->deadlines, due, progress->next_usec) >= 0)
                return;
        buffer_clear(&progress->held);
}

static int hold_back(MqttRpcRequest *request, const char *value, size_t length)
{
        RequestProgress *progress = &request->progress;
        int r;

        buffer_clear(&progress->held);
        r = buffer_append(&progress->held, value, length);
        if (r >= 0 && progress->due.position == 0) {
                progress->due.on_expired = on_due;
                r = deadline_add(&request->bus->deadlines, &progress->due, progress->next_usec);
        }
        if (r < 0)
                progress_drop(request);
        return r;
}

void progress_flush(MqttRpcRequest *request)
{
        if (request->progress.due.position == 0)
                return;
        (void)send_held(request);
        progress_drop(request);
}

void progress_drop(MqttRpcRequest *request)
{
        deadline_remove(&request->bus->deadlines, &request->progress.due);
        buffer_done(&request->progress.held);
}

/* Whether something can be sent, and what: the text may be left out, and its length too. */
static int check(MqttRpcRequest *request, const char **value, size_t *length)
{
        int r = request_check_open(request);

        if (r < 0)
                return r;
        if (!*value) {
                *value = "null";
                *length = SIZE_MAX;
        }
        if (*length == SIZE_MAX)
                *length = strlen(*value);
        if (*length > request->bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES])
                return -EMSGSIZE;
        if (link_generation(request->bus->link) == request->parts.address.generation)
                return 0;
        progress_drop(request); /* it was for that connection too */
        return -ENOTCONN;
}

MQTTRPC_PUBLIC bool mqttrpc_request_wants_progress(const MqttRpcRequest *request)
{
        return request->parts.wants_progress;
}

MQTTRPC_PUBLIC int mqttrpc_request_progress(MqttRpcRequest *request, const char *value,
                                            size_t length)
{
        RequestProgress *progress = &request->progress;
        uint64_t now = clock_now();
        int r;

        r = check(request, &value, &length);
        if (r < 0)
                return r;
        if (!request->parts.wants_progress)
                return 0;
        if (progress->due.position > 0 || now < progress->next_usec)
                return hold_back(request, value, length);
        progress->next_usec = now + LIMIT_PROGRESS_USEC;
        r = publish(request, value, length);
        return r == -ENOBUFS ? hold_back(request, value, length) : r;
}

MQTTRPC_PUBLIC int mqttrpc_request_more(MqttRpcRequest *request, const char *value, size_t length)
{
        int r;

        r = check(request, &value, &length);
        if (r < 0)
                return r;
        if (!request->parts.wants_progress)
                return -EOPNOTSUPP;
        progress_flush(request); /* it came before */
        return publish(request, value, length);
}

/* ---- calling ---- */

bool progress_take(PendingCall *call, const EnvelopeProgress *progress)
{
        MqttRpcBus *bus = call->slot.bus;
        MqttRpcProgress item = {.seq = progress->seq};
        const char *value;

        if (!call->progress_handler || progress->seq <= call->seq)
                return false;
        call->seq = progress->seq;
        call_restart_idle(call);
        value = json_raw(&bus->doc, progress->value, &item.length);
        item.value = strndup(value, item.length);
        if (!item.value) {
                bus_log(bus, MQTTRPC_LOG_ERROR, "a progress report was lost: out of memory");
                return true;
        }
        bus->refs++;
        bus->dispatching++;
        call->progress_handler(&item, call->userdata);
        bus->dispatching--;
        mqttrpc_bus_unref(bus);
        free(item.value);
        return true;
}

MQTTRPC_PUBLIC const char *mqttrpc_progress_get_value(const MqttRpcProgress *progress,
                                                      size_t *ret_length)
{
        if (ret_length)
                *ret_length = progress->length;
        return progress->value;
}

MQTTRPC_PUBLIC uint64_t mqttrpc_progress_get_seq(const MqttRpcProgress *progress)
{
        return progress->seq;
}

MQTTRPC_PUBLIC int mqttrpc_call_more_async(
        MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service, const char *object,
        const char *method, const char *params, uint64_t timeout_usec, uint64_t idle_usec,
        MqttRpcCallFlags flags, MqttRpcProgressHandler progress_handler,
        MqttRpcReplyHandler reply_handler, void *userdata, MqttRpcError **ret_error)
{
        const CallRequest request = {
                .service = service,
                .object = object,
                .method = method,
                .params = params,
                .timeout_usec = timeout_usec,
                .idle_usec = progress_handler ? idle_usec : 0,
                .flags = flags,
                .progress_handler = progress_handler,
                .handler = reply_handler,
                .userdata = userdata,
        };

        return call_start(bus, ret_slot, &request, ret_error);
}
