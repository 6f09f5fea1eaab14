/* SPDX-License-Identifier: MIT */

#include "gateway/emit.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/gateway/make-survey.h"

static const char head[] = "pattern read r/1/+/+/call/+/%u/+\npattern read r/1/+/+/rpc/%u/+\n"
                           "pattern read r/1/+/$state\npattern read r/1/+/$api\n"
                           "pattern read r/1/+/+/$meta\n";

#define GATEWAY                                                                               \
        "\n# The gateway: what it provides, and its own presence.\nuser gw\ntopic readwrite " \
        "r/1/gw/#\n"

/* The file for a mapping with these objects and grants, from its first line that is not always the
 * same. */
static char *emit(const char *objects, const EmitGrant *grants, size_t n_grants)
{
        EmitOptions options = {
                .root = "r/1",
                .gateway = "gw",
                .grants = grants,
                .n_grants = n_grants,
        };
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_MAPPING_SET MappingSet set = {};
        const char *start;

        g_assert_cmpint(mapping_set_add(&set, make_mapping(objects), NULL), ==, 0);
        g_assert_cmpint(emit_mosquitto_acl(&set, &options, &buffer), ==, 0);
        start = strstr(buffer_text(&buffer), head);
        g_assert_nonnull(start);
        return g_strdup(start + strlen(head));
}

#define M(name, access) "\"" name "\":{\"in\":[],\"out\":[],\"access\":\"" access "\"}"
#define METHODS(path, content) \
        "{\"path\":\"" path "\",\"interfaces\":{\"a.I\":{\"methods\":{" content "}}}}"

static void test_grants_by_class(void)
{
        static const EmitGrant grants[] = {
                {"read", "alice"},
                {"admin", "root"},
                {"own", "bob"},
                {"read", "root"},
        };
        g_autofree char *text =
                emit(METHODS("/org/a", M("Get", "read") "," M("Set", "admin") "," M("Do", "own")),
                     grants, G_N_ELEMENTS(grants));

        g_assert_cmpstr(text, ==,
                        GATEWAY "topic readwrite r/1/s/#\n"
                                "\nuser alice\n"
                                "topic write r/1/s/-/call/Get/alice\n"
                                "topic read r/1/s/+/sig/+\n"
                                "topic read r/1/s/+/prop/+\n"
                                "topic write r/1/s/+/call/rpc.ping/alice\n"
                                "topic write r/1/s/+/call/rpc.discover/alice\n"
                                "topic write r/1/s/+/call/prop.get/alice\n"
                                "topic write r/1/s/+/call/prop.getall/alice\n"
                                "topic write r/1/s/+/call/rpc.cancel/alice\n"
                                "\nuser root\n"
                                "topic write r/1/s/-/call/Get/root\n"
                                "topic write r/1/s/-/call/Set/root\n"
                                "topic read r/1/s/+/sig/+\n"
                                "topic read r/1/s/+/prop/+\n"
                                "topic write r/1/s/+/call/rpc.ping/root\n"
                                "topic write r/1/s/+/call/rpc.discover/root\n"
                                "topic write r/1/s/+/call/prop.get/root\n"
                                "topic write r/1/s/+/call/prop.getall/root\n"
                                "topic write r/1/s/+/call/rpc.cancel/root\n"
                                "\nuser bob\n"
                                "topic write r/1/s/-/call/Do/bob\n"
                                "topic write r/1/s/+/call/rpc.cancel/bob\n");
}

static void test_everybody_is_a_pattern(void)
{
        static const EmitGrant grants[] = {{"own", "*"}};
        g_autofree char *text = emit(METHODS("/x", M("Do", "own")), grants, 1);

        g_assert_cmpstr(text, ==,
                        "\n# Everybody who has logged in.\n"
                        "pattern write r/1/s/.x/call/Do/%u\n"
                        "pattern write r/1/s/+/call/rpc.cancel/%u\n"
                        "pattern write r/1/s/+/rpc/%u\n" GATEWAY "topic readwrite r/1/s/#\n");
}

static void test_properties_are_written_one_by_one(void)
{
        static const EmitGrant grants[] = {{"control", "bob"}};
        g_autofree char *text =
                emit("{\"path\":\"/org/a\",\"interfaces\":{\"a.I\":{\"properties\":{"
                     "\"P\":{\"type\":\"s\",\"writable\":true,\"access\":\"control\"},"
                     "\"Q\":{\"type\":\"s\",\"writable\":true},"
                     "\"R\":{\"type\":\"s\",\"access\":\"control\"}}}}}",
                     grants, 1);

        g_assert_nonnull(strstr(text, "\nuser bob\ntopic write r/1/s/-/call/prop.set.P/bob\n"
                                      "topic write r/1/s/+/call/rpc.cancel/bob\n"));
        g_assert_null(strstr(text, "prop.set.Q"));
        g_assert_null(strstr(text, "prop.set.R"));
        g_assert_null(strstr(text, "rpc/bob"));
}

/* A filter with + for the object would reach the method of the other class as well. */
static void test_wildcard_does_not_reach_other_classes(void)
{
        static const EmitGrant one[] = {{"read", "alice"}};
        static const EmitGrant both[] = {{"read", "alice"}, {"admin", "alice"}};
        static const char objects[] =
                METHODS("/org/a", M("Get", "admin") "," M("List", "read")) "," METHODS(
                        "/org/a/{x}", M("Get", "read") "," M("List", "read"));
        g_autofree char *text = emit(objects, one, 1);
        g_autofree char *whole = emit(objects, both, 2);

        g_assert_null(strstr(text, "topic write r/1/s/+/call/Get"));
        g_assert_null(strstr(text, "topic write r/1/s/-/call/Get"));
        g_assert_nonnull(strstr(text,
                                "# Get of s is not granted: another object has one of another "
                                "class, and a topic filter cannot tell '{x}' from it\n"));
        g_assert_nonnull(strstr(text, "topic write r/1/s/-/call/List/alice\n"));
        g_assert_nonnull(strstr(text, "topic write r/1/s/+/call/List/alice\n"));
        g_assert_nonnull(strstr(whole, "topic write r/1/s/+/call/Get/alice\n"));
        g_assert_nonnull(strstr(whole, "topic write r/1/s/+/rpc/alice\n"));
}

static void test_signals_of_a_class(void)
{
        static const EmitGrant grants[] = {{"read", "alice"}, {"own", "bob"}};
        g_autofree char *text =
                emit("{\"path\":\"/org/a\",\"interfaces\":{\"a.I\":{\"signals\":{"
                     "\"S\":{\"args\":[]},\"T\":{\"args\":[],\"access\":\"own\"}}}}}",
                     grants, 2);

        g_assert_nonnull(strstr(text, "\nuser alice\ntopic read r/1/s/-/sig/S\n"));
        g_assert_null(strstr(text, "sig/+"));
        g_assert_true(g_str_has_suffix(text, "\nuser bob\ntopic read r/1/s/-/sig/T\n"));
}

static void test_members_of_a_family_have_to_be_named(void)
{
        static const char mapping[] =
                "{\"service\":\"p.{n}\",\"dbus\":{\"name\":\"org.a.*\"},\"objects\":[" METHODS(
                        "/org/a", M("Do", "own")) "]}";
        static const EmitGrant grants[] = {{"own", "bob"}};
        EmitOptions options = {.root = "r", .gateway = "gw", .grants = grants, .n_grants = 1};
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_MAPPING_SET MappingSet set = {};
        MappingService *service = NULL;

        g_assert_cmpint(mapping_parse("x", mapping, strlen(mapping), NULL, &service), ==, 0);
        g_assert_cmpint(mapping_set_add(&set, service, NULL), ==, 0);
        g_assert_cmpint(emit_mosquitto_acl(&set, &options, &buffer), ==, 0);
        g_assert_nonnull(
                strstr(buffer_text(&buffer), "\n# for each of them: topic readwrite r/p.{n}/#\n"));
        g_assert_nonnull(strstr(buffer_text(&buffer),
                                "\n# for each of them: topic write r/p.{n}/-/call/Do/bob\n"));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/emit-acl/grants-by-class", test_grants_by_class);
        g_test_add_func("/emit-acl/everybody-is-a-pattern", test_everybody_is_a_pattern);
        g_test_add_func("/emit-acl/properties-are-written-one-by-one",
                        test_properties_are_written_one_by_one);
        g_test_add_func("/emit-acl/wildcard-does-not-reach-other-classes",
                        test_wildcard_does_not_reach_other_classes);
        g_test_add_func("/emit-acl/signals-of-a-class", test_signals_of_a_class);
        g_test_add_func("/emit-acl/members-of-a-family-have-to-be-named",
                        test_members_of_a_family_have_to_be_named);
        return g_test_run();
}
