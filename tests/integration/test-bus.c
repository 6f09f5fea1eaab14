/* SPDX-License-Identifier: MIT */

/* The connection: how it comes up by each kind of address, how it is lost and taken up again, and
 * what happens to calls meanwhile. */

#include "tests/support/raw-client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *bus;
        GString *states; /* a letter for each state entered: c(o)nnecting, up, waiting, closed */
        char *reason;    /* of the last WAITING */
        unsigned replies;
        int last_code; /* of the last reply, 0 for a result */
} Fixture;

static const char anonymous_config[] = "allow_anonymous true\nset_tcp_nodelay true\n";

static void on_state(MqttRpcBus *bus, MqttRpcState state, const MqttRpcError *reason,
                     void *userdata)
{
        static const char letters[] = {[MQTTRPC_STATE_CLOSED] = 'x',
                                       [MQTTRPC_STATE_CONNECTING] = 'o',
                                       [MQTTRPC_STATE_CONNECTED] = 'u',
                                       [MQTTRPC_STATE_WAITING] = 'w'};
        Fixture *fixture = userdata;

        g_assert_cmpint(mqttrpc_bus_get_state(bus), ==, state);
        g_string_append_c(fixture->states, letters[state]);
        g_assert_cmpint(reason != NULL, ==, state == MQTTRPC_STATE_WAITING);
        if (reason) {
                g_free(fixture->reason);
                fixture->reason = g_strdup(mqttrpc_error_get_message(reason));
        }
}

static MqttRpcBus *new_bus(Fixture *fixture, const char *uri)
{
        MqttRpcBus *bus = NULL;

        g_assert_cmpint(mqttrpc_bus_new(&bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(bus, uri, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_limit(bus, MQTTRPC_LIMIT_RECONNECT_USEC, 50000), ==, 0);
        mqttrpc_bus_set_state_handler(bus, on_state, fixture);
        return bus;
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir, anonymous_config);
        fixture->states = g_string_new(NULL);
        fixture->bus = new_bus(fixture, broker_get_uri(fixture->broker));
        loop_add_bus(fixture->bus);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        loop_drop_bus(fixture->bus);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
        g_string_free(fixture->states, TRUE);
        g_free(fixture->reason);
}

static bool is_up(Fixture *fixture)
{
        return mqttrpc_bus_get_state(fixture->bus) == MQTTRPC_STATE_CONNECTED;
}

static void open_bus(Fixture *fixture)
{
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(is_up(fixture)));
}

static void await_down(Fixture *fixture)
{
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(fixture->bus) == MQTTRPC_STATE_WAITING));
}

/* ---- a service to call, on the same bus ---- */

static int method_echo(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);

        return mqttrpc_request_reply(request, params, length);
}

static MqttRpcRequest *held;

static int method_hold(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        g_assert_null(held);
        held = mqttrpc_request_ref(request);
        return 0;
}

static void drop_held(void)
{
        held = mqttrpc_request_unref(held);
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_METHOD("Echo", "value:v", "v", method_echo, 0),
        MQTTRPC_METHOD("Hold", "", "", method_hold, 0),
        MQTTRPC_END,
};

static void serve(Fixture *fixture)
{
        g_assert_cmpint(mqttrpc_add_service(fixture->bus, NULL, "net", vtable, fixture, NULL), ==,
                        0);
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Fixture *fixture = userdata;

        fixture->replies++;
        fixture->last_code = error ? mqttrpc_error_get_code(error) : 0;
        return 0;
}

static int call(Fixture *fixture, MqttRpcSlot **ret_slot, const char *method, const char *params,
                uint64_t timeout)
{
        return mqttrpc_call_async(fixture->bus, ret_slot, "net", "-", method, params, timeout, 0,
                                  on_reply, fixture, NULL);
}

static void assert_works(Fixture *fixture)
{
        unsigned before = fixture->replies;

        g_assert_cmpint(call(fixture, NULL, "Echo", "[1]", 0), ==, 0);
        g_assert_true(LOOP_UNTIL(fixture->replies == before + 1));
        g_assert_cmpint(fixture->last_code, ==, 0);
}

/* ---- coming up ---- */

static void test_unix_socket(Fixture *fixture, gconstpointer unused)
{
        broker_start(fixture->broker);
        serve(fixture);
        open_bus(fixture);
        g_assert_cmpstr(fixture->states->str, ==, "ou");
        assert_works(fixture);
        mqttrpc_bus_close(fixture->bus);
        mqttrpc_bus_close(fixture->bus);
        g_assert_cmpstr(fixture->states->str, ==, "oux");
}

static void test_tcp(Fixture *fixture, gconstpointer by_name)
{
        g_autofree char *uri = NULL;
        socklen_t length = sizeof(int);
        int nodelay = 0;

        broker_enable_tcp(fixture->broker);
        broker_start(fixture->broker);
        serve(fixture);
        uri = g_strdup_printf("mqtt://%s:%u", by_name ? "localhost" : "127.0.0.1",
                              broker_get_port(fixture->broker));
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, uri, NULL), ==, 0);
        open_bus(fixture);
        g_assert_cmpint(getsockopt(mqttrpc_bus_get_fd(fixture->bus), IPPROTO_TCP, TCP_NODELAY,
                                   &nodelay, &length),
                        ==, 0);
        g_assert_cmpint(nodelay, ==, 1);
        assert_works(fixture);
}

static void test_tls(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_TLS_FILES TlsFiles *files = tls_files_new(fixture->dir, "alice");

        broker_enable_tls(fixture->broker, files, true);
        broker_start(fixture->broker);
        serve(fixture);
        g_assert_cmpint(
                mqttrpc_bus_set_uri(fixture->bus, broker_get_tls_uri(fixture->broker), NULL), ==,
                0);
        g_assert_cmpint(mqttrpc_bus_set_tls(fixture->bus, tls_files_get_ca(files),
                                            tls_files_get_client_cert(files), NULL),
                        ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_tls(fixture->bus, tls_files_get_ca(files),
                                            tls_files_get_client_cert(files),
                                            tls_files_get_client_key(files)),
                        ==, 0);
        open_bus(fixture);
        for (unsigned i = 0; i < 20; i++)
                assert_works(fixture);
}

static void test_wrong_ca(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_TLS_FILES TlsFiles *files = tls_files_new(fixture->dir, "alice");
        CLEANUP_TLS_FILES TlsFiles *others = tls_files_new(fixture->dir, "alice");

        broker_enable_tls(fixture->broker, files, false);
        broker_start(fixture->broker);
        g_assert_cmpint(
                mqttrpc_bus_set_uri(fixture->bus, broker_get_tls_uri(fixture->broker), NULL), ==,
                0);
        g_assert_cmpint(mqttrpc_bus_set_tls(fixture->bus, tls_files_get_ca(others), NULL, NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        await_down(fixture);
        g_test_message("%s", fixture->reason);
        g_assert_nonnull(strstr(fixture->reason, "certificate"));
}

static void test_unreadable_ca(Fixture *fixture, gconstpointer unused)
{
        MqttRpcError *error = NULL;

        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, "mqtts://127.0.0.1:1", NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_tls(fixture->bus, "/nonexistent", NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, &error), ==, -EINVAL);
        g_assert_nonnull(strstr(mqttrpc_error_get_message(error), "/nonexistent"));
        g_assert_cmpint(mqttrpc_bus_get_state(fixture->bus), ==, MQTTRPC_STATE_CLOSED);
        mqttrpc_error_free(error);
}

static void test_password(Fixture *fixture, gconstpointer wrong)
{
        broker_free(fixture->broker);
        fixture->broker = broker_new(fixture->dir);
        broker_add_user(fixture->broker, "alice", "right", NULL);
        broker_start(fixture->broker);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(
                mqttrpc_bus_set_credentials(fixture->bus, "alice", wrong ? "wrong" : "right"), ==,
                0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_cmpstr(mqttrpc_bus_get_caller(fixture->bus), ==, "alice");
        if (!wrong) {
                g_assert_true(LOOP_UNTIL(is_up(fixture)));
                return;
        }
        await_down(fixture);
        g_test_message("%s", fixture->reason);
        g_assert_nonnull(strstr(fixture->reason, "Not authorized"));
}

/* trap 36 */
static void test_name_that_does_not_resolve(Fixture *fixture, gconstpointer unused)
{
        gint64 before = g_get_monotonic_time();

        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, "mqtt://nonexistent.invalid", NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_process(fixture->bus), >=, 0);
        g_assert_cmpint(g_get_monotonic_time() - before, <, 200000);
        await_down(fixture);
        g_test_message("%s", fixture->reason);
        g_assert_nonnull(strstr(fixture->reason, "nonexistent.invalid"));
}

/* Opened and closed again at once, with the name still being resolved. */
static void test_closed_while_resolving(Fixture *fixture, gconstpointer unused)
{
        for (unsigned i = 0; i < 50; i++) {
                MqttRpcBus *bus = new_bus(fixture, "mqtt://localhost:1");

                g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, 0);
                g_assert_cmpint(mqttrpc_bus_process(bus), >=, 0);
                if (i % 2)
                        mqttrpc_bus_close(bus);
                mqttrpc_bus_unref(bus);
        }
}

static void test_broker_comes_later(Fixture *fixture, gconstpointer tcp)
{
        if (tcp) {
                broker_enable_tcp(fixture->broker);
                g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus,
                                                    broker_get_tcp_uri(fixture->broker), NULL),
                                ==, 0);
        }
        serve(fixture);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        await_down(fixture);
        g_test_message("%s", fixture->reason);
        g_assert_nonnull(
                strstr(fixture->reason, tcp ? "Connection refused" : "No such file or directory"));
        broker_start(fixture->broker);
        g_assert_true(LOOP_UNTIL(is_up(fixture)));
        assert_works(fixture);
}

static void test_settings_are_checked(Fixture *fixture, gconstpointer unused)
{
        MqttRpcBus *bus;

        g_assert_cmpint(mqttrpc_bus_new(&bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_root(bus, "a//b"), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_caller(bus, "a/b"), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_protocol(bus, 3), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_qos(bus, 2), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_keepalive(bus, 4), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_limit(bus, MQTTRPC_LIMIT_PENDING_CALLS, 0), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_uri(bus, "unix:///nonexistent", NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_client_id(bus, "bad id"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_bus_set_caller(bus, "me"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, 0);
        g_assert_cmpstr(mqttrpc_bus_get_caller(bus), ==, "me");
        g_assert_cmpint(mqttrpc_bus_open(bus, NULL), ==, -EISCONN);
        g_assert_cmpint(mqttrpc_bus_set_caller(bus, "x"), ==, -EISCONN);
        mqttrpc_bus_unref(bus);
}

/* Whatever has been done of the handshake, a service added then is subscribed. */
static void test_service_added_while_connecting(Fixture *fixture, gconstpointer unused)
{
        unsigned n = 0;

        broker_start(fixture->broker);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        while (!is_up(fixture)) {
                g_autofree char *name = g_strdup_printf("s%u", n++);

                g_assert_cmpint(mqttrpc_add_service(fixture->bus, NULL, name, vtable, NULL, NULL),
                                ==, 0);
                loop_step(WAIT_MSEC);
        }
        g_assert_cmpuint(n, >, 2);
        while (n-- > 0) {
                g_autofree char *name = g_strdup_printf("s%u", n);
                MqttRpcError *error = NULL;
                int r;

                r = mqttrpc_call(fixture->bus, name, "-", "Echo", "[1]", 0, 0, NULL, &error);
                g_assert_cmpstr(error ? mqttrpc_error_get_message(error) : NULL, ==, NULL);
                g_assert_cmpint(r, ==, 0);
        }
}

/* ---- being lost ---- */

static void test_restart(Fixture *fixture, gconstpointer kill)
{
        broker_start(fixture->broker);
        serve(fixture);
        open_bus(fixture);
        for (unsigned i = 1; i <= 3; i++) {
                unsigned before = fixture->replies;

                g_assert_cmpint(call(fixture, NULL, "Hold", NULL, 0), ==, 0);
                g_assert_true(LOOP_UNTIL(held != NULL));
                if (kill)
                        broker_kill(fixture->broker);
                else
                        broker_stop(fixture->broker);
                await_down(fixture);
                g_assert_cmpuint(fixture->replies, ==, before + 1);
                g_assert_cmpint(fixture->last_code, ==, MQTTRPC_ERROR_DISCONNECTED);
                g_assert_nonnull(fixture->reason);
                drop_held();
                broker_start(fixture->broker);
                g_assert_true(LOOP_UNTIL(is_up(fixture)));
                assert_works(fixture);
                g_assert_cmpuint(mqttrpc_bus_get_counter(fixture->bus, MQTTRPC_COUNT_RECONNECTS),
                                 ==, i);
        }
}

/* trap 21 */
static void test_call_while_down_is_never_sent(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *monitor = NULL;
        MqttRpcError *error = NULL;
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(call(fixture, NULL, "Echo", "[1]", 0), ==, -ENOTCONN);
        broker_start(fixture->broker);
        open_bus(fixture);
        broker_stop(fixture->broker);
        await_down(fixture);
        g_assert_cmpint(mqttrpc_call_async(fixture->bus, &slot, "net", "-", "Echo", "[1]", 0, 0,
                                           on_reply, fixture, &error),
                        ==, -ENOTCONN);
        g_assert_null(slot);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_DISCONNECTED);
        g_assert_cmpint(mqttrpc_error_get_executed(error), ==, MQTTRPC_EXECUTED_NO);
        mqttrpc_error_free(error);
        g_assert_cmpint(mqttrpc_notify(fixture->bus, "net", "-", "Echo", "[1]", 0, NULL), ==,
                        -ENOTCONN);
        broker_start(fixture->broker);
        monitor = raw_client_new(fixture->broker, NULL);
        raw_client_subscribe(monitor, "mb1/+/+/call/#");
        g_assert_true(LOOP_UNTIL(is_up(fixture)));
        g_assert_cmpint(mqttrpc_notify(fixture->bus, "net", "-", "Marker", NULL, 0, NULL), ==, 0);
        g_assert_nonnull(strstr(raw_client_receive(monitor)->topic, "/Marker/"));
        g_assert_cmpuint(fixture->replies, ==, 0);
}

/* trap 36: the broker is stopped in its tracks, so that nothing is acknowledged, and killed. */
static void test_unacknowledged_is_not_sent_again(Fixture *fixture, gconstpointer unused)
{
        CLEANUP_RAW_CLIENT RawClient *monitor = NULL;

        serve(fixture);
        broker_start(fixture->broker);
        open_bus(fixture);
        process_signal(broker_get_process(fixture->broker), SIGSTOP);
        for (unsigned i = 0; i < 10; i++)
                g_assert_cmpint(call(fixture, NULL, "Echo", "[1]", 0), ==, 0);
        broker_kill(fixture->broker);
        await_down(fixture);
        g_assert_cmpuint(fixture->replies, ==, 10);
        g_assert_cmpint(fixture->last_code, ==, MQTTRPC_ERROR_DISCONNECTED);
        broker_start(fixture->broker);
        monitor = raw_client_new(fixture->broker, NULL);
        raw_client_subscribe(monitor, "mb1/+/+/call/#");
        g_assert_true(LOOP_UNTIL(is_up(fixture)));
        g_assert_cmpint(mqttrpc_notify(fixture->bus, "net", "-", "Marker", NULL, 0, NULL), ==, 0);
        g_assert_nonnull(strstr(raw_client_receive(monitor)->topic, "/Marker/"));
}

/* trap 22. Mosquitto 2.0.11 does not say why it ends the older connection; the library finds out.
 */
/* The id of a call that is sent now, as one who reads along sees it. */
static char *sent_id(Fixture *fixture)
{
        CLEANUP_RAW_CLIENT RawClient *watcher = raw_client_new(fixture->broker, NULL);
        const RawMessage *request;
        g_auto(GStrv) parts = NULL;

        raw_client_subscribe(watcher, "mb1/net/-/call/Watched/+");
        /* Then it has also tried, once, whether its own calls arrive. */
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(fixture->bus, "net") ==
                                 MQTTRPC_SERVICE_READY));
        g_assert_cmpint(call(fixture, NULL, "Watched", NULL, 0), ==, 0);
        request = raw_client_receive(watcher);
        parts = g_strsplit(request->payload, "\"", 10);
        g_assert_cmpstr(parts[5], ==, "id");
        return g_strdup(parts[7]);
}

/* A request that is repeated on the next connection is recognized by its id. */
static void test_ids_go_on_over_connections(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *first = NULL, *second = NULL, *third = NULL;

        serve(fixture);
        broker_start(fixture->broker);
        open_bus(fixture);
        first = sent_id(fixture);
        broker_kill(fixture->broker);
        await_down(fixture);
        broker_start(fixture->broker);
        g_assert_true(LOOP_UNTIL(is_up(fixture)));
        second = sent_id(fixture);
        mqttrpc_bus_close(fixture->bus);
        open_bus(fixture);
        third = sent_id(fixture);
        g_assert_cmpmem(first, 9, second, 9);
        g_assert_cmpstr(first + 9, ==, "2");
        g_assert_cmpstr(second + 9, ==, "3");
        g_assert_cmpstr(third + 9, ==, "1");
        g_assert_cmpint(strncmp(first, third, 9), !=, 0);
}

static void test_two_with_one_client_id(Fixture *fixture, gconstpointer unused)
{
        gint64 lost = 0;

        broker_start(fixture->broker);
        g_assert_cmpint(mqttrpc_bus_set_client_id(fixture->bus, "twin"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_limit(fixture->bus, MQTTRPC_LIMIT_RECONNECT_USEC, 2000000),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        for (unsigned i = 0; i < 5; i++) {
                CLEANUP_RAW_CLIENT RawClient *other = NULL;

                g_assert_true(LOOP_UNTIL(is_up(fixture)));
                other = raw_client_new(fixture->broker, &(RawOptions){.id = "twin"});
                await_down(fixture);
                lost = g_get_monotonic_time();
        }
        g_test_message("%s", fixture->reason);
        g_assert_nonnull(strstr(fixture->reason, "same client id"));
        /* It comes back, but not before half of the longest pause. */
        g_assert_true(LOOP_UNTIL(is_up(fixture)));
        g_assert_cmpint(g_get_monotonic_time() - lost, >=, 990000);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                gconstpointer data;
                void (*function)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                {"/bus/connects/unix-socket", NULL, test_unix_socket},
                {"/bus/connects/tcp-without-delay", NULL, test_tcp},
                {"/bus/connects/tcp-by-name", "name", test_tcp},
                {"/bus/connects/tls-with-client-certificate", NULL, test_tls},
                {"/bus/connects/with-password", NULL, test_password},
                {"/bus/connects/when-the-broker-comes-later", NULL, test_broker_comes_later},
                {"/bus/connects/when-the-broker-comes-later-by-tcp", "tcp",
                 test_broker_comes_later},
                {"/bus/refused/wrong-password", "wrong", test_password},
                {"/bus/refused/wrong-ca", NULL, test_wrong_ca},
                {"/bus/refused/unreadable-ca", NULL, test_unreadable_ca},
                {"/bus/refused/trap-36-name-that-does-not-resolve", NULL,
                 test_name_that_does_not_resolve},
                {"/bus/closed-while-resolving", NULL, test_closed_while_resolving},
                {"/bus/settings-are-checked", NULL, test_settings_are_checked},
                {"/bus/service-added-while-connecting", NULL, test_service_added_while_connecting},
                {"/bus/lost/broker-restarts", NULL, test_restart},
                {"/bus/lost/broker-is-killed", "kill", test_restart},
                {"/bus/lost/trap-21-call-while-down-is-never-sent", NULL,
                 test_call_while_down_is_never_sent},
                {"/bus/lost/trap-36-unacknowledged-is-not-sent-again", NULL,
                 test_unacknowledged_is_not_sent_again},
                {"/bus/lost/ids-go-on-over-connections", NULL, test_ids_go_on_over_connections},
                {"/bus/lost/trap-22-two-with-one-client-id", NULL, test_two_with_one_client_id},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, tests[i].data, set_up, tests[i].function,
                           tear_down);
        return g_test_run();
}
