/* SPDX-License-Identifier: MIT */

/* Input: a line with the signature of one type, optionally preceded by characters that choose its
 * options ("t" text, "y" array of bytes, "p" plain variants, then a space), and the JSON text of a
 * value of it. JSON → message → JSON → message → JSON must end in the same text, and the message
 * must be one that another reader takes. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/codec/dbus-to-json.h"
#include "gateway/codec/json-to-dbus.h"
#include "tests/support/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static TestBus bus;

static void must(bool condition, const char *what)
{
        if (condition)
                return;
        fprintf(stderr, "%s\n", what);
        abort();
}

/* Takes the options off the line. */
static const char *parse_options(const char *line, CodecOptions *options)
{
        const char *space = strchr(line, ' ');

        *options = (CodecOptions){.typed_variants = true};
        if (!space)
                return line;
        for (; line < space; line++) {
                if (*line == 't')
                        options->bytes = CODEC_BYTES_TEXT;
                else if (*line == 'y')
                        options->bytes = CODEC_BYTES_ARRAY;
                else if (*line == 'p')
                        options->typed_variants = false;
        }
        return space + 1;
}

/* The message that the text makes, readable; NULL when it is refused. */
static sd_bus_message *to_message(const CodecType *type, const char *text, size_t length)
{
        sd_bus_message *m = test_message_new(&bus);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = json_scan(&doc, text, length, JSON_SCAN_STRICT);
        if (r == 0) {
                r = codec_value_from_json(&doc, 0, type, "value", m, &error);
                must((r < 0) == (error != NULL), "error and result differ");
                must(!error || error->code == r, "error has another code than the result");
        }
        if (r < 0) {
                sd_bus_message_unref(m);
                return NULL;
        }
        test_message_seal(m);
        return m;
}

static void check_stable(const CodecType *type, const CodecOptions *options, const Buffer *first)
{
        CLEANUP_BUFFER Buffer second = BUFFER_INIT(0);
        sd_bus_message *m;

        m = to_message(type, buffer_text(first), first->length);
        /* Bare values of variants are not meant to be read back. */
        must(m || !options->typed_variants, "what was written is not accepted");
        if (!m)
                return;
        must(codec_value_to_json(m, type, "value", &second, NULL) == 0, "second text refused");
        must(!strcmp(buffer_text(first), buffer_text(&second)), "the texts differ");
        sd_bus_message_unref(m);
}

static void check_message(const CodecType *type, const CodecOptions *options, sd_bus_message *m)
{
        CLEANUP_BUFFER Buffer first = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *dump = NULL;
        int r;

        dump = test_message_dump(m);
        must(dump, "another reader does not take the message");
        r = codec_value_to_json(m, type, "value", &first, &error);
        if (r < 0) {
                /* JSON may be nested deeper than what we write; bytes may have been no text. */
                must(r == -E2BIG || (r == -EBADMSG && options->bytes == CODEC_BYTES_TEXT),
                     error_text(error));
                must(first.length == 0, "something is left of a refused value");
                return;
        }
        check_stable(type, options, &first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
        CLEANUP_FREE char *line = NULL;
        CodecType *type = NULL;
        CodecOptions options;
        const char *signature;
        sd_bus_message *m;

        if (!end)
                return 0;
        if (!bus.bus)
                test_bus_init(&bus);
        line = strndup((const char *)data, (size_t)(end - data));
        must(line, "out of memory");
        signature = parse_options(line, &options);
        if (codec_type_new(signature, &options, &type, NULL) < 0)
                return 0;
        m = to_message(type, (const char *)end + 1, size - (size_t)(end - data) - 1);
        if (m)
                check_message(type, &options, m);
        sd_bus_message_unref(m);
        codec_type_free(type);
        return 0;
}
