/* SPDX-License-Identifier: MIT */

/* What a predecessor of the gateway has left on the broker goes, and what is somebody else's
 * stays. */

#include "gateway/ghosts.h"
#include "tests/support/loop.h"
#include "tests/support/raw-client.h"

#include <string.h>

#define STATE(state, via, epoch)                                                                \
        "{\"state\":\"" state "\",\"epoch\":\"eeee\",\"proto\":\"mb1\",\"via\":{\"svc\":\"" via \
        "\",\"epoch\":\"" epoch "\"}}"

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        RawClient *client;
        MqttRpcBus *bus;
        Ghosts *ghosts;
} Fixture;

static int on_request(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, NULL, 0);
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->dir = temp_dir_new();
        fixture->broker = broker_new_with_config(fixture->dir, "allow_anonymous true\n");
        broker_start(fixture->broker);
        fixture->client = raw_client_new(fixture->broker, NULL);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->bus, broker_get_uri(fixture->broker), NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_caller(fixture->bus, "gateway"), ==, 0);
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "gateway", on_request, NULL, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "mapped", on_request, NULL, NULL),
                        ==, 0);
        loop_add_bus(fixture->bus);
        g_assert_cmpint(ghosts_new(fixture->bus, "gateway", &fixture->ghosts), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        ghosts_free(fixture->ghosts);
        loop_drop_bus(fixture->bus);
        raw_client_free(fixture->client);
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
}

static void retain(Fixture *fixture, const char *topic, const char *payload)
{
        const RawPublish message = {.topic = topic, .payload = payload, .qos = 1, .retain = true};

        g_assert_cmpint(raw_client_publish(fixture->client, &message), <, 0x80);
}

/* All that a service has left, with this state. */
static void leave(Fixture *fixture, const char *service, const char *state)
{
        static const char *const topics[] = {"$api", "-/$meta", "-/prop/Level", "a.b/$meta",
                                             "a.b/prop/Level"};
        g_autofree char *topic = g_strdup_printf("mb1/%s/$state", service);

        for (size_t i = 0; i < G_N_ELEMENTS(topics); i++) {
                g_autofree char *other = g_strdup_printf("mb1/%s/%s", service, topics[i]);

                retain(fixture, other, "{\"interfaces\":[],\"props\":[\"Level\"]}");
        }
        retain(fixture, topic, state);
}

/* How many topics of a service the broker has retained. */
static unsigned count(Fixture *fixture, const char *service)
{
        CLEANUP_RAW_CLIENT RawClient *reader = raw_client_new(fixture->broker, NULL);
        g_autofree char *filter = g_strdup_printf("mb1/%s/#", service);

        raw_client_subscribe(reader, filter);
        raw_client_subscribe(reader, "mb1/nothing"); /* when that is in force, the rest has come */
        return raw_client_count(reader);
}

static void start(Fixture *fixture)
{
        g_assert_cmpint(mqttrpc_bus_open(fixture->bus, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(fixture->bus) == MQTTRPC_STATE_CONNECTED));
}

/* As the gateway does in each turn of its loop. */
static bool is_gone(Fixture *fixture, const char *service)
{
        ghosts_process(fixture->ghosts);
        return count(fixture, service) == 0;
}

/* Asking the broker is what turns the loop: to wait for something else would be to wait for
 * nothing.
 */
static void expect_gone(Fixture *fixture, const char *service)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);

        while (!is_gone(fixture, service))
                g_assert_cmpint(wait_left(deadline), >, 0);
}

static void test_what_a_predecessor_left_goes(Fixture *fixture, gconstpointer unused)
{
        leave(fixture, "offline", STATE("offline", "gateway", "old"));
        leave(fixture, "lost", STATE("lost", "gateway", "old"));
        leave(fixture, "ready", STATE("ready", "gateway", "old"));
        start(fixture);
        expect_gone(fixture, "offline");
        expect_gone(fixture, "lost");
        /* its host is not that any more, so it is lost as well */
        expect_gone(fixture, "ready");
}

static void test_what_is_not_ours_stays(Fixture *fixture, gconstpointer unused)
{
        static const char *const services[] = {"guest", "alone"};

        retain(fixture, "mb1/other/$state",
               "{\"state\":\"ready\",\"epoch\":\"oooo\",\"proto\":\"mb1\"}");
        leave(fixture, "guest", STATE("offline", "other", "oooo"));
        leave(fixture, "alone", "{\"state\":\"offline\",\"epoch\":\"aaaa\",\"proto\":\"mb1\"}");
        leave(fixture, "last", STATE("offline", "gateway", "old"));
        start(fixture);
        expect_gone(fixture, "last");
        for (size_t i = 0; i < G_N_ELEMENTS(services); i++)
                g_assert_cmpuint(count(fixture, services[i]), ==, 6);
        /* one that is served is no ghost */
        g_assert_cmpuint(count(fixture, "mapped"), >, 0);
}

/* A call that is still meant for it gets an answer, not silence. */
static void test_calls_are_answered_meanwhile(Fixture *fixture, gconstpointer unused)
{
        const RawPublish request = {.topic = "mb1/old/-/call/Do/me",
                                    .payload = "{\"jsonrpc\":\"2.0\",\"id\":1}",
                                    .qos = 1};
        gint64 deadline = wait_deadline(WAIT_MSEC);

        leave(fixture, "old", STATE("offline", "gateway", "old"));
        raw_client_subscribe(fixture->client, "mb1/old/-/call/Do/me/reply");
        start(fixture);
        g_assert_true(LOOP_UNTIL(mqttrpc_service_get_epoch(fixture->bus, "old") != NULL));
        /* until the subscription of the one that takes over is in force */
        while (raw_client_publish(fixture->client, &request) != 0)
                g_assert_cmpint(wait_left(deadline), >, 0);
        g_assert_nonnull(strstr(raw_client_receive(fixture->client)->payload, "-32012"));
        expect_gone(fixture, "old");
}

static void test_one_that_is_mapped_again_is_given_up(Fixture *fixture, gconstpointer unused)
{
        leave(fixture, "old", STATE("offline", "gateway", "old"));
        start(fixture);
        g_assert_true(LOOP_UNTIL(mqttrpc_service_get_epoch(fixture->bus, "old") != NULL));
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "old", on_request, NULL, NULL), <,
                        0);
        ghosts_yield(fixture->ghosts, "old");
        ghosts_yield(fixture->ghosts, "never");
        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, NULL, "old", on_request, NULL, NULL), ==,
                        0);
}

/* What this process has said itself of a service that it has just given up. */
static void test_own_words_make_no_ghost(Fixture *fixture, gconstpointer unused)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        MqttRpcSlot *slot;

        g_assert_cmpint(mqttrpc_add_fallback(fixture->bus, &slot, "brief", on_request, NULL, NULL),
                        ==, 0);
        leave(fixture, "last", STATE("offline", "gateway", "old"));
        start(fixture);
        while (count(fixture, "brief") == 0)
                g_assert_cmpint(wait_left(deadline), >, 0);
        mqttrpc_slot_unref(slot);
        expect_gone(fixture, "brief");
        g_assert_null(mqttrpc_service_get_epoch(fixture->bus, "brief"));
        expect_gone(fixture, "last");
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"trap-19-what-a-predecessor-left-goes", test_what_a_predecessor_left_goes},
                {"what-is-not-ours-stays", test_what_is_not_ours_stays},
                {"calls-are-answered-meanwhile", test_calls_are_answered_meanwhile},
                {"one-that-is-mapped-again-is-given-up", test_one_that_is_mapped_again_is_given_up},
                {"own-words-make-no-ghost", test_own_words_make_no_ghost},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/ghosts/%s", tests[i].path);

                g_test_add(path, Fixture, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
