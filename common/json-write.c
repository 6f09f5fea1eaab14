/* SPDX-License-Identifier: MIT */

#include "common/json-write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/json-plain.h"

/* Digits after the point up to which a double is written without a search: with nine before it
 * there are never more than 15. */
enum { SHORT_DECIMALS = 6 };

enum { INTEGER_DIGITS = 20 }; /* "-9223372036854775808" and "18446744073709551615" */

static int write_digits(Buffer *buffer, uint64_t value, bool negative)
{
        char digits[INTEGER_DIGITS];
        size_t at = sizeof(digits);

        do {
                digits[--at] = (char)('0' + value % 10);
                value /= 10;
        } while (value > 0);
        if (negative)
                digits[--at] = '-';
        return buffer_append(buffer, digits + at, sizeof(digits) - at);
}

int json_write_int64(Buffer *buffer, int64_t value)
{
        return write_digits(buffer, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

int json_write_uint64(Buffer *buffer, uint64_t value)
{
        return write_digits(buffer, value, false);
}

static int write_quoted(Buffer *buffer, uint64_t magnitude, bool negative)
{
        buffer_append_char(buffer, '"');
        write_digits(buffer, magnitude, negative);
        return buffer_append_char(buffer, '"');
}

int json_write_int64_safe(Buffer *buffer, int64_t value)
{
        if (value >= -JSON_SAFE_INTEGER && value <= JSON_SAFE_INTEGER)
                return json_write_int64(buffer, value);
        return write_quoted(buffer, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

int json_write_uint64_safe(Buffer *buffer, uint64_t value)
{
        if (value <= (uint64_t)JSON_SAFE_INTEGER)
                return json_write_uint64(buffer, value);
        return write_quoted(buffer, value, false);
}

/* Few digits after the point, as most measured values have them. A quotient of whole numbers that
 * doubles hold exactly is rounded to the nearest double, as a reader of the digits rounds: so it is
 * `value` again, and up to 15 digits "%.15g" would write the same ones. Returns false if it is not
 * such a value. */
static bool write_short_fraction(Buffer *buffer, double value)
{
        double magnitude = fabs(value), scale = 10, scaled;
        char digits[2 * INTEGER_DIGITS];
        unsigned decimals = 1;
        size_t at = sizeof(digits);
        uint64_t rest;

        if (magnitude < 1e-3 || magnitude >= 1e9)
                return false;
        for (; decimals < SHORT_DECIMALS; decimals++, scale *= 10)
                if (nearbyint(magnitude * scale) / scale == magnitude)
                        break;
        scaled = nearbyint(magnitude * scale);
        if (scaled / scale != magnitude)
                return false;
        rest = (uint64_t)scaled;
        for (unsigned i = 0; i <= decimals || rest > 0; i++) {
                if (i == decimals)
                        digits[--at] = '.';
                digits[--at] = (char)('0' + rest % 10);
                rest /= 10;
        }
        if (value < 0)
                digits[--at] = '-';
        buffer_append(buffer, digits + at, sizeof(digits) - at);
        return true;
}

int json_write_double(Buffer *buffer, double value)
{
        char text[32];

        if (isnan(value))
                return buffer_append_text(buffer, "\"NaN\"");
        if (isinf(value))
                return buffer_append_text(buffer, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        if (value == floor(value) && fabs(value) < 1e15 && !(value == 0 && signbit(value)))
                return json_write_int64(buffer, (int64_t)value);
        if (write_short_fraction(buffer, value))
                return buffer_status(buffer);
        for (int precision = 15; precision <= 17; precision++) {
                snprintf(text, sizeof(text), "%.*g", precision, value);
                if (strtod(text, NULL) == value)
                        break;
        }
        /* Whatever the locale's decimal separator is, JSON's is a point. */
        for (char *c = text; *c; c++)
                if (!strchr("0123456789+-e", *c))
                        *c = '.';
        buffer_append_text(buffer, text);
        /* "-0" would be read back as an integer zero by many readers. */
        return value == 0 ? buffer_append_text(buffer, ".0") : buffer_status(buffer);
}

static int write_escape(Buffer *buffer, unsigned char c)
{
        static const char hex[] = "0123456789abcdef";
        char escape[6] = {'\\', 'u', '0', '0'};

        switch (c) {
        case '"': return buffer_append(buffer, "\\\"", 2);
        case '\\': return buffer_append(buffer, "\\\\", 2);
        case '\n': return buffer_append(buffer, "\\n", 2);
        case '\r': return buffer_append(buffer, "\\r", 2);
        case '\t': return buffer_append(buffer, "\\t", 2);
        default:
                escape[4] = hex[c >> 4];
                escape[5] = hex[c & 15];
                return buffer_append(buffer, escape, sizeof(escape));
        }
}

int json_write_string(Buffer *buffer, const char *text, size_t length)
{
        size_t start = 0;

        buffer_append_char(buffer, '"');
        for (size_t i = json_plain_length(text, length); i < length;
             i += 1 + json_plain_length(text + i + 1, length - i - 1)) {
                unsigned char c = (unsigned char)text[i];

                if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
                        continue;
                buffer_append(buffer, text + start, i - start);
                write_escape(buffer, c);
                start = i + 1;
        }
        buffer_append(buffer, text + start, length - start);
        return buffer_append_char(buffer, '"');
}
