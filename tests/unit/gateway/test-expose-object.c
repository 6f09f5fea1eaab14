/* SPDX-License-Identifier: MIT */

/* Which objects there are, by what is told of them. */

#include "common/limits.h"
#include "tests/unit/gateway/make-expose.h"

#define CLEANUP_MESSAGE CLEANUP(sd_bus_message_unrefp)

static void set_up(ExposeMade *made, gconstpointer unused)
{
        expose_make(made, expose_objects);
}

static void tear_down(ExposeMade *made, gconstpointer unused)
{
        expose_unmake(made);
}

static ExposeObject *find(const ExposeMade *made, const char *path)
{
        return expose_object_find(made->expose, path);
}

static void found(ExposeMade *made, const char *path, const char *interface, MappingFind by)
{
        const char *interfaces[] = {"org.freedesktop.DBus.Peer", interface, NULL};

        expose_object_found(made->expose, path, interfaces, by);
}

static void test_found(ExposeMade *made, gconstpointer unused)
{
        const ExposeObject *object;

        found(made, "/org/a/o", "a.J", MAPPING_FIND_OBJECT_MANAGER);
        object = find(made, "/org/a/o");
        g_assert_nonnull(object);
        g_assert_cmpstr(object->name, ==, "o");
        g_assert_true(expose_object_find_name(made->expose, "o") == object);
        g_assert_true(expose_object_has(object, expose_interface(object, "a.J")));
        g_assert_false(expose_object_has(object, expose_interface(object, "a.I")));
        /* the same one with more */
        found(made, "/org/a/o", "a.I", MAPPING_FIND_OBJECT_MANAGER);
        g_assert_true(find(made, "/org/a/o") == object);
        g_assert_cmpuint(object->n_interfaces, ==, 2);
        found(made, "/org/a/o", "a.I", MAPPING_FIND_OBJECT_MANAGER);
        g_assert_cmpuint(object->n_interfaces, ==, 2);
}

static void test_not_found(ExposeMade *made, gconstpointer unused)
{
        static const struct {
                const char *path;
                const char *interface;
                MappingFind by;
        } rows[] = {
                {"/org/b/o", "a.I", MAPPING_FIND_OBJECT_MANAGER},         /* not mapped */
                {"/org/a/o/p/q", "a.I", MAPPING_FIND_OBJECT_MANAGER},     /* nor this */
                {"/org/a/o", "a.Unmapped", MAPPING_FIND_OBJECT_MANAGER},  /* nothing of it is */
                {"/org/a/o", "a.I", MAPPING_FIND_WALK},                   /* in another way */
                {"/org/a/walk/o", "a.Bare", MAPPING_FIND_OBJECT_MANAGER}, /* and this one, too */
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                found(made, rows[i].path, rows[i].interface, rows[i].by);
        g_assert_cmpuint(HASH_COUNT(made->expose->objects), ==, 0);
        found(made, "/org/a/walk/o", "a.Bare", MAPPING_FIND_WALK);
        g_assert_cmpstr(find(made, "/org/a/walk/o")->name, ==, "walk.o");
}

/* Without values to fetch there is nothing to wait for. */
static void test_announced(ExposeMade *made, gconstpointer unused)
{
        found(made, "/org/a/bare", "a.Bare", MAPPING_FIND_OBJECT_MANAGER);
        g_assert_true(find(made, "/org/a/bare")->announced);
        found(made, "/org/a/o", "a.I", MAPPING_FIND_OBJECT_MANAGER);
        g_assert_false(find(made, "/org/a/o")->announced);
        expose_object_on_fetched(find(made, "/org/a/o"));
        g_assert_true(find(made, "/org/a/o")->announced);
}

/* The service says that there is no such object: one of a template goes, the other one only shows
 * nothing any more. */
static void test_missing(ExposeMade *made, gconstpointer unused)
{
        ExposeObject *object = expose_add(made, "/org/a/o");

        object->is_missing = true;
        expose_object_on_fetched(object);
        g_assert_null(find(made, "/org/a/o"));
        object = expose_add(made, "/org/a/x");
        expose_object_on_fetched(object);
        g_assert_true(object->announced);
        object->is_missing = true;
        expose_object_on_fetched(object);
        g_assert_true(find(made, "/org/a/x") == object);
        g_assert_false(object->announced);
}

static void test_added_and_removed(ExposeMade *made, gconstpointer unused)
{
        CLEANUP_MESSAGE sd_bus_message *added =
                expose_message(made, "oa{sa{sv}}", "/org/a/o", 3, "a.I", 1, "Level", "i", 5, "a.J",
                               0, "a.Unmapped", 0);
        CLEANUP_MESSAGE sd_bus_message *one =
                expose_message(made, "oas", "/org/a/o", 2, "a.Unmapped", "a.I");
        CLEANUP_MESSAGE sd_bus_message *other = expose_message(made, "oas", "/org/a/o", 1, "a.J");
        CLEANUP_MESSAGE sd_bus_message *again = expose_message(made, "oas", "/org/a/o", 1, "a.J");

        expose_object_on_added(made->expose, added);
        g_assert_cmpuint(find(made, "/org/a/o")->n_interfaces, ==, 2);
        expose_object_on_removed(made->expose, one);
        g_assert_cmpuint(find(made, "/org/a/o")->n_interfaces, ==, 1);
        expose_object_on_removed(made->expose, other);
        g_assert_null(find(made, "/org/a/o"));
        expose_object_on_removed(made->expose, again);
}

static void test_nonsense(ExposeMade *made, gconstpointer unused)
{
        CLEANUP_MESSAGE sd_bus_message *text = expose_message(made, "s", "/org/a/o");
        CLEANUP_MESSAGE sd_bus_message *names = expose_message(made, "oas", "/org/a/o", 1, "a.I");
        CLEANUP_MESSAGE sd_bus_message *pairs =
                expose_message(made, "oa{sv}", "/org/a/x", 1, "a.I", "s", "");
        CLEANUP_MESSAGE sd_bus_message *path = expose_message(made, "o", "/org/a/p");

        expose_object_on_added(made->expose, text);
        expose_object_on_added(made->expose, names);
        expose_object_on_added(made->expose, pairs);
        expose_object_on_added(made->expose, path);
        g_assert_cmpuint(HASH_COUNT(made->expose->objects), ==, 0);
        (void)expose_add(made, "/org/a/x");
        (void)expose_add(made, "/org/a/p");
        sd_bus_message_rewind(text, true);
        sd_bus_message_rewind(pairs, true);
        sd_bus_message_rewind(path, true);
        expose_object_on_removed(made->expose, text);
        expose_object_on_removed(made->expose, pairs);
        expose_object_on_removed(made->expose, path);
        g_assert_cmpuint(HASH_COUNT(made->expose->objects), ==, 2);
}

/* A signal that says so is believed of templates only. */
static void test_gone(ExposeMade *made, gconstpointer unused)
{
        (void)expose_add(made, "/org/a/x");
        (void)expose_add(made, "/org/a/o");
        expose_object_gone(made->expose, "/org/a/x");
        expose_object_gone(made->expose, "/org/a/o");
        expose_object_gone(made->expose, "/org/a/never");
        g_assert_nonnull(find(made, "/org/a/x"));
        g_assert_null(find(made, "/org/a/o"));
        g_assert_null(expose_object_find_name(made->expose, "o"));
}

/* What is found in other ways is not there for being heard of. */
static void test_heard_of(ExposeMade *made, gconstpointer unused)
{
        g_assert_null(expose_object_hear(made->expose, "/org/a/o"));
        g_assert_null(expose_object_hear(made->expose, "/org/b/o"));
        (void)expose_add(made, "/org/a/o");
        g_assert_nonnull(expose_object_hear(made->expose, "/org/a/o"));
}

static void test_those_that_last(ExposeMade *made, gconstpointer unused)
{
        expose_objects_start(made->expose);
        g_assert_cmpuint(HASH_COUNT(made->expose->objects), ==, 1);
        g_assert_cmpuint(find(made, "/org/a/x")->n_interfaces, ==, 1);
        (void)expose_add(made, "/org/a/o");
        expose_objects_stop(made->expose);
        g_assert_null(made->expose->objects);
        g_assert_null(made->expose->names);
}

static void test_there_is_a_limit(ExposeMade *made, gconstpointer unused)
{
        for (unsigned i = 0; i < LIMIT_OBJECTS + 10; i++) {
                g_autofree char *path = g_strdup_printf("/org/a/o%u", i);

                found(made, path, "a.Bare", MAPPING_FIND_OBJECT_MANAGER);
        }
        g_assert_cmpuint(HASH_COUNT(made->expose->objects), ==, LIMIT_OBJECTS);
        g_assert_true(made->expose->too_many);
        /* there is room for others when some have gone */
        expose_object_gone(made->expose, "/org/a/o5");
        found(made, "/org/a/last", "a.Bare", MAPPING_FIND_OBJECT_MANAGER);
        g_assert_nonnull(find(made, "/org/a/last"));
}

static const struct {
        const char *path;
        void (*function)(ExposeMade *made, gconstpointer unused);
} tests[] = {
        {"found", test_found},
        {"not-found", test_not_found},
        {"announced-when-all-is-there", test_announced},
        {"missing", test_missing},
        {"trap-15-added-and-removed", test_added_and_removed},
        {"nonsense-is-not-believed", test_nonsense},
        {"gone-by-an-ordinary-signal", test_gone},
        {"heard-of", test_heard_of},
        {"those-that-last", test_those_that_last},
        {"there-is-a-limit", test_there_is_a_limit},
};

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strdup_printf("/expose-object/%s", tests[i].path);

                g_test_add(path, ExposeMade, NULL, set_up, tests[i].function, tear_down);
        }
        return g_test_run();
}
