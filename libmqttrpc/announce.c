/* SPDX-License-Identifier: MIT */

/* What others are told of own services: `$state`, `$api`, and when their objects are published
 * (protocol section 7). On each connection a service goes through these phases:
 *
 *   sweeping   what the broker has retained of it is looked through; what is not ours is cleared
 *   claiming   only if another instance is ready: calls are the other's until our claim comes back
 *   birth      description and objects are being published, as fast as the broker takes them
 *   up         `$state` is said
 *
 * A service that sees another instance take over falls silent (superseded), and comes back when
 * that one has gone. */

#include <errno.h>
#include <string.h>

#include "common/json-write.h"
#include "libmqttrpc/presence.h"
#include "libmqttrpc/request.h"
#include "libmqttrpc/sync.h"
#include "libmqttrpc/watch.h"

#define PROTOCOL "mb1"

/* How long a service waits for a call of its own to come back. */
#define TRIAL_USEC (UINT64_C(5) * USEC_PER_SEC)

/* The filters of what is retained of a service's objects. */
static const TopicKind swept_kinds[] = {TOPIC_PROPERTY, TOPIC_META};

/* ---- $state, $api ---- */

static int write_via(const Service *service, Buffer *buffer)
{
        const Service *host = service->bus->host;

        if (!host || host == service)
                return 0;
        return buffer_printf(buffer, ",\"via\":{\"svc\":\"%s\",\"epoch\":\"%s\"}",
                             service_public_name(host), host->epoch);
}

static int write_state(const Service *service, MqttRpcServiceState state, Buffer *buffer)
{
        buffer_printf(buffer, "{\"state\":\"%s\",\"epoch\":\"%s\",\"proto\":\"" PROTOCOL "\"",
                      mqttrpc_service_state_to_name(state), service->epoch);
        (void)write_via(service, buffer);
        for (const Detail *detail = service->details; detail; detail = detail->next)
                buffer_printf(buffer, ",\"%s\":%s", detail->key, detail->value);
        return buffer_append_char(buffer, '}');
}

static int publish_to(MqttRpcBus *bus, TopicKind kind, const char *name, const char *text)
{
        int r;

        buffer_clear(&bus->topic);
        r = topic_write(&bus->topic, kind, bus->root, name, NULL, NULL);
        return r < 0 ? r
                     : bus_publish_retained(bus, bus->topic.data, text, text ? strlen(text) : 0);
}

static int publish_state(Service *service, MqttRpcServiceState state)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r;

        r = write_state(service, state, &text);
        if (r >= 0 && service->member && state == MQTTRPC_SERVICE_READY)
                r = publish_to(service->bus, TOPIC_STATE, service->name,
                               "{\"state\":\"ready\",\"pool\":true,\"proto\":\"" PROTOCOL "\"}");
        return r < 0 ? r
                     : publish_to(service->bus, TOPIC_STATE, service_public_name(service),
                                  text.data);
}

static int publish_wanted(Service *service)
{
        int r = publish_state(service, service->wanted);

        if (r >= 0 && service->wanted == MQTTRPC_SERVICE_READY)
                service->was_ready = true;
        return r;
}

static int publish_description(Service *service)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r = 0;

        if (!service->description_is_dirty)
                return 0;
        if (!service->description)
                r = discover_write(service, &text);
        if (r >= 0)
                r = publish_to(service->bus, TOPIC_API, service->name,
                               service->description ? service->description : text.data);
        if (r == -EMSGSIZE) {
                bus_log(service->bus, MQTTRPC_LOG_WARNING,
                        "the description of %s is too large to be published", service->name);
                r = 0;
        }
        if (r >= 0)
                service->description_is_dirty = false;
        return r;
}

int announce_set_will(MqttRpcBus *bus)
{
        const Service *host = bus->host;
        CLEANUP_BUFFER Buffer topic = BUFFER_INIT(0);
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        int r;

        if (!host)
                return link_set_will(bus->link, NULL, NULL);
        r = topic_write(&topic, TOPIC_STATE, bus->root, service_public_name(host), NULL, NULL);
        if (r >= 0)
                r = write_state(host, MQTTRPC_SERVICE_LOST, &text);
        return r < 0 ? r : link_set_will(bus->link, topic.data, text.data);
}

/* ---- phases ---- */

static const Presence *own_presence(const Service *service)
{
        const char *name = service_public_name(service);

        return presence_find(service->bus, name, strlen(name));
}

/* Whether a state is the last word of the one that we have taken over from: it has said it before
 * it read our claim, and is silent since. */
static bool is_of_predecessor(const Service *service, MqttRpcServiceState said, const char *epoch)
{
        return service->predecessor[0] && said != MQTTRPC_SERVICE_CLAIM &&
               !strcmp(epoch, service->predecessor);
}

/* Another instance that is up. */
static bool has_rival(const Service *service)
{
        const Presence *presence = own_presence(service);

        return presence && presence->known && presence_is_up(presence) && presence->epoch[0] &&
               strcmp(presence->epoch, service->epoch) != 0 &&
               !is_of_predecessor(service, presence->said, presence->epoch);
}

/* While it sweeps, it may not have claimed yet. */
bool announce_takes_requests(const Service *service)
{
        return service->phase == ANNOUNCE_UP || service->phase == ANNOUNCE_BIRTH ||
               service->phase == ANNOUNCE_LEAVING ||
               (service->phase == ANNOUNCE_SWEEPING && !has_rival(service));
}

static void sweep(Service *service)
{
        MqttRpcBus *bus = service->bus;

        service->phase = ANNOUNCE_SWEEPING;
        service->needs_sweep = false;
        service->sweeps_later = bus->sweeping;
        service->is_swept = false;
        for (Object *object = service->objects; object; object = object->hh.next) {
                object_refresh(object);
                object_set_all_dirty(object);
        }
        for (size_t i = 0; i < ARRAY_SIZE(swept_kinds); i++) {
                CLEANUP_BUFFER Buffer filter = BUFFER_INIT(0);

                if (topic_write(&filter, swept_kinds[i], bus->root, service_public_name(service),
                                "+", "+") >= 0)
                        bus_subscribe(bus, filter.data, true);
        }
}

static void on_swept(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        bus->sweeping = false;
        if (!error)
                announce_on_complete(bus);
}

static void start_sync(MqttRpcBus *bus)
{
        if (!bus->sweeping && sync_start(bus, NULL, on_swept, NULL) >= 0)
                bus->sweeping = true;
}

/* Begins to announce a service on a connection that is up. */
static void begin(Service *service)
{
        sweep(service);
        start_sync(service->bus);
}

static void supersede(Service *service)
{
        service->phase = ANNOUNCE_SUPERSEDED;
        service->predecessor[0] = '\0';
        service->was_ready = true; /* it had its turn, and does not claim again */
        bus_log(service->bus, MQTTRPC_LOG_WARNING,
                "another instance of %s has taken over; this one waits until it has gone",
                service->name);
}

static void claim(Service *service)
{
        service->phase = ANNOUNCE_CLAIMING;
        if (publish_state(service, MQTTRPC_SERVICE_CLAIM) < 0)
                bus_log(service->bus, MQTTRPC_LOG_ERROR, "cannot claim %s", service->name);
}

static void birth(Service *service)
{
        service->phase = ANNOUNCE_BIRTH;
        service->description_is_dirty = true;
        announce_continue(service);
}

static void end_sweep(Service *service)
{
        MqttRpcBus *bus = service->bus;

        for (size_t i = 0; i < ARRAY_SIZE(swept_kinds); i++) {
                CLEANUP_BUFFER Buffer filter = BUFFER_INIT(0);

                if (topic_write(&filter, swept_kinds[i], bus->root, service_public_name(service),
                                "+", "+") >= 0 &&
                    !watches_have_filter(bus, filter.data))
                        bus_unsubscribe(bus, filter.data);
        }
        if (!has_rival(service))
                birth(service);
        else if (service->was_ready)
                supersede(service);
        else if (service->wanted == MQTTRPC_SERVICE_READY)
                claim(service);
        else
                service->phase = ANNOUNCE_SUPERSEDED; /* who cannot serve yet takes nothing over */
}

/* A broker takes a subscription whose messages it will then not deliver. Whether calls arrive, and
 * answers leave, is only known once one has. */
static int on_tried(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Service *service = userdata;

        service->trial = mqttrpc_slot_unref(service->trial);
        if (error && mqttrpc_error_get_code(error) != MQTTRPC_ERROR_DISCONNECTED)
                bus_log(service->bus, MQTTRPC_LOG_WARNING,
                        "%s does not get its own calls: has '%s' the rights of a service of that "
                        "name at the broker? (%s)",
                        service->name, service->bus->caller, mqttrpc_error_get_message(error));
        else if (error)
                service->was_tried = false;
        announce_continue(service);
        return 0;
}

/* Once for each incarnation, before others are told that it is ready. */
static void try_calls(Service *service)
{
        service->was_tried = true;
        if (mqttrpc_call_async(service->bus, &service->trial, service_public_name(service), "-",
                               "rpc.ping", NULL, TRIAL_USEC, MQTTRPC_CALL_QOS1, on_tried, service,
                               NULL) < 0)
                announce_continue(service);
}

void announce_continue(Service *service)
{
        if (!service->bus || (service->phase != ANNOUNCE_BIRTH && service->phase != ANNOUNCE_UP))
                return;
        if (service->phase == ANNOUNCE_UP && service->needs_sweep) {
                if (!service->bus->backlogged)
                        begin(service);
                return;
        }
        if (publish_description(service) < 0)
                return;
        for (Object *object = service->objects; service->n_dirty > 0 && object;
             object = object->hh.next)
                if (object_flush(object) < 0)
                        return;
        if (service->phase == ANNOUNCE_BIRTH && !service->was_tried) {
                try_calls(service);
                return;
        }
        if (service->phase == ANNOUNCE_BIRTH && !service->trial && publish_wanted(service) >= 0) {
                service->phase = ANNOUNCE_UP;
                if (service->needs_sweep && !service->bus->backlogged)
                        begin(service);
        }
}

void announce_continue_all(MqttRpcBus *bus)
{
        for (Service *service = bus->services; service; service = service->hh.next)
                announce_continue(service);
}

/* ---- connection ---- */

void announce_on_up(MqttRpcBus *bus)
{
        bus->sweeping = false;
        bus->backlogged = false;
        for (Service *service = bus->services; service; service = service->hh.next)
                sweep(service);
        start_sync(bus);
}

/* What the callbacks begin to sweep now has not been looked through by the sync that is over. */
void announce_on_complete(MqttRpcBus *bus)
{
        bool more = false;

        for (Service *service = bus->services; service; service = service->hh.next) {
                service->is_swept = service->phase == ANNOUNCE_SWEEPING && !service->sweeps_later;
                more = more || (service->phase == ANNOUNCE_SWEEPING && service->sweeps_later);
                service->sweeps_later = false;
        }
        if (!presence_is_complete(bus)) {
                presence_on_complete(bus);
                watches_on_complete(bus);
        }
        for (Service *service = bus->services; service; service = service->hh.next) {
                if (service->is_swept && service->phase == ANNOUNCE_SWEEPING)
                        end_sweep(service);
                service->is_swept = false;
        }
        if (more)
                start_sync(bus);
}

/* Who was taken over from may have come back by the time of the next connection. */
void announce_on_down(MqttRpcBus *bus)
{
        for (Service *service = bus->services; service; service = service->hh.next) {
                service->phase = ANNOUNCE_DOWN;
                service->predecessor[0] = '\0';
        }
}

/* Whether `$state` is, or is about to be, its own word: also a claim, which others wait for. */
static bool has_word(const Service *service)
{
        const Presence *presence;

        switch (service->phase) {
        case ANNOUNCE_CLAIMING:
        case ANNOUNCE_BIRTH:
        case ANNOUNCE_UP: return true;
        case ANNOUNCE_SWEEPING:
                presence = own_presence(service);
                return presence && presence->known && !strcmp(presence->epoch, service->epoch);
        default: return false;
        }
}

/* Calls that have been sent here already are still answered; no more are to come. */
static void leave(Service *service)
{
        bool takes_requests = announce_takes_requests(service);

        service_unsubscribe(service);
        if (has_word(service)) {
                (void)publish_state(service, MQTTRPC_SERVICE_OFFLINE);
                /* that was the last word */
                service->phase = takes_requests ? ANNOUNCE_LEAVING : ANNOUNCE_DOWN;
        }
}

void announce_close(MqttRpcBus *bus)
{
        for (Service *service = bus->services; service; service = service->hh.next)
                leave(service);
}

/* ---- coming and going ---- */

static void set_host(MqttRpcBus *bus, Service *host)
{
        bus->host = host;
        if (host)
                link_restart(bus->link, "another service is the host");
}

void announce_add(Service *service)
{
        MqttRpcBus *bus = service->bus;

        if (!bus->host)
                set_host(bus, service);
        else if (link_is_up(bus->link))
                begin(service);
}

void announce_remove(Service *service)
{
        MqttRpcBus *bus = service->bus;

        if (has_word(service)) {
                (void)publish_state(service, MQTTRPC_SERVICE_OFFLINE);
                if (!service->member)
                        (void)publish_to(bus, TOPIC_API, service->name, NULL);
                (void)publish_to(bus, TOPIC_STATE, service_public_name(service), NULL);
        }
        service->phase = ANNOUNCE_DOWN;
        service->trial = mqttrpc_slot_unref(service->trial);
        if (bus->host == service)
                set_host(bus, bus->services);
}

/* ---- what comes ---- */

void announce_on_retained(Service *service, const Topic *topic, const LinkMessage *message)
{
        Property *property;
        Object *object;

        if (service->phase != ANNOUNCE_SWEEPING || message->length == 0 || has_rival(service))
                return;
        object = object_find(service, topic->object.at, topic->object.length);
        if (topic->kind == TOPIC_META && object && object->announced)
                return;
        property = object && topic->kind == TOPIC_PROPERTY
                           ? object_find_property(object, topic->name.at, topic->name.length)
                           : NULL;
        if (property && property->value) {
                if (property->length == message->length &&
                    !memcmp(property->value, message->payload, message->length)) {
                        property->dirty = false; /* it is there already */
                        property->sent = true;
                }
                return;
        }
        if (bus_publish_retained(service->bus, message->topic, NULL, 0) < 0)
                service->needs_sweep = true;
}

static bool is_end(MqttRpcServiceState state)
{
        return state == MQTTRPC_SERVICE_UNKNOWN || state == MQTTRPC_SERVICE_OFFLINE ||
               state == MQTTRPC_SERVICE_LOST;
}

void announce_on_state(Service *service, MqttRpcServiceState said, const char *epoch, bool ours)
{
        const Presence *presence = own_presence(service);

        switch (service->phase) {
        case ANNOUNCE_CLAIMING:
                if (!ours || said != MQTTRPC_SERVICE_CLAIM)
                        return;
                if (presence)
                        memcpy(service->predecessor, presence->predecessor,
                               sizeof(service->predecessor));
                begin(service);
                return;
        case ANNOUNCE_SWEEPING:
                /* after our own claim, when it has come back */
                if (!ours && said == MQTTRPC_SERVICE_CLAIM && service->predecessor[0])
                        supersede(service);
                return;
        case ANNOUNCE_LEAVING:
                if (!ours && !is_end(said))
                        service->phase = ANNOUNCE_SUPERSEDED; /* what comes now is the other's */
                return;
        case ANNOUNCE_BIRTH:
        case ANNOUNCE_UP:
                if (!ours && !is_end(said) && !is_of_predecessor(service, said, epoch))
                        supersede(service);
                else if (service->phase == ANNOUNCE_UP && (is_end(said) || !ours) &&
                         (!ours || said != service->wanted))
                        (void)publish_wanted(service); /* not our last word */
                return;
        default: return;
        }
}

void announce_on_presence(Service *service, const Presence *presence)
{
        if (service->phase == ANNOUNCE_SUPERSEDED && presence->known && !presence_is_up(presence))
                begin(service);
}

/* ---- public ---- */

static Service *find(MqttRpcBus *bus, const char *name)
{
        return service_find(bus, (TextSpan){name, strlen(name)});
}

/* The state is not said before the values that it stands for. */
static void state_changed(Service *service)
{
        if (service->phase == ANNOUNCE_SUPERSEDED && !service->was_ready &&
            service->wanted == MQTTRPC_SERVICE_READY) {
                begin(service);
                return;
        }
        if (service->phase != ANNOUNCE_UP)
                return;
        if ((service->n_dirty > 0 && service->bus->backlogged) || publish_wanted(service) < 0)
                service->phase = ANNOUNCE_BIRTH; /* once more, when there is room */
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_host(MqttRpcBus *bus, const char *service)
{
        Service *host = find(bus, service);

        if (!host)
                return -ENOENT;
        if (bus->host != host)
                set_host(bus, host);
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_service_set_state(MqttRpcBus *bus, const char *service,
                                             MqttRpcServiceState state)
{
        Service *owner = find(bus, service);

        if (!owner)
                return -ENOENT;
        if (state != MQTTRPC_SERVICE_INIT && state != MQTTRPC_SERVICE_READY &&
            state != MQTTRPC_SERVICE_OFFLINE)
                return -EINVAL;
        if (owner->wanted == state)
                return 0;
        owner->wanted = state;
        state_changed(owner);
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_service_renew(MqttRpcBus *bus, const char *service)
{
        Service *owner = find(bus, service);

        if (!owner)
                return -ENOENT;
        if (owner == bus->host)
                return -EINVAL;
        bus_random_hex(owner->epoch, SERVICE_EPOCH_LENGTH);
        owner->predecessor[0] = '\0';
        signal_counters_done(&owner->counters); /* which hold within an epoch */
        owner->was_ready = false;               /* the new incarnation has not been */
        state_changed(owner);
        return 0;
}

MQTTRPC_PUBLIC const char *mqttrpc_service_get_epoch(MqttRpcBus *bus, const char *service)
{
        const Service *owner = find(bus, service);

        return owner ? owner->epoch : NULL;
}

MQTTRPC_PUBLIC bool mqttrpc_service_is_superseded(MqttRpcBus *bus, const char *service)
{
        const Service *owner = find(bus, service);

        return owner && owner->phase == ANNOUNCE_SUPERSEDED && owner->was_ready;
}

void announce_description(Service *service)
{
        if (service->description || service->phase == ANNOUNCE_DOWN)
                return;
        service->description_is_dirty = true;
        announce_continue(service);
}

/* ---- public: details ---- */

static int check_detail(MqttRpcBus *bus, const char *key, const char *value)
{
        static const char *const own[] = {"state", "epoch", "proto", "via", "pool"};

        for (size_t i = 0; i < ARRAY_SIZE(own); i++)
                if (!strcmp(key, own[i]))
                        return -EINVAL;
        if (!topic_name_is_valid(key, strlen(key)))
                return -EINVAL;
        return !value || json_scan(&bus->params_doc, value, strlen(value), JSON_SCAN_STRICT) >= 0
                       ? 0
                       : -EINVAL;
}

static Detail *detail_new(const char *key, const char *value)
{
        Detail *detail = calloc(1, sizeof(*detail) + strlen(key) + 1);

        if (!detail)
                return NULL;
        strcpy(detail->key, key);
        detail->value = strdup(value);
        if (detail->value)
                return detail;
        free(detail);
        return NULL;
}

static void remove_detail(Service *service, const char *key)
{
        for (Detail **at = &service->details; *at; at = &(*at)->next) {
                Detail *detail = *at;

                if (strcmp(detail->key, key) != 0)
                        continue;
                *at = detail->next;
                free(detail->value);
                free(detail);
                return;
        }
}

MQTTRPC_PUBLIC int mqttrpc_service_set_detail(MqttRpcBus *bus, const char *service, const char *key,
                                              const char *value)
{
        Service *owner = find(bus, service);
        Detail *detail = NULL;
        int r;

        if (!owner)
                return -ENOENT;
        r = check_detail(bus, key, value);
        if (r < 0)
                return r;
        if (value) {
                detail = detail_new(key, value);
                if (!detail)
                        return -ENOMEM;
        }
        remove_detail(owner, key);
        if (detail) {
                detail->next = owner->details;
                owner->details = detail;
        }
        state_changed(owner);
        return 0;
}

void announce_done(Service *service)
{
        while (service->details)
                remove_detail(service, service->details->key);
        free(STEAL(service->description));
}

MQTTRPC_PUBLIC int mqttrpc_service_set_description(MqttRpcBus *bus, const char *service,
                                                   const char *description)
{
        Service *owner = find(bus, service);
        char *copy = NULL;
        int r;

        if (!owner)
                return -ENOENT;
        if (description) {
                r = json_scan(&bus->params_doc, description, strlen(description), JSON_SCAN_STRICT);
                json_doc_done(&bus->params_doc); /* much larger than that of any parameters */
                if (r < 0)
                        return -EINVAL;
                copy = strdup(description);
                if (!copy)
                        return -ENOMEM;
        }
        free(owner->description);
        owner->description = copy;
        owner->description_is_dirty = true;
        announce_continue(owner);
        return 0;
}
