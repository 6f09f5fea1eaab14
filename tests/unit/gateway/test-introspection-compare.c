/* SPDX-License-Identifier: MIT */

#include "gateway/introspection-compare.h"

#include <glib.h>
#include <string.h>

static Introspection *parse(const char *text)
{
        CLEANUP_ERROR Error *error = NULL;
        Introspection *result = NULL;
        int r;

        r = introspection_parse(text, strlen(text), "x.xml", NULL, &result, &error);
        g_assert_cmpstr(error ? error_text(error) : NULL, ==, NULL);
        g_assert_cmpint(r, ==, 0);
        return result;
}

static void test_canonical_form(void)
{
        CLEANUP_INTROSPECTION Introspection *document = parse(
                "<node name='/a'><interface name='z.I'>"
                "<signal name='S'><arg type='u' name='n'/><arg type='s' direction='out'/></signal>"
                "<property name='P' type='as' access='readwrite'/>"
                "<annotation name='x.Note' value='a &lt; b'/>"
                "<method name='M'><arg type='s' direction='out' name='r'/><arg type='i' name='k'>"
                "<annotation name='x.Arg' value='1'/></arg>"
                "<annotation name='org.freedesktop.DBus.Deprecated' value='true'/></method>"
                "</interface><interface name='b.J'/><node name='c/d'/><node name='c'/></node>");
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);

        g_assert_cmpint(introspection_write_canonical(document, &out), ==, 0);
        g_assert_cmpstr(buffer_text(&out), ==,
                        "b.J: interface\n"
                        "node c: node\n"
                        "z.I: interface\n"
                        "z.I annotation x.Note: a < b\n"
                        "z.I method M: in i k, out s r\n"
                        "z.I method M annotation org.freedesktop.DBus.Deprecated: true\n"
                        "z.I method M in 0 annotation x.Arg: 1\n"
                        "z.I property P: as readwrite\n"
                        "z.I signal S: u n, s\n");
}

typedef struct Case {
        const char *name;
        const char *left;
        const char *right;
        size_t n_differences;
} Case;

#define METHOD(content) \
        "<node><interface name='a.I'><method name='M'>" content "</method></interface></node>"
#define PROPERTY(content) \
        "<node><interface name='a.I'><property " content "</property></interface></node>"

static const Case cases[] = {
        {"order-and-spaces",
         "<node><interface name='a.I'><method name='A'/><method name='B'/></interface>"
         "<interface name='a.J'/><node name='x'/><node name='y'/></node>",
         "<!DOCTYPE node>\n<node>\n<!-- no -->\n<node name='y'/><interface "
         "name='a.J'>\n</interface>"
         "<interface name='a.I'><method name='B'></method><method name='A'/></interface>"
         "<node name='x'/></node>",
         0},
        {"default-directions", METHOD("<arg type='s' direction='in'/>"), METHOD("<arg type='s'/>"),
         0},
        {"empty-name-is-none", METHOD("<arg type='s' name=''/>"), METHOD("<arg type='s'/>"), 0},
        {"what-is-not-of-the-specification",
         "<node xmlns:d='u'><d:doc/><interface name='a.I' d:since='1'/></node>",
         "<node><interface name='a.I'/></node>", 0},
        {"name-of-argument", METHOD("<arg type='s' name='a'/>"), METHOD("<arg type='s' name='b'/>"),
         1},
        {"name-arg0-is-a-name", METHOD("<arg type='s' name='arg0'/>"), METHOD("<arg type='s'/>"),
         1},
        {"order-of-arguments", METHOD("<arg type='s'/><arg type='u'/>"),
         METHOD("<arg type='u'/><arg type='s'/>"), 1},
        {"direction", METHOD("<arg type='s' direction='out'/>"), METHOD("<arg type='s'/>"), 1},
        {"access", PROPERTY("name='P' type='s' access='read'>"),
         PROPERTY("name='P' type='s' access='readwrite'>"), 1},
        {"value-of-annotation",
         PROPERTY("name='P' type='s' access='read'><annotation name='n' value='1'/>"),
         PROPERTY("name='P' type='s' access='read'><annotation name='n' value='2'/>"), 1},
        {"annotation-of-argument", METHOD("<arg type='s'><annotation name='n' value='1'/></arg>"),
         METHOD("<arg type='s'/>"), 1},
        {"annotation-of-another-argument",
         METHOD("<arg type='s'><annotation name='n' value='1'/></arg><arg type='s'/>"),
         METHOD("<arg type='s'/><arg type='s'><annotation name='n' value='1'/></arg>"), 2},
        {"interface-and-its-member",
         "<node><interface name='a.I'><method name='M'/></interface></node>", "<node/>", 2},
        {"child", "<node><node name='x'/></node>", "<node/>", 1},
        {"interface-of-a-node-below", "<node><node name='x'><interface name='a.I'/></node></node>",
         "<node><node name='x'/></node>", 1},
};

static size_t compare(const char *left_text, const char *right_text)
{
        CLEANUP_INTROSPECTION Introspection *left = parse(left_text), *right = parse(right_text);
        CLEANUP_FACTS Facts left_facts = {}, right_facts = {};

        g_assert_cmpint(introspection_add_all_facts(left, "/", &left_facts), ==, 0);
        g_assert_cmpint(introspection_add_all_facts(right, "/", &right_facts), ==, 0);
        return facts_compare(&left_facts, &right_facts, NULL, NULL);
}

static void test_compare(gconstpointer data)
{
        const Case *c = data;

        g_assert_cmpuint(compare(c->left, c->right), ==, c->n_differences);
        g_assert_cmpuint(compare(c->right, c->left), ==, c->n_differences);
        g_assert_cmpuint(compare(c->left, c->left), ==, 0);
}

static void test_whole_tree(void)
{
        CLEANUP_INTROSPECTION Introspection *document =
                parse("<node name='/top'><node name='in'><node name='x'>"
                      "<interface name='a.I'/></node></node><node name='mentioned'/></node>");
        CLEANUP_FACTS Facts facts = {};
        g_autoptr(GString) text = g_string_new(NULL);

        g_assert_cmpint(introspection_add_all_facts(document, "/elsewhere", &facts), ==, 0);
        facts_sort(&facts);
        for (size_t i = 0; i < facts.count; i++)
                g_string_append_printf(text, "%s\n", facts.items[i].where);
        g_assert_cmpstr(text->str, ==,
                        "/top node in\n/top node mentioned\n/top/in node x\n/top/in/x a.I\n");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/introspection-compare/canonical-form", test_canonical_form);
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strdup_printf("/introspection-compare/%s", cases[i].name);

                g_test_add_data_func(path, &cases[i], test_compare);
        }
        g_test_add_func("/introspection-compare/whole-tree", test_whole_tree);
        return g_test_run();
}
