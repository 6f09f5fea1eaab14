/* SPDX-License-Identifier: MIT */

/* mqttrpc monitor: signals, properties, calls and presence as they come, one line each. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/json-print.h"
#include "cli/names.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/clock.h"
#include "common/json-write.h"

typedef enum EventKind {
        EVENT_SIGNAL,
        EVENT_PROPERTY,
        EVENT_CALL,
        EVENT_REPLY,
        EVENT_STATE,
} EventKind;

static const struct {
        const char *name;
        const char *title;
        const char *color; /* SGR of ECMA-48 */
} kinds[] = {
        [EVENT_SIGNAL] = {"signal", "SIGNAL", "32"},
        [EVENT_PROPERTY] = {"property", "PROP", "36"},
        [EVENT_CALL] = {"call", "CALL", "33"},
        [EVENT_REPLY] = {"reply", "REPLY", "34"},
        [EVENT_STATE] = {"presence", "STATE", "35;1"},
};

typedef struct Monitor {
        Client client;
        const char *service; /* NULL: any; likewise the next */
        const char *object;
        bool signals;
        bool properties;
        bool calls;
        bool presence;
        bool colors;
        bool live; /* what was there at the start has come */
        bool done; /* enough, or the output cannot be written */
        uint64_t shown;
        int status;
} Monitor;

static void monitor_done(Monitor *monitor)
{
        monitor->done = true; /* that all goes out of sight when the bus is closed is no news */
        client_done(&monitor->client);
}

/* ---- lines ---- */

static bool wants(const Monitor *monitor)
{
        return !monitor->done && (monitor->live || monitor->client.settings->all);
}

static void write_time(Buffer *line, bool json)
{
        struct timespec now;
        struct tm local;
        char text[16];

        clock_gettime(CLOCK_REALTIME, &now);
        if (json) {
                buffer_printf(line, "\"time\":%jd.%06ld", (intmax_t)now.tv_sec, now.tv_nsec / 1000);
                return;
        }
        localtime_r(&now.tv_sec, &local);
        strftime(text, sizeof(text), "%H:%M:%S", &local);
        buffer_printf(line, "%s.%03ld ", text, now.tv_nsec / 1000000);
}

/* Begins a line; NULL for what the kind does not have. */
static void begin_line(const Monitor *monitor, Buffer *line, EventKind kind, const char *service,
                       const char *object, const char *name)
{
        if (monitor->client.settings->json) {
                buffer_append_char(line, '{');
                write_time(line, true);
                buffer_printf(line, ",\"type\":\"%s\",\"service\":\"%s\"", kinds[kind].name,
                              service);
                if (object)
                        buffer_printf(line, ",\"object\":\"%s\"", object);
                if (name)
                        buffer_printf(line, ",\"name\":\"%s\"", name);
                return;
        }
        write_time(line, false);
        if (monitor->colors)
                buffer_printf(line, "\033[%sm", kinds[kind].color);
        buffer_printf(line, "%-6s", kinds[kind].title);
        if (monitor->colors)
                buffer_append_text(line, "\033[0m");
        buffer_printf(line, " %s%s%s%s%s", service, object ? "/" : "", object ? object : "",
                      name ? " " : "", name ? name : "");
}

/* Appends a value, as member `key` in JSON. What is no JSON goes as a string. */
static void write_value(const Monitor *monitor, Buffer *line, const char *key, const char *text,
                        size_t length)
{
        CLEANUP_BUFFER Buffer value = BUFFER_INIT(0);

        if (json_print_text(&value, text, length, JSON_COMPACT) < 0)
                json_write_string(&value, "(not JSON)", strlen("(not JSON)"));
        if (monitor->client.settings->json)
                buffer_printf(line, ",\"%s\":", key);
        else
                buffer_append_char(line, ' ');
        buffer_append(line, buffer_text(&value), value.length);
}

static void end_line(Monitor *monitor, Buffer *line)
{
        const Settings *settings = monitor->client.settings;

        buffer_append_text(line, settings->json ? "}\n" : "\n");
        monitor->status = report_print(line);
        monitor->shown++;
        monitor->done = monitor->status != STATUS_OK ||
                        (settings->count != SETTINGS_NO_COUNT && settings->count > 0 &&
                         monitor->shown >= settings->count);
}

/* ---- events ---- */

static void on_signal(const MqttRpcSignal *signal, void *userdata)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);
        uint64_t lost = mqttrpc_signal_get_lost(signal);
        Monitor *monitor = userdata;
        const char *params;
        size_t length;

        if (!wants(monitor))
                return;
        begin_line(monitor, &line, EVENT_SIGNAL, mqttrpc_signal_get_service(signal),
                   mqttrpc_signal_get_object(signal), mqttrpc_signal_get_name(signal));
        params = mqttrpc_signal_get_params(signal, &length);
        write_value(monitor, &line, "params", params, length);
        if (lost > 0 && monitor->client.settings->json)
                buffer_printf(&line, ",\"lost\":%" PRIu64, lost);
        else if (lost > 0)
                buffer_printf(&line, " (%" PRIu64 " lost before)", lost);
        end_line(monitor, &line);
}

static void on_property(const MqttRpcPropertyEvent *event, void *userdata)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);
        bool stale = mqttrpc_property_event_is_stale(event);
        Monitor *monitor = userdata;
        const char *value;
        size_t length;

        if (!wants(monitor))
                return;
        begin_line(monitor, &line, EVENT_PROPERTY, mqttrpc_property_event_get_service(event),
                   mqttrpc_property_event_get_object(event),
                   mqttrpc_property_event_get_property(event));
        value = mqttrpc_property_event_get_value(event, &length);
        if (value)
                write_value(monitor, &line, "value", value, length);
        else
                buffer_append_text(&line,
                                   monitor->client.settings->json ? ",\"gone\":true" : " (gone)");
        if (value && stale)
                buffer_append_text(&line,
                                   monitor->client.settings->json ? ",\"stale\":true" : " (stale)");
        end_line(monitor, &line);
}

static bool matches(const Monitor *monitor, const char *method)
{
        const char *name = monitor->client.settings->name;

        return !name || (method && !strcmp(name, method));
}

static void on_call(const MqttRpcCallMessage *message, void *userdata)
{
        const char *method = mqttrpc_call_message_get_method(message);
        const char *caller = mqttrpc_call_message_get_caller(message);
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);
        Monitor *monitor = userdata;
        const char *payload;
        size_t length;

        if (!wants(monitor) || !matches(monitor, method))
                return;
        begin_line(
                monitor, &line, mqttrpc_call_message_is_reply(message) ? EVENT_REPLY : EVENT_CALL,
                mqttrpc_call_message_get_service(message), mqttrpc_call_message_get_object(message),
                method ? method : (monitor->client.settings->json ? NULL : "rpc"));
        buffer_printf(&line, monitor->client.settings->json ? ",\"caller\":\"%s\"" : " by %s",
                      caller);
        payload = mqttrpc_call_message_get_payload(message, &length);
        write_value(monitor, &line, "payload", payload, length);
        end_line(monitor, &line);
}

static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        const char *state = mqttrpc_service_state_to_name(mqttrpc_service_event_get_state(event));
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);
        Monitor *monitor = userdata;
        const char *details;
        size_t length;

        if (!wants(monitor))
                return;
        begin_line(monitor, &line, EVENT_STATE, mqttrpc_service_event_get_service(event), NULL,
                   NULL);
        buffer_printf(&line, monitor->client.settings->json ? ",\"state\":\"%s\"" : " %s", state);
        details = mqttrpc_service_event_get_details(event, &length);
        if (details)
                write_value(monitor, &line, "details", details, length);
        end_line(monitor, &line);
}

/* ---- running ---- */

static void choose(Monitor *monitor)
{
        const Settings *settings = monitor->client.settings;
        bool any =
                settings->signals || settings->properties || settings->calls || settings->presence;
        const char *no_color = getenv("NO_COLOR");

        monitor->signals = settings->signals || !any;
        monitor->properties = settings->properties || !any;
        monitor->calls = settings->calls || !any;
        monitor->presence = settings->presence || (!any && !settings->name && !monitor->object);
        monitor->colors = !settings->json && (settings->color == COLOR_ALWAYS ||
                                              (settings->color == COLOR_AUTO &&
                                               !(no_color && *no_color) && isatty(STDOUT_FILENO)));
}

static int watch(Monitor *monitor, MqttRpcError **ret_error)
{
        MqttRpcBus *bus = monitor->client.bus;
        const char *name = monitor->client.settings->name;
        int r = 0;

        if (monitor->signals)
                r = mqttrpc_match_signal(bus, NULL, monitor->service, monitor->object, name,
                                         on_signal, monitor, ret_error);
        if (r >= 0 && monitor->properties)
                r = mqttrpc_watch_property(bus, NULL, monitor->service, monitor->object, name,
                                           on_property, monitor, ret_error);
        if (r >= 0 && monitor->calls)
                r = mqttrpc_monitor_calls(bus, NULL, monitor->service, monitor->object, on_call,
                                          monitor, ret_error);
        if (r >= 0 && monitor->presence)
                r = mqttrpc_watch_service(bus, NULL, monitor->service, on_service, monitor,
                                          ret_error);
        return r;
}

static void show_watch(const Monitor *monitor)
{
        const char *service = monitor->service ? monitor->service : "+";
        const char *object = monitor->object ? monitor->object : "+";
        const char *name = monitor->client.settings->name;
        const struct {
                bool shown;
                const char *levels[4];
        } rows[] = {
                {monitor->signals, {object, "sig", name ? name : "+"}},
                {monitor->properties, {object, "prop", name ? name : "+"}},
                {monitor->calls, {object, "call", "#"}},
                {monitor->calls, {object, "rpc", "#"}},
                {monitor->presence, {"$state"}},
        };
        Buffer texts[ARRAY_SIZE(rows)] = {};
        const char *filters[ARRAY_SIZE(rows) + 1] = {};
        size_t count = 0;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (!rows[i].shown)
                        continue;
                buffer_append_text(&texts[i], service);
                for (size_t n = 0; rows[i].levels[n]; n++)
                        buffer_printf(&texts[i], "/%s", rows[i].levels[n]);
                filters[count++] = buffer_text(&texts[i]);
        }
        session_show_watch(&monitor->client, filters, false);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                buffer_done(&texts[i]);
}

static int run(Monitor *monitor)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        int r;

        r = watch(monitor, &error);
        if (r >= 0)
                r = client_sync(&monitor->client,
                                clock_now() + session_timeout(monitor->client.settings), &error);
        if (r >= 0) {
                monitor->live = true;
                fputs("mqttrpc: watching\n", stderr);
                r = client_wait(&monitor->client, &monitor->done, USEC_INFINITY, &error);
        }
        if (monitor->client.signal)
                return 128 + monitor->client.signal; /* the usual end */
        return r < 0 ? report_failed_watch(&monitor->client, r, error) : monitor->status;
}

int cmd_monitor(const Settings *settings, const char *const *operands, size_t count)
{
        CLEANUP(monitor_done)
        Monitor monitor = {
                .client = {.signal_fd = -1},
                .service = count > 0 ? operands[0] : NULL,
                .object = count > 1 ? operands[1] : NULL,
        };
        CLEANUP_ERROR Error *error = NULL;
        int status;

        if (names_check(count > 0 ? operands[0] : "-", count > 1 ? operands[1] : "-",
                        settings->name ? settings->name : "-", &error) < 0)
                return report_usage("monitor", error);
        status = session_open(&monitor.client, settings, "monitor");
        if (status != STATUS_OK)
                return status;
        choose(&monitor);
        show_watch(&monitor);
        return run(&monitor);
}
