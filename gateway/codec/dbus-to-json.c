/* SPDX-License-Identifier: MIT */

#include "gateway/codec/dbus-to-json.h"

#include <errno.h>
#include <string.h>

#include "common/base64.h"
#include "common/json-basic.h"
#include "common/json-place.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/signature.h"
#include "common/utf8.h"
#include "gateway/codec/key-list.h"
#include "gateway/codec/type-internal.h"

typedef struct Writer {
        sd_bus_message *m;
        const CodecType *type; /* whose value is being written; its options hold for all of it */
        Buffer *out;
        size_t start; /* length of `out` before */
        unsigned depth;
        KeyList keys;
        Error **error;
} Writer;

static int write_value(Writer *writer, const char *type);

static void writer_done(Writer *writer)
{
        key_list_done(&writer->keys);
}

/* ---- failures ---- */

/* A failed sd_bus_message_…() call: `r` is what it returned. */
static int read_failed(Writer *writer, int r, const char *type)
{
        size_t expected = signature_type_length(type);
        const char *contents = NULL;
        char code = '\0';

        if (r == -ENOMEM)
                return error_set(writer->error, -ENOMEM, ": out of memory");
        if (r != 0 && r != -ENXIO)
                return error_set(writer->error, -EBADMSG, ": the message is malformed");
        if (sd_bus_message_peek_type(writer->m, &code, &contents) <= 0)
                return error_set(writer->error, -EBADMSG, ": expected type '%.*s', got nothing",
                                 (int)expected, type);
        if (code == SD_BUS_TYPE_ARRAY)
                return error_set(writer->error, -EBADMSG, ": expected type '%.*s', got 'a%s'",
                                 (int)expected, type, contents);
        if (code == SD_BUS_TYPE_STRUCT)
                return error_set(writer->error, -EBADMSG, ": expected type '%.*s', got '(%s)'",
                                 (int)expected, type, contents);
        return error_set(writer->error, -EBADMSG, ": expected type '%.*s', got '%c'", (int)expected,
                         type, code);
}

static int check_buffer(Writer *writer)
{
        int r = buffer_status(writer->out);

        if (r == -EMSGSIZE)
                return error_set(writer->error, r, ": does not fit into %zu bytes of JSON",
                                 writer->out->maximum);
        return r < 0 ? error_set(writer->error, r, ": out of memory") : 0;
}

static int refuse_descriptor(Writer *writer)
{
        return error_set(writer->error, -EOPNOTSUPP,
                         ": file descriptors (type h) cannot leave D-Bus");
}

/* ---- structure ---- */

static int open_json(Writer *writer, char bracket)
{
        if (writer->depth >= LIMIT_VALUE_DEPTH)
                return error_set(writer->error, -E2BIG, ": nested deeper than %u levels",
                                 LIMIT_VALUE_DEPTH);
        writer->depth++;
        buffer_append_char(writer->out, bracket);
        return 0;
}

static void close_json(Writer *writer, char bracket)
{
        writer->depth--;
        buffer_append_char(writer->out, bracket);
}

/* Enters the container `type`, which is an array, a struct or a dict entry. */
static int enter(Writer *writer, const char *type)
{
        char contents[SIGNATURE_MAX_LENGTH + 1], code;
        int r;

        code = codec_type_contents(type, contents);
        r = sd_bus_message_enter_container(writer->m, code, contents);
        return r > 0 ? 0 : read_failed(writer, r, type);
}

static int leave(Writer *writer, const char *type)
{
        int r = sd_bus_message_exit_container(writer->m);

        return r < 0 ? read_failed(writer, r, type) : check_buffer(writer);
}

/* ---- basic types ---- */

static int read_basic(Writer *writer, const char *type, JsonBasic *ret_value)
{
        int r;

        if (*type == 'h')
                return refuse_descriptor(writer);
        r = sd_bus_message_read_basic(writer->m, *type, ret_value);
        return r > 0 ? 0 : read_failed(writer, r, type);
}

static int write_basic_value(Writer *writer, const char *type)
{
        JsonBasic value;
        int r;

        r = read_basic(writer, type, &value);
        if (r < 0)
                return r;
        json_write_basic(writer->out, *type, &value);
        return 0;
}

/* ---- bytes ---- */

static int write_base64(Writer *writer, const char *bytes, size_t length)
{
        size_t encoded = base64_encoded_length(length);
        char *out;

        buffer_append_char(writer->out, '"');
        out = buffer_reserve(writer->out, encoded);
        if (!out)
                return check_buffer(writer);
        base64_encode(bytes, length, out);
        buffer_commit(writer->out, encoded);
        buffer_append_char(writer->out, '"');
        return 0;
}

static int write_text(Writer *writer, const char *bytes, size_t length)
{
        while (length > 0 && bytes[length - 1] == '\0')
                length--;
        if (!utf8_is_text(bytes, length))
                return error_set(writer->error, -EBADMSG, ": the bytes are not UTF-8 text");
        json_write_string(writer->out, bytes, length);
        return 0;
}

/* The bytes one by one: sd-bus gives no array at once when the sender's byte order is not ours. */
static int collect_bytes(Writer *writer, Buffer *bytes)
{
        uint8_t byte;
        int r;

        r = enter(writer, "ay");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(writer->m, 'y', &byte)) > 0)
                buffer_append(bytes, &byte, 1);
        if (r < 0)
                return read_failed(writer, r, "y");
        if (buffer_status(bytes) < 0)
                return error_set(writer->error, -ENOMEM, ": out of memory");
        return leave(writer, "ay");
}

static int write_bytes(Writer *writer)
{
        CLEANUP_BUFFER Buffer collected = BUFFER_INIT(0);
        const void *bytes = NULL;
        size_t length = 0;
        int r;

        r = sd_bus_message_read_array(writer->m, 'y', &bytes, &length);
        if (r == -EOPNOTSUPP) {
                r = collect_bytes(writer, &collected);
                if (r < 0)
                        return r;
                bytes = buffer_text(&collected);
                length = collected.length;
        } else if (r <= 0) {
                return read_failed(writer, r, "ay");
        }
        if (writer->type->bytes == CODEC_BYTES_TEXT)
                return write_text(writer, bytes, length);
        return write_base64(writer, bytes, length);
}

/* ---- arrays and structs ---- */

static int write_array(Writer *writer, const char *type)
{
        int r;

        r = open_json(writer, '[');
        if (r < 0)
                return r;
        r = enter(writer, type);
        if (r < 0)
                return r;
        for (size_t i = 0; sd_bus_message_at_end(writer->m, false) == 0; i++) {
                if (i > 0)
                        buffer_append_char(writer->out, ',');
                r = write_value(writer, type + 1);
                if (r == 0)
                        r = check_buffer(writer);
                if (r < 0) {
                        json_place_index(writer->error, i);
                        return r;
                }
        }
        close_json(writer, ']');
        return leave(writer, type);
}

static int write_fixed_array(Writer *writer, const char *type, size_t width)
{
        const char *items;
        const void *array;
        size_t size;
        int r;

        r = sd_bus_message_read_array(writer->m, type[1], &array, &size);
        if (r == -EOPNOTSUPP)
                return write_array(writer, type);
        if (r <= 0)
                return read_failed(writer, r, type);
        /* sd-bus does not look into the array. */
        if (size % width != 0)
                return read_failed(writer, -EBADMSG, type);
        r = open_json(writer, '[');
        if (r < 0)
                return r;
        items = array;
        for (size_t at = 0; at < size && buffer_status(writer->out) == 0; at += width) {
                JsonBasic value;

                if (at > 0)
                        buffer_append_char(writer->out, ',');
                memcpy(&value, items + at, width);
                json_write_basic(writer->out, type[1], &value);
        }
        close_json(writer, ']');
        return check_buffer(writer);
}

static void write_field_name(Writer *writer, const char *name)
{
        json_write_string(writer->out, name, strlen(name));
        buffer_append_char(writer->out, ':');
}

static int write_members(Writer *writer, const char *type, char *const *fields)
{
        const char *member = type + 1;
        int r;

        for (size_t i = 0; *member != ')'; i++) {
                if (i > 0)
                        buffer_append_char(writer->out, ',');
                if (fields)
                        write_field_name(writer, fields[i]);
                r = write_value(writer, member);
                if (r < 0) {
                        if (fields)
                                json_place_member(writer->error, fields[i]);
                        else
                                json_place_index(writer->error, i);
                        return r;
                }
                member += signature_type_length(member);
        }
        return 0;
}

static int write_struct(Writer *writer, const char *type)
{
        char *const *fields = codec_type_fields(writer->type, type);
        int r;

        r = open_json(writer, fields ? '{' : '[');
        if (r < 0)
                return r;
        r = enter(writer, type);
        if (r < 0)
                return r;
        r = write_members(writer, type, fields);
        if (r < 0)
                return r;
        close_json(writer, fields ? '}' : ']');
        return leave(writer, type);
}

/* ---- dicts ---- */

/* Ends a dict whose first key is the `first`-th of the list. The same key always has the same
 * text, so the texts are compared. */
static int check_keys(Writer *writer, size_t first)
{
        const char *text = buffer_text(writer->out);
        KeySpan duplicate;

        if (!key_list_close(&writer->keys, first, text, &duplicate))
                return 0;
        error_set(writer->error, -EBADMSG, ": the dict has this key twice");
        json_place_key(writer->error, text + duplicate.offset, duplicate.length);
        return -EBADMSG;
}

static int write_key(Writer *writer, const char *type)
{
        size_t offset = writer->out->length;
        JsonBasic value;
        int r;

        r = read_basic(writer, type, &value);
        if (r < 0)
                return r;
        json_write_basic_key(writer->out, *type, &value);
        r = check_buffer(writer);
        if (r < 0)
                return r;
        if (key_list_add(&writer->keys, offset, writer->out->length - offset) < 0)
                return error_set(writer->error, -ENOMEM, ": out of memory");
        return 0;
}

/* `type` is "{…}" with these contents. */
static int write_entry(Writer *writer, const char *type, const char *contents)
{
        size_t offset = writer->out->length, length;
        int r;

        r = sd_bus_message_enter_container(writer->m, SD_BUS_TYPE_DICT_ENTRY, contents);
        if (r <= 0)
                return read_failed(writer, r, type);
        r = write_key(writer, type + 1);
        if (r < 0)
                return r;
        length = writer->out->length - offset;
        buffer_append_char(writer->out, ':');
        r = write_value(writer, type + 2);
        if (r == 0)
                r = check_buffer(writer);
        if (r < 0) {
                json_place_key(writer->error, buffer_text(writer->out) + offset, length);
                return r;
        }
        return leave(writer, type);
}

static int write_dict(Writer *writer, const char *type)
{
        char contents[SIGNATURE_MAX_LENGTH + 1]; /* of an entry */
        size_t first_key = writer->keys.count;
        int r;

        r = open_json(writer, '{');
        if (r < 0)
                return r;
        r = enter(writer, type);
        if (r < 0)
                return r;
        codec_type_contents(type + 1, contents);
        for (bool comma = false; sd_bus_message_at_end(writer->m, false) == 0; comma = true) {
                if (comma)
                        buffer_append_char(writer->out, ',');
                r = write_entry(writer, type + 1, contents);
                if (r < 0)
                        return r;
        }
        r = check_keys(writer, first_key);
        if (r < 0)
                return r;
        close_json(writer, '}');
        return leave(writer, type);
}

/* ---- variants ---- */

/* Enters the variant at the read position and tells its content's type, which lives as long as the
 * message. */
static int enter_variant(Writer *writer, const char **ret_type)
{
        const char *type;
        char code;
        int r;

        r = sd_bus_message_peek_type(writer->m, &code, &type);
        if (r <= 0 || code != SD_BUS_TYPE_VARIANT)
                return read_failed(writer, MIN(r, 0), "v");
        r = sd_bus_message_enter_container(writer->m, SD_BUS_TYPE_VARIANT, type);
        if (r <= 0)
                return read_failed(writer, r < 0 ? r : -EBADMSG, "v");
        *ret_type = type;
        return 0;
}

static int write_typed(Writer *writer, const char *type)
{
        int r;

        r = open_json(writer, '{');
        if (r < 0)
                return r;
        buffer_append_text(writer->out, "\"type\":\"");
        buffer_append_text(writer->out, type);
        buffer_append_text(writer->out, "\",\"data\":");
        r = write_value(writer, type);
        if (r < 0) {
                json_place_member(writer->error, "data");
                return r;
        }
        close_json(writer, '}');
        return 0;
}

static int write_variant(Writer *writer)
{
        const char *type;
        int r;

        r = enter_variant(writer, &type);
        if (r < 0)
                return r;
        if (strchr(type, 'h'))
                return refuse_descriptor(writer);
        r = writer->type->typed_variants ? write_typed(writer, type) : write_value(writer, type);
        return r < 0 ? r : leave(writer, "v");
}

/* ---- values ---- */

static int write_any_array(Writer *writer, const char *type)
{
        switch (type[1]) {
        case '{': return write_dict(writer, type);
        case 'y':
                if (writer->type->bytes != CODEC_BYTES_ARRAY)
                        return write_bytes(writer);
                return write_fixed_array(writer, type, 1);
        case 'n':
        case 'q': return write_fixed_array(writer, type, 2);
        case 'i':
        case 'u': return write_fixed_array(writer, type, 4);
        case 'x':
        case 't':
        case 'd': return write_fixed_array(writer, type, 8);
        default: return write_array(writer, type);
        }
}

/* The value at the read position, of the type that starts at `type`. */
static int write_value(Writer *writer, const char *type)
{
        switch (*type) {
        case 'a': return write_any_array(writer, type);
        case '(': return write_struct(writer, type);
        case 'v': return write_variant(writer);
        default: return write_basic_value(writer, type);
        }
}

/* A value of the type that the caller expects: only here can descriptors and options be told in
 * advance. */
static int write_root(Writer *writer, const CodecType *type)
{
        writer->type = type;
        return type->has_fd ? refuse_descriptor(writer) : write_value(writer, type->signature);
}

static int write_variant_root(Writer *writer, const CodecType *type)
{
        const char *actual;
        int r;

        if (type->has_fd)
                return refuse_descriptor(writer);
        r = enter_variant(writer, &actual);
        if (r < 0)
                return r;
        if (strcmp(actual, type->signature) != 0)
                return error_set(writer->error, -EBADMSG, ": expected type '%s', got '%s'",
                                 type->signature, actual);
        r = write_root(writer, type);
        return r < 0 ? r : leave(writer, "v");
}

/* ---- entry points ---- */

/* Ends a conversion that came back with `r` and named the place by itself. */
static int finish(Writer *writer, int r, const char *what)
{
        if (r == 0) {
                r = check_buffer(writer);
                error_prefix(writer->error, "%s", what);
        }
        if (r < 0)
                buffer_truncate(writer->out, writer->start);
        return r;
}

/* Ends the conversion of one value, which is named here. */
static int finish_value(Writer *writer, int r, const char *what)
{
        if (r < 0)
                error_prefix(writer->error, "%s", what);
        return finish(writer, r, what);
}

int codec_value_to_json(sd_bus_message *m, const CodecType *type, const char *what, Buffer *buffer,
                        Error **ret_error)
{
        CLEANUP(writer_done)
        Writer writer = {.m = m, .out = buffer, .start = buffer->length, .error = ret_error};

        return finish_value(&writer, write_root(&writer, type), what);
}

int codec_variant_to_json(sd_bus_message *m, const CodecType *type, const char *what,
                          Buffer *buffer, Error **ret_error)
{
        CLEANUP(writer_done)
        Writer writer = {.m = m, .out = buffer, .start = buffer->length, .error = ret_error};

        return finish_value(&writer, write_variant_root(&writer, type), what);
}

/* A service may send something else than its introspection promised. */
static int check_message(sd_bus_message *m, const CodecArgs *args, Error **ret_error)
{
        const char *expected = args->signature ? args->signature : "";
        const char *actual = sd_bus_message_get_signature(m, true);

        if (strcmp(expected, actual) == 0)
                return 0;
        return error_set(ret_error, -EBADMSG, "expected arguments of type '%s', got '%s'", expected,
                         actual);
}

static int write_argument(Writer *writer, const CodecArg *arg)
{
        int r;

        r = write_root(writer, arg->type);
        if (r == 0)
                r = check_buffer(writer);
        if (r < 0)
                error_prefix(writer->error, "argument '%s'", arg->name);
        return r;
}

static int write_arguments(Writer *writer, const CodecArgs *args, bool as_object)
{
        int r;

        r = open_json(writer, as_object ? '{' : '[');
        if (r < 0)
                return r;
        for (size_t i = 0; i < args->count; i++) {
                if (i > 0)
                        buffer_append_char(writer->out, ',');
                if (as_object)
                        write_field_name(writer, args->items[i].name);
                r = write_argument(writer, &args->items[i]);
                if (r < 0)
                        return r;
        }
        close_json(writer, as_object ? '}' : ']');
        return 0;
}

int codec_args_to_json(sd_bus_message *m, const CodecArgs *args, bool as_object, Buffer *buffer,
                       Error **ret_error)
{
        CLEANUP(writer_done)
        Writer writer = {.m = m, .out = buffer, .start = buffer->length, .error = ret_error};
        int r;

        r = check_message(m, args, ret_error);
        if (r < 0)
                return r;
        return finish(&writer, write_arguments(&writer, args, as_object), "the arguments");
}

int codec_result_to_json(sd_bus_message *m, const CodecArgs *out, bool as_object, Buffer *buffer,
                         Error **ret_error)
{
        CLEANUP(writer_done)
        Writer writer = {.m = m, .out = buffer, .start = buffer->length, .error = ret_error};
        int r;

        if (out->count > 1)
                return codec_args_to_json(m, out, as_object, buffer, ret_error);
        r = check_message(m, out, ret_error);
        if (r < 0)
                return r;
        if (out->count == 1)
                r = write_argument(&writer, &out->items[0]);
        else
                buffer_append(buffer, "null", 4);
        return finish(&writer, r, "the result");
}
