/* SPDX-License-Identifier: MIT */

/* What becomes of calls while the service that they are for moves between D-Bus and MQTT. */

#include <signal.h>
#include <string.h>

#include "tests/integration/provider-fixture.h"
#include "tests/support/rpc-reply.h"
#include "tests/support/wait.h"

#define NAME  PROVIDER_NAME
#define PATH  PROVIDER_PATH
#define MOVES 50 /* there and back */

typedef struct Load {
        ProviderFixture *fixture;
        gint64 started;               /* µs */
        guint32 next;                 /* number of the next call */
        guint n_dbus, n_mqtt, n_open; /* calls; those without an answer */
        GArray *results;              /* by number: 0 open, 1 result, 2 error, more: twice */
        GHashTable *ids;              /* id of an MQTT call → number */
} Load;

static void note(Load *load, guint32 number, bool is_result)
{
        guint8 *result = &g_array_index(load->results, guint8, number);

        g_assert_cmpuint(*result, ==, 0);
        *result = is_result ? 1 : 2;
        load->n_open--;
}

static guint32 new_number(Load *load)
{
        const guint8 open = 0;

        g_array_append_val(load->results, open);
        load->n_open++;
        return load->next++;
}

static void on_dbus_answer(GObject *source, GAsyncResult *async, gpointer userdata)
{
        g_autoptr(GVariant) result = NULL;
        gpointer *pair = userdata;

        result = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), async, NULL);
        note(pair[0], GPOINTER_TO_UINT(pair[1]), result != NULL);
        g_free(pair);
}

static void call_dbus(Load *load)
{
        gpointer *pair = g_new(gpointer, 2);
        guint32 number = new_number(load);

        pair[0] = load;
        pair[1] = GUINT_TO_POINTER(number);
        load->n_dbus++;
        g_dbus_connection_call(load->fixture->client, NAME, PATH, NAME, "Mark",
                               g_variant_new("(u)", number), NULL, G_DBUS_CALL_FLAGS_NONE,
                               WAIT_MSEC, NULL, on_dbus_answer, pair);
}

static void call_mqtt(Load *load)
{
        guint32 number = new_number(load);
        g_autofree char *params = g_strdup_printf("[%u]", number);
        MqttRequest request = {.service = "move", .method = "Mark", .params = params};
        unsigned id = mqtt_client_send(load->fixture->stage->client, &request);

        load->n_mqtt++;
        g_hash_table_insert(load->ids, GUINT_TO_POINTER(id), GUINT_TO_POINTER(number));
}

/* The id is a JSON string with a number in it. */
static void take_mqtt_answers(Load *load, unsigned msec)
{
        MqttClient *client = load->fixture->stage->client;

        while (mqtt_client_collect(client) > 0) {
                g_autofree char *reply = mqtt_client_wait_any(client, msec);
                const char *id = strstr(reply, "\"id\":\"");
                gpointer number;

                g_assert_nonnull(id);
                number = GUINT_TO_POINTER(strtoul(id + strlen("\"id\":\""), NULL, 10));
                g_assert_true(g_hash_table_lookup_extended(load->ids, number, NULL, &number));
                note(load, GPOINTER_TO_UINT(number), strstr(reply, "\"result\"") != NULL);
        }
}

/* 500 calls a second to each side, those of a late beat together. */
static gboolean on_beat(gpointer userdata)
{
        Load *load = userdata;
        gint64 elapsed = g_get_monotonic_time() - load->started;

        while (load->n_dbus < elapsed / 2000) {
                call_dbus(load);
                call_mqtt(load);
        }
        take_mqtt_answers(load, 0);
        /* somebody has to read what it tells the service manager */
        (void)gateway_process_has_notified(load->fixture->stage->gateway, "");
        return G_SOURCE_CONTINUE;
}

typedef struct LogWait {
        ProviderFixture *fixture;
        const char *text;
        gsize from;
} LogWait;

static bool is_logged(void *userdata)
{
        LogWait *wait = userdata;
        g_autofree char *log = process_dup_output(
                gateway_process_get_process(wait->fixture->stage->gateway), PROCESS_STDERR);
        const char *at = strlen(log) > wait->from ? strstr(log + wait->from, wait->text) : NULL;

        if (at)
                wait->from = (gsize)(at - log) + strlen(wait->text);
        return at;
}

/* While the load goes on. */
static void wait_logged(LogWait *wait, const char *text)
{
        wait->text = text;
        if (!wait_until(is_logged, wait, WAIT_MSEC)) {
                g_autofree char *log = process_dup_output(
                        gateway_process_get_process(wait->fixture->stage->gateway), PROCESS_STDERR);

                g_error("the gateway does not say '%s', but: %s", text, log + wait->from);
        }
}

static bool is_released(void *userdata)
{
        return mqtt_client_collect(userdata) > 0;
}

static void release_in_load(MqttClient *admin)
{
        MqttRequest request = {
                .service = "gateway", .method = "Release", .params = "[\"move\",60]"};
        g_autofree char *reply = NULL;

        mqtt_client_send(admin, &request);
        g_assert_true(wait_until(is_released, admin, WAIT_MSEC));
        reply = mqtt_client_wait_any(admin, WAIT_MSEC);
        rpc_reply_assert_result(reply, "null");
}

static bool has_ended(void *userdata)
{
        return !process_is_running(userdata);
}

static void stop_in_load(Process **process)
{
        process_signal(*process, SIGTERM);
        g_assert_true(wait_until(has_ended, *process, WAIT_MSEC));
        *process = process_free(*process);
}

static void check_executions(Load *load)
{
        g_autofree guint8 *counts = g_new0(guint8, load->next);
        g_autofree guint32 *numbers = NULL;
        guint results = 0;
        gsize length;

        g_assert_true(g_file_get_contents(load->fixture->marks, (char **)&numbers, &length, NULL));
        for (gsize i = 0; i < length / sizeof(*numbers); i++) {
                g_assert_cmpuint(numbers[i], <, load->next);
                counts[numbers[i]]++;
        }
        for (guint32 i = 0; i < load->next; i++) {
                guint8 result = g_array_index(load->results, guint8, i);

                g_assert_cmpuint(counts[i], <=, 1);
                g_assert_cmpuint(result, !=, 0);
                g_assert_true(result != 1 || counts[i] == 1);
                results += result == 1;
        }
        g_test_message("%u calls by D-Bus and %u by MQTT, %u results", load->n_dbus, load->n_mqtt,
                       results);
        /* what a daemon has not read when it ends is lost with it, and nothing else */
        g_assert_cmpuint(results, >, load->next / 100 * 95);
}

static bool is_answered(void *userdata)
{
        Load *load = userdata;

        take_mqtt_answers(load, 0);
        return load->n_open == 0;
}

/* The daemon is one that the bus has started. */
static void stop_legacy(ProviderFixture *f)
{
        g_autoptr(GVariant) result = NULL;
        GError *error = NULL;
        guint32 pid;

        result = g_dbus_connection_call_sync(
                f->client, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", g_variant_new("(s)", NAME), NULL,
                G_DBUS_CALL_FLAGS_NONE, WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(result, "(u)", &pid);
        g_assert_cmpint(kill((pid_t)pid, SIGTERM), ==, 0);
}

/* There and back. While the name is on its way back to the daemon, calls start it, and wait. */
static void move(ProviderFixture *f, LogWait *wait, MqttClient *admin)
{
        provider_start_mqtt(f);
        wait_logged(wait, "move: conflict");
        stop_legacy(f);
        wait_logged(wait, "move: provider: mqtt");
        release_in_load(admin);
        wait_logged(wait, "move: provider: dbus");
        stop_in_load(&f->mqtt);
}

/* trap 32 */
static void test_moves_under_load(ProviderFixture *f, gconstpointer unused)
{
        Load load = {.fixture = f};
        LogWait wait = {.fixture = f};
        CLEANUP_MQTT_CLIENT MqttClient *admin = NULL;
        guint beat;

        load.results = g_array_new(FALSE, TRUE, 1);
        load.ids = g_hash_table_new(NULL, NULL);
        provider_add_legacy(f);
        gateway_stage_start(f->stage);
        admin = mqtt_client_new(f->stage->broker, "admin");
        load.started = g_get_monotonic_time();
        call_dbus(&load);
        wait_logged(&wait, "move: provider: dbus");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        load.started = g_get_monotonic_time();
        beat = g_timeout_add(2, on_beat, &load);
        for (int i = 0; i < MOVES; i++)
                move(f, &wait, admin);
        g_source_remove(beat);
        g_assert_true(wait_until(is_answered, &load, WAIT_MSEC));
        check_executions(&load);
        stop_legacy(f);
        g_array_unref(load.results);
        g_hash_table_unref(load.ids);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/provider-load/trap-32-moves-under-load", ProviderFixture, NULL,
                   provider_set_up, test_moves_under_load, provider_tear_down);
        return g_test_run();
}
