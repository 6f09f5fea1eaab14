/* SPDX-License-Identifier: MIT */
#pragma once

/* Lays out a JSON text anew without touching its values: every number keeps its digits, every
 * string its escapes. Pure. The one change: control characters that JSON allows in strings (DEL
 * and U+0080…U+009F) are escaped, since a terminal would obey them. */

#include "common/json-scan.h"

typedef enum JsonLayout {
        JSON_COMPACT,  /* one line, no spaces */
        JSON_INDENTED, /* two spaces for each level */
} JsonLayout;

/* Appends one node with what it contains; no newline at the end. */
int json_print_node(Buffer *buffer, const JsonDoc *doc, uint32_t node, JsonLayout layout);

/* The same for a text. -EBADMSG if it is not JSON, and nothing is appended then. */
int json_print_text(Buffer *buffer, const char *text, size_t length, JsonLayout layout);
