/* SPDX-License-Identifier: MIT */

/* Properties and objects: what a service publishes, what watchers are told, and the methods
 * prop.get, prop.getall and prop.set. */

#include "common/limits.h"
#include "tests/integration/home.h"

#include <errno.h>
#include <string.h>

/* ---- publishing ---- */

static void test_values_are_retained(Home *home, gconstpointer unused)
{
        g_autofree char *degrees = NULL, *label = NULL, *meta = NULL;

        home_start(home);
        degrees = home_retained(home, "mb1/thermo/-/prop/Degrees");
        label = home_retained(home, "mb1/thermo/-/prop/Label");
        meta = home_retained(home, "mb1/thermo/-/$meta");
        g_assert_cmpstr(degrees, ==, "20.5");
        g_assert_cmpstr(label, ==, "\"hall\"");
        g_assert_cmpstr(meta, ==,
                        "{\"interfaces\":[\"org.example.Thermo\"],"
                        "\"props\":[\"Degrees\",\"Label\",\"Model\"]}");
}

/* Secrets, and what is not told of changes, never get onto the broker (trap 30). */
static void test_some_are_not_retained(Home *home, gconstpointer unused)
{
        static const char *const topics[] = {"mb1/thermo/-/prop/Secret", "mb1/thermo/-/prop/Quiet",
                                             "mb1/thermo/-/prop/Log"};

        home_start(home);
        for (unsigned i = 0; i < G_N_ELEMENTS(topics); i++) {
                g_autofree char *value = home_retained(home, topics[i]);

                g_assert_null(value);
        }
}

static void test_change_is_told_once(Home *home, gconstpointer unused)
{
        home_start(home);
        raw_client_subscribe_fresh(home->client, "mb1/thermo/-/prop/+");
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Degrees"), ==, 0);
        home->degrees = 21;
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Degrees"), ==, 0);
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Degrees"), ==, 0);
        g_assert_cmpstr(raw_client_receive(home->client)->payload, ==, "21");
        g_assert_cmpuint(raw_client_count(home->client), ==, 1);
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "None"), ==, -ENOENT);
        g_assert_cmpint(mqttrpc_property_changed(home->home, "none", "-", "Degrees"), ==, -ENOENT);
}

static void test_value_that_is_gone_is_cleared(Home *home, gconstpointer unused)
{
        g_autofree char *meta = NULL;

        home_watch(home, NULL, NULL);
        home_start(home);
        home_expect(home, "prop - Degrees 20.5\n");
        home->broken = true;
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Degrees"), <, 0);
        home_expect(home, "prop - Degrees -\n");
        meta = home_retained(home, "mb1/thermo/-/$meta");
        g_assert_null(strstr(meta, "Degrees"));
        home->broken = false;
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Degrees"), ==, 0);
        home_clear(home);
        home_expect(home, "prop - Degrees 20.5\n");
}

static void test_invalidation_is_a_signal(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        g_assert_cmpint(mqttrpc_property_changed(home->home, "thermo", "-", "Log"), ==, 0);
        home_expect(home, "signal - rpc.invalidated [[\"Log\"]]\n");
}

/* ---- watching ---- */

static void test_watch_tells_what_is_there(Home *home, gconstpointer unused)
{
        home_start(home);
        home_watch(home, NULL, NULL);
        home_expect(home, "prop - Degrees 20.5\n");
        home_expect(home, "prop - Label \"hall\"\n");
        home->degrees = -0.25;
        mqttrpc_property_changed(home->home, "thermo", "-", "Degrees");
        home_expect(home, "prop - Degrees -0.25\n");
}

/* A second watch on the same or an overlapping filter is told what is known, too. */
static void test_second_watch_is_told_as_well(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        home_expect(home, "prop - Degrees 20.5\n");
        home_clear(home);
        home_watch(home, NULL, NULL);
        home_expect(home, "prop - Degrees 20.5\n");
}

static void test_kept_value_can_be_asked_for(Home *home, gconstpointer unused)
{
        MqttRpcSlot *watch = NULL;
        const char *value;
        bool stale;

        home_watch(home, NULL, &watch);
        g_assert_cmpint(mqttrpc_watch_get_property(watch, "thermo", "-", "Degrees", &value, &stale),
                        ==, -ENOENT);
        home_start(home);
        home_expect(home, "prop - Degrees 20.5\n");
        g_assert_cmpint(mqttrpc_watch_get_property(watch, "thermo", "-", "Degrees", &value, &stale),
                        ==, 0);
        g_assert_cmpstr(value, ==, "20.5");
        g_assert_false(stale);
        home_clear(home);
        mqttrpc_bus_close(home->home);
        home_expect(home, "prop - Degrees 20.5 stale\n");
        g_assert_cmpint(mqttrpc_watch_get_property(watch, "thermo", "-", "Degrees", &value, &stale),
                        ==, 0);
        g_assert_true(stale);
        home_clear(home);
        home_open(home->home);
        home_expect(home, "prop - Degrees 20.5\n");
        mqttrpc_slot_unref(watch);
}

static void test_unwatched_is_not_told(Home *home, gconstpointer unused)
{
        MqttRpcSlot *signals = NULL, *properties = NULL;

        home_watch(home, &signals, &properties);
        home_start(home);
        home_expect(home, "prop - Degrees 20.5\n");
        mqttrpc_slot_unref(signals);
        mqttrpc_slot_unref(properties);
        home_clear(home);
        g_assert_cmpstr(home_call(home, "-", "Heat", NULL), ==, "21.5");
        g_assert_cmpstr(home->events->str, ==, "");
}

/* While the watcher is away a property goes and another changes. */
static void test_watch_after_a_reconnect(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        home_expect(home, "prop - Model \"Model\"\n");
        home_clear(home);
        broker_kill(home->broker);
        home_expect(home, "prop - Degrees 20.5 stale\n");
        home->degrees = 3;
        home->broken = false;
        home_clear(home);
        broker_start(home->broker);
        home_expect(home, "prop - Degrees 3\n");
        home_expect(home, "prop - Label \"hall\"\n");
        home_clear(home);
        broker_kill(home->broker);
        home_expect(home, "prop - Degrees 3 stale\n");
        home->broken = true;
        broker_start(home->broker);
        home_expect(home, "prop - Degrees -\n");
}

static void test_nonsense_is_not_told(Home *home, gconstpointer unused)
{
        uint64_t before = mqttrpc_bus_get_counter(home->user, MQTTRPC_COUNT_STATE_REFUSED);

        home_watch(home, NULL, NULL);
        home_start(home);
        home_expect(home, "prop - Label \"hall\"\n");
        home_retain(home, "mb1/thermo/-/prop/Degrees", "{nonsense");
        home_retain(home, "mb1/thermo/-/prop/Label", "\"shed\"");
        home_expect(home, "prop - Label \"shed\"\n");
        g_assert_null(strstr(home->events->str, "nonsense"));
        g_assert_cmpuint(mqttrpc_bus_get_counter(home->user, MQTTRPC_COUNT_STATE_REFUSED), ==,
                         before + 1);
}

/* ---- methods ---- */

static void test_get(Home *home, gconstpointer unused)
{
        home_start(home);
        g_assert_cmpstr(home_call(home, "-", "prop.get", "[\"Degrees\"]"), ==, "20.5");
        g_assert_cmpstr(home_call(home, "-", "prop.get", "{\"name\":\"Quiet\"}"), ==, "\"Quiet\"");
        g_assert_cmpstr(home_call(home, "-", "prop.get", "[\"Secret\"]"), ==, "\"Secret\"");
        g_assert_null(home_call(home, "-", "prop.get", "[\"None\"]"));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_NOT_FOUND);
        g_assert_null(home_call(home, "-", "prop.get", "[5]"));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_INVALID_PARAMS);
        home->broken = true;
        g_assert_null(home_call(home, "-", "prop.get", "[\"Degrees\"]"));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_UNAVAILABLE);
        g_assert_cmpstr(home_call(home, "-", "prop.getall", NULL), ==,
                        "{\"Label\":\"hall\",\"Log\":\"Log\",\"Quiet\":\"Quiet\","
                        "\"Model\":\"Model\"}");
        g_assert_null(home_call(home, "-", "prop.other", NULL));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_NO_METHOD);
}

static void test_set(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        g_assert_cmpstr(home_call(home, "-", "prop.set", "[\"Label\",\"shed\"]"), ==, "null");
        g_assert_nonnull(
                strstr(home->events->str, "prop - Label \"shed\"\n")); /* before the reply */
        g_assert_cmpstr(home_call(home, "-", "prop.set.Label", "[\"attic\"]"), ==, "null");
        g_assert_cmpstr(home->label, ==, "attic");
        g_assert_cmpuint(home->n_set, ==, 2);
}

static void test_set_is_refused(Home *home, gconstpointer unused)
{
        static const struct {
                const char *method;
                const char *params;
                int code;
        } rows[] = {
                {"prop.set", "[\"Label\",5]", MQTTRPC_ERROR_INVALID_PARAMS},
                {"prop.set", "[\"Label\"]", MQTTRPC_ERROR_INVALID_PARAMS},
                {"prop.set", "[\"Label\",\"\"]", MQTTRPC_ERROR_INVALID_PARAMS},
                {"prop.set", "[\"Degrees\",1]", MQTTRPC_ERROR_READ_ONLY},
                {"prop.set", "[\"None\",1]", MQTTRPC_ERROR_NOT_FOUND},
                {"prop.set.Label", "[{}]", MQTTRPC_ERROR_INVALID_PARAMS},
                {"prop.set.Degrees", "[1]", MQTTRPC_ERROR_READ_ONLY},
                {"prop.set.", "[1]", MQTTRPC_ERROR_NOT_FOUND},
        };

        home_start(home);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_test_message("%s %s", rows[i].method, rows[i].params);
                g_assert_null(home_call(home, "-", rows[i].method, rows[i].params));
                g_assert_cmpint(home->code, ==, rows[i].code);
        }
        g_assert_cmpuint(home->n_set, ==, 0);
}

/* trap 39: the generic endpoint is no way round the grants by property. */
static void test_set_by_the_generic_endpoint_is_denied(Home *home, gconstpointer unused)
{
        home_start(home);
        raw_client_subscribe(home->client, "mb1/+/+/rpc/eve/+");
        raw_client_post(home->client, &(RawPublish){.topic = "mb1/thermo/-/rpc/eve",
                                                    .payload = "{\"id\":1,\"method\":\"prop.set\","
                                                               "\"params\":[\"Label\",\"x\"]}",
                                                    .qos = 1});
        g_assert_nonnull(strstr(raw_client_receive(home->client)->payload, "-32001"));
        raw_client_post(home->client, &(RawPublish){.topic = "mb1/thermo/-/rpc/eve",
                                                    .payload = "{\"id\":2,\"method\":\"prop.get\","
                                                               "\"params\":[\"Label\"]}",
                                                    .qos = 1});
        g_assert_nonnull(strstr(raw_client_receive(home->client)->payload, "\"hall\""));
        g_assert_cmpuint(home->n_set, ==, 0);
}

static void test_set_is_answered_later(Home *home, gconstpointer unused)
{
        home_watch(home, NULL, NULL);
        home_start(home);
        home->hold = true;
        g_assert_cmpint(home_start_call(home, "thermo", "prop.set.Label", "[\"late\"]"), ==, 0);
        g_assert_true(LOOP_UNTIL(home->held != NULL));
        g_assert_null(strstr(home->events->str, "late"));
        g_assert_cmpint(mqttrpc_request_reply(home->held, NULL, 0), ==, 0);
        g_assert_true(LOOP_UNTIL(home->replies == 1));
        g_assert_cmpstr(home->result, ==, "null");
        g_assert_nonnull(strstr(home->events->str, "prop - Label \"late\"\n"));
}

/* ---- objects ---- */

static void test_objects_come_and_go(Home *home, gconstpointer unused)
{
        MqttRpcSlot *slot = NULL;

        home_watch(home, NULL, NULL);
        home_watch_objects(home);
        home_start(home);
        home_expect(home, "object - {");
        g_assert_cmpint(
                mqttrpc_add_object(home->home, &slot, "thermo", "room.1", home_vtable, home, NULL),
                ==, 0);
        home_expect(home, "object room.1 {\"interfaces\":[\"org.example.Thermo\"]");
        g_assert_nonnull(strstr(home->events->str, "prop room.1 Degrees 20.5\n"));
        g_assert_cmpstr(home_call(home, "room.1", "prop.get", "[\"Label\"]"), ==, "\"hall\"");
        home_clear(home);
        mqttrpc_slot_unref(slot);
        home_expect(home, "prop room.1 Label -\n");
        /* First the object, then what it had. */
        g_assert_true(g_str_has_prefix(home->events->str, "object room.1 -\n"));
        g_assert_null(home_call(home, "room.1", "Heat", NULL));
        g_assert_cmpint(home->code, ==, MQTTRPC_ERROR_NOT_FOUND);
}

static int on_any(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply_values(request, "s", mqttrpc_request_get_method(request));
}

static void test_objects_without_a_vtable(Home *home, gconstpointer unused)
{
        static const char *const interfaces[] = {"org.example.Raw", NULL};
        g_autofree char *meta = NULL, *gone = NULL;
        const char *value;

        g_assert_cmpint(mqttrpc_add_fallback(home->home, NULL, "raw", on_any, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", "a.b", "P", "[1,2]", SIZE_MAX),
                        ==, 0);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", "a.b", "Q", "9007199254740993",
                                                 SIZE_MAX),
                        ==, 0);
        g_assert_cmpint(mqttrpc_object_announce(home->home, "raw", "a.b", interfaces), ==, 0);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "thermo", "-", "P", "1", 1), ==,
                        -EEXIST);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "none", "-", "P", "1", 1), ==,
                        -ENOENT);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", "a/b", "P", "1", 1), ==,
                        -EINVAL);
        home_start(home);
        g_assert_true(home_sees(home, "raw", MQTTRPC_SERVICE_READY));
        g_assert_cmpint(mqttrpc_property_get_published(home->home, "raw", "a.b", "Q", &value, NULL),
                        ==, 0);
        g_assert_cmpstr(value, ==, "9007199254740993");
        meta = home_retained(home, "mb1/raw/a.b/$meta");
        g_assert_cmpstr(meta, ==, "{\"interfaces\":[\"org.example.Raw\"],\"props\":[\"P\",\"Q\"]}");
        /* What has a reserved name goes to the fallback, too, but for rpc. */
        g_assert_cmpint(home_start_call(home, "raw", "prop.get", "[\"P\"]"), ==, 0);
        g_assert_true(LOOP_UNTIL(home->replies == 1));
        g_assert_cmpstr(home->result, ==, "\"prop.get\"");
        g_assert_cmpint(mqttrpc_object_remove(home->home, "raw", "a.b"), ==, 0);
        g_assert_cmpint(mqttrpc_object_remove(home->home, "raw", "a.b"), ==, -ENOENT);
        g_assert_cmpint(mqttrpc_bus_flush(home->home, WAIT_MSEC * 1000), ==, 0);
        gone = home_retained(home, "mb1/raw/a.b/#");
        g_assert_null(gone);
}

/* traps 19 and 21: what went while the broker was away does not stay behind. */
static void test_removed_while_down_is_swept(Home *home, gconstpointer unused)
{
        g_autofree char *gone = NULL, *kept = NULL;

        home_retain(home, "mb1/thermo/old/prop/P", "1");
        home_retain(home, "mb1/thermo/old/$meta", "{}");
        home_retain(home, "mb1/thermo/-/prop/Unknown", "1");
        home_retain(home, "mb1/other/-/prop/P", "1");
        home_start(home);
        gone = home_retained(home, "mb1/thermo/old/#");
        g_assert_null(gone);
        gone = home_retained(home, "mb1/thermo/-/prop/Unknown");
        g_assert_null(gone);
        kept = home_retained(home, "mb1/other/-/prop/P");
        g_assert_cmpstr(kept, ==, "1");
}

/* ---- many ---- */

enum { MANY_PROPERTIES = 10 };

static void publish_many(Home *home, unsigned n_objects)
{
        for (unsigned i = 0; i < n_objects; i++) {
                g_autofree char *object = g_strdup_printf("o%u", i);

                for (unsigned k = 0; k < MANY_PROPERTIES; k++) {
                        g_autofree char *name = g_strdup_printf("P%u", k);

                        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", object, name,
                                                                 "12345", SIZE_MAX),
                                        ==, 0);
                }
                g_assert_cmpint(mqttrpc_object_announce(home->home, "raw", object, NULL), ==, 0);
        }
}

/* More than may be on its way at a time: what is said of the whole still comes after its parts. */
static void test_ready_comes_after_many_first_values(Home *home, gconstpointer unused)
{
        const RawMessage *message;
        unsigned n_values = 0;

        g_assert_cmpint(mqttrpc_add_fallback(home->home, NULL, "raw", on_any, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_service_set_state(home->home, "raw", MQTTRPC_SERVICE_INIT), ==, 0);
        home_start(home);
        g_assert_true(home_sees(home, "raw", MQTTRPC_SERVICE_INIT));
        raw_client_subscribe_fresh(home->client, "mb1/raw/#");
        publish_many(home, 500);
        g_assert_cmpint(mqttrpc_service_set_state(home->home, "raw", MQTTRPC_SERVICE_READY), ==, 0);
        do {
                message = raw_client_receive(home->client);
                n_values += strstr(message->topic, "/prop/") != NULL;
        } while (!strstr(message->payload, "\"ready\""));
        g_assert_cmpuint(n_values, ==, 500 * MANY_PROPERTIES);
}

/* A change of a value that has been told does not wait for them. */
static void test_change_overtakes_first_values(Home *home, gconstpointer unused)
{
        const RawMessage *message;
        unsigned n_values = 0;

        g_assert_cmpint(mqttrpc_add_fallback(home->home, NULL, "raw", on_any, NULL, NULL), ==, 0);
        publish_many(home, 1);
        home_start(home);
        g_assert_true(home_sees(home, "raw", MQTTRPC_SERVICE_READY));
        raw_client_subscribe_fresh(home->client, "mb1/raw/+/prop/+");
        publish_many(home, 500);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", "o0", "P3", "6", SIZE_MAX), ==,
                        0);
        do {
                message = raw_client_receive(home->client);
                n_values++;
        } while (strcmp(message->topic, "mb1/raw/o0/prop/P3") != 0);
        g_assert_cmpuint(n_values, <, 499 * MANY_PROPERTIES);
}

/* More messages than the library lets wait for a broker at a time. */
static void test_many_that_go_at_once_leave_nothing(Home *home, gconstpointer unused)
{
        enum { N_OBJECTS = LIMIT_OUTBOUND_MESSAGES / MANY_PROPERTIES + 100 };
        gint64 deadline = wait_deadline(WAIT_MSEC);
        char *left = NULL;

        g_assert_cmpint(mqttrpc_add_fallback(home->home, NULL, "raw", on_any, NULL, NULL), ==, 0);
        publish_many(home, N_OBJECTS);
        home_start(home);
        g_assert_true(home_sees(home, "raw", MQTTRPC_SERVICE_READY));
        g_assert_cmpint(mqttrpc_bus_flush(home->home, WAIT_MSEC * 1000), ==, 0);
        for (unsigned i = 0; i < N_OBJECTS; i++) {
                g_autofree char *object = g_strdup_printf("o%u", i);

                g_assert_cmpint(mqttrpc_object_remove(home->home, "raw", object), ==, 0);
        }
        do {
                g_free(left);
                g_assert_cmpint(mqttrpc_bus_flush(home->home, WAIT_MSEC * 1000), ==, 0);
                left = home_retained(home, "mb1/raw/+/prop/+");
        } while (left && wait_left(deadline) > 0);
        g_assert_null(left);
        left = home_retained(home, "mb1/raw/+/$meta");
        g_assert_null(left);
}

static void test_value_that_the_broker_does_not_take(Home *home, gconstpointer unused)
{
        g_autofree char *text = g_strnfill(30002, 'x');
        g_autofree char *kept = NULL, *gone = NULL;

        text[0] = text[30001] = '"';
        raw_client_free(g_steal_pointer(&home->client));
        broker_kill(home->broker);
        broker_add_config(home->broker, "max_packet_size 20000\n");
        broker_start(home->broker);
        home->client = raw_client_new(home->broker, NULL);
        home_retain(home, "mb1/raw/a/prop/P", "\"old\"");
        g_assert_cmpint(mqttrpc_add_fallback(home->home, NULL, "raw", on_any, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", "a", "P", text, SIZE_MAX), ==,
                        0);
        g_assert_cmpint(mqttrpc_property_publish(home->home, "raw", "a", "Q", "1", SIZE_MAX), ==,
                        0);
        home_start(home);
        g_assert_true(home_sees(home, "raw", MQTTRPC_SERVICE_READY));
        kept = home_retained(home, "mb1/raw/a/prop/Q");
        g_assert_cmpstr(kept, ==, "1");
        gone = home_retained(home, "mb1/raw/a/prop/P");
        g_assert_null(gone);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        HOME_TEST("/property/values-are-retained", test_values_are_retained);
        HOME_TEST("/property/trap-30-some-are-not-retained", test_some_are_not_retained);
        HOME_TEST("/property/change-is-told-once", test_change_is_told_once);
        HOME_TEST("/property/value-that-is-gone-is-cleared", test_value_that_is_gone_is_cleared);
        HOME_TEST("/property/invalidation-is-a-signal", test_invalidation_is_a_signal);
        HOME_TEST("/property/watch/tells-what-is-there", test_watch_tells_what_is_there);
        HOME_TEST("/property/watch/second-is-told-as-well", test_second_watch_is_told_as_well);
        HOME_TEST("/property/watch/kept-value-can-be-asked-for", test_kept_value_can_be_asked_for);
        HOME_TEST("/property/watch/dropped-is-not-told", test_unwatched_is_not_told);
        HOME_TEST("/property/watch/after-a-reconnect", test_watch_after_a_reconnect);
        HOME_TEST("/property/watch/nonsense-is-not-told", test_nonsense_is_not_told);
        HOME_TEST("/property/get", test_get);
        HOME_TEST("/property/set", test_set);
        HOME_TEST("/property/set/is-refused", test_set_is_refused);
        HOME_TEST("/property/set/trap-39-generic-endpoint-is-denied",
                  test_set_by_the_generic_endpoint_is_denied);
        HOME_TEST("/property/set/is-answered-later", test_set_is_answered_later);
        HOME_TEST("/property/trap-31-value-that-the-broker-does-not-take",
                  test_value_that_the_broker_does_not_take);
        HOME_TEST("/object/come-and-go", test_objects_come_and_go);
        HOME_TEST("/object/without-a-vtable", test_objects_without_a_vtable);
        HOME_TEST("/object/trap-19-removed-while-down-is-swept", test_removed_while_down_is_swept);
        HOME_TEST("/object/trap-19-many-that-go-at-once-leave-nothing",
                  test_many_that_go_at_once_leave_nothing);
        HOME_TEST("/object/trap-35-ready-comes-after-many-first-values",
                  test_ready_comes_after_many_first_values);
        HOME_TEST("/object/change-overtakes-first-values", test_change_overtakes_first_values);
        return g_test_run();
}
