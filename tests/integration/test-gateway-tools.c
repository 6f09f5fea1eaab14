/* SPDX-License-Identifier: MIT */

/* generate, diff and emit against services on a private bus: of good behaviour, and of the kinds
 * that a tool must not hang on. */

#include "tests/support/gateway-stage.h"
#include "tests/support/wait.h"

#include <string.h>

#define NAME "org.example.Test"

typedef struct Fixture {
        GatewayStage *stage;
        Process *service;
        char *out;
        char *err;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->stage = gateway_stage_new();
        dbus_daemon_start(fixture->stage->bus);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        process_free(fixture->service);
        gateway_stage_free(fixture->stage);
        g_free(fixture->out);
        g_free(fixture->err);
}

/* Writes introspection into a file and starts the service with it: "PATH=…" for each pair. */
static void start(Fixture *fixture, const char *const *arguments)
{
        g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

        for (size_t i = 0; arguments[i]; i += 2) {
                const char *value = arguments[i + 1];
                bool is_path = arguments[i][0] == '/' || arguments[i][0] == '*';

                if (!is_path) {
                        g_ptr_array_add(list, g_strdup(arguments[i]));
                        g_ptr_array_add(list, g_strdup(value));
                        continue;
                }
                g_ptr_array_add(list, g_strdup("--introspection"));
                if (value[0] == '<' || value[0] == '\0') {
                        g_autofree char *name = g_strdup_printf("%zu.xml", i);
                        g_autofree char *file = temp_dir_write(fixture->stage->dir, name, value);

                        g_ptr_array_add(list, g_strdup_printf("%s=%s", arguments[i], file));
                } else {
                        g_ptr_array_add(list, g_strdup_printf("%s=%s", arguments[i], value));
                }
        }
        g_ptr_array_add(list, NULL);
        fixture->service =
                gateway_stage_start_service(fixture->stage, NAME, (const char *const *)list->pdata);
}

/* Runs a verb on the private bus; "@" in arguments stands for the test's directory. */
static int run(Fixture *fixture, const char *verb, const char *const *arguments)
{
        const char *environment[] = {NULL, NULL};
        const ProcessOptions options = {.environment = environment};
        g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *address = g_strdup_printf("DBUS_SYSTEM_BUS_ADDRESS=%s",
                                                   dbus_daemon_get_address(fixture->stage->bus));

        environment[0] = address;
        g_ptr_array_add(argv, process_program_path("dbus-mqtt-gateway"));
        g_ptr_array_add(argv, g_strdup(verb));
        for (; *arguments; arguments++) {
                GString *text = g_string_new(*arguments);

                g_string_replace(text, "@", temp_dir_get_path(fixture->stage->dir), 0);
                g_ptr_array_add(argv, g_string_free(text, FALSE));
        }
        g_ptr_array_add(argv, NULL);
        g_clear_pointer(&fixture->out, g_free);
        g_clear_pointer(&fixture->err, g_free);
        return process_run(fixture->stage->dir, (const char *const *)argv->pdata, &options,
                           2 * WAIT_MSEC, &fixture->out, &fixture->err);
}

#define RUN(fixture, verb, ...) run(fixture, verb, (const char *const[]){__VA_ARGS__, NULL})

static void expect(const Fixture *fixture, const char *text, const char *part)
{
        if (!strstr(text, part))
                g_error("no \"%s\" in:\n%s\n%s", part, fixture->out, fixture->err);
}

static void refuse(const Fixture *fixture, const char *text, const char *part)
{
        if (strstr(text, part))
                g_error("\"%s\" in:\n%s\n%s", part, fixture->out, fixture->err);
}

#define TREE                                                                              \
        "/", "<node><node name='org'/><node name='bad name'/></node>", "/org",            \
                "<node><node name='example'/></node>", "/org/example",                    \
                "<node><node name='Test'/></node>", "/org/example/Test",                  \
                "<node><interface name='org.example.Main'><method name='Get'>"            \
                "<arg type='u' direction='out' name='n'/></method></interface>"           \
                "<node name='d1'/><node name='d2'/></node>",                              \
                "/org/example/Test/d1",                                                   \
                "<node><interface name='org.example.Device'><property name='Id' type='s'" \
                " access='read'/></interface></node>",                                    \
                "/org/example/Test/d2", "<node><interface name='org.example.Device'/></node>"

static const char *const tree[] = {TREE, NULL};

static void test_generated_mapping_has_no_difference(Fixture *fixture, gconstpointer data)
{
        start(fixture, tree);
        g_assert_cmpint(RUN(fixture, "generate", "--output", "@/x.json", NAME), ==, 0);
        g_assert_cmpstr(fixture->out, ==, "");
        g_assert_cmpstr(fixture->err, ==, "");
        g_assert_cmpint(RUN(fixture, "check", "@/x.json"), ==, 0);
        g_assert_cmpstr(fixture->err, ==, "");
        g_assert_cmpint(RUN(fixture, "diff", "@/x.json"), ==, 0);
        g_assert_cmpstr(fixture->out, ==, "");
        g_assert_cmpint(RUN(fixture, "generate", NAME), ==, 0);
        expect(fixture, fixture->out, "\"path\": \"/org/example/Test/{test}\", // 2 when");
        expect(fixture, fixture->out, "\"Get\": { \"in\": [], \"out\": [\"n:u\"]");
}

static void test_part_of_a_tree(Fixture *fixture, gconstpointer data)
{
        start(fixture, tree);
        g_assert_cmpint(RUN(fixture, "generate", NAME, "/org/example/Test/d1"), ==, 0);
        refuse(fixture, fixture->out, "org.example.Main");
        expect(fixture, fixture->out, "\"path\": \"/org/example/Test/{test}\"");
}

static void test_difference_is_shown(Fixture *fixture, gconstpointer data)
{
        static const char mapping[] =
                "{ \"service\": \"test\", \"dbus\": { \"name\": \"" NAME "\" }, \"objects\": [ {"
                " \"path\": \"/org/example/Test\", \"interfaces\": { \"org.example.Main\": {"
                " \"methods\": { \"Gone\": {} } } } } ] }";

        start(fixture, tree);
        g_free(temp_dir_write(fixture->stage->dir, "x.json", mapping));
        g_assert_cmpint(RUN(fixture, "diff", "@/x.json"), ==, 1);
        g_assert_cmpstr(fixture->out, ==,
                        "- /org/example/Test org.example.Main method Gone\n"
                        "+ /org/example/Test org.example.Main method Get\n"
                        "+ /org/example/Test/{test} org.example.Device\n");
        g_assert_cmpint(RUN(fixture, "diff", "--only-mapped", "@/x.json"), ==, 1);
        g_assert_cmpstr(fixture->out, ==, "- /org/example/Test org.example.Main method Gone\n");
        g_assert_cmpint(RUN(fixture, "diff", "--bus", "unix:path=@/none", "@/x.json"), ==, 2);
}

/* Objects that no introspection lists, as those that come and go often are. */
static void test_objects_of_the_object_manager(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {
                "/",
                "<node><interface name='org.freedesktop.DBus.ObjectManager'/></node>",
                "/dev/a",
                "<node><interface name='org.example.Device'><method name='Reset'/></interface>"
                "</node>",
                "--managed",
                "/dev/a=org.example.Device",
                "--managed",
                "/dev/b=org.example.Device",
                "--managed",
                "/other/c=org.example.NotIntrospected",
                NULL,
        };

        start(fixture, arguments);
        g_assert_cmpint(RUN(fixture, "generate", NAME), ==, 0);
        expect(fixture, fixture->out, "\"object_manager\": \"/\"");
        expect(fixture, fixture->out, "\"path\": \"/dev/{dev}\", // 2 when");
        expect(fixture, fixture->out, "\"Reset\": { \"in\": [], \"out\": []");
        expect(fixture, fixture->err, "Introspect of /other/c");
}

/* ---- services that are not as they should be ---- */

static void test_same_answer_for_any_path_ends(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {
                "*", "<node><interface name='org.example.Any'/><node name='x'/></node>", NULL};

        start(fixture, arguments);
        g_assert_cmpint(RUN(fixture, "generate", NAME), ==, 0);
        expect(fixture, fixture->err, "/x has the same introspection as what is above it");
        expect(fixture, fixture->out, "\"path\": \"/org/example/Test\"");
        refuse(fixture, fixture->out, "\"path\": \"/\"");
        refuse(fixture, fixture->out, "\"path\": \"/x");
}

static void test_tree_without_end_is_cut(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {"/org/example/Test",
                                                "<node><interface name='org.example.I'/></node>",
                                                "*", "<node><node name='x'/></node>", NULL};

        start(fixture, arguments);
        g_assert_cmpint(RUN(fixture, "generate", NAME), ==, 0);
        expect(fixture, fixture->err, "/x is deeper than 16 levels, the rest is left out");
        expect(fixture, fixture->out, "org.example.I");
}

static void test_empty_introspection_is_told(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {"*", "", NULL};

        start(fixture, arguments);
        g_assert_cmpint(RUN(fixture, "generate", NAME), ==, 1);
        expect(fixture, fixture->err, "introspection of / cannot be used");
        expect(fixture, fixture->err, "error: " NAME " offers nothing that could be mapped\n");
        g_assert_cmpstr(fixture->out, ==, "");
}

static void test_no_answer_is_not_waited_for(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {"/a", "mute", NULL};

        start(fixture, arguments);
        g_assert_cmpint(RUN(fixture, "generate", NAME, "/a"), ==, 1);
        expect(fixture, fixture->err, "Introspect of /a");
        expect(fixture, fixture->err, "offers nothing");
}

static void test_nobody_there(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(RUN(fixture, "generate", NAME), ==, 1);
        expect(fixture, fixture->err, "error: " NAME " cannot be reached");
        g_assert_cmpint(RUN(fixture, "generate", NAME ".*"), ==, 1);
        expect(fixture, fixture->err, "error: no name of the family " NAME ".* is on the bus");
}

/* ---- families, files, documents ---- */

static void test_family_is_asked_by_a_member(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {
                "/org/example", "<node><interface name='org.example.I'/></node>", NULL};

        start(fixture, arguments);
        g_assert_cmpint(
                RUN(fixture, "generate", "--output", "@/x.json", "org.example.*", "/org/example"),
                ==, 0);
        g_assert_cmpint(RUN(fixture, "emit", "openrpc", "@/x.json"), ==, 0);
        expect(fixture, fixture->out, "\"title\": \"example.{name}\"");
        expect(fixture, fixture->out, "\"x-path\": \"/org/example\"");
}

/* A family's objects are below its prefix, and the root of a member may list none of them. */
static void test_family_is_looked_for_below_its_prefix(Fixture *fixture, gconstpointer data)
{
        static const char *const arguments[] = {"/", "<node/>", "/org/example",
                                                "<node><interface name='a.I'/></node>", NULL};

        start(fixture, arguments);
        g_assert_cmpint(RUN(fixture, "generate", "org.example.*"), ==, 0);
        expect(fixture, fixture->out, "\"path\": \"/org/example\"");
}

static void test_files_in_place_of_a_service(Fixture *fixture, gconstpointer data)
{
        g_free(temp_dir_write(fixture->stage->dir, "a.xml",
                              "<node><interface name='org.example.A'><method name='M'/></interface>"
                              "</node>"));
        g_free(temp_dir_write(fixture->stage->dir, "b.xml",
                              "<node name='/org/b'><interface name='org.example.B'/></node>"));
        g_assert_cmpint(RUN(fixture, "generate", "--xml", "@/a.xml", "--xml", "@/b.xml", "--output",
                            "@/x.json", NAME, "/org/{a}"),
                        ==, 0);
        g_assert_cmpint(RUN(fixture, "diff", "--xml", "@/a.xml", "--xml", "@/b.xml", "@/x.json"),
                        ==, 0);
        g_assert_cmpstr(fixture->out, ==, "");
        g_assert_cmpint(RUN(fixture, "emit", "markdown", "@/x.json"), ==, 0);
        expect(fixture, fixture->out, "D-Bus object: `/org/{a}`.");
        expect(fixture, fixture->out, "D-Bus object: `/org/b`.");
}

static void test_document_of_what_is_left_open(Fixture *fixture, gconstpointer data)
{
        static const char mapping[] =
                "{ \"service\": \"test\", \"dbus\": { \"name\": \"" NAME "\" }, \"objects\": [ {"
                " \"path\": \"/org/example/Test\", \"interfaces\": { \"org.example.Main\": \"*\" } "
                "}"
                " ] }";

        start(fixture, tree);
        g_free(temp_dir_write(fixture->stage->dir, "x.json", mapping));
        g_assert_cmpint(RUN(fixture, "emit", "markdown", "@/x.json"), ==, 0);
        expect(fixture, fixture->err, "--bus or --xml would add them");
        refuse(fixture, fixture->out, "`Get`");
        g_assert_cmpint(RUN(fixture, "emit", "markdown", "--bus", "system", "@/x.json"), ==, 0);
        expect(fixture, fixture->out, "| `Get` |  | n `u` | admin |");
        g_assert_cmpstr(fixture->err, ==, "");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/gateway-tools/generated-mapping-has-no-difference",
            test_generated_mapping_has_no_difference);
        ADD("/gateway-tools/part-of-a-tree", test_part_of_a_tree);
        ADD("/gateway-tools/difference-is-shown", test_difference_is_shown);
        ADD("/gateway-tools/objects-of-the-object-manager", test_objects_of_the_object_manager);
        ADD("/gateway-tools/same-answer-for-any-path-ends", test_same_answer_for_any_path_ends);
        ADD("/gateway-tools/tree-without-end-is-cut", test_tree_without_end_is_cut);
        ADD("/gateway-tools/empty-introspection-is-told", test_empty_introspection_is_told);
        ADD("/gateway-tools/no-answer-is-not-waited-for", test_no_answer_is_not_waited_for);
        ADD("/gateway-tools/nobody-there", test_nobody_there);
        ADD("/gateway-tools/family-is-asked-by-a-member", test_family_is_asked_by_a_member);
        ADD("/gateway-tools/family-is-looked-for-below-its-prefix",
            test_family_is_looked_for_below_its_prefix);
        ADD("/gateway-tools/files-in-place-of-a-service", test_files_in_place_of_a_service);
        ADD("/gateway-tools/document-of-what-is-left-open", test_document_of_what_is_left_open);
        return g_test_run();
}
