/* SPDX-License-Identifier: MIT */

/* What has to wait for its time. The loop is run until a value has come, as the gateway does. */

#include "tests/unit/gateway/make-expose.h"

#include <string.h>

static void set_up(ExposeMade *made, gconstpointer unused)
{
        expose_make(made, expose_objects);
}

static void tear_down(ExposeMade *made, gconstpointer unused)
{
        expose_unmake(made);
}

/* Without what is polled from the start. */
static ExposeObject *add(ExposeMade *made)
{
        ExposeObject *object = expose_add(made, "/org/a/x");

        expose_due_free_all(object);
        return object;
}

static void send(ExposeObject *object, const char *property, const char *value)
{
        expose_due_send(object, expose_member(object, MEMBER_PROPERTY, property), value,
                        strlen(value));
}

static void run(ExposeMade *made)
{
        g_assert_cmpint(sd_event_run(made->event, UINT64_MAX), >=, 0);
}

static void test_without_an_interval(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = add(made);

        for (unsigned i = 0; i < 3; i++) {
                g_autofree char *value = g_strdup_printf("%u", i);

                send(object, "Level", value);
                g_assert_cmpstr(expose_published(made, "x", "Level"), ==, value);
        }
        g_assert_null(made->expose->dues);
}

/* The first at once, then the last of those that have come meanwhile. */
static void test_last_one_is_told(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = add(made);

        send(object, "Busy", "1");
        g_assert_cmpstr(expose_published(made, "x", "Busy"), ==, "1");
        send(object, "Busy", "2");
        send(object, "Busy", "30000");
        send(object, "Busy", "4");
        g_assert_cmpstr(expose_published(made, "x", "Busy"), ==, "1");
        run(made);
        g_assert_cmpstr(expose_published(made, "x", "Busy"), ==, "4");
        /* one more interval, and nothing is waited for any more */
        while (made->expose->dues)
                run(made);
        g_assert_cmpstr(expose_published(made, "x", "Busy"), ==, "4");
        send(object, "Busy", "5");
        g_assert_cmpstr(expose_published(made, "x", "Busy"), ==, "5");
}

static void test_polls(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/x");
        const MappingInterface *interface = expose_interface(object, "a.I");
        MappingMember *polled = expose_member(object, MEMBER_PROPERTY, "Polled");
        const ExposeDue *first;

        /* finding the object has begun it */
        g_assert_nonnull(made->expose->dues);
        first = object->dues;
        g_assert_cmpint(expose_due_poll(object, interface, polled), ==, 0);
        g_assert_true(object->dues == first);
}

static void test_nothing_outlives_the_object(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = add(made);

        send(object, "Busy", "1");
        send(object, "Busy", "2");
        expose_due_free_interface(object, expose_interface(object, "a.I"));
        g_assert_null(object->dues);
        g_assert_null(made->expose->dues);
        send(object, "Busy", "3");
        send(object, "Busy", "4");
        expose_due_free_all(object);
        g_assert_null(made->expose->dues);
        g_assert_cmpstr(expose_published(made, "x", "Busy"), ==, "3");
}

/* What waits keeps its member, also when introspection makes it anew. */
static void test_member_is_kept(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = add(made);
        const MappingMember *busy = expose_member(object, MEMBER_PROPERTY, "Busy");
        unsigned n_refs = busy->n_refs;

        send(object, "Busy", "1");
        g_assert_cmpuint(busy->n_refs, ==, n_refs + 1);
        expose_due_free_all(object);
        g_assert_cmpuint(busy->n_refs, ==, n_refs);
}

int main(int argc, char **argv)
{
        static const struct {
                const char *path;
                void (*function)(ExposeMade *made, gconstpointer unused);
        } tests[] = {
                {"without-an-interval-at-once", test_without_an_interval},
                {"trap-20-last-one-is-told", test_last_one_is_told},
                {"polled-once", test_polls},
                {"nothing-outlives-the-object", test_nothing_outlives_the_object},
                {"member-is-kept", test_member_is_kept},
        };

        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/expose-due/%s", tests[i].path);

                g_test_add(path, ExposeMade, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
