/* SPDX-License-Identifier: MIT */

/* Trap 32 on D-Bus: a name changes hands under a stream of calls, by replacement, by a queue whose
 * first one releases it or is killed, and with a time without an owner in between. Each call is
 * answered exactly once, none is executed twice, what comes as a result comes from who had the
 * name, and each owner has an epoch of its own and the retained values that belong to it. Every
 * execution is in a journal that outlives the processes. The seed is fixed; MQTTRPC_STORM_SEED and
 * MQTTRPC_STORM_ROUNDS in the environment try others. */

#include "tests/support/gateway-stage.h"
#include "tests/support/loop.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/rpc-reply.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.example.Test"
#define FACE "org.example.Test1"

enum { MOVES = 50, SEED = 32, BURST = 6, SLOW_MSEC = 20 };

static const char objects[] =
        "[{\"path\":\"/\",\"object\":\"-\",\"interfaces\":{\"" FACE "\":{\"methods\":{"
        "\"Mark\":{\"in\":[\"n:u\"],\"out\":[\"by:s\"]},"
        "\"MarkSlow\":{\"in\":[\"n:u\",\"msec:u\"],\"out\":[\"by:s\"]}},"
        "\"signals\":{\"Flooded\":{\"args\":[\"n:u\"]}},"
        "\"properties\":{\"Label\":{\"type\":\"s\"}}}}}]";

/* A process that may have the name. */
typedef struct Owner {
        Process *process;
        char *label;   /* another one for each process */
        char *control; /* a name by which it can always be called */
} Owner;

typedef struct Call {
        guint number;
        guint first;    /* place in the history of the owner when it was sent */
        guint answers;  /* 1 at the end */
        char *result;   /* the label; NULL: an error */
        bool never_ran; /* the error says so */
        struct Storm *storm;
} Call;

typedef struct Storm {
        GatewayStage *stage;
        MqttMirror *mirror;
        MqttRpcBus *bus; /* calls by the library; NULL: by the stage's client */
        GDBusConnection *control;
        GRand *random;
        char *journal;
        Owner owners[2];
        unsigned holder;
        unsigned n_processes;
        GPtrArray *history; /* char *, labels of the owners in turn */
        GPtrArray *calls;   /* Call *, by number */
        guint n_answered;
} Storm;

/* ---- owners ---- */

static void owner_start(Storm *storm, unsigned index)
{
        Owner *owner = &storm->owners[index];
        const char *arguments[] = {"--label", NULL, "--journal", storm->journal, NULL};

        owner->label = g_strdup_printf("%c%u", 'A' + index, storm->n_processes++);
        owner->control = g_strdup_printf(NAME ".%s", owner->label);
        arguments[1] = owner->label;
        owner->process = gateway_stage_start_service(storm->stage, owner->control, arguments);
}

static void owner_kill(Owner *owner)
{
        if (owner->process)
                process_kill(owner->process);
        owner->process = process_free(owner->process);
        g_clear_pointer(&owner->label, g_free);
        g_clear_pointer(&owner->control, g_free);
}

static GVariant *ask(Storm *storm, const Owner *owner, const char *method, GVariant *arguments)
{
        GError *error = NULL;
        GVariant *reply = g_dbus_connection_call_sync(
                storm->control, owner->control, "/", FACE, method, arguments, NULL,
                G_DBUS_CALL_FLAGS_NONE, (int)WAIT_MSEC, NULL, &error);

        g_assert_no_error(error);
        return reply;
}

/* Whether it is the owner then. */
static bool own(Storm *storm, const Owner *owner, guint32 flags)
{
        g_autoptr(GVariant) reply =
                ask(storm, owner, "Own",
                    g_variant_new("(su)", NAME, flags | SD_BUS_NAME_ALLOW_REPLACEMENT));
        gboolean is_owner;

        g_variant_get(reply, "(b)", &is_owner);
        return is_owner;
}

static void disown(Storm *storm, const Owner *owner)
{
        g_variant_unref(ask(storm, owner, "Disown", g_variant_new("(s)", NAME)));
}

/* ---- calls ---- */

static guint pick(Storm *storm, guint count)
{
        return (guint)g_rand_int_range(storm->random, 0, (gint32)count);
}

/* Owners since the call was sent; the next one may be it already without the test knowing. */
static bool was_owner(const Storm *storm, const Call *call)
{
        for (guint i = call->first; i < storm->history->len; i++)
                if (!g_strcmp0(call->result, storm->history->pdata[i]))
                        return true;
        return false;
}

static void note_answer(Call *call, char *result, bool never_ran)
{
        call->answers++;
        call->result = result;
        call->never_ran = never_ran;
        call->storm->n_answered++;
}

/* Those of the gateway, and those that the library makes of what `$state` says. */
static bool is_expected(const Storm *storm, int code)
{
        static const int codes[] = {MQTTRPC_ERROR_UNAVAILABLE, MQTTRPC_ERROR_STALE_EPOCH,
                                    MQTTRPC_ERROR_PEER_LOST, MQTTRPC_ERROR_NO_SERVICE};

        for (size_t i = 0; i < (storm->bus ? G_N_ELEMENTS(codes) : 1); i++)
                if (codes[i] == code)
                        return true;
        return false;
}

static void note_error(Call *call, const MqttRpcError *error)
{
        int code = mqttrpc_error_get_code(error);

        if (!is_expected(call->storm, code))
                g_error("call %u: error %d, %s", call->number, code,
                        mqttrpc_error_get_message(error));
        note_answer(call, NULL, mqttrpc_error_get_executed(error) == MQTTRPC_EXECUTED_NO);
}

static char *unquote(const char *json)
{
        g_assert_true(json[0] == '"');
        return g_strndup(json + 1, strcspn(json + 1, "\""));
}

static int on_reply(MqttRpcReply *reply, void *userdata)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        Call *call = userdata;

        if (error)
                note_error(call, error);
        else
                note_answer(call, unquote(mqttrpc_reply_get_result(reply, NULL)), false);
        return 0;
}

static void send_by_library(Storm *storm, Call *call, const char *method, const char *params)
{
        MqttRpcError *error = NULL;

        if (mqttrpc_call_async(storm->bus, NULL, "test", "-", method, params, 0, MQTTRPC_CALL_QOS1,
                               on_reply, call, &error) < 0)
                note_error(call, error);
        mqttrpc_error_free(error);
}

static void send_call(Storm *storm)
{
        Call *call = g_new0(Call, 1);
        bool slow = pick(storm, 3) == 0;
        const char *method = slow ? "MarkSlow" : "Mark";
        g_autofree char *params = NULL;

        g_ptr_array_add(storm->calls, call);
        call->storm = storm;
        call->number = storm->calls->len;
        call->first = storm->history->len - 1;
        params = slow ? g_strdup_printf("[%u,%u]", call->number, pick(storm, SLOW_MSEC))
                      : g_strdup_printf("[%u]", call->number);
        if (storm->bus)
                send_by_library(storm, call, method, params);
        else
                g_assert_cmpuint(
                        mqtt_client_send(storm->stage->client, &(MqttRequest){.service = "test",
                                                                              .method = method,
                                                                              .params = params}),
                        ==, call->number);
}

static void take_reply(Storm *storm, const char *reply)
{
        static const char id[] = "\"id\":\"", result[] = "\"result\":";
        const char *at = strstr(reply, id);
        unsigned long number;
        Call *call;

        g_assert_nonnull(at);
        number = strtoul(at + strlen(id), NULL, 10);
        g_assert_cmpuint(number, >, 0);
        g_assert_cmpuint(number, <=, storm->calls->len);
        call = storm->calls->pdata[number - 1];
        if (rpc_reply_get_code(reply) == 0) {
                note_answer(call, unquote(strstr(reply, result) + strlen(result)), false);
                return;
        }
        if (!is_expected(storm, rpc_reply_get_code(reply)))
                g_error("%s", reply);
        note_answer(call, NULL, strstr(reply, "\"executed\":\"no\""));
}

/* Takes in what has come. */
static void take_answers(Storm *storm)
{
        char *reply;

        if (storm->bus) {
                loop_step(0);
                return;
        }
        (void)mqtt_client_collect(storm->stage->client);
        while ((reply = mqtt_client_wait_any(storm->stage->client, 0))) {
                take_reply(storm, reply);
                g_free(reply);
        }
}

/* Waits for what is missing; what is too much comes with it, or before the next. */
static void take_all_answers(Storm *storm)
{
        if (storm->bus)
                g_assert_true(LOOP_UNTIL(storm->n_answered >= storm->calls->len));
        take_answers(storm);
        while (storm->n_answered < storm->calls->len) {
                g_autofree char *reply = mqtt_client_wait_any(storm->stage->client, WAIT_MSEC);

                g_assert_nonnull(reply);
                take_reply(storm, reply);
        }
}

/* Some calls that nobody waits for, at every step of a move. */
static void stream(Storm *storm)
{
        for (guint n = 1 + pick(storm, BURST); n > 0; n--)
                send_call(storm);
        take_answers(storm);
}

/* ---- moves ---- */

static void note_owner(Storm *storm, unsigned index)
{
        storm->holder = index;
        g_ptr_array_add(storm->history, g_strdup(storm->owners[index].label));
}

static void move_by_replacement(Storm *storm, unsigned next)
{
        g_assert_true(own(storm, &storm->owners[next], SD_BUS_NAME_REPLACE_EXISTING));
        /* one that came by the queue is back in it */
        disown(storm, &storm->owners[storm->holder]);
}

static void queue(Storm *storm, unsigned next)
{
        g_assert_false(own(storm, &storm->owners[next], SD_BUS_NAME_QUEUE));
        stream(storm);
}

static void move_by_release(Storm *storm, unsigned next)
{
        queue(storm, next);
        disown(storm, &storm->owners[storm->holder]);
}

static void move_by_kill(Storm *storm, unsigned next)
{
        queue(storm, next);
        owner_kill(&storm->owners[storm->holder]);
        owner_start(storm, storm->holder);
}

static void move_with_a_gap(Storm *storm, unsigned next)
{
        disown(storm, &storm->owners[storm->holder]);
        stream(storm);
        g_assert_true(own(storm, &storm->owners[next], 0));
}

/* Some calls between two moves. */
static void rest(Storm *storm)
{
        take_all_answers(storm);
        if (storm->bus) {
                g_assert_cmpint(mqttrpc_bus_sync(storm->bus, WAIT_MSEC * 1000), ==, 0);
                g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(storm->bus, "test") ==
                                         MQTTRPC_SERVICE_READY));
        }
        stream(storm);
        take_all_answers(storm);
}

static void move(Storm *storm)
{
        static const struct {
                const char *name;
                void (*run)(Storm *storm, unsigned next);
        } ways[] = {{"replaced", move_by_replacement},
                    {"released", move_by_release},
                    {"killed", move_by_kill},
                    {"gap", move_with_a_gap}};
        guint way = pick(storm, G_N_ELEMENTS(ways)), next = 1 - storm->holder;

        g_test_message("%u: %s, to %s", storm->history->len, ways[way].name,
                       storm->owners[next].label);
        stream(storm);
        ways[way].run(storm, next);
        note_owner(storm, next);
        stream(storm);
        if (pick(storm, 2) == 0)
                rest(storm);
}

/* ---- what has become of it ---- */

/* number → label of each line of the journal */
static GHashTable *read_journal(const Storm *storm)
{
        GHashTable *executions = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        g_auto(GStrv) lines = NULL;
        g_autofree char *text = NULL;

        g_assert_true(g_file_get_contents(storm->journal, &text, NULL, NULL));
        lines = g_strsplit(g_strchomp(text), "\n", -1);
        for (char **line = lines; *line; line++) {
                g_auto(GStrv) words = g_strsplit(*line, " ", 2);
                gpointer number = GUINT_TO_POINTER(strtoul(words[1], NULL, 10));

                if (g_hash_table_contains(executions, number))
                        g_error("call %s was executed by %s and by %s", words[1],
                                (char *)g_hash_table_lookup(executions, number), words[0]);
                g_hash_table_insert(executions, number, g_strdup(words[0]));
        }
        return executions;
}

static void check_calls(const Storm *storm)
{
        g_autoptr(GHashTable) executions = read_journal(storm);
        guint n_results = 0, n_never = 0;

        for (guint i = 0; i < storm->calls->len; i++) {
                const Call *call = storm->calls->pdata[i];
                const char *by = g_hash_table_lookup(executions, GUINT_TO_POINTER(call->number));

                g_assert_cmpuint(call->answers, ==, 1);
                if (call->result) {
                        g_assert_cmpstr(call->result, ==, by);
                        if (!was_owner(storm, call))
                                g_error("call %u was answered by %s", call->number, call->result);
                } else if (call->never_ran && by) {
                        g_error("call %u was executed by %s", call->number, by);
                }
                n_results += call->result ? 1 : 0;
                n_never += call->never_ran ? 1 : 0;
        }
        g_test_message("%u calls, %u results, %u never executed", storm->calls->len, n_results,
                       n_never);
        g_assert_cmpuint(n_results, >=, storm->history->len);
        g_assert_cmpuint(n_results, <, storm->calls->len);
}

/* Reads one message of $state, in the order of the broker: each owner has an epoch of its own, and
 * when a service says that it is ready, the value that is there is its owner's. */
static void check_state(const Storm *storm, GPtrArray *epochs, const char *state, const char *label,
                        const char *meta)
{
        static const char mark[] = "\"epoch\":\"";
        const char *at = strstr(state, mark);
        g_autofree char *epoch = at ? g_strndup(at + strlen(mark), 16) : NULL;
        g_autofree char *expected = NULL;
        guint place;

        g_assert_nonnull(epoch);
        if (epochs->len == 0 || strcmp(epochs->pdata[epochs->len - 1], epoch) != 0) {
                g_assert_false(g_ptr_array_find_with_equal_func(epochs, epoch, g_str_equal, NULL));
                g_ptr_array_add(epochs, g_strdup(epoch));
        }
        place = epochs->len - 1;
        if (!strstr(state, "\"state\":\"ready\""))
                return;
        g_assert_cmpuint(place, <, storm->history->len);
        expected = g_strdup_printf("\"%s\"", (char *)storm->history->pdata[place]);
        if (strcmp(label, expected) != 0 || meta[0] != '{')
                g_error("epoch %u, of %s, is ready with the value %s and $meta %s", place, expected,
                        label, meta);
}

static void check_states(const Storm *storm)
{
        static const char state[] = "test/$state ", prop[] = "test/-/prop/Label ",
                          meta[] = "test/-/$meta ";
        g_autoptr(GPtrArray) epochs = g_ptr_array_new_with_free_func(g_free);
        const char *line, *label = "", *has = "";

        for (guint i = 0; (line = mqtt_mirror_get_message(storm->mirror, i)); i++) {
                if (g_str_has_prefix(line, prop))
                        label = line + strlen(prop);
                else if (g_str_has_prefix(line, meta))
                        has = line + strlen(meta);
                else if (g_str_has_prefix(line, state))
                        check_state(storm, epochs, line + strlen(state), label, has);
        }
        g_assert_cmpuint(epochs->len, ==, storm->history->len);
}

/* Waits until the last owner is all there is, and calls it. */
static void settle(Storm *storm)
{
        const Owner *owner = &storm->owners[storm->holder];
        g_autofree char *label = g_strdup_printf("\"%s\"", owner->label);
        const Call *last;

        take_all_answers(storm);
        /* after this signal nothing comes of the others */
        g_variant_unref(ask(storm, owner, "Flood", g_variant_new("(uu)", 1, 0)));
        (void)mqtt_mirror_expect_message(storm->mirror, "test/-/sig/Flooded ");
        mqtt_mirror_expect(storm->mirror, "test/-/prop/Label", label);
        mqtt_mirror_expect(storm->mirror, "test/-/$meta",
                           "{\"interfaces\":[\"" FACE "\"],\"props\":[\"Label\"]}");
        mqtt_mirror_expect_text(storm->mirror, "test/$state", "\"state\":\"ready\"");
        g_assert_cmpuint(mqtt_mirror_count_retained(storm->mirror, "test/-/"), ==, 2);
        if (storm->bus)
                g_assert_cmpint(mqttrpc_bus_sync(storm->bus, WAIT_MSEC * 1000), ==, 0);
        send_call(storm);
        take_all_answers(storm);
        last = storm->calls->pdata[storm->calls->len - 1];
        g_assert_cmpstr(last->result, ==, owner->label);
}

/* ---- the test ---- */

static void call_free(gpointer data)
{
        Call *call = data;

        g_free(call->result);
        g_free(call);
}

static guint32 number_from(const char *variable, guint32 otherwise)
{
        const char *text = g_getenv(variable);

        return text ? (guint32)strtoul(text, NULL, 10) : otherwise;
}

static void set_up(Storm *storm, gconstpointer unused)
{
        GatewayStage *stage = gateway_stage_new();

        storm->stage = stage;
        gateway_stage_add_mapping(stage, "test", NAME, "", objects);
        gateway_stage_start(stage);
        storm->journal = g_build_filename(temp_dir_get_path(stage->dir), "journal", NULL);
        storm->control = dbus_daemon_connect(stage->bus);
        storm->mirror = mqtt_mirror_new(stage->broker, "alice");
        storm->random = g_rand_new_with_seed(number_from("MQTTRPC_STORM_SEED", SEED));
        storm->history = g_ptr_array_new_with_free_func(g_free);
        storm->calls = g_ptr_array_new_with_free_func(call_free);
        for (unsigned i = 0; i < G_N_ELEMENTS(storm->owners); i++)
                owner_start(storm, i);
        g_assert_true(own(storm, &storm->owners[0], 0));
        note_owner(storm, 0);
        mqtt_mirror_expect_text(storm->mirror, "test/$state", "\"state\":\"ready\"");
}

static void tear_down(Storm *storm, gconstpointer unused)
{
        loop_drop_bus(storm->bus);
        for (unsigned i = 0; i < G_N_ELEMENTS(storm->owners); i++)
                owner_kill(&storm->owners[i]);
        mqtt_mirror_free(storm->mirror);
        g_dbus_connection_close_sync(storm->control, NULL, NULL);
        g_object_unref(storm->control);
        gateway_stage_free(storm->stage);
        g_ptr_array_unref(storm->history);
        g_ptr_array_unref(storm->calls);
        g_rand_free(storm->random);
        g_free(storm->journal);
}

static void run(Storm *storm)
{
        for (guint n = number_from("MQTTRPC_STORM_ROUNDS", MOVES); n > 0; n--)
                move(storm);
        settle(storm);
        check_calls(storm);
        check_states(storm);
}

static void test_each_call_is_answered_once(Storm *storm, gconstpointer unused)
{
        run(storm);
}

/* It sends the epoch that it knows, and ends calls itself when that is over. */
static void test_the_same_for_who_knows_the_epoch(Storm *storm, gconstpointer unused)
{
        g_autofree char *file = broker_get_password_file(storm->stage->broker, "alice");
        const char *uri = broker_get_uri(storm->stage->broker);
        g_autofree char *password = NULL;

        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        g_assert_cmpint(mqttrpc_bus_new(&storm->bus), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_uri(storm->bus, uri, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_bus_set_credentials(storm->bus, "alice", g_strchomp(password)), ==,
                        0);
        loop_add_bus(storm->bus);
        g_assert_cmpint(mqttrpc_bus_open(storm->bus, NULL), ==, 0);
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_state(storm->bus) == MQTTRPC_STATE_CONNECTED));
        g_assert_true(LOOP_UNTIL(mqttrpc_bus_get_service_state(storm->bus, "test") ==
                                 MQTTRPC_SERVICE_READY));
        run(storm);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/handover/trap-32-each-call-is-answered-once", Storm, NULL, set_up,
                   test_each_call_is_answered_once, tear_down);
        g_test_add("/handover/trap-32-the-same-for-who-knows-the-epoch", Storm, NULL, set_up,
                   test_the_same_for_who_knows_the_epoch, tear_down);
        return g_test_run();
}
