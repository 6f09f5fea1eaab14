/* SPDX-License-Identifier: MIT */

#include "tests/bench/crossing.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/cpu.h"
#include "tests/support/wait.h"

enum {
        WINDOW = 2000, /* signals under way */
        PATIENCE_MSEC = 30000,
};

static const char rules[] =
        ",\"publish\":[{\"service\":\"ours\",\"signals\":[\"*\"]}],"
        "\"allow\":[{\"service\":\"lib\",\"object\":\"-\",\"methods\":[\"EchoString\"],"
        "\"callers\":[\"bench\"],\"rate_per_minute\":1000000}],"
        "\"log_level\":\"warning\"";

static const char payload[] =
        "{\"jsonrpc\":\"2.0\",\"params\":[\"0123456789abcdef0123456789abcdef\"]}";

/* ---- life ---- */

/* As good as it can be: many in flight, and no wait of Nagle's where it can be switched off. */
static void configure(BridgeStage *stage)
{
        g_autofree char *bridge = NULL;

        broker_stop(stage->local);
        broker_stop(stage->cloud);
        broker_enable_tcp(stage->cloud);
        bridge = g_strdup_printf("set_tcp_nodelay true\n"
                                 "connection stock\n"
                                 "address 127.0.0.1:%u\n"
                                 "bridge_protocol_version mqttv50\n"
                                 "notifications false\n"
                                 "cleansession false\n"
                                 "restart_timeout 1 1\n"
                                 "topic -/sig/+ out 1 mb1/stock/ dev1/mb1/stock/\n",
                                 broker_get_port(stage->cloud));
        broker_add_config(stage->cloud, "set_tcp_nodelay true");
        broker_add_config(stage->local, bridge);
        broker_start(stage->cloud);
        broker_start(stage->local);
        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(broker_get_tcp_uri(stage->cloud));
}

static Process *start_peer(BridgeStage *stage, const Broker *broker)
{
        g_autofree char *program = g_build_filename(BENCH_DIRECTORY, "bench-rpc-peer", NULL);
        const char *argv[] = {program, broker_get_uri(broker), "lib", "none", NULL};
        Process *process = process_start(stage->dir, "lib", argv, NULL);

        if (!process_wait_output(process, PROCESS_STDOUT, "ready", WAIT_MSEC))
                g_error("a process of the benchmark does not start");
        return process;
}

static void on_signal(struct mosquitto *mosquitto, void *userdata,
                      const struct mosquitto_message *message, const mosquitto_property *properties)
{
        ((Crossing *)userdata)->received++;
}

static struct mosquitto *open_cloud(Crossing *crossing)
{
        ConnectionSettings settings = crossing_get_settings(crossing, true);

        return connection_open(&settings, "dev1/mb1/+/-/sig/+", 1, on_signal, crossing);
}

/* The stock bridge connects when it likes: signals before that are queued or lost. */
static void wait_for_stock(Crossing *crossing)
{
        gint64 deadline = wait_deadline(PATIENCE_MSEC);

        while (crossing->received == 0 && wait_left(deadline) > 0) {
                crossing_send(crossing, "stock");
                crossing_process(crossing);
        }
        while (crossing->received < crossing->sent && wait_left(deadline) > 0)
                crossing_process(crossing);
        g_assert_cmpuint(crossing->received, ==, crossing->sent);
}

Crossing *crossing_new(void)
{
        Crossing *crossing = g_new0(Crossing, 1);
        ConnectionSettings settings;

        crossing->stage = bridge_stage_new();
        configure(crossing->stage);
        settings = crossing_get_settings(crossing, false);
        crossing->device = connection_open(&settings, NULL, 1, NULL, crossing);
        crossing->cloud = open_cloud(crossing);
        crossing->local_peer = start_peer(crossing->stage, crossing->stage->local);
        crossing->cloud_peer = start_peer(crossing->stage, crossing->stage->cloud);
        bridge_stage_run(crossing->stage, rules);
        wait_for_stock(crossing);
        return crossing;
}

void crossing_free(Crossing *crossing)
{
        connection_close(crossing->device);
        if (crossing->cloud)
                connection_close(crossing->cloud);
        process_free(crossing->local_peer);
        process_free(crossing->cloud_peer);
        bridge_stage_free(crossing->stage);
        g_free(crossing);
}

ConnectionSettings crossing_get_settings(const Crossing *crossing, bool cloud)
{
        const BridgeStage *stage = crossing->stage;

        return (ConnectionSettings){
                .host = cloud ? "127.0.0.1" : broker_get_socket(stage->local),
                .port = cloud ? broker_get_port(stage->cloud) : 0,
                .user = "bench",
        };
}

void crossing_pin(const Crossing *crossing, bool pinned)
{
        const BridgeStage *stage = crossing->stage;
        const Process *all[] = {broker_get_process(stage->local), broker_get_process(stage->cloud),
                                stage->bridge, crossing->local_peer, crossing->cloud_peer};

        for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
                (pinned ? cpu_pin : cpu_unpin)(process_get_pid(all[i]));
}

void crossing_stop_cloud(Crossing *crossing)
{
        connection_close(crossing->cloud);
        crossing->cloud = NULL;
        crossing->cloud_peer = process_free(crossing->cloud_peer);
        broker_kill(crossing->stage->cloud);
}

void crossing_start_cloud(Crossing *crossing)
{
        broker_start(crossing->stage->cloud);
        crossing->cloud = open_cloud(crossing);
        crossing->cloud_peer = start_peer(crossing->stage, crossing->stage->cloud);
}

/* ---- signals ---- */

/* With `seq`, as every service of ours sends it. */
void crossing_send(Crossing *crossing, const char *service)
{
        mosquitto_property *properties = NULL;
        char topic[64], seq[32];
        int rc;

        snprintf(topic, sizeof(topic), "mb1/%s/-/sig/Tick", service);
        snprintf(seq, sizeof(seq), "0123abcd-%u", ++crossing->sent);
        rc = mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "seq", seq);
        if (rc == MOSQ_ERR_SUCCESS)
                rc = mosquitto_publish_v5(crossing->device, NULL, topic, strlen(payload), payload,
                                          1, false, properties);
        mosquitto_property_free_all(&properties);
        if (rc != MOSQ_ERR_SUCCESS)
                g_error("cannot publish: %s", mosquitto_strerror(rc));
}

static void process_one(struct mosquitto *mosquitto, short revents)
{
        int rc = MOSQ_ERR_SUCCESS;

        if (revents & (POLLIN | POLLERR | POLLHUP))
                do {
                        errno = 0;
                        rc = mosquitto_loop_read(mosquitto, 1);
                } while (rc == MOSQ_ERR_SUCCESS && errno != EAGAIN);
        if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(mosquitto))
                rc = mosquitto_loop_write(mosquitto, 1);
        if (rc != MOSQ_ERR_SUCCESS)
                g_error("a connection of the benchmark is lost: %s", mosquitto_strerror(rc));
}

void crossing_process(Crossing *crossing)
{
        struct mosquitto *all[] = {crossing->device, crossing->cloud};
        nfds_t n = crossing->cloud ? 2 : 1;
        struct pollfd ready[2];

        for (nfds_t i = 0; i < n; i++) {
                ready[i] = (struct pollfd){mosquitto_socket(all[i]), POLLIN, 0};
                if (mosquitto_want_write(all[i]))
                        ready[i].events |= POLLOUT;
        }
        if (poll(ready, n, PATIENCE_MSEC) == 0)
                g_error("nothing comes: %u of %u signals", crossing->received, crossing->sent);
        for (nfds_t i = 0; i < n; i++)
                process_one(all[i], ready[i].revents);
}

double crossing_stream(Crossing *crossing, const char *service, unsigned n)
{
        unsigned left = n, end = crossing->received + n;
        gint64 start = g_get_monotonic_time();

        while (crossing->received < end) {
                while (left > 0 && end - crossing->received - left < WINDOW) {
                        crossing_send(crossing, service);
                        left--;
                }
                crossing_process(crossing);
        }
        return n * 1e6 / (double)(g_get_monotonic_time() - start);
}
