/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/link-mosquitto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "libmqttrpc/error.h"

enum {
        OPTIONS_FRESH = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED | MQTT_SUB_OPT_SEND_RETAIN_NEVER,
        OPTIONS_RETAINED = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED | MQTT_SUB_OPT_SEND_RETAIN_ALWAYS,
};

struct LinkHandle {
        struct mosquitto *mosquitto;
        /* Copies: an abandoned attempt may still run in its thread when the settings have gone. */
        char *host;
        uint16_t port;
        int protocol;
        unsigned keepalive_sec;
        const LinkHandleEvents *events;
        void *userdata;
        bool want_write;
        char *reason; /* owned */
};

static void initialize_library(void)
{
        mosquitto_lib_init();
}

static void set_reason(LinkHandle *handle, const char *text)
{
        free(handle->reason);
        handle->reason = strdup(text);
}

const char *link_handle_reason(const LinkHandle *handle)
{
        return handle->reason ? handle->reason : "connection lost";
}

const char *link_reason_text(const LinkSettings *settings, int reason)
{
        return settings->protocol == 5 ? mosquitto_reason_string(reason)
                                       : mosquitto_connack_string(reason);
}

/* A failure of libmosquitto as a negative errno, with the reason noted. */
static int fail(LinkHandle *handle, int rc, int saved_errno)
{
        switch (rc) {
        case MOSQ_ERR_NOMEM: return -ENOMEM;
        case MOSQ_ERR_OVERSIZE_PACKET:
        case MOSQ_ERR_PAYLOAD_SIZE: return -EMSGSIZE;
        case MOSQ_ERR_ERRNO: set_reason(handle, strerrordesc_np(saved_errno)); break;
        case MOSQ_ERR_TLS: /* the log callback has seen the cause */
                if (!handle->reason)
                        set_reason(handle, mosquitto_strerror(rc));
                break;
        case MOSQ_ERR_CONN_REFUSED: break; /* on_connack has said why */
        case MOSQ_ERR_EAI: set_reason(handle, "host name not found"); break;
        default: set_reason(handle, mosquitto_strerror(rc)); break;
        }
        return rc == MOSQ_ERR_INVAL || rc == MOSQ_ERR_MALFORMED_UTF8 ? -EINVAL : -ENOTCONN;
}

/* ---- events ---- */

static void on_log(struct mosquitto *mosquitto, void *userdata, int level, const char *text)
{
        LinkHandle *handle = userdata;

        if (level == MOSQ_LOG_ERR)
                set_reason(handle, text);
}

/* At the end of each callback: libmosquitto looks at errno after each packet and stops reading at
 * EAGAIN, although TLS may hold more. What the callback left there is none of its business. */
static void forget_errno(void)
{
        errno = 0;
}

static void on_connect(struct mosquitto *mosquitto, void *userdata, int reason, int flags,
                       const mosquitto_property *properties)
{
        LinkHandle *handle = userdata;

        /* From here on libmosquitto would format a line for every packet, for nobody: what the log
         * is good for, why TLS fails, is behind us. */
        mosquitto_log_callback_set(mosquitto, NULL);
        handle->events->on_connack(handle->userdata, reason);
        forget_errno();
}

static void on_disconnect(struct mosquitto *mosquitto, void *userdata, int reason,
                          const mosquitto_property *properties)
{
        LinkHandle *handle = userdata;

        handle->events->on_disconnect(handle->userdata, reason);
}

static void on_subscribe(struct mosquitto *mosquitto, void *userdata, int mid, int n_granted,
                         const int *granted, const mosquitto_property *properties)
{
        LinkHandle *handle = userdata;
        bool all = true;

        for (int i = 0; i < n_granted; i++)
                all = all && granted[i] < 0x80;
        handle->events->on_suback(handle->userdata, mid, all);
        forget_errno();
}

static void on_unsubscribe(struct mosquitto *mosquitto, void *userdata, int mid,
                           const mosquitto_property *properties)
{
        LinkHandle *handle = userdata;

        handle->events->on_unsuback(handle->userdata);
        forget_errno();
}

static void on_publish(struct mosquitto *mosquitto, void *userdata, int mid, int reason,
                       const mosquitto_property *properties)
{
        LinkHandle *handle = userdata;

        handle->events->on_puback(handle->userdata, mid, reason);
        forget_errno();
}

/* What was read out of a message's properties and must be freed after its callback. */
typedef struct MessageProperties {
        char *response_topic;
        void *correlation;
        char *ttl;
        char *epoch;
        char *hops;
        char *dbus_sender;
        char *dbus_uid;
        char *seq;
        char *pg;
} MessageProperties;

static void message_properties_done(MessageProperties *properties)
{
        free(properties->response_topic);
        free(properties->correlation);
        free(properties->ttl);
        free(properties->epoch);
        free(properties->hops);
        free(properties->dbus_sender);
        free(properties->dbus_uid);
        free(properties->seq);
        free(properties->pg);
}

static void read_user_property(char *name, char *value, MessageProperties *ret)
{
        const struct {
                const char *name;
                char **value;
        } known[] = {{"ttl", &ret->ttl},
                     {"epoch", &ret->epoch},
                     {"hops", &ret->hops},
                     {"dbus-sender", &ret->dbus_sender},
                     {"dbus-uid", &ret->dbus_uid},
                     {"seq", &ret->seq},
                     {"pg", &ret->pg}};

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (!*known[i].value && !strcmp(name, known[i].name))
                        *known[i].value = STEAL(value);
        free(name);
        free(value);
}

static void read_properties(const mosquitto_property *properties, MessageProperties *ret,
                            LinkMessage *message)
{
        const mosquitto_property *user = properties;
        uint16_t correlation_length = 0;
        char *name = NULL, *value = NULL;
        uint32_t expiry;

        if (mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC,
                                           &ret->response_topic, false))
                message->response_topic_length = strlen(ret->response_topic);
        mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &ret->correlation,
                                       &correlation_length, false);
        if (mosquitto_property_read_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &expiry,
                                          false))
                message->expiry_sec = expiry;
        user = mosquitto_property_read_string_pair(user, MQTT_PROP_USER_PROPERTY, &name, &value,
                                                   false);
        while (user) {
                read_user_property(STEAL(name), STEAL(value), ret);
                user = mosquitto_property_read_string_pair(user, MQTT_PROP_USER_PROPERTY, &name,
                                                           &value, true);
        }
        message->response_topic = ret->response_topic;
        message->correlation = ret->correlation;
        message->correlation_length = correlation_length;
        message->ttl = ret->ttl;
        message->epoch = ret->epoch;
        message->hops = ret->hops;
        message->dbus_sender = ret->dbus_sender;
        message->dbus_uid = ret->dbus_uid;
        message->seq = ret->seq;
        message->pg = ret->pg;
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *received,
                       const mosquitto_property *properties)
{
        CLEANUP(message_properties_done) MessageProperties read = {};
        LinkHandle *handle = userdata;
        LinkMessage message = {
                .topic = received->topic,
                .payload = received->payload ? received->payload : "",
                .length = (size_t)received->payloadlen,
                .qos = received->qos,
                .retain = received->retain,
                .expiry_sec = -1,
        };

        if (properties)
                read_properties(properties, &read, &message);
        handle->events->on_message(handle->userdata, &message);
        forget_errno();
}

/* ---- life ---- */

static int set_options(LinkHandle *handle, const LinkSettings *settings)
{
        struct mosquitto *mosquitto = handle->mosquitto;
        int rc;

        rc = mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                                  settings->protocol == 5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, UINT16_MAX);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_int_option(mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM, UINT16_MAX);
        if (rc == MOSQ_ERR_SUCCESS && settings->user)
                rc = mosquitto_username_pw_set(mosquitto, settings->user, settings->password);
        return rc;
}

static int set_tls(LinkHandle *handle, const LinkSettings *settings, MqttRpcError **ret_error)
{
        const char *folder = settings->ca_file ? NULL : "/etc/ssl/certs";
        int rc;

        rc = mosquitto_tls_set(handle->mosquitto, settings->ca_file, folder, settings->cert_file,
                               settings->key_file, NULL);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_tls_opts_set(handle->mosquitto, 1, "tlsv1.2", NULL);
        if (rc == MOSQ_ERR_SUCCESS)
                return 0;
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "cannot use TLS with CA %s, certificate %s, key %s: %s",
                                 settings->ca_file ? settings->ca_file : folder,
                                 settings->cert_file ? settings->cert_file : "none",
                                 settings->key_file ? settings->key_file : "none",
                                 mosquitto_strerror(rc));
}

static void set_callbacks(struct mosquitto *mosquitto)
{
        mosquitto_log_callback_set(mosquitto, on_log);
        mosquitto_connect_v5_callback_set(mosquitto, on_connect);
        mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
        mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
        mosquitto_unsubscribe_v5_callback_set(mosquitto, on_unsubscribe);
        mosquitto_publish_v5_callback_set(mosquitto, on_publish);
        mosquitto_message_v5_callback_set(mosquitto, on_message);
}

DEFINE_CLEANUP(LinkHandle *, link_handle_free, link_handle_cleanup)

int link_handle_new(const LinkSettings *settings, const LinkHandleEvents *events, void *userdata,
                    LinkHandle **ret_handle, MqttRpcError **ret_error)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        CLEANUP(link_handle_cleanup) LinkHandle *handle = NULL;
        int r;

        pthread_once(&once, initialize_library);
        handle = calloc(1, sizeof(*handle));
        if (!handle)
                return -ENOMEM;
        *handle = (LinkHandle){.port = settings->port,
                               .protocol = settings->protocol,
                               .keepalive_sec = settings->keepalive_sec,
                               .events = events,
                               .userdata = userdata};
        handle->host = strdup(settings->host);
        errno = ENOMEM;
        handle->mosquitto = mosquitto_new(settings->client_id, true, handle);
        if (!handle->mosquitto && errno == EINVAL)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "the client id is not valid UTF-8");
        if (!handle->host || !handle->mosquitto)
                return -ENOMEM;
        if (set_options(handle, settings) != MOSQ_ERR_SUCCESS)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "the MQTT library refuses the connection's settings");
        if (settings->tls) {
                r = set_tls(handle, settings, ret_error);
                if (r < 0)
                        return r;
        }
        set_callbacks(handle->mosquitto);
        *ret_handle = STEAL(handle);
        return 0;
}

LinkHandle *link_handle_free(LinkHandle *handle)
{
        if (!handle)
                return NULL;
        if (handle->mosquitto)
                mosquitto_destroy(handle->mosquitto);
        free(handle->host);
        free(handle->reason);
        free(handle);
        return NULL;
}

static bool needs_resolver(const char *host, uint16_t port)
{
        unsigned char address[sizeof(struct in6_addr)];

        return port > 0 && inet_pton(AF_INET, host, address) != 1 &&
               inet_pton(AF_INET6, host, address) != 1;
}

bool link_settings_need_resolver(const LinkSettings *settings)
{
        return needs_resolver(settings->host, settings->port);
}

int link_handle_set_will(LinkHandle *handle, const LinkWill *will)
{
        int rc;

        rc = mosquitto_will_clear(handle->mosquitto);
        if (rc == MOSQ_ERR_SUCCESS && will->topic)
                rc = mosquitto_will_set(handle->mosquitto, will->topic, (int)strlen(will->payload),
                                        will->payload, 1, true);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

int link_handle_connect(LinkHandle *handle)
{
        int rc;

        /* The blocking form, which the thread of a name may use, goes through all its addresses.
         * The other one takes the first that does not refuse at once, and none does. */
        if (needs_resolver(handle->host, handle->port))
                rc = mosquitto_connect(handle->mosquitto, handle->host, handle->port,
                                       (int)handle->keepalive_sec);
        else
                rc = mosquitto_connect_async(handle->mosquitto, handle->host, handle->port,
                                             (int)handle->keepalive_sec);
        if (rc != MOSQ_ERR_SUCCESS)
                return fail(handle, rc, errno);
        handle->want_write = true;
        return 0;
}

void link_handle_disconnect(LinkHandle *handle)
{
        mosquitto_disconnect_v5(handle->mosquitto, 0, NULL);
        mosquitto_loop_write(handle->mosquitto, 1);
}

/* ---- loop ---- */

int link_handle_fd(const LinkHandle *handle)
{
        return mosquitto_socket(handle->mosquitto);
}

bool link_handle_wants_write(LinkHandle *handle)
{
        /* Asking clears a flag inside libmosquitto, so the answer is kept until the next write. */
        if (mosquitto_want_write(handle->mosquitto))
                handle->want_write = true;
        return handle->want_write;
}

int link_handle_read(LinkHandle *handle)
{
        int rc;

        errno = 0;
        rc = mosquitto_loop_read(handle->mosquitto, 1);
        if (rc != MOSQ_ERR_SUCCESS)
                return fail(handle, rc, errno);
        return errno != EAGAIN && mosquitto_socket(handle->mosquitto) >= 0;
}

int link_handle_write(LinkHandle *handle)
{
        int rc;

        handle->want_write = false;
        errno = 0;
        rc = mosquitto_loop_write(handle->mosquitto, 1);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

int link_handle_misc(LinkHandle *handle)
{
        int rc;

        errno = 0;
        rc = mosquitto_loop_misc(handle->mosquitto);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

/* ---- sending ---- */

static void properties_cleanup(mosquitto_property **properties)
{
        mosquitto_property_free_all(properties);
}

static int write_properties(const LinkPublish *publish, mosquitto_property **properties)
{
        int rc = MOSQ_ERR_SUCCESS;

        if (publish->response_topic)
                rc = mosquitto_property_add_string(properties, MQTT_PROP_RESPONSE_TOPIC,
                                                   publish->response_topic);
        if (rc == MOSQ_ERR_SUCCESS && publish->correlation_length > 0)
                rc = mosquitto_property_add_binary(properties, MQTT_PROP_CORRELATION_DATA,
                                                   publish->correlation,
                                                   (uint16_t)publish->correlation_length);
        if (rc == MOSQ_ERR_SUCCESS && publish->expiry_sec > 0)
                rc = mosquitto_property_add_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                  publish->expiry_sec);
        for (size_t i = 0; rc == MOSQ_ERR_SUCCESS && i < publish->n_user; i++)
                rc = mosquitto_property_add_string_pair(properties, MQTT_PROP_USER_PROPERTY,
                                                        publish->user[i].name,
                                                        publish->user[i].value);
        return rc;
}

int link_handle_publish(LinkHandle *handle, const LinkPublish *publish, int *ret_mid)
{
        CLEANUP(properties_cleanup) mosquitto_property *properties = NULL;
        int rc, mid;

        if (handle->protocol == 5) {
                rc = write_properties(publish, &properties);
                if (rc != MOSQ_ERR_SUCCESS)
                        return fail(handle, rc, errno);
        }
        rc = mosquitto_publish_v5(handle->mosquitto, &mid, publish->topic, (int)publish->length,
                                  publish->payload, publish->qos, publish->retain, properties);
        if (rc != MOSQ_ERR_SUCCESS)
                return fail(handle, rc, errno);
        *ret_mid = mid;
        return 0;
}

int link_handle_subscribe(LinkHandle *handle, const char *const *filters, size_t n_filters,
                          bool retained, int *ret_mid)
{
        int options = retained ? OPTIONS_RETAINED : OPTIONS_FRESH;
        int rc;

        rc = mosquitto_subscribe_multiple(handle->mosquitto, ret_mid, (int)n_filters,
                                          (char *const *)(uintptr_t)filters, 1,
                                          handle->protocol == 5 ? options : 0, NULL);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

int link_handle_unsubscribe(LinkHandle *handle, const char *filter)
{
        int rc;

        rc = mosquitto_unsubscribe(handle->mosquitto, NULL, filter);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}
