/* SPDX-License-Identifier: MIT */

/* Values that go the whole way: a caller on D-Bus, a facade, MQTT, a service that returns what it
 * gets, and back. Random signatures with random values, the same in every run; MQTTRPC_SEED and
 * MQTTRPC_ITERATIONS in the environment say otherwise. */

#include "tests/support/gateway-stage.h"
#include "tests/support/message.h"
#include "tests/support/wait.h"

#include <math.h>
#include <string.h>

#define NAME      "org.example.Native"
#define PATH      "/org/example/Native"
#define INTERFACE "org.example.Native" /* that of native-service */

enum { N_METHODS = 300, MAXIMUM_DEPTH = 6, MAXIMUM_LENGTH = 40 };

static GRand *source;

static unsigned below(unsigned limit)
{
        return (unsigned)g_rand_int_range(source, 0, (gint32)limit);
}

/* ---- types ---- */

static void add_basic(GString *type)
{
        static const char codes[] = "ybnqiuxtdsog";

        g_string_append_c(type, codes[below(sizeof(codes) - 1)]);
}

static void add_type(GString *type, unsigned depth)
{
        unsigned kind = depth == 0 || type->len > MAXIMUM_LENGTH ? 7 : below(8);

        switch (kind) {
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
                for (unsigned i = below(3); i <= 2; i++)
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

static guint64 random_integer(void)
{
        static const guint64 extremes[] = {
                0,
                1,
                127,
                128,
                255,
                G_MAXINT16,
                (guint64)G_MININT16,
                G_MAXUINT16,
                G_MAXINT32,
                (guint64)G_MININT32,
                G_MAXUINT32,
                (G_GUINT64_CONSTANT(1) << 53) - 1,
                G_GUINT64_CONSTANT(1) << 53,
                -(G_GUINT64_CONSTANT(1) << 53),
                G_MAXINT64,
                (guint64)G_MININT64,
                G_MAXUINT64,
        };

        if (below(2) == 0)
                return extremes[below(G_N_ELEMENTS(extremes))];
        return (guint64)g_rand_int(source) << 32 | g_rand_int(source);
}

/* Of the many numbers that are none, the one that JSON brings back. */
static double random_double(void)
{
        static const double extremes[] = {
                0.0,    -0.0, (double)NAN,       1.5,  5e-324, (double)INFINITY,
                -1e300, 0.1,  -(double)INFINITY, 1e16, 1e-7,   1.7976931348623157e308,
        };
        guint64 bits = random_integer();
        double value;

        if (below(2) == 0)
                return extremes[below(G_N_ELEMENTS(extremes))];
        memcpy(&value, &bits, sizeof(value));
        return isnan(value) ? (double)NAN : value;
}

static char *random_string(void)
{
        static const gunichar special[] = {1,      '\n',   '"',    '\\',   '/',     0x7f,    0x80,
                                           0x2028, 0xd7ff, 0xe000, 0xfffd, 0x10000, 0x10fffd};
        GString *text = g_string_new(NULL);

        for (unsigned i = below(12); i > 0; i--)
                g_string_append_unichar(text, below(3) == 0 ? special[below(G_N_ELEMENTS(special))]
                                                            : 32 + below(95));
        return g_string_free(text, FALSE);
}

static GVariant *random_basic(char code)
{
        static const char *const paths[] = {"/", "/a", "/org/example", "/_1/_2"};
        static const char *const signatures[] = {"", "s", "a{sv}", "(iav)u"};
        guint64 number = random_integer();

        switch (code) {
        case 'y': return g_variant_new_byte((guint8)number);
        case 'b': return g_variant_new_boolean(number & 1);
        case 'n': return g_variant_new_int16((gint16)number);
        case 'q': return g_variant_new_uint16((guint16)number);
        case 'i': return g_variant_new_int32((gint32)number);
        case 'u': return g_variant_new_uint32((guint32)number);
        case 'x': return g_variant_new_int64((gint64)number);
        case 't': return g_variant_new_uint64(number);
        case 'd': return g_variant_new_double(random_double());
        case 's': return g_variant_new_take_string(random_string());
        case 'o': return g_variant_new_object_path(paths[below(G_N_ELEMENTS(paths))]);
        case 'g': return g_variant_new_signature(signatures[below(G_N_ELEMENTS(signatures))]);
        default: g_assert_not_reached();
        }
}

static GVariant *random_value(const GVariantType *type, unsigned depth);

/* A dict has each key once; 0.0 and -0.0 are one number. */
static GVariant *random_dict(const GVariantType *type, unsigned depth)
{
        const GVariantType *entry = g_variant_type_element(type);
        const GVariantType *value = g_variant_type_value(entry);
        g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        char code = *g_variant_type_peek_string(g_variant_type_key(entry));
        GVariantBuilder builder;

        g_variant_builder_init(&builder, type);
        for (unsigned i = below(4); i > 0; i--) {
                GVariant *key = g_variant_ref_sink(random_basic(code));
                char *text = g_variant_print(key, FALSE);

                if (!strcmp(text, "-0.0"))
                        memmove(text, text + 1, strlen(text));
                if (g_hash_table_add(keys, text))
                        g_variant_builder_add_value(
                                &builder,
                                g_variant_new_dict_entry(key, random_value(value, depth)));
                g_variant_unref(key);
        }
        return g_variant_builder_end(&builder);
}

static GVariant *random_container(const GVariantType *type, unsigned depth)
{
        GVariantBuilder builder;

        g_variant_builder_init(&builder, type);
        if (g_variant_type_is_array(type))
                for (unsigned i = below(4); i > 0; i--)
                        g_variant_builder_add_value(
                                &builder, random_value(g_variant_type_element(type), depth));
        else
                for (const GVariantType *t = g_variant_type_first(type); t;
                     t = g_variant_type_next(t))
                        g_variant_builder_add_value(&builder, random_value(t, depth));
        return g_variant_builder_end(&builder);
}

/* `depth`: of what variants may hold. */
static GVariant *random_value(const GVariantType *type, unsigned depth)
{
        if (g_variant_type_is_variant(type)) {
                g_autofree char *inner = random_type(depth);

                return g_variant_new_variant(
                        random_value((const GVariantType *)inner, depth > 0 ? depth - 1 : 0));
        }
        if (g_variant_type_is_basic(type))
                return random_basic(*g_variant_type_peek_string(type));
        if (g_variant_type_is_subtype_of(type, G_VARIANT_TYPE_DICTIONARY))
                return random_dict(type, depth);
        return random_container(type, depth);
}

/* ---- the way ---- */

/* Adds a method for a random list of types, in the words of a mapping. Returns the type of all. */
static char *add_method(GString *objects, unsigned index)
{
        static const char *const bytes[] = {"base64", "array"};
        GString *tuple = g_string_new("("), *list = g_string_new(NULL);
        unsigned count = 1 + below(3);

        for (unsigned i = 0; i < count; i++) {
                g_autofree char *type = random_type(below(MAXIMUM_DEPTH + 1));

                g_string_append(tuple, type);
                g_string_append_printf(list, "%s\"a%u:%s\"", i > 0 ? ", " : "", i, type);
        }
        g_string_append_printf(objects,
                               "%s\"%s%u\": {\"in\": [%s], \"out\": [%s], \"variant\": \"typed\","
                               " \"bytes\": \"%s\"}",
                               index > 0 ? ",\n" : "", count == 1 ? "One" : "Echo", index,
                               list->str, list->str, bytes[below(2)]);
        g_string_free(list, TRUE);
        g_string_append_c(tuple, ')');
        return g_string_free(tuple, FALSE);
}

#define MUST(call) g_assert_cmpint((call), >=, 0)

static void append(sd_bus_message *m, GVariant *value);

static void append_children(sd_bus_message *m, char kind, const char *contents, GVariant *value)
{
        MUST(sd_bus_message_open_container(m, kind, contents));
        for (gsize i = 0; i < g_variant_n_children(value); i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);

                append(m, child);
        }
        MUST(sd_bus_message_close_container(m));
}

/* GLib makes values and types, and sd-bus carries them: GLib 2.74 loses the last item of an array
 * when it reads a message, if that is a struct or an entry of few bytes. */
static void append(sd_bus_message *m, GVariant *value)
{
        const char *type = g_variant_get_type_string(value);
        g_autofree char *inside = NULL;

        switch (*type) {
        case 's':
        case 'o':
        case 'g':
                MUST(sd_bus_message_append_basic(m, *type, g_variant_get_string(value, NULL)));
                break;
        case 'b': {
                int truth = g_variant_get_boolean(value);

                MUST(sd_bus_message_append_basic(m, 'b', &truth));
                break;
        }
        case 'v': {
                g_autoptr(GVariant) child = g_variant_get_variant(value);

                append_children(m, 'v', g_variant_get_type_string(child), value);
                break;
        }
        case 'a': append_children(m, 'a', type + 1, value); break;
        case '(':
        case '{':
                inside = g_strndup(type + 1, strlen(type) - 2);
                append_children(m, *type == '(' ? 'r' : 'e', inside, value);
                break;
        default: MUST(sd_bus_message_append_basic(m, *type, g_variant_get_data(value))); break;
        }
}

static void check(sd_bus *client, unsigned index, const char *type)
{
        g_autoptr(GVariant) value = g_variant_ref_sink(random_value((const GVariantType *)type, 3));
        bool one = g_variant_n_children(value) == 1;
        g_autofree char *method = g_strdup_printf("%s%u", one ? "One" : "Echo", index);
        sd_bus_message *m = NULL, *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        char *sent, *got;

        MUST(sd_bus_message_new_method_call(client, &m, NAME, PATH, INTERFACE, method));
        for (gsize i = 0; i < g_variant_n_children(value); i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);

                append(m, child);
        }
        if (sd_bus_call(client, m, (uint64_t)WAIT_MSEC * 1000, &error, &reply) < 0)
                g_error("%s %s: %s", method, type, error.message);
        MUST(sd_bus_message_rewind(m, true));
        sent = test_message_dump(m);
        got = test_message_dump(reply);
        g_assert_nonnull(sent);
        g_assert_cmpstr(got, ==, sent);
        free(sent);
        free(got);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
}

static sd_bus *connect_to(const char *address)
{
        sd_bus *bus = NULL;

        MUST(sd_bus_new(&bus));
        MUST(sd_bus_set_address(bus, address));
        MUST(sd_bus_set_bus_client(bus, true));
        MUST(sd_bus_start(bus));
        return bus;
}

static unsigned long setting(const char *name, unsigned long fallback)
{
        const char *text = g_getenv(name);

        return text ? strtoul(text, NULL, 10) : fallback;
}

static void test_values_come_back_as_they_were(void)
{
        static const char *const gateway[] = {"--gateway", "--service", "test",
                                              "--call",    "native/+",  NULL};
        static const char *const native[] = {"--service", "native", NULL};
        CLEANUP_GATEWAY_STAGE GatewayStage *stage = gateway_stage_new();
        g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GString) objects = g_string_new(
                "[{\"path\": \"" PATH "\", \"interfaces\": {\"" INTERFACE "\": {\"methods\": {");
        sd_bus *client;
        CLEANUP_PROCESS Process *service = NULL;
        unsigned long count = setting("MQTTRPC_ITERATIONS", 5000);
        const char *argv[] = {MQTTRPC_NATIVE_SERVICE,
                              broker_get_uri(stage->broker),
                              "native",
                              "secret of native",
                              "native",
                              NULL};

        source = g_rand_new_with_seed((guint32)setting("MQTTRPC_SEED", 20261124));
        for (unsigned i = 0; i < N_METHODS; i++)
                g_ptr_array_add(types, add_method(objects, i));
        g_string_append(objects, "}}}}]");
        broker_add_user(stage->broker, "gateway", "secret of the gateway", gateway);
        broker_add_user(stage->broker, "native", "secret of native", native);
        gateway_stage_add_mapping(stage, "native", NAME, "\"provider\": \"mqtt\",", objects->str);
        gateway_stage_start(stage);
        client = connect_to(dbus_daemon_get_address(stage->bus));
        service = process_start(stage->dir, "native", argv, NULL);
        g_assert_true(dbus_daemon_wait_name(stage->bus, NAME, true, WAIT_MSEC));
        for (unsigned long i = 0; i < count; i++)
                check(client, (unsigned)(i % N_METHODS), types->pdata[i % N_METHODS]);
        sd_bus_flush_close_unref(client);
        g_rand_free(source);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/facade-values/come-back-as-they-were",
                        test_values_come_back_as_they_were);
        return g_test_run();
}
