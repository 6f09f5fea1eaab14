/* SPDX-License-Identifier: MIT */

#include "gateway/codec/json-to-dbus.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "common/limits.h"
#include "tests/support/message.h"

static TestBus bus;

/* ---- helpers ---- */

static CodecArgs new_args(const char *const *names_and_types)
{
        CodecArgs args = {};

        for (; names_and_types[0]; names_and_types += 2)
                g_assert_cmpint(
                        codec_args_add(&args, names_and_types[0], names_and_types[1], NULL, NULL),
                        ==, 0);
        return args;
}

/* "name", "type", … */
#define ARGS(...) new_args((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* The dump of what became of the message, or the error's text. Owned by the caller. */
static char *outcome(sd_bus_message *m, int r, const Error *error)
{
        g_assert_cmpint(r, ==, error ? error->code : 0);
        if (error)
                return strdup(error->text);
        test_message_seal(m);
        return test_message_dump(m);
}

/* Converts params (NULL: absent), consumes `args`, and expects this message or error, with this
 * argument to blame. */
static void expect_args(const char *json, CodecArgs args, const char *expected, const char *culprit)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *text = NULL;
        const CodecArg *argument = NULL;
        int r;

        if (json)
                g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        r = codec_args_from_json(&doc, json ? 0 : CODEC_NO_NODE, &args, m, &argument, &error);
        text = outcome(m, r, error);
        g_assert_cmpstr(text, ==, expected);
        g_assert_cmpstr(argument ? argument->name : NULL, ==, culprit);
        codec_args_done(&args);
        sd_bus_message_unref(m);
}

static void expect_result(const char *json, CodecArgs args, const char *expected)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *text = NULL;
        int r;

        if (json)
                g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        r = codec_result_from_json(&doc, json ? 0 : CODEC_NO_NODE, &args, m, &error);
        text = outcome(m, r, error);
        g_assert_cmpstr(text, ==, expected);
        codec_args_done(&args);
        sd_bus_message_unref(m);
}

static void expect_value(const char *json, const char *signature, const char *expected)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *text = NULL;
        CodecType *type = NULL;
        int r;

        g_assert_cmpint(codec_type_new(signature, NULL, &type, NULL), ==, 0);
        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        r = codec_value_from_json(&doc, 0, type, "value", m, &error);
        text = outcome(m, r, error);
        g_assert_cmpstr(text, ==, expected);
        codec_type_free(type);
        sd_bus_message_unref(m);
}

/* ---- params ---- */

static void test_arguments_by_position(void)
{
        expect_args("[\"x\",5]", ARGS("name", "s", "size", "u"), "su \"x\" 5", NULL);
        expect_args("[[1,2]]", ARGS("list", "ai"), "ai 2 1 2", NULL);
        expect_args("[]", ARGS(), "", NULL);
        expect_args("[\"x\"]", ARGS("name", "s", "size", "u"), "argument 'size': missing", "size");
        expect_args("[]", ARGS("name", "s"), "argument 'name': missing", "name");
        expect_args("[1,2]", ARGS("size", "u"), "expected 1 arguments, got 2", NULL);
        expect_args("[\"x\",\"5\"]", ARGS("name", "s", "size", "u"),
                    "argument 'size': expected a number, got a string", "size");
}

static void test_arguments_by_name(void)
{
        expect_args("{\"size\":5,\"name\":\"x\"}", ARGS("name", "s", "size", "u"), "su \"x\" 5",
                    NULL);
        expect_args("{\"s\\u0069ze\":5}", ARGS("size", "u"), "u 5", NULL);
        expect_args("{}", ARGS(), "", NULL);
        expect_args("{\"name\":\"x\"}", ARGS("name", "s", "size", "u"), "argument 'size': missing",
                    "size");
        expect_args("{\"name\":\"x\",\"sise\":5}", ARGS("name", "s", "size", "u"),
                    "params[\"sise\"]: there is no such argument, did you mean 'size'?", NULL);
        expect_args("{\"name\":\"x\",\"more\":5}", ARGS("name", "s"),
                    "params[\"more\"]: there is no such argument", NULL);
        expect_args("{\"Name\":\"x\"}", ARGS("name", "s"),
                    "params[\"Name\"]: there is no such argument, did you mean 'name'?", NULL);
        expect_args("{\"name\":7}", ARGS("name", "s"),
                    "argument 'name': expected a string, got a number", "name");
}

static void test_absent_arguments(void)
{
        expect_args(NULL, ARGS(), "", NULL);
        expect_args(NULL, ARGS("name", "s"), "argument 'name': missing", "name");
        expect_args("null", ARGS(), "expected the arguments as an array or an object, got null",
                    NULL);
        expect_args("\"x\"", ARGS("name", "s"),
                    "expected the arguments as an array or an object, got a string", NULL);
}

static void test_trap_8_arguments_without_names(void)
{
        expect_args("{\"arg1\":5,\"arg0\":\"x\"}", ARGS("", "s", "", "u"), "su \"x\" 5", NULL);
        expect_args("[\"x\",-5]", ARGS("", "s", "", "u"),
                    "argument 'arg1': -5 does not fit into uint32 (u)", "arg1");
}

static void test_many_unknown_members_are_refused_quickly(void)
{
        g_autoptr(GString) json = g_string_new("{");

        for (unsigned i = 0; i < 100000; i++)
                g_string_append_printf(json, "\"k%u\":0,", i);
        g_string_append(json, "\"name\":\"x\"}");
        expect_args(json->str, ARGS("name", "s"), "params[\"k0\"]: there is no such argument",
                    NULL);
}

/* ---- results ---- */

static void test_result_mirrors_its_text(void)
{
        expect_result("null", ARGS(), "");
        expect_result("[]", ARGS(), "");
        expect_result(NULL, ARGS(), "");
        expect_result("true", ARGS(),
                      "expected the arguments as an array or an object, got a boolean");
        expect_result("[1]", ARGS("a", "ai"), "ai 1 1");
        expect_result("null", ARGS("a", "i"), "argument 'a': expected a number, got null");
        expect_result(NULL, ARGS("a", "i"), "argument 'a': missing");
        expect_result("[1,2]", ARGS("a", "i", "b", "i"), "ii 1 2");
        expect_result("{\"b\":2,\"a\":1}", ARGS("a", "i", "b", "i"), "ii 1 2");
}

/* ---- values ---- */

static void test_value_as_a_variant(void)
{
        static const char json[] = "[{\"a\":true},300]";
        sd_bus_message *m = test_message_new(&bus), *bad = test_message_new(&bus);
        CodecType *dict = NULL, *byte = NULL, *descriptor = NULL;
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL, *refusal = NULL;
        CLEANUP_FREE char *dump = NULL;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(codec_type_new("a{sb}", NULL, &dict, NULL), ==, 0);
        g_assert_cmpint(codec_type_new("y", NULL, &byte, NULL), ==, 0);
        g_assert_cmpint(codec_type_new("h", NULL, &descriptor, NULL), ==, 0);
        g_assert_cmpint(codec_variant_from_json(&doc, 1, dict, "property 'P'", m, NULL), ==, 0);
        dump = outcome(m, 0, NULL);
        g_assert_cmpstr(dump, ==, "v a{sb} 1 \"a\" true");
        g_assert_cmpint(codec_variant_from_json(&doc, 4, byte, "property 'P'", bad, &error), ==,
                        -ERANGE);
        g_assert_cmpstr(error_text(error), ==, "property 'P': 300 does not fit into byte (y)");
        g_assert_cmpint(codec_variant_from_json(&doc, 4, descriptor, "property 'P'", bad, &refusal),
                        ==, -EOPNOTSUPP);
        codec_type_free(dict);
        codec_type_free(byte);
        codec_type_free(descriptor);
        sd_bus_message_unref(m);
        sd_bus_message_unref(bad);
}

static void test_long_strings_are_whole(void)
{
        g_autofree char *text = g_strnfill(1 << 20, 'x');
        g_autofree char *json = g_strdup_printf("[\"%s\",\"\\n%s\"]", text, text);
        g_autofree char *expected = g_strdup_printf("as 2 \"%s\" \"\\n%s\"", text, text);

        expect_value(json, "as", expected);
}

/* `depth` dicts of variants around true, as one argument. */
static char *nested_dicts(unsigned depth)
{
        GString *json = g_string_new("[");

        for (unsigned i = 0; i < depth; i++)
                g_string_append(json, "{\"type\":\"a{sv}\",\"data\":{\"k\":");
        g_string_append(json, "true");
        for (unsigned i = 0; i < depth; i++)
                g_string_append(json, "}}");
        return g_string_free(g_string_append_c(json, ']'), FALSE);
}

static void test_trap_4_depth_is_limited_with_a_path(void)
{
        unsigned half = LIMIT_VALUE_DEPTH / 2;
        g_autofree char *fits = nested_dicts(half - 1), *beyond = nested_dicts(half);
        g_autoptr(GString) text = g_string_new("argument 'a'");
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_JSON_DOC JsonDoc doc = {};
        sd_bus_message *m = test_message_new(&bus);
        CodecArgs args = ARGS("a", "v");

        for (unsigned i = 0; i < half; i++)
                g_string_append(text, i + 1 < half ? ".data[\"k\"]" : ".data");
        g_string_append_printf(text, ": nested deeper than %u levels", LIMIT_VALUE_DEPTH);
        expect_args(beyond, ARGS("a", "v"), text->str, "a");
        g_assert_cmpint(json_scan(&doc, fits, strlen(fits), JSON_SCAN_STRICT), ==, 0);
        g_assert_cmpint(codec_args_from_json(&doc, 0, &args, m, NULL, &error), ==, 0);
        codec_args_done(&args);
        sd_bus_message_unref(m);
}

static void test_path_names_each_step(void)
{
        expect_args("[0,{\"a\":[[1,{\"mtu\":{\"type\":\"q\",\"data\":70000}}]]}]",
                    ARGS("n", "i", "opts", "a{sa(ia{sv})}"),
                    "argument 'opts'[\"a\"][0][1][\"mtu\"].data: "
                    "70000 does not fit into uint16 (q)",
                    "opts");
}

/* ---- traps, one row each ---- */

typedef struct Row {
        const char *name;
        const char *signature;
        const char *json;
        const char *expected;
} Row;

static const Row rows[] = {
        {"trap-1-big-integers/number-is-read-from-its-digits", "x", "9007199254740993",
         "x 9007199254740993"},
        {"trap-1-big-integers/sixteen-digits", "t", "1234567890123456", "t 1234567890123456"},
        {"trap-1-big-integers/string-is-read-from-its-digits", "t", "\"18446744073709551615\"",
         "t 18446744073709551615"},
        {"trap-1-big-integers/beyond-is-refused", "t", "18446744073709551616",
         "value: 18446744073709551616 does not fit into uint64 (t)"},
        {"trap-2-no-truncation/300-into-y", "y", "300", "value: 300 does not fit into byte (y)"},
        {"trap-2-no-truncation/fraction-into-i", "i", "5.5", "value: 5.5 is not an integer"},
        {"trap-2-no-truncation/int64-into-i", "i", "4294967297",
         "value: 4294967297 does not fit into int32 (i)"},
        {"trap-2-no-truncation/uint64-into-x", "x", "18446744073709551615",
         "value: 18446744073709551615 does not fit into int64 (x)"},
        {"trap-2-no-truncation/negative-into-u", "u", "-1",
         "value: -1 does not fit into uint32 (u)"},
        {"trap-2-no-truncation/inside-an-array", "an", "[32767,32768]",
         "value[1]: 32768 does not fit into int16 (n)"},
        {"trap-3-signature-decides/integer-literal-for-d", "d", "5", "d 5"},
        {"trap-3-signature-decides/fraction-of-zeros-for-i", "i", "5.0", "i 5"},
        {"trap-3-signature-decides/empty-list-of-paths", "ao", "[]", "ao 0"},
        {"trap-3-signature-decides/empty-object-of-a{is}", "a{is}", "{}", "a{is} 0"},
        {"trap-3-signature-decides/string-for-o", "o", "\"/a\"", "o \"/a\""},
        {"trap-3-signature-decides/number-in-variant-is-not-guessed", "v", "5",
         "value: the type of a number in a variant is not clear, "
         "use {\"type\":…,\"data\":…}"},
        {"trap-4-containers/empty-array-in-variant", "v", "{\"type\":\"a(ss)\",\"data\":[]}",
         "v a(ss) 0"},
        {"trap-4-containers/variant-in-variant", "v",
         "{\"type\":\"v\",\"data\":{\"type\":\"y\",\"data\":1}}", "v v y 1"},
        {"trap-4-containers/keys-that-are-no-strings", "a{nb}", "{\"-1\":true}", "a{nb} 1 -1 true"},
        {"trap-4-containers/two-forms-of-one-key", "a{di}", "{\"1\":1,\"1.0\":2}",
         "value[\"1.0\"]: the key is not a number in its shortest form"},
        {"trap-4-containers/objects-with-interfaces", "a(oa{sa{sv}})",
         "[[\"/\",{\"i\":{\"p\":true}}]]", "a(oa{sa{sv}}) 1 \"/\" 1 \"i\" 1 \"p\" b true"},
        {"trap-5-text/nul", "s", "\"a\\u0000\"", "value: \\u0000 cannot be in a string"},
        {"trap-5-text/nul-in-key", "a{ss}", "{\"\\u0000\":\"x\"}",
         "value[\"\\u0000\"]: \\u0000 cannot be in a string"},
        {"trap-5-text/noncharacter", "s", "\"\\uffff\"",
         "value: Unicode noncharacters cannot be in D-Bus text"},
        {"trap-5-text/bad-path", "o", "\"a b\"", "value: not a valid object path"},
        {"trap-5-text/bad-signature", "g", "\"((s)\"",
         "value: not a valid signature, at character 4: '(' without ')'"},
        {"trap-5-text/nan", "ad", "[\"NaN\",\"Infinity\"]", "ad 2 nan inf"},
        {"trap-5-text/boolean-is-an-int-in-sd-bus", "(byb)", "[true,255,false]",
         "(byb) true 255 false"},
        {"trap-7-descriptors/number-is-refused", "h", "0",
         "value: file descriptors (type h) cannot enter D-Bus from JSON"},
        {"trap-7-descriptors/typed-variant-is-refused", "v", "{\"type\":\"ah\",\"data\":[]}",
         "value.type: file descriptors (type h) cannot enter D-Bus from JSON"},
        {"trap-33-strict-types/string-for-a-number", "u", "\"5\"",
         "value: expected a number, got a string"},
        {"trap-33-strict-types/number-for-a-string", "s", "5",
         "value: expected a string, got a number"},
        {"trap-33-strict-types/number-for-a-boolean", "b", "1",
         "value: expected a boolean, got a number"},
        {"trap-33-strict-types/string-for-a-double", "d", "\"1.5\"",
         "value: expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", got a string"},
};

static void test_row(gconstpointer data)
{
        const Row *row = data;

        expect_value(row->json, row->signature, row->expected);
}

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        test_bus_init(&bus);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/codec/%s", rows[i].name);

                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/codec/json-to-dbus/arguments-by-position", test_arguments_by_position);
        g_test_add_func("/codec/json-to-dbus/arguments-by-name", test_arguments_by_name);
        g_test_add_func("/codec/json-to-dbus/absent-arguments", test_absent_arguments);
        g_test_add_func("/codec/json-to-dbus/many-unknown-members-are-refused-quickly",
                        test_many_unknown_members_are_refused_quickly);
        g_test_add_func("/codec/json-to-dbus/result-mirrors-its-text",
                        test_result_mirrors_its_text);
        g_test_add_func("/codec/json-to-dbus/value-as-a-variant", test_value_as_a_variant);
        g_test_add_func("/codec/json-to-dbus/long-strings-are-whole", test_long_strings_are_whole);
        g_test_add_func("/codec/json-to-dbus/path-names-each-step", test_path_names_each_step);
        g_test_add_func("/codec/trap-4-containers/depth-is-limited-inwards-too",
                        test_trap_4_depth_is_limited_with_a_path);
        g_test_add_func("/codec/trap-8-arguments-without-names/are-arg0-arg1",
                        test_trap_8_arguments_without_names);
        r = g_test_run();
        test_bus_done(&bus);
        return r;
}
