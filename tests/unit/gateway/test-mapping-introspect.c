/* SPDX-License-Identifier: MIT */

#include "gateway/mapping.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

static const char xml[] =
        "<node>\n"
        " <interface name='a.I'>\n"
        "  <method name='Get'><arg name='key' type='s' direction='in'/>"
        "<arg type='ay' name='value' direction='out'/></method>\n"
        "  <method name='Old'><annotation name='org.freedesktop.DBus.Deprecated' value='true'/>"
        "</method>\n"
        "  <method name='Same'/>\n"
        "  <property name='HwAddress' type='s' access='readwrite'/>\n"
        "  <signal name='Gone'><arg name='x' type='u'/><arg name='x' type='u'/></signal>\n"
        " </interface>\n"
        " <interface name='a.J'>\n"
        "  <method name='Same'><arg type='i' direction='in'/></method>\n"
        "  <property name='HwAddress' type='s' access='read'>"
        "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='const'/>"
        "</property>\n"
        " </interface>\n"
        "</node>\n";

typedef struct Fixture {
        MappingService *service;
        MappingObject *object;
        Diagnostics list;
} Fixture;

static void tear_down(Fixture *fixture, gconstpointer data)
{
        mapping_service_free(fixture->service);
        diagnostics_done(&fixture->list);
}

/* Loads a mapping of one object with these interfaces. */
static void load(Fixture *fixture, const char *interfaces)
{
        g_autofree char *text = g_strdup_printf("{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},"
                                                "\"objects\":[{\"path\":\"/b\",\"interfaces\":{%s}"
                                                "}]}",
                                                interfaces);

        mapping_parse("x.json", text, strlen(text), &fixture->list, &fixture->service);
        g_assert_cmpstr(fixture->list.count > 0 ? fixture->list.items[0].text : NULL, ==, NULL);
        fixture->object = mapping_service_find_path(fixture->service, "/b");
}

static void apply(Fixture *fixture, const char *text)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;

        g_assert_cmpint(introspection_parse(text, strlen(text), "x.xml", &fixture->list,
                                            &introspection, NULL),
                        ==, 0);
        g_assert_cmpint(
                mapping_object_apply_introspection(fixture->object, introspection, &fixture->list),
                ==, 0);
}

static void expect_warnings(const Fixture *fixture, const char *first, const char *second)
{
        g_assert_cmpuint(fixture->list.n_errors, ==, 0);
        g_assert_cmpstr(fixture->list.count > 0 ? fixture->list.items[0].text : NULL, ==, first);
        g_assert_cmpstr(fixture->list.count > 1 ? fixture->list.items[1].text : NULL, ==, second);
        g_assert_cmpuint(fixture->list.count, <=, 2);
}

static void test_star_becomes_members(Fixture *fixture, gconstpointer data)
{
        const MappingMember *get, *gone;

        load(fixture, "\"a.I\":\"*\"");
        apply(fixture, xml);
        expect_warnings(fixture, NULL, NULL);
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "Get");
        g_assert_true(get->typed);
        g_assert_cmpstr(get->in.signature, ==, "s");
        g_assert_cmpstr(get->in.items[0].name, ==, "key");
        g_assert_cmpstr(get->out.signature, ==, "ay");
        g_assert_cmpstr(get->access, ==, "admin");
        g_assert_null(mapping_object_find(fixture->object, MEMBER_METHOD, "Old"));
        gone = mapping_object_find(fixture->object, MEMBER_SIGNAL, "Gone");
        g_assert_cmpstr(gone->out.items[1].name, ==, "arg1");
        g_assert_true(mapping_object_find(fixture->object, MEMBER_PROPERTY, "HwAddress")->writable);
        g_assert_false(mapping_object_needs_introspection(fixture->object));
}

static void test_star_has_options_and_exceptions(Fixture *fixture, gconstpointer data)
{
        const MappingMember *get;

        load(fixture, "\"a.I\":{\"methods\":{\"*\":{\"access\":\"read\",\"timeout_ms\":9},"
                      "\"Same\":false,\"Old\":{\"out\":[],\"in\":[]}}}");
        g_assert_true(mapping_object_needs_introspection(fixture->object));
        apply(fixture, xml);
        expect_warnings(fixture, NULL, NULL);
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "Get");
        g_assert_cmpstr(get->access, ==, "read");
        g_assert_true(get->batch);
        g_assert_cmpuint(get->rule->timeout_usec, ==, 9000);
        g_assert_null(mapping_object_find(fixture->object, MEMBER_METHOD, "Same"));
        g_assert_true(mapping_object_find(fixture->object, MEMBER_METHOD, "Old")->deprecated);
        g_assert_null(mapping_object_find(fixture->object, MEMBER_PROPERTY, "HwAddress"));
}

static void test_star_of_access_none_is_nothing(Fixture *fixture, gconstpointer data)
{
        load(fixture, "\"a.I\":{\"methods\":{\"*\":{\"access\":\"none\"}}}");
        g_assert_false(mapping_object_needs_introspection(fixture->object));
        apply(fixture, xml);
        g_assert_null(mapping_object_find(fixture->object, MEMBER_METHOD, "Get"));
}

static void test_fills_in_listed_members(Fixture *fixture, gconstpointer data)
{
        const MappingMember *get;

        load(fixture,
             "\"a.I\":{\"methods\":{\"Get\":{\"as\":\"get\",\"out\":[{\"bytes\":\"text\"}]}},"
             "\"properties\":{\"HwAddress\":{\"writable\":false}}}");
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "get");
        g_assert_false(get->typed);
        apply(fixture, xml);
        expect_warnings(fixture, NULL, NULL);
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "get");
        g_assert_true(get->typed);
        g_assert_cmpstr(get->in.signature, ==, "s");
        g_assert_cmpstr(get->out.items[0].name, ==, "value");
        g_assert_false(
                mapping_object_find(fixture->object, MEMBER_PROPERTY, "HwAddress")->writable);
}

static void test_half_a_signature_implies_the_rest(Fixture *fixture, gconstpointer data)
{
        const MappingMember *get, *same;

        load(fixture, "\"a.I\":{\"methods\":{\"Get\":{\"in\":[\"k:s\"]},\"Same\":{}}}");
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "Get");
        same = mapping_object_find(fixture->object, MEMBER_METHOD, "Same");
        g_assert_true(get->typed);
        g_assert_cmpuint(get->out.count, ==, 0);
        g_assert_false(same->typed);
        g_assert_true(mapping_object_needs_introspection(fixture->object));
        apply(fixture, xml);
        expect_warnings(fixture, NULL, NULL);
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "Get");
        g_assert_cmpstr(get->in.items[0].name, ==, "k");
        g_assert_cmpstr(get->out.signature, ==, "ay");
}

static void test_file_wins_over_introspection(Fixture *fixture, gconstpointer data)
{
        const MappingMember *get;

        load(fixture, "\"a.I\":{\"methods\":{\"Get\":{\"in\":[\"k:o\"],\"out\":[]},"
                      "\"None\":{\"in\":[],\"out\":[]}}}");
        apply(fixture, xml);
        g_assert_cmpuint(fixture->list.count, ==, 3);
        g_assert_cmpstr(fixture->list.items[0].text, ==,
                        "x.json: /b: method 'Get': its argument 0 is 'o' here and 's' in "
                        "introspection");
        g_assert_cmpstr(fixture->list.items[1].text, ==,
                        "x.json: /b: method 'Get' has 0 arguments here and 1 in introspection");
        g_assert_cmpstr(fixture->list.items[2].text, ==,
                        "x.json: /b: method 'None' of a.I is not in introspection");
        get = mapping_object_find(fixture->object, MEMBER_METHOD, "Get");
        g_assert_cmpstr(get->in.signature, ==, "o");
        g_assert_cmpuint(get->out.count, ==, 0);
        g_assert_true(mapping_object_find(fixture->object, MEMBER_METHOD, "None")->typed);
}

static void test_unusable_options_leave_a_member_untyped(Fixture *fixture, gconstpointer data)
{
        load(fixture,
             "\"a.I\":{\"methods\":{\"Get\":{\"in\":[{\"fields\":[\"a\"]}]},\"Same\":{}}}");
        apply(fixture, xml);
        expect_warnings(fixture,
                        "x.json: /b: method 'Get': argument 'key': type 's' has no struct to name "
                        "fields of",
                        NULL);
        g_assert_false(mapping_object_find(fixture->object, MEMBER_METHOD, "Get")->typed);
        g_assert_true(mapping_object_find(fixture->object, MEMBER_METHOD, "Same")->typed);
}

/* ---- two interfaces with one member ---- */

static const char *interface_of(const Fixture *fixture, MemberKind kind, const char *name)
{
        const MappingMember *member = mapping_object_find(fixture->object, kind, name);

        return member ? member->interface : NULL;
}

static void test_listed_wins_over_star(Fixture *fixture, gconstpointer data)
{
        load(fixture, "\"a.I\":\"*\",\"a.J\":{\"methods\":{\"Same\":{}}}");
        apply(fixture, xml);
        expect_warnings(fixture,
                        "x.json: /b: method 'Same' of a.I is called 'a.I.Same': a.J has it too",
                        NULL);
        g_assert_cmpstr(interface_of(fixture, MEMBER_METHOD, "Same"), ==, "a.J");
        g_assert_cmpstr(interface_of(fixture, MEMBER_METHOD, "a.I.Same"), ==, "a.I");
}

static void test_first_star_wins(Fixture *fixture, gconstpointer data)
{
        load(fixture, "\"a.J\":\"*\",\"a.I\":\"*\"");
        apply(fixture, xml);
        expect_warnings(fixture,
                        "x.json: /b: method 'Same' of a.I is called 'a.I.Same': a.J has it too",
                        "x.json: /b: property 'HwAddress' of a.I is called 'a.I.HwAddress': a.J "
                        "has it too");
        g_assert_cmpstr(interface_of(fixture, MEMBER_METHOD, "Same"), ==, "a.J");
        g_assert_cmpstr(interface_of(fixture, MEMBER_PROPERTY, "a.I.HwAddress"), ==, "a.I");
        g_assert_cmpint(
                mapping_object_find(fixture->object, MEMBER_PROPERTY, "HwAddress")->emits_changed,
                ==, EMITS_CHANGED_CONST);
}

static void test_no_name_left(Fixture *fixture, gconstpointer data)
{
        load(fixture, "\"a.J\":{\"methods\":{\"X\":{\"as\":\"Same\",\"in\":[],\"out\":[]},"
                      "\"Y\":{\"as\":\"a.I.Same\",\"in\":[],\"out\":[]}}},"
                      "\"a.I\":{\"methods\":{\"*\":{}}}");
        apply(fixture, "<node><interface name='a.I'><method name='Same'/></interface></node>");
        expect_warnings(fixture,
                        "x.json: /b: method 'Same' of a.I is left out: its name is taken by a.J",
                        NULL);
        g_assert_null(mapping_object_find_dbus(fixture->object, MEMBER_METHOD, "a.I", "Same"));
}

/* ---- again ---- */

static void test_members_in_use_survive_a_change(Fixture *fixture, gconstpointer data)
{
        MappingMember *old;

        load(fixture, "\"a.I\":\"*\"");
        apply(fixture, xml);
        old = mapping_member_ref(mapping_object_find(fixture->object, MEMBER_METHOD, "Get"));
        apply(fixture, "<node><interface name='a.I'><method name='Get'/></interface></node>");
        g_assert_cmpuint(mapping_object_find(fixture->object, MEMBER_METHOD, "Get")->in.count, ==,
                         0);
        g_assert_null(mapping_object_find(fixture->object, MEMBER_METHOD, "Same"));
        fixture->service = mapping_service_free(fixture->service);
        g_assert_cmpstr(old->in.signature, ==, "s");
        g_assert_cmpstr(old->access, ==, "admin");
        mapping_member_unref(old);
}

static void test_absent_interfaces_keep_what_they_know(Fixture *fixture, gconstpointer data)
{
        load(fixture, "\"a.I\":\"*\"");
        apply(fixture, xml);
        apply(fixture, "<node><interface name='a.Other'/></node>");
        g_assert_nonnull(mapping_object_find(fixture->object, MEMBER_METHOD, "Get"));
}

/* ---- the file beside ---- */

static void test_file_beside_the_mapping(Fixture *fixture, gconstpointer data)
{
        static const char mapping[] = "{\"service\":\"s\",\"dbus\":{\"name\":\"org.a\"},\n"
                                      "\"introspection\":\"i.xml\",\"objects\":[{\"path\":\"/b\","
                                      "\"interfaces\":{\n\"a.I\":{\"methods\":{\"*\":{},"
                                      "\"None\":{}}}}}]}";
        g_autofree char *folder = g_dir_make_tmp("mapping-introspect-XXXXXX", NULL);
        g_autofree char *file = g_build_filename(folder, "m.json", NULL);
        g_autofree char *beside = g_build_filename(folder, "i.xml", NULL);
        g_autofree char *expected = g_strdup_printf(
                "%s:3:26 /objects/0/interfaces/a.I/methods/None: method 'None' of a.I is not in "
                "introspection",
                file);

        g_assert_true(g_file_set_contents(file, mapping, -1, NULL));
        g_assert_true(g_file_set_contents(beside, xml, -1, NULL));
        g_assert_cmpint(mapping_load(file, &fixture->list, &fixture->service), ==, 0);
        expect_warnings(fixture, expected, NULL);
        fixture->object = mapping_service_find_path(fixture->service, "/b");
        g_assert_true(mapping_object_find(fixture->object, MEMBER_METHOD, "Get")->typed);
        g_assert_false(mapping_object_find(fixture->object, MEMBER_METHOD, "None")->typed);
        g_assert_false(mapping_object_needs_introspection(fixture->object));
        g_unlink(file);
        g_unlink(beside);
        g_rmdir(folder);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, NULL, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("/mapping-introspect/star-becomes-members", test_star_becomes_members);
        ADD("/mapping-introspect/star-has-options-and-exceptions",
            test_star_has_options_and_exceptions);
        ADD("/mapping-introspect/star-of-access-none-is-nothing",
            test_star_of_access_none_is_nothing);
        ADD("/mapping-introspect/fills-in-listed-members", test_fills_in_listed_members);
        ADD("/mapping-introspect/half-a-signature-implies-the-rest",
            test_half_a_signature_implies_the_rest);
        ADD("/mapping-introspect/file-wins-over-introspection", test_file_wins_over_introspection);
        ADD("/mapping-introspect/unusable-options-leave-a-member-untyped",
            test_unusable_options_leave_a_member_untyped);
        ADD("/mapping-introspect/listed-wins-over-star", test_listed_wins_over_star);
        ADD("/mapping-introspect/first-star-wins", test_first_star_wins);
        ADD("/mapping-introspect/no-name-left", test_no_name_left);
        ADD("/mapping-introspect/members-in-use-survive-a-change",
            test_members_in_use_survive_a_change);
        ADD("/mapping-introspect/absent-interfaces-keep-what-they-know",
            test_absent_interfaces_keep_what_they_know);
        ADD("/mapping-introspect/file-beside-the-mapping", test_file_beside_the_mapping);
        return g_test_run();
}
