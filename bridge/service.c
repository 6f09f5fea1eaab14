/* SPDX-License-Identifier: MIT */

#include "bridge/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/policy-load.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

/* How often counters are published. */
#define UPDATE_USEC (UINT64_C(1) * USEC_PER_SEC)
/* While somebody waits for a flush, on_demand rules are in force from one update to the next. */
#define FLUSH_USEC (2 * UPDATE_USEC)
/* The longest that on_demand rules may be in force without being asked for again; flushes that
 * wait, all and of one caller. */
enum { MAX_DEMAND_SEC = 3600, MAX_FLUSHES = 64, MAX_CALLER_FLUSHES = 4 };

/* A caller who waits for the cloud to have what was here when he asked. */
typedef struct Flush {
        MqttRpcRequest *request; /* NULL: a free place */
        int64_t event_id;        /* the last event then */
} Flush;

struct BridgeService {
        Core *core;
        UpState *state;
        UpEvents *events;
        MqttRpcBus *bus;
        char *name;
        uint64_t update_usec;
        Flush flushes[MAX_FLUSHES];
        unsigned n_flushes;
};

/* ---- properties ---- */

static int get_node(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;

        return mqttrpc_value_set(value, "s", service->core->policy->node);
}

static int get_cloud(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;

        return mqttrpc_value_set(value, "s",
                                 service->core->cloud_ready           ? "up"
                                 : mqtt_is_open(service->core->cloud) ? "comparing"
                                                                      : "down");
}

static int get_local(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;
        const Core *core = service->core;
        const char *state = "down";

        if (core->local_ready && core->events_ready)
                state = "up";
        else if (mqtt_is_open(core->local))
                state = core->local_ready ? "no events" : "reading";
        return mqttrpc_value_set(value, "s", state);
}

static int get_paused(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;

        return mqttrpc_value_set(value, "b", service->core->paused);
}

static int get_last_error(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;

        return mqttrpc_value_set(value, "s",
                                 service->core->last_error ? service->core->last_error : "");
}

static StoreCounts counts_of(const BridgeService *service)
{
        return service->core->store ? store_get_counts(service->core->store) : (StoreCounts){};
}

static int get_number(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;
        const Stats *stats = &service->core->stats;
        StoreCounts counts = counts_of(service);
        const struct {
                const char *name;
                uint64_t number;
        } table[] = {
                {"QueueEvents", counts.events},
                {"QueueBytes", counts.bytes},
                {"EventsDropped", counts.dropped},
                {"EventsIn", stats->events_in},
                {"EventsOut", stats->events_out},
                {"EventsLost", stats->events_lost},
                {"StateTopics", up_state_count(service->state)},
                {"StateWaiting", up_state_count_dirty(service->state)},
                {"StateOut", stats->state_out},
                {"StateIncomplete", stats->incomplete},
                {"RefusedByCloud", stats->refused_up},
                {"Calls", stats->calls},
                {"CallsRefused", stats->calls_refused},
                {"Foreign", stats->foreign},
                {"LateAnswers", stats->late},
                {"CloudConnects", stats->cloud_connects},
                {"LocalConnects", stats->local_connects},
        };
        const char *name = mqttrpc_value_get_property(value);

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (strcmp(table[i].name, name) == 0)
                        return mqttrpc_value_set(value, "t", table[i].number);
        return -ENOENT;
}

/* ---- methods ---- */

static int on_pause(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;

        service->core->paused = strcmp(mqttrpc_request_get_method(request), "pause") == 0;
        log_notice("%s by %s", service->core->paused ? "paused" : "resumed",
                   mqttrpc_request_get_caller(request));
        (void)mqttrpc_property_changed(service->bus, service->name, "-", "Paused");
        return mqttrpc_request_reply_values(request, "");
}

static int on_demand(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;
        unsigned seconds;
        int r;

        r = mqttrpc_request_read(request, "u", &seconds);
        if (r < 0)
                return r;
        if (seconds > MAX_DEMAND_SEC)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "at most %d seconds", MAX_DEMAND_SEC);
        service->core->demand_until = clock_now() + seconds * USEC_PER_SEC;
        return mqttrpc_request_reply_values(request, "");
}

static void let_go(BridgeService *service, Flush *flush)
{
        flush->request = mqttrpc_request_unref(flush->request);
        service->n_flushes--;
}

/* Who has stopped waiting does not keep his place from others. */
static void let_expired_go(BridgeService *service, uint64_t now)
{
        for (size_t i = 0; service->n_flushes > 0 && i < MAX_FLUSHES; i++) {
                Flush *flush = &service->flushes[i];

                if (flush->request && (mqttrpc_request_is_cancelled(flush->request) ||
                                       mqttrpc_request_get_deadline(flush->request) <= now))
                        let_go(service, flush);
        }
}

/* NULL: none is free, for this caller. */
static Flush *find_place(BridgeService *service, const char *caller)
{
        Flush *place = NULL;
        unsigned n_own = 0;

        for (size_t i = 0; i < MAX_FLUSHES; i++) {
                Flush *flush = &service->flushes[i];

                if (!flush->request)
                        place = flush;
                else
                        n_own += strcmp(mqttrpc_request_get_caller(flush->request), caller) == 0;
        }
        return n_own < MAX_CALLER_FLUSHES ? place : NULL;
}

static int on_flush(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        BridgeService *service = userdata;
        Store *store = service->core->store;
        uint64_t now = clock_now();
        int64_t event_id = 0;
        Flush *place;

        let_expired_go(service, now);
        place = find_place(service, mqttrpc_request_get_caller(request));
        if (!place)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_BUSY,
                                         "too many wait for it already");
        if (store && store_get_last_id(store, &event_id) < 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INTERNAL,
                                         "the queue cannot be read");
        service->core->demand_until = MAX(service->core->demand_until, now + FLUSH_USEC);
        *place = (Flush){.request = mqttrpc_request_ref(request), .event_id = event_id};
        service->n_flushes++;
        return 0;
}

#define NUMBER(name) MQTTRPC_PROPERTY(name, "t", get_number, 0)

static const MqttRpcMember vtable[] = {
        MQTTRPC_PROPERTY("Node", "s", get_node, 0),
        MQTTRPC_PROPERTY("Cloud", "s", get_cloud, 0),
        MQTTRPC_PROPERTY("Local", "s", get_local, 0),
        MQTTRPC_PROPERTY("Paused", "b", get_paused, 0),
        MQTTRPC_PROPERTY("LastError", "s", get_last_error, 0),
        NUMBER("QueueEvents"),
        NUMBER("QueueBytes"),
        NUMBER("EventsDropped"),
        NUMBER("EventsIn"),
        NUMBER("EventsOut"),
        NUMBER("EventsLost"),
        NUMBER("StateTopics"),
        NUMBER("StateWaiting"),
        NUMBER("StateOut"),
        NUMBER("StateIncomplete"),
        NUMBER("RefusedByCloud"),
        NUMBER("Calls"),
        NUMBER("CallsRefused"),
        NUMBER("Foreign"),
        NUMBER("LateAnswers"),
        NUMBER("CloudConnects"),
        NUMBER("LocalConnects"),
        MQTTRPC_METHOD("pause", "", "", on_pause, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_METHOD("resume", "", "", on_pause, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_METHOD("flush", "", "", on_flush, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_METHOD("demand", "seconds:u", "", on_demand, MQTTRPC_ACCESS_CONTROL),
        MQTTRPC_END,
};

/* ---- life ---- */

int bridge_service_new(Core *core, UpState *state, UpEvents *events, BridgeService **ret_service)
{
        BridgeService *service = calloc(1, sizeof(*service));

        if (!service)
                return -ENOMEM;
        *service = (BridgeService){.core = core, .state = state, .events = events};
        *ret_service = service;
        return 0;
}

static void drop_bus(BridgeService *service)
{
        for (size_t i = 0; i < MAX_FLUSHES; i++)
                if (service->flushes[i].request)
                        let_go(service, &service->flushes[i]);
        if (service->bus)
                mqttrpc_bus_close(service->bus);
        service->bus = mqttrpc_bus_unref(service->bus);
        free(STEAL(service->name));
}

BridgeService *bridge_service_free(BridgeService *service)
{
        if (!service)
                return NULL;
        drop_bus(service);
        free(service);
        return NULL;
}

static int configure(BridgeService *service, MqttRpcError **error)
{
        CLEANUP_FREE char *password = NULL, *client_id = NULL;
        const Policy *policy = service->core->policy;
        const Endpoint *local = &policy->local;
        MqttRpcBus *bus = service->bus;
        int r;

        r = policy_read_secret(local->password_file, &password, NULL);
        if (asprintf(&client_id, "%s-service", local->client_id) < 0)
                client_id = NULL;
        if (r >= 0)
                r = client_id ? mqttrpc_bus_set_client_id(bus, client_id) : -ENOMEM;
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, local->uri, error);
        if (r >= 0)
                r = mqttrpc_bus_set_root(bus, policy->root);
        if (r >= 0 && local->user)
                r = mqttrpc_bus_set_credentials(bus, local->user, password);
        if (r >= 0 && local->address.tls)
                r = mqttrpc_bus_set_tls(bus, local->ca_file, local->cert_file, local->key_file);
        if (r >= 0)
                r = mqttrpc_add_service(bus, NULL, service->name, vtable, service, error);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, error);
        return r;
}

int bridge_service_open(BridgeService *service, Error **ret_error)
{
        MqttRpcError *error = NULL;
        int r;

        drop_bus(service);
        service->name = strdup(service->core->policy->name);
        r = service->name ? mqttrpc_bus_new(&service->bus) : -ENOMEM;
        if (r >= 0)
                r = configure(service, &error);
        if (r < 0)
                r = error_set(ret_error, r, "the bridge's service: %s",
                              error ? mqttrpc_error_get_message(error) : strerrordesc_np(-r));
        mqttrpc_error_free(error);
        return r < 0 ? r : 0;
}

MqttRpcBus *bridge_service_get_bus(const BridgeService *service)
{
        return service->bus;
}

/* Answers those for whom everything has gone. */
static void answer_flushes(BridgeService *service)
{
        if (!service->core->cloud_ready || up_state_count_dirty(service->state) > 0)
                return;
        for (size_t i = 0; service->n_flushes > 0 && i < MAX_FLUSHES; i++) {
                Flush *flush = &service->flushes[i];

                if (!flush->request || !up_events_is_done(service->events, flush->event_id))
                        continue;
                (void)mqttrpc_request_reply_values(flush->request, "");
                let_go(service, flush);
        }
}

uint64_t bridge_service_process(BridgeService *service, uint64_t now)
{
        answer_flushes(service);
        if (now < service->update_usec)
                return service->update_usec;
        service->update_usec = now + UPDATE_USEC;
        for (const MqttRpcMember *m = vtable; m->type != MQTTRPC_MEMBER_END; m++)
                if (m->type == MQTTRPC_MEMBER_PROPERTY)
                        (void)mqttrpc_property_changed(service->bus, service->name, "-", m->name);
        let_expired_go(service, now);
        if (service->n_flushes > 0)
                service->core->demand_until = MAX(service->core->demand_until, now + FLUSH_USEC);
        return service->update_usec;
}
