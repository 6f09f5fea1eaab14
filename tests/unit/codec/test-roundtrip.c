/* SPDX-License-Identifier: MIT */

/* D-Bus → JSON → D-Bus is the identity in typed form: random argument lists of random types with
 * random values, containers up to eight deep, variants included. MQTTRPC_SEED and
 * MQTTRPC_ITERATIONS in the environment override the fixed defaults. */

#include "gateway/codec/dbus-to-json.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "common/signature.h"
#include "gateway/codec/json-to-dbus.h"
#include "tests/support/message.h"

enum { MAXIMUM_DEPTH = 8, MAXIMUM_TYPE_LENGTH = 60 };

static const char basic_codes[] = "ybnqiuxtdsog";

static TestBus bus;
static GRand *random_source;

static unsigned below(unsigned limit)
{
        return (unsigned)g_rand_int_range(random_source, 0, (gint32)limit);
}

/* ---- types ---- */

static void add_basic(GString *type)
{
        g_string_append_c(type, basic_codes[below(sizeof(basic_codes) - 1)]);
}

static void add_type(GString *type, unsigned depth)
{
        if (depth == 0 || type->len > MAXIMUM_TYPE_LENGTH) {
                add_basic(type);
                return;
        }
        switch (below(8)) {
        case 0: g_string_append_c(type, 'v'); break;
        case 1:
        case 2:
                g_string_append_c(type, 'a');
                add_type(type, depth - 1);
                break;
        case 3:
                g_string_append(type, "a{");
                add_basic(type);
                add_type(type, depth - 1);
                g_string_append_c(type, '}');
                break;
        case 4:
        case 5:
                g_string_append_c(type, '(');
                for (unsigned i = below(4); i <= 3; i++)
                        add_type(type, depth - 1);
                g_string_append_c(type, ')');
                break;
        default: add_basic(type); break;
        }
}

static char *random_type(unsigned depth)
{
        GString *type = g_string_new(NULL);

        add_type(type, depth);
        return g_string_free(type, FALSE);
}

/* ---- values ---- */

static const uint64_t extreme_integers[] = {
        0,
        1,
        UINT8_MAX,
        INT16_MAX,
        (uint64_t)INT16_MIN,
        UINT16_MAX,
        INT32_MAX,
        (uint64_t)INT32_MIN,
        UINT32_MAX,
        (UINT64_C(1) << 53) - 1,
        UINT64_C(1) << 53,
        (UINT64_C(1) << 53) + 1,
        -(UINT64_C(1) << 53) + 1,
        -(UINT64_C(1) << 53),
        INT64_MAX,
        (uint64_t)INT64_MIN,
        UINT64_MAX,
};

static const double extreme_doubles[] = {
        0.0,  -0.0,   (double)NAN, (double)INFINITY, -(double)INFINITY,      1.5,
        1e15, 1e16,   -1e300,      5e-324,           1.7976931348623157e308, 0.1,
        1e-7, 123456, 1.0 / 3,
};

static const char *const paths[] = {"/", "/a", "/org/example", "/_1/_2"};
static const char *const signatures[] = {"", "s", "a{sv}", "(iav)u"};

static uint64_t random_integer(void)
{
        if (below(2) == 0)
                return extreme_integers[below(G_N_ELEMENTS(extreme_integers))];
        return (uint64_t)g_rand_int(random_source) << 32 | g_rand_int(random_source);
}

static double random_double(void)
{
        uint64_t bits = random_integer();
        double value;

        if (below(2) == 0)
                return extreme_doubles[below(G_N_ELEMENTS(extreme_doubles))];
        memcpy(&value, &bits, sizeof(value));
        return value;
}

static gunichar random_character(void)
{
        static const gunichar special[] = {1,      '\n',   '"',    '\\',   '/',     0x7f,    0x80,
                                           0x2028, 0xd7ff, 0xe000, 0xfffd, 0x10000, 0x10fffd};

        return below(3) == 0 ? special[below(G_N_ELEMENTS(special))] : 32 + below(95);
}

static char *random_string(void)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = below(12); i > 0; i--)
                g_string_append_unichar(text, random_character());
        return g_string_free(text, FALSE);
}

/* Appends a number; the message takes as many of the low bytes as its type has. */
static void append_number(sd_bus_message *m, char code, uint64_t integer, double number)
{
        union {
                uint8_t y;
                int b;
                uint16_t q;
                uint32_t u;
                uint64_t t;
                double d;
        } value;

        switch (code) {
        case 'y': value.y = (uint8_t)integer; break;
        case 'b': value.b = (int)(integer & 1); break;
        case 'n':
        case 'q': value.q = (uint16_t)integer; break;
        case 'i':
        case 'u': value.u = (uint32_t)integer; break;
        case 'd': value.d = number; break;
        default: value.t = integer; break;
        }
        g_assert_cmpint(sd_bus_message_append_basic(m, code, &value), >=, 0);
}

static void append_text(sd_bus_message *m, char code, const char *text)
{
        g_assert_cmpint(sd_bus_message_append_basic(m, code, text), >=, 0);
}

static void append_basic(sd_bus_message *m, char code)
{
        g_autofree char *text = NULL;

        switch (code) {
        case 's':
                text = random_string();
                append_text(m, code, text);
                break;
        case 'o': append_text(m, code, paths[below(G_N_ELEMENTS(paths))]); break;
        case 'g': append_text(m, code, signatures[below(G_N_ELEMENTS(signatures))]); break;
        default: append_number(m, code, random_integer(), random_double()); break;
        }
}

/* The `i`-th key of a dict: another one for each i < 2, and for each i < 4 but for booleans. */
static void append_key(sd_bus_message *m, char code, uint64_t start, unsigned i)
{
        g_autofree char *text = NULL;

        switch (code) {
        case 's':
                text = g_strdup_printf("%s%u", below(2) == 0 ? "" : "ä\"\\\n", i);
                append_text(m, code, text);
                break;
        case 'o': append_text(m, code, paths[(start + i) % 4]); break;
        case 'g': append_text(m, code, signatures[(start + i) % 4]); break;
        default:
                append_number(m, code, start + i,
                              extreme_doubles[(start % 8 + i) % G_N_ELEMENTS(extreme_doubles)]);
                break;
        }
}

static void append_value(sd_bus_message *m, const char *type, unsigned depth);

static void open_container(sd_bus_message *m, char code, const char *contents)
{
        g_assert_cmpint(sd_bus_message_open_container(m, code, contents), >=, 0);
}

static void append_dict(sd_bus_message *m, const char *entry, unsigned depth)
{
        g_autofree char *contents = g_strndup(entry + 1, signature_type_length(entry) - 2);
        unsigned count = below(entry[1] == 'b' ? 3 : 5);
        uint64_t start = random_integer();

        for (unsigned i = 0; i < count; i++) {
                open_container(m, SD_BUS_TYPE_DICT_ENTRY, contents);
                append_key(m, entry[1], start, i);
                append_value(m, entry + 2, depth);
                g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
        }
}

static void append_container(sd_bus_message *m, const char *type, unsigned depth)
{
        bool array = *type == 'a';
        g_autofree char *contents =
                g_strndup(type + 1, signature_type_length(type) - (array ? 1 : 2));

        open_container(m, array ? SD_BUS_TYPE_ARRAY : SD_BUS_TYPE_STRUCT, contents);
        if (array && type[1] == '{') {
                append_dict(m, type + 1, depth);
        } else if (array) {
                for (unsigned i = below(4); i > 0; i--)
                        append_value(m, contents, depth);
        } else {
                for (const char *at = contents; *at; at += signature_type_length(at))
                        append_value(m, at, depth);
        }
        g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
}

static void append_variant(sd_bus_message *m, unsigned depth)
{
        g_autofree char *type = random_type(depth);

        open_container(m, SD_BUS_TYPE_VARIANT, type);
        append_value(m, type, depth);
        g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
}

/* `depth` is how many more containers a variant may open. */
static void append_value(sd_bus_message *m, const char *type, unsigned depth)
{
        unsigned inner = depth > 0 ? depth - 1 : 0;

        if (*type == 'a' || *type == '(')
                append_container(m, type, inner);
        else if (*type == 'v')
                append_variant(m, inner);
        else
                append_basic(m, *type);
}

/* ---- the property ---- */

static void random_arguments(CodecArgs *args, sd_bus_message *m)
{
        const CodecOptions options = {
                .bytes = below(2) == 0 ? CODEC_BYTES_BASE64 : CODEC_BYTES_ARRAY,
                .typed_variants = true,
        };

        for (unsigned i = below(4); i > 0; i--) {
                g_autofree char *type = random_type(MAXIMUM_DEPTH);

                g_assert_cmpint(codec_args_add(args, NULL, type, &options, NULL), ==, 0);
                append_value(m, type, MAXIMUM_DEPTH);
        }
}

static void to_json(sd_bus_message *m, const CodecArgs *args, bool result, bool as_object,
                    Buffer *buffer)
{
        CLEANUP_ERROR Error *error = NULL;

        if (result)
                codec_result_to_json(m, args, as_object, buffer, &error);
        else
                codec_args_to_json(m, args, as_object, buffer, &error);
        g_assert_cmpstr(error ? error->text : NULL, ==, NULL);
}

static sd_bus_message *from_json(const Buffer *text, const CodecArgs *args, bool result)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;

        if (json_scan(&doc, buffer_text(text), text->length, JSON_SCAN_STRICT) < 0)
                g_error("%s at byte %zu of %s", doc.error_reason, doc.error_offset,
                        buffer_text(text));
        if (result)
                codec_result_from_json(&doc, 0, args, m, &error);
        else
                codec_args_from_json(&doc, 0, args, m, NULL, &error);
        if (error)
                g_error("%s in %s", error->text, buffer_text(text));
        test_message_seal(m);
        return m;
}

static void check_one(void)
{
        CLEANUP_BUFFER Buffer first = BUFFER_INIT(0), second = BUFFER_INIT(0);
        CLEANUP_FREE char *sent = NULL, *received = NULL;
        bool result = below(2) == 0, as_object = below(2) == 0;
        sd_bus_message *m = test_message_new(&bus), *back;
        CodecArgs args = {};

        random_arguments(&args, m);
        test_message_seal(m);
        to_json(m, &args, result, as_object, &first);
        back = from_json(&first, &args, result);
        sent = test_message_dump(m);
        received = test_message_dump(back);
        g_assert_nonnull(sent);
        g_assert_cmpstr(received, ==, sent);
        to_json(back, &args, result, as_object, &second);
        g_assert_cmpstr(buffer_text(&second), ==, buffer_text(&first));
        codec_args_done(&args);
        sd_bus_message_unref(back);
        sd_bus_message_unref(m);
}

static unsigned setting(const char *name, unsigned standard)
{
        const char *text = g_getenv(name);

        return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : standard;
}

static void test_typed_form_is_the_identity(void)
{
        unsigned seed = setting("MQTTRPC_SEED", 20240229);
        unsigned iterations = setting("MQTTRPC_ITERATIONS", 20000);

        g_test_message("MQTTRPC_SEED=%u MQTTRPC_ITERATIONS=%u", seed, iterations);
        random_source = g_rand_new_with_seed(seed);
        for (unsigned i = 0; i < iterations; i++)
                check_one();
        g_rand_free(random_source);
}

int main(int argc, char **argv)
{
        int r;

        g_test_init(&argc, &argv, NULL);
        test_bus_init(&bus);
        g_test_add_func("/codec/trap-6-round-trip/typed-form-is-the-identity",
                        test_typed_form_is_the_identity);
        r = g_test_run();
        test_bus_done(&bus);
        return r;
}
