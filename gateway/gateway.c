/* SPDX-License-Identifier: MIT */

#include "gateway/gateway.h"

#include <errno.h>
#include <malloc.h>
#include <mqttrpc/sd-event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/notify.h"
#include "gateway/broker.h"
#include "gateway/ghosts.h"
#include "gateway/notifier.h"
#include "gateway/own-service.h"
#include "gateway/served.h"
#include "gateway/usage-file.h"

/* At most, before signals and timers are looked at again. */
#define MESSAGES_PER_TURN 64

/* How long the last answers may take to reach the broker. */
#define FLUSH_USEC (UINT64_C(1) * 1000000)

/* From when all was read, or the broker is there, to when what that took is no longer in use. */
#define SETTLE_USEC (UINT64_C(500) * 1000)

struct Gateway {
        const GatewayConfig *config; /* borrowed */
        sd_event *event;
        sd_event_source *settle;
        MappingSet mappings;
        ExposeScratch scratch;
        MqttRpcBus *mqtt;
        MqttRpcSdEvent glue;
        Ghosts *ghosts;
        ServedHost host;
        Served *served; /* list */
        bool is_open;   /* connects to both sides */
        OwnService own;
        Diagnostics findings; /* about the mapping files */
        Usage usage;
        UsageFile *usage_file;
        uint64_t started_usec;   /* CLOCK_MONOTONIC */
        uint64_t connected_usec; /* to the broker */
        bool mqtt_connected;
        char *trouble;     /* what was logged last about the broker; NULL while connected */
        bool ready;        /* for the service manager */
        bool is_ready_due; /* it has not been told, or not since a reload */
        Notifier *notifier;
};

/* ---- memory ---- */

/* Reading mappings and publishing what they describe takes more memory than keeping them. malloc
 * keeps what is free in between for a next time, which is a long way off. */
static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)malloc_trim(0);
        return 0;
}

static void settle_soon(Gateway *gateway)
{
        int r;

        r = sd_event_source_set_time_relative(gateway->settle, SETTLE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(gateway->settle, SD_EVENT_ONESHOT);
        if (r < 0)
                log_warning("free memory is kept: %s", strerrordesc_np(-r));
}

/* ---- readiness ---- */

static ServedCount count_all(const Gateway *gateway)
{
        const Served *served;
        ServedCount count = {};

        LL_FOREACH (gateway->served, served)
                served_count(served, &count);
        return count;
}

static void tell_status(Gateway *gateway, const ServedCount *count)
{
        char text[100];

        snprintf(text, sizeof(text), "%u services; MQTT %s, D-Bus %s (%u of %u)", count->services,
                 gateway->mqtt_connected ? "connected" : "not connected",
                 count->connected == count->links ? "connected" : "not connected", count->connected,
                 count->links);
        notifier_status(gateway->notifier, text);
}

/* Ready is who can serve: the broker is there, and so is D-Bus. A mapping whose own bus cannot be
 * had, as the session bus of a system service, does not hold up the others. */
static void update_status(Gateway *gateway)
{
        ServedCount count = count_all(gateway);

        tell_status(gateway, &count);
        if (gateway->ready || !gateway->mqtt_connected || count.tried < count.links ||
            (count.links > 0 && count.connected == 0))
                return;
        gateway->ready = gateway->is_ready_due = true;
        log_info("ready: %u services", count.services);
}

static void on_served_change(void *userdata)
{
        update_status(userdata);
}

static void each_served(const Gateway *gateway, void (*action)(Served *))
{
        Served *served;

        LL_FOREACH (gateway->served, served)
                action(served);
}

/* Once, as long as nothing else is wrong. */
static void log_trouble(Gateway *gateway, const char *text)
{
        if (gateway->trouble && !strcmp(gateway->trouble, text))
                return;
        free(gateway->trouble);
        gateway->trouble = strdup(text);
        log_warning("%s; trying again until it works", text);
}

static void on_mqtt_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                          void *userdata)
{
        Gateway *gateway = userdata;

        gateway->mqtt_connected = state == MQTTRPC_STATE_CONNECTED;
        gateway->connected_usec = gateway->mqtt_connected ? clock_now() : 0;
        if (state == MQTTRPC_STATE_CONNECTED) {
                CLEANUP_FREE char *uri = broker_dup_public_uri(gateway->config->broker);

                free(STEAL(gateway->trouble));
                each_served(gateway, served_on_mqtt);
                settle_soon(gateway);
                log_info("connected to %s as '%s'", uri ? uri : "the broker",
                         mqttrpc_bus_get_caller(bus));
        } else if (state == MQTTRPC_STATE_WAITING)
                log_trouble(gateway, mqttrpc_error_get_message(reason));
        update_status(gateway);
}

static void on_mqtt_log(MqttRpcLogLevel level, const char *text, void *userdata)
{
        log_write((LogLevel)level, "mqtt: %s", text);
}

/* ---- the own service ---- */

static void list_instances(void *userdata, OwnInstanceHandler each, void *each_userdata)
{
        const Gateway *gateway = userdata;
        const Served *served;

        LL_FOREACH (gateway->served, served)
                served_list(served, each, each_userdata);
}

static void get_figures(void *userdata, OwnFigures *ret_figures)
{
        const Gateway *gateway = userdata;
        ServedCount count = count_all(gateway);

        *ret_figures = (OwnFigures){.started_usec = gateway->started_usec,
                                    .connected_usec = gateway->connected_usec,
                                    .n_connections = count.links,
                                    .n_connected = count.connected};
}

static int reload(void *userdata, MappingReload *ret_reload)
{
        return gateway_reload(userdata, ret_reload);
}

static const Diagnostics *get_findings(void *userdata)
{
        return &((Gateway *)userdata)->findings;
}

static int release(void *userdata, const char *name, uint64_t usec, MqttRpcRequest *request,
                   MqttRpcError **ret_error)
{
        const Gateway *gateway = userdata;
        Served *served;

        LL_FOREACH (gateway->served, served)
                if (!strcmp(served->mapping->name, name) ||
                    !strcmp(served->mapping->bus_name, name))
                        return served_release(served, usec, request, ret_error);
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND,
                                 "the gateway serves no '%.255s'", name);
}

static const OwnServiceOps own_ops = {
        .list = list_instances,
        .figures = get_figures,
        .findings = get_findings,
        .reload = reload,
        .release = release,
};

/* ---- MQTT ---- */

static int set_up_mqtt(Gateway *gateway, Error **ret_error)
{
        const GatewayConfig *config = gateway->config;
        MqttRpcError *error = NULL;
        int r;

        r = mqttrpc_bus_new(&gateway->mqtt);
        if (r < 0)
                return broker_take_error(r, NULL, ret_error);
        mqttrpc_bus_set_log_handler(gateway->mqtt, on_mqtt_log, gateway);
        mqttrpc_bus_set_state_handler(gateway->mqtt, on_mqtt_state, gateway);
        r = broker_apply_settings(config, gateway->mqtt, ret_error);
        if (r < 0)
                return r;
        r = mqttrpc_bus_set_limit(gateway->mqtt, MQTTRPC_LIMIT_RECONNECT_USEC,
                                  config->reconnect_max_ms * USEC_PER_MSEC);
        if (r >= 0)
                r = mqttrpc_bus_set_client_id(gateway->mqtt, config->client_id);
        if (r < 0)
                return broker_take_error(r, NULL, ret_error);
        gateway->own = (OwnService){.bus = gateway->mqtt,
                                    .name = config->name,
                                    .ops = &own_ops,
                                    .gateway = gateway,
                                    .usage = &gateway->usage};
        r = own_service_add(&gateway->own, &error);
        return broker_take_error(r, error, ret_error);
}

/* ---- mappings ---- */

/* One mapping that cannot be had never takes down the others. */
static void serve_or_leave_out(Gateway *gateway, MappingService *mapping)
{
        CLEANUP_ERROR Error *error = NULL;
        const char *text;
        Served *served;
        int r;

        r = served_new(&gateway->host, mapping, &served, &error);
        if (r >= 0)
                LL_APPEND(gateway->served, served);
        if (r >= 0 && gateway->is_open)
                r = served_open(served);
        if (r >= 0 && gateway->mqtt_connected)
                served_on_mqtt(served);
        if (r >= 0)
                return;
        text = error ? error_text(error) : strerrordesc_np(-r);
        log_error("%s; it is left out", text);
        diagnostics_add(&gateway->findings, DIAGNOSTIC_ERROR, "%s", text);
}

static void log_findings(const Diagnostics *diagnostics)
{
        for (size_t i = 0; i < diagnostics->count; i++)
                log_write(diagnostics->items[i].level == DIAGNOSTIC_ERROR ? LOG_LEVEL_ERROR
                                                                          : LOG_LEVEL_WARNING,
                          "%s", diagnostics->items[i].text);
        if (diagnostics_dropped(diagnostics) > 0)
                log_warning("and %zu more findings", diagnostics_dropped(diagnostics));
}

static Served *find_served(const Gateway *gateway, const MappingService *mapping)
{
        Served *served;

        LL_FOREACH (gateway->served, served)
                if (served->mapping == mapping)
                        return served;
        return NULL;
}

static void end_retired(Gateway *gateway, const MappingSet *retired)
{
        Served *served;

        for (const MappingService *m = retired->services; m; m = m->hh.next) {
                served = find_served(gateway, m);
                if (!served)
                        continue;
                LL_DELETE(gateway->served, served);
                served_free(served);
        }
}

/* Those that go, go first: what comes may have their names. */
static int read_mappings(Gateway *gateway, MappingReload *ret_reload)
{
        const JsonPaths *folders = &gateway->config->mappings;
        CLEANUP_MAPPING_SET MappingSet retired = {};
        int r;

        diagnostics_done(&gateway->findings);
        gateway->findings = (Diagnostics){};
        r = mapping_set_reload(&gateway->mappings, (const char *const *)folders->items,
                               folders->count, &gateway->findings, ret_reload, &retired);
        log_findings(&gateway->findings);
        if (r < 0)
                return r;
        end_retired(gateway, &retired);
        each_served(gateway, served_yield);
        if (!gateway->mappings.services)
                log_warning("no mapping is loaded: nothing of D-Bus is shown on MQTT");
        for (MappingService *mapping = gateway->mappings.services; mapping;
             mapping = mapping->hh.next)
                if (!find_served(gateway, mapping))
                        serve_or_leave_out(gateway, mapping);
        each_served(gateway, served_claim);
        settle_soon(gateway);
        return 0;
}

static int load_mappings(Gateway *gateway, Error **ret_error)
{
        MappingReload reload;
        int r;

        r = read_mappings(gateway, &reload);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot load the mappings");
        if (reload.left_out > 0)
                log_error("%u mapping files have errors and are left out", reload.left_out);
        return 0;
}

int gateway_reload(Gateway *gateway, MappingReload *ret_reload)
{
        int r;

        notifier_reloading(gateway->notifier);
        r = read_mappings(gateway, ret_reload);
        if (r < 0)
                log_error("cannot read the mappings again: %s; all stay as they are",
                          strerrordesc_np(-r));
        else
                log_info("mappings read again: %u added, %u changed, %u removed, %u unchanged; "
                         "%u bad, the old version stays; %u bad and left out",
                         ret_reload->added, ret_reload->changed, ret_reload->removed,
                         ret_reload->unchanged, ret_reload->kept, ret_reload->left_out);
        gateway->is_ready_due = gateway->ready;
        update_status(gateway);
        return r;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        MappingReload reload;

        (void)gateway_reload(userdata, &reload);
        return 0;
}

/* ---- life ---- */

static int set_up_event(Gateway *gateway, Error **ret_error)
{
        sigset_t signals;
        int r;

        /* sd-event takes these by signalfd, for which they must be blocked. */
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        signal(SIGPIPE, SIG_IGN);
        r = sd_event_new(&gateway->event);
        if (r >= 0)
                r = sd_event_add_signal(gateway->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(gateway->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(gateway->event, NULL, SIGHUP, on_hangup, gateway);
        if (r >= 0)
                r = sd_event_set_watchdog(gateway->event, true);
        if (r >= 0)
                r = notifier_new(gateway->event, &gateway->notifier);
        if (r >= 0)
                r = sd_event_add_time(gateway->event, &gateway->settle, CLOCK_MONOTONIC, UINT64_MAX,
                                      0, on_settled, gateway);
        if (r >= 0)
                r = sd_event_source_set_enabled(gateway->settle, SD_EVENT_OFF);
        return r < 0 ? error_set_errno(ret_error, r, "cannot set up the event loop") : 0;
}

static int set_up_usage(Gateway *gateway, Error **ret_error)
{
        int r;

        r = usage_file_new(gateway->config->state_dir, gateway->event, &gateway->usage,
                           &gateway->usage_file);
        return r < 0 ? error_set_errno(ret_error, r, "cannot count usage") : 0;
}

DEFINE_CLEANUP(Gateway *, gateway_free, gateway_cleanup)

int gateway_new(const GatewayConfig *config, Gateway **ret_gateway, Error **ret_error)
{
        CLEANUP(gateway_cleanup) Gateway *gateway = NULL;
        int r;

        gateway = calloc(1, sizeof(*gateway));
        if (!gateway)
                return error_set(ret_error, -ENOMEM, "out of memory");
        gateway->config = config;
        gateway->started_usec = clock_now();
        gateway->scratch.buffer = BUFFER_INIT(LIMIT_PAYLOAD_BYTES);
        r = set_up_event(gateway, ret_error);
        if (r >= 0)
                r = set_up_mqtt(gateway, ret_error);
        if (r >= 0)
                r = set_up_usage(gateway, ret_error);
        if (r < 0)
                return r;
        r = ghosts_new(gateway->mqtt, config->name, &gateway->ghosts);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot watch the services of the bus");
        gateway->host = (ServedHost){.event = gateway->event,
                                     .mqtt = gateway->mqtt,
                                     .mappings = &gateway->mappings,
                                     .scratch = &gateway->scratch,
                                     .usage = &gateway->usage,
                                     .ghosts = gateway->ghosts,
                                     .bus = config->bus,
                                     .reconnect_max_usec = config->reconnect_max_ms * USEC_PER_MSEC,
                                     .name = config->name,
                                     .on_change = on_served_change,
                                     .userdata = gateway};
        r = load_mappings(gateway, ret_error);
        if (r < 0)
                return r;
        *ret_gateway = STEAL(gateway);
        return 0;
}

Gateway *gateway_free(Gateway *gateway)
{
        Served *served, *next;

        if (!gateway)
                return NULL;
        ghosts_free(gateway->ghosts);
        LL_FOREACH_SAFE (gateway->served, served, next) {
                LL_DELETE(gateway->served, served); /* the own service lists them */
                served_free(served);
        }
        if (gateway->mqtt) {
                mqttrpc_bus_set_state_handler(gateway->mqtt, NULL, NULL);
                (void)mqttrpc_bus_flush(gateway->mqtt, FLUSH_USEC);
                mqttrpc_bus_close(gateway->mqtt);
        }
        if (gateway->glue.bus)
                mqttrpc_sd_event_detach(&gateway->glue);
        mqttrpc_bus_unref(gateway->mqtt);
        usage_file_free(gateway->usage_file);
        usage_done(&gateway->usage);
        mapping_set_done(&gateway->mappings);
        diagnostics_done(&gateway->findings);
        free(gateway->trouble);
        json_doc_done(&gateway->scratch.doc);
        buffer_done(&gateway->scratch.buffer);
        notifier_free(gateway->notifier);
        sd_event_source_disable_unref(gateway->settle);
        sd_event_unref(gateway->event);
        free(gateway);
        return NULL;
}

static int connect_all(Gateway *gateway, Error **ret_error)
{
        MqttRpcError *error = NULL;
        Served *served;
        int r;

        gateway->is_open = true;
        LL_FOREACH (gateway->served, served) {
                r = served_open(served);
                if (r < 0)
                        return error_set_errno(ret_error, r, "cannot connect to D-Bus");
        }
        r = mqttrpc_sd_event_attach(&gateway->glue, gateway->mqtt, gateway->event,
                                    SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = mqttrpc_bus_open(gateway->mqtt, &error);
        return broker_take_error(r, error, ret_error);
}

static bool has_many_calls(const Gateway *gateway)
{
        return count_all(gateway).calls > 1;
}

/* Takes one message from each side. Whether there was any. */
static bool process_each(Gateway *gateway)
{
        bool any = mqttrpc_bus_process_events(gateway->mqtt, POLLIN) > 0;
        Served *served;

        LL_FOREACH (gateway->served, served)
                any = served_process(served) || any;
        return any;
}

static int append_conflict(Buffer *text, const Served *served)
{
        if (!served_has_conflict(served))
                return 0;
        if (text->length > 1)
                buffer_append_char(text, ',');
        return json_write_string(text, served->mapping->name, strlen(served->mapping->name));
}

/* In the gateway's own state, where everybody can see it. */
static void tell_conflicts(Gateway *gateway)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(LIMIT_STATE_BYTES / 2);
        const Served *served;
        int r;

        r = buffer_append_char(&text, '[');
        LL_FOREACH (gateway->served, served)
                if (r >= 0)
                        r = append_conflict(&text, served);
        if (r >= 0)
                r = buffer_append_char(&text, ']');
        if (r >= 0)
                r = mqttrpc_service_set_detail(gateway->mqtt, gateway->config->name, "conflicts",
                                               text.length > 2 ? buffer_text(&text) : NULL);
        if (r < 0)
                log_warning("$state does not tell of all conflicts: %s", strerrordesc_np(-r));
}

/* Between two turns: what has become of everything. */
static void review(Gateway *gateway)
{
        bool changed = false;
        Served *served;

        if (gateway->is_ready_due)
                notifier_ready(gateway->notifier);
        gateway->is_ready_due = false;
        ghosts_process(gateway->ghosts);
        LL_FOREACH (gateway->served, served)
                changed = served_review(served) || changed;
        if (changed)
                tell_conflicts(gateway);
}

/* One turn of the loop takes one message. With several calls in flight more are likely there, and
 * asking for them costs less than a turn each. */
static int run_turn(Gateway *gateway)
{
        int r;

        r = sd_event_run(gateway->event, UINT64_MAX);
        for (unsigned i = 0; r >= 0 && i < MESSAGES_PER_TURN && has_many_calls(gateway); i++)
                if (!process_each(gateway))
                        break;
        review(gateway);
        return r;
}

int gateway_run(Gateway *gateway, Error **ret_error)
{
        int r;

        r = connect_all(gateway, ret_error);
        if (r < 0)
                return r;
        while (r >= 0 && sd_event_get_state(gateway->event) != SD_EVENT_FINISHED)
                r = run_turn(gateway);
        if (r < 0)
                return error_set_errno(ret_error, r, "the event loop failed");
        log_info("stopping");
        (void)notify_send("STOPPING=1\nSTATUS=Stopping");
        return 0;
}
