/* SPDX-License-Identifier: MIT */

#include "gateway/migration.h"

#include <glib.h>
#include <string.h>

static MappingService *load(const char *objects)
{
        g_autofree char *text =
                g_strdup_printf("{\"service\":\"a\",\"dbus\":{\"name\":\"org.A.B\"},"
                                "\"provider\":\"dbus\",\"objects\":%s}",
                                objects);
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        MappingService *service = NULL;

        g_assert_cmpint(mapping_parse("m.json", text, strlen(text), &diagnostics, &service), ==, 0);
        return service;
}

static void append(const MigrationFinding *finding, void *userdata)
{
        GString *list = userdata;

        g_assert_cmpstr(migration_gap_text(finding), !=, "");
        g_string_append_printf(list, "%s%s %s\n", migration_gap_is_loss(finding) ? "!" : "?",
                               finding->member ? finding->member->member : "",
                               migration_gap_name(finding->gap));
}

static void check_gaps(const char *objects, const char *expected)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = load(objects);
        g_autoptr(GString) list = g_string_new(NULL);

        migration_find_gaps(service, append, list);
        g_assert_cmpstr(list->str, ==, expected);
}

#define METHODS(list) \
        "[{\"path\":\"/org/A/B\",\"interfaces\":{\"org.A.B1\":{\"methods\":{" list "}}}}]"
#define SIGNALS(list) \
        "[{\"path\":\"/org/A/B\",\"interfaces\":{\"org.A.B1\":{\"signals\":{" list "}}}}]"
#define READ ",\"access\":\"read\"}"

static void test_gaps(void)
{
        check_gaps(METHODS("\"M\":{\"in\":[],\"out\":[\"n:u\"]" READ), "");
        /* whoever calls it matters to the service */
        check_gaps(METHODS("\"M\":{\"in\":[],\"out\":[]}"), "? caller\n");
        check_gaps(METHODS("\"M\":{\"in\":[\"a:a(sh)\"],\"out\":[]" READ), "!M descriptors\n");
        check_gaps(METHODS("\"M\":{\"access\":\"read\"}"), "!M types\n");
        check_gaps(METHODS("\"M\":{\"in\":[],\"out\":[\"v:av\"]" READ), "?M variant\n");
        /* what a client sends has its types */
        check_gaps(METHODS("\"M\":{\"in\":[\"v:v\"],\"out\":[]" READ), "");
        check_gaps(METHODS("\"M\":{\"in\":[],\"out\":[],\"callback\":true" READ), "!M callback\n");
        check_gaps(METHODS("\"RegisterAgent\":{\"in\":[\"a:o\"],\"out\":[]" READ),
                   "?RegisterAgent callback\n");
        check_gaps(METHODS("\"RegisterAgent\":{\"in\":[\"a:s\"],\"out\":[]" READ), "");
        check_gaps(METHODS("\"Open\":{\"in\":[\"a:o\"],\"out\":[]" READ), "");
        check_gaps(SIGNALS("\"S\":{\"args\":[],\"unicast\":true" READ), "!S unicast\n");
        check_gaps(SIGNALS("\"S\":{\"args\":[],\"min_interval_ms\":5" READ), "!S thinned\n");
        check_gaps(SIGNALS("\"S\":{\"args\":[\"n:u\"],\"filter\":{\"n\":1}" READ), "!S thinned\n");
}

/* Each state that a service can have has something to do next, and not the same as another. */
static void test_next_steps(void)
{
        g_autoptr(GHashTable) texts = g_hash_table_new(g_str_hash, g_str_equal);

        for (ProviderState state = PROVIDER_NONE; state <= PROVIDER_CONFLICT; state++) {
                const char *name = provider_state_name(state);
                const char *text = migration_next_step(MAPPING_PROVIDER_AUTO, name, 0);

                g_assert_true(g_hash_table_add(texts, (gpointer)text));
        }
        g_assert_true(g_hash_table_add(
                texts, (gpointer)migration_next_step(MAPPING_PROVIDER_AUTO, "loop", 0)));
        g_assert_true(g_hash_table_add(
                texts, (gpointer)migration_next_step(MAPPING_PROVIDER_AUTO, "disconnected", 0)));
        g_assert_true(g_hash_table_add(
                texts, (gpointer)migration_next_step(MAPPING_PROVIDER_DBUS, "running", 0)));
        g_assert_nonnull(
                strstr(migration_next_step(MAPPING_PROVIDER_MQTT, "serving", 3), "Move the users"));
        g_assert_nonnull(
                strstr(migration_next_step(MAPPING_PROVIDER_MQTT, "serving", 0), "Nobody"));
        g_assert_nonnull(
                strstr(migration_next_step(MAPPING_PROVIDER_MQTT, "conflict", 0), "disable it"));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/migration/gaps", test_gaps);
        g_test_add_func("/migration/next-steps", test_next_steps);
        return g_test_run();
}
