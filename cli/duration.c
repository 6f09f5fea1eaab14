/* SPDX-License-Identifier: MIT */

#include "cli/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/limits.h"

static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        {"", USEC_PER_SEC},       {"ms", USEC_PER_MSEC},      {"s", USEC_PER_SEC},
        {"m", 60 * USEC_PER_SEC}, {"h", 3600 * USEC_PER_SEC},
};

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* The digits in front as microseconds of `unit`, saturated: past the limit it is all the same. */
static uint64_t read_number(const char *text, uint64_t unit)
{
        uint64_t whole = 0, part = 0, weight = unit;

        for (; is_digit(*text); text++)
                if (whole <= LIMIT_TIMEOUT_USEC)
                        whole = whole * 10 + (uint64_t)(*text - '0');
        if (*text == '.')
                for (text++; is_digit(*text); text++) {
                        weight /= 10;
                        part += weight * (uint64_t)(*text - '0');
                }
        return whole > LIMIT_TIMEOUT_USEC / unit ? UINT64_MAX : whole * unit + part;
}

/* How long the number in front is; 0 if there is none. */
static size_t number_length(const char *text)
{
        size_t n = strspn(text, "0123456789");

        if (n > 0 && text[n] == '.' && is_digit(text[n + 1]))
                n += 1 + strspn(text + n + 1, "0123456789");
        return n;
}

int duration_parse(const char *text, uint64_t *ret_usec, Error **error)
{
        size_t length = number_length(text);

        for (size_t i = 0; length > 0 && i < ARRAY_SIZE(units); i++) {
                uint64_t usec;

                if (strcmp(text + length, units[i].name) != 0)
                        continue;
                usec = read_number(text, units[i].usec);
                if (usec > LIMIT_TIMEOUT_USEC)
                        return error_set(error, -ERANGE, "'%s' is more than 24 hours", text);
                *ret_usec = usec;
                return 0;
        }
        return error_set(error, -EINVAL,
                         "'%s' is not a duration: write 500ms, 2s, 1.5m or 1h (no unit: seconds)",
                         text);
}

int duration_write(Buffer *buffer, uint64_t usec)
{
        if (usec >= 60 * USEC_PER_SEC && usec % (60 * USEC_PER_SEC) == 0)
                return buffer_printf(buffer, "%" PRIu64 " min", usec / (60 * USEC_PER_SEC));
        if (usec >= USEC_PER_SEC && usec % USEC_PER_SEC == 0)
                return buffer_printf(buffer, "%" PRIu64 " s", usec / USEC_PER_SEC);
        if (usec >= USEC_PER_SEC)
                return buffer_printf(buffer, "%.3g s", (double)usec / (double)USEC_PER_SEC);
        return buffer_printf(buffer, "%.3g ms", (double)usec / (double)USEC_PER_MSEC);
}
