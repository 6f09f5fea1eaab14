/* SPDX-License-Identifier: MIT */

#include "tests/bench/connection.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
        PATIENCE_MSEC = 30000,
        KEEPALIVE_SEC = 3600, /* longer than any run: loop_misc() is never called */
};

static void die(const char *what, int rc)
{
        fprintf(stderr, "bench: MQTT: %s: %s\n", what, mosquitto_strerror(rc));
        abort();
}

static void check(const char *what, int rc)
{
        if (rc != MOSQ_ERR_SUCCESS)
                die(what, rc);
}

/* ---- opening ---- */

typedef struct Opening {
        bool connected;
        bool subscribed;
} Opening;

static void on_connect(struct mosquitto *mosquitto, void *userdata, int reason, int flags,
                       const mosquitto_property *properties)
{
        Opening *opening = userdata;

        check("refused", reason);
        opening->connected = true;
}

static void on_subscribe(struct mosquitto *mosquitto, void *userdata, int mid, int n_granted,
                         const int *granted, const mosquitto_property *properties)
{
        Opening *opening = userdata;

        opening->subscribed = true;
}

static void set_options(struct mosquitto *mosquitto, const ConnectionSettings *settings)
{
        check("protocol",
              mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5));
        check("nodelay", mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1));
        check("send maximum", mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, UINT16_MAX));
        check("receive maximum",
              mosquitto_int_option(mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM, UINT16_MAX));
        check("user", mosquitto_username_pw_set(mosquitto, settings->user, settings->password));
}

struct mosquitto *connection_open(const ConnectionSettings *settings, const char *filter, int qos,
                                  ConnectionMessageHandler handler, void *userdata)
{
        Opening opening = {.subscribed = !filter};
        struct mosquitto *mosquitto;

        mosquitto_lib_init();
        mosquitto = mosquitto_new(NULL, true, &opening);
        if (!mosquitto)
                die("new", MOSQ_ERR_NOMEM);
        set_options(mosquitto, settings);
        mosquitto_connect_v5_callback_set(mosquitto, on_connect);
        mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
        check("connect",
              mosquitto_connect(mosquitto, settings->host, settings->port, KEEPALIVE_SEC));
        while (!opening.connected)
                connection_process(mosquitto, false);
        if (filter)
                check("subscribe", mosquitto_subscribe(mosquitto, NULL, filter, qos));
        while (!opening.subscribed)
                connection_process(mosquitto, false);
        mosquitto_user_data_set(mosquitto, userdata);
        mosquitto_connect_v5_callback_set(mosquitto, NULL);
        mosquitto_subscribe_v5_callback_set(mosquitto, NULL);
        mosquitto_message_v5_callback_set(mosquitto, handler);
        return mosquitto;
}

void connection_close(struct mosquitto *mosquitto)
{
        mosquitto_disconnect(mosquitto);
        mosquitto_destroy(mosquitto);
}

/* ---- use ---- */

void connection_publish(struct mosquitto *mosquitto, const char *topic, const void *payload,
                        size_t length, int qos)
{
        check("publish",
              mosquitto_publish(mosquitto, NULL, topic, (int)length, payload, qos, false));
}

static void read_packets(struct mosquitto *mosquitto, bool all)
{
        do {
                errno = 0;
                check("read", mosquitto_loop_read(mosquitto, 1));
        } while (all && errno != EAGAIN);
}

void connection_process(struct mosquitto *mosquitto, bool all)
{
        struct pollfd ready = {.fd = mosquitto_socket(mosquitto), .events = POLLIN};
        int r;

        if (mosquitto_want_write(mosquitto))
                ready.events |= POLLOUT;
        do
                r = poll(&ready, 1, PATIENCE_MSEC);
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                die("nothing comes", MOSQ_ERR_CONN_LOST);
        if (ready.revents & POLLOUT)
                check("write", mosquitto_loop_write(mosquitto, 1));
        if (ready.revents & (POLLIN | POLLERR | POLLHUP))
                read_packets(mosquitto, all);
        /* What the callbacks have published is only queued. */
        if (mosquitto_want_write(mosquitto))
                check("write", mosquitto_loop_write(mosquitto, 1));
}
