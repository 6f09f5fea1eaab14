/* SPDX-License-Identifier: MIT */

/* The readers of json-scan.h for everything but strings: types, members, booleans, numbers. */

#include "common/json-scan.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

const char *json_type_name(JsonType type)
{
        static const char *const names[] = {
                [JSON_NULL] = "null",       [JSON_BOOLEAN] = "a boolean",
                [JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
                [JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
        };

        return names[type];
}

uint32_t json_find(const JsonDoc *doc, uint32_t object, const char *key)
{
        size_t length = strlen(key) + 2; /* with its quotes */

        if (doc->nodes[object].type != JSON_OBJECT)
                return 0;
        JSON_FOREACH (doc, object, member) {
                const JsonNode *node = &doc->nodes[member];

                if (node->escaped ? json_string_is(doc, member, key)
                                  : node->end - node->start == length &&
                                            !memcmp(doc->text + node->start + 1, key, length - 2))
                        return member + 1;
        }
        return 0;
}

bool json_boolean(const JsonDoc *doc, uint32_t node)
{
        return doc->text[doc->nodes[node].start] == 't';
}

/* Digits with an optional sign, and optionally a fraction of zeros only, to sign and magnitude. */
static int parse_integer(const char *text, size_t length, bool *ret_negative, uint64_t *ret_value)
{
        const char *end = text + length;
        bool negative = false;
        uint64_t value = 0;

        if (text < end && *text == '-') {
                negative = true;
                text++;
        }
        if (text >= end || *text < '0' || *text > '9')
                return -EINVAL;
        for (; text < end && *text >= '0' && *text <= '9'; text++)
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
                        return -ERANGE;
        if (text < end && *text == '.') {
                if (++text >= end)
                        return -EINVAL;
                while (text < end && *text == '0')
                        text++;
        }
        if (text < end)
                return -EINVAL;
        *ret_negative = negative;
        *ret_value = value;
        return 0;
}

int json_parse_int64(const char *text, size_t length, int64_t *ret_value)
{
        uint64_t magnitude;
        bool negative;
        int r;

        r = parse_integer(text, length, &negative, &magnitude);
        if (r < 0)
                return r;
        if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
                return -ERANGE;
        *ret_value = (int64_t)(negative ? -magnitude : magnitude);
        return 0;
}

int json_parse_uint64(const char *text, size_t length, uint64_t *ret_value)
{
        uint64_t magnitude;
        bool negative;
        int r;

        r = parse_integer(text, length, &negative, &magnitude);
        if (r < 0)
                return r;
        if (negative && magnitude > 0)
                return -ERANGE;
        *ret_value = magnitude;
        return 0;
}

int json_int64(const JsonDoc *doc, uint32_t node, int64_t *ret_value)
{
        const JsonNode *n = &doc->nodes[node];

        if (n->type != JSON_NUMBER)
                return -EINVAL;
        return json_parse_int64(doc->text + n->start, n->end - n->start, ret_value);
}

int json_uint64(const JsonDoc *doc, uint32_t node, uint64_t *ret_value)
{
        const JsonNode *n = &doc->nodes[node];

        if (n->type != JSON_NUMBER)
                return -EINVAL;
        return json_parse_uint64(doc->text + n->start, n->end - n->start, ret_value);
}

static locale_t c_locale;

static void make_c_locale(void)
{
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int json_double(const JsonDoc *doc, uint32_t node, double *ret_value)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        const JsonNode *n = &doc->nodes[node];
        size_t length = n->end - n->start;
        CLEANUP_FREE char *long_text = NULL;
        char short_text[64];
        const char *text = short_text;
        double value;

        if (n->type != JSON_NUMBER)
                return -EINVAL;
        pthread_once(&once, make_c_locale);
        if (!c_locale)
                return -ENOMEM;
        if (length < sizeof(short_text)) {
                memcpy(short_text, doc->text + n->start, length);
                short_text[length] = '\0';
        } else {
                text = long_text = strndup(doc->text + n->start, length);
                if (!text)
                        return -ENOMEM;
        }
        value = strtod_l(text, NULL, c_locale);
        if (!isfinite(value))
                return -ERANGE;
        *ret_value = value;
        return 0;
}

void json_position(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
        unsigned line = 1, column = 1;

        for (size_t i = 0; i < offset; i++) {
                column++;
                if (text[i] == '\n') {
                        line++;
                        column = 1;
                }
        }
        *ret_line = line;
        *ret_column = column;
}
