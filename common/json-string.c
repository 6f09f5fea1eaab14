/* SPDX-License-Identifier: MIT */

#include "common/json-string.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

int32_t json_hex4(const char *text, const char *end)
{
        int32_t value = 0;

        if (end - text < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                int digit = hex_digit(text[i]);

                if (digit < 0)
                        return -1;
                value = value << 4 | digit;
        }
        return value;
}

void json_string_reader_init(JsonStringReader *reader, const JsonDoc *doc, uint32_t node)
{
        *reader = (JsonStringReader){
                .at = doc->text + doc->nodes[node].start + 1,
                .end = doc->text + doc->nodes[node].end - 1,
        };
}

static void push_utf8(JsonStringReader *reader, uint32_t c)
{
        unsigned char *p = reader->pending;

        if (c < 0x80) {
                p[reader->n_pending++] = (unsigned char)c;
                return;
        }
        p[reader->n_pending++] = (unsigned char)(0x80 | (c & 0x3f));
        if (c < 0x800) {
                p[reader->n_pending++] = (unsigned char)(0xc0 | c >> 6);
                return;
        }
        p[reader->n_pending++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        if (c < 0x10000) {
                p[reader->n_pending++] = (unsigned char)(0xe0 | c >> 12);
                return;
        }
        p[reader->n_pending++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
        p[reader->n_pending++] = (unsigned char)(0xf0 | c >> 18);
}

static void read_unicode_escape(JsonStringReader *reader)
{
        uint32_t c = (uint32_t)json_hex4(reader->at + 2, reader->end);

        reader->at += 6;
        if (json_is_high_surrogate((int32_t)c)) {
                uint32_t low = (uint32_t)json_hex4(reader->at + 2, reader->end);

                reader->at += 6;
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        push_utf8(reader, c);
}

/* The next byte, or -1 at the end. The text has been scanned, so every escape is whole. */
int json_string_reader_next(JsonStringReader *reader)
{
        static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
        const char *name;
        char c;

        if (reader->n_pending > 0)
                return reader->pending[--reader->n_pending];
        if (reader->at >= reader->end)
                return -1;
        c = *reader->at;
        if (c != '\\') {
                reader->at++;
                return (unsigned char)c;
        }
        if (reader->at[1] == 'u') {
                read_unicode_escape(reader);
                return reader->pending[--reader->n_pending];
        }
        c = reader->at[1];
        reader->at += 2;
        name = strchr(names, c);
        return (unsigned char)(name ? values[name - names] : c);
}

bool json_string_is(const JsonDoc *doc, uint32_t node, const char *text)
{
        const JsonNode *n = &doc->nodes[node];
        JsonStringReader reader;
        int c;

        if (n->type != JSON_STRING)
                return false;
        if (!n->escaped) {
                size_t length = n->end - n->start - 2;

                return strlen(text) == length && !memcmp(doc->text + n->start + 1, text, length);
        }
        json_string_reader_init(&reader, doc, node);
        while ((c = json_string_reader_next(&reader)) >= 0)
                if (c == 0 || (unsigned char)*text++ != c)
                        return false;
        return *text == '\0';
}

int json_string_append(const JsonDoc *doc, uint32_t node, Buffer *buffer)
{
        const JsonNode *n = &doc->nodes[node];
        size_t length = n->end - n->start - 2, written = 0;
        JsonStringReader reader;
        char *out;
        int c;

        if (n->type != JSON_STRING)
                return -EINVAL;
        if (!n->escaped)
                return buffer_append(buffer, doc->text + n->start + 1, length);
        /* Every escape is at least as long as what it stands for. */
        out = buffer_reserve(buffer, length);
        if (!out)
                return buffer_status(buffer);
        json_string_reader_init(&reader, doc, node);
        while ((c = json_string_reader_next(&reader)) >= 0)
                out[written++] = (char)c;
        buffer_commit(buffer, written);
        return 0;
}

int json_string_dup(const JsonDoc *doc, uint32_t node, char **ret_text)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        char *text;
        int r;

        r = json_string_append(doc, node, &buffer);
        if (r < 0)
                return r;
        if (buffer.length > 0 && memchr(buffer.data, 0, buffer.length))
                return -EILSEQ;
        text = buffer_steal(&buffer);
        if (!text)
                return -ENOMEM;
        *ret_text = text;
        return 0;
}
