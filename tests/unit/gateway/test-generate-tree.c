/* SPDX-License-Identifier: MIT */

#include "gateway/generate-tree.h"

#include <glib.h>
#include <string.h>

#include "gateway/path-template.h"
#include "tests/unit/gateway/make-survey.h"

typedef struct Case {
        const char *name;
        const char *bus_name;
        const char *objects[10]; /* "PATH INTERFACE INTERFACE…" */
        const char *expected[8]; /* the same, of the draft */
} Case;

static const Case cases[] = {
        {"one", "org.a", {"/org/a I"}, {"/org/a I"}},
        {"root", "org.a", {"/ I"}, {"/ I"}},
        {"siblings-of-a-kind",
         "org.a",
         {"/org/a M", "/org/a/Devices/x D", "/org/a/Devices/y D E"},
         {"/org/a M", "/org/a/Devices/{device} D E"}},
        {"siblings-of-different-kinds",
         "org.a",
         {"/org/a/Agent A", "/org/a/Settings S"},
         {"/org/a/Agent A", "/org/a/Settings S"}},
        {"only-child-with-a-number", "org.a", {"/org/a/Job/7 J"}, {"/org/a/Job/{job} J"}},
        {"own-name-has-a-number", "org.a1", {"/org/a1 I"}, {"/org/a1 I"}},
        {"named-after-its-interface", "org.a", {"/org/Log1 x.Log1"}, {"/org/Log1 x.Log1"}},
        {"numbers-in-the-way",
         "org.a",
         {"/Client1/Group1 G", "/Client1/Group2 G", "/Client2/Group1 G"},
         {"/{client}/{group} G"}},
        {"node-with-a-number-inside", "org.a", {"/IP4Config/1 C"}, {"/IP4Config/{ip4config} C"}},
        {"template-below-template",
         "org.bluez",
         {"/org/bluez A", "/org/bluez/hci0 H", "/org/bluez/hci0/dev_1 D", "/org/bluez/hci0/dev_2 D",
          "/org/bluez/hci1 H", "/org/bluez/hci1/dev_1 D"},
         {"/org/bluez A", "/org/bluez/{hci} H", "/org/bluez/{hci}/{dev} D"}},
        {"fixed-name-below-template", "org.a", {"/x/1/info I", "/x/2/info I"}, {"/x/{id}/info I"}},
        {"one-capture-twice", "org.a", {"/x/x1/x2 I", "/x/x2/x1 I"}, {"/x/{id}/{id2} I"}},
        {"units",
         "org.a",
         {"/unit/a_service U S", "/unit/b_mount U M", "/unit/c_service U S"},
         {"/unit/{unit} U S M"}},
        {"template-as-given", "org.a", {"/org/a/{x} I"}, {"/org/a/{x} I"}},
};

static const char *full_name(const char *word)
{
        static char name[100];

        g_snprintf(name, sizeof(name), "%s%s", strchr(word, '.') ? "" : "x.", word);
        return name;
}

static void add(Survey *survey, const char *text)
{
        g_auto(GStrv) words = g_strsplit(text, " ", -1);
        g_autoptr(GString) xml = g_string_new(NULL);

        for (size_t i = 1; words[i]; i++)
                g_string_append_printf(xml, "<interface name='%s'/>", full_name(words[i]));
        make_survey_add(survey, words[0], xml->str);
}

static char *describe(const DraftObject *object)
{
        GString *text = g_string_new(object->path);

        for (size_t i = 0; i < object->n_interfaces; i++)
                g_string_append_printf(text, " %s", object->interfaces[i]->name);
        return g_string_free(text, FALSE);
}

static void test_guess(gconstpointer data)
{
        const Case *row = data;
        CLEANUP_SURVEY Survey survey = {};
        CLEANUP_DRAFT Draft draft = {};
        size_t n = 0;

        for (size_t i = 0; row->objects[i]; i++)
                add(&survey, row->objects[i]);
        survey_sort(&survey);
        g_assert_cmpint(draft_make(&survey, row->bus_name, NULL, NULL, &draft), ==, 0);
        for (; row->expected[n]; n++) {
                g_auto(GStrv) words = g_strsplit(row->expected[n], " ", -1);
                g_autoptr(GString) expected = g_string_new(words[0]);
                g_autofree char *got = NULL;

                g_assert_cmpuint(n, <, draft.count);
                got = describe(&draft.items[n]);
                for (size_t i = 1; words[i]; i++)
                        g_string_append_printf(expected, " %s", full_name(words[i]));
                g_assert_cmpstr(got, ==, expected->str);
                g_assert_cmpint(path_template_check_path(draft.items[n].path, NULL), ==, 0);
        }
        g_assert_cmpuint(draft.count, ==, n);
}

static bool is_not_a(const SurveyObject *object, const void *userdata)
{
        return strcmp(object->path, userdata) != 0;
}

static void test_takes_what_is_wanted(void)
{
        CLEANUP_SURVEY Survey survey = {};
        CLEANUP_DRAFT Draft draft = {};

        add(&survey, "/a I");
        add(&survey, "/b J");
        g_assert_cmpint(draft_make(&survey, "org.a", is_not_a, "/a", &draft), ==, 0);
        g_assert_cmpuint(draft.count, ==, 1);
        g_assert_cmpstr(draft.items[0].path, ==, "/b");
}

static void test_number_of_templates_is_limited(void)
{
        CLEANUP_SURVEY Survey survey = {};
        CLEANUP_DRAFT Draft draft = {};

        for (int i = 0; i < 130; i++) {
                g_autofree char *text = g_strdup_printf("/n%c%c/1 I", 'a' + i / 26, 'a' + i % 26);

                add(&survey, text);
        }
        g_assert_cmpint(draft_make(&survey, "org.a", NULL, NULL, &draft), ==, 0);
        g_assert_cmpuint(draft.count, ==, 128);
        g_assert_cmpuint(draft.n_left_out, ==, 2);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/generate-tree/", cases[i].name, NULL);

                g_test_add_data_func(path, &cases[i], test_guess);
        }
        g_test_add_func("/generate-tree/takes-what-is-wanted", test_takes_what_is_wanted);
        g_test_add_func("/generate-tree/number-of-templates-is-limited",
                        test_number_of_templates_is_limited);
        return g_test_run();
}
