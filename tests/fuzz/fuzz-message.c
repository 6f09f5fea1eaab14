/* SPDX-License-Identifier: MIT */

/* Input: a line with the signature of one type, optionally preceded by characters that choose the
 * byte order and the options ("B" big endian, "t" text, "y" array of bytes, "p" plain variants,
 * then a space), and the body of a message as it comes from the wire. Whatever the body, what is
 * written is JSON that our own scanner accepts, and nothing is left of what is refused. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/json-scan.h"
#include "gateway/codec/dbus-to-json.h"
#include "tests/support/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What fits into a socket at once. */
enum { MAXIMUM_BODY = 32768 };

static TestBus bus;

static void must(bool condition, const char *what)
{
        if (condition)
                return;
        fprintf(stderr, "%s\n", what);
        abort();
}

static const char *parse_options(const char *line, CodecOptions *options, bool *ret_big_endian)
{
        const char *space = strchr(line, ' ');

        *options = (CodecOptions){.typed_variants = true};
        *ret_big_endian = false;
        if (!space)
                return line;
        for (; line < space; line++) {
                if (*line == 'B')
                        *ret_big_endian = true;
                else if (*line == 't')
                        options->bytes = CODEC_BYTES_TEXT;
                else if (*line == 'y')
                        options->bytes = CODEC_BYTES_ARRAY;
                else if (*line == 'p')
                        options->typed_variants = false;
        }
        return space + 1;
}

static void check_message(sd_bus_message *m, const CodecType *type)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = codec_value_to_json(m, type, "value", &text, &error);
        must((r < 0) == (error != NULL), "error and result differ");
        must(!error || error->code == r, "error has another code than the result");
        if (r < 0)
                must(text.length == 0, "something is left of a refused value");
        else
                must(json_scan(&doc, buffer_text(&text), text.length, JSON_SCAN_STRICT) == 0,
                     buffer_text(&text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
        CLEANUP_FREE char *line = NULL;
        CodecType *type = NULL;
        CodecOptions options;
        const char *signature;
        sd_bus_message *m;
        bool big_endian;

        if (!end || size - (size_t)(end - data) - 1 > MAXIMUM_BODY)
                return 0;
        if (!bus.bus)
                test_bus_init(&bus);
        line = strndup((const char *)data, (size_t)(end - data));
        must(line, "out of memory");
        signature = parse_options(line, &options, &big_endian);
        if (codec_type_new(signature, &options, &type, NULL) < 0)
                return 0;
        m = test_message_receive(&bus, big_endian, signature, end + 1,
                                 size - (size_t)(end - data) - 1);
        check_message(m, type);
        sd_bus_message_unref(m);
        codec_type_free(type);
        return 0;
}
