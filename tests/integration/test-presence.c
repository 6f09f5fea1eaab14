/* SPDX-License-Identifier: MIT */

/* Presence: how services announce themselves and go, what that means for calls, and who serves when
 * there are two. */

#include "tests/integration/home.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* ---- coming and going ---- */

static void test_birth_in_order(Home *home, gconstpointer unused)
{
        static const char *const topics[] = {
                "mb1/thermo/$api",           "mb1/thermo/-/prop/Model", "mb1/thermo/-/prop/Label",
                "mb1/thermo/-/prop/Degrees", "mb1/thermo/-/$meta",      "mb1/thermo/$state",
        };
        const RawMessage *message;

        raw_client_subscribe(home->client, "mb1/thermo/#");
        home_open(home->home);
        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++) {
                do /* before it is ready it tries whether calls arrive */
                        message = raw_client_receive(home->client);
                while (strstr(message->topic, "/call/rpc.ping/"));
                g_assert_cmpstr(message->topic, ==, topics[i]);
        }
        g_assert_true(g_str_has_prefix(message->payload, "{\"state\":\"ready\",\"epoch\":\""));
        g_assert_nonnull(strstr(message->payload, "\"proto\":\"mb1\""));
}

static void test_close_says_offline(Home *home, gconstpointer unused)
{
        g_autofree char *state = NULL;

        home_watch_services(home);
        home_start(home);
        mqttrpc_bus_close(home->home);
        home_expect(home, "service thermo offline\n");
        state = home_retained(home, "mb1/thermo/$state");
        g_assert_true(g_str_has_prefix(state, "{\"state\":\"offline\""));
}

static void test_dropped_service_leaves_nothing(Home *home, gconstpointer unused)
{
        g_autofree char *gone = NULL;
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(mqttrpc_add_service(home->home, &slot, "other", home_vtable, home, NULL),
                        ==, 0);
        home_watch_services(home);
        home_start(home);
        home_expect(home, "service other ready\n");
        mqttrpc_slot_unref(slot);
        home_expect(home, "service other offline\n");
        home_expect(home, "service other unknown\n");
        gone = home_retained(home, "mb1/other/#");
        g_assert_null(gone);
        g_assert_cmpint(home_start_call(home, "other", "Heat", NULL), ==, -ENOENT);
}

static void on_drop_service(const MqttRpcServiceEvent *event, void *userdata)
{
        MqttRpcSlot **slot = userdata;

        if (mqttrpc_service_event_get_state(event) == MQTTRPC_SERVICE_READY)
                *slot = mqttrpc_slot_unref(*slot);
}

/* A service may be dropped by the handler that is told of it. */
static void test_dropped_while_its_state_is_read(Home *home, gconstpointer unused)
{
        g_autofree char *gone = NULL;
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(mqttrpc_add_service(home->home, &slot, "other", home_vtable, home, NULL),
                        ==, 0);
        g_assert_cmpint(
                mqttrpc_watch_service(home->home, NULL, "other", on_drop_service, &slot, NULL), ==,
                0);
        home_watch_services(home);
        home_start(home);
        home_expect(home, "service other ready\n");
        home_expect(home, "service other unknown\n");
        g_assert_null(slot);
        gone = home_retained(home, "mb1/other/#");
        g_assert_null(gone);
}

static void test_hosted_services(Home *home, gconstpointer unused)
{
        g_autofree char *state = NULL, *via = NULL;

        g_assert_cmpint(mqttrpc_add_service(home->home, NULL, "lamp", home_vtable, home, NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_service_set_detail(home->home, "lamp", "ver", "\"1.2\""), ==, 0);
        g_assert_cmpint(mqttrpc_service_set_detail(home->home, "lamp", "state", "1"), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_service_set_detail(home->home, "lamp", "x", "{"), ==, -EINVAL);
        home_watch_services(home);
        home_start(home);
        home_expect(home, "service lamp ready\n");
        state = home_retained(home, "mb1/lamp/$state");
        via = g_strdup_printf("\"via\":{\"svc\":\"thermo\",\"epoch\":\"%s\"},\"ver\":\"1.2\"}",
                              mqttrpc_service_get_epoch(home->home, "thermo"));
        g_assert_true(g_str_has_suffix(state, via));
        /* The host is lost: so is who it hosts. */
        home_clear(home);
        mqttrpc_bus_close(home->home);
        home_retain(home, "mb1/lamp/$state", state);
        home_expect(home, "service lamp offline\n");
        g_assert_cmpint(home_start_call(home, "lamp", "Heat", NULL), ==, -ENOENT);
}

static void test_states_can_be_set(Home *home, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_add_service(home->home, NULL, "lamp", home_vtable, home, NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_service_set_state(home->home, "lamp", MQTTRPC_SERVICE_INIT), ==, 0);
        g_assert_cmpint(mqttrpc_service_set_state(home->home, "lamp", MQTTRPC_SERVICE_LOST), ==,
                        -EINVAL);
        home_watch_services(home);
        home_start(home);
        home_expect(home, "service lamp init\n");
        g_assert_cmpint(mqttrpc_service_set_state(home->home, "lamp", MQTTRPC_SERVICE_READY), ==,
                        0);
        home_expect(home, "service lamp ready\n");
}

/* ---- calls and presence ---- */

/* Also with a monitor that takes everything, so that the broker never says 0x10. */
static void test_nobody_is_there(Home *home, gconstpointer unused)
{
        MqttRpcBus *old = home_new_bus(home, "old");
        MqttRpcError *error = NULL;

        raw_client_subscribe(home->client, "#");
        g_assert_cmpint(mqttrpc_call(home->user, "nobody", "-", "M", NULL, 0, 0, NULL, &error), ==,
                        -ENOENT);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_NO_SERVICE);
        g_assert_cmpint(mqttrpc_error_get_executed(error), ==, MQTTRPC_EXECUTED_NO);
        error = mqttrpc_error_free(error);
        g_assert_cmpint(mqttrpc_bus_set_protocol(old, 4), ==, 0);
        home_open(old);
        g_assert_cmpint(
                mqttrpc_call(old, "nobody", "-", "M", NULL, 0, MQTTRPC_CALL_QOS0, NULL, &error), ==,
                -ENOENT);
        g_assert_cmpint(mqttrpc_error_get_code(error), ==, MQTTRPC_ERROR_NO_SERVICE);
        mqttrpc_error_free(error);
        loop_drop_bus(old);
}

static Process *start_echo(Home *home)
{
        const char *argv[] = {
                MQTTRPC_ECHO_SERVICE, broker_get_uri(home->broker), "x", "y", "echo", NULL};
        Process *echo = process_start(home->dir, "echo", argv, NULL);

        g_assert_true(home_sees(home, "echo", MQTTRPC_SERVICE_READY));
        return echo;
}

/* trap 24: the server is killed in the middle of a call. */
static void test_killed_server_ends_its_calls(Home *home, gconstpointer unused)
{
        CLEANUP_PROCESS Process *echo = start_echo(home);
        gint64 before;

        g_assert_cmpint(home_start_call(home, "echo", "Sleep", "[20000]"), ==, 0);
        g_assert_cmpint(mqttrpc_bus_flush(home->user, WAIT_MSEC * 1000), ==, 0);
        before = g_get_monotonic_time();
        process_kill(echo);
        g_assert_true(LOOP_UNTIL(home->replies == 1));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_PEER_LOST);
        g_assert_cmpint(g_get_monotonic_time() - before, <, 1000000);
        g_assert_true(home_sees(home, "echo", MQTTRPC_SERVICE_LOST));
        g_assert_cmpint(home_start_call(home, "echo", "Echo", "[1]"), ==, -ENOENT);
}

/* What was meant for the predecessor is not executed. */
static void test_restarted_server_refuses_old_requests(Home *home, gconstpointer unused)
{
        g_autofree char *old = NULL;

        home_start(home);
        old = g_strdup(mqttrpc_service_get_epoch(home->home, "thermo"));
        g_assert_cmpint(mqttrpc_add_service(home->home, NULL, "lamp", home_vtable, home, NULL), ==,
                        0);
        g_assert_true(home_sees(home, "lamp", MQTTRPC_SERVICE_READY));
        g_free(old);
        old = g_strdup(mqttrpc_service_get_epoch(home->home, "lamp"));
        g_assert_cmpint(mqttrpc_service_renew(home->home, "thermo"), ==, -EINVAL); /* the host */
        g_assert_cmpint(mqttrpc_service_renew(home->home, "lamp"), ==, 0);
        g_assert_cmpstr(mqttrpc_service_get_epoch(home->home, "lamp"), !=, old);
        raw_client_subscribe(home->client, "mb1/lamp/-/call/Heat/eve/+");
        raw_client_post(home->client, &(RawPublish){.topic = "mb1/lamp/-/call/Heat/eve",
                                                    .payload = "{\"id\":1}",
                                                    .qos = 1,
                                                    .epoch = old});
        g_assert_nonnull(strstr(raw_client_receive(home->client)->payload, "-32010"));
        g_assert_cmpfloat(home->degrees, ==, 20.5);
}

/* A new incarnation ends the calls that the old one has not answered. */
static void test_new_epoch_ends_calls(Home *home, gconstpointer unused)
{
        g_assert_cmpint(mqttrpc_add_service(home->home, NULL, "lamp", home_vtable, home, NULL), ==,
                        0);
        home_start(home);
        g_assert_true(home_sees(home, "lamp", MQTTRPC_SERVICE_READY));
        g_assert_cmpint(home_start_call(home, "lamp", "Hold", NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(home->held != NULL));
        g_assert_cmpint(mqttrpc_service_renew(home->home, "lamp"), ==, 0);
        g_assert_true(LOOP_UNTIL(home->replies == 1));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_PEER_LOST);
}

/* ---- what others say of us ---- */

/* trap 25: a Will that comes late does not stay. */
static void test_late_will_does_not_stay(Home *home, gconstpointer unused)
{
        static const char *const words[] = {
                "{\"state\":\"lost\",\"epoch\":\"00000000deadbeef\"}",
                "{\"state\":\"offline\",\"epoch\":\"00000000deadbeef\"}",
                "",
                "nonsense",
        };

        home_start(home);
        for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
                g_autofree char *state = NULL;

                home_retain(home, "mb1/thermo/$state", words[i]);
                g_assert_cmpint(mqttrpc_bus_sync(home->home, WAIT_MSEC * 1000), ==, 0);
                g_assert_cmpint(mqttrpc_bus_flush(home->home, WAIT_MSEC * 1000), ==, 0);
                state = home_retained(home, "mb1/thermo/$state");
                g_assert_nonnull(state);
                g_assert_true(g_str_has_prefix(state, "{\"state\":\"ready\""));
        }
        g_assert_true(home_sees(home, "thermo", MQTTRPC_SERVICE_READY));
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "21.5");
}

static void test_state_that_cannot_be_read(Home *home, gconstpointer unused)
{
        static const char *const words[] = {
                "5",
                "{}",
                "{\"state\":\"dancing\"}",
                "{\"state\":\"ready\",\"epoch\":5}",
                "{\"state\":\"ready\",\"via\":{}}",
                "{\"state\":\"ready\",\"epoch\":\"a/b\"}",
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
                home_retain(home, "mb1/junk/$state", words[i]);
        g_assert_cmpint(mqttrpc_bus_sync(home->user, WAIT_MSEC * 1000), ==, 0);
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->user, MQTTRPC_COUNT_STATE_REFUSED), ==,
                         G_N_ELEMENTS(words));
        g_assert_cmpint(mqttrpc_bus_get_service_state(home->user, "junk"), ==,
                        MQTTRPC_SERVICE_UNKNOWN);
}

/* ---- two of one name ---- */

static int method_second(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply_values(request, "s", "second");
}

static const MqttRpcMember second_vtable[] = {
        MQTTRPC_METHOD("Heat", "", "s", method_second, 0),
        MQTTRPC_END,
};

/* trap 32: the second takes over by a claim; when it goes the first comes back. */
static void test_second_instance_takes_over(Home *home, gconstpointer unused)
{
        MqttRpcBus *second = home_new_bus(home, "second");
        g_autofree char *degrees = NULL;

        home_watch_services(home);
        home_start(home);
        g_assert_cmpint(home_start_call(home, "thermo", "Hold", NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(home->held != NULL));
        g_assert_cmpint(mqttrpc_add_service(second, NULL, "thermo", second_vtable, home, NULL), ==,
                        0);
        home_clear(home);
        home_open(second);
        home_expect(home, "service thermo claim\nservice thermo ready\n");
        /* What is the first's own stays away from the second's tree. */
        degrees = home_retained(home, "mb1/thermo/-/prop/Degrees");
        g_assert_null(degrees);
        /* The first finishes what it has. */
        g_assert_cmpuint(home->replies, ==, 0);
        g_assert_cmpint(mqttrpc_request_reply(home->held, "\"old\"", SIZE_MAX), ==, 0);
        g_assert_true(LOOP_UNTIL(home->replies == 1));
        g_assert_cmpstr(home->result, ==, "\"old\"");
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "\"second\"");
        g_assert_cmpfloat(home->degrees, ==, 20.5);
        home_clear(home);
        loop_drop_bus(second);
        home_expect(home, "service thermo ready\n");
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "21.5");
        degrees = home_retained(home, "mb1/thermo/-/prop/Degrees");
        g_assert_cmpstr(degrees, ==, "21.5");
}

static void test_who_is_not_ready_takes_nothing_over(Home *home, gconstpointer unused)
{
        MqttRpcBus *second = home_new_bus(home, "second");

        home_watch_services(home);
        home_start(home);
        g_assert_cmpint(mqttrpc_add_service(second, NULL, "thermo", second_vtable, home, NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_service_set_state(second, "thermo", MQTTRPC_SERVICE_INIT), ==, 0);
        home_clear(home);
        home_open(second);
        g_assert_cmpint(mqttrpc_bus_sync(second, WAIT_MSEC * 1000), ==, 0);
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "21.5");
        home_expect(home, "");
        g_assert_cmpint(mqttrpc_service_set_state(second, "thermo", MQTTRPC_SERVICE_READY), ==, 0);
        home_expect(home, "service thermo claim\nservice thermo ready\n");
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "\"second\"");
        loop_drop_bus(second);
}

/* It has claimed the service, and is closed before it is ready. */
static void test_claimant_that_goes_at_once(Home *home, gconstpointer unused)
{
        MqttRpcBus *second = home_new_bus(home, "second");

        home_start(home);
        g_assert_cmpint(mqttrpc_add_service(second, NULL, "thermo", second_vtable, home, NULL), ==,
                        0);
        home_open(second);
        g_assert_true(LOOP_UNTIL(mqttrpc_emit_signal(home->home, "thermo", "-", "Ticked", "") ==
                                 -ESTALE)); /* it has seen the claim */
        home_watch_services(home);
        loop_drop_bus(second);
        home_expect(home, "service thermo ready\n");
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "21.5");
}

static int method_member(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply_values(request, "s", (const char *)userdata);
}

static const MqttRpcMember pool_vtable[] = {
        MQTTRPC_METHOD("Heat", "", "s", method_member, 0),
        MQTTRPC_END,
};

static MqttRpcBus *add_member(Home *home, const char *instance)
{
        MqttRpcBus *bus = home_new_bus(home, instance);

        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "pool", pool_vtable, (void *)instance, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_service_set_pool(bus, "pool", instance), ==, 0);
        home_open(bus);
        return bus;
}

static void test_pool(Home *home, gconstpointer unused)
{
        MqttRpcBus *a = add_member(home, "a"), *b = add_member(home, "b");
        bool seen_a = false, seen_b = false;

        g_assert_true(home_sees(home, "pool.i-a", MQTTRPC_SERVICE_READY));
        g_assert_true(home_sees(home, "pool.i-b", MQTTRPC_SERVICE_READY));
        g_assert_true(home_sees(home, "pool", MQTTRPC_SERVICE_READY));
        for (unsigned i = 1; i <= 8; i++) {
                g_assert_cmpint(home_start_call(home, "pool", "Heat", NULL), ==, 0);
                g_assert_true(LOOP_UNTIL(home->replies == i));
                seen_a = seen_a || !strcmp(home->result, "\"a\"");
                seen_b = seen_b || !strcmp(home->result, "\"b\"");
        }
        g_assert_true(seen_a && seen_b);
        g_assert_cmpint(home_start_call(home, "pool.i-b", "Heat", NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(home->replies == 9));
        g_assert_cmpstr(home->result, ==, "\"b\"");
        loop_drop_bus(b);
        g_assert_true(home_sees(home, "pool.i-b", MQTTRPC_SERVICE_OFFLINE));
        g_assert_cmpint(mqttrpc_bus_get_service_state(home->user, "pool"), ==,
                        MQTTRPC_SERVICE_READY);
        loop_drop_bus(a);
        g_assert_true(home_sees(home, "pool", MQTTRPC_SERVICE_OFFLINE));
}

/* ---- the broker forgets ---- */

enum {
        MANY_SERVICES = 100,
        MANY_PROPERTIES = 100,
        /* with $state, $api and $meta of each; and thermo's, which has three properties */
        MANY_TOPICS = MANY_SERVICES * (MANY_PROPERTIES + 3) + 6,
};

static int on_any(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, NULL, 0);
}

static void add_many(MqttRpcBus *bus)
{
        for (unsigned i = 0; i < MANY_SERVICES; i++) {
                g_autofree char *service = g_strdup_printf("many%u", i);

                g_assert_cmpint(mqttrpc_add_fallback(bus, NULL, service, on_any, NULL, NULL), ==,
                                0);
                for (unsigned j = 0; j < MANY_PROPERTIES; j++) {
                        g_autofree char *name = g_strdup_printf("P%u", j);
                        g_autofree char *value = g_strdup_printf("%u", i * j);

                        g_assert_cmpint(
                                mqttrpc_property_publish(bus, service, "-", name, value, SIZE_MAX),
                                ==, 0);
                }
                g_assert_cmpint(mqttrpc_object_announce(bus, service, "-", NULL), ==, 0);
        }
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that is retained, in order of topics, as far as it does not change with each start. */
static char *dump(Home *home)
{
        CLEANUP_RAW_CLIENT RawClient *reader = raw_client_new(home->broker, NULL);
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        const RawMessage *message;

        raw_client_subscribe(reader, "mb1/#");
        g_assert_true(LOOP_UNTIL(raw_client_count(reader) >= MANY_TOPICS));
        while ((message = raw_client_poll(reader)))
                g_ptr_array_add(lines, g_strdup_printf("%s %s", message->topic, message->payload));
        g_ptr_array_sort(lines, compare_lines);
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **)lines->pdata);
}

/* trap 17: 100 services with 100 properties each, and a broker without persistence. */
static void test_everything_is_said_again(Home *home, gconstpointer unused)
{
        g_autofree char *before = NULL, *after = NULL;

        add_many(home->home);
        home_start(home);
        g_assert_true(home_sees(home, "many99", MQTTRPC_SERVICE_READY));
        g_assert_cmpint(mqttrpc_bus_flush(home->home, WAIT_MSEC * 1000), ==, 0);
        before = dump(home);
        g_assert_nonnull(strstr(before, "mb1/many99/-/prop/P99 9801"));
        raw_client_free(g_steal_pointer(&home->client));
        broker_kill(home->broker);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(home->home) == MQTTRPC_STATE_WAITING));
        broker_start(home->broker);
        g_assert_true(home_sees(home, "many99", MQTTRPC_SERVICE_READY));
        g_assert_true(home_sees(home, "thermo", MQTTRPC_SERVICE_READY));
        g_assert_cmpint(mqttrpc_bus_flush(home->home, WAIT_MSEC * 1000), ==, 0);
        after = dump(home);
        g_assert_cmpstr(before, ==, after);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        HOME_TEST("/presence/birth-in-order", test_birth_in_order);
        HOME_TEST("/presence/close-says-offline", test_close_says_offline);
        HOME_TEST("/presence/dropped-service-leaves-nothing", test_dropped_service_leaves_nothing);
        HOME_TEST("/presence/dropped-while-its-state-is-read",
                  test_dropped_while_its_state_is_read);
        HOME_TEST("/presence/hosted-services", test_hosted_services);
        HOME_TEST("/presence/states-can-be-set", test_states_can_be_set);
        HOME_TEST("/presence/call/nobody-is-there", test_nobody_is_there);
        HOME_TEST("/presence/call/trap-24-killed-server-ends-its-calls",
                  test_killed_server_ends_its_calls);
        HOME_TEST("/presence/call/restarted-server-refuses-old-requests",
                  test_restarted_server_refuses_old_requests);
        HOME_TEST("/presence/call/new-epoch-ends-calls", test_new_epoch_ends_calls);
        HOME_TEST("/presence/trap-25-late-will-does-not-stay", test_late_will_does_not_stay);
        HOME_TEST("/presence/state-that-cannot-be-read", test_state_that_cannot_be_read);
        HOME_TEST("/presence/trap-32-second-instance-takes-over", test_second_instance_takes_over);
        HOME_TEST("/presence/who-is-not-ready", test_who_is_not_ready_takes_nothing_over);
        HOME_TEST("/presence/claimant-that-goes-at-once-lets-the-first-return",
                  test_claimant_that_goes_at_once);
        HOME_TEST("/presence/pool", test_pool);
        HOME_TEST("/presence/trap-17-everything-is-said-again", test_everything_is_said_again);
        return g_test_run();
}
