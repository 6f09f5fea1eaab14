/* SPDX-License-Identifier: MIT */

/* Values on their way from D-Bus to what is published. */

#include "tests/unit/gateway/make-expose.h"

#include <errno.h>

#define CLEANUP_MESSAGE CLEANUP(sd_bus_message_unrefp)

static void set_up(ExposeMade *made, gconstpointer unused)
{
        expose_make(made, expose_objects);
}

static void tear_down(ExposeMade *made, gconstpointer unused)
{
        expose_unmake(made);
}

static void test_which_are_retained(ExposeMade *made, gconstpointer unused)
{
        static const struct {
                const char *name;
                bool retained;
        } rows[] = {
                {"Level", true},  {"Label", true},    {"Secret", false}, {"Quiet", false},
                {"Polled", true}, {"Late", false},    {"Kept", true},    {"Once", true},
                {"Busy", true},   {"Dropped", false},
        };
        const ExposeObject *object = expose_add(made, "/org/a/x");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const MappingMember *member = expose_member(object, MEMBER_PROPERTY, rows[i].name);

                g_assert_cmpint(expose_property_is_retained(member), ==, rows[i].retained);
        }
        g_assert_true(expose_property_wants_fetch(expose_interface(object, "a.I")));
        object = expose_add(made, "/org/a/o");
        g_assert_false(expose_property_wants_fetch(expose_interface(object, "a.Bare")));
}

static void test_values_are_published(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        CLEANUP_MESSAGE sd_bus_message *m =
                expose_message(made, "a{sv}", 5, "Level", "i", -7, "Name", "s", "n", "Secret", "s",
                               "s3", "Late", "s", "l", "Unmapped", "(ii)", 1, 2);

        g_assert_cmpint(expose_property_take_all(object, expose_interface(object, "a.I"), m), >=,
                        0);
        g_assert_cmpstr(expose_published(made, "x", "Level"), ==, "-7");
        g_assert_cmpstr(expose_published(made, "x", "Label"), ==, "\"n\"");
        g_assert_null(expose_published(made, "x", "Name"));
        g_assert_null(expose_published(made, "x", "Secret"));
        g_assert_null(expose_published(made, "x", "Late"));
        g_assert_null(expose_published(made, "x", "Unmapped"));
}

/* One that has another type than the mapping says takes its old value with it, and the values
 * behind it are read all the same. */
static void test_value_of_a_wrong_type(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        CLEANUP_MESSAGE sd_bus_message *good =
                expose_message(made, "a{sv}", 2, "Level", "i", 1, "Name", "s", "n");
        CLEANUP_MESSAGE sd_bus_message *bad =
                expose_message(made, "a{sv}", 4, "Once", "s", "o", "Level", "(sas)", "x", 1, "y",
                               "Polled", "s", "no u", "Name", "s", "m");
        const MappingInterface *interface = expose_interface(object, "a.I");

        g_assert_cmpint(expose_property_take_all(object, interface, good), >=, 0);
        g_assert_cmpint(expose_property_take_all(object, interface, bad), >=, 0);
        g_assert_null(expose_published(made, "x", "Level"));
        g_assert_null(expose_published(made, "x", "Polled"));
        g_assert_cmpstr(expose_published(made, "x", "Once"), ==, "\"o\"");
        g_assert_cmpstr(expose_published(made, "x", "Label"), ==, "\"m\"");
}

static void test_value_that_is_too_large(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        g_autofree char *text = g_strnfill(2000, 'x');
        CLEANUP_MESSAGE sd_bus_message *m =
                expose_message(made, "a{sv}", 2, "Name", "s", text, "Level", "i", 5);

        g_assert_cmpint(expose_property_take_all(object, expose_interface(object, "a.I"), m), >=,
                        0);
        g_assert_null(expose_published(made, "x", "Label"));
        g_assert_cmpstr(expose_published(made, "x", "Level"), ==, "5");
}

static void test_answer_of_another_type(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        CLEANUP_MESSAGE sd_bus_message *m = expose_message(made, "a{ss}", 1, "Level", "x");

        g_assert_cmpint(expose_property_take_all(object, expose_interface(object, "a.I"), m), ==,
                        -EBADMSG);
        g_assert_null(expose_published(made, "x", "Level"));
}

static void test_changes(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        CLEANUP_MESSAGE sd_bus_message *changed = expose_message(
                made, "sa{sv}as", "a.I", 2, "Level", "i", 8, "Quiet", "u", 1, 1, "Kept");
        CLEANUP_MESSAGE sd_bus_message *other =
                expose_message(made, "sa{sv}as", "a.Other", 1, "Level", "i", 9, 0);
        CLEANUP_MESSAGE sd_bus_message *bad = expose_message(made, "ss", "a.I", "Level");

        expose_property_on_changed(object, changed);
        expose_property_on_changed(object, other);
        expose_property_on_changed(object, bad);
        g_assert_cmpstr(expose_published(made, "x", "Level"), ==, "8");
        g_assert_null(expose_published(made, "x", "Quiet"));
}

/* Signals of an interface of the entry that this object does not have. */
static void test_change_of_an_interface_that_is_lacking(ExposeMade *made, gconstpointer unused)
{
        static const char *const interfaces[] = {"a.I", NULL};
        CLEANUP_MESSAGE sd_bus_message *m =
                expose_message(made, "sa{sv}as", "a.J", 1, "Size", "u", 8, 0);

        expose_object_found(made->expose, "/org/a/o", interfaces, MAPPING_FIND_OBJECT_MANAGER);
        expose_property_on_changed(expose_object_find(made->expose, "/org/a/o"), m);
        g_assert_null(expose_published(made, "o", "Size"));
}

static void test_interface_that_goes(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/o");
        CLEANUP_MESSAGE sd_bus_message *first =
                expose_message(made, "sa{sv}as", "a.I", 1, "Level", "i", 8, 0);
        CLEANUP_MESSAGE sd_bus_message *second =
                expose_message(made, "sa{sv}as", "a.J", 1, "Size", "u", 9, 0);

        expose_property_on_changed(object, first);
        expose_property_on_changed(object, second);
        g_assert_cmpstr(expose_published(made, "o", "Size"), ==, "9");
        expose_property_clear(object, expose_interface(object, "a.J"));
        g_assert_null(expose_published(made, "o", "Size"));
        g_assert_cmpstr(expose_published(made, "o", "Level"), ==, "8");
}

static const struct {
        const char *path;
        void (*function)(ExposeMade *made, gconstpointer unused);
} tests[] = {
        {"which-are-retained", test_which_are_retained},
        {"values-are-published", test_values_are_published},
        {"trap-8-value-of-a-wrong-type", test_value_of_a_wrong_type},
        {"trap-31-value-that-is-too-large", test_value_that_is_too_large},
        {"answer-of-another-type", test_answer_of_another_type},
        {"changes", test_changes},
        {"change-of-an-interface-that-is-lacking", test_change_of_an_interface_that_is_lacking},
        {"interface-that-goes", test_interface_that_goes},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/expose-property/%s", tests[i].path);

                g_test_add(path, ExposeMade, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
