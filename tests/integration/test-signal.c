/* SPDX-License-Identifier: MIT */

/* Signals: what is sent, who is told, what is lost, and what waits for a broker that is away. */

#include "tests/integration/home.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void emit_tick(Home *home)
{
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "Ticked", ""), ==, 0);
}

static void emit_heated(Home *home, double degrees)
{
        g_assert_cmpint(
                mqttrpc_emit_signal(home->home, "thermo", "-", "Heated", "sd", "hall", degrees), ==,
                0);
}

static void test_is_a_notification(Home *home, gconstpointer unused)
{
        const RawMessage *message;

        home_start(home);
        raw_client_subscribe_fresh(home->client, "mb1/thermo/-/sig/+");
        emit_heated(home, 21);
        message = raw_client_receive(home->client);
        g_assert_cmpstr(message->topic, ==, "mb1/thermo/-/sig/Heated");
        g_assert_cmpstr(message->payload, ==,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"Heated\",\"params\":[\"hall\",21]}");
        g_assert_cmpint(message->qos, ==, 1);
        g_assert_false(message->retain);
}

static void test_types_are_those_declared(Home *home, gconstpointer unused)
{
        home_start(home);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "Heated", "s", "x"), ==,
                        -EINVAL);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "Other", ""), ==, -ENOENT);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "none", "Ticked", ""), ==,
                        -ENOENT);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "none", "-", "Ticked", ""), ==, -ENOENT);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "a/b", ""), ==, -EINVAL);
}

/* trap 11 */
static void test_comes_before_the_reply(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        g_assert_cmpint(mqttrpc_bus_sync(home->user, WAIT_MSEC * 1000), ==, 0);
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "21.5");
        g_assert_nonnull(strstr(home->events->str, "signal - Heated [\"hall\",21.5]\n"));
        g_assert_nonnull(strstr(home->events->str, "prop - Degrees 21.5\n"));
}

static void on_one(const MqttRpcSignal *signal, void *userdata)
{
        ++*(unsigned *)userdata;
}

static void test_patterns(Home *home, gconstpointer unused)
{
        unsigned exact = 0, object = 0, name = 0, other = 0;

        home_start(home);
        g_assert_cmpint(
                mqttrpc_add_object(home->home, NULL, "thermo", "room", home_vtable, home, NULL), ==,
                0);
        mqttrpc_match_signal(home->user, NULL, "thermo", "-", "Ticked", on_one, &exact, NULL);
        mqttrpc_match_signal(home->user, NULL, "thermo", "room", NULL, on_one, &object, NULL);
        mqttrpc_match_signal(home->user, NULL, NULL, NULL, "Ticked", on_one, &name, NULL);
        mqttrpc_match_signal(home->user, NULL, "other", NULL, NULL, on_one, &other, NULL);
        g_assert_cmpint(
                mqttrpc_match_signal(home->user, NULL, "a/b", NULL, NULL, on_one, &other, NULL), ==,
                -EINVAL);
        home_watch(home, NULL, NULL);
        g_assert_cmpint(mqttrpc_bus_sync(home->user, WAIT_MSEC * 1000), ==, 0);
        emit_tick(home);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "room", "Ticked", ""), ==, 0);
        emit_heated(home, 1);
        home_expect(home, "signal - Heated [\"hall\",1]\n");
        g_assert_cmpuint(exact, ==, 1);
        g_assert_cmpuint(object, ==, 1);
        g_assert_cmpuint(name, ==, 2);
        g_assert_cmpuint(other, ==, 0);
}

/* The broker is away while some are emitted: they wait, in order, and none is lost. */
static void test_waits_for_the_broker(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        emit_tick(home);
        home_expect(home, "signal - Ticked []\n");
        broker_kill(home->broker);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(home->home) == MQTTRPC_STATE_WAITING));
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(home->user) == MQTTRPC_STATE_WAITING));
        home_clear(home);
        mqttrpc_bus_close(home->user);
        broker_start(home->broker);
        home_open(home->user); /* first, so that it receives what has waited */
        emit_heated(home, 1);
        emit_heated(home, 2);
        home_expect(home, "signal - Heated [\"hall\",2]\n");
        g_assert_nonnull(strstr(home->events->str, "signal - Heated [\"hall\",1]\nsignal - Heat"));
        g_assert_null(strstr(home->events->str, "lost"));
}

/* Beyond the limit the oldest go; they are counted, and receivers see by `seq` how many. */
static void test_oldest_are_dropped(Home *home, gconstpointer unused)
{
        g_autofree char *fill = g_strnfill(1 << 16, 'x');
        g_autofree char *lost = NULL;
        uint64_t dropped;

        home_watch(home, NULL, NULL);
        home_start(home);
        emit_heated(home, 1);
        home_expect(home, "signal - Heated [\"hall\",1]\n");
        mqttrpc_bus_close(home->home);
        for (unsigned i = 0; i < 100; i++)
                g_assert_cmpint(
                        mqttrpc_emit_signal(home->home, "thermo", "-", "Heated", "sd", fill, 1.0),
                        ==, 0);
        dropped = mqttrpc_bus_get_counter(home->home, MQTTRPC_COUNT_SIGNALS_DROPPED);
        g_assert_cmpuint(dropped, >, 10);
        g_assert_cmpuint(dropped, <, 100);
        home_open(home->home);
        emit_heated(home, 9);
        home_expect(home, "signal - Heated [\"hall\",9]\n");
        lost = g_strdup_printf("lost %" PRIu64 "\n", dropped);
        g_assert_nonnull(strstr(home->events->str, lost));
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->user, MQTTRPC_COUNT_SIGNALS_LOST), ==,
                         dropped);
}

static int method_none(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NO_METHOD, "nothing here");
}

static void emit_moved(Home *home, const char *params)
{
        g_assert_cmpint(mqttrpc_emit_signal_json(home->home, "lamp", "x", "Moved", params, SIZE_MAX,
                                                 MQTTRPC_SIGNAL_DEFAULT),
                        ==, 0);
}

static void on_moved(const MqttRpcSignal *signal, void *userdata)
{
        size_t length;

        g_assert_cmpuint(mqttrpc_signal_get_lost(signal), ==, 0);
        g_string_append(userdata, mqttrpc_signal_get_params(signal, &length));
}

/* It would begin to count anew, and what it says be taken for what it has said before. */
static void test_object_that_comes_back_is_heard(Home *home, gconstpointer unused)
{
        g_autoptr(GString) seen = g_string_new(NULL);
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(mqttrpc_add_fallback(home->home, &slot, "lamp", method_none, home, NULL),
                        ==, 0);
        g_assert_cmpint(
                mqttrpc_match_signal(home->user, NULL, "lamp", "x", NULL, on_moved, seen, NULL), ==,
                0);
        home_start(home);
        g_assert_cmpint(mqttrpc_bus_sync(home->user, WAIT_MSEC * 1000), ==, 0);
        emit_moved(home, "[1]");
        emit_moved(home, "[2]");
        g_assert_cmpint(mqttrpc_object_remove(home->home, "lamp", "x"), ==, 0);
        emit_moved(home, "[3]");
        g_assert_true(LOOP_UNTIL(!strcmp(seen->str, "[1][2][3]")));
        g_assert_cmpint(mqttrpc_object_remove(home->home, "lamp", "x"), ==, 0);
        g_assert_cmpint(mqttrpc_service_renew(home->home, "lamp"), ==, 0);
        emit_moved(home, "[4]");
        g_assert_true(LOOP_UNTIL(!strcmp(seen->str, "[1][2][3][4]")));
        mqttrpc_slot_unref(slot);
}

static void assert_dropped(Home *home, uint64_t emitted, uint64_t dropped)
{
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->home, MQTTRPC_COUNT_SIGNALS), ==, emitted);
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->home, MQTTRPC_COUNT_SIGNALS_DROPPED), ==,
                         dropped);
}

/* Each is its own service's. */
static void test_drops_belong_to_a_service(Home *home, gconstpointer unused)
{
        g_autofree char *fill = g_strnfill(1 << 16, 'x');
        uint64_t thermo, lamp;

        g_assert_cmpint(mqttrpc_add_service(home->home, NULL, "lamp", home_vtable, home, NULL), ==,
                        0);
        for (unsigned i = 0; i < 100; i++) {
                const char *service = i % 4 == 0 ? "lamp" : "thermo";

                g_assert_cmpint(
                        mqttrpc_emit_signal(home->home, service, "-", "Heated", "sd", fill, 1.0),
                        ==, 0);
        }
        thermo = mqttrpc_service_get_dropped_signals(home->home, "thermo");
        lamp = mqttrpc_service_get_dropped_signals(home->home, "lamp");
        g_assert_cmpuint(lamp, >, 0);
        g_assert_cmpuint(thermo, >, 2 * lamp);
        assert_dropped(home, 100, thermo + lamp);
        g_assert_cmpuint(mqttrpc_service_get_dropped_signals(home->home, "none"), ==, 0);
}

/* The broker takes no packets of this size: at once, or when it is back. */
static void test_what_cannot_be_sent_is_dropped(Home *home, gconstpointer unused)
{
        g_autofree char *fill = g_strnfill(30000, 'x');

        raw_client_free(g_steal_pointer(&home->client));
        broker_stop(home->broker);
        broker_add_config(home->broker, "max_packet_size 20000");
        broker_start(home->broker);
        home_watch(home, NULL, NULL);
        home_start(home);
        emit_heated(home, 1);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "Heated", "sd", fill, 1.0),
                        ==, -EMSGSIZE);
        assert_dropped(home, 2, 1);
        emit_heated(home, 2);
        home_expect(home, "signal - Heated [\"hall\",2] lost 1\n");
        mqttrpc_bus_close(home->home);
        g_assert_cmpint(mqttrpc_emit_signal(home->home, "thermo", "-", "Heated", "sd", fill, 1.0),
                        ==, 0);
        emit_heated(home, 3);
        home_open(home->home);
        home_expect(home, "signal - Heated [\"hall\",3] lost 1\n");
        assert_dropped(home, 5, 2);
        g_assert_cmpuint(mqttrpc_service_get_dropped_signals(home->home, "thermo"), ==, 2);
}

static void test_superseded_service_says_so(Home *home, gconstpointer unused)
{
        MqttRpcBus *second = home_new_bus(home, "second");

        home_watch(home, NULL, NULL);
        home_watch_services(home);
        home_start(home);
        g_assert_cmpint(mqttrpc_add_service(second, NULL, "thermo", home_vtable, home, NULL), ==,
                        0);
        home_clear(home);
        home_open(second);
        home_expect(home, "service thermo claim\nservice thermo ready\n");
        g_assert_true(LOOP_UNTIL(mqttrpc_emit_signal(home->home, "thermo", "-", "Ticked", "") ==
                                 -ESTALE));
        g_assert_cmpuint(mqttrpc_service_get_dropped_signals(home->home, "thermo"), ==, 1);
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Log"), ==, 0);
        g_assert_cmpuint(mqttrpc_service_get_dropped_signals(home->home, "thermo"), ==, 1);
        home_clear(home);
        loop_drop_bus(second);
        g_assert_true(
                LOOP_UNTIL(mqttrpc_emit_signal(home->home, "thermo", "-", "Ticked", "") == 0));
        home_expect(home, "signal - Ticked []\n");
}

/* trap 18 */
static void test_retained_and_nonsense_are_refused(Home *home, gconstpointer unused)
{
        static const char *const payloads[] = {
                "", "5", "{\"method\":\"Other\"}", "{\"params\":1}", "{", "[]",
        };
        uint64_t before;

        home_retain(home, "mb1/thermo/-/sig/Ticked", "{}");
        home_watch(home, NULL, NULL);
        home_start(home);
        g_assert_cmpint(mqttrpc_bus_sync(home->user, WAIT_MSEC * 1000), ==, 0);
        before = mqttrpc_bus_get_counter(home->user, MQTTRPC_COUNT_STATE_REFUSED);
        for (unsigned i = 0; i < G_N_ELEMENTS(payloads); i++)
                raw_client_publish(home->client, &(RawPublish){.topic = "mb1/thermo/-/sig/Ticked",
                                                               .payload = payloads[i],
                                                               .qos = 1});
        emit_heated(home, 4);
        home_expect(home, "signal - Heated [\"hall\",4]\n");
        g_assert_null(strstr(home->events->str, "Ticked"));
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->user, MQTTRPC_COUNT_STATE_REFUSED), ==,
                         before + G_N_ELEMENTS(payloads));
}

static void on_drop_self(const MqttRpcSignal *signal, void *userdata)
{
        MqttRpcSlot **slot = userdata;

        *slot = mqttrpc_slot_unref(*slot);
}

static void test_handler_may_drop_itself(Home *home, gconstpointer unused)
{
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(mqttrpc_match_signal(home->user, &slot, "thermo", NULL, NULL, on_drop_self,
                                             &slot, NULL),
                        ==, 0);
        home_watch(home, NULL, NULL);
        home_start(home);
        g_assert_cmpint(mqttrpc_bus_sync(home->user, WAIT_MSEC * 1000), ==, 0);
        emit_tick(home);
        emit_heated(home, 1);
        home_expect(home, "signal - Heated [\"hall\",1]\n");
        g_assert_null(slot);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        HOME_TEST("/signal/is-a-notification", test_is_a_notification);
        HOME_TEST("/signal/types-are-those-declared", test_types_are_those_declared);
        HOME_TEST("/signal/trap-11-comes-before-the-reply", test_comes_before_the_reply);
        HOME_TEST("/signal/patterns", test_patterns);
        HOME_TEST("/signal/waits-for-the-broker", test_waits_for_the_broker);
        HOME_TEST("/signal/oldest-are-dropped-and-counted", test_oldest_are_dropped);
        HOME_TEST("/signal/object-that-comes-back-is-heard", test_object_that_comes_back_is_heard);
        HOME_TEST("/signal/drops-belong-to-a-service", test_drops_belong_to_a_service);
        HOME_TEST("/signal/what-cannot-be-sent-is-dropped-and-counted",
                  test_what_cannot_be_sent_is_dropped);
        HOME_TEST("/signal/superseded-service-says-so", test_superseded_service_says_so);
        HOME_TEST("/signal/trap-18-retained-and-nonsense-are-refused",
                  test_retained_and_nonsense_are_refused);
        HOME_TEST("/signal/handler-may-drop-itself", test_handler_may_drop_itself);
        return g_test_run();
}
