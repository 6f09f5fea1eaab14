/* SPDX-License-Identifier: MIT */

/* The line of questions for values, before any of them is asked. */

#include "tests/unit/gateway/make-expose.h"

static void set_up(ExposeMade *made, gconstpointer unused)
{
        expose_make(made, expose_objects);
}

static void tear_down(ExposeMade *made, gconstpointer unused)
{
        expose_unmake(made);
}

static void test_nothing_is_asked_twice(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        ExposeObject *other = expose_add(made, "/org/a/o");
        const MappingInterface *interface = expose_interface(object, "a.I");
        MappingMember *level = expose_member(object, MEMBER_PROPERTY, "Level");
        MappingMember *label = expose_member(object, MEMBER_PROPERTY, "Label");

        g_assert_cmpuint(object->n_fetches, ==, 0);
        expose_fetch(object, interface, level);
        expose_fetch(object, interface, level);
        g_assert_cmpuint(object->n_fetches, ==, 1);
        expose_fetch(object, interface, label);
        g_assert_cmpuint(object->n_fetches, ==, 2);
        /* all of them is more than each of them */
        expose_fetch(object, interface, NULL);
        g_assert_cmpuint(object->n_fetches, ==, 3);
        expose_fetch(object, interface, NULL);
        expose_fetch(object, interface, level);
        g_assert_cmpuint(object->n_fetches, ==, 3);
        /* and another object is another one */
        expose_fetch(other, expose_interface(other, "a.I"), NULL);
        expose_fetch(other, expose_interface(other, "a.J"), NULL);
        g_assert_cmpuint(other->n_fetches, ==, 2);
        g_assert_cmpuint(object->n_fetches, ==, 3);
}

static void test_an_object_takes_its_questions_with_it(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        ExposeObject *other = expose_add(made, "/org/a/o");

        expose_fetch(object, expose_interface(object, "a.I"), NULL);
        expose_fetch(other, expose_interface(other, "a.I"), NULL);
        expose_fetch(object, expose_interface(object, "a.I"), NULL);
        expose_fetch_stop(object);
        g_assert_cmpuint(object->n_fetches, ==, 0);
        g_assert_cmpuint(other->n_fetches, ==, 1);
        expose_object_gone(made->expose, "/org/a/o");
        g_assert_null(made->expose->fetches);
}

/* What cannot be asked, since the connection is lost, does not wait for the next one: there the
 * objects are found anew. */
static void test_without_a_bus_the_line_is_empty(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");

        expose_fetch(object, expose_interface(object, "a.I"), NULL);
        expose_fetch_go_on(made->expose);
        g_assert_cmpuint(object->n_fetches, ==, 0);
        g_assert_cmpuint(made->expose->n_fetching, ==, 0);
        g_assert_null(made->expose->fetches);
        g_assert_false(object->fetched);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/expose-fetch/nothing-is-asked-twice", ExposeMade, NULL, set_up,
                   test_nothing_is_asked_twice, tear_down);
        g_test_add("/expose-fetch/an-object-takes-its-questions-with-it", ExposeMade, NULL, set_up,
                   test_an_object_takes_its_questions_with_it, tear_down);
        g_test_add("/expose-fetch/without-a-bus-the-line-is-empty", ExposeMade, NULL, set_up,
                   test_without_a_bus_the_line_is_empty, tear_down);
        return g_test_run();
}
