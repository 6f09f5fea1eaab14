/* SPDX-License-Identifier: MIT */

#include "gateway/type-schema.h"

#include "gateway/codec/type-internal.h"

/* What a value of a basic type is, as members of a schema. */
static const struct {
        char code;
        const char *key;
        const char *json;
} basics[] = {
        {'b', "type", "\"boolean\""},
        {'y', "type", "\"integer\""},
        {'y', "minimum", "0"},
        {'y', "maximum", "255"},
        {'n', "type", "\"integer\""},
        {'n', "minimum", "-32768"},
        {'n', "maximum", "32767"},
        {'q', "type", "\"integer\""},
        {'q', "minimum", "0"},
        {'q', "maximum", "65535"},
        {'i', "type", "\"integer\""},
        {'i', "minimum", "-2147483648"},
        {'i', "maximum", "2147483647"},
        {'u', "type", "\"integer\""},
        {'u', "minimum", "0"},
        {'u', "maximum", "4294967295"},
        /* digits in quotes where a double would lose some */
        {'x', "type", "[\"integer\",\"string\"]"},
        {'x', "pattern", "\"^-?[0-9]+$\""},
        {'t', "type", "[\"integer\",\"string\"]"},
        {'t', "minimum", "0"},
        {'t', "pattern", "\"^[0-9]+$\""},
        {'d', "type", "[\"number\",\"string\"]"},
        {'d', "pattern", "\"^(NaN|-?Infinity)$\""},
        {'s', "type", "\"string\""},
        {'o', "type", "\"string\""},
        {'o', "pattern", "\"^/([A-Za-z0-9_]+(/[A-Za-z0-9_]+)*)?$\""},
        {'g', "type", "\"string\""},
        {'h', "not", "{}"},
};

static void write_type(EmitJson *emit, const char *key, const CodecType *type, const char *at);

static void write_bytes(EmitJson *emit, const CodecType *type)
{
        if (type->bytes == CODEC_BYTES_ARRAY) {
                emit_string(emit, "type", "array");
                write_type(emit, "items", type, "y");
                return;
        }
        emit_string(emit, "type", "string");
        if (type->bytes == CODEC_BYTES_BASE64)
                emit_string(emit, "contentEncoding", "base64");
}

static void write_array(EmitJson *emit, const CodecType *type, const char *at)
{
        if (at[1] == 'y') {
                write_bytes(emit, type);
        } else if (at[1] == '{') {
                emit_string(emit, "type", "object");
                write_type(emit, "additionalProperties", type, at + 3);
        } else {
                emit_string(emit, "type", "array");
                write_type(emit, "items", type, at + 1);
        }
}

static void write_named_struct(EmitJson *emit, const CodecType *type, const char *at)
{
        char *const *fields = codec_type_fields(type, at);

        emit_string(emit, "type", "object");
        emit_open(emit, "properties", '{');
        at++;
        for (size_t i = 0; i < type->n_fields; i++) {
                write_type(emit, fields[i], type, at);
                at += signature_type_length(at);
        }
        emit_close(emit, '}');
        emit_open(emit, "required", '[');
        for (size_t i = 0; i < type->n_fields; i++)
                emit_string(emit, NULL, fields[i]);
        emit_close(emit, ']');
        emit_boolean(emit, "additionalProperties", false);
}

static void write_struct(EmitJson *emit, const CodecType *type, const char *at)
{
        int count = 0;

        if (codec_type_fields(type, at)) {
                write_named_struct(emit, type, at);
                return;
        }
        emit_string(emit, "type", "array");
        emit_open(emit, "items", '[');
        for (at++; *at != ')'; at += signature_type_length(at), count++)
                write_type(emit, NULL, type, at);
        emit_close(emit, ']');
        emit_integer(emit, "minItems", count);
        emit_integer(emit, "maxItems", count);
}

static void write_variant(EmitJson *emit, const CodecType *type)
{
        if (!type->typed_variants)
                return;
        emit_string(emit, "type", "object");
        emit_open(emit, "properties", '{');
        emit_open(emit, "type", '{');
        emit_string(emit, "type", "string");
        emit_close(emit, '}');
        emit_open(emit, "data", '{');
        emit_close(emit, '}');
        emit_close(emit, '}');
        emit_raw(emit, "required", "[\"type\",\"data\"]");
}

static void write_members(EmitJson *emit, const CodecType *type, const char *at)
{
        switch (*at) {
        case 'a': write_array(emit, type, at); break;
        case '(': write_struct(emit, type, at); break;
        case 'v': write_variant(emit, type); break;
        default:
                for (size_t i = 0; i < ARRAY_SIZE(basics); i++)
                        if (basics[i].code == *at)
                                emit_raw(emit, basics[i].key, basics[i].json);
        }
}

static void write_type(EmitJson *emit, const char *key, const CodecType *type, const char *at)
{
        emit_open_flat(emit, key, '{');
        write_members(emit, type, at);
        emit_close(emit, '}');
}

void type_schema_write(EmitJson *emit, const char *key, const CodecType *type)
{
        emit_open_flat(emit, key, '{');
        write_members(emit, type, type->signature);
        emit_string(emit, "x-dbus-type", type->signature);
        emit_close(emit, '}');
}
