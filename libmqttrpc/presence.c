/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/presence.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "libmqttrpc/watch.h"

struct PresenceTable {
        Presence *presences; /* hash by name */
        bool complete;
        JsonDoc doc;
};

static const struct {
        const char *name;
        MqttRpcServiceState state;
} state_names[] = {
        {"unknown", MQTTRPC_SERVICE_UNKNOWN}, {"init", MQTTRPC_SERVICE_INIT},
        {"claim", MQTTRPC_SERVICE_CLAIM},     {"ready", MQTTRPC_SERVICE_READY},
        {"offline", MQTTRPC_SERVICE_OFFLINE}, {"lost", MQTTRPC_SERVICE_LOST},
};

MQTTRPC_PUBLIC const char *mqttrpc_service_state_to_name(MqttRpcServiceState state)
{
        for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
                if (state_names[i].state == state)
                        return state_names[i].name;
        return state_names[0].name;
}

/* ---- table ---- */

int presence_table_new(PresenceTable **ret_table)
{
        *ret_table = calloc(1, sizeof(**ret_table));
        return *ret_table ? 0 : -ENOMEM;
}

static void presence_free(PresenceTable *table, Presence *presence)
{
        HASH_DEL(table->presences, presence);
        free(presence->host);
        free(presence->details);
        free(presence);
}

PresenceTable *presence_table_free(PresenceTable *table)
{
        if (!table)
                return NULL;
        while (table->presences)
                presence_free(table, table->presences);
        json_doc_done(&table->doc);
        free(table);
        return NULL;
}

Presence *presence_find(const MqttRpcBus *bus, const char *name, size_t length)
{
        Presence *presence;

        HASH_FIND(hh, bus->presences->presences, name, length, presence);
        return presence;
}

bool presence_is_complete(const MqttRpcBus *bus)
{
        return bus->presences->complete;
}

void presence_foreach(const MqttRpcBus *bus, void (*each)(Presence *presence, void *data),
                      void *data)
{
        for (Presence *presence = bus->presences->presences; presence; presence = presence->hh.next)
                each(presence, data);
}

static Presence *presence_get(MqttRpcBus *bus, TextSpan name, bool own)
{
        PresenceTable *table = bus->presences;
        Presence *presence = presence_find(bus, name.at, name.length);

        if (presence)
                return presence;
        if (!own && HASH_COUNT(table->presences) >= LIMIT_PRESENCES) {
                bus_log_peer(bus, "more than %u services: the state of %.*s is not kept",
                             LIMIT_PRESENCES, (int)name.length, name.at);
                return NULL;
        }
        presence = calloc(1, sizeof(*presence) + name.length + 1);
        if (!presence)
                return NULL;
        memcpy(presence->name, name.at, name.length);
        HASH_ADD_KEYPTR(hh, table->presences, presence->name, name.length, presence);
        if (presence->hh.tbl)
                return presence;
        free(presence);
        return NULL;
}

/* ---- what follows from what is said ---- */

static MqttRpcServiceState state_of_host(const MqttRpcBus *bus, const Presence *presence)
{
        const Presence *host = presence_find(bus, presence->host, strlen(presence->host));

        if (!host || !host->known)
                return bus->presences->complete ? MQTTRPC_SERVICE_LOST : MQTTRPC_SERVICE_UNKNOWN;
        if (strcmp(host->epoch, presence->host_epoch) != 0)
                return MQTTRPC_SERVICE_LOST;
        return host->said;
}

/* A pool's name and those of its members differ by ".i-{instance}". */
static size_t pool_name_length(const char *name)
{
        const char *at = strstr(name, ".i-");

        return at ? (size_t)(at - name) : 0;
}

static bool has_ready_member(const MqttRpcBus *bus, const Presence *pool)
{
        size_t length = strlen(pool->name);

        for (const Presence *member = bus->presences->presences; member; member = member->hh.next)
                if (member->effective == MQTTRPC_SERVICE_READY &&
                    pool_name_length(member->name) == length &&
                    !memcmp(member->name, pool->name, length))
                        return true;
        return false;
}

static MqttRpcServiceState find_effective(const MqttRpcBus *bus, const Presence *presence)
{
        MqttRpcServiceState host;

        if (!presence->known)
                return MQTTRPC_SERVICE_UNKNOWN;
        if (presence->pool && presence->said == MQTTRPC_SERVICE_READY)
                return has_ready_member(bus, presence) ? MQTTRPC_SERVICE_READY
                                                       : MQTTRPC_SERVICE_OFFLINE;
        if (!presence->host || presence->said == MQTTRPC_SERVICE_OFFLINE ||
            presence->said == MQTTRPC_SERVICE_LOST || presence->said == MQTTRPC_SERVICE_UNKNOWN)
                return presence->said;
        host = state_of_host(bus, presence);
        return host == MQTTRPC_SERVICE_READY || host == MQTTRPC_SERVICE_CLAIM ? presence->said
                                                                              : host;
}

/* A handler that is told may drop the service. */
static void changed(MqttRpcBus *bus, Presence *presence)
{
        Service *own = service_find(bus, (TextSpan){presence->name, strlen(presence->name)});

        if (own)
                service_ref(own);
        calls_on_presence(bus, presence);
        watches_on_presence(bus, presence);
        if (own && own->bus && !strcmp(service_public_name(own), presence->name))
                announce_on_presence(own, presence);
        service_unref(own);
}

/* Sees whether others are up or down by what this one has said. */
static void update_dependents(MqttRpcBus *bus, const Presence *cause)
{
        size_t pool_length = pool_name_length(cause->name);

        for (Presence *presence = bus->presences->presences; presence;
             presence = presence->hh.next) {
                bool hosted = presence->host && !strcmp(presence->host, cause->name);
                bool pool = presence->pool && pool_length == strlen(presence->name) &&
                            !memcmp(presence->name, cause->name, pool_length);
                MqttRpcServiceState effective;

                if ((!hosted && !pool) || presence == cause)
                        continue;
                effective = find_effective(bus, presence);
                if (effective == presence->effective)
                        continue;
                presence->effective = effective;
                changed(bus, presence);
                if (hosted && pool_name_length(presence->name) > 0)
                        update_dependents(bus, presence);
        }
}

static void update(MqttRpcBus *bus, Presence *presence)
{
        presence->effective = find_effective(bus, presence);
        changed(bus, presence);
        update_dependents(bus, presence);
}

/* ---- reading a $state ---- */

/* What a payload says; `host` is owned. */
typedef struct StateText {
        MqttRpcServiceState state;
        bool pool;
        char epoch[SERVICE_EPOCH_LENGTH + 1];
        char host_epoch[SERVICE_EPOCH_LENGTH + 1];
        char *host;
} StateText;

static bool copy_epoch(const JsonDoc *doc, uint32_t node, char epoch[SERVICE_EPOCH_LENGTH + 1])
{
        const char *raw;
        size_t length;

        epoch[0] = '\0';
        if (node == 0)
                return true;
        raw = json_raw(doc, node, &length);
        if (json_type(doc, node) != JSON_STRING || length < 3 ||
            length > SERVICE_EPOCH_LENGTH + 2U || !topic_name_is_valid(raw + 1, length - 2))
                return false;
        memcpy(epoch, raw + 1, length - 2);
        epoch[length - 2] = '\0';
        return true;
}

static bool read_host(const JsonDoc *doc, StateText *text)
{
        uint32_t via = json_find(doc, 0, "via"), name;

        if (via == 0)
                return true;
        name = json_find(doc, via, "svc");
        if (name == 0 || json_string_dup(doc, name, &text->host) < 0 ||
            !topic_name_is_valid(text->host, strlen(text->host)))
                return false;
        return copy_epoch(doc, json_find(doc, via, "epoch"), text->host_epoch);
}

static bool read_state(const JsonDoc *doc, StateText *text)
{
        uint32_t state, pool;

        if (json_type(doc, 0) != JSON_OBJECT)
                return false;
        state = json_find(doc, 0, "state");
        for (size_t i = 1; state > 0 && i < ARRAY_SIZE(state_names); i++)
                if (json_string_is(doc, state, state_names[i].name))
                        text->state = state_names[i].state;
        pool = json_find(doc, 0, "pool");
        text->pool = pool > 0 && json_type(doc, pool) == JSON_BOOLEAN && json_boolean(doc, pool);
        return text->state != MQTTRPC_SERVICE_UNKNOWN &&
               copy_epoch(doc, json_find(doc, 0, "epoch"), text->epoch) && read_host(doc, text);
}

static bool is_same(const Presence *presence, const LinkMessage *message)
{
        return presence->known && presence->details &&
               presence->details_length == message->length &&
               !memcmp(presence->details, message->payload, message->length);
}

/* Takes the parts over. A `lost` that names another incarnation is old news: the Will of a
 * connection that was found dead only after its successor had spoken. */
static bool take(MqttRpcBus *bus, Presence *presence, StateText *text, const LinkMessage *message)
{
        char *details;

        if (presence->known && text->state == MQTTRPC_SERVICE_LOST && presence->epoch[0] &&
            presence_is_up(presence) && strcmp(text->epoch, presence->epoch) != 0)
                return false;
        details = malloc(message->length + 1);
        if (!details) {
                bus_log(bus, MQTTRPC_LOG_ERROR, "the state of %s was lost: out of memory",
                        presence->name);
                return false;
        }
        memcpy(details, message->payload, message->length);
        details[message->length] = '\0';
        if (text->state == MQTTRPC_SERVICE_CLAIM && presence->said == MQTTRPC_SERVICE_READY)
                memcpy(presence->predecessor, presence->epoch, sizeof(presence->epoch));
        else if (strcmp(text->epoch, presence->epoch) != 0)
                presence->predecessor[0] = '\0';
        free(presence->details);
        free(presence->host);
        presence->details = details;
        presence->details_length = message->length;
        presence->host = STEAL(text->host);
        presence->said = text->state;
        presence->pool = text->pool;
        memcpy(presence->epoch, text->epoch, sizeof(presence->epoch));
        memcpy(presence->host_epoch, text->host_epoch, sizeof(presence->host_epoch));
        presence->known = true;
        return true;
}

static void forget(MqttRpcBus *bus, Presence *presence)
{
        free(STEAL(presence->details));
        free(STEAL(presence->host));
        presence->details_length = 0;
        presence->epoch[0] = '\0';
        presence->predecessor[0] = '\0';
        presence->said = MQTTRPC_SERVICE_UNKNOWN;
        presence->pool = false;
        update(bus, presence);
}

static void read_message(MqttRpcBus *bus, Presence *presence, const LinkMessage *message,
                         StateText *text)
{
        PresenceTable *table = bus->presences;

        if (message->length > LIMIT_STATE_BYTES ||
            json_scan(&table->doc, message->payload, message->length, JSON_SCAN_STRICT) < 0 ||
            !read_state(&table->doc, text)) {
                text->state = MQTTRPC_SERVICE_UNKNOWN;
                bus_count(bus, MQTTRPC_COUNT_STATE_REFUSED);
                bus_log_peer(bus, "the $state of %s cannot be read; it is left as it was",
                             presence->name);
        } else if (take(bus, presence, text, message)) {
                update(bus, presence);
        }
}

/* By its epoch, or, when that has been renewed meanwhile, by the host's, which stays. */
static bool is_ours(const Service *own, const StateText *text)
{
        const Service *host = own->bus->host;

        return !strcmp(text->epoch, own->epoch) ||
               (host && text->host_epoch[0] && !strcmp(text->host_epoch, host->epoch));
}

void presence_on_state(MqttRpcBus *bus, const Topic *topic, const LinkMessage *message)
{
        Service *own = service_find(bus, topic->service);
        Presence *presence;
        StateText text = {};

        if (own && !text_span_is(topic->service, service_public_name(own)))
                own = NULL; /* the common name of a pool belongs to nobody */
        presence = presence_get(bus, topic->service, own);
        if (!presence)
                return;
        if (own)
                service_ref(own); /* a handler that is told may drop it */
        if (message->length == 0) {
                forget(bus, presence);
        } else if (is_same(presence, message)) {
                text.state = presence->said;
                memcpy(text.epoch, presence->epoch, sizeof(text.epoch));
                memcpy(text.host_epoch, presence->host_epoch, sizeof(text.host_epoch));
        } else {
                read_message(bus, presence, message, &text);
        }
        /* Our own states are judged by what was said, also when others ignore it. */
        if (own && own->bus)
                announce_on_state(own, text.state, text.epoch, is_ours(own, &text));
        service_unref(own);
        free(text.host);
}

/* ---- connection ---- */

void presence_on_complete(MqttRpcBus *bus)
{
        PresenceTable *table = bus->presences;
        Presence *presence, *next;

        table->complete = true;
        HASH_ITER (hh, table->presences, presence, next) {
                if (!presence->known && presence->details)
                        forget(bus, presence); /* cleared while we were away */
                else if (presence->host && find_effective(bus, presence) != presence->effective)
                        update(bus, presence); /* its host is not there */
        }
        HASH_ITER (hh, table->presences, presence, next)
                if (!presence->known)
                        presence_free(table, presence);
        calls_on_presence_known(bus);
}

void presence_on_down(MqttRpcBus *bus)
{
        PresenceTable *table = bus->presences;

        table->complete = false;
        for (Presence *presence = table->presences; presence; presence = presence->hh.next) {
                bool was_known = presence->known;

                presence->known = false;
                presence->effective = MQTTRPC_SERVICE_UNKNOWN;
                if (was_known)
                        watches_on_presence(bus, presence);
        }
}

MQTTRPC_PUBLIC MqttRpcServiceState mqttrpc_bus_get_service_state(MqttRpcBus *bus,
                                                                 const char *service)
{
        const Presence *presence = presence_find(bus, service, strlen(service));

        return presence ? presence->effective : MQTTRPC_SERVICE_UNKNOWN;
}
