/* SPDX-License-Identifier: MIT */
#pragma once

/* A JSON file with comments, read for people: what is wrong with it is reported with its place,
 * `file:line:column /json/pointer: text`, and reading goes on, so that one run shows all there is
 * to repair. The reader asks json_file_failed() at the end. */

#include <stdbool.h>

#include "common/diagnostics.h"
#include "common/json-scan.h"

typedef struct JsonFile {
        char *name; /* owned; the path as given */
        char *text; /* owned */
        JsonDoc doc;
        Diagnostics *diagnostics; /* borrowed; may be NULL */
        size_t n_errors;          /* of this file */
} JsonFile;

/* Reads and indexes a file of at most LIMIT_FILE_BYTES; json_file_parse() does so with a text,
 * which is copied. Returns 0, or a negative errno when there is no JSON in it, which has then been
 * reported. `diagnostics` must live as long as `file`. */
int json_file_load(JsonFile *file, const char *path, Diagnostics *diagnostics);
int json_file_parse(JsonFile *file, const char *name, const char *text, size_t length,
                    Diagnostics *diagnostics);
void json_file_done(JsonFile *file);

/* Reports about a node; for a key of an object the pointer is that of its value. */
void json_file_error(JsonFile *file, uint32_t node, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void json_file_warning(JsonFile *file, uint32_t node, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Reports that memory is short. */
void json_file_out_of_memory(JsonFile *file);

static inline bool json_file_failed(const JsonFile *file)
{
        return file->n_errors > 0;
}

/* True if the node has that type; reports "expected …, not …" if not. */
bool json_file_expect(JsonFile *file, uint32_t node, JsonType type);

/* The text of a string node, owned by the caller; reports and returns NULL if it cannot be had. */
char *json_file_string(JsonFile *file, uint32_t node);

#define CLEANUP_JSON_FILE CLEANUP(json_file_done)
