/* SPDX-License-Identifier: MIT */

/* A day without the cloud: the file and the memory stay within their bounds, what was dropped is
 * told, and news do not wait behind all that is old. MQTTRPC_BRIDGE_OFFLINE says how many events
 * come meanwhile; a million is a day of twelve each second. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/bridge-stage.h"

enum {
        DEFAULT_EVENTS = 20000,
        EVENTS_PER_MIB = 16000, /* more than fit, so that some are dropped */
        CHUNK = 1000,
        MEMORY_KIB = 8192, /* that the bridge may grow by, however many events there are */
        DRAIN_MSEC = 300000,
};

typedef struct Offline {
        BridgeStage *stage;
        RawClient *service, *cloud;
        unsigned n_events, max_mib;
        unsigned seen, n_got, n_gap; /* the last number; messages; what gaps say */
        char *value;                 /* of the property, as the cloud has it */
        unsigned seen_with_value;    /* events before that */
} Offline;

static void emit(Offline *offline, unsigned n)
{
        g_autofree char *payload = g_strdup_printf("{\"params\":[%u]}", n);

        raw_client_post(offline->service,
                        &(RawPublish){.topic = "mb1/net/-/sig/Tick", .payload = payload, .qos = 1});
        if (n % CHUNK == 0)
                raw_client_publish(offline->service,
                                   &(RawPublish){.topic = "done", .payload = "", .qos = 1});
}

static void take(Offline *offline, const RawMessage *message)
{
        unsigned n = 0;

        if (g_str_has_suffix(message->topic, "/prop/Name")) {
                g_free(offline->value);
                offline->value = g_strdup(message->payload);
                offline->seen_with_value = offline->n_got;
        } else if (g_str_has_suffix(message->topic, "/sig/rpc.gap")) {
                const char *at = strstr(message->payload, "\"dropped\":");

                g_assert_cmpint(sscanf(at, "\"dropped\":%u", &n), ==, 1);
                offline->n_gap += n;
                offline->seen += n;
        } else if (g_str_has_suffix(message->topic, "/sig/Tick")) {
                g_assert_cmpint(sscanf(message->payload, "{\"params\":[%u]}", &n), ==, 1);
                g_assert_cmpuint(n, ==, offline->seen + 1);
                offline->seen = n;
                offline->n_got++;
        }
}

static bool take_until(Offline *offline, bool (*done)(const Offline *offline))
{
        gint64 deadline = wait_deadline(DRAIN_MSEC);
        const RawMessage *message;

        while (!done(offline) && wait_left(deadline) > 0)
                if (LOOP_UNTIL((message = raw_client_poll(offline->cloud)) != NULL))
                        take(offline, message);
        return done(offline);
}

static bool has_begun(const Offline *offline)
{
        return offline->n_got > 0;
}

static bool is_complete(const Offline *offline)
{
        return offline->seen == offline->n_events;
}

static gint64 file_bytes(const char *path, const char *ending)
{
        g_autofree char *name = g_strconcat(path, ending, NULL);
        struct stat status;

        return stat(name, &status) < 0 ? 0 : status.st_size;
}

static void check_bounds(Offline *offline, long before_kib)
{
        const char *store = offline->stage->store;
        gint64 bytes = file_bytes(store, "") + file_bytes(store, "-wal");
        long grown = bridge_stage_get_peak(offline->stage) - before_kib;

        g_test_message("file %.1f MiB of %u, memory grown by %ld KiB", (double)bytes / 1048576,
                       offline->max_mib, grown);
        g_assert_cmpint(bytes, <=, ((gint64)offline->max_mib * 2 + 16) << 20);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what has been freed */
        g_assert_cmpint(grown, <=, MEMORY_KIB);
#endif
}

static void start(Offline *offline)
{
        const char *text = g_getenv("MQTTRPC_BRIDGE_OFFLINE");
        static char queue[64];
        g_autofree char *rules = NULL;

        *offline = (Offline){.stage = bridge_stage_new(),
                             .n_events = text ? (unsigned)atoi(text) : DEFAULT_EVENTS};
        offline->max_mib = MAX(offline->n_events / EVENTS_PER_MIB, 1U);
        offline->service = raw_client_new(offline->stage->local, &(RawOptions){});
        snprintf(queue, sizeof(queue), ", \"max_mib\": %u", offline->max_mib);
        offline->stage->queue_members = queue;
        /* Slow enough that there is a time in which the backlog is not done. */
        rules = g_strdup_printf(",\"publish\":[{\"service\":\"net\",\"signals\":[\"*\"],"
                                "\"properties\":[\"*\"]}],\"rate\":{\"messages_per_s\":%u}",
                                offline->n_events / 10);
        bridge_stage_run(offline->stage, rules);
}

static void finish(Offline *offline)
{
        raw_client_free(offline->cloud);
        raw_client_free(offline->service);
        bridge_stage_free(offline->stage);
        g_free(offline->value);
}

static void test_a_day(void)
{
        g_autofree char *in = NULL;
        Offline offline;
        long before_kib;

        start(&offline);
        bridge_stage_retain(offline.service, "mb1/net/-/prop/Name", "\"before\"");
        before_kib = bridge_stage_get_peak(offline.stage);
        broker_kill(offline.stage->cloud);
        for (unsigned n = 1; n <= offline.n_events; n++)
                emit(&offline, n);
        bridge_stage_retain(offline.service, "mb1/net/-/prop/Name", "\"meanwhile\"");
        in = g_strdup_printf("%u", offline.n_events);
        bridge_stage_expect(offline.stage, "EventsIn", in);
        check_bounds(&offline, before_kib);

        broker_start(offline.stage->cloud);
        offline.cloud = raw_client_new(offline.stage->cloud, &(RawOptions){});
        raw_client_subscribe(offline.cloud, "dev1/mb1/#");
        g_assert_true(take_until(&offline, has_begun));
        bridge_stage_retain(offline.service, "mb1/net/-/prop/Name", "\"fresh\"");
        g_assert_true(take_until(&offline, is_complete));
        g_assert_cmpstr(offline.value, ==, "\"fresh\"");
        g_test_message("fresh state after %u of %u events", offline.seen_with_value, offline.n_got);
        g_assert_cmpuint(offline.seen_with_value, <, offline.n_got / 2);
        g_assert_cmpuint(offline.n_got + offline.n_gap, ==, offline.n_events);
        g_assert_cmpuint(offline.n_gap, >, 0);
        bridge_stage_expect(offline.stage, "QueueEvents", "0");
        check_bounds(&offline, before_kib);
        finish(&offline);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-offline/a-day", test_a_day);
        return g_test_run();
}
