/* SPDX-License-Identifier: MIT */

/* A service that MQTT provides, on D-Bus: who may, how much at a time, and when it is there. */

#include "tests/support/gateway-stage.h"
#include "tests/support/wait.h"

#include <string.h>
#include <sys/stat.h>

#define NAME      "org.example.Native"
#define PATH      "/org/example/Native"
#define INTERFACE "org.example.Native"
#define ERROR     "org.freedesktop.DBus.Error."

static const char objects[] =
        "[{\"path\": \"" PATH "\", \"object\": \"-\", \"interfaces\": {\"" INTERFACE "\": {"
        "\"methods\": {"
        "\"Add\": {\"in\": [\"a:i\", \"b:i\"], \"out\": [\"sum:i\"], \"access\": \"read\"},"
        "\"Poke\": {\"in\": [], \"out\": []},"
        "\"Sleep\": {\"in\": [], \"out\": [], \"access\": \"read\", \"max_in_flight\": 1,"
        " \"timeout_ms\": 20000},"
        "\"Say\": {\"in\": [\"text:s\"], \"out\": [], \"access\": \"read\"}},"
        "\"properties\": {"
        "\"Level\": {\"type\": \"u\", \"writable\": true},"
        "\"Text\": {\"type\": \"s\", \"writable\": true, \"access\": \"control\"}},"
        "\"signals\": {\"Said\": {\"args\": [\"text:s\"]}}}}}]";

typedef struct Fixture {
        GatewayStage *stage;
        GDBusConnection *client;
} Fixture;

/* `service` is the name in topics, or the pattern of a family. */
static void set_up_as(Fixture *f, const char *service, const char *bus_name, const char *more)
{
        static const char *const gateway[] = {"--gateway", "--service", "gateway",  "--call",
                                              "native/+",  "--call",    "unit.a/+", "--call",
                                              "unit.b/+",  NULL};
        static const char *const native[] = {"--service", "native", "--service", "unit.a",
                                             "--service", "unit.b", NULL};
        g_autofree char *text = g_strdup_printf(
                "{\"service\": \"%s\", \"dbus\": {\"name\": \"%s\"}, \"provider\": \"mqtt\",%s\n"
                "\"objects\": %s}",
                service, bus_name, more, objects);

        f->stage = gateway_stage_new();
        broker_add_user(f->stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(f->stage->broker, "native", "secret of native", native);
        dbus_daemon_add_policy(f->stage->bus,
                               "<policy context=\"default\"><allow user=\"*\"/></policy>");
        g_free(gateway_stage_write(f->stage, "native.json", text));
        gateway_stage_start(f->stage);
        f->client = dbus_daemon_connect(f->stage->bus);
}

static Process *start_service(Fixture *f, const char *service)
{
        const char *argv[] = {MQTTRPC_NATIVE_SERVICE,
                              broker_get_uri(f->stage->broker),
                              "native",
                              "secret of native",
                              service,
                              NULL};

        return process_start(f->stage->dir, "native", argv, NULL);
}

static void assert_owned(Fixture *f, const char *name, bool owned)
{
        if (!dbus_daemon_wait_name(f->stage->bus, name, owned, WAIT_MSEC))
                g_error("%s is %s", name, owned ? "not taken" : "still there");
}

static void set_up(Fixture *f, gconstpointer more)
{
        set_up_as(f, "native", NAME, more);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
        g_clear_object(&f->client);
        gateway_stage_free(f->stage);
}

/* ---- who may ---- */

/* Runs busctl as a user without rights. What it prints; the caller frees it. */
static char *call_as_nobody(Fixture *f, const char *const *words)
{
        g_autofree char *address =
                g_strdup_printf("--address=%s", dbus_daemon_get_address(f->stage->bus));
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        static const char *const head[] = {"setpriv", "--reuid=65534", "--regid=65534",
                                           "--clear-groups", "busctl"};
        g_autofree char *out = NULL, *err = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
                g_ptr_array_add(argv, (gpointer)head[i]);
        g_ptr_array_add(argv, address);
        for (; *words; words++)
                g_ptr_array_add(argv, (gpointer)*words);
        g_ptr_array_add(argv, NULL);
        (void)process_run(f->stage->dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, &out,
                          &err);
        return g_strconcat(out, err, NULL);
}

/* The folders of the test are only for who runs it. */
static void let_everybody_in(Fixture *f)
{
        g_autofree char *socket = g_strdup(strchr(dbus_daemon_get_address(f->stage->bus), '=') + 1);
        g_autofree char *folder = g_path_get_dirname(socket);

        g_assert_cmpint(chmod(temp_dir_get_path(f->stage->dir), 0711), ==, 0);
        g_assert_cmpint(chmod(folder, 0711), ==, 0);
}

static void test_members_of_class_admin_are_for_root(Fixture *f, gconstpointer unused)
{
        static const struct {
                const char *words[8];
                const char *expected;
        } rows[] = {
                {{"call", NAME, PATH, INTERFACE, "Add", "ii", "1", "2"}, "i 3"},
                {{"call", NAME, PATH, INTERFACE, "Poke"}, "Access"},
                {{"get-property", NAME, PATH, INTERFACE, "Level"}, "u 7"},
                {{"set-property", NAME, PATH, INTERFACE, "Level", "u", "8"}, "Access"},
                {{"get-property", NAME, PATH, INTERFACE, "Level"}, "u 7"},
                {{"set-property", NAME, PATH, INTERFACE, "Text", "s", "x"}, ""},
                {{"get-property", NAME, PATH, INTERFACE, "Text"}, "s \"x\""},
        };
        CLEANUP_PROCESS Process *service = NULL;
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;

        if (getuid() != 0) {
                g_test_skip("only root can be somebody else");
                return;
        }
        let_everybody_in(f);
        service = start_service(f, "native");
        assert_owned(f, NAME, true);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const char *words[G_N_ELEMENTS(rows[i].words) + 1] = {NULL};
                g_autofree char *said = NULL;

                memcpy(words, rows[i].words, sizeof(rows[i].words));
                said = call_as_nobody(f, words);
                if (rows[i].expected[0] ? !strstr(said, rows[i].expected) : said[0] != '\0')
                        g_error("%s %s: %s", words[0], words[4], said);
        }
        reply = g_dbus_connection_call_sync(f->client, NAME, PATH, INTERFACE, "Poke", NULL, NULL,
                                            G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
}

/* ---- how much ---- */

static void on_reply(GObject *object, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;
        GPtrArray *names = userdata;

        reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(object), result, &error);
        g_ptr_array_add(names, reply ? g_strdup("") : g_dbus_error_get_remote_error(error));
}

static void call_async(Fixture *f, const char *member, GVariant *arguments, GPtrArray *names)
{
        g_dbus_connection_call(f->client, NAME, PATH, INTERFACE, member, arguments, NULL,
                               G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, on_reply, names);
}

static void wait_for(const GPtrArray *names, guint count)
{
        while (names->len < count)
                g_main_context_iteration(NULL, TRUE);
}

/* One call of Sleep is all that its mapping allows; other methods are not concerned. */
static void test_calls_in_flight_are_limited(Fixture *f, gconstpointer unused)
{
        CLEANUP_PROCESS Process *service = start_service(f, "native");
        g_autoptr(GPtrArray) sleeping = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);

        assert_owned(f, NAME, true);
        call_async(f, "Sleep", NULL, sleeping);
        call_async(f, "Sleep", NULL, refused);
        wait_for(refused, 1);
        g_assert_cmpstr(refused->pdata[0], ==, ERROR "LimitsExceeded");
        call_async(f, "Say", g_variant_new("(s)", "other"), refused);
        wait_for(refused, 2);
        g_assert_cmpstr(refused->pdata[1], ==, "");
        g_assert_cmpuint(sleeping->len, ==, 0);
        process_kill(service);
        wait_for(sleeping, 1);
}

/* ---- without an answer ---- */

static GDBusMessage *count_answers(GDBusConnection *connection, GDBusMessage *m, gboolean incoming,
                                   gpointer userdata)
{
        /* those of the bus itself are of other calls */
        if (incoming && g_dbus_message_get_reply_serial(m) != 0 &&
            g_strcmp0(g_dbus_message_get_sender(m), "org.freedesktop.DBus") != 0)
                g_atomic_int_inc((gint *)userdata);
        return m;
}

static void on_said(GDBusConnection *connection, const char *sender, const char *path,
                    const char *interface, const char *member, GVariant *arguments,
                    gpointer userdata)
{
        *(bool *)userdata = true;
}

/* What is answered nevertheless would come before what follows. */
static void test_who_wants_no_answer_gets_none(Fixture *f, gconstpointer unused)
{
        static const char *const members[] = {"Say", "Nothing", "Add"};
        CLEANUP_PROCESS Process *service = start_service(f, "native");
        gint answers = 0;
        guint filter, subscription;
        bool said = false;

        assert_owned(f, NAME, true);
        filter = g_dbus_connection_add_filter(f->client, count_answers, &answers, NULL);
        subscription =
                g_dbus_connection_signal_subscribe(f->client, NAME, INTERFACE, "Said", PATH, NULL,
                                                   G_DBUS_SIGNAL_FLAGS_NONE, on_said, &said, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
                GDBusMessage *m = g_dbus_message_new_method_call(NAME, PATH, INTERFACE, members[i]);
                g_autoptr(GVariant) reply = NULL;
                g_autoptr(GError) error = NULL;

                g_dbus_message_set_flags(m, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
                g_dbus_message_set_body(m, g_variant_new("(s)", "quiet"));
                g_dbus_connection_send_message(f->client, m, 0, NULL, &error);
                g_assert_no_error(error);
                reply = g_dbus_connection_call_sync(
                        f->client, NAME, PATH, INTERFACE, "Add", g_variant_new("(ii)", 1, 2), NULL,
                        G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, &error);
                g_assert_no_error(error);
                g_assert_cmpint(g_atomic_int_get(&answers), ==, (gint)i + 1);
                g_object_unref(m);
        }
        while (!said)
                g_main_context_iteration(NULL, TRUE);
        g_dbus_connection_signal_unsubscribe(f->client, subscription);
        g_dbus_connection_remove_filter(f->client, filter);
}

/* ---- when ---- */

static void test_name_goes_with_the_service_where_the_mapping_says_so(Fixture *f,
                                                                      gconstpointer unused)
{
        Process *service = start_service(f, "native");

        assert_owned(f, NAME, true);
        process_free(service);
        assert_owned(f, NAME, false);
        service = start_service(f, "native");
        assert_owned(f, NAME, true);
        process_free(service);
}

static void test_each_member_of_a_family_has_its_name(void)
{
        Fixture f = {};
        Process *a, *b;
        g_autoptr(GVariant) reply = NULL;
        g_autoptr(GError) error = NULL;

        set_up_as(&f, "unit.{name}", "org.example.Unit.*", "");
        a = start_service(&f, "unit.a");
        assert_owned(&f, "org.example.Unit.a", true);
        b = start_service(&f, "unit.b");
        assert_owned(&f, "org.example.Unit.b", true);
        reply = g_dbus_connection_call_sync(f.client, "org.example.Unit.b", PATH, INTERFACE, "Add",
                                            g_variant_new("(ii)", 1, 2), NULL,
                                            G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        process_free(a);
        assert_owned(&f, "org.example.Unit.a", false);
        assert_owned(&f, "org.example.Unit.b", true);
        a = start_service(&f, "unit.a");
        assert_owned(&f, "org.example.Unit.a", true);
        process_free(a);
        process_free(b);
        tear_down(&f, NULL);
}

#define TEST(path, more, function) \
        g_test_add((path), Fixture, (more), set_up, (function), tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        TEST("/facade-rights/members-of-class-admin-are-for-root", "",
             test_members_of_class_admin_are_for_root);
        TEST("/facade-rights/calls-in-flight-are-limited", "", test_calls_in_flight_are_limited);
        TEST("/facade-rights/who-wants-no-answer-gets-none", "",
             test_who_wants_no_answer_gets_none);
        TEST("/facade-rights/name-goes-with-the-service-where-the-mapping-says-so",
             "\"release_when_lost\": true,",
             test_name_goes_with_the_service_where_the_mapping_says_so);
        g_test_add_func("/facade-rights/each-member-of-a-family-has-its-name",
                        test_each_member_of_a_family_has_its_name);
        return g_test_run();
}
