/* SPDX-License-Identifier: MIT */

#include "gateway/introspection-write.h"

#include <glib.h>
#include <string.h>

#include "gateway/introspection-compare.h"

static Introspection *parse(const char *text)
{
        Introspection *result = NULL;

        g_assert_cmpint(introspection_parse(text, strlen(text), "x.xml", NULL, &result, NULL), ==,
                        0);
        return result;
}

static void test_reads_back_as_the_same(void)
{
        CLEANUP_INTROSPECTION Introspection *first = parse(
                "<node><interface name='a.I'>"
                "<annotation name='with &quot;quotes&quot;' value='&lt;&amp;&gt; &#9;&#10;&#13;é'/>"
                "<method name='M'><arg name='arg0' type='s'><annotation name='n' value='v'/></arg>"
                "<arg type='a{sv}' direction='out'/><annotation name='m' value=''/></method>"
                "<method name='Empty'/>"
                "<property name='R' type='s' access='read'/>"
                "<property name='W' type='s' access='write'/>"
                "<property name='B' type='(us)' access='readwrite'>"
                "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal'"
                " value='const'/></property>"
                "<signal name='S'><arg type='u' name='a &amp; b'/></signal></interface></node>");
        CLEANUP_INTROSPECTION Introspection *second = NULL;
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0), a = BUFFER_INIT(0), b = BUFFER_INIT(0);

        buffer_append_text(&out, "<node>");
        introspection_write_interface(first->interfaces, &out);
        buffer_append_text(&out, "</node>");
        g_assert_cmpint(buffer_status(&out), ==, 0);
        second = parse(buffer_text(&out));
        g_assert_cmpint(introspection_write_canonical(first, &a), ==, 0);
        g_assert_cmpint(introspection_write_canonical(second, &b), ==, 0);
        g_assert_cmpstr(buffer_text(&a), ==, buffer_text(&b));
        g_assert_nonnull(strstr(buffer_text(&a), "<&> \t\n\r\u00e9"));
}

static void test_access(void)
{
        g_assert_cmpstr(introspection_access(true, false), ==, "read");
        g_assert_cmpstr(introspection_access(false, true), ==, "write");
        g_assert_cmpstr(introspection_access(true, true), ==, "readwrite");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/introspection-write/reads-back-as-the-same", test_reads_back_as_the_same);
        g_test_add_func("/introspection-write/access", test_access);
        return g_test_run();
}
