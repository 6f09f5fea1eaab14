/* SPDX-License-Identifier: MIT */

/* Who may not, and how that looks to the caller: refused by the mapping, by the broker's access
 * list, by the policy of the bus, and by what the service asks polkit. The gateway's rights on
 * D-Bus are not the caller's. */

#include "tests/support/gateway-stage.h"
#include "tests/support/raw-client.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME         "org.example.Test"
#define ROOT         "/org/example/Test"
#define BOB_PASSWORD "secret of bob"

/* Reason code "not authorized" of MQTT 5. */
enum { NOT_AUTHORIZED = 0x87 };

typedef struct Fixture {
        GatewayStage *stage;
        Process *service;
        RawClient *bob; /* may call Echo only */
} Fixture;

static const char objects[] =
        "[{\"path\":\"" ROOT "\",\"interfaces\":{\"" NAME "\":{\"methods\":{"
        "\"Echo\":{\"in\":[\"x:i\"],\"out\":[\"x:i\"],\"access\":\"control\"},"
        "\"EchoByPolicy\":{\"in\":[\"x:i\"],\"out\":[\"x:i\"]},"
        "\"EchoHidden\":{\"in\":[\"x:i\"],\"out\":[\"x:i\"],\"access\":\"none\"},"
        "\"Fail\":{\"in\":[\"name:s\",\"text:s\"],\"out\":[]},"
        "\"Count\":{\"in\":[\"method:s\"],\"out\":[\"n:u\"]}},"
        "\"properties\":{\"ByPolicy\":{\"type\":\"i\",\"writable\":true}}}}}]";

static void set_up(Fixture *fixture, gconstpointer unused)
{
        static const char *const rights[] = {"--call", "test/-/Echo", NULL};
        const RawOptions bob = {.user = "bob", .password = BOB_PASSWORD};

        fixture->stage = gateway_stage_new();
        gateway_stage_add_mapping(fixture->stage, "test", NAME, "", objects);
        broker_add_user(fixture->stage->broker, "bob", BOB_PASSWORD, rights);
        dbus_daemon_add_policy(fixture->stage->bus,
                               "<policy context=\"mandatory\">"
                               "<deny send_destination=\"" NAME "\" send_interface=\"" NAME
                               "\" send_member=\"EchoByPolicy\"/>"
                               "<deny send_destination=\"" NAME "\" send_interface="
                               "\"org.freedesktop.DBus.Properties\" send_member=\"Set\"/>"
                               "</policy>");
        gateway_stage_start(fixture->stage);
        fixture->service = gateway_stage_start_service(fixture->stage, NAME, NULL);
        fixture->bob = raw_client_new(fixture->stage->broker, &bob);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        raw_client_free(fixture->bob);
        process_free(fixture->service);
        gateway_stage_free(fixture->stage);
}

static char *call(Fixture *fixture, const char *method, const char *params)
{
        return gateway_stage_call(fixture->stage, "test", method, params);
}

/* The service has never heard of it. */
static void assert_not_called(Fixture *fixture, const char *method)
{
        g_autofree char *params = g_strdup_printf("[\"%s\"]", method);
        g_autofree char *count = call(fixture, "Count", params);

        rpc_reply_assert_result(count, "0");
}

/* What nobody has mapped is not there, and what is mapped with access "none" neither. */
static void test_what_is_not_mapped(Fixture *fixture, gconstpointer unused)
{
        static const char *const methods[] = {"EchoUnmapped", "EchoHidden", "Introspect",
                                              NAME ".EchoUnmapped"};

        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
                g_autofree char *reply = call(fixture, methods[i], "[1]");

                rpc_reply_assert_error(reply, -32601, NULL, "no", methods[i]);
        }
        assert_not_called(fixture, "EchoUnmapped");
        assert_not_called(fixture, "EchoHidden");
}

static int post(Fixture *fixture, const char *topic)
{
        const RawPublish request = {
                .topic = topic,
                .payload = "{\"jsonrpc\":\"2.0\",\"id\":1,\"params\":[1]}",
                .qos = 1,
        };

        return raw_client_publish(fixture->bob, &request);
}

/* Nothing of it reaches the gateway; the caller learns it from the broker. */
static void test_what_is_not_granted(Fixture *fixture, gconstpointer unused)
{
        static const char *const topics[] = {
                "mb1/test/-/call/EchoByPolicy/bob", "mb1/test/-/call/Echo/alice",
                "mb1/test/-/call/prop.get/bob",     "mb1/test/-/rpc/bob",
                "mb1/test/other/call/Echo/bob",     "mb1/gateway/-/call/rpc.ping/bob",
        };

        raw_client_subscribe(fixture->bob, "mb1/test/-/call/+/bob/+");
        for (size_t i = 0; i < G_N_ELEMENTS(topics); i++)
                g_assert_cmphex((unsigned)post(fixture, topics[i]), ==, NOT_AUTHORIZED);
        assert_not_called(fixture, "Echo");
        g_assert_cmphex((unsigned)post(fixture, "mb1/test/-/call/Echo/bob"), ==, 0);
        g_assert_nonnull(strstr(raw_client_receive(fixture->bob)->payload, "\"result\":1"));
}

/* The bus does not let the gateway. */
static void test_what_the_bus_denies(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *called = call(fixture, "EchoByPolicy", "[1]");
        g_autofree char *set = call(fixture, "prop.set.ByPolicy", "[1]");
        g_autofree char *allowed = call(fixture, "Echo", "[1]");

        rpc_reply_assert_error(called, -32001, "org.freedesktop.DBus.Error.AccessDenied", NULL,
                               "EchoByPolicy");
        rpc_reply_assert_error(set, -32001, "org.freedesktop.DBus.Error.AccessDenied", NULL, "Set");
        rpc_reply_assert_result(allowed, "1");
        assert_not_called(fixture, "EchoByPolicy");
        assert_not_called(fixture, "Set");
}

/* As services answer that have asked polkit: no; not without a password, which nobody can be asked
 * for here; there is no polkit. */
static void test_what_polkit_refuses(Fixture *fixture, gconstpointer unused)
{
        static const struct {
                const char *name;
                const char *text;
                int code;
                const char *executed;
        } rows[] = {
                {"org.freedesktop.PolicyKit1.Error.NotAuthorized", "Not authorized.", -32001, "no"},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                 "Interactive authentication required.", -32013, "no"},
                {"org.freedesktop.DBus.Error.AuthFailed", "Authentication failed.", -32013, "no"},
                {"org.freedesktop.DBus.Error.AccessDenied", "Permission denied", -32001, NULL},
                {"System.Error.EACCES", "Permission denied", -32001, NULL},
                /* names of their own */
                {"org.freedesktop.UDisks2.Error.NotAuthorized",
                 "Not authorized to perform operation", -32001, "no"},
                {"org.freedesktop.UDisks2.Error.NotAuthorizedCanObtain",
                 "Not authorized to perform operation", -32013, "no"},
                {"org.freedesktop.ModemManager1.Error.Core.Unauthorized",
                 "PolicyKit authorization failed", -32001, "no"},
                {"org.freedesktop.NetworkManager.PermissionDenied",
                 "Not authorized to control networking.", -32001, "no"},
                {"org.freedesktop.Accounts.Error.PermissionDenied", "Authentication is required",
                 -32001, "no"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *params =
                        g_strdup_printf("[\"%s\",\"%s\"]", rows[i].name, rows[i].text);
                g_autofree char *reply = call(fixture, "Fail", params);

                rpc_reply_assert_error(reply, rows[i].code, rows[i].name, rows[i].executed,
                                       rows[i].text);
        }
}

static const struct {
        const char *path;
        void (*function)(Fixture *fixture, gconstpointer unused);
} tests[] = {
        {"what-is-not-mapped", test_what_is_not_mapped},
        {"what-is-not-granted", test_what_is_not_granted},
        {"what-the-bus-denies", test_what_the_bus_denies},
        {"what-polkit-refuses", test_what_polkit_refuses},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/refusals/trap-28-%s", tests[i].path);

                g_test_add(path, Fixture, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
