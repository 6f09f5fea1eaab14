/* SPDX-License-Identifier: MIT */
#pragma once

/* The set-up of the tests of serving: a broker that lets everybody do everything (what the library
 * refuses, it refuses by itself), the service "net" on a bus under test, and a stock client "alice"
 * that calls it and sees all replies addressed to her. */

#include "tests/support/raw-client.h"

enum { SERVE_MAX_HELD = 16 };

typedef struct Serve {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *server;
        RawClient *alice;
        unsigned executed;                    /* methods run, of all kinds but rpc.ping */
        MqttRpcRequest *held[SERVE_MAX_HELD]; /* by Hold; references */
        unsigned n_held;
        char *log; /* the last warning */
} Serve;

void serve_set_up(Serve *serve, gconstpointer unused);
void serve_tear_down(Serve *serve, gconstpointer unused);

#define SERVE_TEST(path, data, function) \
        g_test_add((path), Serve, (data), serve_set_up, (function), serve_tear_down)

/* Topics of net's root object; the caller frees them. */
char *serve_call_topic(const char *method);
#define SERVE_RPC_TOPIC "mb1/net/-/rpc/alice"

/* An item of progress as it is sent; `id`, `seq` and `value` are literal strings. */
#define SERVE_PROGRESS(id, seq, value)                                                            \
        "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.progress\",\"params\":{\"id\":" id ",\"seq\":" seq \
        ",\"value\":" value "}}"

/* Sends a request to call/{method} or another topic, by alice at QoS 1. */
void serve_send(Serve *serve, const char *method, const char *payload);
void serve_send_to(Serve *serve, const char *topic, const char *payload);
/* The same, and the reply's payload, which must come at once. Borrowed until the next. */
const char *serve_request(Serve *serve, const char *method, const char *payload);
const char *serve_request_to(Serve *serve, const char *topic, const char *payload);
/* Fails unless nothing at all was answered to what has been sent so far. */
void serve_assert_silence(Serve *serve);
/* Answers the oldest of the held requests. */
int serve_answer_held(Serve *serve, const char *result);
/* Until the server's bus takes no more; mqttrpc_bus_flush() empties it. */
void serve_fill_outbound_queue(Serve *serve);
uint64_t serve_counter(Serve *serve, MqttRpcCounter counter);
/* {"jsonrpc":"2.0","id":ID,"error":{"code":CODE,… */
void serve_assert_error(const char *reply, const char *id, int code);
