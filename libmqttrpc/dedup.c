/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/dedup.h"

#include <errno.h>
#include <string.h>

#include "common/hash.h"
#include "common/json-scan.h"
#include "common/limits.h"

enum { PREFIX_DIGITS = 8, WORD_BITS = 64, WORDS = LIMIT_DEDUP_BITS / WORD_BITS };

typedef struct Window {
        uint64_t highest; /* bit 0 of words[0] stands for it, bit n for highest - n */
        uint64_t words[WORDS];
        UT_hash_handle hh; /* in the order of the last use */
        size_t key_length;
        char key[]; /* prefix, then caller */
} Window;

typedef struct Result {
        uint64_t expiry_usec;
        size_t length;
        int code;
        UT_hash_handle hh; /* in the order of storing */
        size_t key_length;
        char data[]; /* key, then response */
} Result;

struct Dedup {
        Window *windows;
        Result *results;
        size_t result_bytes;
};

int dedup_new(Dedup **ret_dedup)
{
        Dedup *dedup = calloc(1, sizeof(*dedup));

        if (!dedup)
                return -ENOMEM;
        *ret_dedup = dedup;
        return 0;
}

static void drop_result(Dedup *dedup, Result *result)
{
        HASH_DEL(dedup->results, result);
        dedup->result_bytes -= result->length;
        free(result);
}

Dedup *dedup_free(Dedup *dedup)
{
        Window *window, *next_window;
        Result *result, *next_result;

        if (!dedup)
                return NULL;
        HASH_ITER (hh, dedup->windows, window, next_window) {
                HASH_DEL(dedup->windows, window);
                free(window);
        }
        HASH_ITER (hh, dedup->results, result, next_result)
                drop_result(dedup, result);
        free(dedup);
        return NULL;
}

bool dedup_parse_id(TextSpan id, uint32_t *ret_prefix, uint64_t *ret_counter)
{
        const char *at = id.at + 1;
        size_t digits;
        uint32_t prefix = 0;

        if (id.length < PREFIX_DIGITS + 4 || id.at[0] != '"' || at[PREFIX_DIGITS] != '-')
                return false;
        for (int i = 0; i < PREFIX_DIGITS; i++) {
                const char *digit = memchr("0123456789abcdef", at[i], 16);

                if (!digit)
                        return false;
                prefix = prefix << 4 | (uint32_t)(digit - "0123456789abcdef");
        }
        at += PREFIX_DIGITS + 1;
        digits = id.length - PREFIX_DIGITS - 3;
        if (at[0] == '0' || at[0] == '-' || memchr(at, '.', digits) ||
            json_parse_uint64(at, digits, ret_counter) < 0)
                return false;
        *ret_prefix = prefix;
        return true;
}

/* ---- windows ---- */

/* Makes room for `shift` newer ids. */
static void slide(Window *window, uint64_t shift)
{
        size_t words = (size_t)MIN(shift / WORD_BITS, (uint64_t)WORDS);
        unsigned bits = (unsigned)(shift % WORD_BITS);

        for (size_t i = WORDS; i-- > 0;) {
                uint64_t high = i >= words ? window->words[i - words] << bits : 0;
                uint64_t low = bits > 0 && i > words
                                       ? window->words[i - words - 1] >> (WORD_BITS - bits)
                                       : 0;

                window->words[i] = high | low;
        }
}

static bool is_marked(const Window *window, uint64_t counter)
{
        uint64_t age;

        if (counter > window->highest)
                return false;
        age = window->highest - counter;
        return age >= LIMIT_DEDUP_BITS || (window->words[age / WORD_BITS] >> (age % WORD_BITS) & 1);
}

static void mark(Window *window, uint64_t counter)
{
        uint64_t age;

        if (counter > window->highest) {
                slide(window, counter - window->highest);
                window->highest = counter;
        }
        age = window->highest - counter;
        if (age < LIMIT_DEDUP_BITS)
                window->words[age / WORD_BITS] |= UINT64_C(1) << (age % WORD_BITS);
}

/* The key of a window: prefix, then caller. */
static size_t write_key(char key[static sizeof(uint32_t) + LIMIT_NAME_LENGTH], TextSpan caller,
                        uint32_t prefix)
{
        memcpy(key, &prefix, sizeof(prefix));
        memcpy(key + sizeof(prefix), caller.at, caller.length);
        return sizeof(prefix) + caller.length;
}

bool dedup_is_seen(Dedup *dedup, TextSpan caller, uint32_t prefix, uint64_t counter)
{
        char key[sizeof(prefix) + LIMIT_NAME_LENGTH];
        size_t key_length = write_key(key, caller, prefix);
        Window *window;

        HASH_FIND(hh, dedup->windows, key, key_length, window);
        return window && is_marked(window, counter);
}

static Window *add_window(Dedup *dedup, const char *key, size_t key_length)
{
        Window *window;

        if (HASH_COUNT(dedup->windows) >= LIMIT_DEDUP_WINDOWS) {
                window = dedup->windows; /* the one that was idle longest */
                HASH_DEL(dedup->windows, window);
                free(window);
        }
        window = calloc(1, sizeof(*window) + key_length);
        if (!window)
                return NULL;
        window->key_length = key_length;
        memcpy(window->key, key, key_length);
        return window;
}

int dedup_mark(Dedup *dedup, TextSpan caller, uint32_t prefix, uint64_t counter)
{
        char key[sizeof(prefix) + LIMIT_NAME_LENGTH];
        size_t key_length = write_key(key, caller, prefix);
        Window *window;

        HASH_FIND(hh, dedup->windows, key, key_length, window);
        if (!window) {
                window = add_window(dedup, key, key_length);
                if (!window)
                        return -ENOMEM;
        } else if (window->hh.next) {
                HASH_DEL(dedup->windows, window); /* and back at the end: used last */
        } else {
                mark(window, counter);
                return 0;
        }
        HASH_ADD_KEYPTR(hh, dedup->windows, window->key, key_length, window);
        if (!window->hh.tbl) {
                free(window);
                return -ENOMEM;
        }
        mark(window, counter);
        return 0;
}

/* ---- results ---- */

void dedup_store(Dedup *dedup, const void *key, size_t key_length, const char *response,
                 size_t length, int code, uint64_t expiry_usec, uint64_t now)
{
        Result *result;

        if (length > LIMIT_DEDUP_RESULT_BYTES)
                return;
        while (dedup->results && (dedup->results->expiry_usec <= now ||
                                  HASH_COUNT(dedup->results) >= LIMIT_DEDUP_RESULTS ||
                                  dedup->result_bytes + length > LIMIT_DEDUP_RESULT_BYTES))
                drop_result(dedup, dedup->results);
        HASH_FIND(hh, dedup->results, key, key_length, result);
        if (result)
                drop_result(dedup, result);
        result = malloc(sizeof(*result) + key_length + length);
        if (!result)
                return;
        *result = (Result){.expiry_usec = expiry_usec, .length = length, .code = code};
        result->key_length = key_length;
        memcpy(result->data, key, key_length);
        memcpy(result->data + key_length, response, length);
        HASH_ADD_KEYPTR(hh, dedup->results, result->data, key_length, result);
        if (!result->hh.tbl) {
                free(result);
                return;
        }
        dedup->result_bytes += length;
}

const char *dedup_find(Dedup *dedup, const void *key, size_t key_length, uint64_t now,
                       size_t *ret_length, int *ret_code)
{
        Result *result;

        HASH_FIND(hh, dedup->results, key, key_length, result);
        if (!result || result->expiry_usec <= now)
                return NULL;
        *ret_length = result->length;
        *ret_code = result->code;
        return result->data + result->key_length;
}
