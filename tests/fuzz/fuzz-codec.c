/* SPDX-License-Identifier: MIT */

/* Input: a type, and the JSON text of a value of it. JSON → message → JSON → message → JSON must
 * end in the same text, and the message must be one that another reader takes. */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "gateway/codec/dbus-to-json.h"
#include "gateway/codec/json-to-dbus.h"
#include "tests/fuzz/codec-input.h"
#include "tests/support/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static TestBus bus;

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
                codec_input_must((r < 0) == (error != NULL), "error and result differ");
                codec_input_must(!error || error->code == r,
                                 "error has another code than the result");
        }
        if (r < 0) {
                sd_bus_message_unref(m);
                return NULL;
        }
        test_message_seal(m);
        return m;
}

static void check_stable(const CodecInput *input, const Buffer *first)
{
        CLEANUP_BUFFER Buffer second = BUFFER_INIT(0);
        sd_bus_message *m;
        int r;

        m = to_message(input->type, buffer_text(first), first->length);
        /* Bare values of variants are not meant to be read back. */
        codec_input_must(m || !input->options.typed_variants, "what was written is refused");
        if (!m)
                return;
        r = codec_value_to_json(m, input->type, "value", &second, NULL);
        codec_input_must(r == 0, "the second text is refused");
        codec_input_must(!strcmp(buffer_text(first), buffer_text(&second)), "the texts differ");
        sd_bus_message_unref(m);
}

static void check_message(const CodecInput *input, sd_bus_message *m)
{
        CLEANUP_BUFFER Buffer first = BUFFER_INIT(0);
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *dump = NULL;
        int r;

        dump = test_message_dump(m);
        codec_input_must(dump, "another reader does not take the message");
        r = codec_value_to_json(m, input->type, "value", &first, &error);
        if (r == 0) {
                check_stable(input, &first);
                return;
        }
        /* The typed form of a bare variant takes one level more. */
        codec_input_must(r == -E2BIG, error_text(error));
        codec_input_must(first.length == 0, "something is left of a refused value");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CodecInput input;
        sd_bus_message *m;

        if (!codec_input_parse(data, size, &input))
                return 0;
        if (!bus.bus)
                test_bus_init(&bus);
        m = to_message(input.type, (const char *)input.rest, input.rest_length);
        if (m)
                check_message(&input, m);
        sd_bus_message_unref(m);
        codec_type_free(input.type);
        return 0;
}
