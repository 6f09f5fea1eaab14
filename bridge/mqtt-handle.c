/* SPDX-License-Identifier: MIT */

#include "bridge/mqtt-handle.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

#include "bridge/policy-load.h"

enum {
        OPTIONS_FRESH = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED | MQTT_SUB_OPT_SEND_RETAIN_NEVER,
        OPTIONS_KEPT = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED | MQTT_SUB_OPT_SEND_RETAIN_ALWAYS,
};

struct MqttHandle {
        struct mosquitto *mosquitto;
        /* Copies: an abandoned attempt may still run in its thread when the settings have gone. */
        char *host;
        uint16_t port;
        int keepalive_s;
        bool v5;
        uint32_t session_sec;
        const MqttHandleEvents *events;
        void *userdata;
        uint32_t packet_bytes; /* 0: it is trusted */
        bool want_write;
        bool watch_repeats; /* until the first message that is none */
        bool repeated;      /* the message that is about to come */
        char *reason;       /* owned */
};

static void set_reason(MqttHandle *handle, const char *text)
{
        free(handle->reason);
        handle->reason = strdup(text);
}

const char *mqtt_handle_reason(const MqttHandle *handle)
{
        return handle->reason ? handle->reason : "connection lost";
}

static int fail(MqttHandle *handle, int rc, int saved_errno)
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
        case MOSQ_ERR_CONN_REFUSED: break; /* on_connect() has said why */
        case MOSQ_ERR_EAI: set_reason(handle, "host name not found"); break;
        default: set_reason(handle, mosquitto_strerror(rc)); break;
        }
        return -ENOTCONN;
}

/* ---- events ---- */

/* The one place where libmosquitto tells of the flag DUP, just before its message, and of one of
 * QoS 2 before it is complete: it keeps all of these until the broker says that they are, which one
 * that means harm never does. We subscribe to none. */
static void on_log(struct mosquitto *mosquitto, void *userdata, int level, const char *text)
{
        static const char received[] = " received PUBLISH (d", qos_2[] = ", q2";
        MqttHandle *handle = userdata;
        const char *at;

        if (level == MOSQ_LOG_ERR)
                set_reason(handle, text);
        at = strstr(text, received);
        if (!at)
                return;
        at += strlen(received);
        handle->repeated = *at == '1';
        if (handle->packet_bytes > 0 && strncmp(at + 1, qos_2, strlen(qos_2)) == 0) {
                set_reason(handle, "it sends at QoS 2, which nobody has subscribed to");
                handle->events->on_disconnect(handle->userdata, 0);
        }
}

static void on_connect(struct mosquitto *mosquitto, void *userdata, int reason, int flags,
                       const mosquitto_property *properties)
{
        MqttHandle *handle = userdata;

        /* From here on libmosquitto would format a line for every packet: a microsecond each. */
        handle->watch_repeats = reason == 0 && (flags & 1);
        if (!handle->watch_repeats && handle->packet_bytes == 0)
                mosquitto_log_callback_set(mosquitto, NULL);
        if (reason != 0)
                set_reason(handle, handle->v5 ? mosquitto_reason_string(reason)
                                              : mosquitto_connack_string(reason));
        handle->events->on_connack(handle->userdata, reason, flags & 1);
        errno = 0; /* libmosquitto takes EAGAIN after a callback for its own */
}

static void on_disconnect(struct mosquitto *mosquitto, void *userdata, int reason,
                          const mosquitto_property *properties)
{
        MqttHandle *handle = userdata;

        if (handle->v5 && reason >= 0x80 && !handle->reason)
                set_reason(handle, mosquitto_reason_string(reason));
        handle->events->on_disconnect(handle->userdata, reason);
}

static void on_subscribe(struct mosquitto *mosquitto, void *userdata, int mid, int n_granted,
                         const int *granted, const mosquitto_property *properties)
{
        MqttHandle *handle = userdata;
        bool all = true;

        for (int i = 0; i < n_granted; i++)
                all = all && granted[i] < 0x80;
        handle->events->on_suback(handle->userdata, mid, all);
        errno = 0;
}

static void on_publish(struct mosquitto *mosquitto, void *userdata, int mid, int reason,
                       const mosquitto_property *properties)
{
        MqttHandle *handle = userdata;

        handle->events->on_puback(handle->userdata, mid, reason);
        errno = 0;
}

/* What was read out of a message's properties, to be freed after its event. */
typedef struct Texts {
        char *response_topic;
        void *correlation;
        char *user[6];
} Texts;

static const char *const user_names[] = {"ttl", "epoch", "pg", "hops", "seq", "rc"};

static void texts_done(Texts *texts)
{
        free(texts->response_topic);
        free(texts->correlation);
        for (size_t i = 0; i < ARRAY_SIZE(texts->user); i++)
                free(texts->user[i]);
}

static void read_user_properties(const mosquitto_property *properties, Texts *texts)
{
        const mosquitto_property *at = properties;
        bool skip = false;

        for (;;) {
                char *name = NULL, *value = NULL;

                at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value,
                                                         skip);
                if (!at)
                        return;
                skip = true;
                for (size_t i = 0; i < ARRAY_SIZE(user_names); i++)
                        if (!texts->user[i] && value && strcmp(name, user_names[i]) == 0)
                                texts->user[i] = STEAL(value);
                free(name);
                free(value);
        }
}

static void read_properties(const mosquitto_property *properties, Texts *texts,
                            MqttMessage *message)
{
        const char **user[] = {&message->ttl,  &message->epoch, &message->pg,
                               &message->hops, &message->seq,   &message->rc};
        uint16_t length = 0;

        mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &texts->response_topic,
                                       false);
        mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &texts->correlation,
                                       &length, false);
        message->expires = mosquitto_property_read_int32(
                properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &message->expiry_sec, false);
        read_user_properties(properties, texts);
        message->response_topic = texts->response_topic;
        message->correlation = texts->correlation;
        message->correlation_length = length;
        for (size_t i = 0; i < ARRAY_SIZE(user); i++)
                *user[i] = texts->user[i];
}

static void on_message(struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *received,
                       const mosquitto_property *properties)
{
        CLEANUP(texts_done) Texts texts = {};
        MqttHandle *handle = userdata;
        MqttMessage message = {
                .topic = received->topic,
                .payload = received->payload ? received->payload : "",
                .length = (size_t)received->payloadlen,
                .qos = received->qos,
                .retain = received->retain,
                .mid = (uint16_t)received->mid,
                .repeated = handle->watch_repeats && handle->repeated,
        };

        /* What is repeated comes before all that is new. */
        if (handle->watch_repeats && received->qos > 0 && !handle->repeated) {
                handle->watch_repeats = false;
                if (handle->packet_bytes == 0)
                        mosquitto_log_callback_set(mosquitto, NULL);
        }
        if (properties)
                read_properties(properties, &texts, &message);
        handle->events->on_message(handle->userdata, &message);
        errno = 0;
}

/* ---- life ---- */

static void wipe(char **text)
{
        if (*text)
                explicit_bzero(*text, strlen(*text));
        free(*text);
}

static int set_tls(MqttHandle *handle, const Endpoint *endpoint, Error **ret_error)
{
        CLEANUP(wipe) char *psk = NULL;
        struct mosquitto *mosquitto = handle->mosquitto;
        const char *folder = endpoint->ca_file ? NULL : "/etc/ssl/certs";
        int rc, r;

        if (endpoint->psk_file) {
                r = policy_read_secret(endpoint->psk_file, &psk, ret_error);
                if (r < 0)
                        return r;
                rc = mosquitto_tls_psk_set(mosquitto, psk, endpoint->psk_identity, NULL);
        } else {
                rc = mosquitto_tls_set(mosquitto, endpoint->ca_file, folder, endpoint->cert_file,
                                       endpoint->key_file, NULL);
                if (rc == MOSQ_ERR_SUCCESS)
                        rc = mosquitto_tls_opts_set(mosquitto, 1, "tlsv1.2", NULL);
        }
        if (rc == MOSQ_ERR_SUCCESS && endpoint->alpn)
                rc = mosquitto_string_option(mosquitto, MOSQ_OPT_TLS_ALPN, endpoint->alpn);
        if (rc == MOSQ_ERR_SUCCESS)
                return 0;
        return error_set(ret_error, -EINVAL, "%s: TLS cannot be used with these files: %s",
                         endpoint->uri, mosquitto_strerror(rc));
}

static int set_options(MqttHandle *handle, const MqttSettings *settings, const char *password)
{
        struct mosquitto *mosquitto = handle->mosquitto;
        const Endpoint *endpoint = settings->endpoint;
        int rc;

        rc = mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                                  handle->v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, UINT16_MAX);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_int_option(mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM,
                                          (int)settings->inflight);
        if (rc == MOSQ_ERR_SUCCESS && endpoint->user)
                rc = mosquitto_username_pw_set(mosquitto, endpoint->user, password);
        if (rc == MOSQ_ERR_SUCCESS && settings->will_topic)
                rc = mosquitto_will_set(mosquitto, settings->will_topic,
                                        (int)strlen(settings->will_payload), settings->will_payload,
                                        1, true);
        /* Packets are then only queued by what queues them, and leave in mosquitto_loop_write(). */
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_threaded_set(mosquitto, true);
        return rc;
}

static void set_callbacks(struct mosquitto *mosquitto)
{
        mosquitto_log_callback_set(mosquitto, on_log);
        mosquitto_connect_v5_callback_set(mosquitto, on_connect);
        mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
        mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
        mosquitto_publish_v5_callback_set(mosquitto, on_publish);
        mosquitto_message_v5_callback_set(mosquitto, on_message);
}

DEFINE_CLEANUP(MqttHandle *, mqtt_handle_free, mqtt_handle_cleanup)

int mqtt_handle_new(const MqttSettings *settings, const MqttHandleEvents *events, void *userdata,
                    MqttHandle **ret_handle, Error **ret_error)
{
        CLEANUP(mqtt_handle_cleanup) MqttHandle *handle = calloc(1, sizeof(*handle));
        CLEANUP(wipe) char *password = NULL;
        const Endpoint *endpoint = settings->endpoint;
        static bool initialized;
        int r;

        if (!initialized)
                mosquitto_lib_init();
        initialized = true;
        r = policy_read_secret(endpoint->password_file, &password, ret_error);
        if (r < 0)
                return r;
        if (handle) {
                *handle = (MqttHandle){.port = endpoint->address.port,
                                       .v5 = endpoint->protocol == 0,
                                       .keepalive_s = (int)endpoint->keepalive_s,
                                       .session_sec = settings->session_sec,
                                       .packet_bytes = settings->packet_bytes,
                                       .events = events,
                                       .userdata = userdata};
                handle->host = strdup(endpoint->address.host);
                handle->mosquitto =
                        mosquitto_new(settings->client_id, settings->session_sec == 0, handle);
        }
        if (!handle || !handle->host || !handle->mosquitto)
                return error_set(ret_error, -ENOMEM, "out of memory");
        if (set_options(handle, settings, password) != MOSQ_ERR_SUCCESS)
                return error_set(ret_error, -EINVAL, "%s: the MQTT library refuses the settings",
                                 endpoint->uri);
        if (endpoint->address.tls) {
                r = set_tls(handle, endpoint, ret_error);
                if (r < 0)
                        return r;
        }
        set_callbacks(handle->mosquitto);
        *ret_handle = STEAL(handle);
        return 0;
}

MqttHandle *mqtt_handle_free(MqttHandle *handle)
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

static void free_properties(mosquitto_property **properties)
{
        mosquitto_property_free_all(properties);
}

int mqtt_handle_connect(MqttHandle *handle)
{
        CLEANUP(free_properties) mosquitto_property *properties = NULL;
        int rc = MOSQ_ERR_SUCCESS;

        if (handle->v5 && handle->session_sec > 0)
                rc = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                                  handle->session_sec);
        if (rc == MOSQ_ERR_SUCCESS && handle->v5 && handle->packet_bytes > 0)
                rc = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                                  handle->packet_bytes);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_connect_bind_v5(handle->mosquitto, handle->host, handle->port,
                                               handle->keepalive_s, NULL, properties);
        if (rc != MOSQ_ERR_SUCCESS)
                return fail(handle, rc, errno);
        handle->want_write = true;
        return 0;
}

void mqtt_handle_disconnect(MqttHandle *handle)
{
        mosquitto_disconnect_v5(handle->mosquitto, 0, NULL);
        mosquitto_loop_write(handle->mosquitto, 1);
}

/* ---- loop ---- */

int mqtt_handle_fd(const MqttHandle *handle)
{
        return mosquitto_socket(handle->mosquitto);
}

bool mqtt_handle_wants_write(MqttHandle *handle)
{
        /* Asking clears a flag inside libmosquitto, so the answer is kept until the next write. */
        if (mosquitto_want_write(handle->mosquitto))
                handle->want_write = true;
        return handle->want_write;
}

int mqtt_handle_read(MqttHandle *handle)
{
        int rc;

        errno = 0;
        rc = mosquitto_loop_read(handle->mosquitto, 1);
        if (rc != MOSQ_ERR_SUCCESS)
                return fail(handle, rc, errno);
        return errno != EAGAIN && mosquitto_socket(handle->mosquitto) >= 0;
}

int mqtt_handle_write(MqttHandle *handle)
{
        int rc;

        handle->want_write = false;
        errno = 0;
        rc = mosquitto_loop_write(handle->mosquitto, 1);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

int mqtt_handle_misc(MqttHandle *handle)
{
        int rc;

        errno = 0;
        rc = mosquitto_loop_misc(handle->mosquitto);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

/* ---- sending ---- */

int mqtt_handle_subscribe(MqttHandle *handle, const char *const *filters, size_t n_filters,
                          bool fresh, int *ret_mid)
{
        int rc, options = fresh ? OPTIONS_FRESH : OPTIONS_KEPT;

        /* Never QoS 2: a crash between PUBREC and PUBREL would lose the message. */
        rc = mosquitto_subscribe_multiple(handle->mosquitto, ret_mid, (int)n_filters,
                                          (char *const *)(uintptr_t)filters, 1,
                                          handle->v5 ? options : 0, NULL);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

int mqtt_handle_unsubscribe(MqttHandle *handle, const char *const *filters, size_t n_filters)
{
        int rc;

        rc = mosquitto_unsubscribe_multiple(handle->mosquitto, NULL, (int)n_filters,
                                            (char *const *)(uintptr_t)filters, NULL);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}

static int write_properties(const MqttPublish *publish, mosquitto_property **properties)
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
        for (size_t i = 0; rc == MOSQ_ERR_SUCCESS && i < publish->n_pairs; i++)
                if (publish->pairs[i].value)
                        rc = mosquitto_property_add_string_pair(properties, MQTT_PROP_USER_PROPERTY,
                                                                publish->pairs[i].name,
                                                                publish->pairs[i].value);
        return rc;
}

int mqtt_handle_publish(MqttHandle *handle, const MqttPublish *publish, int *ret_mid)
{
        CLEANUP(free_properties) mosquitto_property *properties = NULL;
        int rc = MOSQ_ERR_SUCCESS;

        if (handle->v5)
                rc = write_properties(publish, &properties);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_publish_v5(handle->mosquitto, ret_mid, publish->topic,
                                          (int)publish->length, publish->payload, publish->qos,
                                          publish->retain, properties);
        return rc == MOSQ_ERR_SUCCESS ? 0 : fail(handle, rc, errno);
}
