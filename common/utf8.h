/* SPDX-License-Identifier: MIT */
#pragma once

/* Checks on text that did not come through the JSON scanner, or goes where more is refused. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed sequence (Unicode 15, table 3-7) that `text` starts with, of which
 * `left` > 0 bytes are there; 0 when there is none, or it is a NUL. */
size_t utf8_sequence_length(const char *text, size_t left);

/* True for well-formed UTF-8 without NUL bytes. */
bool utf8_is_text(const char *text, size_t length);

/* True if well-formed text has one of Unicode's 66 noncharacters in it (U+FDD0…U+FDEF and the last
 * two of each plane): valid in JSON, but sd-bus peers drop messages that carry one. */
bool utf8_has_noncharacter(const char *text, size_t length);

/* At most `maximum` bytes of a well-formed text, without cutting a character in two. */
size_t utf8_cut(const char *text, size_t length, size_t maximum);
