/* SPDX-License-Identifier: MIT */

#include "tests/fuzz/codec-input.h"

#include <stdio.h>
#include <string.h>

void codec_input_must(bool condition, const char *what)
{
        if (condition)
                return;
        fprintf(stderr, "%s\n", what);
        abort();
}

/* Takes the options off the line. */
static const char *parse_options(const char *line, CodecInput *input)
{
        const char *space = strchr(line, ' ');

        input->options.typed_variants = true;
        if (!space)
                return line;
        for (; line < space; line++) {
                if (*line == 't')
                        input->options.bytes = CODEC_BYTES_TEXT;
                else if (*line == 'y')
                        input->options.bytes = CODEC_BYTES_ARRAY;
                else if (*line == 'p')
                        input->options.typed_variants = false;
                else if (*line == 'B')
                        input->big_endian = true;
        }
        return space + 1;
}

bool codec_input_parse(const uint8_t *data, size_t size, CodecInput *ret_input)
{
        const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
        CLEANUP_FREE char *line = NULL;
        CodecInput input = {};
        const char *signature;

        if (!end)
                return false;
        line = strndup((const char *)data, (size_t)(end - data));
        codec_input_must(line, "out of memory");
        signature = parse_options(line, &input);
        if (codec_type_new(signature, &input.options, &input.type, NULL) < 0)
                return false;
        input.rest = end + 1;
        input.rest_length = size - (size_t)(end - data) - 1;
        *ret_input = input;
        return true;
}
