/* SPDX-License-Identifier: MIT */

#include "tests/integration/serve.h"

#include <errno.h>
#include <string.h>

/* ---- the service ---- */

static int method_echo(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Serve *serve = userdata;
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);

        serve->executed++;
        return mqttrpc_request_reply(request, params, length);
}

static int method_add(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Serve *serve = userdata;
        g_autofree char *result = NULL;
        int64_t a, b;

        serve->executed++;
        g_assert_cmpint(mqttrpc_request_get_int64(request, 0, &a), ==, 0);
        g_assert_cmpint(mqttrpc_request_get_int64(request, 1, &b), ==, 0);
        g_assert_cmpint(mqttrpc_request_get_int64(request, 2, &b), ==, -ENOENT);
        result = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)(a + b));
        return mqttrpc_request_reply(request, result, SIZE_MAX);
}

static int method_who_am_i(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        g_autofree char *result = g_strdup_printf(
                "[\"%s\",\"%s\",\"%s\",\"%s\"]", mqttrpc_request_get_service(request),
                mqttrpc_request_get_object(request), mqttrpc_request_get_method(request),
                mqttrpc_request_get_caller(request));

        return mqttrpc_request_reply(request, result, SIZE_MAX);
}

static int method_hold(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Serve *serve = userdata;

        serve->executed++;
        g_assert_cmpuint(serve->n_held, <, SERVE_MAX_HELD);
        serve->held[serve->n_held++] = mqttrpc_request_ref(request);
        return 0;
}

static int method_silent(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        ((Serve *)userdata)->executed++;
        return 0;
}

static int method_fail(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        ((Serve *)userdata)->executed++;
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND, "no zone \"x\"");
}

static int method_fail_by_errno(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        ((Serve *)userdata)->executed++;
        return -EACCES;
}

static int method_big(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        Serve *serve = userdata;
        g_autofree char *result = NULL;
        uint64_t size;
        int r;

        serve->executed++;
        g_assert_cmpint(mqttrpc_request_get_uint64(request, 0, &size), ==, 0);
        result = g_strnfill(size, 'x');
        result[0] = result[size - 1] = '"';
        r = mqttrpc_request_reply(request, result, size);
        g_assert_true(r == 0 || r == -EMSGSIZE);
        return r;
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_METHOD("Echo", "value:v", "v", method_echo, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Add", "a:i b:i", "i", method_add, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("WhoAmI", "", "as", method_who_am_i, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Hold", "", "v", method_hold, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Silent", "", "", method_silent, 0),
        MQTTRPC_METHOD("Fail", "", "", method_fail, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("FailByErrno", "", "", method_fail_by_errno, 0),
        MQTTRPC_METHOD("Big", "bytes:u", "s", method_big, MQTTRPC_ACCESS_READ),
        MQTTRPC_METHOD("Secret", "value:v", "v", method_echo, MQTTRPC_SENSITIVE),
        MQTTRPC_END,
};

/* ---- set-up ---- */

static void on_log(MqttRpcLogLevel level, const char *text, void *userdata)
{
        Serve *serve = userdata;

        g_free(serve->log);
        serve->log = g_strdup(text);
}

void serve_set_up(Serve *serve, gconstpointer unused)
{
        serve->dir = temp_dir_new();
        serve->broker = broker_new_with_config(
                serve->dir,
                "allow_anonymous true\nmax_queued_messages 1000000\nmax_inflight_messages 0\n"
                "max_packet_size 2000000\n");
        broker_start(serve->broker);
        g_assert_cmpint(mqttrpc_bus_new(&serve->server), ==, 0);
        mqttrpc_bus_set_log_handler(serve->server, on_log, serve);
        g_assert_cmpint(mqttrpc_bus_set_uri(serve->server, broker_get_uri(serve->broker), NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_bus_set_limit(serve->server, MQTTRPC_LIMIT_RECONNECT_USEC, 100000),
                        ==, 0);
        g_assert_cmpint(mqttrpc_add_service(serve->server, NULL, "net", vtable, serve, NULL), ==,
                        0);
        g_assert_cmpint(
                mqttrpc_add_object(serve->server, NULL, "net", "eth0.1", vtable, serve, NULL), ==,
                0);
        g_assert_cmpint(mqttrpc_bus_open(serve->server, NULL), ==, 0);
        loop_add_bus(serve->server);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(serve->server, "net") ==
                                 MQTTRPC_SERVICE_READY));
        serve->alice = raw_client_new(serve->broker, NULL);
        raw_client_subscribe(serve->alice, "mb1/+/+/call/+/alice/+");
        raw_client_subscribe(serve->alice, "mb1/+/+/rpc/alice/+");
}

void serve_tear_down(Serve *serve, gconstpointer unused)
{
        raw_client_free(serve->alice);
        loop_drop_bus(serve->server);
        for (unsigned i = 0; i < serve->n_held; i++)
                mqttrpc_request_unref(serve->held[i]);
        broker_free(serve->broker);
        temp_dir_free(serve->dir);
        g_free(serve->log);
}

/* ---- requests ---- */

char *serve_call_topic(const char *method)
{
        return g_strdup_printf("mb1/net/-/call/%s/alice", method);
}

void serve_send_to(Serve *serve, const char *topic, const char *payload)
{
        raw_client_post(serve->alice, &(RawPublish){.topic = topic, .payload = payload, .qos = 1});
}

void serve_send(Serve *serve, const char *method, const char *payload)
{
        g_autofree char *topic = serve_call_topic(method);

        serve_send_to(serve, topic, payload);
}

const char *serve_request_to(Serve *serve, const char *topic, const char *payload)
{
        g_autofree char *expected = g_strdup_printf("%s/reply", topic);
        const RawMessage *reply;

        serve_send_to(serve, topic, payload);
        reply = raw_client_receive(serve->alice);
        g_assert_cmpstr(reply->topic, ==, expected);
        g_assert_false(reply->retain);
        return reply->payload;
}

const char *serve_request(Serve *serve, const char *method, const char *payload)
{
        g_autofree char *topic = serve_call_topic(method);

        return serve_request_to(serve, topic, payload);
}

/* The reply to a ping would come after all others. */
void serve_assert_silence(Serve *serve)
{
        const char *reply = serve_request(serve, "rpc.ping", "{\"id\":\"end\"}");

        if (!strstr(reply, "\"id\":\"end\",\"result\""))
                g_error("unexpected reply: %s", reply);
}

int serve_answer_held(Serve *serve, const char *result)
{
        int r;

        g_assert_true(LOOP_UNTIL(serve->n_held > 0));
        r = mqttrpc_request_reply(serve->held[0], result, SIZE_MAX);
        mqttrpc_request_unref(serve->held[0]);
        serve->n_held--;
        memmove(&serve->held[0], &serve->held[1], serve->n_held * sizeof(serve->held[0]));
        return r;
}

/* Nothing is acknowledged, because the loop does not run meanwhile. */
void serve_fill_outbound_queue(Serve *serve)
{
        for (size_t size = 1 << 19; size > 1; size /= 2) {
                g_autofree char *fill = g_strnfill(size, '1');
                g_autofree char *params = g_strdup_printf("[%s]", fill);
                int r;

                do
                        r = mqttrpc_notify(serve->server, "void", "-", "m", params,
                                           MQTTRPC_CALL_QOS1, NULL);
                while (r == 0);
                g_assert_cmpint(r, ==, -EBUSY);
        }
}

uint64_t serve_counter(Serve *serve, MqttRpcCounter counter)
{
        return mqttrpc_bus_get_counter(serve->server, counter);
}

void serve_assert_error(const char *reply, const char *id, int code)
{
        g_autofree char *start =
                g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,", id, code);

        if (!g_str_has_prefix(reply, start))
                g_error("expected %s, got %s", start, reply);
}
