/* SPDX-License-Identifier: MIT */

#include "common/json-fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/suggest.h"

static void *address_of(const JsonField *field, void *target)
{
        return (char *)target + field->offset;
}

/* ---- storing ---- */

static int store_string(const JsonField *field, void *target, const char *text, Error **ret_error)
{
        char **address = address_of(field, target);
        char *copy;
        int r;

        r = field->check ? field->check(text, ret_error) : 0;
        if (r < 0)
                return r;
        copy = strdup(text);
        if (!copy)
                return error_set(ret_error, -ENOMEM, "out of memory");
        free(*address);
        *address = copy;
        return 0;
}

static int store_path(const JsonField *field, void *target, const char *text, Error **ret_error)
{
        if (text[0] == '\0')
                return error_set(ret_error, -EINVAL, "expected the name of a file or folder");
        return store_string(field, target, text, ret_error);
}

static int add_path(const JsonField *field, void *target, const char *text, Error **ret_error)
{
        JsonPaths *paths = address_of(field, target);
        char **items;

        if (text[0] == '\0')
                return error_set(ret_error, -EINVAL, "expected the name of a file or folder");
        items = reallocarray(paths->items, paths->count + 1, sizeof(*items));
        if (!items)
                return error_set(ret_error, -ENOMEM, "out of memory");
        paths->items = items;
        items[paths->count] = strdup(text);
        if (!items[paths->count])
                return error_set(ret_error, -ENOMEM, "out of memory");
        paths->count++;
        return 0;
}

static int store_boolean(const JsonField *field, void *target, bool value)
{
        if (field->type == JSON_FIELD_TRISTATE)
                *(int *)address_of(field, target) = value;
        else
                *(bool *)address_of(field, target) = value;
        return 0;
}

static int store_boolean_text(const JsonField *field, void *target, const char *text,
                              Error **ret_error)
{
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
                return error_set(ret_error, -EINVAL, "expected true or false, not '%s'", text);
        return store_boolean(field, target, text[0] == 't');
}

/* `r` is what reading the digits has returned. */
static int store_number(const JsonField *field, void *target, int r, uint64_t value,
                        Error **ret_error)
{
        if (r == -EINVAL)
                return error_set(ret_error, r, "expected a whole number");
        if (r < 0 || value < field->minimum || value > field->maximum)
                return error_set(ret_error, -ERANGE,
                                 "expected a number from %" PRIu64 " to %" PRIu64, field->minimum,
                                 field->maximum);
        if (field->type == JSON_FIELD_MSEC)
                *(uint64_t *)address_of(field, target) = value * USEC_PER_MSEC;
        else
                *(unsigned *)address_of(field, target) = (unsigned)value;
        return 0;
}

static int store_number_text(const JsonField *field, void *target, const char *text,
                             Error **ret_error)
{
        uint64_t value = 0;
        int r;

        r = json_parse_uint64(text, strlen(text), &value);
        return store_number(field, target, r, value, ret_error);
}

static const char *next_word(size_t index, const void *userdata)
{
        return ((const char *const *)userdata)[index];
}

static int store_word(const JsonField *field, void *target, const char *text, Error **ret_error)
{
        CLEANUP_BUFFER Buffer all = {};
        const char *meant;

        for (int i = 0; field->words[i]; i++) {
                if (strcmp(field->words[i], text) == 0) {
                        *(int *)address_of(field, target) = i;
                        return 0;
                }
                buffer_printf(&all, "%s%s", i > 0 ? ", " : "", field->words[i]);
        }
        meant = suggest(text, next_word, field->words);
        if (meant)
                return error_set(ret_error, -EINVAL, "unknown word '%s', did you mean '%s'?", text,
                                 meant);
        return error_set(ret_error, -EINVAL, "unknown word '%s', expected one of: %s", text,
                         buffer_text(&all));
}

int json_field_set_text(const JsonField *field, void *target, const char *text, Error **ret_error)
{
        switch (field->type) {
        case JSON_FIELD_STRING: return store_string(field, target, text, ret_error);
        case JSON_FIELD_PATH: return store_path(field, target, text, ret_error);
        case JSON_FIELD_PATHS: return add_path(field, target, text, ret_error);
        case JSON_FIELD_BOOLEAN:
        case JSON_FIELD_TRISTATE: return store_boolean_text(field, target, text, ret_error);
        case JSON_FIELD_UINT:
        case JSON_FIELD_MSEC: return store_number_text(field, target, text, ret_error);
        case JSON_FIELD_WORD: return store_word(field, target, text, ret_error);
        case JSON_FIELD_CUSTOM: break;
        }
        return error_set(ret_error, -EINVAL, "this can only be set in a file");
}

/* ---- reading JSON ---- */

static void report(JsonFile *file, uint32_t node, const Error *error)
{
        if (error->code == -ENOMEM)
                json_file_out_of_memory(file);
        else
                json_file_error(file, node, "%s", error_text(error));
}

static void read_text(JsonFile *file, uint32_t node, const JsonField *field, void *target)
{
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *text = NULL, *path = NULL;
        bool is_path = field->type == JSON_FIELD_PATH || field->type == JSON_FIELD_PATHS;

        text = json_file_string(file, node);
        if (!text)
                return;
        if (is_path && text[0] != '\0') {
                path = file_beside(file->name, text);
                if (!path) {
                        json_file_out_of_memory(file);
                        return;
                }
        }
        if (json_field_set_text(field, target, path ? path : text, &error) < 0)
                report(file, node, error);
}

/* The list in a file replaces the one before it. */
static void read_paths(JsonFile *file, uint32_t node, const JsonField *field, void *target)
{
        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        json_paths_done(address_of(field, target));
        JSON_FOREACH (&file->doc, node, item)
                read_text(file, item, field, target);
}

static void read_number(JsonFile *file, uint32_t node, const JsonField *field, void *target)
{
        CLEANUP_ERROR Error *error = NULL;
        uint64_t value = 0;
        int r;

        if (!json_file_expect(file, node, JSON_NUMBER))
                return;
        r = json_uint64(&file->doc, node, &value);
        if (store_number(field, target, r, value, &error) < 0)
                report(file, node, error);
}

static void read_boolean(JsonFile *file, uint32_t node, const JsonField *field, void *target)
{
        if (json_file_expect(file, node, JSON_BOOLEAN))
                store_boolean(field, target, json_boolean(&file->doc, node));
}

static void read_custom(JsonFile *file, uint32_t node, const JsonField *field, void *target)
{
        field->read(file, node, target);
}

void json_field_read(JsonFile *file, uint32_t node, const JsonField *field, void *target)
{
        static void (*const readers[])(JsonFile *, uint32_t, const JsonField *, void *) = {
                [JSON_FIELD_STRING] = read_text,      [JSON_FIELD_PATH] = read_text,
                [JSON_FIELD_PATHS] = read_paths,      [JSON_FIELD_BOOLEAN] = read_boolean,
                [JSON_FIELD_TRISTATE] = read_boolean, [JSON_FIELD_UINT] = read_number,
                [JSON_FIELD_MSEC] = read_number,      [JSON_FIELD_WORD] = read_text,
                [JSON_FIELD_CUSTOM] = read_custom,
        };

        readers[field->type](file, node, field, target);
}

typedef struct Table {
        const JsonField *fields;
        size_t n_fields;
} Table;

static const char *next_key(size_t index, const void *userdata)
{
        const Table *table = userdata;

        return index < table->n_fields ? table->fields[index].key : NULL;
}

const JsonField *json_fields_find(JsonFile *file, uint32_t key, const JsonField *fields,
                                  size_t n_fields)
{
        Table table = {fields, n_fields};
        CLEANUP_FREE char *text = NULL;
        const char *meant;

        for (size_t i = 0; i < n_fields; i++)
                if (json_string_is(&file->doc, key, fields[i].key))
                        return &fields[i];
        text = json_file_string(file, key);
        if (!text)
                return NULL;
        meant = suggest(text, next_key, &table);
        if (meant)
                json_file_error(file, key, "unknown key '%s', did you mean '%s'?", text, meant);
        else
                json_file_error(file, key, "unknown key '%s'", text);
        return NULL;
}

void json_fields_read(JsonFile *file, uint32_t node, const JsonField *fields, size_t n_fields,
                      void *target)
{
        if (!json_file_expect(file, node, JSON_OBJECT))
                return;
        JSON_FOREACH (&file->doc, node, key) {
                const JsonField *field = json_fields_find(file, key, fields, n_fields);

                if (field)
                        json_field_read(file, key + 1, field, target);
        }
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].required && json_find(&file->doc, node, fields[i].key) == 0)
                        json_file_error(file, node, "'%s' is missing", fields[i].key);
}

void json_paths_done(JsonPaths *paths)
{
        for (size_t i = 0; i < paths->count; i++)
                free(paths->items[i]);
        free(paths->items);
        *paths = (JsonPaths){};
}

void json_fields_done(const JsonField *fields, size_t n_fields, void *target)
{
        for (size_t i = 0; i < n_fields; i++) {
                char **text = address_of(&fields[i], target);

                if (fields[i].type == JSON_FIELD_PATHS) {
                        json_paths_done(address_of(&fields[i], target));
                } else if (fields[i].type == JSON_FIELD_STRING ||
                           fields[i].type == JSON_FIELD_PATH) {
                        free(*text);
                        *text = NULL;
                }
        }
}
