/* SPDX-License-Identifier: MIT */

#include "common/json-basic.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/base64.h"
#include "common/json-write.h"
#include "common/object-path.h"
#include "common/signature.h"
#include "common/utf8.h"

/* Bytes of a refused number that an error shows; one can be as long as a payload. */
enum { SHOWN_NUMBER_BYTES = 40 };

static int out_of_memory(JsonSource *source)
{
        error_set(source->error, -ENOMEM, ": out of memory");
        return -ENOMEM;
}

int json_expected(JsonSource *source, uint32_t node, const char *what)
{
        return error_set(source->error, -EINVAL, ": expected %s, got %s", what,
                         json_type_name(json_type(source->doc, node)));
}

int json_basic_text(JsonSource *source, uint32_t node, const char **ret_text, size_t *ret_length)
{
        const JsonNode *n = &source->doc->nodes[node];

        if (!n->escaped) {
                *ret_text = source->doc->text + n->start + 1;
                *ret_length = n->end - n->start - 2;
                return 0;
        }
        buffer_clear(&source->scratch);
        if (json_string_append(source->doc, node, &source->scratch) < 0)
                return out_of_memory(source);
        *ret_text = buffer_text(&source->scratch);
        *ret_length = source->scratch.length;
        /* Only an escape can have made it. */
        if (memchr(*ret_text, '\0', *ret_length))
                return error_set(source->error, -EINVAL, ": \\u0000 cannot be in a string");
        return 0;
}

int json_basic_string(JsonSource *source, uint32_t node, char code, const char **ret_text,
                      size_t *ret_length)
{
        SignatureError why;
        int r;

        if (json_type(source->doc, node) != JSON_STRING)
                return json_expected(source, node, "a string");
        r = json_basic_text(source, node, ret_text, ret_length);
        if (r < 0)
                return r;
        if (code == 'o' && !object_path_is_valid(*ret_text, *ret_length))
                return error_set(source->error, -EINVAL, ": not a valid object path");
        if (code == 'g' && signature_check(*ret_text, *ret_length, &why) < 0)
                return error_set(source->error, -EINVAL,
                                 ": not a valid signature, at character %zu: %s", why.offset,
                                 why.reason);
        return 0;
}

int json_basic_base64(JsonSource *source, uint32_t node, const char **ret_text, size_t *ret_length)
{
        int r;

        if (json_type(source->doc, node) != JSON_STRING)
                return json_expected(source, node, "a base64 string");
        r = json_basic_text(source, node, ret_text, ret_length);
        if (r < 0)
                return r;
        if (base64_check(*ret_text, *ret_length) < 0)
                return error_set(source->error, -EINVAL, ": not valid base64");
        return 0;
}

int json_basic_boolean(JsonSource *source, uint32_t node, int *ret_value)
{
        if (json_type(source->doc, node) != JSON_BOOLEAN)
                return json_expected(source, node, "a boolean");
        *ret_value = json_boolean(source->doc, node);
        return 0;
}

/* ---- numbers ---- */

static int narrow_signed(char code, int64_t value, JsonBasic *ret_value)
{
        switch (code) {
        case 'n':
                if (value < INT16_MIN || value > INT16_MAX)
                        return -ERANGE;
                ret_value->n = (int16_t)value;
                return 0;
        case 'i':
                if (value < INT32_MIN || value > INT32_MAX)
                        return -ERANGE;
                ret_value->i = (int32_t)value;
                return 0;
        default: ret_value->x = value; return 0;
        }
}

static int narrow_unsigned(char code, uint64_t value, JsonBasic *ret_value)
{
        switch (code) {
        case 'y':
                if (value > UINT8_MAX)
                        return -ERANGE;
                ret_value->y = (uint8_t)value;
                return 0;
        case 'q':
                if (value > UINT16_MAX)
                        return -ERANGE;
                ret_value->q = (uint16_t)value;
                return 0;
        case 'u':
                if (value > UINT32_MAX)
                        return -ERANGE;
                ret_value->u = (uint32_t)value;
                return 0;
        default: ret_value->t = value; return 0;
        }
}

static int parse_integer(char code, const char *text, size_t length, JsonBasic *ret_value)
{
        uint64_t u;
        int64_t s;
        int r;

        if (strchr("nix", code)) {
                r = json_parse_int64(text, length, &s);
                return r < 0 ? r : narrow_signed(code, s, ret_value);
        }
        r = json_parse_uint64(text, length, &u);
        return r < 0 ? r : narrow_unsigned(code, u, ret_value);
}

static int refuse_number(JsonSource *source, int r, char code, const char *text, size_t length)
{
        int shown = (int)utf8_cut(text, length, SHOWN_NUMBER_BYTES);
        const char *more = (size_t)shown < length ? "…" : "";

        if (r == -ENOMEM)
                return out_of_memory(source);
        if (r == -ERANGE)
                return error_set(source->error, -ERANGE, ": %.*s%s does not fit into %s (%c)",
                                 shown, text, more, signature_type_name(code), code);
        return error_set(source->error, -EINVAL, ": %.*s%s is not an integer", shown, text, more);
}

/* Digits as the codec writes them: an optional minus, no leading zeros, nothing else. */
static bool is_decimal(const char *text, size_t length)
{
        size_t start = length > 0 && text[0] == '-' ? 1 : 0;

        if (start == length || (text[start] == '0' && length > 1))
                return false;
        for (size_t i = start; i < length; i++)
                if (text[i] < '0' || text[i] > '9')
                        return false;
        return true;
}

/* An integer in a string: of 64 bits, or any as a dict key. */
static int read_decimal(JsonSource *source, uint32_t node, char code, JsonBasic *ret_value)
{
        const char *text;
        size_t length;
        int r;

        r = json_basic_text(source, node, &text, &length);
        if (r < 0)
                return r;
        if (!is_decimal(text, length))
                return error_set(source->error, -EINVAL, ": the string is not a decimal integer");
        r = parse_integer(code, text, length, ret_value);
        return r < 0 ? refuse_number(source, r, code, text, length) : 0;
}

static int read_integer(JsonSource *source, uint32_t node, char code, JsonBasic *ret_value)
{
        bool wide = code == 'x' || code == 't';
        const char *text;
        size_t length;
        int r;

        if (json_type(source->doc, node) == JSON_STRING && wide)
                return read_decimal(source, node, code, ret_value);
        if (json_type(source->doc, node) != JSON_NUMBER)
                return json_expected(source, node,
                                     wide ? "a number or a decimal string" : "a number");
        text = json_raw(source->doc, node, &length);
        r = parse_integer(code, text, length, ret_value);
        return r < 0 ? refuse_number(source, r, code, text, length) : 0;
}

static bool read_non_finite(const JsonDoc *doc, uint32_t node, double *ret_value)
{
        if (json_string_is(doc, node, "NaN"))
                *ret_value = (double)NAN;
        else if (json_string_is(doc, node, "Infinity"))
                *ret_value = (double)INFINITY;
        else if (json_string_is(doc, node, "-Infinity"))
                *ret_value = -(double)INFINITY;
        else
                return false;
        return true;
}

static int read_double(JsonSource *source, uint32_t node, double *ret_value)
{
        const char *text;
        size_t length;
        int r;

        if (json_type(source->doc, node) == JSON_NUMBER) {
                r = json_double(source->doc, node, ret_value);
                text = json_raw(source->doc, node, &length);
                return r < 0 ? refuse_number(source, r, 'd', text, length) : 0;
        }
        if (read_non_finite(source->doc, node, ret_value))
                return 0;
        return json_expected(source, node, "a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

int json_basic_number(JsonSource *source, uint32_t node, char code, JsonBasic *ret_value)
{
        if (code == 'd')
                return read_double(source, node, &ret_value->d);
        return read_integer(source, node, code, ret_value);
}

/* ---- keys ---- */

static int read_boolean_key(JsonSource *source, uint32_t node, int *ret_value)
{
        *ret_value = json_string_is(source->doc, node, "true");
        if (*ret_value || json_string_is(source->doc, node, "false"))
                return 0;
        return error_set(source->error, -EINVAL, ": the key is neither \"true\" nor \"false\"");
}

static int refuse_double_key(JsonSource *source)
{
        return error_set(source->error, -EINVAL, ": the key is not a number in its shortest form");
}

/* Only the form that the codec itself writes, because 1, 1.0 and 1e0 are one key in D-Bus and
 * would be three in JSON. */
static int read_double_key(JsonSource *source, uint32_t node, double *ret_value)
{
        CLEANUP_JSON_DOC JsonDoc key = {};
        CLEANUP_BUFFER Buffer canonical = BUFFER_INIT(0);
        const char *text;
        size_t length;
        int r;

        if (read_non_finite(source->doc, node, ret_value))
                return 0;
        r = json_basic_text(source, node, &text, &length);
        if (r < 0)
                return r;
        r = json_scan(&key, text, length, JSON_SCAN_STRICT);
        if (r == 0)
                r = json_double(&key, 0, ret_value);
        if (r == -ENOMEM || (r == 0 && json_write_double(&canonical, *ret_value) < 0))
                return out_of_memory(source);
        if (r < 0 || canonical.length != length || memcmp(canonical.data, text, length) != 0)
                return refuse_double_key(source);
        return 0;
}

int json_basic_key(JsonSource *source, uint32_t node, char code, JsonBasic *ret_value)
{
        switch (code) {
        case 'b': return read_boolean_key(source, node, &ret_value->b);
        case 'd': return read_double_key(source, node, &ret_value->d);
        default: return read_decimal(source, node, code, ret_value);
        }
}

/* ---- writing ---- */

int json_write_basic(Buffer *buffer, char code, const JsonBasic *value)
{
        switch (code) {
        case 'y': return json_write_uint64(buffer, value->y);
        case 'b': return buffer_append_text(buffer, value->b ? "true" : "false");
        case 'n': return json_write_int64(buffer, value->n);
        case 'q': return json_write_uint64(buffer, value->q);
        case 'i': return json_write_int64(buffer, value->i);
        case 'u': return json_write_uint64(buffer, value->u);
        case 'x': return json_write_int64_safe(buffer, value->x);
        case 't': return json_write_uint64_safe(buffer, value->t);
        case 'd': return json_write_double(buffer, value->d);
        default: return json_write_string(buffer, value->text, strlen(value->text));
        }
}

int json_write_basic_key(Buffer *buffer, char code, const JsonBasic *value)
{
        if (strchr("sog", code) || (code == 'd' && !isfinite(value->d)))
                return json_write_basic(buffer, code, value);
        buffer_append_char(buffer, '"');
        if (code == 'x')
                json_write_int64(buffer, value->x);
        else if (code == 't')
                json_write_uint64(buffer, value->t);
        else
                json_write_basic(buffer, code, value);
        return buffer_append_char(buffer, '"');
}
