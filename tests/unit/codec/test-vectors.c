/* SPDX-License-Identifier: MIT */

/* The golden vectors of tests/vectors/codec.json. Each is one JSON value taken to D-Bus as a type:
 *
 *   type     the signature
 *   bytes    "text" or "array": option of the type; typed: true; fields: names of the members
 *   json     the value
 *   dbus     the message it becomes, as test_message_dump() writes it
 *   out      the JSON that the message becomes, if it is not `json` again
 *   error    instead of dbus and out: why it is refused
 */

#include "gateway/codec/dbus-to-json.h"

#include <glib.h>
#include <string.h>

#include "gateway/codec/json-to-dbus.h"
#include "tests/support/message.h"

static TestBus bus;
static JsonDoc vectors;

/* The text of member `key`; NULL without it. */
static char *text_of(uint32_t vector, const char *key)
{
        uint32_t node = json_find(&vectors, vector, key);
        char *text = NULL;

        if (node != 0)
                g_assert_cmpint(json_string_dup(&vectors, node, &text), ==, 0);
        return text;
}

/* The member as it stands in the file. */
static char *raw_of(uint32_t vector, const char *key)
{
        uint32_t node = json_find(&vectors, vector, key);
        const char *raw;
        size_t length;

        if (node == 0)
                return NULL;
        raw = json_raw(&vectors, node, &length);
        return g_strndup(raw, length);
}

static CodecType *type_of(uint32_t vector)
{
        uint32_t fields = json_find(&vectors, vector, "fields"), n = 0;
        CLEANUP_FREE char *signature = text_of(vector, "type");
        CLEANUP_FREE char *bytes = text_of(vector, "bytes");
        char *names[8] = {};
        CodecOptions options = {.typed_variants = json_find(&vectors, vector, "typed") != 0};
        CodecType *type = NULL;

        if (bytes)
                options.bytes = !strcmp(bytes, "text") ? CODEC_BYTES_TEXT : CODEC_BYTES_ARRAY;
        if (fields != 0) {
                JSON_FOREACH (&vectors, fields, field)
                        g_assert_cmpint(json_string_dup(&vectors, field, &names[n++]), ==, 0);
                options.fields = (const char *const *)names;
                options.n_fields = n;
        }
        g_assert_cmpint(codec_type_new(signature, &options, &type, NULL), ==, 0);
        while (n > 0)
                free(names[--n]);
        return type;
}

static void check_message(uint32_t vector, sd_bus_message *m, const CodecType *type,
                          const char *json)
{
        CLEANUP_FREE char *expected = text_of(vector, "dbus"), *dump = NULL;
        g_autofree char *out = raw_of(vector, "out");
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;

        test_message_seal(m);
        dump = test_message_dump(m);
        g_assert_cmpstr(dump, ==, expected);
        codec_value_to_json(m, type, "value", &buffer, &error);
        g_assert_cmpstr(error ? error->text : NULL, ==, NULL);
        g_assert_cmpstr(buffer_text(&buffer), ==, out ? out : json);
}

static void test_vector(gconstpointer data)
{
        uint32_t vector = GPOINTER_TO_UINT(data);
        CLEANUP_FREE char *refusal = text_of(vector, "error");
        g_autofree char *json = raw_of(vector, "json");
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        sd_bus_message *m = test_message_new(&bus);
        CodecType *type = type_of(vector);
        int r;

        g_assert_cmpint(json_scan(&doc, json, strlen(json), JSON_SCAN_STRICT), ==, 0);
        r = codec_value_from_json(&doc, 0, type, "value", m, &error);
        g_assert_cmpstr(error ? error->text : NULL, ==, refusal);
        g_assert_cmpint(r, ==, error ? error->code : 0);
        if (r == 0)
                check_message(vector, m, type, json);
        sd_bus_message_unref(m);
        codec_type_free(type);
}

static void add_vectors(void)
{
        JSON_FOREACH (&vectors, 0, vector) {
                CLEANUP_FREE char *name = text_of(vector, "name");
                g_autofree char *path = g_strdup_printf("/codec/vectors/%s", name);

                g_test_add_data_func(path, GUINT_TO_POINTER(vector), test_vector);
        }
}

int main(int argc, char **argv)
{
        g_autofree char *path = NULL, *text = NULL;
        gsize length;
        int r;

        g_test_init(&argc, &argv, NULL);
        path = g_test_build_filename(G_TEST_DIST, "vectors", "codec.json", NULL);
        g_assert_true(g_file_get_contents(path, &text, &length, NULL));
        if (json_scan(&vectors, text, length, JSON_SCAN_STRICT) < 0)
                g_error("%s, byte %zu: %s", path, vectors.error_offset, vectors.error_reason);
        test_bus_init(&bus);
        add_vectors();
        r = g_test_run();
        test_bus_done(&bus);
        json_doc_done(&vectors);
        return r;
}
