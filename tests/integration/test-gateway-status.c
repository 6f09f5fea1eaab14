/* SPDX-License-Identifier: MIT */

/* What a running gateway says of itself: its own service, the verb that shows it, and what it keeps
 * over restarts. */

#include "tests/support/gateway-stage.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <string.h>

#define NAME "org.example.Test"
#define OBJECTS                                                                              \
        "[{ \"path\": \"/\", \"object\": \"-\", \"interfaces\": { \"org.example.Test1\": { " \
        "\"methods\": {"                                                                     \
        " \"EchoTyped\": { \"in\": [\"n:i\"], \"out\": [\"n:i\"] } } } } }]"

typedef struct Fixture {
        GatewayStage *stage;
        Process *service;
        MqttClient *admin;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        static const char *const rights[] = {"--call", "gateway", NULL};

        fixture->stage = gateway_stage_new();
        gateway_stage_add_mapping(fixture->stage, "test", NAME, "\"summary\": \"For tests\",",
                                  OBJECTS);
        broker_add_user(fixture->stage->broker, "admin", "secret of admin", rights);
}

static void start(Fixture *fixture)
{
        gateway_stage_start(fixture->stage);
        if (!fixture->service)
                fixture->service = gateway_stage_start_service(fixture->stage, NAME, NULL);
        if (!fixture->admin)
                fixture->admin = mqtt_client_new(fixture->stage->broker, "admin");
}

static void stop_gateway(Fixture *fixture)
{
        fixture->stage->gateway = gateway_process_free(fixture->stage->gateway);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        mqtt_client_free(fixture->admin);
        process_free(fixture->service);
        gateway_stage_free(fixture->stage);
}

static char *ask(Fixture *fixture, const char *method, const char *params)
{
        MqttRequest request = {.service = "gateway", .method = method, .params = params};

        return mqtt_client_call(fixture->admin, &request);
}

static void echo(Fixture *fixture)
{
        g_autofree char *reply = gateway_stage_call(fixture->stage, "test", "EchoTyped", "[5]");

        rpc_reply_assert_result(reply, "5");
}

static void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                g_error("no '%s' in: %s", part, text);
}

static bool is_running(void *userdata)
{
        g_autofree char *reply = ask(userdata, "Services", NULL);

        return strstr(reply, "\"state\":\"running\"");
}

static void wait_running(Fixture *fixture)
{
        if (!wait_until(is_running, fixture, WAIT_MSEC))
                g_error("the service does not become running");
}

/* ---- the service ---- */

static void test_services_are_listed(Fixture *fixture, gconstpointer data)
{
        g_autofree char *before = NULL;
        g_autofree char *reply = NULL;

        g_free(gateway_stage_write(fixture->stage, "bad.json", "{ \"servic\": 5 }"));
        gateway_stage_start(fixture->stage);
        fixture->admin = mqtt_client_new(fixture->stage->broker, "admin");
        before = ask(fixture, "Services", NULL);
        assert_has(before, "\"services\":[{\"name\":\"test\",\"state\":\"unavailable\","
                           "\"owner\":null,\"summary\":\"For tests\",");
        start(fixture);
        wait_running(fixture);
        echo(fixture);
        reply = ask(fixture, "Services", NULL);
        assert_has(reply, "\"state\":\"running\",\"owner\":\":1.");
        assert_has(reply, "/test.json\",\"provider\":\"dbus\",\"bus\":\"unix:");
        assert_has(reply, "\"bus_name\":\"" NAME "\",\"objects\":1,\"calls\":1,\"errors\":0,");
        assert_has(reply, "\"in_flight\":0,\"idle_s\":");
        assert_has(reply, "\"findings\":[{\"level\":\"error\",\"text\":\"");
        assert_has(reply, "bad.json:1:3 /servic: unknown key 'servic', did you mean 'service'?\"");
}

static void test_one_service_tells_who_uses_it(Fixture *fixture, gconstpointer data)
{
        g_autofree char *reply = NULL;
        g_autofree char *none = NULL;
        g_autofree char *failure = NULL;

        start(fixture);
        wait_running(fixture);
        echo(fixture);
        failure = gateway_stage_call(fixture->stage, "test", "EchoTyped", "[\"x\"]");
        g_assert_cmpint(rpc_reply_get_code(failure), ==, -32602);
        reply = ask(fixture, "Service", "[\"test\"]");
        assert_has(reply, "\"calls\":2,\"errors\":1,");
        assert_has(reply, "\"usage\":[{\"side\":\"mqtt\",\"access\":\"call\",\"object\":\"-\","
                          "\"interface\":\"org.example.Test1\",\"member\":\"EchoTyped\","
                          "\"count\":1,\"first\":\"2");
        assert_has(reply, "\"caller\":\"alice\"}],\"usage_left_out\":0}");
        none = ask(fixture, "Service", "{\"name\":\"x\"}");
        rpc_reply_assert_error(none, -32002, NULL, NULL, "the gateway serves no 'x'");
}

static void test_figures_of_the_process(Fixture *fixture, gconstpointer data)
{
        g_autofree char *reply = NULL;

        start(fixture);
        wait_running(fixture);
        echo(fixture);
        reply = ask(fixture, "Stats", NULL);
        assert_has(reply, "{\"version\":\"");
        assert_has(reply, "\"services\":1,\"mapping_errors\":0,\"objects\":1,\"calls\":1,");
        assert_has(reply, "\"mqtt\":{\"user\":\"gateway\",\"connected_s\":");
        assert_has(reply, "\"dbus\":{\"connections\":1,\"connected\":1}");
        assert_has(reply, "\"usage\":{\"members\":1,\"others\":0}");
}

static void test_log_level_can_be_set(Fixture *fixture, gconstpointer data)
{
        g_autofree char *before = NULL;
        g_autofree char *bad = NULL;
        g_autofree char *set = NULL;
        g_autofree char *after = NULL;
        Process *process;

        start(fixture);
        process = gateway_process_get_process(fixture->stage->gateway);
        before = ask(fixture, "prop.get", "[\"LogLevel\"]");
        rpc_reply_assert_result(before, "\"debug\"");
        bad = ask(fixture, "prop.set.LogLevel", "[\"loud\"]");
        rpc_reply_assert_error(bad, -32602, NULL, NULL, "'loud' is none of error, warning");
        set = ask(fixture, "prop.set.LogLevel", "[\"notice\"]");
        rpc_reply_assert_result(set, "null");
        g_assert_true(process_wait_output(process, PROCESS_STDERR, "log level notice, set by admin",
                                          WAIT_MSEC));
        after = ask(fixture, "prop.get", "[\"LogLevel\"]");
        rpc_reply_assert_result(after, "\"notice\"");
}

static void test_description_tells_access(Fixture *fixture, gconstpointer data)
{
        g_autofree char *reply = NULL;

        start(fixture);
        reply = ask(fixture, "rpc.discover", NULL);
        assert_has(reply, "\"name\":\"Services\",\"x-object\":\"-\",\"x-access\":\"read\"");
        assert_has(reply, "\"name\":\"LogLevel\",\"x-object\":\"-\",\"x-access\":\"admin\"");
}

/* ---- the verb ---- */

/* Runs it as the gateway's own user, as its configuration file has it. */
static int run_verb(Fixture *fixture, const char *verb, const char *const *arguments,
                    char **ret_stdout, char **ret_stderr)
{
        g_autofree char *password = broker_get_password_file(fixture->stage->broker, "gateway");
        g_autofree char *text =
                g_strdup_printf("{\"broker\":\"%s\",\"user\":\"gateway\",\"password_file\":\"%s\","
                                "\"client_id\":\"gw\"}",
                                broker_get_uri(fixture->stage->broker), password);
        g_autofree char *config = temp_dir_write(fixture->stage->dir, "gateway.json", text);
        g_autofree char *program = process_program_path("dbus-mqtt-gateway");
        const char *argv[16] = {program, verb, "--config", config};

        for (size_t i = 4; *arguments; i++)
                argv[i] = *arguments++;
        return process_run(fixture->stage->dir, argv, NULL, WAIT_MSEC, ret_stdout, ret_stderr);
}

static int status(Fixture *fixture, const char *const *arguments, char **ret_stdout,
                  char **ret_stderr)
{
        return run_verb(fixture, "status", arguments, ret_stdout, ret_stderr);
}

static void test_status_is_a_table(Fixture *fixture, gconstpointer data)
{
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        g_free(gateway_stage_write(fixture->stage, "bad.json", "{ \"servic\": 5 }"));
        start(fixture);
        wait_running(fixture);
        echo(fixture);
        g_assert_cmpint(status(fixture, (const char *[]){NULL}, &out, &err), ==, 0);
        g_assert_cmpstr(err, ==, "");
        g_assert_true(g_regex_match_simple(
                "^SERVICE  STATE    OWNER +OBJECTS  CALLS  ERRORS  DROPPED  ACTIVITY\n"
                "test     running  :1\\.[0-9]+ +1        1      0       0        [0-9]+ s ago\n"
                "\nerror: /.*/bad\\.json:1:3 /servic: unknown key 'servic'",
                out, 0, 0));
}

static void test_status_of_one(Fixture *fixture, gconstpointer data)
{
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        start(fixture);
        wait_running(fixture);
        echo(fixture);
        g_assert_cmpint(status(fixture, (const char *[]){"test", NULL}, &out, &err), ==, 0);
        g_assert_cmpstr(err, ==, "");
        assert_has(out, "\nsummary          For tests\n");
        assert_has(out, "\nD-Bus name       " NAME "\n");
        assert_has(out, "\nOBJECT  MEMBER                       ACCESS  FROM  COUNT  FIRST");
        assert_has(out, "\n-       org.example.Test1.EchoTyped  call    mqtt  1      2");
        g_assert_true(g_str_has_suffix(out, "  alice\n"));
}

static void test_status_as_it_came(Fixture *fixture, gconstpointer data)
{
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        start(fixture);
        g_assert_cmpint(status(fixture, (const char *[]){"--json", NULL}, &out, &err), ==, 0);
        g_assert_cmpstr(err, ==, "");
        g_assert_true(g_str_has_prefix(out, "{\"services\":[{\"name\":\"test\","));
        g_assert_true(g_str_has_suffix(out, "\"findings\":[],\"findings_left_out\":0}\n"));
}

static void test_status_says_who_does_not_answer(Fixture *fixture, gconstpointer data)
{
        static const struct {
                const char *arguments[3];
                const char *text;
        } rows[] = {
                {{"nobody"}, "status: the gateway serves no 'nobody'\n"},
                {{"--name", "gate"}, "status: no gateway answers as 'gate': "},
                {{"--broker", "unix:///nonexistent"}, "status: cannot connect to the broker: "},
                {{"--password-file", "/nonexistent"}, "cannot open /nonexistent: No such file"},
        };

        start(fixture);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *out = NULL;
                g_autofree char *err = NULL;
                const char *arguments[4] = {rows[i].arguments[0], rows[i].arguments[1],
                                            rows[i].arguments[2]};

                g_assert_cmpint(status(fixture, arguments, &out, &err), ==, 1);
                g_assert_cmpstr(out, ==, "");
                assert_has(err, rows[i].text);
        }
}

static void test_status_says_that_none_runs(Fixture *fixture, gconstpointer data)
{
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        start(fixture);
        stop_gateway(fixture);
        g_assert_cmpint(status(fixture, (const char *[]){NULL}, &out, &err), ==, 1);
        g_assert_cmpstr(out, ==, "");
        assert_has(err, "status: no gateway answers as 'gateway': ");
}

/* ---- what is kept ---- */

/* ---- reload ---- */

static void test_reload_reads_the_mappings_again(Fixture *fixture, gconstpointer data)
{
        g_autofree char *reply = NULL, *out = NULL, *err = NULL, *bad = NULL, *bad_out = NULL,
                        *list = NULL;

        start(fixture);
        reply = ask(fixture, "Reload", NULL);
        assert_has(reply, "\"added\":0,\"changed\":0,\"removed\":0,\"unchanged\":1,\"kept\":0,"
                          "\"left_out\":0,\"findings\":[]");
        gateway_stage_add_mapping(fixture->stage, "other", "org.example.Other", "", OBJECTS);
        g_assert_cmpint(run_verb(fixture, "reload", (const char *[]){NULL}, &out, &err), ==, 0);
        g_assert_cmpstr(out, ==, "1 added\n1 unchanged\n");
        g_assert_cmpstr(err, ==, "");
        g_free(gateway_stage_write(fixture->stage, "other.json", "{ \"service\": 5 }"));
        g_assert_cmpint(run_verb(fixture, "reload", (const char *[]){NULL}, &bad_out, &bad), ==, 1);
        g_assert_cmpstr(bad_out, ==,
                        "1 unchanged\n1 bad; the version that was read before stays\n");
        assert_has(bad, "other.json:1:14 /service: ");
        /* who asks later is told as well */
        list = ask(fixture, "Services", NULL);
        assert_has(list, "other.json:1:14 /service: ");
        assert_has(list, "\"name\":\"other\"");
}

static void test_reload_ends_a_service_in_use(Fixture *fixture, gconstpointer data)
{
        MqttRequest request = {.service = "test", .method = "EchoTyped", .params = "[5]"};
        g_autofree char *path = g_build_filename(fixture->stage->mappings, "test.json", NULL);
        g_autofree char *reply = NULL, *answer = NULL;
        unsigned id;

        start(fixture);
        id = mqtt_client_send(fixture->stage->client, &request);
        g_assert_cmpint(g_unlink(path), ==, 0);
        reply = ask(fixture, "Reload", NULL);
        assert_has(reply, "\"removed\":1");
        /* by its result, or by an error if it was ended before */
        answer = mqtt_client_wait(fixture->stage->client, id, WAIT_MSEC);
        g_assert_nonnull(answer);
        if (rpc_reply_get_code(answer) == 0)
                rpc_reply_assert_result(answer, "5");
        else
                rpc_reply_assert_error(answer, -32012, NULL, NULL, "");
}

static void test_usage_is_kept_over_a_restart(Fixture *fixture, gconstpointer data)
{
        g_autofree char *reply = NULL;

        start(fixture);
        wait_running(fixture);
        echo(fixture);
        echo(fixture);
        stop_gateway(fixture);
        start(fixture);
        wait_running(fixture);
        echo(fixture);
        reply = ask(fixture, "Service", "[\"test\"]");
        assert_has(reply, "\"calls\":1,");
        assert_has(reply, "\"member\":\"EchoTyped\",\"count\":3,");
}

static void test_damaged_usage_is_set_aside(Fixture *fixture, gconstpointer data)
{
        g_autofree char *folder =
                g_build_filename(temp_dir_get_path(fixture->stage->dir), "gateway-state", NULL);
        g_autofree char *path = g_build_filename(folder, "usage.json", NULL);
        g_autofree char *aside = g_build_filename(folder, "usage.json.bad", NULL);
        g_autofree char *text = NULL;

        g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
        g_assert_true(g_file_set_contents(path, "{\"format\":\"dbus-mqtt", -1, NULL));
        start(fixture);
        wait_running(fixture);
        g_assert_true(process_wait_output(gateway_process_get_process(fixture->stage->gateway),
                                          PROCESS_STDERR, "cannot be used and is now", WAIT_MSEC));
        g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
        echo(fixture);
        stop_gateway(fixture);
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_has(text, "\"member\": \"EchoTyped\", \"count\": 1,");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/gateway-status/services-are-listed", test_services_are_listed);
        ADD("/gateway-status/one-service-tells-who-uses-it", test_one_service_tells_who_uses_it);
        ADD("/gateway-status/figures-of-the-process", test_figures_of_the_process);
        ADD("/gateway-status/log-level-can-be-set", test_log_level_can_be_set);
        ADD("/gateway-status/description-tells-access", test_description_tells_access);
        ADD("/gateway-status/verb/is-a-table", test_status_is_a_table);
        ADD("/gateway-status/verb/tells-of-one", test_status_of_one);
        ADD("/gateway-status/verb/prints-as-it-came", test_status_as_it_came);
        ADD("/gateway-status/verb/says-who-does-not-answer", test_status_says_who_does_not_answer);
        ADD("/gateway-status/verb/says-that-none-runs", test_status_says_that_none_runs);
        ADD("/gateway-status/reload", test_reload_reads_the_mappings_again);
        ADD("/gateway-status/reload-in-use", test_reload_ends_a_service_in_use);
        ADD("/gateway-status/usage/is-kept-over-a-restart", test_usage_is_kept_over_a_restart);
        ADD("/gateway-status/usage/damaged-one-is-set-aside", test_damaged_usage_is_set_aside);
        return g_test_run();
}
