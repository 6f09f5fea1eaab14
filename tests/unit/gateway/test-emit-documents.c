/* SPDX-License-Identifier: MIT */

/* The kinds of documents that are for reading: what is in them, and that the texts of the mapping
 * do not break them. */

#include "gateway/emit.h"

#include <glib.h>
#include <string.h>

#include "common/json-scan.h"
#include "tests/unit/gateway/make-survey.h"

static const char objects[] =
        "{\"path\":\"/org/a\",\"interfaces\":{\"a.I\":{"
        "\"methods\":{\"M\":{\"in\":[\"x:s\"],\"out\":[\"y:u\"],\"access\":\"read\",\"summary\":"
        "\"a|b\\nc\"},\"Open\":{},\"Quiet\":{\"in\":[],\"out\":[],\"no_reply\":true}},"
        "\"properties\":{\"P\":{\"type\":\"ay\",\"writable\":true,\"emits_changed\":\"false\"},"
        "\"Secret\":{\"type\":\"s\",\"mask\":true}},"
        "\"signals\":{\"S\":{\"args\":[\"k:o\"],\"deprecated\":true}}}}},"
        "{\"path\":\"/org/a/{x}\",\"interfaces\":{\"a.J\":{\"methods\":{\"*\":{}},"
        "\"properties\":{\"Q\":{\"type\":\"b\"}}}}}";

typedef int (*Emit)(const MappingSet *set, const EmitOptions *options, Buffer *buffer);

static char *make(Emit emit)
{
        EmitOptions options = {.root = "r", .gateway = "gw", .dbus_user = "gwuser"};
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        CLEANUP_MAPPING_SET MappingSet set = {};

        g_assert_cmpint(mapping_set_add(&set, make_mapping(objects), NULL), ==, 0);
        g_assert_cmpint(emit(&set, &options, &buffer), ==, 0);
        return g_strdup(buffer_text(&buffer));
}

static void expect(const char *text, const char *const *parts, size_t n_parts)
{
        for (size_t i = 0; i < n_parts; i++)
                if (!strstr(text, parts[i]))
                        g_error("no %s in %s", parts[i], text);
}

static void test_markdown(void)
{
        static const char *const parts[] = {
                "# s\n\nD-Bus name: `org.a`, on the system bus.\n",
                "\n## `-`\n\nTopics: `r/s/-/…`. D-Bus object: `/org/a`.\n",
                "| `M` | x `s` | y `u` | read | a\\|b c |\n",
                "| `Open` | ? | ? | admin |  |\n",
                "| `P` | `ay` | admin | no |  |\n",
                "| `Secret` | `s` |  | secret |  |\n",
                "| `S` | k `o` | Deprecated.  |\n",
                "\n## `{x}`\n",
        };
        g_autofree char *text = make(emit_markdown);

        expect(text, parts, G_N_ELEMENTS(parts));
}

static void test_dbus_policy(void)
{
        static const char *const parts[] = {
                "<policy user=\"gwuser\">",
                "<deny send_destination=\"org.a\"/>",
                "<allow send_destination=\"org.a\" send_path=\"/org/a\"\n"
                "           send_interface=\"a.I\" send_member=\"M\" send_type=\"method_call\"/>",
                "send_path=\"/org/a\"\n           "
                "send_interface=\"org.freedesktop.DBus.Properties\""
                " send_member=\"Set\"",
                "send_interface=\"org.freedesktop.DBus.ObjectManager\"/>",
                "<allow send_destination=\"org.a\"\n           send_interface=\"a.J\" "
                "send_type=\"method_call\"/>",
                "<allow send_destination=\"org.a\"\n           "
                "send_interface=\"org.freedesktop.DBus.Properties\" send_member=\"Get\"",
        };
        g_autofree char *text = make(emit_dbus_policy);
        const char *set;

        expect(text, parts, G_N_ELEMENTS(parts));
        /* where nothing is writable, nothing may be set */
        set = strstr(text, "send_member=\"Set\"");
        g_assert_null(strstr(set + 1, "send_member=\"Set\""));
}

static void test_asyncapi(void)
{
        static const char *const parts[] = {
                "\"asyncapi\": \"2.6.0\"",
                "\"r/s/$state\": {",
                "\"r/s/-/$meta\": {",
                "\"r/s/-/call/M/{caller}\": {\n      \"parameters\": {\n        \"caller\": "
                "{\"schema\": {\"type\":\"string\"}}\n      },\n      \"publish\": {\n        "
                "\"summary\": \"a|b\\nc\",",
                "\"r/s/-/call/M/{caller}/reply\": {",
                "\"r/s/-/prop/P\": {\n      \"subscribe\": {",
                "\"r/s/{x}/prop/Q\": {\n      \"parameters\": {\n        \"x\":",
                "\"r/s/-/sig/S\": {",
        };
        g_autofree char *text = make(emit_asyncapi);
        CLEANUP_JSON_DOC JsonDoc doc = {};

        expect(text, parts, G_N_ELEMENTS(parts));
        g_assert_null(strstr(text, "prop/Secret"));
        g_assert_null(strstr(text, "Quiet/{caller}/reply"));
        g_assert_cmpint(json_scan(&doc, text, strlen(text), JSON_SCAN_STRICT), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/emit/markdown", test_markdown);
        g_test_add_func("/emit/dbus-policy", test_dbus_policy);
        g_test_add_func("/emit/asyncapi", test_asyncapi);
        return g_test_run();
}
