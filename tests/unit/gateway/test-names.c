/* SPDX-License-Identifier: MIT */

#include "gateway/names.h"

#include <errno.h>
#include <glib.h>

typedef struct Case {
        const char *name;
        int (*check)(const char *text, Error **ret_error);
        const char *text;
        const char *error; /* NULL: it is accepted */
} Case;

static const Case cases[] = {
        {"level", name_check_level, "a-B_9.x", NULL},
        {"level-empty", name_check_level, "", "expected a name, not an empty string"},
        {"level-dollar", name_check_level, "$state",
         "'$state' is not a name: only A-Z a-z 0-9 _ . - are allowed"},
        {"level-plus", name_check_level, "a+",
         "'a+' is not a name: only A-Z a-z 0-9 _ . - are allowed"},
        {"level-slash", name_check_level, "a/b",
         "'a/b' is not a name: only A-Z a-z 0-9 _ . - are allowed"},
        {"object-root", name_check_object, "-", NULL},
        {"member", name_check_member, "setName", NULL},
        {"member-rpc", name_check_member, "rpc.ping",
         "'rpc.ping' is reserved: no member may be called rpc.…"},
        {"member-property-setter", name_check_member, "prop.set.X",
         "'prop.set.X' is reserved: no member may be called prop.…"},
        {"root", name_check_root, "dev1/mb1", NULL},
        {"root-ends-with-slash", name_check_root, "mb1/",
         "'mb1/' is not a topic prefix: expected levels of A-Z a-z 0-9 _ . - with single slashes "
         "between"},
        {"root-wildcard", name_check_root, "a/#",
         "'a/#' is not a topic prefix: expected levels of A-Z a-z 0-9 _ . - with single slashes "
         "between"},
        {"bus-system", name_check_bus, "system", NULL},
        {"bus-address", name_check_bus, "unix:path=/run/x", NULL},
        {"bus-word", name_check_bus, "sytem",
         "'sytem' is no bus: expected system, session or an address like unix:path=…"},
        {"bus-name", name_check_bus_name, "org.a-b.c", NULL},
        {"bus-name-unique", name_check_bus_name, ":1.5", "':1.5' is not a well-known D-Bus name"},
        {"bus-name-one-word", name_check_bus_name, "org", "'org' is not a well-known D-Bus name"},
        {"interface", name_check_interface, "org.a_b", NULL},
        {"interface-with-dash", name_check_interface, "org.a-b",
         "'org.a-b' is not the name of a D-Bus interface"},
        {"dbus-member", name_check_dbus_member, "Get2", NULL},
        {"dbus-member-with-dot", name_check_dbus_member, "a.b",
         "'a.b' is not the name of a D-Bus member"},
        {"path", name_check_path, "/a/b_9", NULL},
        {"path-relative", name_check_path, "a/b", "'a/b' is not a D-Bus object path"},
};

static void test_name(gconstpointer data)
{
        const Case *row = data;
        CLEANUP_ERROR Error *error = NULL;

        g_assert_cmpint(row->check(row->text, &error), ==, row->error ? -EINVAL : 0);
        g_assert_cmpstr(error ? error_text(error) : NULL, ==, row->error);
}

static void test_limits_lengths(void)
{
        g_autofree char *level = g_strnfill(255, 'x'), *long_level = g_strnfill(256, 'x');
        g_autofree char *object = g_strnfill(1024, 'x'), *long_object = g_strnfill(1025, 'x');

        g_assert_cmpint(name_check_level(level, NULL), ==, 0);
        g_assert_cmpint(name_check_level(long_level, NULL), ==, -EINVAL);
        g_assert_cmpint(name_check_object(object, NULL), ==, 0);
        g_assert_cmpint(name_check_object(long_object, NULL), ==, -EINVAL);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/names/", cases[i].name, NULL);

                g_test_add_data_func(path, &cases[i], test_name);
        }
        g_test_add_func("/names/limits-lengths", test_limits_lengths);
        return g_test_run();
}
