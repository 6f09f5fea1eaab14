/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/json-build.h"

#include <errno.h>
#include <string.h>

#include "common/base64.h"
#include "common/json-basic.h"
#include "common/json-scan.h"
#include "common/limits.h"
#include "common/object-path.h"
#include "common/signature.h"
#include "common/utf8.h"
#include "mqttrpc/mqttrpc.h"

typedef struct Builder {
        Buffer *buffer;
        unsigned depth; /* containers around the value at hand */
        va_list args;
} Builder;

static int build_value(Builder *builder, const char *type);

/* ---- basic values ---- */

static int check_string(char code, const char *text)
{
        size_t length;

        if (!text)
                return -EINVAL;
        length = strlen(text);
        switch (code) {
        case 'o': return object_path_is_valid(text, length) ? 0 : -EINVAL;
        case 'g': return signature_check(text, length, NULL) < 0 ? -EINVAL : 0;
        default: return utf8_is_text(text, length) ? 0 : -EINVAL;
        }
}

/* What comes as an int because C promotes it, and may therefore be beyond its type. */
static int take_promoted(Builder *builder, char code, JsonBasic *ret_value)
{
        int value = va_arg(builder->args, int);

        switch (code) {
        case 'y': ret_value->y = (uint8_t)value; return value == ret_value->y ? 0 : -ERANGE;
        case 'n': ret_value->n = (int16_t)value; return value == ret_value->n ? 0 : -ERANGE;
        default: ret_value->q = (uint16_t)value; return value == ret_value->q ? 0 : -ERANGE;
        }
}

static int take_basic(Builder *builder, char code, JsonBasic *ret_value)
{
        switch (code) {
        case 'y':
        case 'n':
        case 'q': return take_promoted(builder, code, ret_value);
        case 'b': ret_value->b = va_arg(builder->args, int); return 0;
        case 'i': ret_value->i = va_arg(builder->args, int); return 0;
        case 'u': ret_value->u = va_arg(builder->args, unsigned); return 0;
        case 'x': ret_value->x = va_arg(builder->args, int64_t); return 0;
        case 't': ret_value->t = va_arg(builder->args, uint64_t); return 0;
        case 'd': ret_value->d = va_arg(builder->args, double); return 0;
        default:
                ret_value->text = va_arg(builder->args, const char *);
                return check_string(code, ret_value->text);
        }
}

static int build_basic(Builder *builder, char code)
{
        JsonBasic value;
        int r;

        r = take_basic(builder, code, &value);
        return r < 0 ? r : json_write_basic(builder->buffer, code, &value);
}

/* ---- containers ---- */

static int enter(Builder *builder, char bracket)
{
        if (builder->depth >= LIMIT_VALUE_DEPTH)
                return -E2BIG;
        builder->depth++;
        return buffer_append_char(builder->buffer, bracket);
}

static int leave(Builder *builder, char bracket)
{
        builder->depth--;
        return buffer_append_char(builder->buffer, bracket);
}

static int build_bytes(Builder *builder)
{
        unsigned length = va_arg(builder->args, unsigned);
        const void *bytes = va_arg(builder->args, const void *);
        char *space;

        if (!bytes && length > 0)
                return -EINVAL;
        buffer_append_char(builder->buffer, '"');
        space = buffer_reserve(builder->buffer, base64_encoded_length(length));
        if (!space)
                return buffer_status(builder->buffer);
        base64_encode(bytes, length, space);
        buffer_commit(builder->buffer, base64_encoded_length(length));
        return buffer_append_char(builder->buffer, '"');
}

static int build_entry(Builder *builder, const char *type)
{
        JsonBasic key;
        int r;

        r = take_basic(builder, type[1], &key);
        if (r < 0)
                return r;
        json_write_basic_key(builder->buffer, type[1], &key);
        buffer_append_char(builder->buffer, ':');
        return build_value(builder, type + 2);
}

/* The items of an array, or the entries of a dict if `item` is "{…}". */
static int build_items(Builder *builder, const char *item)
{
        bool is_dict = *item == '{';
        unsigned count = va_arg(builder->args, unsigned);
        int r;

        r = enter(builder, is_dict ? '{' : '[');
        for (unsigned i = 0; r >= 0 && i < count; i++) {
                if (i > 0)
                        buffer_append_char(builder->buffer, ',');
                r = is_dict ? build_entry(builder, item) : build_value(builder, item);
        }
        return r < 0 ? r : leave(builder, is_dict ? '}' : ']');
}

/* The types up to `end` as an array. */
static int build_row(Builder *builder, const char *types, char end)
{
        int r;

        r = enter(builder, '[');
        for (const char *type = types; r >= 0 && *type != end;
             type += signature_type_length(type)) {
                if (type > types)
                        buffer_append_char(builder->buffer, ',');
                r = build_value(builder, type);
        }
        return r < 0 ? r : leave(builder, ']');
}

/* ---- any value ---- */

static unsigned depth_of(const JsonDoc *doc)
{
        uint32_t ends[LIMIT_JSON_DEPTH]; /* of the containers around a node */
        unsigned depth = 0, deepest = 0;

        for (uint32_t node = 0; node < doc->n_nodes; node++) {
                while (depth > 0 && node >= ends[depth - 1])
                        depth--;
                if (json_type(doc, node) != JSON_ARRAY && json_type(doc, node) != JSON_OBJECT)
                        continue;
                ends[depth++] = doc->nodes[node].next;
                deepest = MAX(deepest, depth);
        }
        return deepest;
}

static int scan(JsonDoc *doc, const char *text, size_t length)
{
        int r = json_scan(doc, text, length, JSON_SCAN_STRICT);

        return r == -EBADMSG ? -EINVAL : r;
}

static int build_variant(Builder *builder)
{
        const char *text = va_arg(builder->args, const char *);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        size_t length;
        int r;

        if (!text)
                return -EINVAL;
        r = scan(&doc, text, strlen(text));
        if (r < 0)
                return r;
        if (builder->depth + depth_of(&doc) > LIMIT_VALUE_DEPTH)
                return -E2BIG;
        text = json_raw(&doc, 0, &length);
        return buffer_append(builder->buffer, text, length);
}

/* ---- */

static int build_value(Builder *builder, const char *type)
{
        switch (*type) {
        case 'a': return type[1] == 'y' ? build_bytes(builder) : build_items(builder, type + 1);
        case '(': return build_row(builder, type + 1, ')');
        case 'v': return build_variant(builder);
        default: return build_basic(builder, *type);
        }
}

/* A dict with a key twice would be refused by everybody who reads it. */
static int check_keys(const Buffer *buffer, size_t start)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};

        return scan(&doc, buffer_text(buffer) + start, buffer->length - start);
}

int json_build_append(Buffer *buffer, const char *types, bool as_array, va_list args)
{
        Builder builder = {.buffer = buffer};
        size_t start = buffer->length;
        int count, r;

        types = types ? types : "";
        count = signature_check(types, strlen(types), NULL);
        if (count < 0 || strchr(types, 'h'))
                return -EINVAL;
        va_copy(builder.args, args);
        if (as_array || count > 1)
                r = build_row(&builder, types, '\0');
        else
                r = count == 1 ? build_value(&builder, types) : buffer_append_text(buffer, "null");
        va_end(builder.args);
        if (r >= 0)
                r = buffer_status(buffer);
        if (r >= 0 && strchr(types, '{'))
                r = check_keys(buffer, start);
        if (r < 0)
                buffer_truncate(buffer, start);
        return r;
}

/* ---- public ---- */

static int build_text(char **ret_text, const char *types, bool as_array, va_list args)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        char *text;
        int r;

        r = json_build_append(&buffer, types, as_array, args);
        if (r < 0)
                return r;
        text = buffer_steal(&buffer);
        if (!text)
                return -ENOMEM;
        *ret_text = text;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_json_value_va(char **ret_text, const char *type, va_list args)
{
        if (!type || signature_check_single(type, strlen(type), NULL) < 0)
                return -EINVAL;
        return build_text(ret_text, type, false, args);
}

MQTTRPC_PUBLIC int mqttrpc_json_value(char **ret_text, const char *type, ...)
{
        va_list args;
        int r;

        va_start(args, type);
        r = mqttrpc_json_value_va(ret_text, type, args);
        va_end(args);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_json_params_va(char **ret_text, const char *types, va_list args)
{
        return build_text(ret_text, types, true, args);
}

MQTTRPC_PUBLIC int mqttrpc_json_params(char **ret_text, const char *types, ...)
{
        va_list args;
        int r;

        va_start(args, types);
        r = mqttrpc_json_params_va(ret_text, types, args);
        va_end(args);
        return r;
}
