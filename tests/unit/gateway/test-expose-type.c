/* SPDX-License-Identifier: MIT */

/* What is known of an entry of the mapping, and for how long. */

#include "tests/unit/gateway/make-expose.h"

#include <errno.h>
#include <string.h>

static const char open_objects[] =
        "[{\"path\":\"/org/a/x\",\"interfaces\":{\"a.I\":\"*\"}},"
        "{\"path\":\"/org/a/y\",\"interfaces\":{\"a.J\":{\"methods\":{\"Do\":{\"in\":[\"x:i\"],"
        "\"out\":[]}}}}}]";
static const char xml[] =
        "<node><interface name='a.I'><method name='Do'><arg type='i' direction='in'/></method>"
        "<property name='Level' type='i' access='read'/></interface></node>";

static void set_up(ExposeMade *made, gconstpointer unused)
{
        expose_make(made, open_objects);
}

static void tear_down(ExposeMade *made, gconstpointer unused)
{
        expose_unmake(made);
}

static ExposeType *find(const ExposeMade *made, const char *path)
{
        return expose_type_find(made->expose, mapping_service_find_path(made->mapping, path));
}

static void apply(ExposeType *type)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics list = {};

        g_assert_cmpint(introspection_parse(xml, strlen(xml), "x", &list, &introspection, NULL), ==,
                        0);
        g_assert_cmpint(expose_type_apply(type, introspection, &list), ==, 0);
}

static void test_waits_for_what_is_open(ExposeMade *made, gconstpointer unused)
{
        ExposeType *open = find(made, "/org/a/x"), *complete = find(made, "/org/a/y");

        g_assert_true(expose_type_must_wait(open));
        g_assert_false(expose_type_must_wait(complete));
        g_assert_null(mapping_object_find(open->mapping, MEMBER_METHOD, "Do"));
        apply(open);
        g_assert_false(expose_type_must_wait(open));
        g_assert_nonnull(mapping_object_find(open->mapping, MEMBER_METHOD, "Do"));
        g_assert_true(made->expose->description_is_old);
}

/* The next owner may be another version. */
static void test_forgets_with_the_owner(ExposeMade *made, gconstpointer unused)
{
        ExposeType *type = find(made, "/org/a/x");

        g_assert_false(type->was_known);
        apply(type);
        expose_type_forget(type);
        g_assert_true(expose_type_must_wait(type));
        g_assert_true(type->was_known);
        apply(type);
        g_assert_false(expose_type_must_wait(type));
}

/* Values that come before their types are known are not for anybody. */
static void test_changes_before_types_are_left(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *early = expose_message(made, "sa{sv}as", "a.I", 1, "Level", "i", 1, 0);
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *late = expose_message(made, "sa{sv}as", "a.I", 1, "Level", "i", 2, 0);

        expose_property_on_changed(object, early);
        g_assert_null(expose_published(made, "x", "Level"));
        apply(object->type);
        expose_property_on_changed(object, late);
        g_assert_cmpstr(expose_published(made, "x", "Level"), ==, "2");
}

static void test_cannot_ask_without_a_bus(ExposeMade *made, gconstpointer unused)
{
        ExposeType *type = find(made, "/org/a/x");

        g_assert_cmpint(expose_type_introspect(type, "/org/a/x", true), ==, -ENOTCONN);
        g_assert_null(type->query);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/expose-type/waits-for-what-is-open", ExposeMade, NULL, set_up,
                   test_waits_for_what_is_open, tear_down);
        g_test_add("/expose-type/forgets-with-the-owner", ExposeMade, NULL, set_up,
                   test_forgets_with_the_owner, tear_down);
        g_test_add("/expose-type/changes-before-types-are-left", ExposeMade, NULL, set_up,
                   test_changes_before_types_are_left, tear_down);
        g_test_add("/expose-type/cannot-ask-without-a-bus", ExposeMade, NULL, set_up,
                   test_cannot_ask_without_a_bus, tear_down);
        return g_test_run();
}
