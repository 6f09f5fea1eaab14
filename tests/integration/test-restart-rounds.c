/* SPDX-License-Identifier: MIT */

/* Trap 17, many times over: in each round some of the services, dbus-daemon, mosquitto and the
 * gateway are killed and come back, in random order and while the services change. When all is
 * quiet the broker has retained what follows from the services, byte for byte, and nothing else.
 * The seed is fixed; MQTTRPC_STORM_SEED and MQTTRPC_STORM_ROUNDS in the environment try others. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"
#include "tests/support/scripted-service.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME       "org.example.Test"
#define ROOT       "/org/example/Test"
#define OTHER_NAME "org.example.Other"
#define OTHER_ROOT "/org/example/Other"
#define FACE       "org.example.Face"
#define BACK       "org.example.Back"

enum { ROUNDS = 200, SEED = 17, OBJECTS = 6, MUTATIONS = 12 };

#define FACES                                                                       \
        "\"interfaces\":{\"" FACE "\":{\"properties\":{\"Level\":{\"type\":\"i\"}," \
        "\"Mark\":{\"type\":\"u\"}}},\"" BACK "\":{\"properties\":{\"Size\":{\"type\":\"u\"}}}}"

static const char managed_objects[] =
        "[{\"path\":\"" ROOT "\"," FACES "},"
        "{\"path\":\"" ROOT "/{id}\",\"object\":\"{id}\",\"find\":\"object_manager\"," FACES "}]";
static const char walked_objects[] =
        "[{\"path\":\"" OTHER_ROOT "\"," FACES "},"
        "{\"path\":\"" OTHER_ROOT "/{id}\",\"object\":\"{id}\",\"find\":\"walk\"," FACES "}]";

/* What a service has, by which the tree is judged. Object 0 is that of the root, which stays. */
typedef struct Model {
        const char *service;
        const char *name;
        const char *root;
        bool walked; /* objects change only while it is away, since nothing would tell */
        ScriptedService *peer;
        bool up;
        bool has_face[OBJECTS], has_back[OBJECTS];
        gint32 level[OBJECTS];
        guint32 size[OBJECTS];
        guint32 mark;
} Model;

typedef struct Storm {
        GatewayStage *stage;
        GRand *random;
        Model models[2];
        GString *history; /* of the round, for a failure */
        char *frame;      /* $state, $api and the gateway's own topics, as they should be */
} Storm;

static guint pick(Storm *storm, guint count)
{
        return (guint)g_rand_int_range(storm->random, 0, (gint32)count);
}

/* ---- what the tree should be ---- */

static char *object_name(guint i)
{
        return i == 0 ? g_strdup("-") : g_strdup_printf("o%u", i);
}

static char *object_path(const Model *model, guint i)
{
        return i == 0 ? g_strdup(model->root) : g_strdup_printf("%s/o%u", model->root, i);
}

static void add_object(const Model *model, guint i, GPtrArray *lines)
{
        bool face = model->has_face[i], back = model->has_back[i];
        g_autofree char *name = object_name(i);
        g_autofree char *prefix = g_strdup_printf("%s/%s", model->service, name);

        if (!face && !back)
                return;
        g_ptr_array_add(lines,
                        g_strdup_printf("%s/$meta {\"interfaces\":[%s%s%s],\"props\":[%s%s%s%s]}",
                                        prefix, face ? "\"" FACE "\"" : "", face && back ? "," : "",
                                        back ? "\"" BACK "\"" : "", face ? "\"Level\"" : "",
                                        i == 0 ? ",\"Mark\"" : "", face && back ? "," : "",
                                        back ? "\"Size\"" : ""));
        if (face)
                g_ptr_array_add(lines,
                                g_strdup_printf("%s/prop/Level %d", prefix, model->level[i]));
        if (i == 0)
                g_ptr_array_add(lines, g_strdup_printf("%s/prop/Mark %u", prefix, model->mark));
        if (back)
                g_ptr_array_add(lines, g_strdup_printf("%s/prop/Size %u", prefix, model->size[i]));
}

static gint compare(gconstpointer a, gconstpointer b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(GPtrArray *lines)
{
        g_ptr_array_sort(lines, compare);
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **)lines->pdata);
}

static char *dup_expected(const Storm *storm)
{
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

        for (guint m = 0; m < G_N_ELEMENTS(storm->models); m++)
                for (guint i = 0; i < OBJECTS; i++)
                        add_object(&storm->models[m], i, lines);
        return join(lines);
}

/* ---- what it is ---- */

/* Splits the tree: what is told of objects of the services, and the rest, in which only the epochs
 * and the id of the bus may differ from one time to the next. */
static void read_tree(const MqttMirror *mirror, char **ret_objects, char **ret_frame)
{
        g_autofree char *tree = mqtt_mirror_dup_tree(mirror);
        g_auto(GStrv) all = g_strsplit(tree, "\n", -1);
        g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) frame = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GRegex) epoch = g_regex_new("(\"epoch\":\")[0-9a-f]+\"", 0, 0, NULL);
        g_autoptr(GRegex) bus = g_regex_new("(\"origin\":\\[\"dbus:)[0-9a-f]{32}/", 0, 0, NULL);

        for (char **line = all; *line; line++) {
                if (g_str_has_prefix(*line, "gateway/") || strstr(*line, "/$state ") ||
                    strstr(*line, "/$api ")) {
                        g_autofree char *masked =
                                g_regex_replace(epoch, *line, -1, 0, "\\1EPOCH\"", 0, NULL);

                        g_ptr_array_add(frame,
                                        g_regex_replace(bus, masked, -1, 0, "\\1BUS/", 0, NULL));
                } else if (**line) {
                        g_ptr_array_add(objects, g_strdup(*line));
                }
        }
        *ret_objects = join(objects);
        *ret_frame = join(frame);
}

static bool tree_is_right(const Storm *storm, const MqttMirror *mirror, bool tell)
{
        g_autofree char *expected = dup_expected(storm);
        g_autofree char *objects = NULL;
        g_autofree char *frame = NULL;
        bool right;

        read_tree(mirror, &objects, &frame);
        right = strcmp(objects, expected) == 0 && strcmp(frame, storm->frame) == 0;
        if (!right && tell)
                g_printerr("# %s\nexpected:\n%s\n%s\nretained:\n%s\n%s\n", storm->history->str,
                           expected, storm->frame, objects, frame);
        return right;
}

/* ---- the services ---- */

/* The tree of a walked service, as introspection shows it. */
static void describe(const Model *model)
{
        g_autoptr(GString) children = g_string_new(NULL);

        for (guint i = 0; i < OBJECTS; i++) {
                g_autofree char *path = object_path(model, i);
                g_autofree char *faces = g_strdup_printf(
                        "%s%s", model->has_face[i] ? "<interface name=\"" FACE "\"/>" : "",
                        model->has_back[i] ? "<interface name=\"" BACK "\"/>" : "");
                g_autofree char *xml = g_strdup_printf("<node>%s</node>", faces);

                if (i > 0 && *faces)
                        g_string_append_printf(children, "<node name=\"o%u\"/>", i);
                scripted_service_introspect(model->peer, path, xml);
        }
        g_string_append_printf(children,
                               "<interface name=\"" FACE "\"/><interface name=\"" BACK "\"/>");
        {
                g_autofree char *xml = g_strdup_printf("<node>%s</node>", children->str);

                scripted_service_introspect(model->peer, model->root, xml);
        }
}

static void put(Model *model, guint i, const char *interface, const char *property, GVariant *value)
{
        g_autofree char *path = object_path(model, i);

        scripted_service_set(model->peer, path, interface, property, value);
}

static void tell(Model *model, guint i, const char *interface, const char *property,
                 bool invalidated)
{
        g_autofree char *path = object_path(model, i);

        scripted_service_tell(model->peer, path, interface, property, invalidated);
}

static void add_or_remove(Storm *storm, Model *model, guint i)
{
        g_autofree char *path = object_path(model, i);
        bool face = pick(storm, 2) == 0;
        bool *has = face ? &model->has_face[i] : &model->has_back[i];
        const char *interface = face ? FACE : BACK;

        if (i == 0 || (model->walked && model->up))
                return;
        *has = !*has;
        if (!*has && model->walked)
                scripted_service_set(model->peer, path, interface, face ? "Level" : "Size", NULL);
        else if (!*has)
                scripted_service_remove(model->peer, path, interface);
        else if (face)
                put(model, i, FACE, "Level", g_variant_new_int32(model->level[i]));
        else
                put(model, i, BACK, "Size", g_variant_new_uint32(model->size[i]));
        if (*has && !model->walked)
                scripted_service_tell_added(model->peer, path, interface);
}

static void mutate_one(Storm *storm)
{
        Model *model = &storm->models[pick(storm, G_N_ELEMENTS(storm->models))];
        guint i = pick(storm, OBJECTS);

        if (pick(storm, 3) == 0) {
                add_or_remove(storm, model, i);
        } else if (model->has_face[i]) {
                model->level[i] = (gint32)g_rand_int(storm->random);
                put(model, i, FACE, "Level", g_variant_new_int32(model->level[i]));
                tell(model, i, FACE, "Level", pick(storm, 4) == 0);
        } else if (model->has_back[i]) {
                model->size[i]++;
                put(model, i, BACK, "Size", g_variant_new_uint32(model->size[i]));
                tell(model, i, BACK, "Size", false);
        }
}

static void mutate(Storm *storm)
{
        for (guint n = pick(storm, MUTATIONS); n > 0; n--)
                mutate_one(storm);
}

static void mark(Model *model)
{
        model->mark++;
        put(model, 0, FACE, "Mark", g_variant_new_uint32(model->mark));
        tell(model, 0, FACE, "Mark", false);
}

static void stop_service(Model *model)
{
        if (model->up)
                scripted_service_disconnect(model->peer);
        model->up = false;
}

static void start_service(Storm *storm, Model *model)
{
        scripted_service_reconnect(model->peer, storm->stage->bus);
        if (model->walked)
                describe(model);
        scripted_service_own(model->peer, model->name);
        model->up = true;
}

/* ---- the parts ---- */

/* It has restarted on a broker that remembers its predecessor, and must not take itself for that.
 */
static void kill_gateway(GatewayStage *stage)
{
        g_autofree char *log = NULL;

        gateway_process_kill(stage->gateway);
        log = process_dup_output(gateway_process_get_process(stage->gateway), PROCESS_STDERR);
        if (strstr(log, "does not get its own calls") || strstr(log, "Sanitizer") ||
            strstr(log, "runtime error"))
                g_error("the gateway complains:\n%s", log);
        stage->gateway = gateway_process_free(stage->gateway);
}

static void stop_part(Storm *storm, char part)
{
        GatewayStage *stage = storm->stage;

        g_string_append_c(storm->history, part);
        switch (part) {
        case 'd':
                stop_service(&storm->models[0]);
                stop_service(&storm->models[1]);
                dbus_daemon_kill(stage->bus);
                break;
        case 'm': broker_kill(stage->broker); break;
        case 'g': kill_gateway(stage); break;
        default: stop_service(&storm->models[part - '0']);
        }
}

static void start_part(Storm *storm, char part)
{
        GatewayStage *stage = storm->stage;

        g_string_append_c(storm->history, part);
        switch (part) {
        case 'd': dbus_daemon_start(stage->bus); break;
        case 'm': broker_start(stage->broker); break;
        case 'g': gateway_stage_start_gateway(stage, 0); break;
        default: break; /* services follow, since they need their bus */
        }
        for (guint i = 0; i < G_N_ELEMENTS(storm->models); i++)
                if (!storm->models[i].up && (part == '0' + (char)i || part == 'd') &&
                    dbus_daemon_get_process(stage->bus))
                        start_service(storm, &storm->models[i]);
}

static void shuffle(Storm *storm, char *text)
{
        for (guint i = (guint)strlen(text); i > 1; i--) {
                guint other = pick(storm, i);
                char c = text[i - 1];

                text[i - 1] = text[other];
                text[other] = c;
        }
}

/* One or more of them. */
static void choose(Storm *storm, char *parts)
{
        static const char all[] = "01dmg";

        do {
                guint set = pick(storm, 1U << strlen(all)), n = 0;

                for (guint i = 0; all[i]; i++)
                        if (set & (1U << i))
                                parts[n++] = all[i];
                parts[n] = '\0';
        } while (!*parts);
}

/* ---- rounds ---- */

/* A mark that arrives says that the gateway is connected on both sides and knows the services; a
 * second one that all before it has arrived. */
static void check_when_quiet(Storm *storm)
{
        CLEANUP_MQTT_MIRROR MqttMirror *mirror = mqtt_mirror_new(storm->stage->broker, "alice");

        for (guint i = 0; i < G_N_ELEMENTS(storm->models); i++)
                mark(&storm->models[i]);
        while (!tree_is_right(storm, mirror, false)) {
                if (mqtt_mirror_turn(mirror))
                        continue;
                (void)tree_is_right(storm, mirror, true);
                g_error("the tree does not become what it should be");
        }
        for (guint i = 0; i < G_N_ELEMENTS(storm->models); i++) {
                g_autofree char *topic =
                        g_strdup_printf("%s/-/prop/Mark", storm->models[i].service);
                g_autofree char *value = NULL;

                mark(&storm->models[i]);
                value = g_strdup_printf("%u", storm->models[i].mark);
                mqtt_mirror_expect(mirror, topic, value);
        }
        if (!tree_is_right(storm, mirror, true))
                g_error("the tree does not stay what it should be");
}

static void run_round(Storm *storm)
{
        char parts[8];

        g_string_truncate(storm->history, 0);
        choose(storm, parts);
        shuffle(storm, parts);
        for (const char *part = parts; *part; part++) {
                mutate(storm);
                stop_part(storm, *part);
        }
        g_string_append(storm->history, " → ");
        shuffle(storm, parts);
        for (const char *part = parts; *part; part++) {
                mutate(storm);
                start_part(storm, *part);
        }
        mutate(storm);
        check_when_quiet(storm);
}

static void set_up_model(Storm *storm, Model *model, const char *objects)
{
        gateway_stage_add_mapping(storm->stage, model->service, model->name, "", objects);
        model->peer = scripted_service_new(storm->stage->bus);
        if (!model->walked)
                scripted_service_manage(model->peer, model->root);
        model->has_face[0] = model->has_back[0] = true;
        put(model, 0, FACE, "Level", g_variant_new_int32(0));
        put(model, 0, FACE, "Mark", g_variant_new_uint32(0));
        put(model, 0, BACK, "Size", g_variant_new_uint32(0));
        scripted_service_disconnect(model->peer);
        start_service(storm, model);
}

static void set_up(Storm *storm)
{
        GatewayStage *stage = storm->stage = gateway_stage_new();
        const char *seed = g_getenv("MQTTRPC_STORM_SEED");

        storm->random = g_rand_new_with_seed(seed ? (guint32)atoi(seed) : SEED);
        storm->history = g_string_new(NULL);
        storm->models[0] = (Model){.service = "test", .name = NAME, .root = ROOT};
        storm->models[1] =
                (Model){.service = "other", .name = OTHER_NAME, .root = OTHER_ROOT, .walked = true};
        stage->unwatched = true;
        stage->config = temp_dir_write(stage->dir, "gateway.json", "{\"reconnect_max_ms\": 20}");
        broker_start(stage->broker);
        dbus_daemon_start(stage->bus);
        set_up_model(storm, &storm->models[0], managed_objects);
        set_up_model(storm, &storm->models[1], walked_objects);
}

/* Before the first round: what a fresh gateway says of the services as such. */
static void learn_frame(Storm *storm)
{
        CLEANUP_MQTT_MIRROR MqttMirror *mirror = NULL;
        g_autofree char *objects = NULL;

        gateway_stage_start_gateway(storm->stage, 0);
        mirror = mqtt_mirror_new(storm->stage->broker, "alice");
        mqtt_mirror_expect_text(mirror, "gateway/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect_text(mirror, "test/$state", "\"state\":\"ready\"");
        mqtt_mirror_expect_text(mirror, "other/$state", "\"state\":\"ready\"");
        read_tree(mirror, &objects, &storm->frame);
        g_assert_nonnull(strstr(storm->frame, "test/$api"));
        g_assert_nonnull(strstr(storm->frame, "other/$api"));
        g_assert_nonnull(strstr(storm->frame, "EPOCH"));
}

static void tear_down(Storm *storm)
{
        for (guint i = 0; i < G_N_ELEMENTS(storm->models); i++)
                scripted_service_free(storm->models[i].peer);
        gateway_stage_free(storm->stage);
        g_rand_free(storm->random);
        g_string_free(storm->history, TRUE);
        g_free(storm->frame);
}

static void test_rounds(void)
{
        const char *rounds = g_getenv("MQTTRPC_STORM_ROUNDS");
        gint64 slowest = 0;
        Storm storm = {};

        set_up(&storm);
        learn_frame(&storm);
        for (int round = 0; round < (rounds ? atoi(rounds) : ROUNDS); round++) {
                gint64 start = g_get_monotonic_time();

                run_round(&storm);
                start = g_get_monotonic_time() - start;
                g_test_message("round %d: %s, %d ms", round, storm.history->str,
                               (int)(start / 1000));
                slowest = MAX(slowest, start);
        }
        g_test_message("the slowest round took %d ms", (int)(slowest / 1000));
        tear_down(&storm);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/restart-rounds/trap-17-tree-is-that-of-a-fresh-snapshot", test_rounds);
        return g_test_run();
}
