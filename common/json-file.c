/* SPDX-License-Identifier: MIT */

#include "common/json-file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/limits.h"

void json_file_done(JsonFile *file)
{
        json_doc_done(&file->doc);
        free(file->text);
        free(file->name);
        *file = (JsonFile){};
}

/* ---- where a node is ---- */

static void append_token(Buffer *pointer, const char *token, size_t length)
{
        for (size_t i = 0; i < length; i++) {
                if (token[i] == '~')
                        buffer_append_text(pointer, "~0");
                else if (token[i] == '/')
                        buffer_append_text(pointer, "~1");
                else
                        buffer_append_char(pointer, token[i]);
        }
}

static void append_key(const JsonDoc *doc, uint32_t key, Buffer *pointer)
{
        CLEANUP_BUFFER Buffer name = {};

        json_string_append(doc, key, &name);
        buffer_append_char(pointer, '/');
        append_token(pointer, buffer_text(&name), name.length);
}

/* Steps from `container` to the child that is or holds `node`, and notes the step. */
static uint32_t descend(const JsonDoc *doc, uint32_t container, uint32_t node, Buffer *pointer)
{
        unsigned index = 0;

        JSON_FOREACH (doc, container, child) {
                if (json_type(doc, container) == JSON_OBJECT) {
                        if (node < doc->nodes[child + 1].next) {
                                append_key(doc, child, pointer);
                                return node == child ? child : child + 1;
                        }
                } else if (node < doc->nodes[child].next) {
                        buffer_printf(pointer, "/%u", index);
                        return child;
                }
                index++;
        }
        return node;
}

static void append_pointer(const JsonDoc *doc, uint32_t node, Buffer *pointer)
{
        uint32_t at = 0;

        while (at != node)
                at = descend(doc, at, node, pointer);
}

static void report(JsonFile *file, DiagnosticLevel level, uint32_t node, const char *text)
{
        CLEANUP_BUFFER Buffer pointer = {};
        unsigned line, column;

        json_position(file->text, file->doc.nodes[node].start, &line, &column);
        append_pointer(&file->doc, node, &pointer);
        diagnostics_add(file->diagnostics, level, "%s:%u:%u%s%s: %s", file->name, line, column,
                        pointer.length > 0 ? " " : "", buffer_text(&pointer), text);
}

void json_file_error(JsonFile *file, uint32_t node, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        if (file->n_errors++ < LIMIT_DIAGNOSTICS)
                report(file, DIAGNOSTIC_ERROR, node, text ? text : "out of memory");
        else
                diagnostics_add(file->diagnostics, DIAGNOSTIC_ERROR, "%s", file->name);
}

void json_file_warning(JsonFile *file, uint32_t node, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        report(file, DIAGNOSTIC_WARNING, node, text ? text : "out of memory");
}

void json_file_out_of_memory(JsonFile *file)
{
        file->n_errors++;
        diagnostics_add(file->diagnostics, DIAGNOSTIC_ERROR, "%s: out of memory", file->name);
}

/* ---- reading ---- */

static int scan(JsonFile *file, size_t length)
{
        unsigned line, column;
        int r;

        r = json_scan(&file->doc, file->text, length, JSON_SCAN_COMMENTS);
        if (r >= 0)
                return 0;
        json_position(file->text, file->doc.error_offset, &line, &column);
        file->n_errors++;
        diagnostics_add(file->diagnostics, DIAGNOSTIC_ERROR, "%s:%u:%u: %s", file->name, line,
                        column, file->doc.error_reason);
        return r;
}

int json_file_load(JsonFile *file, const char *path, Diagnostics *diagnostics)
{
        CLEANUP_ERROR Error *error = NULL;
        size_t length;
        int r;

        *file = (JsonFile){.diagnostics = diagnostics, .name = strdup(path)};
        r = file_read(path, LIMIT_FILE_BYTES, &file->text, &length, &error);
        if (r < 0) {
                file->n_errors++;
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "%s", error_text(error));
        } else if (!file->name) {
                r = -ENOMEM;
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "%s: out of memory", path);
        } else {
                r = scan(file, length);
        }
        if (r < 0)
                json_file_done(file);
        return r;
}

int json_file_parse(JsonFile *file, const char *name, const char *text, size_t length,
                    Diagnostics *diagnostics)
{
        int r = -ENOMEM;

        *file = (JsonFile){.diagnostics = diagnostics, .name = strdup(name)};
        file->text = malloc(length + 1);
        if (file->text && file->name) {
                memcpy(file->text, text, length);
                file->text[length] = '\0';
                r = scan(file, length);
        } else {
                diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "%s: out of memory", name);
        }
        if (r < 0)
                json_file_done(file);
        return r;
}

bool json_file_expect(JsonFile *file, uint32_t node, JsonType type)
{
        JsonType is = json_type(&file->doc, node);

        if (is == type)
                return true;
        json_file_error(file, node, "expected %s, not %s", json_type_name(type),
                        json_type_name(is));
        return false;
}

char *json_file_string(JsonFile *file, uint32_t node)
{
        char *text = NULL;
        int r;

        if (!json_file_expect(file, node, JSON_STRING))
                return NULL;
        r = json_string_dup(&file->doc, node, &text);
        if (r == -EILSEQ)
                json_file_error(file, node, "\\u0000 is not allowed here");
        else if (r < 0)
                json_file_out_of_memory(file);
        return text;
}
