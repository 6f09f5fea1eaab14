/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/json-read.h"

#include <errno.h>
#include <string.h>

#include "common/base64.h"
#include "common/json-basic.h"
#include "common/signature.h"

/* What will be written, once all of it has been read. */
typedef struct Value {
        JsonBasic basic; /* of ay: text is its bytes */
        size_t length;   /* of ay */
} Value;

typedef struct Reader {
        JsonSource json;
        BorrowedList *borrowed;
} Reader;

static void reader_done(Reader *reader)
{
        buffer_done(&reader->json.scratch);
}

/* ---- reading ---- */

/* A copy with a NUL after it. */
static int lend(Reader *reader, const char *text, size_t length, const char **ret_text)
{
        char *copy;
        int r;

        copy = malloc(length + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, length);
        copy[length] = '\0';
        r = borrowed_list_add(reader->borrowed, copy);
        if (r >= 0)
                *ret_text = copy;
        return r;
}

static int read_bytes(Reader *reader, uint32_t node, Value *value)
{
        const char *text;
        size_t length;
        char *bytes;
        int r;

        r = json_basic_base64(&reader->json, node, &text, &length);
        if (r >= 0)
                r = base64_decoded_length(text, length, &value->length);
        if (r < 0)
                return r;
        bytes = malloc(value->length + 1); /* there is always something to point at */
        if (!bytes)
                return -ENOMEM;
        (void)base64_decode(text, length, bytes);
        value->basic.text = bytes;
        return borrowed_list_add(reader->borrowed, bytes);
}

static int read_value(Reader *reader, uint32_t node, char code, Value *value)
{
        const char *text;
        size_t length;
        int r;

        switch (code) {
        case 'a': return read_bytes(reader, node, value);
        case 'v':
                text = json_raw(reader->json.doc, node, &length);
                return lend(reader, text, length, &value->basic.text);
        case 's':
        case 'o':
        case 'g':
                r = json_basic_string(&reader->json, node, code, &text, &length);
                return r < 0 ? r : lend(reader, text, length, &value->basic.text);
        case 'b': return json_basic_boolean(&reader->json, node, &value->basic.b);
        default: return json_basic_number(&reader->json, node, code, &value->basic);
        }
}

/* The number of values; only what C has a pointer for can be read. */
static int count_types(const char *types)
{
        int count = signature_check(types, strlen(types), NULL);

        for (const char *type = types; count >= 0 && *type; type += signature_type_length(type))
                if (*type == 'h' || *type == '(' || (*type == 'a' && type[1] != 'y'))
                        return -EINVAL;
        return count;
}

static int read_all(Reader *reader, uint32_t node, const char *types, Value *values)
{
        size_t i = 0;
        int r;

        JSON_FOREACH (reader->json.doc, node, item) {
                r = read_value(reader, item, *types, &values[i++]);
                if (r < 0)
                        return r;
                types += signature_type_length(types);
        }
        return 0;
}

static int read_node(Reader *reader, uint32_t node, const char *types, int count, bool as_array,
                     Value *values)
{
        const JsonDoc *doc = reader->json.doc;

        if (count == 1 && !as_array)
                return read_value(reader, node, *types, &values[0]);
        if (count == 0 && !as_array)
                return json_type(doc, node) == JSON_NULL ? 0 : -EINVAL;
        if (json_type(doc, node) != JSON_ARRAY || doc->nodes[node].count != (uint32_t)count)
                return -EINVAL;
        return read_all(reader, node, types, values);
}

/* ---- writing ---- */

#define STORE(type, args, value)                     \
        do {                                         \
                type *target = va_arg(args, type *); \
                if (target)                          \
                        *target = (value);           \
        } while (0)

static void store_all(const char *types, const Value *value, va_list args)
{
        for (; *types; types += signature_type_length(types), value++) {
                switch (*types) {
                case 'y': STORE(uint8_t, args, value->basic.y); break;
                case 'b': STORE(bool, args, value->basic.b); break;
                case 'n': STORE(int16_t, args, value->basic.n); break;
                case 'q': STORE(uint16_t, args, value->basic.q); break;
                case 'i': STORE(int32_t, args, value->basic.i); break;
                case 'u': STORE(uint32_t, args, value->basic.u); break;
                case 'x': STORE(int64_t, args, value->basic.x); break;
                case 't': STORE(uint64_t, args, value->basic.t); break;
                case 'd': STORE(double, args, value->basic.d); break;
                case 'a':
                        STORE(const void *, args, value->basic.text);
                        STORE(size_t, args, value->length);
                        break;
                default: STORE(const char *, args, value->basic.text); break;
                }
        }
}

int json_read_values(const JsonDoc *doc, uint32_t node, const char *types, bool as_array,
                     BorrowedList *borrowed, va_list args)
{
        CLEANUP(reader_done) Reader reader = {.json = {.doc = doc}, .borrowed = borrowed};
        Value values[SIGNATURE_MAX_LENGTH];
        size_t before = borrowed->count;
        int count, r;

        types = types ? types : "";
        count = count_types(types);
        if (count < 0)
                return -EINVAL;
        r = read_node(&reader, node, types, count, as_array, values);
        if (r < 0) {
                borrowed_list_cut(borrowed, before);
                return r;
        }
        store_all(types, values, args);
        return 0;
}

/* ---- texts ---- */

int json_reading_values(JsonReading *reading, const char *text, size_t length, const char *types,
                        bool as_array, va_list args)
{
        int r;

        if (reading->doc.n_nodes == 0) {
                r = json_scan(&reading->doc, text, length, JSON_SCAN_STRICT);
                if (r < 0)
                        return r;
        }
        return json_read_values(&reading->doc, 0, types, as_array, &reading->borrowed, args);
}

void json_reading_done(JsonReading *reading)
{
        json_doc_done(&reading->doc);
        borrowed_list_done(&reading->borrowed);
}
