/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/bus.h"
#include "libmqttrpc/leaving.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/util.h"
#include "libmqttrpc/presence.h"
#include "libmqttrpc/sync.h"
#include "libmqttrpc/uri.h"
#include "libmqttrpc/watch.h"

/* How long the last words of services may take to reach the broker. */
#define FAREWELL_USEC (UINT64_C(1) * USEC_PER_SEC)

static const uint64_t default_limits[BUS_LIMITS] = {
        [MQTTRPC_LIMIT_PAYLOAD_BYTES] = LIMIT_PAYLOAD_BYTES,
        [MQTTRPC_LIMIT_PENDING_CALLS] = LIMIT_PENDING_CALLS,
        [MQTTRPC_LIMIT_SERVICE_INFLIGHT] = LIMIT_SERVICE_INFLIGHT,
        [MQTTRPC_LIMIT_CALLER_INFLIGHT] = LIMIT_CALLER_INFLIGHT,
        [MQTTRPC_LIMIT_TIMEOUT_USEC] = LIMIT_TIMEOUT_USEC,
        [MQTTRPC_LIMIT_RECONNECT_USEC] = 30 * USEC_PER_SEC,
};

/* ---- helpers ---- */

static void log_va(MqttRpcBus *bus, MqttRpcLogLevel level, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));

static void log_va(MqttRpcBus *bus, MqttRpcLogLevel level, const char *format, va_list arguments)
{
        CLEANUP_FREE char *text = NULL;

        if (!bus->log_handler)
                return;
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        bus->log_handler(level, text ? text : format, bus->log_userdata);
}

void bus_log(MqttRpcBus *bus, MqttRpcLogLevel level, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_va(bus, level, format, arguments);
        va_end(arguments);
}

void bus_log_peer(MqttRpcBus *bus, const char *format, ...)
{
        unsigned left_out;
        va_list arguments;

        if (!log_limit_pass(&bus->log_limit, clock_now(), &left_out))
                return;
        if (left_out > 0)
                bus_log(bus, MQTTRPC_LOG_WARNING, "%u warnings were left out", left_out);
        va_start(arguments, format);
        log_va(bus, MQTTRPC_LOG_WARNING, format, arguments);
        va_end(arguments);
}

void bus_random_hex(char *text, size_t length)
{
        static const char digits[] = "0123456789abcdef";

        (void)!getrandom(text, length, 0);
        for (size_t i = 0; i < length; i++)
                text[i] = digits[(unsigned char)text[i] & 15];
        text[length] = '\0';
}

static int replace_text(char **text, const char *value)
{
        char *copy = value ? strdup(value) : NULL;

        if (value && !copy)
                return -ENOMEM;
        free(*text);
        *text = copy;
        return 0;
}

void bus_set_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason)
{
        bus->state = state;
        if (bus->state_handler)
                bus->state_handler(bus, state, reason, bus->state_userdata);
}

/* ---- life ---- */

DEFINE_CLEANUP(MqttRpcBus *, mqttrpc_bus_unref, bus_cleanup)

MQTTRPC_PUBLIC int mqttrpc_bus_new(MqttRpcBus **ret_bus)
{
        CLEANUP(bus_cleanup) MqttRpcBus *bus = calloc(1, sizeof(*bus));

        if (!bus)
                return -ENOMEM;
        bus->refs = 1;
        bus->qos = 1;
        memcpy(bus->limits, default_limits, sizeof(default_limits));
        if (link_new(&bus_link_events, bus, &bus->link) < 0 || dedup_new(&bus->dedup) < 0 ||
            presence_table_new(&bus->presences) < 0 || watch_table_new(&bus->watches) < 0 ||
            replace_text(&bus->root, "mb1") < 0)
                return -ENOMEM;
        link_settings(bus->link)->protocol = 5;
        link_settings(bus->link)->keepalive_sec = 60;
        *ret_bus = STEAL(bus);
        return 0;
}

MQTTRPC_PUBLIC MqttRpcBus *mqttrpc_bus_ref(MqttRpcBus *bus)
{
        bus->refs++;
        return bus;
}

/* Services say that they go. A broker that finds the connection closed when it answers something
 * drops what it has not read yet, so it is given the time to answer all. */
static void say_farewell(MqttRpcBus *bus)
{
        if (!link_is_up(bus->link))
                return;
        announce_close(bus);
        if (bus->dispatching == 0)
                (void)bus_flush_until(bus, clock_now() + FAREWELL_USEC);
}

static void bus_free(MqttRpcBus *bus)
{
        if (bus->link)
                link_close(bus->link);
        bus->state = MQTTRPC_STATE_CLOSED;
        requests_detach_all(bus);
        while (bus->slots)
                slot_end(bus->slots);
        bus->watches = watch_table_free(bus->watches);
        presence_table_free(bus->presences);
        leaving_clear(bus);
        outbox_free(bus->outbox);
        link_free(bus->link);
        dedup_free(bus->dedup);
        deadline_queue_done(&bus->deadlines);
        json_doc_done(&bus->doc);
        json_doc_done(&bus->params_doc);
        buffer_done(&bus->topic);
        buffer_done(&bus->payload);
        buffer_done(&bus->reply_topic);
        buffer_done(&bus->request_key);
        free(bus->root);
        free(bus->configured_caller);
        free(bus->caller);
        free(bus);
}

MQTTRPC_PUBLIC MqttRpcBus *mqttrpc_bus_unref(MqttRpcBus *bus)
{
        if (bus && bus->refs == 1)
                say_farewell(bus);
        if (bus && --bus->refs == 0)
                bus_free(bus);
        return NULL;
}

/* ---- settings ---- */

static int check_closed(const MqttRpcBus *bus)
{
        return bus->state == MQTTRPC_STATE_CLOSED ? 0 : -EISCONN;
}

static int set_text(MqttRpcBus *bus, char **text, const char *value)
{
        int r = check_closed(bus);

        return r < 0 ? r : replace_text(text, value);
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_uri(MqttRpcBus *bus, const char *uri, MqttRpcError **ret_error)
{
        LinkSettings *settings = link_settings(bus->link);
        CLEANUP(uri_done) Uri parsed = {};
        int r;

        r = check_closed(bus);
        if (r < 0)
                return r;
        r = uri_parse(uri, &parsed, ret_error);
        if (r < 0)
                return r;
        if (parsed.user) {
                r = mqttrpc_bus_set_credentials(bus, parsed.user, parsed.password);
                if (r < 0)
                        return r;
        }
        free(settings->host);
        settings->host = STEAL(parsed.host);
        settings->port = parsed.port;
        settings->tls = parsed.tls;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_credentials(MqttRpcBus *bus, const char *user,
                                               const char *password)
{
        LinkSettings *settings = link_settings(bus->link);
        int r;

        r = set_text(bus, &settings->user, user);
        return r < 0 ? r : set_text(bus, &settings->password, password);
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_client_id(MqttRpcBus *bus, const char *client_id)
{
        int r;

        r = set_text(bus, &link_settings(bus->link)->client_id, client_id);
        if (r >= 0)
                link_settings(bus->link)->client_id_is_random = false;
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_caller(MqttRpcBus *bus, const char *caller)
{
        if (caller && !topic_name_is_valid(caller, strlen(caller)))
                return -EINVAL;
        return set_text(bus, &bus->configured_caller, caller);
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_root(MqttRpcBus *bus, const char *root)
{
        return topic_root_is_valid(root) ? set_text(bus, &bus->root, root) : -EINVAL;
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_tls(MqttRpcBus *bus, const char *ca_file, const char *cert_file,
                                       const char *key_file)
{
        LinkSettings *settings = link_settings(bus->link);
        int r;

        if (!cert_file != !key_file)
                return -EINVAL;
        r = set_text(bus, &settings->ca_file, ca_file);
        if (r >= 0)
                r = set_text(bus, &settings->cert_file, cert_file);
        return r < 0 ? r : set_text(bus, &settings->key_file, key_file);
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_protocol(MqttRpcBus *bus, int version)
{
        int r = check_closed(bus);

        if (r < 0)
                return r;
        if ((version != 5 && version != 4) || (version == 4 && bus->services))
                return -EINVAL;
        link_settings(bus->link)->protocol = version;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_qos(MqttRpcBus *bus, int qos)
{
        if (qos != 0 && qos != 1)
                return -EINVAL;
        bus->qos = qos;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_keepalive(MqttRpcBus *bus, unsigned seconds)
{
        int r = check_closed(bus);

        if (r < 0)
                return r;
        if (seconds < 5 || seconds > UINT16_MAX)
                return -EINVAL;
        link_settings(bus->link)->keepalive_sec = seconds;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_bus_set_limit(MqttRpcBus *bus, MqttRpcLimit limit, uint64_t value)
{
        if ((unsigned)limit >= BUS_LIMITS || value == 0)
                return -EINVAL;
        bus->limits[limit] = value;
        return 0;
}

MQTTRPC_PUBLIC void mqttrpc_bus_set_log_handler(MqttRpcBus *bus, MqttRpcLogHandler handler,
                                                void *userdata)
{
        bus->log_handler = handler;
        bus->log_userdata = userdata;
}

MQTTRPC_PUBLIC void mqttrpc_bus_set_state_handler(MqttRpcBus *bus, MqttRpcStateHandler handler,
                                                  void *userdata)
{
        bus->state_handler = handler;
        bus->state_userdata = userdata;
}

/* ---- opening and closing ---- */

static int choose_client_id(MqttRpcBus *bus)
{
        LinkSettings *settings = link_settings(bus->link);
        char digits[BUS_TOKEN_LENGTH + 1];

        if (settings->client_id)
                return 0;
        bus_random_hex(digits, BUS_TOKEN_LENGTH);
        if (asprintf(&settings->client_id, "mqttrpc-%s", digits) < 0) {
                settings->client_id = NULL;
                return -ENOMEM;
        }
        settings->client_id_is_random = true;
        return 0;
}

/* {me}: as configured, else the user name if it fits, else the client id (protocol section 2). */
static int choose_caller(MqttRpcBus *bus, MqttRpcError **ret_error)
{
        const LinkSettings *settings = link_settings(bus->link);
        const char *caller = bus->configured_caller;

        if (!caller && settings->user &&
            topic_name_is_valid(settings->user, strlen(settings->user)))
                caller = settings->user;
        if (!caller && topic_name_is_valid(settings->client_id, strlen(settings->client_id)))
                caller = settings->client_id;
        if (!caller)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "neither the user name nor the client id is a valid "
                                         "caller level ([A-Za-z0-9_.-]): set a caller name");
        return replace_text(&bus->caller, caller);
}

MQTTRPC_PUBLIC int mqttrpc_bus_open(MqttRpcBus *bus, MqttRpcError **ret_error)
{
        const LinkSettings *settings = link_settings(bus->link);
        int r;

        r = check_closed(bus);
        if (r < 0)
                return r;
        if (bus->dispatching > 0)
                return -EBUSY; /* the old connection is still unwinding */
        if (!settings->host)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "no broker address is set");
        r = choose_client_id(bus);
        if (r < 0)
                return r;
        r = choose_caller(bus, ret_error);
        if (r < 0)
                return r;
        /* Without MQTT 5 properties nobody could tell servers our token. */
        if (settings->protocol != 5)
                strcpy(bus->token, "reply");
        else
                bus_random_hex(bus->token, BUS_TOKEN_LENGTH);
        /* Ids go on over connections, so that a request can be repeated on the next one. */
        bus_random_hex(bus->id_prefix, BUS_PREFIX_LENGTH);
        bus->id_counter = 0;
        link_set_reconnect_maximum(bus->link, bus->limits[MQTTRPC_LIMIT_RECONNECT_USEC]);
        r = announce_set_will(bus);
        if (r < 0)
                return r;
        r = link_open(bus->link, ret_error);
        if (r < 0)
                return r;
        bus_set_state(bus, MQTTRPC_STATE_CONNECTING, NULL);
        return 0;
}

static void tell_closed(MqttRpcBus *bus)
{
        CLEANUP_RPC_ERROR MqttRpcError *reason =
                mqttrpc_error_new(MQTTRPC_ERROR_DISCONNECTED, "the bus was closed");

        bus_tell_down(bus, reason);
}

MQTTRPC_PUBLIC void mqttrpc_bus_close(MqttRpcBus *bus)
{
        if (bus->state == MQTTRPC_STATE_CLOSED)
                return;
        bus->refs++;
        say_farewell(bus);
        link_close(bus->link);
        bus->state = MQTTRPC_STATE_CLOSED;
        bus->dispatching++;
        tell_closed(bus);
        bus_set_state(bus, MQTTRPC_STATE_CLOSED, NULL);
        bus->dispatching--;
        mqttrpc_bus_unref(bus);
}

MQTTRPC_PUBLIC MqttRpcState mqttrpc_bus_get_state(const MqttRpcBus *bus)
{
        return bus->state;
}

MQTTRPC_PUBLIC const char *mqttrpc_bus_get_caller(const MqttRpcBus *bus)
{
        return bus->caller;
}

MQTTRPC_PUBLIC const char *mqttrpc_bus_get_root(const MqttRpcBus *bus)
{
        return bus->root;
}

MQTTRPC_PUBLIC uint64_t mqttrpc_bus_get_counter(const MqttRpcBus *bus, MqttRpcCounter counter)
{
        return (unsigned)counter < MQTTRPC_COUNT_MAX ? bus->counters[counter] : 0;
}
