/* SPDX-License-Identifier: MIT */

/* A service that MQTT provides (native-service.c), seen by stock clients of D-Bus. */

#include "tests/support/gateway-stage.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME      "org.example.Native"
#define PATH      "/org/example/Native"
#define INTERFACE "org.example.Native"
#define DBUS      "org.freedesktop.DBus"

static const char objects[] =
        "[{\"path\": \"" PATH "\", \"interfaces\": {\"" INTERFACE "\": {"
        "\"methods\": {"
        "\"Add\": {\"in\": [\"a:i\", \"b:i\"], \"out\": [\"sum:i\"], \"access\": \"read\"},"
        "\"Who\": {\"in\": [], \"out\": [\"who:s\"]},"
        "\"Fail\": {\"in\": [\"name:s\"], \"out\": []},"
        "\"Sleep\": {\"in\": [], \"out\": [], \"timeout_ms\": 300, \"max_in_flight\": 1},"
        "\"Wrong\": {\"in\": [], \"out\": [\"number:i\"]},"
        "\"Say\": {\"in\": [\"text:s\"], \"out\": []},"
        "\"SayWrong\": {\"in\": [], \"out\": []},"
        "\"TextWrong\": {\"in\": [], \"out\": []},"
        "\"Poke\": {\"in\": [], \"out\": []},"
        "\"AddItem\": {\"in\": [\"name:s\"], \"out\": []},"
        "\"RemoveItem\": {\"in\": [\"name:s\"], \"out\": []},"
        "\"Forbidden\": {\"in\": [], \"out\": [], \"allow\": {\"users\": [\"4242\"]}},"
        "\"Granted\": {\"in\": [], \"out\": [\"x:as\"], \"allow\": {\"groups\": [\"root\"]}},"
        "\"Old\": {\"in\": [], \"out\": [], \"deprecated\": true, \"no_reply\": true}},"
        "\"properties\": {"
        "\"Text\": {\"type\": \"s\", \"writable\": true},"
        "\"Level\": {\"type\": \"u\", \"writable\": true},"
        "\"Model\": {\"type\": \"s\", \"emits_changed\": \"const\"},"
        "\"Key\": {\"type\": \"s\", \"mask\": true},"
        "\"Volatile\": {\"type\": \"u\", \"emits_changed\": \"invalidates\"},"
        "\"Silent\": {\"type\": \"u\", \"emits_changed\": \"false\"}},"
        "\"signals\": {\"Said\": {\"args\": [\"text:s\"]}}}}},"
        "{\"path\": \"" PATH "/items/{item}\", \"object\": \"items.{item}\", \"interfaces\": {"
        "\"org.example.Item\": {\"properties\": {\"Name\": {\"type\": \"s\"},"
        "\"Size\": {\"type\": \"u\"}}}}}]";

typedef struct Fixture {
        GatewayStage *stage;
        Process *service;
        GDBusConnection *client;
        guint subscription;
        GPtrArray *log; /* what was heard: "Member(arguments)" */
} Fixture;

static void start_service(Fixture *f)
{
        const char *argv[] = {MQTTRPC_NATIVE_SERVICE,
                              broker_get_uri(f->stage->broker),
                              "native",
                              "secret of native",
                              "native",
                              NULL};

        f->service = process_start(f->stage->dir, "native", argv, NULL);
}

static void on_signal(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *member, GVariant *arguments,
                      gpointer userdata)
{
        Fixture *f = userdata;
        g_autofree char *text = g_variant_print(arguments, FALSE);

        g_ptr_array_add(f->log, g_strdup_printf("%s%s", member, text));
}

static void set_up_stage(Fixture *f)
{
        static const char *const gateway[] = {"--gateway", "--service", "test",     "--call",
                                              "native/+",  "--rpc",     "native/+", NULL};
        static const char *const native[] = {"--service", "native", NULL};

        f->stage = gateway_stage_new();
        broker_add_user(f->stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(f->stage->broker, "native", "secret of native", native);
        f->log = g_ptr_array_new_with_free_func(g_free);
}

static void set_up(Fixture *f, gconstpointer unused)
{
        set_up_stage(f);
        gateway_stage_add_mapping(f->stage, "native", NAME, "\"provider\": \"mqtt\",", objects);
        gateway_stage_start(f->stage);
        f->client = dbus_daemon_connect(f->stage->bus);
        f->subscription =
                g_dbus_connection_signal_subscribe(f->client, NAME, NULL, NULL, NULL, NULL,
                                                   G_DBUS_SIGNAL_FLAGS_NONE, on_signal, f, NULL);
        start_service(f);
        if (!dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC))
                g_error("the name is not taken");
}

static void tear_down(Fixture *f, gconstpointer unused)
{
        g_dbus_connection_signal_unsubscribe(f->client, f->subscription);
        g_clear_object(&f->client);
        process_free(f->service);
        gateway_stage_free(f->stage);
        g_ptr_array_unref(f->log);
}

/* What a call returns, in GVariant's text, or the name of its error. */
static char *call(Fixture *f, const char *path, const char *interface, const char *member,
                  const char *arguments)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) result = NULL;
        GVariant *parsed = NULL;

        if (arguments)
                parsed = g_variant_parse(NULL, arguments, NULL, NULL, &error);
        g_assert_no_error(error);
        result = g_dbus_connection_call_sync(f->client, NAME, path, interface, member, parsed, NULL,
                                             G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MSEC, NULL,
                                             &error);
        if (result)
                return g_variant_print(result, FALSE);
        g_assert_nonnull(error);
        return g_dbus_error_get_remote_error(error);
}

static void assert_call(Fixture *f, const char *member, const char *arguments, const char *expected)
{
        g_autofree char *result = call(f, PATH, INTERFACE, member, arguments);

        g_assert_cmpstr(result, ==, expected);
}

static void assert_properties(Fixture *f, const char *member, const char *arguments,
                              const char *expected)
{
        g_autofree char *result = call(f, PATH, DBUS ".Properties", member, arguments);

        g_assert_cmpstr(result, ==, expected);
}

static bool has_heard(const Fixture *f, const char *text)
{
        for (guint i = 0; i < f->log->len; i++)
                if (strstr(f->log->pdata[i], text))
                        return true;
        return false;
}

static gboolean on_late(gpointer userdata)
{
        *(bool *)userdata = true;
        return G_SOURCE_REMOVE;
}

static void assert_hears(Fixture *f, const char *text)
{
        bool late = false;
        guint timer = g_timeout_add(WAIT_MSEC, on_late, &late);

        while (!has_heard(f, text) && !late)
                g_main_context_iteration(NULL, TRUE);
        if (late)
                g_error("'%s' was not heard", text);
        g_source_remove(timer);
}

/* Puts what was heard until a signal after all else into one text, and forgets it. */
static char *take_log(Fixture *f)
{
        char *text;

        assert_call(f, "Say", "('mark',)", "()");
        assert_hears(f, "Said('said',)");
        g_ptr_array_add(f->log, NULL);
        text = g_strjoinv("\n", (char **)f->log->pdata);
        g_ptr_array_set_size(f->log, 0);
        return text;
}

/* ---- methods ---- */

static void test_method_is_called_with_the_identity_of_its_caller(Fixture *f, gconstpointer unused)
{
        g_autofree char *who = g_strdup_printf(
                "('%s %u 1',)", g_dbus_connection_get_unique_name(f->client), (unsigned)getuid());

        assert_call(f, "Add", "(2, -5)", "(-3,)");
        assert_call(f, "Who", NULL, who);
}

static void test_errors_have_the_names_that_clients_know(Fixture *f, gconstpointer unused)
{
        static const struct {
                const char *path, *interface, *member, *arguments, *expected;
        } rows[] = {
                {"/nowhere", INTERFACE, "Add", "(1, 2)", DBUS ".Error.UnknownObject"},
                {"/org", INTERFACE, "Add", "(1, 2)", DBUS ".Error.UnknownMethod"},
                {PATH, INTERFACE, "Nothing", NULL, DBUS ".Error.UnknownMethod"},
                {PATH, "org.example.Other", "Add", NULL, DBUS ".Error.UnknownMethod"},
                {PATH, INTERFACE, "Add", "('1', 2)", DBUS ".Error.InvalidArgs"},
                {PATH, DBUS ".Properties", "Get", "('" INTERFACE "', 'No')",
                 DBUS ".Error.UnknownProperty"},
                {PATH, DBUS ".Properties", "Get", "('no.such', 'Text')",
                 DBUS ".Error.UnknownProperty"},
                {PATH, DBUS ".Properties", "GetAll", "('no.such',)",
                 DBUS ".Error.UnknownInterface"},
                {PATH, DBUS ".Properties", "Get", "(1,)", DBUS ".Error.InvalidArgs"},
                {PATH, DBUS ".Properties", "Set", "('" INTERFACE "', 'Model', <'x'>)",
                 DBUS ".Error.PropertyReadOnly"},
                {PATH, DBUS ".Properties", "Set", "('" INTERFACE "', 'Level', <'x'>)",
                 DBUS ".Error.InvalidArgs"},
                {PATH, DBUS ".Properties", "Set", "('" INTERFACE "', 'Level', <uint32 101>)",
                 DBUS ".Error.InvalidArgs"},
                {PATH, INTERFACE, "Fail", "('org.example.Error.Mine',)", "org.example.Error.Mine"},
                {PATH, INTERFACE, "Fail", "('',)", DBUS ".Error.UnknownObject"},
                {PATH, INTERFACE, "Sleep", NULL, DBUS ".Error.NoReply"},
                {PATH, INTERFACE, "Wrong", NULL, DBUS ".Error.Failed"},
                {PATH, INTERFACE, "Forbidden", NULL, DBUS ".Error.AccessDenied"},
                {PATH, INTERFACE, "Granted", NULL, "([],)"},
                {PATH, DBUS ".Peer", "Ping", NULL, "()"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *result =
                        call(f, rows[i].path, rows[i].interface, rows[i].member, rows[i].arguments);

                g_test_message("%s of %s", rows[i].member, rows[i].path);
                g_assert_cmpstr(result, ==, rows[i].expected);
        }
}

/* ---- properties, signals ---- */

static void test_properties_are_read_and_set(Fixture *f, gconstpointer unused)
{
        assert_properties(f, "Get", "('" INTERFACE "', 'Level')", "(<uint32 7>,)");
        assert_properties(f, "Set", "('" INTERFACE "', 'Level', <uint32 8>)", "()");
        assert_properties(f, "Get", "('', 'Level')", "(<uint32 8>,)");
        assert_properties(f, "Get", "('" INTERFACE "', 'Key')", "(<'sesame'>,)");
        assert_properties(f, "Get", "('" INTERFACE "', 'Silent')", "(<uint32 0>,)");
        assert_call(f, "Poke", NULL, "()");
        assert_properties(f, "Get", "('" INTERFACE "', 'Silent')", "(<uint32 1>,)");
        assert_properties(f, "GetAll", "('" INTERFACE "',)",
                          "({'Text': <''>, 'Level': <uint32 8>, 'Model': <'Model T'>, "
                          "'Volatile': <uint32 1>, 'Silent': <uint32 1>},)");
}

static void test_changes_are_told_as_annotated_and_before_what_follows(Fixture *f,
                                                                       gconstpointer unused)
{
        g_autofree char *log = NULL;

        assert_properties(f, "Set", "('" INTERFACE "', 'Level', <uint32 9>)", "()");
        assert_call(f, "Poke", NULL, "()");
        log = take_log(f);
        g_assert_cmpstr(log, ==,
                        "PropertiesChanged('" INTERFACE "', {'Level': <uint32 9>}, [])\n"
                        "PropertiesChanged('" INTERFACE "', {}, ['Volatile'])\n"
                        "PropertiesChanged('" INTERFACE "', {'Text': <'mark'>}, [])\n"
                        "Said('said',)");
}

static void test_what_is_wrongly_typed_does_not_reach_dbus(Fixture *f, gconstpointer unused)
{
        g_autofree char *log = NULL;

        assert_call(f, "SayWrong", NULL, "()");
        assert_call(f, "TextWrong", NULL, "()");
        assert_properties(f, "Get", "('" INTERFACE "', 'Text')", DBUS ".Error.Failed");
        log = take_log(f);
        g_assert_null(strstr(log, "5"));
        assert_properties(f, "Get", "('" INTERFACE "', 'Text')", "(<'mark'>,)");
}

/* ---- objects ---- */

static void test_object_comes_with_its_properties(Fixture *f, gconstpointer unused)
{
        g_autofree char *managed = NULL, *none = NULL, *log = NULL;

        assert_call(f, "AddItem", "('one',)", "()");
        assert_hears(f, "InterfacesAdded");
        g_assert_true(has_heard(f, "InterfacesAdded('" PATH "/items/one', "
                                   "{'org.example.Item': {'Name': <'one'>, 'Size': <uint32 3>}})"));
        managed = call(f, PATH, DBUS ".ObjectManager", "GetManagedObjects", NULL);
        g_assert_cmpstr(managed, ==,
                        "({'" PATH "/items/one': {'org.example.Item': "
                        "{'Name': <'one'>, 'Size': <uint32 3>}}},)");
        assert_call(f, "RemoveItem", "('one',)", "()");
        assert_hears(f, "InterfacesRemoved('" PATH "/items/one', ['org.example.Item'])");
        none = call(f, PATH, DBUS ".ObjectManager", "GetManagedObjects", NULL);
        g_assert_cmpstr(none, ==, "({},)");
        log = take_log(f);
        g_assert_null(strstr(log, "'Name': <'one'>}, []"));
}

static void test_introspection_says_what_the_mapping_says(Fixture *f, gconstpointer unused)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) reply = NULL;
        GDBusNodeInfo *node;
        GDBusInterfaceInfo *interface;
        GDBusMethodInfo *old;
        const char *xml;

        reply = g_dbus_connection_call_sync(f->client, NAME, PATH, DBUS ".Introspectable",
                                            "Introspect", NULL, NULL, 0, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(&s)", &xml);
        node = g_dbus_node_info_new_for_xml(xml, &error);
        g_assert_no_error(error);
        interface = g_dbus_node_info_lookup_interface(node, INTERFACE);
        g_assert_nonnull(interface);
        old = g_dbus_interface_info_lookup_method(interface, "Old");
        g_assert_cmpstr(g_dbus_annotation_info_lookup(old->annotations, DBUS ".Method.NoReply"), ==,
                        "true");
        g_assert_cmpstr(g_dbus_annotation_info_lookup(old->annotations, DBUS ".Deprecated"), ==,
                        "true");
        g_assert_cmpstr(g_dbus_interface_info_lookup_method(interface, "Add")->out_args[0]->name,
                        ==, "sum");
        g_assert_cmpstr(
                g_dbus_annotation_info_lookup(
                        g_dbus_interface_info_lookup_property(interface, "Volatile")->annotations,
                        DBUS ".Property.EmitsChangedSignal"),
                ==, "invalidates");
        g_assert_nonnull(g_dbus_node_info_lookup_interface(node, DBUS ".ObjectManager"));
        g_dbus_node_info_unref(node);
}

static void test_stock_tools_see_it(Fixture *f, gconstpointer unused)
{
        g_autofree char *address =
                g_strdup_printf("--address=%s", dbus_daemon_get_address(f->stage->bus));
        const struct {
                const char *argv[10];
                const char *expected;
        } rows[] = {
                {{"busctl", address, "tree", "--list", NAME}, PATH "\n"},
                {{"busctl", address, "introspect", NAME, PATH, INTERFACE}, ".Add "},
                {{"busctl", address, "get-property", NAME, PATH, INTERFACE, "Model"},
                 "s \"Model T\""},
                {{"busctl", address, "call", NAME, PATH, INTERFACE, "Who"}, "s \":"},
                {{"gdbus", "introspect", "--address", address + strlen("--address="), "-d", NAME,
                  "-o", PATH},
                 "readwrite u Level = 7"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *output = NULL, *errors = NULL;
                int status =
                        process_run(f->stage->dir, rows[i].argv, NULL, WAIT_MSEC, &output, &errors);

                if (status != 0 || !strstr(output, rows[i].expected))
                        g_error("%s %s: %d\n%s%s", rows[i].argv[0], rows[i].argv[2], status, output,
                                errors);
        }
}

/* ---- life ---- */

static void test_name_is_kept_while_the_service_is_lost(Fixture *f, gconstpointer unused)
{
        g_autofree char *result = NULL;
        bool back = false;
        gint64 deadline = wait_deadline(WAIT_MSEC);

        assert_call(f, "Add", "(1, 2)", "(3,)");
        process_kill(f->service);
        do {
                g_free(result);
                result = call(f, PATH, INTERFACE, "Add", "(1, 2)");
        } while (!strcmp(result, DBUS ".Error.NoReply") && wait_left(deadline) > 0);
        g_assert_cmpstr(result, ==, DBUS ".Error.ServiceUnknown");
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC));
        process_free(f->service);
        start_service(f);
        while (!back && wait_left(deadline) > 0) {
                g_autofree char *again = call(f, PATH, INTERFACE, "Add", "(1, 2)");

                back = !strcmp(again, "(3,)");
        }
        g_assert_true(back);
}

static void test_daemon_that_takes_the_name_has_won(Fixture *f, gconstpointer unused)
{
        g_autoptr(GDBusConnection) daemon = dbus_daemon_connect(f->stage->bus);
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;
        guint32 answer;

        assert_call(f, "Add", "(1, 2)", "(3,)");
        reply = g_dbus_connection_call_sync(daemon, DBUS, "/org/freedesktop/DBus", DBUS,
                                            "RequestName", g_variant_new("(su)", NAME, 2 | 4), NULL,
                                            0, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(u)", &answer);
        g_assert_cmpuint(answer, ==, 1);
        g_assert_true(process_wait_output(gateway_process_get_process(f->stage->gateway),
                                          PROCESS_STDERR, "is taken", WAIT_MSEC));
        g_dbus_connection_close_sync(daemon, NULL, NULL);
        g_assert_true(process_wait_output(gateway_process_get_process(f->stage->gateway),
                                          PROCESS_STDERR, "is claiming", WAIT_MSEC));
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC));
        assert_call(f, "Add", "(1, 2)", "(3,)");
}

/* ---- loops ---- */

static void test_gateway_does_not_show_what_it_offers_itself(Fixture *f, gconstpointer unused)
{
        g_autofree char *reply = NULL, *text = NULL;

        gateway_process_free(f->stage->gateway);
        f->stage->gateway = NULL;
        /* the same name on the same bus, written differently: the loader takes them for two */
        text = g_strdup_printf("{\"service\": \"test\", \"dbus\": {\"name\": \"" NAME "\", "
                               "\"bus\": \"%s\"}, \"objects\": [{\"path\": \"" PATH "\", "
                               "\"interfaces\": {\"" INTERFACE "\": {\"methods\": {\"Who\": "
                               "{\"in\": [], \"out\": [\"w:s\"]}}}}}]}",
                               dbus_daemon_get_address(f->stage->bus));
        g_free(gateway_stage_write(f->stage, "test.json", text));
        gateway_stage_start(f->stage);
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, true, WAIT_MSEC));
        assert_call(f, "Add", "(1, 2)", "(3,)");
        reply = gateway_stage_call(f->stage, "test", "Who", NULL);
        g_assert_nonnull(strstr(reply, "is what a gateway offers on D-Bus, from MQTT"));
}

/* Serves nothing, but says that it comes from the name that the gateway would offer it under. */
static void test_service_that_comes_from_the_same_name_is_refused(Fixture *f, gconstpointer unused)
{
        g_autofree char *state = NULL;
        int status;

        assert_call(f, "Add", "(1, 2)", "(3,)");
        process_kill(f->service);
        g_assert_true(process_wait_output(gateway_process_get_process(f->stage->gateway),
                                          PROCESS_STDERR, "is lost", WAIT_MSEC));
        state = g_strdup_printf("{\"state\":\"ready\",\"epoch\":\"e1\",\"proto\":\"mb1\","
                                "\"origin\":[\"dbus:%s/" NAME "\"]}",
                                g_dbus_connection_get_guid(f->client));
        const char *argv[] = {"mosquitto_pub",
                              "--unix",
                              broker_get_uri(f->stage->broker) + strlen("unix://"),
                              "-u",
                              "native",
                              "-P",
                              "secret of native",
                              "-V",
                              "5",
                              "-q",
                              "1",
                              "-r",
                              "-t",
                              "mb1/native/$state",
                              "-m",
                              state,
                              NULL};

        status = process_run(f->stage->dir, argv, NULL, WAIT_MSEC, NULL, NULL);
        g_assert_cmpint(status, ==, 0);
        g_assert_true(process_wait_output(gateway_process_get_process(f->stage->gateway),
                                          PROCESS_STDERR, "is refused", WAIT_MSEC));
        g_assert_true(dbus_daemon_wait_name(f->stage->bus, NAME, false, WAIT_MSEC));
}

#define TEST(path, function) g_test_add((path), Fixture, NULL, set_up, (function), tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        TEST("/facade/method-is-called-with-the-identity-of-its-caller",
             test_method_is_called_with_the_identity_of_its_caller);
        TEST("/facade/errors-have-the-names-that-clients-know",
             test_errors_have_the_names_that_clients_know);
        TEST("/facade/properties-are-read-and-set", test_properties_are_read_and_set);
        TEST("/facade/changes-are-told-as-annotated-and-before-what-follows",
             test_changes_are_told_as_annotated_and_before_what_follows);
        TEST("/facade/what-is-wrongly-typed-does-not-reach-dbus",
             test_what_is_wrongly_typed_does_not_reach_dbus);
        TEST("/facade/object-comes-with-its-properties", test_object_comes_with_its_properties);
        TEST("/facade/introspection-says-what-the-mapping-says",
             test_introspection_says_what_the_mapping_says);
        TEST("/facade/stock-tools-see-it", test_stock_tools_see_it);
        TEST("/facade/name-is-kept-while-the-service-is-lost",
             test_name_is_kept_while_the_service_is_lost);
        TEST("/facade/daemon-that-takes-the-name-has-won", test_daemon_that_takes_the_name_has_won);
        TEST("/facade/trap-26-gateway-does-not-show-what-it-offers-itself",
             test_gateway_does_not_show_what_it_offers_itself);
        TEST("/facade/trap-26-service-that-comes-from-the-same-name-is-refused",
             test_service_that_comes_from_the_same_name_is_refused);
        return g_test_run();
}
