/* SPDX-License-Identifier: MIT */

#include "gateway/codec/dbus-to-json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>

#include "common/limits.h"
#include "tests/support/message.h"

static TestBus bus;

#define APPEND(m, ...) g_assert_cmpint(sd_bus_message_append((m), __VA_ARGS__), >=, 0)

/* ---- helpers ---- */

static CodecType *new_type(const char *signature, CodecOptions options)
{
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new(signature, &options, &type, NULL), ==, 0);
        return type;
}

/* Arguments named a, b, c, … with the types of the row. */
static CodecArgs new_args(const char *const *types)
{
        CodecArgs args = {};

        for (unsigned i = 0; types[i]; i++) {
                const char name[] = {(char)('a' + i), '\0'};

                g_assert_cmpint(codec_args_add(&args, name, types[i], NULL, NULL), ==, 0);
        }
        return args;
}

#define ARGS(...) new_args((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* Converts the value of the message, consumes it, and expects this text. */
static void expect_value(sd_bus_message *m, const char *signature, CodecOptions options,
                         const char *json)
{
        CodecType *type = new_type(signature, options);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;

        codec_value_to_json(m, type, "value", &buffer, &error);
        g_assert_cmpstr(error ? error->text : NULL, ==, NULL);
        g_assert_cmpstr(buffer_text(&buffer), ==, json);
        codec_type_free(type);
        sd_bus_message_unref(m);
}

/* The same, and expects a refusal that leaves nothing in the buffer. */
static void expect_refusal(sd_bus_message *m, const char *signature, CodecOptions options, int code,
                           const char *text)
{
        CodecType *type = new_type(signature, options);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;

        buffer_append_text(&buffer, "before");
        g_assert_cmpint(codec_value_to_json(m, type, "value", &buffer, &error), ==, code);
        g_assert_cmpstr(error_text(error), ==, text);
        g_assert_cmpint(error->code, ==, code);
        g_assert_cmpstr(buffer_text(&buffer), ==, "before");
        codec_type_free(type);
        sd_bus_message_unref(m);
}

/* ---- results and arguments ---- */

typedef int (*Convert)(sd_bus_message *, const CodecArgs *, bool, Buffer *, Error **);

/* Consumes the arguments, not the message. */
static void expect_text(Convert convert, sd_bus_message *m, CodecArgs args, bool as_object,
                        const char *text)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;
        int r;

        g_assert_cmpint(sd_bus_message_rewind(m, true), >=, 0);
        r = convert(m, &args, as_object, &buffer, &error);
        g_assert_cmpstr(r < 0 ? error_text(error) : buffer_text(&buffer), ==, text);
        codec_args_done(&args);
}

static void test_result_depends_on_the_number_of_arguments(void)
{
        sd_bus_message *none = test_message_new(&bus), *one = test_message_new(&bus),
                       *two = test_message_new(&bus);

        test_message_seal(none);
        APPEND(one, "as", 1, "x");
        test_message_seal(one);
        APPEND(two, "ib", 5, true);
        test_message_seal(two);
        expect_text(codec_result_to_json, none, ARGS(), false, "null");
        expect_text(codec_result_to_json, none, ARGS(), true, "null");
        expect_text(codec_result_to_json, one, ARGS("as"), false, "[\"x\"]");
        expect_text(codec_result_to_json, one, ARGS("as"), true, "[\"x\"]");
        expect_text(codec_result_to_json, two, ARGS("i", "b"), false, "[5,true]");
        expect_text(codec_result_to_json, two, ARGS("i", "b"), true, "{\"a\":5,\"b\":true}");
        sd_bus_message_unref(none);
        sd_bus_message_unref(one);
        sd_bus_message_unref(two);
}

static void test_arguments_are_always_a_list(void)
{
        sd_bus_message *none = test_message_new(&bus), *one = test_message_new(&bus);

        test_message_seal(none);
        APPEND(one, "as", 1, "x");
        test_message_seal(one);
        expect_text(codec_args_to_json, none, ARGS(), false, "[]");
        expect_text(codec_args_to_json, none, ARGS(), true, "{}");
        expect_text(codec_args_to_json, one, ARGS("as"), false, "[[\"x\"]]");
        expect_text(codec_args_to_json, one, ARGS("as"), true, "{\"a\":[\"x\"]}");
        sd_bus_message_unref(none);
        sd_bus_message_unref(one);
}

static void test_trap_8_wrong_introspection_is_noticed(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "sv", "x", "i", 5);
        test_message_seal(m);
        expect_text(codec_result_to_json, m, ARGS(), false,
                    "expected arguments of type '', got 'sv'");
        expect_text(codec_result_to_json, m, ARGS("s"), false,
                    "expected arguments of type 's', got 'sv'");
        expect_text(codec_args_to_json, m, ARGS("s", "v", "i"), false,
                    "expected arguments of type 'svi', got 'sv'");
        expect_text(codec_args_to_json, m, ARGS("s", "v"), false, "[\"x\",5]");
        sd_bus_message_unref(m);
}

/* ---- single values ---- */

typedef struct Mismatch {
        const char *name;
        const char *signature;
        const char *text;
} Mismatch;

/* Against a message of the types a(ss). */
static const Mismatch mismatches[] = {
        {"basic", "s", "value: expected type 's', got 'a(ss)'"},
        {"variant", "v", "value: expected type 'v', got 'a(ss)'"},
        {"struct", "(ss)", "value: expected type '(ss)', got 'a(ss)'"},
        {"dict", "a{ss}", "value: expected type 'a{ss}', got 'a(ss)'"},
        {"array", "as", "value: expected type 'as', got 'a(ss)'"},
        {"numbers", "au", "value: expected type 'au', got 'a(ss)'"},
        {"bytes", "ay", "value: expected type 'ay', got 'a(ss)'"},
        {"other-struct", "a(si)", "value: expected type 'a(si)', got 'a(ss)'"},
};

static void test_trap_8_mismatch(gconstpointer data)
{
        const Mismatch *row = data;
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "a(ss)", 1, "x", "y");
        test_message_seal(m);
        expect_refusal(m, row->signature, (CodecOptions){}, -EBADMSG, row->text);
}

static void test_trap_8_nothing_to_read(void)
{
        sd_bus_message *m = test_message_new(&bus);

        test_message_seal(m);
        expect_refusal(m, "s", (CodecOptions){}, -EBADMSG, "value: expected type 's', got nothing");
}

static void test_reads_on_from_the_position(void)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CodecType *number = new_type("u", (CodecOptions){});
        CodecType *list = new_type("as", (CodecOptions){});
        const char *name;

        APPEND(m, "a{sv}", 2, "Mtu", "u", 1500, "Dns", "as", 1, "x");
        test_message_seal(m);
        g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{sv}"), >, 0);
        g_assert_cmpint(sd_bus_message_enter_container(m, 'e', "sv"), >, 0);
        g_assert_cmpint(sd_bus_message_read_basic(m, 's', &name), >, 0);
        g_assert_cmpint(codec_variant_to_json(m, number, "Mtu", &buffer, NULL), ==, 0);
        g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
        g_assert_cmpint(sd_bus_message_enter_container(m, 'e', "sv"), >, 0);
        g_assert_cmpint(sd_bus_message_read_basic(m, 's', &name), >, 0);
        g_assert_cmpint(codec_variant_to_json(m, list, "Dns", &buffer, NULL), ==, 0);
        g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
        g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "1500[\"x\"]");
        codec_type_free(number);
        codec_type_free(list);
        sd_bus_message_unref(m);
}

static void test_variant_must_hold_the_type(void)
{
        sd_bus_message *m = test_message_new(&bus);
        CodecType *type = new_type("u", (CodecOptions){});
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_ERROR Error *other = NULL, *none = NULL;

        APPEND(m, "vs", "s", "x", "y");
        test_message_seal(m);
        g_assert_cmpint(codec_variant_to_json(m, type, "property 'Mtu'", &buffer, &other), ==,
                        -EBADMSG);
        g_assert_cmpstr(error_text(other), ==, "property 'Mtu': expected type 'u', got 's'");
        g_assert_cmpint(sd_bus_message_rewind(m, true), >=, 0);
        g_assert_cmpint(sd_bus_message_skip(m, "v"), >=, 0);
        g_assert_cmpint(codec_variant_to_json(m, type, "property 'Mtu'", &buffer, &none), ==,
                        -EBADMSG);
        g_assert_cmpstr(error_text(none), ==, "property 'Mtu': expected type 'v', got 's'");
        codec_type_free(type);
        sd_bus_message_unref(m);
}

static void test_trap_1_integers_keep_every_digit(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "at", 4, UINT64_C(1234567890123456), UINT64_C(9007199254740991),
               UINT64_C(9007199254740993), UINT64_MAX);
        test_message_seal(m);
        expect_value(m, "at", (CodecOptions){},
                     "[1234567890123456,9007199254740991,\"9007199254740993\","
                     "\"18446744073709551615\"]");
}

static void test_plain_variants_show_the_bare_value(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "a{sv}", 3, "a", "v", "u", 5, "b", "ax", 0, "c", "(sv)", "x", "b", true);
        test_message_seal(m);
        expect_value(m, "a{sv}", (CodecOptions){}, "{\"a\":5,\"b\":[],\"c\":[\"x\",true]}");
}

/* ---- bytes as text ---- */

static sd_bus_message *message_of_bytes(const char *bytes, size_t length)
{
        sd_bus_message *m = test_message_new(&bus);

        g_assert_cmpint(sd_bus_message_append_array(m, 'y', bytes, length), >=, 0);
        test_message_seal(m);
        return m;
}

static void test_trap_5_bytes_as_text(void)
{
        const CodecOptions text = {.bytes = CODEC_BYTES_TEXT};

        expect_value(message_of_bytes("wlan0\0\0", 7), "ay", text, "\"wlan0\"");
        expect_value(message_of_bytes("", 1), "ay", text, "\"\"");
        expect_value(message_of_bytes("", 0), "ay", text, "\"\"");
        expect_refusal(message_of_bytes("\xff", 1), "ay", text, -EBADMSG,
                       "value: the bytes are not UTF-8 text");
        expect_refusal(message_of_bytes("a\0b", 3), "ay", text, -EBADMSG,
                       "value: the bytes are not UTF-8 text");
}

/* ---- depth ---- */

/* `depth` variants around a 5. */
static sd_bus_message *nested_variants(unsigned depth)
{
        sd_bus_message *m = test_message_new(&bus);

        for (unsigned i = 0; i < depth; i++)
                g_assert_cmpint(sd_bus_message_open_container(m, 'v', i + 1 < depth ? "v" : "i"),
                                >=, 0);
        APPEND(m, "i", 5);
        for (unsigned i = 0; i < depth; i++)
                g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
        test_message_seal(m);
        return m;
}

static void test_trap_4_depth_is_limited_with_a_path(void)
{
        const CodecOptions typed = {.typed_variants = true};
        g_autoptr(GString) path = g_string_new("value");

        for (unsigned i = 0; i < LIMIT_VALUE_DEPTH; i++)
                g_string_append(path, ".data");
        g_string_append_printf(path, ": nested deeper than %u levels", LIMIT_VALUE_DEPTH);
        expect_refusal(nested_variants(LIMIT_VALUE_DEPTH + 1), "v", typed, -E2BIG, path->str);
        expect_value(nested_variants(60), "v", (CodecOptions){}, "5");
}

/* ---- duplicate keys ---- */

/* `count` keys from 0 on, then once more `again`. */
static sd_bus_message *dict_of(unsigned count, unsigned again)
{
        sd_bus_message *m = test_message_new(&bus);

        g_assert_cmpint(sd_bus_message_open_container(m, 'a', "{us}"), >=, 0);
        for (unsigned i = 0; i < count; i++)
                APPEND(m, "{us}", i, "x");
        APPEND(m, "{us}", again, "x");
        g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
        test_message_seal(m);
        return m;
}

static void test_trap_4_duplicate_keys_are_refused(void)
{
        expect_refusal(dict_of(2, 0), "a{us}", (CodecOptions){}, -EBADMSG,
                       "value[\"0\"]: the dict has this key twice");
        expect_refusal(dict_of(100000, 7), "a{us}", (CodecOptions){}, -EBADMSG,
                       "value[\"7\"]: the dict has this key twice");
}

static void test_trap_4_duplicate_keys_of_other_dicts_are_no_matter(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "a{sa{ss}}", 2, "a", 2, "a", "1", "b", "2", "b", 1, "a", "3");
        test_message_seal(m);
        expect_value(m, "a{sa{ss}}", (CodecOptions){},
                     "{\"a\":{\"a\":\"1\",\"b\":\"2\"},\"b\":{\"a\":\"3\"}}");
}

static void test_trap_4_duplicate_keys_inside_have_a_path(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "a{sv}", 1, "x\"y", "aa{ds}", 1, 2, 0.5, "1", 0.5, "2");
        test_message_seal(m);
        expect_refusal(m, "a{sv}", (CodecOptions){.typed_variants = true}, -EBADMSG,
                       "value[\"x\\\"y\"].data[0][\"0.5\"]: the dict has this key twice");
}

static void test_trap_4_both_nans_are_one_key(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "a{di}", 2, (double)__builtin_nan("1"), 1, (double)__builtin_nan("2"), 2);
        test_message_seal(m);
        expect_refusal(m, "a{di}", (CodecOptions){}, -EBADMSG,
                       "value[\"NaN\"]: the dict has this key twice");
}

/* ---- limits ---- */

static void test_size_is_limited(void)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(16);
        CLEANUP_ERROR Error *error = NULL;
        CodecArgs args = ARGS("s", "as");

        APPEND(m, "sas", "x", 3, "aaaa", "bbbb", "cccc");
        test_message_seal(m);
        g_assert_cmpint(codec_args_to_json(m, &args, false, &buffer, &error), ==, -EMSGSIZE);
        g_assert_cmpstr(error_text(error), ==,
                        "argument 'b'[1]: does not fit into 16 bytes of JSON");
        g_assert_cmpuint(buffer.length, ==, 0);
        codec_args_done(&args);
        sd_bus_message_unref(m);
}

static void test_size_is_limited_to_the_last_bracket(void)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_BUFFER Buffer small = BUFFER_INIT(4), enough = BUFFER_INIT(5);
        CLEANUP_ERROR Error *error = NULL;
        CodecArgs args = ARGS("s");

        APPEND(m, "s", "x");
        test_message_seal(m);
        g_assert_cmpint(codec_args_to_json(m, &args, false, &small, &error), ==, -EMSGSIZE);
        g_assert_cmpstr(error_text(error), ==, "the arguments: does not fit into 4 bytes of JSON");
        g_assert_cmpint(sd_bus_message_rewind(m, true), >=, 0);
        g_assert_cmpint(codec_args_to_json(m, &args, false, &enough, NULL), ==, 0);
        codec_args_done(&args);
        sd_bus_message_unref(m);
}

/* ---- messages from the wire ---- */

static void test_other_byte_order(void)
{
        static const uint8_t body[] = {
                0, 0, 0, 2, 0x12, 0x34, 0xff, 0xff,            /* aq 2 */
                0, 0, 0, 3, 1,    2,    3,    0,               /* ay 3, padding */
                0, 0, 0, 8, 0,    0,    0,    0,               /* at 1, padding */
                0, 0, 0, 1, 0,    0,    0,    2,               /* 2^32 + 2 */
                0, 0, 0, 1, 'x',  0,    1,    'n',  0, 0, 1, 2 /* s "x", v n 258 */
        };
        static const uint8_t fixed[] = {
                0, 0, 0, 4, 0x12, 0x34, 0xff, 0xff, /* aq of 4 bytes */
        };

        expect_value(test_message_receive(&bus, true, "aq", fixed, sizeof(fixed)), "aq",
                     (CodecOptions){}, "[4660,65535]");
        expect_value(test_message_receive(&bus, true, "ay", body + 8, 7), "ay", (CodecOptions){},
                     "\"AQID\"");
        expect_value(test_message_receive(&bus, true, "at", body + 16, 16), "at", (CodecOptions){},
                     "[4294967298]");
        expect_value(test_message_receive(&bus, true, "(sv)", body + 32, 12), "(sv)",
                     (CodecOptions){.typed_variants = true},
                     "[\"x\",{\"type\":\"n\",\"data\":258}]");
}

typedef struct Malformed {
        const char *name;
        const char *signature;
        uint8_t body[16];
        size_t length;
        const char *text;
} Malformed;

static const Malformed malformed[] = {
        {"cut-integer", "u", {1, 0}, 2, "value: the message is malformed"},
        {"cut-string", "s", {9, 0, 0, 0, 'a', 0}, 6, "value: the message is malformed"},
        {"string-without-nul", "s", {1, 0, 0, 0, 'a', 'b'}, 6, "value: the message is malformed"},
        {"string-with-nul",
         "s",
         {3, 0, 0, 0, 'a', 0, 'b', 0},
         8,
         "value: the message is malformed"},
        {"string-not-utf8", "s", {1, 0, 0, 0, 0xff, 0}, 6, "value: the message is malformed"},
        {"path-relative", "o", {1, 0, 0, 0, 'a', 0}, 6, "value: the message is malformed"},
        {"bad-signature", "g", {1, 'a', 0}, 3, "value: the message is malformed"},
        {"variant-without-type", "v", {0, 0}, 2, "value: the message is malformed"},
        {"variant-of-two", "v", {2, 'y', 'y', 0, 1, 2}, 6, "value: the message is malformed"},
        {"variant-of-dict-entry",
         "v",
         {4, '{', 'y', 'y', '}', 0, 0, 0, 1, 2},
         10,
         "value: the message is malformed"},
        {"array-beyond-the-end",
         "as",
         {99, 0, 0, 0, 1, 0, 0, 0, 'a', 0},
         10,
         "value[1]: the message is malformed"},
        {"array-ends-inside-an-item",
         "as",
         {5, 0, 0, 0, 1, 0, 0, 0, 'a', 0},
         10,
         "value: the message is malformed"},
        {"numbers-not-a-multiple",
         "au",
         {5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0},
         12,
         "value: the message is malformed"},
        {"bytes-beyond-the-end", "ay", {9, 0, 0, 0, 1}, 5, "value: the message is malformed"},
        {"padding-not-zero",
         "(yu)",
         {1, 9, 0, 0, 5, 0, 0, 0},
         8,
         "value[1]: the message is malformed"},
};

static void test_refuses_malformed(gconstpointer data)
{
        const Malformed *row = data;

        expect_refusal(test_message_receive(&bus, false, row->signature, row->body, row->length),
                       row->signature, (CodecOptions){}, -EBADMSG, row->text);
}

/* ---- descriptors ---- */

static unsigned count_descriptors(void)
{
        DIR *folder = opendir("/proc/self/fd");
        unsigned count = 0;

        g_assert_nonnull(folder);
        while (readdir(folder))
                count++;
        closedir(folder);
        return count;
}

static void test_trap_7_descriptors_are_refused_and_closed(void)
{
        unsigned before = count_descriptors();
        sd_bus_message *m = test_message_new(&bus);
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        APPEND(m, "h", fd);
        close(fd);
        g_assert_cmpuint(count_descriptors(), ==, before + 1);
        test_message_seal(m);
        expect_refusal(m, "h", (CodecOptions){}, -EOPNOTSUPP,
                       "value: file descriptors (type h) cannot leave D-Bus");
        g_assert_cmpuint(count_descriptors(), ==, before);
}

static void test_trap_7_descriptors_in_variants_and_empty_arrays(void)
{
        sd_bus_message *variant = test_message_new(&bus), *empty = test_message_new(&bus);

        APPEND(variant, "a{sv}", 1, "fd", "(sh)", "x", STDIN_FILENO);
        test_message_seal(variant);
        expect_refusal(variant, "a{sv}", (CodecOptions){}, -EOPNOTSUPP,
                       "value[\"fd\"]: file descriptors (type h) cannot leave D-Bus");
        APPEND(empty, "ah", 0);
        test_message_seal(empty);
        expect_refusal(empty, "ah", (CodecOptions){}, -EOPNOTSUPP,
                       "value: file descriptors (type h) cannot leave D-Bus");
}

static void test_trap_7_descriptor_as_argument_is_named(void)
{
        sd_bus_message *m = test_message_new(&bus);

        APPEND(m, "sh", "x", STDIN_FILENO);
        test_message_seal(m);
        expect_text(codec_args_to_json, m, ARGS("s", "h"), false,
                    "argument 'b': file descriptors (type h) cannot leave D-Bus");
        sd_bus_message_unref(m);
}

static void add_tables(void)
{
        for (gsize i = 0; i < G_N_ELEMENTS(mismatches); i++) {
                g_autofree char *path = g_strdup_printf(
                        "/codec/trap-8-wrong-introspection/type-differs/%s", mismatches[i].name);

                g_test_add_data_func(path, &mismatches[i], test_trap_8_mismatch);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(malformed); i++) {
                g_autofree char *path = g_strdup_printf("/codec/dbus-to-json/refuses-malformed/%s",
                                                        malformed[i].name);

                g_test_add_data_func(path, &malformed[i], test_refuses_malformed);
        }
}

static void add_traps(void)
{
        g_test_add_func("/codec/trap-1-big-integers/keep-every-digit",
                        test_trap_1_integers_keep_every_digit);
        g_test_add_func("/codec/trap-4-containers/depth-is-limited-with-a-path",
                        test_trap_4_depth_is_limited_with_a_path);
        g_test_add_func("/codec/trap-4-containers/duplicate-keys-are-refused",
                        test_trap_4_duplicate_keys_are_refused);
        g_test_add_func("/codec/trap-4-containers/duplicate-keys-of-other-dicts-are-no-matter",
                        test_trap_4_duplicate_keys_of_other_dicts_are_no_matter);
        g_test_add_func("/codec/trap-4-containers/duplicate-keys-inside-have-a-path",
                        test_trap_4_duplicate_keys_inside_have_a_path);
        g_test_add_func("/codec/trap-4-containers/both-nans-are-one-key",
                        test_trap_4_both_nans_are_one_key);
        g_test_add_func("/codec/trap-5-text/bytes-as-text", test_trap_5_bytes_as_text);
        g_test_add_func("/codec/trap-7-descriptors/are-refused-and-closed",
                        test_trap_7_descriptors_are_refused_and_closed);
        g_test_add_func("/codec/trap-7-descriptors/in-variants-and-empty-arrays",
                        test_trap_7_descriptors_in_variants_and_empty_arrays);
        g_test_add_func("/codec/trap-7-descriptors/argument-is-named",
                        test_trap_7_descriptor_as_argument_is_named);
        g_test_add_func("/codec/trap-8-wrong-introspection/is-noticed",
                        test_trap_8_wrong_introspection_is_noticed);
        g_test_add_func("/codec/trap-8-wrong-introspection/nothing-to-read",
                        test_trap_8_nothing_to_read);
}

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        test_bus_init(&bus);
        add_tables();
        add_traps();
        g_test_add_func("/codec/dbus-to-json/result-depends-on-the-number-of-arguments",
                        test_result_depends_on_the_number_of_arguments);
        g_test_add_func("/codec/dbus-to-json/arguments-are-always-a-list",
                        test_arguments_are_always_a_list);
        g_test_add_func("/codec/dbus-to-json/reads-on-from-the-position",
                        test_reads_on_from_the_position);
        g_test_add_func("/codec/dbus-to-json/variant-must-hold-the-type",
                        test_variant_must_hold_the_type);
        g_test_add_func("/codec/dbus-to-json/plain-variants-show-the-bare-value",
                        test_plain_variants_show_the_bare_value);
        g_test_add_func("/codec/dbus-to-json/size-is-limited", test_size_is_limited);
        g_test_add_func("/codec/dbus-to-json/size-is-limited-to-the-last-bracket",
                        test_size_is_limited_to_the_last_bracket);
        g_test_add_func("/codec/dbus-to-json/other-byte-order", test_other_byte_order);
        r = g_test_run();
        test_bus_done(&bus);
        return r;
}
