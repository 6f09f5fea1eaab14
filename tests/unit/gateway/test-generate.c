/* SPDX-License-Identifier: MIT */

#include "gateway/generate.h"

#include <glib.h>
#include <string.h>

#include "gateway/diff.h"
#include "tests/unit/gateway/make-survey.h"

static char *generate(const Survey *survey, const GenerateOptions *options)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_DRAFT Draft draft = {};

        g_assert_cmpint(draft_make(survey, options->bus_name, NULL, NULL, &draft), ==, 0);
        g_assert_cmpint(generate_write(options, survey, &draft, &buffer), ==, 0);
        return g_strdup(buffer_text(&buffer));
}

/* What is written loads without a finding, and has no difference to what it was made of. */
static MappingService *load(const Survey *survey, const char *text)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        MappingService *service = NULL;

        mapping_parse("x.json", text, strlen(text), &list, &service);
        g_assert_cmpstr(list.count > 0 ? list.items[0].text : NULL, ==, NULL);
        diff_write(service, survey, false, &out);
        g_assert_cmpstr(buffer_text(&out), ==, "");
        return service;
}

#define DEPRECATED "<annotation name='org.freedesktop.DBus.Deprecated' value='true'/>"
#define EMITS(how) \
        "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='" how "'/>"

static const char all_kinds[] =
        "<interface name='a.I'>"
        "<method name='Get'><arg type='s' name='key'/><arg type='v' direction='out' name='v'/>"
        "</method>"
        "<method name='Odd'><arg type='s'/><arg type='i' name='arg0'/><arg type='u' name='x'/>"
        "<arg type='t' name='x'/><arg type='b' name='say &quot;hi&quot;:'/></method>"
        "<method name='Old'>" DEPRECATED "</method>"
        "<method name='Open'><arg type='ah' direction='out'/></method>"
        "<method name='Quiet'><annotation name='org.freedesktop.DBus.Method.NoReply' value='true'/>"
        "</method>"
        "<property name='A' type='s' access='readwrite'/>"
        "<property name='B' type='s' access='read'>" EMITS(
                "false") "</property>"
                         "<property name='C' type='s' access='read'>" EMITS(
                                 "const") "</property>"
                                          "<signal name='S'><arg type='a{sv}' "
                                          "name='what'/></signal>"
                                          "</interface>"
                                          "<interface name='a.J'><property name='A' type='u' "
                                          "access='read'/></interface>"
                                          "<interface name='a.Old'>" DEPRECATED
                                          "<method name='M'/></interface>"
                                          "<interface name='a.Empty'/>";

static const char expected[] =
        "{\n"
        "  \"$schema\": \"mapping.schema.json\",\n"
        "  \"service\": \"a\",\n"
        "  \"dbus\": { \"name\": \"org.a1\" },\n"
        "  \"objects\": [\n"
        "    {\n"
        "      \"path\": \"/org/a1\",\n"
        "      \"interfaces\": {\n"
        "        \"a.I\": {\n"
        "          \"methods\": {\n"
        "            \"Get\": { \"in\": [\"key:s\"], \"out\": [\"v:v\"], \"access\": \"read\" },\n"
        "            \"Odd\": { \"in\": [\"arg0_:s\", \"arg0:i\", \"x:u\", \"arg3:t\", \"say "
        "\\\"hi\\\"::b\"], \"out\": [], \"access\": \"admin\" },\n"
        "            // \"Old\": deprecated\n"
        "            // \"Open\": carries file descriptors, which cannot leave D-Bus\n"
        "            \"Quiet\": { \"in\": [], \"out\": [], \"access\": \"admin\", \"no_reply\": "
        "true "
        "}\n"
        "          },\n"
        "          \"properties\": {\n"
        "            \"A\": { \"type\": \"s\", \"writable\": true, \"access\": \"admin\" },\n"
        "            \"B\": { \"type\": \"s\", \"emits_changed\": \"false\" }, // does not tell of "
        "changes; \"poll_s\": 10 would look for them\n"
        "            \"C\": { \"type\": \"s\", \"emits_changed\": \"const\" }\n"
        "          },\n"
        "          \"signals\": {\n"
        "            \"S\": { \"args\": [\"what:a{sv}\"] }\n"
        "          }\n"
        "        },\n"
        "        \"a.J\": {\n"
        "          \"properties\": {\n"
        "            \"A\": { \"as\": \"a.J.A\", \"type\": \"u\" }\n"
        "          }\n"
        "        },\n"
        "        // \"a.Old\": deprecated\n"
        "        \"a.Empty\": {}\n"
        "      }\n"
        "    }\n"
        "  ]\n"
        "}\n";

static void test_writes_all_kinds(void)
{
        const GenerateOptions options = {.bus_name = "org.a1"};
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_SURVEY Survey survey = {};
        g_autofree char *text = NULL;

        make_survey_add(&survey, "/org/a1", all_kinds);
        text = generate(&survey, &options);
        g_assert_true(g_str_has_prefix(text, "// Written by"));
        g_assert_cmpstr(strchr(text, '{'), ==, expected);
        service = load(&survey, text);
        g_assert_false(mapping_object_needs_introspection(service->objects));
}

static void test_writes_templates(void)
{
        const GenerateOptions options = {
                .bus = "session",
                .bus_name = "org.mpris.Player.*",
                .service = "p-{x}",
        };
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_SURVEY Survey survey = {};
        g_autofree char *text = NULL;

        make_survey_add(&survey, "/org/mpris/Player",
                        "<interface name='org.freedesktop.DBus.ObjectManager'/>"
                        "<interface name='a.I'/>");
        make_survey_add(&survey, "/org/mpris/Player/t1", "<interface name='a.J'/>");
        make_survey_add(&survey, "/org/mpris/Player/t2", "<interface name='a.J'/>");
        text = generate(&survey, &options);
        service = load(&survey, text);
        g_assert_cmpstr(service->bus, ==, "session");
        g_assert_cmpstr(service->name, ==, "p-{x}");
        g_assert_cmpstr(service->bus_name, ==, "org.mpris.Player.*");
        g_assert_cmpstr(service->object_manager, ==, "/org/mpris/Player");
        g_assert_nonnull(mapping_service_find_object(service, "-"));
        g_assert_cmpuint(service->n_templates, ==, 1);
        g_assert_cmpstr(service->templates[0]->name, ==, "{player}");
}

/* A template that covers the service's own path has no default names. */
static void test_names_what_has_no_default_name(void)
{
        const GenerateOptions options = {.bus_name = "org.a"};
        CLEANUP_MAPPING_SERVICE MappingService *service = NULL;
        CLEANUP_SURVEY Survey survey = {};
        g_autofree char *text = NULL;

        make_survey_add(&survey, "/o1/x/y", "<interface name='a.I'/>");
        make_survey_add(&survey, "/o2/x/y", "<interface name='a.I'/>");
        make_survey_add(&survey, "/b1/a", "<interface name='a.J'/>");
        text = generate(&survey, &options);
        service = load(&survey, text);
        g_assert_cmpuint(service->n_templates, ==, 2);
        g_assert_cmpstr(service->templates[1]->path, ==, "/{id}/a");
        g_assert_cmpstr(service->templates[1]->name, ==, ".{id}.a");
        g_assert_nonnull(strstr(text, "\"object\": \".{id}.a\""));
}

static void test_suggests_a_service_name(void)
{
        static const char *const rows[][2] = {
                {"org.freedesktop.hostname1", "hostname"},
                {"org.freedesktop.NetworkManager", "networkmanager"},
                {"org.mpris.MediaPlayer2.*", "mediaplayer.{name}"},
                {"fi.w1.wpa_supplicant1", "wpa_supplicant"},
                {"org._1", "_"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_FREE char *name = generate_service_name(rows[i][0]);

                g_assert_cmpstr(name, ==, rows[i][1]);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/generate/writes-all-kinds", test_writes_all_kinds);
        g_test_add_func("/generate/writes-templates", test_writes_templates);
        g_test_add_func("/generate/names-what-has-no-default-name",
                        test_names_what_has_no_default_name);
        g_test_add_func("/generate/suggests-a-service-name", test_suggests_a_service_name);
        return g_test_run();
}
