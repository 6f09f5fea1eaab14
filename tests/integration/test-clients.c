/* SPDX-License-Identifier: MIT */

/* Clients that are not ours against a service of ours. What is run is what docs/CLIENTS.md shows: a
 * block after a comment "run: NAME", and the block of text after it is what it must print. */

#include "tests/support/broker.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <string.h>

#define NPM_MSEC (6 * WAIT_MSEC) /* a registry that is far away */

enum { EXIT_SKIPPED = 77 }; /* which GLib does not say when it writes TAP */

static bool skipped;

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
        Process *thermostat;
        char *document;
        GPtrArray *environment;
} Fixture;

/* A piece of the document. */
typedef struct Snippet {
        char *language, *text, *output;
} Snippet;

static void snippet_done(Snippet *snippet)
{
        g_free(snippet->language);
        g_free(snippet->text);
        g_free(snippet->output);
}
#define CLEANUP_SNIPPET CLEANUP(snippet_done)

/* ---- set-up ---- */

static void add_environment(Fixture *fixture, const char *name, const char *value)
{
        g_ptr_array_add(fixture->environment, g_strdup_printf("%s=%s", name, value));
}

static void add_port(Fixture *fixture, const char *name, guint16 port)
{
        g_autofree char *text = g_strdup_printf("%u", port);

        add_environment(fixture, name, text);
}

static void start_broker(Fixture *fixture)
{
        guint16 websocket = wait_find_port();
        g_autofree char *config =
                g_strdup_printf("listener %u 127.0.0.1\nprotocol websockets\n"
                                "log_type error\nlog_type warning\nlog_type debug",
                                websocket);

        fixture->broker = broker_new(fixture->dir);
        broker_enable_tcp(fixture->broker);
        broker_add_config(fixture->broker, config);
        broker_add_user(fixture->broker, "heater", "secret",
                        (const char *[]){"--service", "thermostat", NULL});
        broker_add_user(fixture->broker, "alice", "wonder",
                        (const char *[]){"--call", "thermostat", NULL});
        broker_start(fixture->broker);
        fixture->environment = g_ptr_array_new_with_free_func(g_free);
        add_environment(fixture, "MQTT_HOST", "127.0.0.1");
        add_port(fixture, "MQTT_PORT", broker_get_port(fixture->broker));
        add_port(fixture, "MQTT_WS_PORT", websocket);
        add_environment(fixture, "MQTT_USER", "alice");
        add_environment(fixture, "MQTT_PASSWORD", "wonder");
        add_environment(fixture, "NODE_PATH", MQTTRPC_CLIENTS_DIR "/node_modules");
        g_ptr_array_add(fixture->environment, NULL);
}

/* The monitor tells when the service can be called. */
static void start_service(Fixture *fixture)
{
        const char *uri = broker_get_uri(fixture->broker);
        CLEANUP_PROCESS Process *monitor = process_start(
                fixture->dir, "monitor",
                (const char *[]){MQTTRPC_EXAMPLES "/monitor", uri, "alice", "wonder", NULL}, NULL);

        fixture->thermostat = process_start(
                fixture->dir, "thermostat",
                (const char *[]){MQTTRPC_EXAMPLES "/thermostat", uri, "heater", "secret", NULL},
                NULL);
        g_assert_true(process_wait_output(monitor, PROCESS_STDOUT, "service thermostat: ready\n",
                                          WAIT_MSEC));
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *path = process_source_path("docs/CLIENTS.md");
        GError *error = NULL;

        g_file_get_contents(path, &fixture->document, NULL, &error);
        g_assert_no_error(error);
        fixture->dir = temp_dir_new();
        start_broker(fixture);
        start_service(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        process_free(fixture->thermostat);
        broker_free(fixture->broker);
        g_ptr_array_unref(fixture->environment);
        g_free(fixture->document);
        temp_dir_free(fixture->dir);
}

/* ---- the document ---- */

/* The fenced block at `text`: its language and content; returns what follows it. */
static const char *take_block(const char *text, char **ret_language, char **ret_content)
{
        const char *line, *end;

        if (!g_str_has_prefix(text, "```"))
                g_error("no block of code here: %.40s", text);
        line = strchr(text, '\n');
        g_assert_nonnull(line);
        end = strstr(line, "\n```\n");
        g_assert_nonnull(end);
        *ret_language = g_strndup(text + 3, (gsize)(line - text - 3));
        *ret_content = end == line ? g_strdup("") : g_strndup(line + 1, (gsize)(end - line));
        return end + strlen("\n```\n");
}

static const char *find_marker(Fixture *fixture, const char *kind, const char *name)
{
        g_autofree char *marker = g_strdup_printf("<!-- %s: %s -->\n", kind, name);
        const char *at = strstr(fixture->document, marker);

        if (!at)
                g_error("docs/CLIENTS.md has no %s", marker);
        return at + strlen(marker);
}

static void find_snippet(Fixture *fixture, const char *name, Snippet *ret_snippet)
{
        const char *at = find_marker(fixture, "run", name);
        g_autofree char *language = NULL;

        at = take_block(at, &ret_snippet->language, &ret_snippet->text);
        take_block(at, &language, &ret_snippet->output);
        g_assert_cmpstr(language, ==, "text");
}

/* ---- running ---- */

static Process *start_snippet(Fixture *fixture, const char *name, const Snippet *snippet)
{
        const ProcessOptions options = {.environment =
                                                (const char *const *)fixture->environment->pdata};
        g_autofree char *file = g_strdup_printf("%s.%s", name, snippet->language);
        g_autofree char *language = NULL, *setting = NULL, *text = NULL, *script = NULL;
        const char *program = "sh";

        if (!strcmp(snippet->language, "sh"))
                take_block(find_marker(fixture, "options", "mosquitto"), &language, &setting);
        else if (!strcmp(snippet->language, "python"))
                program = "/usr/bin/python3"; /* the one that Debian's packages are for */
        else if (!strcmp(snippet->language, "js"))
                program = "node";
        else
                g_error("what runs %s?", snippet->language);
        text = g_strconcat(setting ? setting : "", snippet->text, NULL);
        script = temp_dir_write(fixture->dir, file, text);
        return process_start(fixture->dir, name, (const char *[]){program, script, NULL}, &options);
}

static void finish_snippet(const char *name, const Snippet *snippet, Process *process)
{
        int status = process_wait_exit(process, WAIT_MSEC);
        g_autofree char *output = process_dup_output(process, PROCESS_STDOUT);
        g_autofree char *errors = process_dup_output(process, PROCESS_STDERR);

        if (status != 0 || strcmp(output, snippet->output) != 0)
                g_error("%s: status %d\nprints:\n%sand not:\n%s%s", name, status, output,
                        snippet->output, errors);
}

static void run(Fixture *fixture, const char *name)
{
        CLEANUP_SNIPPET Snippet snippet = {NULL};
        CLEANUP_PROCESS Process *process = NULL;

        find_snippet(fixture, name, &snippet);
        process = start_snippet(fixture, name, &snippet);
        finish_snippet(name, &snippet, process);
}

/* The first one waits for what the second one causes, and has subscribed before. */
static void run_while_waiting(Fixture *fixture, const char *waiting, const char *name)
{
        CLEANUP_SNIPPET Snippet snippet = {NULL};
        CLEANUP_PROCESS Process *process = NULL;
        Process *broker = broker_get_process(fixture->broker);

        find_snippet(fixture, waiting, &snippet);
        process_mark_output(broker, PROCESS_STDERR);
        process = start_snippet(fixture, waiting, &snippet);
        g_assert_true(process_wait_output(broker, PROCESS_STDERR, "Sending SUBACK to", WAIT_MSEC));
        run(fixture, name);
        finish_snippet(waiting, &snippet, process);
}

static void skip(const char *reason)
{
        g_test_skip(reason);
        skipped = true;
}

/* ---- tests ---- */

static void test_mosquitto(Fixture *fixture, gconstpointer unused)
{
        run(fixture, "mosquitto-call");
        run(fixture, "mosquitto-call-311");
        run(fixture, "mosquitto-error");
        run(fixture, "mosquitto-property");
        run(fixture, "mosquitto-presence");
        run_while_waiting(fixture, "mosquitto-signal", "mosquitto-notify");
}

static void test_paho(Fixture *fixture, gconstpointer unused)
{
        const char *argv[] = {"/usr/bin/python3", "-c", "import paho.mqtt.properties", NULL};
        g_autofree char *errors = NULL;

        if (process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, &errors) != 0) {
                skip("no python3-paho-mqtt here");
                return;
        }
        /* first, while no other signal can be on its way */
        run(fixture, "paho-311");
        run(fixture, "paho-call");
}

static char *read_file(const char *path)
{
        char *text = NULL;

        return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static void copy_file(const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(MQTTRPC_CLIENTS_DIR, name, NULL);
        GError *error = NULL;

        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
}

/* Into the build directory, and once for each change of the lock file. Without node, npm or network
 * there is nothing to test: NULL if all is well, else the reason; the caller frees it. */
static char *install_mqtt_js(Fixture *fixture)
{
        g_autofree char *manifest_path = process_source_path("tests/clients/package.json");
        g_autofree char *lock_path = process_source_path("tests/clients/package-lock.json");
        g_autofree char *manifest = read_file(manifest_path), *lock = read_file(lock_path);
        g_autofree char *done = read_file(MQTTRPC_CLIENTS_DIR "/installed");
        g_autofree char *node = g_find_program_in_path("node");
        g_autofree char *npm = g_find_program_in_path("npm");
        g_autofree char *errors = NULL;

        g_assert_nonnull(manifest);
        g_assert_nonnull(lock);
        if (!node || !npm)
                return g_strdup("no node and npm here");
        if (g_strcmp0(done, lock) == 0)
                return NULL;
        g_assert_cmpint(g_mkdir_with_parents(MQTTRPC_CLIENTS_DIR, 0755), ==, 0);
        copy_file("package.json", manifest);
        copy_file("package-lock.json", lock);
        if (process_run(fixture->dir,
                        (const char *[]){"npm", "ci", "--prefix", MQTTRPC_CLIENTS_DIR,
                                         "--ignore-scripts", "--no-audit", "--no-fund",
                                         "--fetch-retries=1", NULL},
                        NULL, NPM_MSEC, NULL, &errors) != 0)
                return g_strdup_printf("npm cannot install MQTT.js: %s",
                                       g_strdelimit(errors, "\n", ' '));
        copy_file("installed", lock);
        return NULL;
}

static void test_js(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *reason = install_mqtt_js(fixture);

        if (reason) {
                skip(reason);
                return;
        }
        run(fixture, "js-call");
        run(fixture, "js-311");
        run(fixture, "js-websocket");
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(Fixture *fixture, gconstpointer unused);
        } tests[] = {
                {"/clients/mosquitto", test_mosquitto},
                {"/clients/paho", test_paho},
                {"/clients/js", test_js},
        };
        int status;

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
                g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
        status = g_test_run();
        return status == 0 && skipped ? EXIT_SKIPPED : status;
}
