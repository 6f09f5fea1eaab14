/* SPDX-License-Identifier: MIT */

#include "cli/json-print.h"

#include <string.h>

typedef struct Printer {
        Buffer *buffer;
        const JsonDoc *doc;
        JsonLayout layout;
} Printer;

static void new_line(const Printer *printer, unsigned level)
{
        if (printer->layout != JSON_INDENTED)
                return;
        buffer_append_char(printer->buffer, '\n');
        for (unsigned i = 0; i < level; i++)
                buffer_append(printer->buffer, "  ", 2);
}

/* Characters that may stand in a JSON string, but not on a terminal. Returns the length of the one
 * at `at`, or 0. */
static size_t control_length(const char *at, const char *end)
{
        if (*at == 0x7f)
                return 1;
        if (end - at >= 2 && (unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0)
                return 2;
        return 0;
}

static void print_scalar(const Printer *printer, uint32_t node)
{
        size_t length;
        const char *raw = json_raw(printer->doc, node, &length), *end = raw + length;

        while (raw < end) {
                const char *start = raw;
                size_t control = 0;

                while (raw < end && (control = control_length(raw, end)) == 0)
                        raw++;
                buffer_append(printer->buffer, start, (size_t)(raw - start));
                if (control > 0)
                        buffer_printf(printer->buffer, "\\u%04x",
                                      (unsigned)(unsigned char)raw[control - 1]);
                raw += control;
        }
}

static void print_node(const Printer *printer, uint32_t node, unsigned level);

/* The nesting is bounded by LIMIT_JSON_DEPTH. */
static void print_container(const Printer *printer, uint32_t node, unsigned level)
{
        bool object = json_type(printer->doc, node) == JSON_OBJECT, first = true;

        buffer_append_char(printer->buffer, object ? '{' : '[');
        JSON_FOREACH (printer->doc, node, child) {
                if (!first)
                        buffer_append_char(printer->buffer, ',');
                first = false;
                new_line(printer, level + 1);
                if (object) {
                        print_scalar(printer, child);
                        buffer_append_text(printer->buffer,
                                           printer->layout == JSON_INDENTED ? ": " : ":");
                }
                print_node(printer, object ? child + 1 : child, level + 1);
        }
        if (!first)
                new_line(printer, level);
        buffer_append_char(printer->buffer, object ? '}' : ']');
}

static void print_node(const Printer *printer, uint32_t node, unsigned level)
{
        JsonType type = json_type(printer->doc, node);

        if (type == JSON_ARRAY || type == JSON_OBJECT)
                print_container(printer, node, level);
        else
                print_scalar(printer, node);
}

int json_print_node(Buffer *buffer, const JsonDoc *doc, uint32_t node, JsonLayout layout)
{
        const Printer printer = {.buffer = buffer, .doc = doc, .layout = layout};

        print_node(&printer, node, 0);
        return buffer_status(buffer);
}

int json_print_text(Buffer *buffer, const char *text, size_t length, JsonLayout layout)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int r;

        r = json_scan(&doc, text, length, JSON_SCAN_STRICT);
        return r < 0 ? r : json_print_node(buffer, &doc, 0, layout);
}
