/* SPDX-License-Identifier: MIT */

/* Signals of own services: numbering, sending, and those that wait for the broker. Once some wait,
 * all that come after them do, so that their order holds. What was sent and not acknowledged when
 * the connection was lost may be lost; receivers see it by `seq`.
 *
 * Each that was to be emitted counts as emitted, and if it cannot be sent, now or later, as
 * dropped: of the bus and of its service. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/json-write.h"
#include "common/limits.h"
#include "libmqttrpc/json-build.h"
#include "libmqttrpc/service.h"

enum { SEQ_EPOCH_LENGTH = 8, SEQ_LENGTH = SEQ_EPOCH_LENGTH + 1 + 20 };

/* A signal that waits; topic and payload follow one another in `text`. */
typedef struct Waiting {
        struct Waiting *next;
        size_t size; /* of all this */
        size_t payload_length;
        int qos;
        char seq[SEQ_LENGTH + 1];
        char text[]; /* topic, NUL, payload */
} Waiting;

struct Outbox {
        Waiting *first;
        Waiting *last;
        unsigned count;
        size_t bytes;
};

/* ---- counts ---- */

static void count_dropped(MqttRpcBus *bus, Service *service)
{
        bus_count(bus, MQTTRPC_COUNT_SIGNALS_DROPPED);
        if (service)
                service->signals_dropped++;
}

/* Counts what was to be emitted, of which came `r`. */
static int count_emitted(Service *service, int r)
{
        bus_count(service->bus, MQTTRPC_COUNT_SIGNALS);
        if (r < 0)
                count_dropped(service->bus, service);
        return r;
}

/* One that has waited: its service may have gone meanwhile. */
static void count_waiting_dropped(MqttRpcBus *bus, const Waiting *waiting)
{
        Topic topic;

        if (topic_parse(bus->root, waiting->text, &topic) >= 0)
                count_dropped(bus, service_find(bus, topic.service));
        else
                count_dropped(bus, NULL);
}

/* ---- outbox ---- */

static void drop_first(Outbox *outbox)
{
        Waiting *first = outbox->first;

        outbox->first = first->next;
        if (!outbox->first)
                outbox->last = NULL;
        outbox->count--;
        outbox->bytes -= first->size;
        free(first);
}

Outbox *outbox_free(Outbox *outbox)
{
        if (!outbox)
                return NULL;
        while (outbox->first)
                drop_first(outbox);
        free(outbox);
        return NULL;
}

static void make_room(MqttRpcBus *bus, size_t size)
{
        Outbox *outbox = bus->outbox;

        while (outbox->first && (outbox->count >= LIMIT_OUTBOX_MESSAGES ||
                                 outbox->bytes + size > LIMIT_OUTBOX_BYTES)) {
                count_waiting_dropped(bus, outbox->first);
                drop_first(outbox);
                bus_log_peer(bus, "a signal was dropped: the broker takes none, and %u wait",
                             outbox->count);
        }
}

static int keep(MqttRpcBus *bus, const LinkPublish *message, const char *seq)
{
        size_t topic_length = strlen(message->topic);
        size_t size = sizeof(Waiting) + topic_length + 1 + message->length;
        Waiting *waiting;

        if (!bus->outbox)
                bus->outbox = calloc(1, sizeof(*bus->outbox));
        if (!bus->outbox)
                return -ENOMEM;
        make_room(bus, size);
        waiting = malloc(size);
        if (!waiting)
                return -ENOMEM;
        *waiting = (Waiting){.size = size, .payload_length = message->length, .qos = message->qos};
        strcpy(waiting->seq, seq);
        memcpy(waiting->text, message->topic, topic_length + 1);
        memcpy(waiting->text + topic_length + 1, message->payload, message->length);
        if (bus->outbox->last)
                bus->outbox->last->next = waiting;
        else
                bus->outbox->first = waiting;
        bus->outbox->last = waiting;
        bus->outbox->count++;
        bus->outbox->bytes += size;
        return 0;
}

static bool has_room(const MqttRpcBus *bus)
{
        return link_is_up(bus->link) &&
               link_outstanding_bytes(bus->link) < LIMIT_SIGNAL_OUTSTANDING_BYTES;
}

void outbox_flush(MqttRpcBus *bus)
{
        Outbox *outbox = bus->outbox;

        while (outbox && outbox->first && has_room(bus)) {
                Waiting *first = outbox->first;
                LinkUserProperty user[] = {{"seq", first->seq}};
                LinkPublish message = {
                        .topic = first->text,
                        .payload = first->text + strlen(first->text) + 1,
                        .length = first->payload_length,
                        .qos = first->qos,
                        .user = user,
                        .n_user = ARRAY_SIZE(user),
                };
                int r = link_publish(bus->link, &message, 0);

                if (r == -ENOBUFS || r == -ENOTCONN)
                        return;
                if (r < 0) {
                        count_waiting_dropped(bus, first);
                        bus_log_peer(bus, "a signal at %s was dropped: %s", first->text,
                                     strerrordesc_np(-r));
                }
                drop_first(outbox);
        }
}

/* ---- sending ---- */

static int write_message(Object *object, const char *name, const char *params, size_t length)
{
        MqttRpcBus *bus = object->service->bus;
        int r;

        buffer_clear(&bus->topic);
        r = topic_write(&bus->topic, TOPIC_SIGNAL, bus->root, service_public_name(object->service),
                        object->name, name);
        if (r < 0)
                return r;
        buffer_clear(&bus->payload);
        buffer_append_text(&bus->payload, "{\"jsonrpc\":\"2.0\",\"method\":\"");
        buffer_append_text(&bus->payload, name);
        buffer_append_text(&bus->payload, "\",\"params\":");
        buffer_append(&bus->payload, params, length);
        r = buffer_append_char(&bus->payload, '}');
        if (r >= 0 && bus->payload.length > bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES])
                r = -EMSGSIZE;
        return r;
}

/* A number is taken also by one that then cannot be sent, so that receivers see that it is missing.
 */
static int send_numbered(Object *object, const char *name, const char *params, size_t length,
                         int qos)
{
        const Service *service = object->service;
        MqttRpcBus *bus = service->bus;
        char seq[SEQ_LENGTH + 1];
        LinkUserProperty user[] = {{"seq", seq}};
        LinkPublish message = {.qos = qos, .user = user, .n_user = ARRAY_SIZE(user)};
        uint64_t count;
        int r;

        count = object_count_signal(object, name);
        if (count == 0)
                return -ENOMEM;
        r = write_message(object, name, params, length);
        if (r < 0)
                return r;
        snprintf(seq, sizeof(seq), "%.8s-%" PRIu64, service->epoch, count);
        message.topic = bus->topic.data;
        message.payload = bus->payload.data;
        message.length = bus->payload.length;
        if (bus->outbox && bus->outbox->first)
                outbox_flush(bus);
        if ((bus->outbox && bus->outbox->first) || !has_room(bus))
                return keep(bus, &message, seq);
        r = link_publish(bus->link, &message, 0);
        return r == -ENOBUFS || r == -ENOTCONN ? keep(bus, &message, seq) : r;
}

int signal_send(Object *object, const char *name, const char *params, size_t length, int qos)
{
        Service *service = object->service;

        if (service_is_silent(service))
                return count_emitted(service, -ESTALE);
        return count_emitted(service, send_numbered(object, name, params, length, qos));
}

/* ---- public ---- */

MQTTRPC_PUBLIC uint64_t mqttrpc_service_get_dropped_signals(MqttRpcBus *bus, const char *service)
{
        const Service *owner = service_find(bus, (TextSpan){service, strlen(service)});

        return owner ? owner->signals_dropped : 0;
}

static int find_object(MqttRpcBus *bus, const char *service, const char *name, const char *signal,
                       Object **ret_object)
{
        Service *owner = service_find(bus, (TextSpan){service, strlen(service)});
        Object *object;

        if (!topic_name_is_valid(signal, strlen(signal)) ||
            !topic_object_is_valid(name, strlen(name)))
                return -EINVAL;
        if (!owner)
                return -ENOENT;
        object = object_find(owner, name, strlen(name));
        if (!object && owner->fallback) {
                int r = object_new(owner, name, &object);

                if (r < 0)
                        return count_emitted(owner, r);
        }
        if (!object || (object->members && !vtable_find_signal(&object->vtable, signal)))
                return -ENOENT;
        *ret_object = object;
        return 0;
}

/* True if the types, all in one, are those of the declaration. */
static bool types_are(const ArgumentList *params, const char *types)
{
        for (size_t i = 0; i < params->count; i++) {
                size_t length = strlen(params->items[i].type);

                if (strncmp(types, params->items[i].type, length) != 0)
                        return false;
                types += length;
        }
        return !*types;
}

MQTTRPC_PUBLIC int mqttrpc_emit_signal(MqttRpcBus *bus, const char *service, const char *object,
                                       const char *signal, const char *types, ...)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);
        Object *emitter;
        va_list arguments;
        int r;

        r = find_object(bus, service, object, signal, &emitter);
        if (r < 0)
                return r;
        if (emitter->members &&
            !types_are(&vtable_find_signal(&emitter->vtable, signal)->params, types ? types : ""))
                return -EINVAL;
        va_start(arguments, types);
        r = json_build_append(&params, types, true, arguments);
        va_end(arguments);
        return r < 0 ? r : signal_send(emitter, signal, params.data, params.length, 1);
}

MQTTRPC_PUBLIC int mqttrpc_emit_signal_json(MqttRpcBus *bus, const char *service,
                                            const char *object, const char *signal,
                                            const char *params, size_t length,
                                            MqttRpcSignalFlags flags)
{
        Object *emitter;
        int r;

        r = find_object(bus, service, object, signal, &emitter);
        if (r < 0)
                return r;
        if (!params)
                params = "[]";
        if (length == SIZE_MAX || length == 0)
                length = strlen(params);
        return signal_send(emitter, signal, params, length, flags & MQTTRPC_SIGNAL_QOS0 ? 0 : 1);
}
