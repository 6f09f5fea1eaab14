/* SPDX-License-Identifier: MIT */

#include "tests/support/bridge-stage.h"

#include <string.h>

static const char broker_config[] = "allow_anonymous true\n"
                                    "max_queued_messages 1000000\n"
                                    "max_queued_bytes 268435456\n"
                                    "max_inflight_messages 1000\n"
                                    "persistence false\n";

BridgeStage *bridge_stage_new(void)
{
        BridgeStage *stage = g_new0(BridgeStage, 1);

        stage->dir = temp_dir_new();
        stage->local = broker_new_with_config(stage->dir, broker_config);
        stage->cloud = broker_new_with_config(stage->dir, broker_config);
        stage->store = temp_dir_build(stage->dir, "events.db");
        stage->cloud_uri = g_strdup(broker_get_uri(stage->cloud));
        stage->cloud_members = stage->queue_members = "";
        broker_start(stage->local);
        broker_start(stage->cloud);
        return stage;
}

BridgeStage *bridge_stage_free(BridgeStage *stage)
{
        if (!stage)
                return NULL;
        bridge_stage_stop(stage);
        broker_free(stage->cloud);
        broker_free(stage->local);
        g_free(stage->policy);
        g_free(stage->store);
        g_free(stage->cloud_uri);
        temp_dir_free(stage->dir);
        g_free(stage);
        return NULL;
}

void bridge_stage_write_policy(BridgeStage *stage, const char *members)
{
        g_autofree char *text =
                g_strdup_printf("{ \"node\": \"dev1\", \"local\": {\"uri\": "
                                "\"%s\"}, \"cloud\": {\"uri\": \"%s\"%s},\n"
                                "  \"queue\": {\"path\": \"%s\"%s}%s }\n",
                                broker_get_uri(stage->local), stage->cloud_uri,
                                stage->cloud_members, stage->store, stage->queue_members, members);

        g_free(stage->policy);
        stage->policy = temp_dir_write(stage->dir, "bridge.json", text);
}

void bridge_stage_edit_policy(BridgeStage *stage, const char *from, const char *to)
{
        g_autofree char *text = NULL, *edited = NULL;
        g_auto(GStrv) parts = NULL;

        g_assert_true(g_file_get_contents(stage->policy, &text, NULL, NULL));
        parts = g_strsplit(text, from, -1);
        g_assert_cmpuint(g_strv_length(parts), ==, 2);
        edited = g_strjoinv(to, parts);
        g_assert_true(g_file_set_contents(stage->policy, edited, -1, NULL));
}

void bridge_stage_start(BridgeStage *stage)
{
        g_autofree char *program = process_program_path("mqttrpc-bridge");
        const char *argv[] = {program, "run", "--config", stage->policy, NULL};

        const ProcessOptions options = {.environment = stage->environment};

        g_assert_null(stage->bridge);
        stage->bridge = process_start(stage->dir, "bridge", argv, &options);
}

void bridge_stage_wait_up(BridgeStage *stage)
{
        bridge_stage_expect(stage, "Cloud", "\"up\"");
        bridge_stage_expect(stage, "Local", "\"up\"");
}

void bridge_stage_run(BridgeStage *stage, const char *members)
{
        bridge_stage_write_policy(stage, members);
        bridge_stage_start(stage);
        bridge_stage_wait_up(stage);
}

void bridge_stage_stop(BridgeStage *stage)
{
        g_autofree char *log = NULL;
        int status;

        if (!stage->bridge)
                return;
        status = process_stop(stage->bridge);
        log = process_dup_output(stage->bridge, PROCESS_STDERR);
        if (status != 0 || strstr(log, "Sanitizer") || strstr(log, "runtime error"))
                g_error("the bridge ended with status %d:\n%s", status, log);
        stage->bridge = process_free(stage->bridge);
}

void bridge_stage_kill(BridgeStage *stage)
{
        process_kill(stage->bridge);
        stage->bridge = process_free(stage->bridge);
}

static void limit(BridgeStage *stage, const char *resource, const char *bytes)
{
        g_autofree char *pid = g_strdup_printf("%d", (int)process_get_pid(stage->bridge));
        g_autofree char *option = g_strdup_printf("--%s=%s:", resource, bytes);
        const char *argv[] = {"prlimit", "--pid", pid, option, NULL};

        g_assert_cmpint(process_run(stage->dir, argv, NULL, WAIT_MSEC, NULL, NULL), ==, 0);
}

void bridge_stage_limit_files(BridgeStage *stage, const char *bytes)
{
        limit(stage, "fsize", bytes);
}

void bridge_stage_limit_memory(BridgeStage *stage, const char *bytes)
{
        limit(stage, "data", bytes);
}

long bridge_stage_get_peak(BridgeStage *stage)
{
        g_autofree char *path =
                g_strdup_printf("/proc/%d/status", (int)process_get_pid(stage->bridge));
        g_autofree char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return strtol(strstr(text, "VmHWM:") + strlen("VmHWM:"), NULL, 10);
}

/* ---- asking ---- */

char *bridge_stage_get(BridgeStage *stage, const char *property)
{
        g_autofree char *program = process_program_path("mqttrpc-bridge"), *out = NULL;
        const char *argv[] = {program, "status", "--config", stage->policy, NULL};
        g_auto(GStrv) lines = NULL;

        (void)process_run(stage->dir, argv, NULL, WAIT_MSEC, &out, NULL);
        lines = g_strsplit(out, "\n", -1);
        for (char **line = lines; *line; line++)
                if (g_str_has_prefix(*line, property) && (*line)[strlen(property)] == ' ')
                        return g_strstrip(g_strdup(*line + strlen(property)));
        return NULL;
}

void bridge_stage_expect(BridgeStage *stage, const char *property, const char *value)
{
        gint64 deadline = wait_deadline(WAIT_MSEC);
        char *is = NULL;

        do {
                g_free(is);
                is = bridge_stage_get(stage, property);
        } while (g_strcmp0(is, value) != 0 && wait_left(deadline) > 0);
        g_assert_cmpstr(is, ==, value);
        g_free(is);
}

/* ---- retained messages ---- */

void bridge_stage_retain(RawClient *client, const char *topic, const char *payload)
{
        int reason;

        reason = raw_client_publish(
                client,
                &(RawPublish){.topic = topic, .payload = payload, .qos = 1, .retain = true});
        g_assert_cmpint(reason, <, 0x80);
}

static gint compare(gconstpointer a, gconstpointer b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *bridge_stage_list_retained(Broker *broker, const char *prefix)
{
        CLEANUP_RAW_CLIENT RawClient *client = raw_client_new(broker, &(RawOptions){});
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *filter = g_strdup_printf("%s/#", prefix);
        const RawMessage *message;

        raw_client_subscribe(client, filter);
        raw_client_subscribe(client, "mark");
        raw_client_post(client, &(RawPublish){.topic = "mark", .payload = "x", .qos = 1});
        for (;;) {
                message = raw_client_receive(client);
                if (strcmp(message->topic, "mark") == 0)
                        break;
                if (message->retain)
                        g_ptr_array_add(lines, g_strdup_printf("%s %s",
                                                               message->topic + strlen(prefix) + 1,
                                                               message->payload));
        }
        g_ptr_array_sort(lines, compare);
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **)lines->pdata);
}
