/* SPDX-License-Identifier: MIT */

/* Random faults, with a fixed seed, while state changes, events flow and calls are made: afterwards
 * the cloud has the state of the device byte for byte, no event is missing that the local broker
 * did not lose itself, and no call was executed twice. MQTTRPC_BRIDGE_ROUNDS says how many rounds.
 */

#include <stdio.h>
#include <string.h>

#include "tests/support/bridge-stage.h"
#include "tests/support/cut-link.h"
#include "tests/support/network.h"

enum { N_PROPERTIES = 12, DEFAULT_ROUNDS = 20, N_KINDS = 8 };

/* The longest time between two attempts of the bridge to connect. */
enum { RECONNECT_MSEC = 60000 };

static const char rules[] =
        ",\"publish\":[{\"service\":\"net\",\"properties\":[\"*\"],\"signals\":[\"*\"]}],"
        "\"allow\":[{\"service\":\"net\",\"methods\":[\"Do\"],\"callers\":[\"alice\"],"
        "\"rate_per_minute\":1000000,\"timeout_ms\":2000}]";

typedef struct Faults {
        BridgeStage *stage;
        CutLink *link;
        GRand *random;
        RawClient *service;
        RawClient *cloud;
        char *values[N_PROPERTIES]; /* NULL: gone */
        unsigned sent, seen;        /* events */
        unsigned n_calls;
        GHashTable *executed; /* payloads of requests */
        bool may_miss;        /* the local broker has died */
        char *step_file;      /* what the bridge's wall clock is off by */
        int n_kinds;          /* without the last, packets cannot be lost here */
        GRand *order;         /* not `random`, which is used as often as time permits */
        int kinds[N_KINDS];   /* that come next, in this order */
        int n_left;
        unsigned n_of_kind[N_KINDS];
} Faults;

/* ---- the device ---- */

static void publish_value(Faults *faults, int i)
{
        g_autofree char *topic = g_strdup_printf("mb1/net/-/prop/P%d", i);

        bridge_stage_retain(faults->service, topic, faults->values[i] ? faults->values[i] : "");
}

static void connect_service(Faults *faults)
{
        faults->service = raw_client_new(faults->stage->local, &(RawOptions){});
        raw_client_subscribe_fresh(faults->service, "mb1/net/-/call/+/+");
        bridge_stage_retain(faults->service, "mb1/net/$state", "{\"state\":\"ready\"}");
        for (int i = 0; i < N_PROPERTIES; i++)
                if (faults->values[i])
                        publish_value(faults, i);
}

static void execute(Faults *faults)
{
        const RawMessage *message;

        while ((message = raw_client_poll(faults->service)))
                if (!g_hash_table_add(faults->executed, g_strdup(message->payload)))
                        g_error("executed twice: %s", message->payload);
}

static void do_something(Faults *faults)
{
        int i = g_rand_int_range(faults->random, 0, N_PROPERTIES);
        g_autofree char *payload = NULL;

        g_free(faults->values[i]);
        faults->values[i] = g_rand_int_range(faults->random, 0, 4) == 0
                                    ? NULL
                                    : g_strdup_printf("%u", g_rand_int(faults->random));
        publish_value(faults, i);
        for (int n = g_rand_int_range(faults->random, 0, 50); n > 0; n--) {
                g_free(payload);
                payload = g_strdup_printf("{\"params\":[%u]}", ++faults->sent);
                raw_client_post(
                        faults->service,
                        &(RawPublish){.topic = "mb1/net/-/sig/Tick", .payload = payload, .qos = 1});
        }
        raw_client_publish(faults->service,
                           &(RawPublish){.topic = "done", .payload = "", .qos = 1});
        execute(faults);
}

/* ---- the cloud ---- */

static void connect_cloud(Faults *faults)
{
        faults->cloud = raw_client_new(faults->stage->cloud, &(RawOptions){});
        raw_client_subscribe(faults->cloud, "dev1/mb1/net/-/sig/+");
}

static void take_events(Faults *faults)
{
        const RawMessage *message;

        while ((message = raw_client_poll(faults->cloud))) {
                unsigned n = 0;

                g_assert_cmpint(sscanf(message->payload, "{\"params\":[%u]}", &n), ==, 1);
                if (n > faults->seen + 1 && !faults->may_miss)
                        g_error("after %u comes %u", faults->seen, n);
                faults->seen = MAX(faults->seen, n);
        }
}

static void call(Faults *faults)
{
        for (int i = 0; i < 5; i++) {
                g_autofree char *payload = g_strdup_printf("{\"id\":%u}", ++faults->n_calls);

                raw_client_post(faults->cloud,
                                &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                              .payload = payload,
                                              .qos = 1});
        }
        raw_client_publish(faults->cloud, &(RawPublish){.topic = "done", .payload = "", .qos = 1});
}

/* ---- faults ---- */

/* Events that the cloud broker had in its own memory for our subscriber would be lost with it,
 * which is none of the bridge's business: they are taken out before. */
static void kill_cloud(Faults *faults)
{
        LOOP_UNTIL((take_events(faults), faults->seen == faults->sent || faults->may_miss));
        faults->cloud = raw_client_free(faults->cloud);
        /* So that the bridge is not back before who listens there. */
        cut_link_hold(faults->link, true);
        broker_kill(faults->stage->cloud);
        do_something(faults);
        broker_start(faults->stage->cloud);
        connect_cloud(faults);
        cut_link_hang_up(faults->link);
}

static void kill_local(Faults *faults)
{
        faults->may_miss = true;
        faults->service = raw_client_free(faults->service);
        broker_kill(faults->stage->local);
        broker_start(faults->stage->local);
        connect_service(faults);
}

static void kill_bridge(Faults *faults)
{
        bridge_stage_kill(faults->stage);
        do_something(faults);
        bridge_stage_start(faults->stage);
}

static void cut(Faults *faults)
{
        cut_link_hang_up(faults->link);
}

/* What was held back is lost or arrives, as it happens. */
static void hold(Faults *faults)
{
        cut_link_hold(faults->link, true);
        do_something(faults);
        if (g_rand_boolean(faults->random))
                cut_link_hang_up(faults->link);
        else
                cut_link_hold(faults->link, false);
}

/* Packets are lost on the way, and no end of the connection is told: it goes on when they pass
 * again, or is found dead by the keep-alive. */
static void lose_packets(Faults *faults)
{
        bool until_dead = g_rand_boolean(faults->random);

        process_mark_output(faults->stage->bridge, PROCESS_STDERR);
        network_drop(faults->stage->dir, true);
        do_something(faults);
        call(faults);
        g_assert_true(LOOP_UNTIL(network_count_dropped(faults->stage->dir) > 0));
        if (until_dead)
                g_assert_true(process_wait_output(faults->stage->bridge, PROCESS_STDERR,
                                                  "cloud:", WAIT_MSEC));
        do_something(faults);
        network_drop(faults->stage->dir, false);
}

/* By up to three years, either way, while events wait; queues keep them for a week. */
static void step_clock(Faults *faults)
{
        const gint32 most = 3 * 365 * 86400;
        g_autofree char *text =
                g_strdup_printf("%d", g_rand_int_range(faults->random, -most, most));

        cut_link_hold(faults->link, true);
        do_something(faults);
        process_mark_output(faults->stage->bridge, PROCESS_STDERR);
        g_assert_true(g_file_set_contents(faults->step_file, text, -1, NULL));
        g_assert_true(process_wait_output(faults->stage->bridge, PROCESS_STDERR,
                                          "the clock has been set", WAIT_MSEC));
        do_something(faults);
        if (g_rand_boolean(faults->random))
                kill_bridge(faults);
        cut_link_hang_up(faults->link);
        cut_link_hold(faults->link, false);
}

static void fill_disk(Faults *faults)
{
        bridge_stage_limit_files(faults->stage, "1");
        do_something(faults);
        if (g_rand_boolean(faults->random))
                kill_bridge(faults);
        else
                bridge_stage_limit_files(faults->stage, "unlimited");
}

/* After some cuts that come one soon after the other the bridge takes its time to come back. */
static void expect_state(BridgeStage *stage)
{
        gint64 deadline = wait_deadline(RECONNECT_MSEC + WAIT_MSEC);
        g_autofree char *here = bridge_stage_list_retained(stage->local, "mb1/net");
        char *there = NULL;

        do {
                g_free(there);
                there = bridge_stage_list_retained(stage->cloud, "dev1/mb1/net");
        } while (strcmp(here, there) != 0 && wait_left(deadline) > 0);
        g_assert_cmpstr(there, ==, here);
        g_free(there);
}

/* Each comes once before one comes again. */
static int choose_kind(Faults *faults)
{
        if (faults->n_left == 0) {
                for (int i = 0; i < faults->n_kinds; i++) {
                        int j = g_rand_int_range(faults->order, 0, i + 1);

                        faults->kinds[i] = faults->kinds[j];
                        faults->kinds[j] = i;
                }
                faults->n_left = faults->n_kinds;
        }
        return faults->kinds[--faults->n_left];
}

static void run_round(Faults *faults)
{
        static void (*const actions[N_KINDS])(Faults *) = {kill_cloud, kill_local,  kill_bridge,
                                                           cut,        hold,        step_clock,
                                                           fill_disk,  lose_packets};
        int kind = choose_kind(faults);

        do_something(faults);
        call(faults);
        g_test_message("fault %d", kind);
        faults->n_of_kind[kind]++;
        actions[kind](faults);
        do_something(faults);
        expect_state(faults->stage);
        bridge_stage_wait_up(faults->stage);
        if (faults->may_miss) {
                /* What comes from here on is complete again. */
                bridge_stage_expect(faults->stage, "QueueEvents", "0");
                take_events(faults);
                do_something(faults);
        }
        g_assert_true(LOOP_UNTIL(
                (take_events(faults), faults->seen == faults->sent || faults->may_miss)));
        faults->may_miss = false;
        faults->seen = faults->sent;
        execute(faults);
}

/* The bridge runs under a wall clock that the test can step. */
static void set_clock(Faults *faults)
{
        static char file[256], asan[256];
        static const char *const environment[] = {"LD_PRELOAD=" MQTTRPC_STEP_CLOCK, file, asan,
                                                  NULL};
        const char *old = g_getenv("ASAN_OPTIONS");

        faults->step_file = temp_dir_write(faults->stage->dir, "step", "0");
        g_snprintf(file, sizeof(file), "MQTTRPC_STEP_FILE=%s", faults->step_file);
        /* A sanitizer wants to be first, and is not when something is preloaded. */
        g_snprintf(asan, sizeof(asan), "ASAN_OPTIONS=%s:verify_asan_link_order=0", old ? old : "");
        faults->stage->environment = environment;
}

static void test_random_faults(void)
{
        const char *text = g_getenv("MQTTRPC_BRIDGE_ROUNDS");
        int n_rounds = text ? atoi(text) : DEFAULT_ROUNDS;
        Faults faults = {.stage = bridge_stage_new(),
                         .random = g_rand_new_with_seed(20240229),
                         .order = g_rand_new_with_seed(20240229)};

        set_clock(&faults);
        faults.n_kinds = network_is_own() ? N_KINDS : N_KINDS - 1;
        if (!network_is_own())
                g_test_message("no network namespace can be had: packets are not lost");
        faults.stage->cloud_members = ", \"keepalive_s\": 5";
        faults.executed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        faults.link = cut_link_new(faults.stage->dir, faults.stage->cloud,
                                   network_is_own() ? CUT_LINK_TCP : CUT_LINK_UNIX);
        g_free(faults.stage->cloud_uri);
        faults.stage->cloud_uri = g_strdup(cut_link_get_uri(faults.link));
        connect_service(&faults);
        connect_cloud(&faults);
        bridge_stage_run(faults.stage, rules);
        for (int round = 0; round < n_rounds; round++) {
                g_test_message("round %d", round);
                run_round(&faults);
        }
        g_assert_cmpuint(g_hash_table_size(faults.executed), >, 0);
        for (int kind = 0; kind < faults.n_kinds; kind++)
                g_assert_cmpuint(faults.n_of_kind[kind], >, 0);
        raw_client_free(faults.cloud);
        raw_client_free(faults.service);
        bridge_stage_free(faults.stage);
        cut_link_free(faults.link);
        g_rand_free(faults.random);
        g_rand_free(faults.order);
        g_hash_table_unref(faults.executed);
        g_free(faults.step_file);
        for (int i = 0; i < N_PROPERTIES; i++)
                g_free(faults.values[i]);
}

/* A link that is gone without a word: found dead by the keep-alive, and no call is made late. */
static void test_half_open(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_CUT_LINK CutLink *link = cut_link_new(stage->dir, stage->cloud, CUT_LINK_UNIX);
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;

        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(cut_link_get_uri(link));
        stage->cloud_members = ", \"keepalive_s\": 5";
        bridge_stage_run(stage, rules);
        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        cut_link_hold(link, true);
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":\"early\"}",
                                                .qos = 1});
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR, "cloud:", WAIT_MSEC));
        cut_link_hang_up(link);
        bridge_stage_expect(stage, "Cloud", "\"up\"");
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":\"late\"}",
                                                .qos = 1});
        message = raw_client_receive(service);
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"late\"}");
}

/* Events and state that come while all packets are lost. */
static void change_unseen(BridgeStage *stage, RawClient *service)
{
        raw_client_publish(service,
                           &(RawPublish){.topic = "mb1/net/-/sig/Tick", .payload = "{}", .qos = 1});
        bridge_stage_retain(service, "mb1/net/-/prop/Name", "\"new\"");
        bridge_stage_retain(service, "mb1/net/-/prop/Old", "");
        bridge_stage_expect(stage, "QueueEvents", "1");
}

/* The same with a connection of which only the packets are gone: nobody closes it, resets it, or
 * stands in between. */
static void test_half_open_packets(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = NULL;
        CLEANUP_RAW_CLIENT RawClient *service = NULL;
        CLEANUP_RAW_CLIENT RawClient *cloud = NULL;
        const RawMessage *message;

        if (!network_is_own()) {
                g_test_skip("no network namespace can be had");
                return;
        }
        stage = bridge_stage_new();
        broker_stop(stage->cloud);
        broker_enable_tcp(stage->cloud);
        broker_start(stage->cloud);
        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(broker_get_tcp_uri(stage->cloud));
        stage->cloud_members = ", \"keepalive_s\": 5";
        service = raw_client_new(stage->local, &(RawOptions){});
        cloud = raw_client_new(stage->cloud, &(RawOptions){});
        bridge_stage_retain(service, "mb1/net/-/prop/Old", "1");
        bridge_stage_run(stage, rules);
        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        raw_client_subscribe(cloud, "dev1/mb1/net/-/prop/+");
        message = raw_client_receive(cloud);
        g_assert_cmpstr(message->topic, ==, "dev1/mb1/net/-/prop/Old");

        network_drop(stage->dir, true);
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":\"early\"}",
                                                .qos = 1});
        change_unseen(stage, service);
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR, "cloud:", WAIT_MSEC));
        g_assert_cmpuint(network_count_dropped(stage->dir), >, 0);
        g_assert_cmpuint(raw_client_count(cloud), ==, 1);
        raw_client_subscribe(cloud, "dev1/mb1/net/-/sig/+");
        network_drop(stage->dir, false);

        bridge_stage_expect(stage, "CloudConnects", "2");
        bridge_stage_expect(stage, "QueueEvents", "0");
        expect_state(stage);
        g_assert_true(LOOP_UNTIL(raw_client_count(cloud) == 4));
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":\"late\"}",
                                                .qos = 1});
        message = raw_client_receive(service);
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"late\"}");
}

/* A link that stalls for a while and then delivers what it has held back: whose time may be over is
 * not made any more. */
static void test_stalled(void)
{
        CLEANUP_BRIDGE_STAGE BridgeStage *stage = bridge_stage_new();
        CLEANUP_CUT_LINK CutLink *link = cut_link_new(stage->dir, stage->cloud, CUT_LINK_UNIX);
        CLEANUP_RAW_CLIENT RawClient *service = raw_client_new(stage->local, &(RawOptions){});
        CLEANUP_RAW_CLIENT RawClient *cloud = raw_client_new(stage->cloud, &(RawOptions){});
        const RawMessage *message;

        g_free(stage->cloud_uri);
        stage->cloud_uri = g_strdup(cut_link_get_uri(link));
        stage->cloud_members = ", \"keepalive_s\": 5";
        bridge_stage_run(stage, rules);
        raw_client_subscribe(service, "mb1/net/-/call/+/+");
        raw_client_subscribe(cloud, "dev1/mb1/net/-/call/+/+/+");
        cut_link_hold(link, true);
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":\"early\"}",
                                                .qos = 1});
        g_assert_true(process_wait_output(stage->bridge, PROCESS_STDERR,
                                          "the link to the cloud has stalled", WAIT_MSEC));
        cut_link_hold(link, false);
        message = raw_client_receive(cloud);
        g_assert_nonnull(strstr(message->payload, "\"id\":\"early\""));
        g_assert_nonnull(strstr(message->payload, "\"code\":-32005"));
        g_assert_nonnull(strstr(message->payload, "\"executed\":\"no\""));
        raw_client_publish(cloud, &(RawPublish){.topic = "dev1/mb1/net/-/call/Do/alice",
                                                .payload = "{\"id\":\"fresh\"}",
                                                .qos = 1});
        message = raw_client_receive(service);
        g_assert_cmpstr(message->payload, ==, "{\"id\":\"fresh\"}");
        bridge_stage_expect(stage, "CloudConnects", "1");
}

int main(int argc, char **argv)
{
        network_enter(argv);
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/bridge-faults/random", test_random_faults);
        g_test_add_func("/bridge-faults/half-open", test_half_open);
        g_test_add_func("/bridge-faults/half-open-packets", test_half_open_packets);
        g_test_add_func("/bridge-faults/stalled", test_stalled);
        return g_test_run();
}
