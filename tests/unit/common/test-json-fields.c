/* SPDX-License-Identifier: MIT */

#include "common/json-fields.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Thing {
        char *name;
        char *file;
        JsonPaths folders;
        bool loud;
        int sure;
        unsigned count;
        uint64_t pause_usec;
        int colour;
        unsigned n_items;
} Thing;

static int check_name(const char *text, Error **ret_error)
{
        return strchr(text, ' ') ? error_set(ret_error, -EINVAL, "'%s' has a space in it", text)
                                 : 0;
}

static void read_items(JsonFile *file, uint32_t node, void *target)
{
        Thing *thing = target;

        if (json_file_expect(file, node, JSON_ARRAY))
                thing->n_items = file->doc.nodes[node].count;
}

static const char *const colours[] = {"red", "green", NULL};

static const JsonField fields[] = {
        {"name", JSON_FIELD_STRING, offsetof(Thing, name), .check = check_name, .required = true},
        {"file", JSON_FIELD_PATH, offsetof(Thing, file)},
        {"folders", JSON_FIELD_PATHS, offsetof(Thing, folders)},
        {"loud", JSON_FIELD_BOOLEAN, offsetof(Thing, loud)},
        {"sure", JSON_FIELD_TRISTATE, offsetof(Thing, sure)},
        {"count", JSON_FIELD_UINT, offsetof(Thing, count), 1, 10},
        {"pause_ms", JSON_FIELD_MSEC, offsetof(Thing, pause_usec), 0, 5000},
        {"colour", JSON_FIELD_WORD, offsetof(Thing, colour), .words = colours},
        {"items", JSON_FIELD_CUSTOM, .read = read_items},
};

static void test_reads_every_kind(void)
{
        static const char text[] =
                "{\"name\":\"n\",\"file\":\"f\",\"folders\":[\"/a\",\"b\"],\"loud\":true,"
                "\"sure\":false,\"count\":7,\"pause_ms\":250,\"colour\":\"green\","
                "\"items\":[1,2,3]}";
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        Thing thing = {.sure = -1};

        g_assert_cmpint(json_file_parse(&file, "/etc/t.json", text, strlen(text), &list), ==, 0);
        json_fields_read(&file, 0, fields, G_N_ELEMENTS(fields), &thing);
        g_assert_false(json_file_failed(&file));
        g_assert_cmpstr(thing.name, ==, "n");
        g_assert_cmpstr(thing.file, ==, "/etc/f");
        g_assert_cmpuint(thing.folders.count, ==, 2);
        g_assert_cmpstr(thing.folders.items[0], ==, "/a");
        g_assert_cmpstr(thing.folders.items[1], ==, "/etc/b");
        g_assert_true(thing.loud);
        g_assert_cmpint(thing.sure, ==, 0);
        g_assert_cmpuint(thing.count, ==, 7);
        g_assert_cmpuint(thing.pause_usec, ==, 250000);
        g_assert_cmpint(thing.colour, ==, 1);
        g_assert_cmpuint(thing.n_items, ==, 3);
        json_fields_done(fields, G_N_ELEMENTS(fields), &thing);
        g_assert_null(thing.name);
}

typedef struct Refusal {
        const char *name;
        const char *text;
        const char *error;
} Refusal;

static const Refusal refusals[] = {
        {"no-object", "[]", "t.json:1:1: expected an object, not an array"},
        {"missing-key", "{}", "t.json:1:1: 'name' is missing"},
        {"unknown-key", "{\"name\":\"n\",\"whatever\":1}",
         "t.json:1:13 /whatever: unknown key 'whatever'"},
        {"mistyped-key", "{\"name\":\"n\",\n\"folder\":[]}",
         "t.json:2:1 /folder: unknown key 'folder', did you mean 'folders'?"},
        {"other-case", "{\"name\":\"n\",\"Loud\":true}",
         "t.json:1:13 /Loud: unknown key 'Loud', did you mean 'loud'?"},
        {"string-type", "{\"name\":5}", "t.json:1:9 /name: expected a string, not a number"},
        {"string-check", "{\"name\":\"a b\"}", "t.json:1:9 /name: 'a b' has a space in it"},
        {"empty-path", "{\"name\":\"n\",\"file\":\"\"}",
         "t.json:1:20 /file: expected the name of a file or folder"},
        {"path-in-list", "{\"name\":\"n\",\"folders\":[\"/a\",3]}",
         "t.json:1:29 /folders/1: expected a string, not a number"},
        {"boolean", "{\"name\":\"n\",\"loud\":\"yes\"}",
         "t.json:1:20 /loud: expected a boolean, not a string"},
        {"tristate", "{\"name\":\"n\",\"sure\":null}",
         "t.json:1:20 /sure: expected a boolean, not null"},
        {"below", "{\"name\":\"n\",\"count\":0}",
         "t.json:1:21 /count: expected a number from 1 to 10"},
        {"above", "{\"name\":\"n\",\"pause_ms\":5001}",
         "t.json:1:24 /pause_ms: expected a number from 0 to 5000"},
        {"negative", "{\"name\":\"n\",\"count\":-1}",
         "t.json:1:21 /count: expected a number from 1 to 10"},
        {"beyond-64-bit", "{\"name\":\"n\",\"count\":18446744073709551617}",
         "t.json:1:21 /count: expected a number from 1 to 10"},
        {"fraction", "{\"name\":\"n\",\"count\":1.5}",
         "t.json:1:21 /count: expected a whole number"},
        {"word", "{\"name\":\"n\",\"colour\":\"blue\"}",
         "t.json:1:22 /colour: unknown word 'blue', expected one of: red, green"},
        {"mistyped-word", "{\"name\":\"n\",\"colour\":\"grean\"}",
         "t.json:1:22 /colour: unknown word 'grean', did you mean 'green'?"},
        {"custom", "{\"name\":\"n\",\"items\":{}}",
         "t.json:1:21 /items: expected an array, not an object"},
};

static void test_refuses(gconstpointer data)
{
        const Refusal *row = data;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        Thing thing = {};

        g_assert_cmpint(json_file_parse(&file, "t.json", row->text, strlen(row->text), &list), ==,
                        0);
        json_fields_read(&file, 0, fields, G_N_ELEMENTS(fields), &thing);
        json_fields_done(fields, G_N_ELEMENTS(fields), &thing);
        g_assert_cmpuint(list.count, ==, 1);
        g_assert_cmpstr(list.items[0].text, ==, row->error);
}

static void test_reports_all_that_is_wrong(void)
{
        static const char text[] = "{\"loud\":1,\"nmae\":2,\"count\":99}";
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        Thing thing = {};

        g_assert_cmpint(json_file_parse(&file, "t.json", text, strlen(text), &list), ==, 0);
        json_fields_read(&file, 0, fields, G_N_ELEMENTS(fields), &thing);
        g_assert_cmpuint(list.n_errors, ==, 4);
        json_fields_done(fields, G_N_ELEMENTS(fields), &thing);
}

static void test_sets_from_text(void)
{
        CLEANUP_ERROR Error *error = NULL;
        Thing thing = {};

        g_assert_cmpint(json_field_set_text(&fields[3], &thing, "true", NULL), ==, 0);
        g_assert_true(thing.loud);
        g_assert_cmpint(json_field_set_text(&fields[6], &thing, "30", NULL), ==, 0);
        g_assert_cmpuint(thing.pause_usec, ==, 30000);
        g_assert_cmpint(json_field_set_text(&fields[5], &thing, "ten", &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "expected a whole number");
        error = error_free(error);
        g_assert_cmpint(json_field_set_text(&fields[3], &thing, "maybe", &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "expected true or false, not 'maybe'");
        error = error_free(error);
        g_assert_cmpint(json_field_set_text(&fields[8], &thing, "x", &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "this can only be set in a file");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
                g_autofree char *path =
                        g_strconcat("/json-fields/refuses/", refusals[i].name, NULL);

                g_test_add_data_func(path, &refusals[i], test_refuses);
        }
        g_test_add_func("/json-fields/reads-every-kind", test_reads_every_kind);
        g_test_add_func("/json-fields/reports-all-that-is-wrong", test_reports_all_that_is_wrong);
        g_test_add_func("/json-fields/sets-from-text", test_sets_from_text);
        return g_test_run();
}
