/* SPDX-License-Identifier: MIT */

#include "gateway/survey.h"

#include <errno.h>
#include <glib.h>

#include "tests/unit/gateway/make-survey.h"

#define INTERFACE(name) "<interface name='" name "'/>"

static void test_objects_share_definitions(void)
{
        CLEANUP_SURVEY Survey survey = {};
        const SurveyObject *a, *b;

        make_survey_add(&survey, "/b", INTERFACE("a.I") INTERFACE("a.J"));
        make_survey_add(&survey, "/a", INTERFACE("a.J"));
        survey_sort(&survey);
        a = survey_find(&survey, "/a");
        b = survey_find(&survey, "/b");
        g_assert_true(survey.objects == a);
        g_assert_cmpuint(b->n_interfaces, ==, 2);
        g_assert_true(b->interfaces[1] == a->interfaces[0]);
        g_assert_true(survey_object_has(b, "a.I"));
        g_assert_false(survey_object_has(a, "a.I"));
        g_assert_null(survey_find(&survey, "/c"));
}

static void test_what_every_service_has_is_left_out(void)
{
        CLEANUP_SURVEY Survey survey = {};

        make_survey_add(&survey, "/",
                        INTERFACE("org.freedesktop.DBus.Peer")
                                INTERFACE("org.freedesktop.DBus.Properties") INTERFACE("a.I"));
        make_survey_add(&survey, "/m", INTERFACE("org.freedesktop.DBus.ObjectManager"));
        make_survey_add(&survey, "/n", INTERFACE("org.freedesktop.DBus.ObjectManager"));
        g_assert_cmpuint(survey_find(&survey, "/")->n_interfaces, ==, 1);
        g_assert_cmpuint(survey_find(&survey, "/m")->n_interfaces, ==, 0);
        g_assert_cmpstr(survey.object_manager, ==, "/m");
}

static void test_nested_interfaces_are_not_the_objects(void)
{
        CLEANUP_SURVEY Survey survey = {};

        make_survey_add(&survey, "/a",
                        "<node name='b'>" INTERFACE("a.Inner") "</node>" INTERFACE("a.Outer"));
        g_assert_cmpuint(survey_find(&survey, "/a")->n_interfaces, ==, 1);
        g_assert_cmpint(survey_add_known(&survey, "/a/b", "a.Inner"), ==, 1);
        g_assert_cmpint(survey_add_known(&survey, "/a/b", "a.Unknown"), ==, 0);
        g_assert_true(survey_object_has(survey_find(&survey, "/a/b"), "a.Inner"));
}

static void test_size_is_limited(void)
{
        CLEANUP_SURVEY Survey survey = {};
        g_autoptr(GString) deep = g_string_new(NULL);
        int r = 0;
        unsigned i;

        for (i = 0; i < 17; i++)
                g_string_append(deep, "/x");
        g_assert_cmpint(survey_add(&survey, deep->str, NULL), ==, -E2BIG);
        for (i = 0; r >= 0; i++) {
                g_autofree char *path = g_strdup_printf("/o%u", i);

                r = survey_add(&survey, path, NULL);
        }
        g_assert_cmpint(r, ==, -E2BIG);
        g_assert_cmpuint(i, ==, 10001);
        g_assert_cmpint(survey_add(&survey, "/o5", NULL), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/survey/objects-share-definitions", test_objects_share_definitions);
        g_test_add_func("/survey/what-every-service-has-is-left-out",
                        test_what_every_service_has_is_left_out);
        g_test_add_func("/survey/nested-interfaces-are-not-the-objects",
                        test_nested_interfaces_are_not_the_objects);
        g_test_add_func("/survey/size-is-limited", test_size_is_limited);
        return g_test_run();
}
