/* SPDX-License-Identifier: MIT */

#include "common/json-scan.h"

#include <errno.h>
#include <string.h>

#include "common/json-plain.h"
#include "common/json-string.h"
#include "common/key-print.h"
#include "common/limits.h"
#include "common/utf8.h"

/* Up to this many members, comparing each pair of keys is faster than sorting them. */
enum { PAIRWISE_KEYS = 32 };

/* The functions below get the place they begin at, and return the one they end at, or NULL after
 * fail(): what is passed around in registers is much faster than what all of them keep in here. */
typedef struct Scanner {
        JsonDoc *doc;
        const char *end;
        JsonScanFlags flags;
        int code; /* of a failure */
} Scanner;

static const char *scan_value(Scanner *scanner, const char *at, unsigned depth);

static const char *fail(Scanner *scanner, const char *at, int code, const char *reason)
{
        scanner->doc->error_offset = (size_t)(at - scanner->doc->text);
        scanner->doc->error_reason = reason;
        scanner->code = code;
        return NULL;
}

/* ---- nodes ---- */

/* Makes room for another one; returns `at`. */
static const char *grow_nodes(Scanner *scanner, const char *at)
{
        JsonDoc *doc = scanner->doc;
        uint32_t capacity;
        JsonNode *nodes;

        if (doc->n_nodes >= LIMIT_JSON_NODES)
                return fail(scanner, at, -EMSGSIZE, "too many values");
        capacity = MAX(doc->capacity * 2, 64U);
        nodes = reallocarray(doc->nodes, capacity, sizeof(*nodes));
        if (!nodes)
                return fail(scanner, at, -ENOMEM, "out of memory");
        doc->nodes = nodes;
        doc->capacity = capacity;
        return at;
}

/* Adds a node without children; returns `end`. */
static inline const char *add_node(Scanner *scanner, const char *start, const char *end,
                                   JsonType type, bool escaped)
{
        JsonDoc *doc = scanner->doc;
        uint32_t index = doc->n_nodes;

        if (index == doc->capacity && !grow_nodes(scanner, start))
                return NULL;
        doc->nodes[index] = (JsonNode){
                .start = (uint32_t)(start - doc->text),
                .end = (uint32_t)(end - doc->text),
                .next = index + 1,
                .type = (uint8_t)type,
                .escaped = escaped,
        };
        doc->n_nodes = index + 1;
        return end;
}

/* The last node of a container has been added; returns `end`. */
static inline const char *close_node(Scanner *scanner, uint32_t index, uint32_t count,
                                     const char *end)
{
        JsonNode *node = &scanner->doc->nodes[index];

        node->end = (uint32_t)(end - scanner->doc->text);
        node->next = scanner->doc->n_nodes;
        node->count = count;
        return end;
}

/* ---- white space and comments ---- */

static const char *skip_comment(Scanner *scanner, const char *at)
{
        const char *end;

        if (scanner->end - at >= 2 && at[1] == '/') {
                end = memchr(at, '\n', (size_t)(scanner->end - at));
                return end ? end + 1 : scanner->end;
        }
        if (scanner->end - at >= 2 && at[1] == '*') {
                end = memmem(at + 2, (size_t)(scanner->end - at - 2), "*/", 2);
                return end ? end + 2 : fail(scanner, at, -EBADMSG, "comment without an end");
        }
        return fail(scanner, at, -EBADMSG, "unexpected '/'");
}

static const char *skip_some_space(Scanner *scanner, const char *at)
{
        while (at && at < scanner->end) {
                if (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
                        at++;
                else if (*at == '/' && (scanner->flags & JSON_SCAN_COMMENTS))
                        at = skip_comment(scanner, at);
                else
                        break;
        }
        return at;
}

/* Between the tokens of what a program wrote there is nothing, and that is seen at once. */
static inline const char *skip_space(Scanner *scanner, const char *at)
{
        if (at < scanner->end && (unsigned char)*at > ' ' && *at != '/')
                return at;
        return skip_some_space(scanner, at);
}

/* ---- strings ---- */

static const char *scan_unicode_escape(Scanner *scanner, const char *at)
{
        int32_t high, low;

        high = json_hex4(at + 2, scanner->end);
        if (high < 0)
                return fail(scanner, at, -EBADMSG, "\\u needs four hex digits");
        if (json_is_low_surrogate(high))
                return fail(scanner, at, -EBADMSG, "lone surrogate");
        if (!json_is_high_surrogate(high))
                return at + 6;
        if (scanner->end - at < 12 || at[6] != '\\' || at[7] != 'u')
                return fail(scanner, at, -EBADMSG, "lone surrogate");
        low = json_hex4(at + 8, scanner->end);
        if (!json_is_low_surrogate(low))
                return fail(scanner, at, -EBADMSG, "lone surrogate");
        return at + 12;
}

static const char *scan_escape(Scanner *scanner, const char *at)
{
        if (scanner->end - at < 2)
                return fail(scanner, at, -EBADMSG, "string without an end");
        switch (at[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't': return at + 2;
        case 'u': return scan_unicode_escape(scanner, at);
        default: return fail(scanner, at, -EBADMSG, "unknown escape in string");
        }
}

/* One character that needs a look: an escape, or one of those beyond ASCII. */
static const char *scan_character(Scanner *scanner, const char *at)
{
        unsigned char c = (unsigned char)*at;
        size_t length;

        if (c == '\\')
                return scan_escape(scanner, at);
        if (c < 0x20)
                return fail(scanner, at, -EBADMSG, "control character in string");
        length = utf8_sequence_length(at, (size_t)(scanner->end - at));
        return length > 0 ? at + length : fail(scanner, at, -EBADMSG, "not valid UTF-8");
}

/* From the opening quote on. */
static inline const char *scan_string(Scanner *scanner, const char *start)
{
        const char *at = start + 1;
        bool escaped = false;

        for (;;) {
                at += json_plain_length(at, (size_t)(scanner->end - at));
                if (at >= scanner->end)
                        return fail(scanner, at, -EBADMSG, "string without an end");
                if (*at == '"')
                        return add_node(scanner, start, at + 1, JSON_STRING, escaped);
                escaped = escaped || *at == '\\';
                at = scan_character(scanner, at);
                if (!at)
                        return NULL;
        }
}

/* ---- duplicate keys ---- */

static int compare_keys(const void *a, const void *b, void *userdata)
{
        const JsonDoc *doc = userdata;
        uint32_t ia = *(const uint32_t *)a, ib = *(const uint32_t *)b;
        const JsonNode *na = &doc->nodes[ia], *nb = &doc->nodes[ib];
        JsonStringReader ra, rb;
        int ca, cb;

        if (!na->escaped && !nb->escaped) {
                size_t la = na->end - na->start, lb = nb->end - nb->start;
                int r = memcmp(doc->text + na->start + 1, doc->text + nb->start + 1,
                               MIN(la, lb) - 2);

                return r != 0 ? r : (la > lb) - (la < lb);
        }
        json_string_reader_init(&ra, doc, ia);
        json_string_reader_init(&rb, doc, ib);
        do {
                ca = json_string_reader_next(&ra);
                cb = json_string_reader_next(&rb);
        } while (ca == cb && ca >= 0);
        return ca - cb;
}

/* The key of an object that is there twice; 0 if there is none. For few keys, whose prints are
 * nearly always all that is looked at. */
static uint32_t find_by_pairs(const JsonDoc *doc, uint32_t object)
{
        uint32_t keys[PAIRWISE_KEYS], n = 0;
        uint64_t prints[PAIRWISE_KEYS], seen = 0, bit;
        bool escaped = false;

        JSON_FOREACH (doc, object, key) {
                const JsonNode *node = &doc->nodes[key];

                keys[n] = key;
                prints[n] = key_print(doc->text + node->start, node->end - node->start);
                bit = key_print_bit(prints[n]);
                escaped = escaped || node->escaped;
                for (uint32_t i = 0; i < n && (escaped || (seen & bit)); i++)
                        if ((escaped || prints[i] == prints[n]) &&
                            compare_keys(&keys[i], &keys[n], (void *)(uintptr_t)doc) == 0)
                                return key;
                seen |= bit;
                n++;
        }
        return 0;
}

/* The same for many: in doc->scratch, which has room for them. */
static uint32_t find_by_sorting(JsonDoc *doc, uint32_t object)
{
        uint32_t *keys = doc->scratch, n = 0;

        JSON_FOREACH (doc, object, key)
                keys[n++] = key;
        qsort_r(keys, n, sizeof(*keys), compare_keys, doc);
        for (uint32_t i = 1; i < n; i++)
                if (compare_keys(&keys[i - 1], &keys[i], doc) == 0)
                        return MAX(keys[i - 1], keys[i]);
        return 0;
}

static int reserve_scratch(JsonDoc *doc, uint32_t count)
{
        uint32_t *scratch;

        if (count <= doc->scratch_capacity)
                return 0;
        scratch = reallocarray(doc->scratch, count, sizeof(*scratch));
        if (!scratch)
                return -ENOMEM;
        doc->scratch = scratch;
        doc->scratch_capacity = count;
        return 0;
}

/* Of an object that ends at `end`, which is returned. */
static const char *check_keys(Scanner *scanner, uint32_t object, const char *end)
{
        JsonDoc *doc = scanner->doc;
        uint32_t count = doc->nodes[object].count, key;

        if (count < 2)
                return end;
        if (count <= PAIRWISE_KEYS)
                key = find_by_pairs(doc, object);
        else if (reserve_scratch(doc, count) >= 0)
                key = find_by_sorting(doc, object);
        else
                return fail(scanner, end, -ENOMEM, "out of memory");
        if (key == 0)
                return end;
        return fail(scanner, doc->text + doc->nodes[key].start, -EBADMSG, "duplicate key");
}

/* ---- values ---- */

static const char *skip_digits(const Scanner *scanner, const char *at)
{
        while (at < scanner->end && *at >= '0' && *at <= '9')
                at++;
        return at;
}

/* At least one; `reason` if there is none. */
static const char *scan_digits(Scanner *scanner, const char *at, const char *reason)
{
        const char *end = skip_digits(scanner, at);

        return end > at ? end : fail(scanner, at, -EBADMSG, reason);
}

static const char *scan_integer(Scanner *scanner, const char *at)
{
        if (*at == '-')
                at++;
        if (at >= scanner->end || *at != '0')
                return scan_digits(scanner, at, "number without digits");
        at++;
        if (at < scanner->end && *at >= '0' && *at <= '9')
                return fail(scanner, at, -EBADMSG, "number with a leading zero");
        return at;
}

static const char *scan_number(Scanner *scanner, const char *start)
{
        const char *at = scan_integer(scanner, start);

        if (at && at < scanner->end && *at == '.')
                at = scan_digits(scanner, at + 1, "number without digits after the point");
        if (at && at < scanner->end && (*at == 'e' || *at == 'E')) {
                at++;
                if (at < scanner->end && (*at == '+' || *at == '-'))
                        at++;
                at = scan_digits(scanner, at, "number without digits in the exponent");
        }
        return at ? add_node(scanner, start, at, JSON_NUMBER, false) : NULL;
}

static const char *scan_word(Scanner *scanner, const char *at, const char *word, JsonType type)
{
        size_t length = strlen(word);

        if ((size_t)(scanner->end - at) < length || memcmp(at, word, length) != 0)
                return fail(scanner, at, -EBADMSG, "expected a value");
        return add_node(scanner, at, at + length, type, false);
}

/* After '[' or '{' or an item, white space skipped: true if the container ends here. */
static inline bool is_end(const Scanner *scanner, const char *at, char close)
{
        return at < scanner->end && *at == close;
}

/* Between items: the ',' and the white space after it. */
static inline const char *scan_comma(Scanner *scanner, const char *at, const char *reason)
{
        if (at >= scanner->end || *at != ',')
                return fail(scanner, at, -EBADMSG, reason);
        return skip_space(scanner, at + 1);
}

static const char *scan_array(Scanner *scanner, const char *start, unsigned depth)
{
        uint32_t index = scanner->doc->n_nodes, count = 0;
        const char *at = add_node(scanner, start, start + 1, JSON_ARRAY, false);

        if (at)
                at = skip_space(scanner, at);
        while (at && !(count == 0 && is_end(scanner, at, ']'))) {
                at = scan_value(scanner, at, depth + 1);
                if (at)
                        at = skip_space(scanner, at);
                if (!at)
                        return NULL;
                count++;
                if (is_end(scanner, at, ']'))
                        break;
                at = scan_comma(scanner, at, "expected ',' or ']'");
        }
        return at ? close_node(scanner, index, count, at + 1) : NULL;
}

static const char *scan_member(Scanner *scanner, const char *at, unsigned depth)
{
        if (at >= scanner->end || *at != '"')
                return fail(scanner, at, -EBADMSG, "expected a key in quotes");
        at = scan_string(scanner, at);
        if (at)
                at = skip_space(scanner, at);
        if (!at)
                return NULL;
        if (at >= scanner->end || *at != ':')
                return fail(scanner, at, -EBADMSG, "expected ':'");
        at = skip_space(scanner, at + 1);
        if (at)
                at = scan_value(scanner, at, depth + 1);
        return at ? skip_space(scanner, at) : NULL;
}

static const char *scan_object(Scanner *scanner, const char *start, unsigned depth)
{
        uint32_t index = scanner->doc->n_nodes, count = 0;
        const char *at = add_node(scanner, start, start + 1, JSON_OBJECT, false);

        if (at)
                at = skip_space(scanner, at);
        while (at && !(count == 0 && is_end(scanner, at, '}'))) {
                at = scan_member(scanner, at, depth);
                if (!at)
                        return NULL;
                count++;
                if (is_end(scanner, at, '}'))
                        break;
                at = scan_comma(scanner, at, "expected ',' or '}'");
        }
        if (!at)
                return NULL;
        return check_keys(scanner, index, close_node(scanner, index, count, at + 1));
}

static const char *scan_value(Scanner *scanner, const char *at, unsigned depth)
{
        if (at >= scanner->end)
                return fail(scanner, at, -EBADMSG, "expected a value");
        switch (*at) {
        case '[':
        case '{':
                if (depth >= LIMIT_JSON_DEPTH)
                        return fail(scanner, at, -E2BIG, "nested too deep");
                return *at == '[' ? scan_array(scanner, at, depth)
                                  : scan_object(scanner, at, depth);
        case '"': return scan_string(scanner, at);
        case 't': return scan_word(scanner, at, "true", JSON_BOOLEAN);
        case 'f': return scan_word(scanner, at, "false", JSON_BOOLEAN);
        case 'n': return scan_word(scanner, at, "null", JSON_NULL);
        case '-':
        case '0' ... '9': return scan_number(scanner, at);
        default: return fail(scanner, at, -EBADMSG, "expected a value");
        }
}

static const char *scan_document(Scanner *scanner)
{
        const char *at = scanner->doc->text;

        if ((size_t)(scanner->end - at) >= UINT32_MAX)
                return fail(scanner, at, -EMSGSIZE, "text too long");
        at = skip_space(scanner, at);
        if (at)
                at = scan_value(scanner, at, 0);
        if (at)
                at = skip_space(scanner, at);
        if (at && at < scanner->end)
                return fail(scanner, at, -EBADMSG, "more text after the value");
        return at;
}

int json_scan(JsonDoc *doc, const char *text, size_t length, JsonScanFlags flags)
{
        Scanner scanner = {.doc = doc, .end = text + length, .flags = flags};

        doc->text = text;
        doc->length = length;
        doc->n_nodes = 0;
        doc->error_offset = 0;
        doc->error_reason = NULL;
        if (scan_document(&scanner))
                return 0;
        doc->n_nodes = 0;
        return scanner.code;
}

void json_doc_done(JsonDoc *doc)
{
        free(doc->nodes);
        free(doc->scratch);
        *doc = (JsonDoc){};
}
