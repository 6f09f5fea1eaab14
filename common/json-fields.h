/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a JSON object into a struct, as a const table of its keys says: which key, what kind of
 * value, within which bounds, and where it goes. A key that is not in the table is an error, with
 * a suggestion if it looks like a slip. Every error is reported at its place and reading goes on.
 *
 *         static const JsonField fields[] = {
 *                 {"name", JSON_FIELD_STRING, offsetof(Thing, name), .required = true},
 *                 {"timeout_ms", JSON_FIELD_MSEC, offsetof(Thing, timeout_usec), 1, 60000},
 *         };
 *
 * Strings and lists in the struct are owned by it: json_fields_done() frees them. */

#include "common/json-file.h"

typedef enum JsonFieldType {
        JSON_FIELD_STRING,   /* char * */
        JSON_FIELD_PATH,     /* char *; relative ones count from the file's folder */
        JSON_FIELD_PATHS,    /* JsonPaths */
        JSON_FIELD_BOOLEAN,  /* bool */
        JSON_FIELD_TRISTATE, /* int, which becomes 0 or 1 */
        JSON_FIELD_UINT,     /* unsigned */
        JSON_FIELD_MSEC,     /* uint64_t, microseconds; bounds and text are milliseconds */
        JSON_FIELD_WORD,     /* int: index into `words` */
        JSON_FIELD_CUSTOM,   /* whatever `read` makes of it */
} JsonFieldType;

typedef struct JsonPaths {
        char **items;
        size_t count;
} JsonPaths;

typedef struct JsonField {
        const char *key;
        JsonFieldType type;
        size_t offset; /* into the struct */
        uint64_t minimum;
        uint64_t maximum;
        const char *const *words; /* ends with NULL */
        /* Checks a string before it is stored: 0, or a negative errno and why not. */
        int (*check)(const char *text, Error **ret_error);
        /* Reads a node; `target` is the struct. Reports its errors itself. */
        void (*read)(JsonFile *file, uint32_t node, void *target);
        bool required;
        const char *fallback; /* for config.h: the value when nobody says anything; NULL: none */
} JsonField;

/* Reads all members of the object `node` into `target`. */
void json_fields_read(JsonFile *file, uint32_t node, const JsonField *fields, size_t n_fields,
                      void *target);

/* The two halves of that, for who has to look at each key: the field of a key (reports and returns
 * NULL if unknown), and reading one value. */
const JsonField *json_fields_find(JsonFile *file, uint32_t key, const JsonField *fields,
                                  size_t n_fields);
void json_field_read(JsonFile *file, uint32_t node, const JsonField *field, void *target);

/* Sets a field from a word of a command line: numbers in digits, booleans as "true" or "false",
 * paths as they stand; for a list of paths one is added. Not for JSON_FIELD_CUSTOM. */
int json_field_set_text(const JsonField *field, void *target, const char *text, Error **ret_error);

/* Frees what the fields of `target` own. */
void json_fields_done(const JsonField *fields, size_t n_fields, void *target);
void json_paths_done(JsonPaths *paths);
