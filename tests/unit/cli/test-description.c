/* SPDX-License-Identifier: MIT */

#include "cli/description.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Row {
        const char *name;
        const char *document;
        const char *members; /* kind object interface name signature result flags */
} Row;

static const Row rows[] = {
        {"empty", "{}", ""},
        {"lists-of-another-kind", "{\"methods\":{},\"x-signals\":5,\"x-properties\":[1,[],{}]}",
         ""},
        {"method",
         "{\"methods\":[{\"name\":\"Add\",\"x-object\":\"-\",\"x-access\":\"read\",\"params\":[{"
         "\"name\":\"a\",\"schema\":{},\"x-dbus-type\":\"x\"},{\"name\":\"b\",\"schema\":{\"x-dbus-"
         "type\":\"as\"}}],\"result\":{\"name\":\"result\",\"schema\":{},\"x-dbus-type\":\"t\"},"
         "\"x-idempotent\":true,\"deprecated\":false}]}",
         "method - NULL Add xas t read idempotent\n"},
        {"name-behind-its-object",
         "{\"methods\":[{\"name\":\"a.b/Up\",\"x-object\":\"a.b\",\"x-interface\":\"x.Y\","
         "\"result\":{\"schema\":{\"type\":\"null\"}}}]}",
         "method a.b x.Y Up   \n"},
        {"without-types",
         "{\"methods\":[{\"name\":\"Go\",\"params\":[{},5],\"result\":{\"schema\":true}}]}",
         "method - NULL Go ?? ? \n"},
        {"signal", "{\"x-signals\":[{\"name\":\"Up\",\"params\":[{\"x-dbus-type\":\"s\"}]}]}",
         "signal - NULL Up s NULL \n"},
        {"properties",
         "{\"x-properties\":[{\"name\":\"A\",\"x-dbus-type\":\"u\",\"writable\":true,"
         "\"x-emits-changed\":\"true\"},{\"name\":\"B\",\"schema\":{\"x-dbus-type\":\"s\"},"
         "\"x-emits-changed\":\"false\"},{\"name\":\"C\",\"x-emits-changed\":\"const\"}]}",
         "property - NULL A u NULL emits-change writable\n"
         "property - NULL B s NULL no-signal\n"
         "property - NULL C ? NULL const\n"},
        {"names-that-are-none", "{\"methods\":[{\"name\":5},{\"name\":\"a\\u0000b\"},{}]}", ""},
};

static int write_member(const Description *description, const Member *member, void *userdata)
{
        static const char *const kinds[] = {"method", "signal", "property"};

        g_string_append_printf(userdata, "%s %s %s %s %s %s %s\n", kinds[member->kind],
                               member->object, member->interface ? member->interface : "NULL",
                               member->name, member->signature,
                               member->result ? member->result : "NULL", member->flags);
        return 0;
}

static void test_row(gconstpointer data)
{
        const Row *row = data;
        CLEANUP_DESCRIPTION Description description = {};
        g_autoptr(GString) members = g_string_new(NULL);

        g_assert_cmpint(description_parse(&description, row->document, strlen(row->document)), ==,
                        0);
        g_assert_cmpint(description_each(&description, write_member, members), ==, 0);
        g_assert_cmpstr(members->str, ==, row->members);
}

static void test_refuses_what_is_none(void)
{
        static const char *const texts[] = {"", "[]", "5", "{", "{\"a\":1,\"a\":2}"};
        CLEANUP_DESCRIPTION Description description = {};

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
                g_assert_cmpint(description_parse(&description, texts[i], strlen(texts[i])), ==,
                                -EBADMSG);
        g_assert_cmpint(description_each(&description, write_member, NULL), ==, 0);
        g_assert_false(description_has_object(&description, "-"));
        g_assert_null(description_dbus_name(&description));
}

static int stop(const Description *description, const Member *member, void *userdata)
{
        ++*(unsigned *)userdata;
        return -ECANCELED;
}

static void test_visit_may_end_it(void)
{
        static const char text[] = "{\"methods\":[{\"name\":\"a\"},{\"name\":\"b\"}]}";
        CLEANUP_DESCRIPTION Description description = {};
        unsigned count = 0;

        g_assert_cmpint(description_parse(&description, text, strlen(text)), ==, 0);
        g_assert_cmpint(description_each(&description, stop, &count), ==, -ECANCELED);
        g_assert_cmpuint(count, ==, 1);
}

static void test_members_by_interface(void)
{
        static const char text[] = "{\"x-dbus-name\":\"org.x\",\"methods\":[{\"name\":\"a/M\","
                                   "\"x-object\":\"a\",\"x-interface\":\"x.Y\"}]}";
        static const char meta_text[] = "{\"interfaces\":[\"x.Z\",\"x.Y\"]}";
        const Member member = {.object = (char *)"a", .interface = (char *)"x.Y"};
        CLEANUP_DESCRIPTION Description description = {};
        CLEANUP_JSON_DOC JsonDoc meta = {}, none = {};
        g_autofree char *name = NULL;

        g_assert_cmpint(description_parse(&description, text, strlen(text)), ==, 0);
        g_assert_cmpint(json_scan(&meta, meta_text, strlen(meta_text), JSON_SCAN_STRICT), ==, 0);
        name = description_dbus_name(&description);
        g_assert_cmpstr(name, ==, "org.x");
        g_assert_true(description_has_object(&description, "a"));
        g_assert_false(description_has_object(&description, "b"));
        g_assert_true(description_member_is_of(&member, "a", true, &none));
        g_assert_true(description_member_is_of(&member, "b", false, &meta));
        g_assert_false(description_member_is_of(&member, "b", true, &meta));
        g_assert_false(description_member_is_of(&member, "b", false, &none));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/cli-description/%s", rows[i].name);

                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/cli-description/refuses-what-is-none", test_refuses_what_is_none);
        g_test_add_func("/cli-description/visit-may-end-it", test_visit_may_end_it);
        g_test_add_func("/cli-description/members-by-interface", test_members_by_interface);
        return g_test_run();
}
