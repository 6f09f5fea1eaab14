/* SPDX-License-Identifier: MIT */

#include "common/json-scan.h"

#include <errno.h>
#include <string.h>

#include "common/json-plain.h"
#include "common/json-string.h"
#include "common/limits.h"
#include "common/utf8.h"

/* Up to this many members, comparing each pair of keys is faster than sorting them. */
enum { PAIRWISE_KEYS = 24 };

typedef struct Scanner {
        JsonDoc *doc;
        const char *at;
        const char *end;
        JsonScanFlags flags;
} Scanner;

static int scan_value(Scanner *scanner, unsigned depth);

static int fail(Scanner *scanner, int code, const char *reason)
{
        scanner->doc->error_offset = (size_t)(scanner->at - scanner->doc->text);
        scanner->doc->error_reason = reason;
        return code;
}

/* ---- nodes ---- */

static int grow_nodes(Scanner *scanner)
{
        JsonDoc *doc = scanner->doc;
        uint32_t capacity;
        JsonNode *nodes;

        if (doc->n_nodes >= LIMIT_JSON_NODES)
                return fail(scanner, -EMSGSIZE, "too many values");
        capacity = MAX(doc->capacity * 2, 64U);
        nodes = reallocarray(doc->nodes, capacity, sizeof(*nodes));
        if (!nodes)
                return fail(scanner, -ENOMEM, "out of memory");
        doc->nodes = nodes;
        doc->capacity = capacity;
        return 0;
}

static int open_node(Scanner *scanner, JsonType type, uint32_t *ret_index)
{
        JsonDoc *doc = scanner->doc;
        int r;

        if (doc->n_nodes == doc->capacity) {
                r = grow_nodes(scanner);
                if (r < 0)
                        return r;
        }
        *ret_index = doc->n_nodes++;
        doc->nodes[*ret_index] = (JsonNode){
                .start = (uint32_t)(scanner->at - doc->text),
                .type = (uint8_t)type,
        };
        return 0;
}

static void close_node(Scanner *scanner, uint32_t index)
{
        JsonNode *node = &scanner->doc->nodes[index];

        node->end = (uint32_t)(scanner->at - scanner->doc->text);
        node->next = scanner->doc->n_nodes;
}

/* ---- white space and comments ---- */

static int skip_comment(Scanner *scanner)
{
        const char *end;

        if (scanner->end - scanner->at >= 2 && scanner->at[1] == '/') {
                end = memchr(scanner->at, '\n', (size_t)(scanner->end - scanner->at));
                scanner->at = end ? end + 1 : scanner->end;
                return 0;
        }
        if (scanner->end - scanner->at >= 2 && scanner->at[1] == '*') {
                end = memmem(scanner->at + 2, (size_t)(scanner->end - scanner->at - 2), "*/", 2);
                if (!end)
                        return fail(scanner, -EBADMSG, "comment without an end");
                scanner->at = end + 2;
                return 0;
        }
        return fail(scanner, -EBADMSG, "unexpected '/'");
}

static int skip_some_space(Scanner *scanner)
{
        int r;

        while (scanner->at < scanner->end) {
                char c = *scanner->at;

                if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
                        scanner->at++;
                } else if (c == '/' && (scanner->flags & JSON_SCAN_COMMENTS)) {
                        r = skip_comment(scanner);
                        if (r < 0)
                                return r;
                } else {
                        break;
                }
        }
        return 0;
}

/* Between the tokens of what a program wrote there is nothing, and that is seen at once. */
static inline int skip_space(Scanner *scanner)
{
        if (scanner->at<scanner->end && * scanner->at> ' ' && *scanner->at != '/')
                return 0;
        return skip_some_space(scanner);
}

/* ---- strings ---- */

static int scan_unicode_escape(Scanner *scanner)
{
        int32_t high, low;

        high = json_hex4(scanner->at + 2, scanner->end);
        if (high < 0)
                return fail(scanner, -EBADMSG, "\\u needs four hex digits");
        if (json_is_low_surrogate(high))
                return fail(scanner, -EBADMSG, "lone surrogate");
        if (!json_is_high_surrogate(high)) {
                scanner->at += 6;
                return 0;
        }
        if (scanner->end - scanner->at < 12 || scanner->at[6] != '\\' || scanner->at[7] != 'u')
                return fail(scanner, -EBADMSG, "lone surrogate");
        low = json_hex4(scanner->at + 8, scanner->end);
        if (!json_is_low_surrogate(low))
                return fail(scanner, -EBADMSG, "lone surrogate");
        scanner->at += 12;
        return 0;
}

static int scan_escape(Scanner *scanner)
{
        if (scanner->end - scanner->at < 2)
                return fail(scanner, -EBADMSG, "string without an end");
        switch (scanner->at[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't': scanner->at += 2; return 0;
        case 'u': return scan_unicode_escape(scanner);
        default: return fail(scanner, -EBADMSG, "unknown escape in string");
        }
}

static int scan_multibyte(Scanner *scanner)
{
        size_t length = utf8_sequence_length(scanner->at, (size_t)(scanner->end - scanner->at));

        if (length == 0)
                return fail(scanner, -EBADMSG, "not valid UTF-8");
        scanner->at += length;
        return 0;
}

static int scan_string(Scanner *scanner)
{
        uint32_t index;
        int r;

        r = open_node(scanner, JSON_STRING, &index);
        if (r < 0)
                return r;
        scanner->at++;
        for (;;) {
                unsigned char c;

                scanner->at += json_plain_length(scanner->at, (size_t)(scanner->end - scanner->at));
                if (scanner->at >= scanner->end)
                        return fail(scanner, -EBADMSG, "string without an end");
                c = (unsigned char)*scanner->at;
                if (c == '"')
                        break;
                if (c == '\\') {
                        scanner->doc->nodes[index].escaped = true;
                        r = scan_escape(scanner);
                } else if (c >= 0x80) {
                        r = scan_multibyte(scanner);
                } else if (c < 0x20) {
                        r = fail(scanner, -EBADMSG, "control character in string");
                } else {
                        scanner->at++;
                }
                if (r < 0)
                        return r;
        }
        scanner->at++;
        close_node(scanner, index);
        return 0;
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

static bool same_key(const JsonDoc *doc, uint32_t a, uint32_t b)
{
        const JsonNode *na = &doc->nodes[a], *nb = &doc->nodes[b];

        if (!na->escaped && !nb->escaped)
                return na->end - na->start == nb->end - nb->start &&
                       !memcmp(doc->text + na->start, doc->text + nb->start, na->end - na->start);
        return compare_keys(&a, &b, (void *)(uintptr_t)doc) == 0;
}

static int reserve_scratch(Scanner *scanner, uint32_t count)
{
        JsonDoc *doc = scanner->doc;
        uint32_t *scratch;

        if (count <= doc->scratch_capacity)
                return 0;
        scratch = reallocarray(doc->scratch, count, sizeof(*scratch));
        if (!scratch)
                return fail(scanner, -ENOMEM, "out of memory");
        doc->scratch = scratch;
        doc->scratch_capacity = count;
        return 0;
}

static int refuse_duplicate(Scanner *scanner, uint32_t key)
{
        scanner->at = scanner->doc->text + scanner->doc->nodes[key].start;
        return fail(scanner, -EBADMSG, "duplicate key");
}

static int check_duplicate_keys(Scanner *scanner, uint32_t object)
{
        JsonDoc *doc = scanner->doc;
        uint32_t count = doc->nodes[object].count, n = 0;
        int r;

        if (count < 2)
                return 0;
        r = reserve_scratch(scanner, count);
        if (r < 0)
                return r;
        JSON_FOREACH (doc, object, key)
                doc->scratch[n++] = key;
        if (count <= PAIRWISE_KEYS) {
                for (uint32_t i = 1; i < count; i++)
                        for (uint32_t j = 0; j < i; j++)
                                if (same_key(doc, doc->scratch[i], doc->scratch[j]))
                                        return refuse_duplicate(scanner, doc->scratch[i]);
                return 0;
        }
        qsort_r(doc->scratch, count, sizeof(*doc->scratch), compare_keys, doc);
        for (uint32_t i = 1; i < count; i++)
                if (same_key(doc, doc->scratch[i - 1], doc->scratch[i]))
                        return refuse_duplicate(scanner, MAX(doc->scratch[i - 1], doc->scratch[i]));
        return 0;
}

/* ---- values ---- */

static size_t skip_digits(Scanner *scanner)
{
        const char *start = scanner->at;

        while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9')
                scanner->at++;
        return (size_t)(scanner->at - start);
}

static int scan_number(Scanner *scanner)
{
        uint32_t index;
        int r;

        r = open_node(scanner, JSON_NUMBER, &index);
        if (r < 0)
                return r;
        if (*scanner->at == '-')
                scanner->at++;
        if (scanner->at < scanner->end && *scanner->at == '0')
                scanner->at++;
        else if (skip_digits(scanner) == 0)
                return fail(scanner, -EBADMSG, "number without digits");
        if (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9')
                return fail(scanner, -EBADMSG, "number with a leading zero");
        if (scanner->at < scanner->end && *scanner->at == '.') {
                scanner->at++;
                if (skip_digits(scanner) == 0)
                        return fail(scanner, -EBADMSG, "number without digits after the point");
        }
        if (scanner->at < scanner->end && (*scanner->at == 'e' || *scanner->at == 'E')) {
                scanner->at++;
                if (scanner->at < scanner->end && (*scanner->at == '+' || *scanner->at == '-'))
                        scanner->at++;
                if (skip_digits(scanner) == 0)
                        return fail(scanner, -EBADMSG, "number without digits in the exponent");
        }
        close_node(scanner, index);
        return 0;
}

static int scan_word(Scanner *scanner, const char *word, JsonType type)
{
        size_t length = strlen(word);
        uint32_t index;
        int r;

        if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
                return fail(scanner, -EBADMSG, "expected a value");
        r = open_node(scanner, type, &index);
        if (r < 0)
                return r;
        scanner->at += length;
        close_node(scanner, index);
        return 0;
}

/* After an item: 1 at ',', 0 at `close`, else a failure. White space around is skipped. */
static int scan_separator(Scanner *scanner, char close, const char *reason)
{
        int r;

        r = skip_space(scanner);
        if (r < 0)
                return r;
        if (scanner->at >= scanner->end || (*scanner->at != ',' && *scanner->at != close))
                return fail(scanner, -EBADMSG, reason);
        if (*scanner->at++ == close)
                return 0;
        r = skip_space(scanner);
        return r < 0 ? r : 1;
}

/* After '[' or '{': 1 when the container is empty, and then it has been read to its end. */
static int scan_empty(Scanner *scanner, char close)
{
        int r;

        scanner->at++;
        r = skip_space(scanner);
        if (r < 0)
                return r;
        if (scanner->at >= scanner->end || *scanner->at != close)
                return 0;
        scanner->at++;
        return 1;
}

static int scan_array(Scanner *scanner, unsigned depth)
{
        uint32_t index;
        int r;

        r = open_node(scanner, JSON_ARRAY, &index);
        if (r < 0)
                return r;
        r = scan_empty(scanner, ']');
        if (r < 0)
                return r;
        for (bool more = r == 0; more; more = r > 0) {
                r = scan_value(scanner, depth + 1);
                if (r < 0)
                        return r;
                scanner->doc->nodes[index].count++;
                r = scan_separator(scanner, ']', "expected ',' or ']'");
                if (r < 0)
                        return r;
        }
        close_node(scanner, index);
        return 0;
}

static int scan_member(Scanner *scanner, unsigned depth)
{
        int r;

        if (scanner->at >= scanner->end || *scanner->at != '"')
                return fail(scanner, -EBADMSG, "expected a key in quotes");
        r = scan_string(scanner);
        if (r < 0)
                return r;
        r = skip_space(scanner);
        if (r < 0)
                return r;
        if (scanner->at >= scanner->end || *scanner->at != ':')
                return fail(scanner, -EBADMSG, "expected ':'");
        scanner->at++;
        r = skip_space(scanner);
        if (r < 0)
                return r;
        return scan_value(scanner, depth + 1);
}

static int scan_object(Scanner *scanner, unsigned depth)
{
        uint32_t index;
        int r;

        r = open_node(scanner, JSON_OBJECT, &index);
        if (r < 0)
                return r;
        r = scan_empty(scanner, '}');
        if (r < 0)
                return r;
        for (bool more = r == 0; more; more = r > 0) {
                r = scan_member(scanner, depth);
                if (r < 0)
                        return r;
                scanner->doc->nodes[index].count++;
                r = scan_separator(scanner, '}', "expected ',' or '}'");
                if (r < 0)
                        return r;
        }
        close_node(scanner, index);
        return check_duplicate_keys(scanner, index);
}

static int scan_value(Scanner *scanner, unsigned depth)
{
        if (scanner->at >= scanner->end)
                return fail(scanner, -EBADMSG, "expected a value");
        switch (*scanner->at) {
        case '[':
        case '{':
                if (depth >= LIMIT_JSON_DEPTH)
                        return fail(scanner, -E2BIG, "nested too deep");
                return *scanner->at == '[' ? scan_array(scanner, depth)
                                           : scan_object(scanner, depth);
        case '"': return scan_string(scanner);
        case 't': return scan_word(scanner, "true", JSON_BOOLEAN);
        case 'f': return scan_word(scanner, "false", JSON_BOOLEAN);
        case 'n': return scan_word(scanner, "null", JSON_NULL);
        case '-':
        case '0' ... '9': return scan_number(scanner);
        default: return fail(scanner, -EBADMSG, "expected a value");
        }
}

static int scan_document(Scanner *scanner)
{
        int r;

        if ((size_t)(scanner->end - scanner->at) >= UINT32_MAX)
                return fail(scanner, -EMSGSIZE, "text too long");
        r = skip_space(scanner);
        if (r < 0)
                return r;
        r = scan_value(scanner, 0);
        if (r < 0)
                return r;
        r = skip_space(scanner);
        if (r < 0)
                return r;
        if (scanner->at < scanner->end)
                return fail(scanner, -EBADMSG, "more text after the value");
        return 0;
}

int json_scan(JsonDoc *doc, const char *text, size_t length, JsonScanFlags flags)
{
        Scanner scanner = {.doc = doc, .at = text, .end = text + length, .flags = flags};
        int r;

        doc->text = text;
        doc->length = length;
        doc->n_nodes = 0;
        doc->error_offset = 0;
        doc->error_reason = NULL;
        r = scan_document(&scanner);
        if (r < 0)
                doc->n_nodes = 0;
        return r;
}

void json_doc_done(JsonDoc *doc)
{
        free(doc->nodes);
        free(doc->scratch);
        *doc = (JsonDoc){};
}
