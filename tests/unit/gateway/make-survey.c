/* SPDX-License-Identifier: MIT */

#include "tests/unit/gateway/make-survey.h"

#include <glib.h>
#include <string.h>

void make_survey_add(Survey *survey, const char *path, const char *interfaces)
{
        g_autofree char *xml = g_strdup_printf("<node>%s</node>", interfaces);
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};

        g_assert_cmpint(introspection_parse(xml, strlen(xml), path, &list, &introspection, NULL),
                        ==, 0);
        g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
        g_assert_cmpint(survey_add(survey, path, introspection), ==, 0);
}

MappingService *make_mapping(const char *objects)
{
        g_autofree char *text = g_strdup_printf(
                "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\"objects\":[%s]}", objects);
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        MappingService *service = NULL;

        mapping_parse("x.json", text, strlen(text), &list, &service);
        g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
        return service;
}
