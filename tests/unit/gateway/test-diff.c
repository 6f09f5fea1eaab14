/* SPDX-License-Identifier: MIT */

#include "gateway/diff.h"

#include <glib.h>

#include "tests/unit/gateway/make-survey.h"

static const char xml[] =
        "<interface name='a.I'>"
        "<method name='M'><arg type='s' name='k'/><arg type='u' direction='out'/></method>"
        "<method name='Open'><arg type='h' name='fd'/></method>"
        "<method name='Old'><annotation name='org.freedesktop.DBus.Deprecated' value='true'/>"
        "</method>"
        "<property name='P' type='s' access='read'>"
        "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='const'/>"
        "</property>"
        "<signal name='S'><arg type='s'/></signal>"
        "</interface>";

typedef struct Case {
        const char *name;
        const char *objects; /* of the mapping */
        const char *lines;
        bool only_mapped;
} Case;

#define OBJECT(content)    "{\"path\":\"/a\",\"interfaces\":{\"a.I\":" content "}}"
#define ALL_BUT_METHODS    "\"properties\":{\"*\":{}},\"signals\":{\"*\":{}}"
#define ALL_BUT_PROPERTIES "\"methods\":{\"*\":{}},\"signals\":{\"*\":{}}"

static const Case cases[] = {
        {"everything", OBJECT("\"*\""), "", false},
        {"as-it-is",
         OBJECT("{\"methods\":{\"M\":{\"in\":[\"k:s\"],\"out\":[\"x:u\"]}},\"properties\":{\"P\":"
                "{\"type\":\"s\",\"emits_changed\":\"const\"}},\"signals\":{\"S\":{\"args\":[\"x:"
                "s\"]"
                "}}}"),
         "", false},
        {"left-out-on-purpose", OBJECT("{\"methods\":{\"M\":false}," ALL_BUT_METHODS "}"), "",
         false},
        {"not-mapped", OBJECT("{}"), "+ /a a.I method M\n+ /a a.I property P\n+ /a a.I signal S\n",
         false},
        {"not-mapped-and-not-asked-for", OBJECT("{}"), "", true},
        {"missing-member",
         OBJECT("{\"methods\":{\"*\":{},\"X\":{}},\"signals\":{\"*\":{},\"Y\":{}},"
                "\"properties\":{\"*\":{},\"Z\":{}}}"),
         "- /a a.I method X\n- /a a.I property Z\n- /a a.I signal Y\n", true},
        {"types-of-arguments",
         OBJECT("{\"methods\":{\"M\":{\"in\":[\"k:o\"],\"out\":[]}}," ALL_BUT_METHODS "}"),
         "! /a a.I method M: in is 'o' in the mapping and 's' in the service\n"
         "! /a a.I method M: out is '' in the mapping and 'u' in the service\n",
         false},
        {"types-that-are-left-open",
         OBJECT("{\"methods\":{\"M\":{\"in\":[{\"name\":\"z\"}]}}," ALL_BUT_METHODS "}"), "",
         false},
        {"type-of-property",
         OBJECT("{\"properties\":{\"P\":{\"type\":\"i\",\"writable\":true,\"emits_changed\":"
                "\"false\"}}," ALL_BUT_PROPERTIES "}"),
         "! /a a.I property P: its type is 'i' in the mapping and 's' in the service\n"
         "! /a a.I property P: writable in the mapping, not in the service\n"
         "! /a a.I property P: emits_changed is \"false\" in the mapping and \"const\" in the "
         "service\n",
         false},
        {"complete-mapping-says-nothing-of-changes",
         OBJECT("{\"properties\":{\"P\":{\"type\":\"s\"}}}"),
         "! /a a.I property P: emits_changed is \"true\" in the mapping and \"const\" in the "
         "service\n",
         true},
        {"missing-interface", "{\"path\":\"/a\",\"interfaces\":{\"a.I\":\"*\",\"a.J\":\"*\"}}",
         "- /a a.J\n", false},
        {"missing-object", OBJECT("\"*\"") ",{\"path\":\"/b\",\"interfaces\":{\"a.I\":\"*\"}}",
         "- /b\n", false},
        {"no-object-of-a-template",
         OBJECT("\"*\"") ",{\"path\":\"/b/{x}\",\"interfaces\":{\"a.I\":\"*\"}}", "? /b/{x}\n",
         false},
        {"not-mapped-object", "{\"path\":\"/b\",\"interfaces\":{}}", "- /b\n+ /a a.I\n", false},
        {"not-mapped-interface", "{\"path\":\"/a\",\"interfaces\":{}}", "+ /a a.I\n", false},
        {"by-template", "{\"path\":\"/{x}\",\"interfaces\":{\"a.I\":\"*\",\"a.K\":\"*\"}}",
         "? /{x} a.K\n", false},
};

static unsigned count_differences(const char *lines)
{
        unsigned count = 0;

        for (const char *p = lines; *p; p++)
                if ((p == lines || p[-1] == '\n') && *p != '?')
                        count++;
        return count;
}

static void test_compares(gconstpointer data)
{
        const Case *row = data;
        CLEANUP_MAPPING_SERVICE MappingService *service = make_mapping(row->objects);
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        CLEANUP_SURVEY Survey survey = {};

        make_survey_add(&survey, "/a", xml);
        g_assert_cmpint(diff_write(service, &survey, row->only_mapped, &out), ==,
                        count_differences(row->lines));
        g_assert_cmpstr(buffer_text(&out), ==, row->lines);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/diff/", cases[i].name, NULL);

                g_test_add_data_func(path, &cases[i], test_compares);
        }
        return g_test_run();
}
