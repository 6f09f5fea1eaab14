/* SPDX-License-Identifier: MIT */

#include "gateway/check.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct Row {
        const char *name;
        const char *interface; /* the content of a.I */
        const char *warning;   /* after "FILE:"; NULL: none */
        const char *note;
} Row;

#define AT "/objects/0/interfaces/a.I"

static const Row rows[] = {
        {"nothing", "\"methods\":{\"M\":{\"in\":[],\"out\":[]}}", NULL, NULL},
        {"deprecated", "\"signals\":{\"S\":{\"args\":[],\"deprecated\":true}}",
         "2:12 " AT "/signals/S: signal 'S' of a.I is deprecated", NULL},
        {"descriptor-in-argument", "\"methods\":{\"M\":{\"in\":[\"a:s\",\"fd:ah\"],\"out\":[]}}",
         "2:12 " AT "/methods/M: method 'M' of a.I cannot be used: 'fd' is of type 'ah', and file "
         "descriptors cannot leave D-Bus",
         NULL},
        {"descriptor-in-result", "\"methods\":{\"M\":{\"in\":[],\"out\":[\"fd:h\"]}}",
         "2:12 " AT "/methods/M: method 'M' of a.I cannot be used: 'fd' is of type 'h', and file "
         "descriptors cannot leave D-Bus",
         NULL},
        {"batch", "\"methods\":{\"M\":{\"in\":[],\"out\":[],\"batch\":true}}",
         "2:12 " AT "/methods/M: with 'batch', whoever may use rpc/ of the object may call it, "
         "though its access class is 'admin'",
         NULL},
        {"batch-of-class-read",
         "\"methods\":{\"M\":{\"in\":[],\"out\":[],\"batch\":true,\"access\":\"read\"}}", NULL,
         NULL},
        {"batch-of-star", "\"methods\":{\"*\":{\"batch\":true,\"access\":\"control\"}}",
         "2:12 " AT "/methods/*: with 'batch', whoever may use rpc/ of the object may call it, "
         "though its access class is 'control'",
         "2:12 " AT "/methods/*: \"*\": its members are not known before the service has been "
         "introspected"},
        {"no-types", "\"methods\":{\"M\":{}}", NULL,
         "2:12 " AT "/methods/M: its types are not known before the service has been introspected"},
};

/* The first text without the path of the file; NULL if there is none. */
static const char *first(const Diagnostics *list, const char *file)
{
        if (list->count == 0)
                return NULL;
        g_assert_cmpuint(list->count, ==, 1);
        g_assert_true(g_str_has_prefix(list->items[0].text, file));
        return list->items[0].text + strlen(file) + 1;
}

static void test_finding(gconstpointer data)
{
        const Row *row = data;
        g_autofree char *folder = g_dir_make_tmp("check-XXXXXX", NULL);
        g_autofree char *file = g_build_filename(folder, "x.json", NULL);
        g_autofree char *text = g_strdup_printf(
                "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[{\"path\":\"/b\","
                "\"interfaces\":{\"a.I\":{\n%s}}}]}",
                row->interface);
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics list = {}, notes = {};

        g_assert_true(g_file_set_contents(file, text, -1, NULL));
        g_assert_cmpint(mapping_load(file, &list, &service), ==, 0);
        check_service(service, &list, &notes);
        g_assert_cmpstr(first(&list, file), ==, row->warning);
        g_assert_cmpstr(first(&notes, file), ==, row->note);
        g_assert_cmpuint(list.n_errors, ==, 0);
        g_unlink(file);
        g_rmdir(folder);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strconcat("/check/", rows[i].name, NULL);

                g_test_add_data_func(path, &rows[i], test_finding);
        }
        return g_test_run();
}
