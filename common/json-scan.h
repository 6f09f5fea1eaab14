/* SPDX-License-Identifier: MIT */
#pragma once

/* One strict pass over a JSON text (RFC 8259) that leaves an index of it: a flat array of nodes, in
 * the order of the text, each with its raw span. Nothing is copied or converted, so a number keeps
 * every digit and an id can be echoed as the token it was. Refused, with place and reason: trailing
 * bytes, duplicate keys, bad UTF-8, lone surrogates, numbers like 01, depth and size beyond
 * limits.h. Pure; the index is reusable and allocates only while it grows.
 *
 * Navigation: node 0 is the whole value; the children of a container start at the node after it,
 * and nodes[i].next is the node after i and all that i contains. An object's children are key,
 * value, key, value, … */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

typedef enum JsonType {
        JSON_NULL,
        JSON_BOOLEAN,
        JSON_NUMBER,
        JSON_STRING,
        JSON_ARRAY,
        JSON_OBJECT,
} JsonType;

typedef struct JsonNode {
        uint32_t start; /* offset of the first byte; of the opening quote for a string */
        uint32_t end;   /* offset after the last byte */
        uint32_t next;  /* index of the node after this one and its content */
        uint32_t count; /* items of an array, members of an object */
        uint8_t type;   /* JsonType */
        bool escaped;   /* a string with a backslash in it */
} JsonNode;

typedef struct JsonDoc {
        const char *text; /* borrowed from the caller of json_scan() */
        size_t length;
        JsonNode *nodes; /* owned */
        uint32_t n_nodes;
        uint32_t capacity;
        uint32_t *scratch; /* owned; for the search for duplicate keys */
        uint32_t scratch_capacity;
        size_t error_offset;      /* where the last json_scan() failed */
        const char *error_reason; /* why: a constant */
} JsonDoc;

typedef enum JsonScanFlags {
        JSON_SCAN_STRICT = 0,
        JSON_SCAN_COMMENTS = 1 << 0, /* // and block comments count as white space (files) */
} JsonScanFlags;

/* Indexes `text`, which must outlive the use of `doc`. Returns 0, -EBADMSG (not JSON), -E2BIG (too
 * deep), -EMSGSIZE (too long, too many values) or -ENOMEM; on failure the index is empty,
 * error_offset and error_reason are set. */
int json_scan(JsonDoc *doc, const char *text, size_t length, JsonScanFlags flags);
void json_doc_done(JsonDoc *doc);

static inline JsonType json_type(const JsonDoc *doc, uint32_t node)
{
        return (JsonType)doc->nodes[node].type;
}

/* The English name of a type with its article ("a string", "an array", "null"). */
const char *json_type_name(JsonType type);

/* The raw text of a node, quotes included, not NUL-terminated. */
static inline const char *json_raw(const JsonDoc *doc, uint32_t node, size_t *ret_length)
{
        *ret_length = doc->nodes[node].end - doc->nodes[node].start;
        return doc->text + doc->nodes[node].start;
}

/* The value of member `key` of an object; 0 (which is never a member) when there is none. */
uint32_t json_find(const JsonDoc *doc, uint32_t object, const char *key);

/* True if the node is a string that reads `text` after unescaping. */
bool json_string_is(const JsonDoc *doc, uint32_t node, const char *text);

/* Appends the unescaped bytes of a string node; they may contain NUL. */
int json_string_append(const JsonDoc *doc, uint32_t node, Buffer *buffer);

/* The unescaped string, NUL-terminated, owned by the caller. -EILSEQ when it contains U+0000,
 * -EINVAL when the node is no string, -ENOMEM. */
int json_string_dup(const JsonDoc *doc, uint32_t node, char **ret_text);

/* `true` and `false`; the node must be JSON_BOOLEAN. */
bool json_boolean(const JsonDoc *doc, uint32_t node);

/* Integers from their digits, never by way of a double. A fraction of zeros ("5.0") is an integer.
 * -EINVAL: not an integer (a fraction, an exponent, no number); -ERANGE: does not fit. */
int json_int64(const JsonDoc *doc, uint32_t node, int64_t *ret_value);
int json_uint64(const JsonDoc *doc, uint32_t node, uint64_t *ret_value);

/* The same for digits in a text, as in "9007199254740993" between quotes. */
int json_parse_int64(const char *text, size_t length, int64_t *ret_value);
int json_parse_uint64(const char *text, size_t length, uint64_t *ret_value);

/* The nearest double, whatever the locale. -ERANGE when it is beyond the doubles (1e999). */
int json_double(const JsonDoc *doc, uint32_t node, double *ret_value);

/* Line and column, both from 1, of an offset in a text; columns count bytes. */
void json_position(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column);

/* Iterates over the children of a container by node index; for an object over the keys, each
 * value being `child + 1`. */
#define JSON_FOREACH(doc, container, child)                                          \
        for (uint32_t child = (container) + 1; child < (doc)->nodes[container].next; \
             child = json_next((doc), (container), child))

static inline uint32_t json_next(const JsonDoc *doc, uint32_t container, uint32_t child)
{
        if (doc->nodes[container].type == JSON_OBJECT)
                child++;
        return doc->nodes[child].next;
}

#define CLEANUP_JSON_DOC CLEANUP(json_doc_done)
