/* SPDX-License-Identifier: MIT */

#include "gateway/introspection.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/limits.h"

static const char document[] =
        "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
        "<node xmlns:doc='http://www.freedesktop.org/dbus/1.0/doc.dtd'>\n"
        " <doc:doc><interface name='not.this'/></doc:doc>\n"
        " <interface name='org.a.I'>\n"
        "  <property name='P' type='s' access='readwrite'/>\n"
        "  <property name='Q' type='as' access='read'>\n"
        "   <annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='const'/>\n"
        "  </property>\n"
        "  <method name='M'>\n"
        "   <arg name='first' type='s' direction='in'/>\n"
        "   <arg type='a{sv}'/>\n"
        "   <arg name='answer' type='(ii)' direction='out'/>\n"
        "   <annotation name='org.freedesktop.DBus.Deprecated' value='true'/>\n"
        "   <annotation name='org.freedesktop.DBus.Method.NoReply' value='true'/>\n"
        "  </method>\n"
        "  <signal name='S'><arg name='x' type='t'/></signal>\n"
        "  <annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal'"
        " value='invalidates'/>\n"
        " </interface>\n"
        " <node name='child'><interface name='org.a.Nested'/></node>\n"
        " <node name='other/deep'/>\n"
        "</node>\n";

static Introspection *parse(const char *text, Diagnostics *list)
{
        CLEANUP_ERROR Error *error = NULL;
        Introspection *result = NULL;
        int r;

        r = introspection_parse(text, strlen(text), "x.xml", list, &result, &error);
        g_assert_cmpstr(error ? error_text(error) : NULL, ==, NULL);
        g_assert_cmpint(r, ==, 0);
        return result;
}

static void test_reads_methods_and_signals(void)
{
        CLEANUP_INTROSPECTION Introspection *result = parse(document, NULL);
        const IntrospectionInterface *interface = introspection_find(result, "org.a.I");
        const IntrospectionMember *member;

        g_assert_nonnull(interface);
        g_assert_false(interface->deprecated);
        member = introspection_find_member(interface, MEMBER_METHOD, "M");
        g_assert_true(member->deprecated);
        g_assert_true(member->no_reply);
        g_assert_cmpuint(member->in.count, ==, 2);
        g_assert_cmpstr(member->in.items[0].name, ==, "first");
        g_assert_null(member->in.items[1].name);
        g_assert_cmpstr(member->in.items[1].type, ==, "a{sv}");
        g_assert_cmpuint(member->out.count, ==, 1);
        g_assert_cmpstr(member->out.items[0].type, ==, "(ii)");
        member = introspection_find_member(interface, MEMBER_SIGNAL, "S");
        g_assert_cmpstr(member->out.items[0].name, ==, "x");
        g_assert_null(introspection_find_member(interface, MEMBER_METHOD, "S"));
}

static void test_reads_properties(void)
{
        CLEANUP_INTROSPECTION Introspection *result = parse(document, NULL);
        const IntrospectionInterface *interface = introspection_find(result, "org.a.I");
        const IntrospectionMember *p, *q;

        p = introspection_find_member(interface, MEMBER_PROPERTY, "P");
        q = introspection_find_member(interface, MEMBER_PROPERTY, "Q");
        g_assert_true(p->readable && p->writable);
        g_assert_cmpint(p->emits_changed, ==, EMITS_CHANGED_INVALIDATES);
        g_assert_cmpstr(p->out.items[0].type, ==, "s");
        g_assert_true(q->readable && !q->writable);
        g_assert_cmpint(q->emits_changed, ==, EMITS_CHANGED_CONST);
}

static void test_reads_children(void)
{
        CLEANUP_INTROSPECTION Introspection *result = parse(document, NULL);

        g_assert_cmpuint(result->n_children, ==, 1);
        g_assert_cmpstr(result->children[0], ==, "child");
        g_assert_nonnull(introspection_find(result, "org.a.Nested"));
        g_assert_null(introspection_find(result, "not.this"));
}

static void test_interfaces_outlive_the_document(void)
{
        Introspection *result = parse(document, NULL);
        IntrospectionInterface *interface;

        interface = introspection_interface_ref(introspection_find(result, "org.a.I"));
        introspection_free(result);
        g_assert_cmpstr(interface->name, ==, "org.a.I");
        g_assert_nonnull(introspection_find_member(interface, MEMBER_METHOD, "M"));
        introspection_interface_unref(interface);
}

typedef struct Text {
        const char *name;
        const char *text;
        const char *message;
} Text;

#define I(content) "<node><interface name='a.b'>" content "</interface></node>"

static const Text warnings[] = {
        {"bad-argument-type", I("<method name='M'><arg type='q?'/></method><method name='N'/>"),
         "x.xml:1: interface a.b, method M is left out: bad or missing type"},
        {"two-types-in-one", I("<method name='M'><arg type='ss'/></method><method name='N'/>"),
         "x.xml:1: interface a.b, method M is left out: bad or missing type"},
        {"no-type", I("<signal name='S'><arg/></signal><method name='N'/>"),
         "x.xml:1: interface a.b, signal S is left out: bad or missing type"},
        {"bad-property-type", I("<property name='P' type='a' access='read'/>\n<method name='N'/>"),
         "x.xml:1: interface a.b, property P is left out: bad or missing type"},
        {"bad-access", I("\n<property name='P' type='s' access='none'/><method name='N'/>"),
         "x.xml:2: interface a.b, property P is left out: bad or missing access"},
        {"bad-member-name", I("<method name='a-b'><arg type='q?'/></method><method name='N'/>"),
         "x.xml:1: interface a.b: a member is left out: its name is not valid"},
        {"no-member-name", I("<method/><method name='N'/>"),
         "x.xml:1: interface a.b: a member is left out: it has no name"},
        {"twice", I("<method name='N'/><method name='N'><arg type='s'/></method>"),
         "x.xml:1: interface a.b, method N is there twice, the first one is used"},
        {"bad-interface-name",
         "<node><interface name='x'><method name='M'/></interface>"
         "<interface name='a.b'><method name='N'/></interface></node>",
         "x.xml:1: an interface is left out: its name is not valid"},
};

static void test_leaves_out(gconstpointer data)
{
        const Text *row = data;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_INTROSPECTION Introspection *result = parse(row->text, &list);
        const IntrospectionInterface *interface = introspection_find(result, "a.b");
        const IntrospectionMember *member;

        g_assert_cmpuint(list.count, ==, 1);
        g_assert_cmpstr(list.items[0].text, ==, row->message);
        member = introspection_find_member(interface, MEMBER_METHOD, "N");
        g_assert_cmpuint(member->in.count, ==, 0);
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                g_assert_cmpuint(HASH_COUNT(interface->members[kind]), ==,
                                 kind == MEMBER_METHOD ? 1 : 0);
}

static const Text refusals[] = {
        {"empty", "", "x.xml:1:1: no element found"},
        {"no-xml", "hello", "x.xml:1:1: syntax error"},
        {"cut", "<node>\n<interface name='a.b'>", "x.xml:2:23: no element found"},
        {"other-root", "<html/>", "x.xml:1:1: the outermost element is not <node>"},
        {"wrong-nesting", "<node><interface name='a.b'></node>", "x.xml:1:31: mismatched tag"},
        {"entity", "<!DOCTYPE node [<!ENTITY a 'aaaa'>]><node>&a;</node>",
         "x.xml:1:28: entity declarations are not allowed"},
        {"external-entity", "<!DOCTYPE node [<!ENTITY a SYSTEM '/etc/passwd'>]><node>&a;</node>",
         "x.xml:1:48: entity declarations are not allowed"},
};

static void test_refuses(gconstpointer data)
{
        const Text *row = data;
        CLEANUP_ERROR Error *error = NULL;
        Introspection *result = NULL;

        g_assert_cmpint(
                introspection_parse(row->text, strlen(row->text), "x.xml", NULL, &result, &error),
                ==, -EBADMSG);
        g_assert_cmpstr(error_text(error), ==, row->message);
        g_assert_null(result);
}

static int parse_repeated(const char *text, unsigned count, const char *end, Error **ret_error)
{
        g_autoptr(GString) all = g_string_new("<node>");
        CLEANUP_INTROSPECTION Introspection *result = NULL;

        for (unsigned i = 0; i < count; i++)
                g_string_append(all, text);
        g_string_append(all, end);
        return introspection_parse(all->str, all->len, "x.xml", NULL, &result, ret_error);
}

static void test_limits(void)
{
        CLEANUP_ERROR Error *error = NULL;

        g_assert_cmpint(parse_repeated("<node>", 40, "", &error), ==, -E2BIG);
        g_assert_cmpstr(error_text(error), ==, "x.xml:1:193: nested too deep");
        error = error_free(error);
        g_assert_cmpint(parse_repeated("<a/>", 70000, "</node>", &error), ==, -E2BIG);
        g_assert_true(g_str_has_suffix(error_text(error), ": too many elements"));
        error = error_free(error);
        g_assert_cmpint(parse_repeated("        ", 300000, "</node>", &error), ==, -E2BIG);
        g_assert_cmpstr(error_text(error), ==, "x.xml: more than 2097152 bytes of introspection");
}

static void add_rows(const char *prefix, const Text *rows, gsize n, GTestDataFunc function)
{
        for (gsize i = 0; i < n; i++) {
                g_autofree char *path = g_strconcat(prefix, rows[i].name, NULL);

                g_test_add_data_func(path, &rows[i], function);
        }
}

static void test_keeps_annotations(void)
{
        static const char xml[] =
                "<node><interface name='a.I'>"
                "<method name='M'><arg type='s'><annotation name='of.Arg' value='1'/></arg>"
                "<annotation name='of.Method' value='2'/>"
                "<annotation name='org.freedesktop.DBus.Deprecated' value='true'/></method>"
                "<method name='Bad'><arg type='?'><annotation name='lost' value='1'/></arg>"
                "<annotation name='lost' value='2'/></method>"
                "<annotation name='of.Interface' value='3'/>"
                "<annotation name='no.Value'/><annotation value='no name'/></interface></node>";
        CLEANUP_INTROSPECTION Introspection *result = parse(xml, NULL);
        const IntrospectionInterface *interface = introspection_find(result, "a.I");
        const IntrospectionMember *m = introspection_find_member(interface, MEMBER_METHOD, "M");

        g_assert_cmpuint(interface->annotations.count, ==, 1);
        g_assert_cmpstr(interface->annotations.items[0].name, ==, "of.Interface");
        g_assert_cmpuint(m->annotations.count, ==, 2);
        g_assert_cmpstr(m->annotations.items[0].name, ==, "of.Method");
        g_assert_cmpstr(m->annotations.items[0].value, ==, "2");
        g_assert_true(m->deprecated);
        g_assert_cmpuint(m->in.items[0].annotations.count, ==, 1);
        g_assert_cmpstr(m->in.items[0].annotations.items[0].name, ==, "of.Arg");
}

static void test_annotations_are_limited(void)
{
        CLEANUP_INTROSPECTION Introspection *result = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        g_autoptr(GString) text = g_string_new("<node><interface name='a.I'>");
        g_autofree char *longest = g_strnfill(LIMIT_ANNOTATION_BYTES - 1, 'x');

        g_string_append_printf(text, "<annotation name='n' value='%s'/>", longest);
        g_string_append_printf(text, "<annotation name='n' value='%sx'/>", longest);
        for (unsigned i = 0; i < LIMIT_INTROSPECTION_ANNOTATIONS; i++)
                g_string_append(text, "<annotation name='n' value=''/>");
        g_string_append(text, "</interface></node>");
        result = parse(text->str, &list);
        g_assert_cmpuint(result->interfaces->annotations.count, ==,
                         LIMIT_INTROSPECTION_ANNOTATIONS);
        g_assert_cmpuint(list.n_warnings, ==, 2);
}

static void test_knows_the_nodes(void)
{
        static const char xml[] =
                "<node name='/org'><interface name='a.I'/><node name='x'><node name='y'>"
                "<interface name='a.J'/><interface name='a.I'/></node></node>"
                "<node name='p/q'/><node/><node name='-'/><node name=''/></node>";
        CLEANUP_INTROSPECTION Introspection *result = parse(xml, NULL);
        CLEANUP_INTROSPECTION Introspection *nowhere = parse("<node><node name='x'/></node>", NULL);
        CLEANUP_INTROSPECTION Introspection *top =
                parse("<node name='/'><node name='x'/></node>", NULL);
        const IntrospectionNode *node;

        g_assert_cmpuint(result->n_nodes, ==, 4);
        node = introspection_find_node(result, "/org");
        g_assert_true(node == result->nodes && introspection_node_has(node, "a.I"));
        node = introspection_find_node(result, "/org/x");
        g_assert_true(introspection_describes(result, node));
        g_assert_cmpuint(node->n_interfaces, ==, 0);
        node = introspection_find_node(result, "/org/x/y");
        g_assert_cmpuint(node->n_interfaces, ==, 2);
        g_assert_true(node->interfaces[1] == introspection_find(result, "a.I"));
        node = introspection_find_node(result, "/org/p/q");
        g_assert_false(introspection_describes(result, node));
        g_assert_null(introspection_find_node(result, "/org/p"));
        g_assert_null(introspection_find_node(result, "/organ"));
        g_assert_null(introspection_find_node(nowhere, "/x"));
        g_assert_nonnull(introspection_find_node(top, "/x"));
        g_assert_nonnull(introspection_find_node(top, "/"));
}

static void test_knows_the_path_and_what_is_nested(void)
{
        static const char xml[] = "<node name='/org/a'><node name='c'><interface name='a.I'/>"
                                  "<interface name='a.J'/></node><interface name='a.J'/></node>";
        CLEANUP_INTROSPECTION Introspection *result = parse(xml, NULL);
        CLEANUP_INTROSPECTION Introspection *relative = parse("<node name='c'/>", NULL);

        g_assert_cmpstr(result->path, ==, "/org/a");
        g_assert_true(introspection_find(result, "a.I")->nested);
        g_assert_false(introspection_find(result, "a.J")->nested);
        g_assert_null(relative->path);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/introspection/reads-methods-and-signals", test_reads_methods_and_signals);
        g_test_add_func("/introspection/reads-properties", test_reads_properties);
        g_test_add_func("/introspection/reads-children", test_reads_children);
        g_test_add_func("/introspection/interfaces-outlive-the-document",
                        test_interfaces_outlive_the_document);
        add_rows("/introspection/leaves-out/", warnings, G_N_ELEMENTS(warnings), test_leaves_out);
        add_rows("/introspection/refuses/", refusals, G_N_ELEMENTS(refusals), test_refuses);
        g_test_add_func("/introspection/limits", test_limits);
        g_test_add_func("/introspection/knows-the-path-and-what-is-nested",
                        test_knows_the_path_and_what_is_nested);
        g_test_add_func("/introspection/keeps-annotations", test_keeps_annotations);
        g_test_add_func("/introspection/annotations-are-limited", test_annotations_are_limited);
        g_test_add_func("/introspection/knows-the-nodes", test_knows_the_nodes);
        return g_test_run();
}
