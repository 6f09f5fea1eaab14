/* SPDX-License-Identifier: MIT */

/* Input: a type, and the body of a message as it comes from the wire. Whatever the body, what is
 * written is JSON that our own scanner accepts, and nothing is left of what is refused. */

#include <stdint.h>

#include "common/json-scan.h"
#include "gateway/codec/dbus-to-json.h"
#include "tests/fuzz/codec-input.h"
#include "tests/support/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What fits into a socket at once. */
enum { MAXIMUM_BODY = 32768 };

static TestBus bus;

static void check_message(sd_bus_message *m, const CodecType *type)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = codec_value_to_json(m, type, "value", &text, &error);
        codec_input_must((r < 0) == (error != NULL), "error and result differ");
        codec_input_must(!error || error->code == r, "error has another code than the result");
        if (r < 0) {
                codec_input_must(text.length == 0, "something is left of a refused value");
                return;
        }
        r = json_scan(&doc, buffer_text(&text), text.length, JSON_SCAN_STRICT);
        codec_input_must(r == 0, buffer_text(&text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CodecInput input;
        sd_bus_message *m;

        if (size > MAXIMUM_BODY || !codec_input_parse(data, size, &input))
                return 0;
        if (!bus.bus)
                test_bus_init(&bus);
        m = test_message_receive(&bus, input.big_endian, codec_type_signature(input.type),
                                 input.rest, input.rest_length);
        check_message(m, input.type);
        sd_bus_message_unref(m);
        codec_type_free(input.type);
        return 0;
}
