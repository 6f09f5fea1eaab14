/* SPDX-License-Identifier: MIT */

#include "gateway/codec/json-to-dbus.h"

#include <errno.h>
#include <string.h>

#include "common/base64.h"
#include "common/json-basic.h"
#include "common/json-place.h"
#include "common/json-suggest.h"
#include "common/limits.h"
#include "common/signature.h"
#include "common/utf8.h"
#include "gateway/codec/type-internal.h"

typedef struct Reader {
        JsonSource json;
        const CodecType *type; /* whose value is being read; its options hold for all of it */
        sd_bus_message *m;
        unsigned depth; /* JSON containers around the value at hand */
} Reader;

static int read_value(Reader *reader, uint32_t node, const char *type);

static void reader_done(Reader *reader)
{
        buffer_done(&reader->json.scratch);
}

/* ---- failures ---- */

static int expected(Reader *reader, uint32_t node, const char *what)
{
        return json_expected(&reader->json, node, what);
}

static int out_of_memory(Reader *reader)
{
        error_set(reader->json.error, -ENOMEM, ": out of memory");
        return -ENOMEM;
}

/* A failed sd_bus_message_…() call: `r` is what it returned. */
static int append_failed(Reader *reader, int r)
{
        if (r == -ENOMEM)
                return out_of_memory(reader);
        return error_set(reader->json.error, -EINVAL, ": D-Bus cannot carry the value");
}

static int appended(Reader *reader, int r)
{
        return r < 0 ? append_failed(reader, r) : 0;
}

static int refuse_descriptor(Reader *reader)
{
        return error_set(reader->json.error, -EOPNOTSUPP,
                         ": file descriptors (type h) cannot enter D-Bus from JSON");
}

/* ---- structure ---- */

/* Opens the container `type`, which is an array, a struct or a dict entry. */
static int open_container(Reader *reader, const char *type)
{
        char contents[SIGNATURE_MAX_LENGTH + 1], code;

        code = codec_type_contents(type, contents);
        return appended(reader, sd_bus_message_open_container(reader->m, code, contents));
}

static int close_container(Reader *reader)
{
        return appended(reader, sd_bus_message_close_container(reader->m));
}

/* ---- strings ---- */

static int read_string(Reader *reader, uint32_t node)
{
        const char *text;
        size_t length;
        char *space;
        int r;

        r = json_basic_text(&reader->json, node, &text, &length);
        if (r < 0)
                return r;
        if (utf8_has_noncharacter(text, length))
                return error_set(reader->json.error, -EINVAL,
                                 ": Unicode noncharacters cannot be in D-Bus text");
        r = sd_bus_message_append_string_space(reader->m, length, &space);
        if (r < 0)
                return append_failed(reader, r);
        memcpy(space, text, length);
        return 0;
}

/* Object paths and signatures, which sd-bus wants to end with a NUL. */
static int read_terminated(Reader *reader, uint32_t node, char code)
{
        Buffer *scratch = &reader->json.scratch;
        const char *text;
        size_t length;
        int r;

        r = json_basic_string(&reader->json, node, code, &text, &length);
        if (r < 0)
                return r;
        if (!reader->json.doc->nodes[node].escaped) {
                buffer_clear(scratch);
                if (buffer_append(scratch, text, length) < 0)
                        return out_of_memory(reader);
        }
        return appended(reader, sd_bus_message_append_basic(reader->m, code, buffer_text(scratch)));
}

/* The string forms, for values and keys; the node must be a string. */
static int read_any_string(Reader *reader, uint32_t node, char code)
{
        return code == 's' ? read_string(reader, node) : read_terminated(reader, node, code);
}

/* ---- basic values ---- */

static int read_basic(Reader *reader, uint32_t node, char code)
{
        JsonType type = json_type(reader->json.doc, node);
        JsonBasic value;
        int r;

        switch (code) {
        case 'h': return refuse_descriptor(reader);
        case 's':
        case 'o':
        case 'g':
                if (type != JSON_STRING)
                        return expected(reader, node, "a string");
                return read_any_string(reader, node, code);
        case 'b': r = json_basic_boolean(&reader->json, node, &value.b); break;
        default: r = json_basic_number(&reader->json, node, code, &value);
        }
        if (r < 0)
                return r;
        return appended(reader, sd_bus_message_append_basic(reader->m, code, &value));
}

/* ---- arrays and structs ---- */

static int read_base64(Reader *reader, const char *text, size_t length)
{
        static const char reason[] = ": not valid base64";
        size_t decoded;
        void *space;
        int r;

        if (base64_decoded_length(text, length, &decoded) < 0)
                return error_set(reader->json.error, -EINVAL, reason);
        r = sd_bus_message_append_array_space(reader->m, 'y', decoded, &space);
        if (r < 0)
                return append_failed(reader, r);
        if (base64_decode(text, length, space) < 0)
                return error_set(reader->json.error, -EINVAL, reason);
        return 0;
}

static int read_bytes(Reader *reader, uint32_t node)
{
        const char *text;
        size_t length;
        int r;

        if (json_type(reader->json.doc, node) != JSON_STRING)
                return expected(reader, node,
                                reader->type->bytes == CODEC_BYTES_TEXT ? "a string"
                                                                        : "a base64 string");
        r = json_basic_text(&reader->json, node, &text, &length);
        if (r < 0)
                return r;
        if (reader->type->bytes == CODEC_BYTES_BASE64)
                return read_base64(reader, text, length);
        return appended(reader, sd_bus_message_append_array(reader->m, 'y', text, length));
}

/* Numbers of `width` bytes, straight into the message. */
static int read_fixed_array(Reader *reader, uint32_t node, char code, size_t width)
{
        size_t i = 0, count = reader->json.doc->nodes[node].count;
        void *space;
        JsonBasic value;
        int r;

        if (json_type(reader->json.doc, node) != JSON_ARRAY)
                return expected(reader, node, "an array");
        r = sd_bus_message_append_array_space(reader->m, code, count * width, &space);
        if (r < 0)
                return append_failed(reader, r);
        JSON_FOREACH (reader->json.doc, node, item) {
                r = json_basic_number(&reader->json, item, code, &value);
                if (r < 0) {
                        json_place_index(reader->json.error, i);
                        return r;
                }
                memcpy((char *)space + i++ * width, &value, width);
        }
        return 0;
}

static int read_array(Reader *reader, uint32_t node, const char *type)
{
        size_t i = 0;
        int r;

        if (json_type(reader->json.doc, node) != JSON_ARRAY)
                return expected(reader, node, "an array");
        r = open_container(reader, type);
        if (r < 0)
                return r;
        JSON_FOREACH (reader->json.doc, node, item) {
                r = read_value(reader, item, type + 1);
                if (r < 0) {
                        json_place_index(reader->json.error, i);
                        return r;
                }
                i++;
        }
        return close_container(reader);
}

static size_t count_members(const char *type)
{
        size_t count = 0;

        for (const char *member = type + 1; *member != ')'; member += signature_type_length(member))
                count++;
        return count;
}

static int read_positional_members(Reader *reader, uint32_t node, const char *type)
{
        const char *member = type + 1;
        size_t i = 0;
        int r;

        if (reader->json.doc->nodes[node].count != count_members(type))
                return error_set(reader->json.error, -EINVAL, ": expected %zu items, got %u",
                                 count_members(type), reader->json.doc->nodes[node].count);
        JSON_FOREACH (reader->json.doc, node, item) {
                r = read_value(reader, item, member);
                if (r < 0) {
                        json_place_index(reader->json.error, i);
                        return r;
                }
                member += signature_type_length(member);
                i++;
        }
        return 0;
}

static int read_named_members(Reader *reader, uint32_t node, const char *type)
{
        const char *member = type + 1;
        uint32_t value;
        int r;

        if (reader->json.doc->nodes[node].count != reader->type->n_fields)
                return error_set(reader->json.error, -EINVAL, ": expected %zu members, got %u",
                                 reader->type->n_fields, reader->json.doc->nodes[node].count);
        for (size_t i = 0; i < reader->type->n_fields; i++) {
                value = json_find(reader->json.doc, node, reader->type->fields[i]);
                if (value == 0)
                        r = error_set(reader->json.error, -EINVAL, ": missing");
                else
                        r = read_value(reader, value, member);
                if (r < 0) {
                        json_place_member(reader->json.error, reader->type->fields[i]);
                        return r;
                }
                member += signature_type_length(member);
        }
        return 0;
}

static int read_struct(Reader *reader, uint32_t node, const char *type)
{
        bool named = codec_type_fields(reader->type, type);
        int r;

        if (json_type(reader->json.doc, node) != JSON_ARRAY &&
            !(named && json_type(reader->json.doc, node) == JSON_OBJECT))
                return expected(reader, node, named ? "an object" : "an array");
        r = open_container(reader, type);
        if (r < 0)
                return r;
        if (json_type(reader->json.doc, node) == JSON_OBJECT)
                r = read_named_members(reader, node, type);
        else
                r = read_positional_members(reader, node, type);
        return r < 0 ? r : close_container(reader);
}

/* ---- dicts ---- */

static int read_key(Reader *reader, uint32_t node, char code)
{
        JsonBasic value;
        int r;

        switch (code) {
        case 's':
        case 'o':
        case 'g': return read_any_string(reader, node, code);
        case 'h': return refuse_descriptor(reader);
        default: break;
        }
        r = json_basic_key(&reader->json, node, code, &value);
        if (r < 0)
                return r;
        return appended(reader, sd_bus_message_append_basic(reader->m, code, &value));
}

/* `type` is "{…}" with these contents, `key` the node of the key, which the value follows. */
static int read_entry(Reader *reader, uint32_t key, const char *type, const char *contents)
{
        const char *raw;
        size_t length;
        int r;

        r = appended(reader,
                     sd_bus_message_open_container(reader->m, SD_BUS_TYPE_DICT_ENTRY, contents));
        if (r < 0)
                return r;
        r = read_key(reader, key, type[1]);
        if (r == 0)
                r = read_value(reader, key + 1, type + 2);
        if (r < 0) {
                raw = json_raw(reader->json.doc, key, &length);
                json_place_key(reader->json.error, raw, length);
                return r;
        }
        return close_container(reader);
}

static int read_dict(Reader *reader, uint32_t node, const char *type)
{
        char contents[SIGNATURE_MAX_LENGTH + 1]; /* of an entry */
        int r;

        if (json_type(reader->json.doc, node) != JSON_OBJECT)
                return expected(reader, node, "an object");
        r = open_container(reader, type);
        if (r < 0)
                return r;
        codec_type_contents(type + 1, contents);
        JSON_FOREACH (reader->json.doc, node, key) {
                r = read_entry(reader, key, type + 1, contents);
                if (r < 0)
                        return r;
        }
        return close_container(reader);
}

/* ---- variants ---- */

static int read_variant_of(Reader *reader, uint32_t node, const char *type)
{
        int r;

        r = sd_bus_message_open_container(reader->m, SD_BUS_TYPE_VARIANT, type);
        if (r < 0)
                return append_failed(reader, r);
        r = read_value(reader, node, type);
        return r < 0 ? r : close_container(reader);
}

static int read_type_member(Reader *reader, uint32_t node, char ret_type[SIGNATURE_MAX_LENGTH + 1])
{
        SignatureError reason;
        const char *text;
        size_t length;
        int r;

        if (json_type(reader->json.doc, node) != JSON_STRING)
                return expected(reader, node, "a string");
        r = json_basic_text(&reader->json, node, &text, &length);
        if (r < 0)
                return r;
        if (signature_check_single(text, length, &reason) < 0)
                return error_set(reader->json.error, -EINVAL,
                                 ": not a signature of one type, at character %zu: %s",
                                 reason.offset, reason.reason);
        memcpy(ret_type, text, length);
        ret_type[length] = '\0';
        return strchr(ret_type, 'h') ? refuse_descriptor(reader) : 0;
}

static int read_typed(Reader *reader, uint32_t type_node, uint32_t data)
{
        char type[SIGNATURE_MAX_LENGTH + 1];
        int r;

        r = read_type_member(reader, type_node, type);
        if (r < 0) {
                json_place_member(reader->json.error, "type");
                return r;
        }
        r = read_variant_of(reader, data, type);
        if (r < 0)
                json_place_member(reader->json.error, "data");
        return r;
}

static int read_variant(Reader *reader, uint32_t node)
{
        const JsonDoc *doc = reader->json.doc;
        uint32_t type, data;

        switch (json_type(doc, node)) {
        case JSON_BOOLEAN: return read_variant_of(reader, node, "b");
        case JSON_STRING: return read_variant_of(reader, node, "s");
        case JSON_OBJECT:
                if (doc->nodes[node].count != 2)
                        break;
                type = json_find(doc, node, "type");
                data = json_find(doc, node, "data");
                if (type != 0 && data != 0)
                        return read_typed(reader, type, data);
                break;
        default: break;
        }
        return error_set(reader->json.error, -EINVAL,
                         ": the type of %s in a variant is not clear, "
                         "use {\"type\":…,\"data\":…}",
                         json_type_name(json_type(doc, node)));
}

/* ---- values ---- */

static int read_any_array(Reader *reader, uint32_t node, const char *type)
{
        switch (type[1]) {
        case '{': return read_dict(reader, node, type);
        case 'y':
                if (reader->type->bytes != CODEC_BYTES_ARRAY)
                        return read_bytes(reader, node);
                return read_fixed_array(reader, node, 'y', 1);
        case 'n':
        case 'q': return read_fixed_array(reader, node, type[1], 2);
        case 'i':
        case 'u': return read_fixed_array(reader, node, type[1], 4);
        case 'x':
        case 't':
        case 'd': return read_fixed_array(reader, node, type[1], 8);
        default: return read_array(reader, node, type);
        }
}

static int read_any(Reader *reader, uint32_t node, const char *type)
{
        switch (*type) {
        case 'a': return read_any_array(reader, node, type);
        case '(': return read_struct(reader, node, type);
        case 'v': return read_variant(reader, node);
        default: return read_basic(reader, node, *type);
        }
}

/* Appends the value of `node` as the type that starts at `type`. */
static int read_value(Reader *reader, uint32_t node, const char *type)
{
        JsonType json = json_type(reader->json.doc, node);
        unsigned levels = json == JSON_ARRAY || json == JSON_OBJECT ? 1 : 0;
        int r;

        if (reader->depth + levels > LIMIT_VALUE_DEPTH)
                return error_set(reader->json.error, -E2BIG, ": nested deeper than %u levels",
                                 LIMIT_VALUE_DEPTH);
        reader->depth += levels;
        r = read_any(reader, node, type);
        reader->depth -= levels;
        return r;
}

static int read_root(Reader *reader, uint32_t node, const CodecType *type)
{
        reader->type = type;
        return type->has_fd ? refuse_descriptor(reader) : read_value(reader, node, type->signature);
}

/* ---- entry points ---- */

int codec_value_from_json(const JsonDoc *doc, uint32_t node, const CodecType *type,
                          const char *what, sd_bus_message *m, Error **ret_error)
{
        CLEANUP(reader_done) Reader reader = {.json = {.doc = doc, .error = ret_error}, .m = m};
        int r;

        r = read_root(&reader, node, type);
        if (r < 0)
                error_prefix(ret_error, "%s", what);
        return r;
}

int codec_variant_from_json(const JsonDoc *doc, uint32_t node, const CodecType *type,
                            const char *what, sd_bus_message *m, Error **ret_error)
{
        CLEANUP(reader_done) Reader reader = {.json = {.doc = doc, .error = ret_error}, .m = m};
        int r;

        reader.type = type;
        r = type->has_fd ? refuse_descriptor(&reader)
                         : read_variant_of(&reader, node, type->signature);
        if (r < 0)
                error_prefix(ret_error, "%s", what);
        return r;
}

static int read_argument(Reader *reader, uint32_t node, const CodecArg *arg,
                         const CodecArg **ret_argument)
{
        int r;

        if (node == CODEC_NO_NODE)
                r = error_set(reader->json.error, -EINVAL, ": missing");
        else
                r = read_root(reader, node, arg->type);
        if (r < 0) {
                error_prefix(reader->json.error, "argument '%s'", arg->name);
                *ret_argument = arg;
        }
        return r;
}

static int read_positional(Reader *reader, uint32_t node, const CodecArgs *args,
                           const CodecArg **ret_argument)
{
        uint32_t count = reader->json.doc->nodes[node].count;
        size_t i = 0;
        int r;

        if (count < args->count)
                return read_argument(reader, CODEC_NO_NODE, &args->items[count], ret_argument);
        if (count > args->count)
                return error_set(reader->json.error, -EINVAL, "expected %zu arguments, got %u",
                                 args->count, count);
        JSON_FOREACH (reader->json.doc, node, item) {
                r = read_argument(reader, item, &args->items[i++], ret_argument);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* For json_suggest(): the names of all arguments. */
static const char *next_name(size_t index, const void *userdata)
{
        const CodecArgs *args = userdata;

        return index < args->count ? args->items[index].name : NULL;
}

static int refuse_unknown(Reader *reader, uint32_t node, uint32_t key, const CodecArgs *args)
{
        const JsonDoc *doc = reader->json.doc;
        const char *meant = json_suggest(doc, node, key, next_name, args);
        const char *raw;
        size_t length;

        raw = json_raw(doc, key, &length);
        error_set(reader->json.error, -EINVAL, ": there is no such argument%s%s%s",
                  meant ? ", did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
        json_place_key(reader->json.error, raw, length);
        error_prefix(reader->json.error, "params");
        return -EINVAL;
}

/* 0 if all names are those of arguments. */
static int check_all_known(Reader *reader, uint32_t node, const CodecArgs *args)
{
        JSON_FOREACH (reader->json.doc, node, key) {
                bool known = false;

                for (size_t i = 0; i < args->count && !known; i++)
                        known = json_string_is(reader->json.doc, key, args->items[i].name);
                if (!known)
                        return refuse_unknown(reader, node, key, args);
        }
        return 0;
}

static int read_by_name(Reader *reader, uint32_t node, const CodecArgs *args,
                        const CodecArg **ret_argument)
{
        uint32_t value;
        int r;

        /* First, or a misspelt name would be told as the one that is missing. */
        r = check_all_known(reader, node, args);
        if (r < 0)
                return r;
        for (size_t i = 0; i < args->count; i++) {
                value = json_find(reader->json.doc, node, args->items[i].name);
                r = read_argument(reader, value == 0 ? CODEC_NO_NODE : value, &args->items[i],
                                  ret_argument);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_arguments(Reader *reader, uint32_t node, const CodecArgs *args,
                          const CodecArg **ret_argument)
{
        if (node == CODEC_NO_NODE) {
                if (args->count == 0)
                        return 0;
                return read_argument(reader, CODEC_NO_NODE, &args->items[0], ret_argument);
        }
        reader->depth = 1;
        switch (json_type(reader->json.doc, node)) {
        case JSON_ARRAY: return read_positional(reader, node, args, ret_argument);
        case JSON_OBJECT: return read_by_name(reader, node, args, ret_argument);
        default:
                return error_set(reader->json.error, -EINVAL,
                                 "expected the arguments as an array or an object, got %s",
                                 json_type_name(json_type(reader->json.doc, node)));
        }
}

int codec_args_from_json(const JsonDoc *doc, uint32_t node, const CodecArgs *in, sd_bus_message *m,
                         const CodecArg **ret_argument, Error **ret_error)
{
        CLEANUP(reader_done) Reader reader = {.json = {.doc = doc, .error = ret_error}, .m = m};
        const CodecArg *argument = NULL;
        int r;

        r = read_arguments(&reader, node, in, &argument);
        if (r < 0 && ret_argument)
                *ret_argument = argument;
        return r;
}

int codec_result_from_json(const JsonDoc *doc, uint32_t node, const CodecArgs *out,
                           sd_bus_message *m, Error **ret_error)
{
        CLEANUP(reader_done) Reader reader = {.json = {.doc = doc, .error = ret_error}, .m = m};
        const CodecArg *argument;

        if (out->count == 0 && node != CODEC_NO_NODE && json_type(doc, node) == JSON_NULL)
                return 0;
        if (out->count == 1)
                return read_argument(&reader, node, &out->items[0], &argument);
        return read_arguments(&reader, node, out, &argument);
}
