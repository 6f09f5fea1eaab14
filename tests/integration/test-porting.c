/* SPDX-License-Identifier: MIT */

/* The two daemons of docs/PORTING.md, one on D-Bus and one on MQTT: what a client gets from one it
 * gets from the other. Each side is asked by the means of its own bus, and both answers are brought
 * into one form to be compared. */

#include "mqttrpc/mqttrpc.h"
#include "tests/support/broker.h"
#include "tests/support/dbus-daemon.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME      "org.example.Thermostat"
#define PATH      "/org/example/Thermostat"
#define INTERFACE "org.example.Thermostat1"
#define WAIT_USEC ((guint64)WAIT_MSEC * 1000)

typedef struct Fixture {
        TempDir *dir;
        DbusDaemon *daemon;
        Broker *broker;
        Process *on_dbus, *on_mqtt;
        GDBusConnection *dbus;
        MqttRpcBus *mqtt;
        guint subscription;
        char *dbus_signal, *mqtt_signal; /* the last ones */
} Fixture;

static char *format_double(double value)
{
        char text[G_ASCII_DTOSTR_BUF_SIZE];

        return g_strdup(g_ascii_dtostr(text, sizeof(text), value));
}

static void on_dbus_signal(GDBusConnection *bus, const char *sender, const char *path,
                           const char *interface, const char *name, GVariant *arguments,
                           gpointer userdata)
{
        Fixture *fixture = userdata;
        g_autofree char *degrees = NULL;
        double value;

        g_variant_get(arguments, "(d)", &value);
        degrees = format_double(value);
        g_free(fixture->dbus_signal);
        fixture->dbus_signal = g_strdup_printf("%s %s", name, degrees);
}

static void on_mqtt_signal(const MqttRpcSignal *signal, void *userdata)
{
        Fixture *fixture = userdata;
        g_autofree char *degrees = NULL;
        double value;

        g_assert_cmpint(mqttrpc_signal_read(signal, "d", &value), ==, 0);
        degrees = format_double(value);
        g_free(fixture->mqtt_signal);
        fixture->mqtt_signal = g_strdup_printf("%s %s", mqttrpc_signal_get_name(signal), degrees);
}

static void start_daemons(Fixture *fixture)
{
        g_autofree char *address = g_strconcat(
                "DBUS_SESSION_BUS_ADDRESS=", dbus_daemon_get_address(fixture->daemon), NULL);
        const char *uri = broker_get_uri(fixture->broker);

        fixture->on_dbus =
                process_start(fixture->dir, "thermostat-sdbus",
                              (const char *[]){MQTTRPC_EXAMPLES "/thermostat-sdbus", NULL},
                              &(ProcessOptions){.environment = (const char *[]){address, NULL}});
        fixture->on_mqtt = process_start(fixture->dir, "thermostat-mqttrpc",
                                         (const char *[]){MQTTRPC_EXAMPLES "/thermostat-mqttrpc",
                                                          uri, "heater", "secret", NULL},
                                         NULL);
        fixture->dbus = dbus_daemon_connect(fixture->daemon);
        g_assert_true(dbus_daemon_wait_name(fixture->daemon, NAME, true, WAIT_MSEC));
        fixture->subscription = g_dbus_connection_signal_subscribe(
                fixture->dbus, NULL, INTERFACE, NULL, PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                on_dbus_signal, fixture, NULL);
        g_assert_cmpint(mqttrpc_bus_new(&fixture->mqtt), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(fixture->mqtt, uri, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_credentials(fixture->mqtt, "alice", "secret"), ==, 0);
        g_assert_cmpint(mqttrpc_match_signal(fixture->mqtt, NULL, "thermostat", "-", NULL,
                                             on_mqtt_signal, fixture, NULL),
                        ==, 0);
        g_assert_cmpint(mqttrpc_bus_open(fixture->mqtt, NULL), ==, 0);
        /* a service may be heard of before calls can be made */
        g_assert_cmpint(mqttrpc_bus_wait_connected(fixture->mqtt, WAIT_USEC, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_wait_service(fixture->mqtt, "thermostat", WAIT_USEC, NULL), ==, 0);
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        fixture->dir = temp_dir_new();
        fixture->daemon = dbus_daemon_new(fixture->dir, DBUS_DAEMON_OPEN);
        fixture->broker = broker_new(fixture->dir);
        broker_add_user(fixture->broker, "heater", "secret",
                        (const char *[]){"--service", "thermostat", NULL});
        broker_add_user(fixture->broker, "alice", "secret",
                        (const char *[]){"--call", "thermostat", NULL});
        dbus_daemon_start(fixture->daemon);
        broker_start(fixture->broker);
        start_daemons(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        mqttrpc_bus_unref(fixture->mqtt);
        g_dbus_connection_signal_unsubscribe(fixture->dbus, fixture->subscription);
        g_object_unref(fixture->dbus);
        process_free(fixture->on_mqtt);
        process_free(fixture->on_dbus);
        broker_free(fixture->broker);
        dbus_daemon_free(fixture->daemon);
        temp_dir_free(fixture->dir);
        g_free(fixture->dbus_signal);
        g_free(fixture->mqtt_signal);
}

/* ---- one call on either side: a number, "" for nothing, or "error: …" ---- */

static char *call_dbus(Fixture *fixture, const char *interface, const char *method,
                       GVariant *arguments)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value = NULL, inner = NULL;
        g_autoptr(GVariant) result =
                g_dbus_connection_call_sync(fixture->dbus, NAME, PATH, interface, method, arguments,
                                            NULL, G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, &error);

        if (!result) {
                g_dbus_error_strip_remote_error(error);
                return g_strdup_printf("error: %s", error->message);
        }
        if (g_variant_n_children(result) == 0)
                return g_strdup("");
        value = g_variant_get_child_value(result, 0);
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT))
                inner = g_variant_get_variant(value);
        return format_double(g_variant_get_double(inner ? inner : value));
}

static char *call_mqtt(Fixture *fixture, const char *method, const char *params)
{
        MqttRpcReply *reply = NULL;
        MqttRpcError *error = NULL;
        double value;
        char *text;

        if (mqttrpc_call(fixture->mqtt, "thermostat", "-", method, params, WAIT_USEC, 0, &reply,
                         &error) < 0) {
                text = g_strdup_printf("error: %s", mqttrpc_error_get_message(error));
                mqttrpc_error_free(error);
                return text;
        }
        text = mqttrpc_reply_read(reply, "d", &value) == 0 ? format_double(value) : g_strdup("");
        mqttrpc_reply_unref(reply);
        return text;
}

static void assert_calibrate(Fixture *fixture, double reference, const char *expected)
{
        g_autofree char *params = g_strdup_printf("[%g]", reference);
        g_autofree char *dbus =
                call_dbus(fixture, INTERFACE, "Calibrate", g_variant_new("(d)", reference));
        g_autofree char *mqtt = call_mqtt(fixture, "Calibrate", params);

        g_assert_cmpstr(dbus, ==, expected);
        g_assert_cmpstr(mqtt, ==, expected);
}

static void assert_set(Fixture *fixture, double target, const char *expected)
{
        g_autofree char *params = g_strdup_printf("[%g]", target);
        g_autofree char *dbus = call_dbus(
                fixture, "org.freedesktop.DBus.Properties", "Set",
                g_variant_new("(ssv)", INTERFACE, "Target", g_variant_new_double(target)));
        g_autofree char *mqtt = call_mqtt(fixture, "prop.set.Target", params);

        g_assert_cmpstr(dbus, ==, expected);
        g_assert_cmpstr(mqtt, ==, expected);
}

static void assert_get(Fixture *fixture, const char *property, const char *expected)
{
        g_autofree char *params = g_strdup_printf("[\"%s\"]", property);
        g_autofree char *dbus = call_dbus(fixture, "org.freedesktop.DBus.Properties", "Get",
                                          g_variant_new("(ss)", INTERFACE, property));
        g_autofree char *mqtt = call_mqtt(fixture, "prop.get", params);

        g_assert_cmpstr(dbus, ==, expected);
        g_assert_cmpstr(mqtt, ==, expected);
}

/* ---- tests ---- */

static void test_calls_give_the_same(Fixture *fixture, gconstpointer unused)
{
        assert_get(fixture, "Temperature", "20");
        assert_calibrate(fixture, 21.5, "1.5");
        assert_get(fixture, "Temperature", "21.5");
        assert_calibrate(fixture, 40, "error: the sensor is not off by more than 5 degrees");
        assert_get(fixture, "Temperature", "21.5");
}

static void test_properties_give_the_same(Fixture *fixture, gconstpointer unused)
{
        assert_set(fixture, 22.25, "");
        assert_get(fixture, "Target", "22.25");
        assert_set(fixture, 99, "error: degrees are from 5 to 30");
        assert_get(fixture, "Target", "22.25");
}

static bool has_dbus_signal(void *userdata)
{
        return ((Fixture *)userdata)->dbus_signal;
}

/* On MQTT it came before the reply to the call that caused it. */
static void test_signals_tell_the_same(Fixture *fixture, gconstpointer unused)
{
        assert_set(fixture, 22.25, "");
        g_assert_true(wait_until(has_dbus_signal, fixture, WAIT_MSEC));
        g_assert_cmpstr(fixture->dbus_signal, ==, "TargetChanged 22.25");
        g_assert_cmpstr(fixture->mqtt_signal, ==, "TargetChanged 22.25");
}

static void test_both_end_in_order(Fixture *fixture, gconstpointer unused)
{
        gint64 deadline;

        g_assert_cmpint(process_stop(fixture->on_dbus), ==, 0);
        g_assert_cmpint(process_stop(fixture->on_mqtt), ==, 0);
        g_assert_true(dbus_daemon_wait_name(fixture->daemon, NAME, false, WAIT_MSEC));
        deadline = wait_deadline(WAIT_MSEC);
        while (mqttrpc_bus_get_service_state(fixture->mqtt, "thermostat") ==
               MQTTRPC_SERVICE_READY) {
                g_assert_cmpint(wait_left(deadline), >, 0);
                g_assert_cmpint(
                        mqttrpc_bus_wait(fixture->mqtt, (guint64)wait_left(deadline) * 1000), >=,
                        0);
                g_assert_cmpint(mqttrpc_bus_process(fixture->mqtt), >=, 0);
        }
        g_assert_cmpint(mqttrpc_bus_get_service_state(fixture->mqtt, "thermostat"), ==,
                        MQTTRPC_SERVICE_OFFLINE);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/porting/calls-give-the-same", test_calls_give_the_same},
                {"/porting/properties-give-the-same", test_properties_give_the_same},
                {"/porting/signals-tell-the-same", test_signals_tell_the_same},
                {"/porting/both-end-in-order", test_both_end_in_order},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        return g_test_run();
}
