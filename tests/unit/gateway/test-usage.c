/* SPDX-License-Identifier: MIT */

#include "gateway/usage.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define NOON 1767268800 /* 2026-01-01T12:00:00Z */

static const UsageKey get = {USAGE_MQTT, USAGE_CALL, "test", "-", "org.example.Test1", "Get"};

static char *write_all(const Usage *usage)
{
        Buffer buffer = BUFFER_INIT(LIMIT_FILE_BYTES);

        g_assert_cmpint(usage_write(usage, &buffer), ==, 0);
        return buffer_steal(&buffer);
}

static void test_counts(void)
{
        CLEANUP_USAGE Usage usage = {};

        usage_count(&usage, &get, "alice", NULL, NOON);
        usage_count(&usage, &get, "bob", "cupsd\n\303\244", NOON + 5);
        g_assert_cmpuint(usage.n_entries, ==, 1);
        g_assert_cmpuint(usage.entries->count, ==, 2);
        g_assert_cmpint(usage.entries->first, ==, NOON);
        g_assert_cmpint(usage.entries->last, ==, NOON + 5);
        g_assert_cmpstr(usage.entries->caller, ==, "bob");
        g_assert_cmpstr(usage.entries->process, ==, "cupsd???");
}

static void test_tells_keys_apart(void)
{
        static const UsageKey keys[] = {
                {USAGE_DBUS, USAGE_CALL, "test", "-", "org.example.Test1", "Get"},
                {USAGE_MQTT, USAGE_GET, "test", "-", "org.example.Test1", "Get"},
                {USAGE_MQTT, USAGE_CALL, "tes", "t-", "org.example.Test1", "Get"},
                {USAGE_MQTT, USAGE_CALL, "test", "-", "org.example.Test1G", "et"},
        };
        CLEANUP_USAGE Usage usage = {};

        usage_count(&usage, &get, "alice", NULL, NOON);
        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
                usage_count(&usage, &keys[i], "alice", NULL, NOON);
        g_assert_cmpuint(usage.n_entries, ==, 1 + G_N_ELEMENTS(keys));
        for (const UsageEntry *entry = usage.entries; entry; entry = entry->hh.next)
                g_assert_cmpuint(entry->count, ==, 1);
}

static void test_nobody_counts(void)
{
        usage_count(NULL, &get, "alice", NULL, NOON);
}

static void count_many(Usage *usage, unsigned count, const char *interface)
{
        for (unsigned i = 0; i < count; i++) {
                g_autofree char *member = g_strdup_printf("M%u", i);
                UsageKey key = get;

                key.interface = interface;
                key.member = member;
                usage_count(usage, &key, "alice", NULL, NOON);
        }
}

static void test_counts_together_what_has_no_room(void)
{
        g_autofree char *long_name = g_strnfill(LIMIT_OBJECT_LENGTH + 1024, 'x');
        CLEANUP_USAGE Usage usage = {};
        UsageKey too_long = get;

        count_many(&usage, LIMIT_USAGE_ENTRIES + 7, "org.example.Test1");
        g_assert_cmpuint(usage.n_entries, ==, LIMIT_USAGE_ENTRIES);
        g_assert_cmpuint(usage.others[USAGE_MQTT], ==, 7);
        too_long.object = long_name;
        usage_count(&usage, &too_long, "alice", NULL, NOON);
        g_assert_cmpuint(usage.others[USAGE_MQTT], ==, 8);
        count_many(&usage, 1, "org.example.Test1");
        g_assert_cmpuint(usage.others[USAGE_MQTT], ==, 8);
}

/* ---- as text ---- */

static void test_reads_back_what_it_has_written(void)
{
        CLEANUP_USAGE Usage usage = {}, again = {};
        g_autofree char *text = NULL;
        g_autofree char *text_again = NULL;

        usage_count(&usage, &get, "alice", "cupsd", NOON);
        usage_count(&usage, &get, "bob", NULL, NOON + 60);
        usage.others[USAGE_DBUS] = 3;
        text = write_all(&usage);
        g_assert_cmpstr(
                text, ==,
                "{\n  \"format\": \"dbus-mqtt-gateway usage 1\",\n  \"members\": [\n"
                "    {\"side\": \"mqtt\", \"access\": \"call\", \"service\": \"test\", "
                "\"object\": \"-\", \"interface\": \"org.example.Test1\", \"member\": \"Get\", "
                "\"count\": 2, \"first\": \"2026-01-01T12:00:00Z\", "
                "\"last\": \"2026-01-01T12:01:00Z\", \"caller\": \"bob\"}\n  ],\n"
                "  \"others\": {\"mqtt\": 0, \"dbus\": 3}\n}\n");
        g_assert_cmpint(usage_parse(&again, "x", text, strlen(text), NULL), ==, 0);
        text_again = write_all(&again);
        g_assert_cmpstr(text_again, ==, text);
}

static void test_full_one_fits_its_file(void)
{
        g_autofree char *interface = g_strnfill(255, 'i');
        CLEANUP_USAGE Usage usage = {}, again = {};
        g_autofree char *text = NULL;
        uint64_t sum = 0;

        count_many(&usage, LIMIT_USAGE_ENTRIES, interface);
        for (UsageEntry *entry = usage.entries; entry; entry = entry->hh.next)
                memset(entry->caller, 'c', sizeof(entry->caller) - 1);
        memset(usage.entries->process, 'p', sizeof(usage.entries->process) - 1);
        text = write_all(&usage);
        g_assert_cmpuint(strlen(text), <=, LIMIT_FILE_BYTES);
        g_assert_cmpint(usage_parse(&again, "x", text, strlen(text), NULL), ==, 0);
        for (const UsageEntry *entry = again.entries; entry; entry = entry->hh.next)
                sum += entry->count;
        g_assert_cmpuint(sum + again.others[USAGE_MQTT], ==, LIMIT_USAGE_ENTRIES);
}

#define HEAD "{\"format\":\"dbus-mqtt-gateway usage 1\",\"others\":{\"mqtt\":1,\"dbus\":2}"
#define ENTRY(side, count, last)                                                        \
        "{\"side\":\"" side "\",\"access\":\"set\",\"service\":\"s\",\"object\":\"o\"," \
        "\"interface\":\"i\",\"member\":\"m\",\"count\":" count                         \
        ",\"first\":\"2026-01-01T12:00:00Z\",\"last\":\"" last "\"}"
#define GOOD ENTRY("dbus", "5", "2026-01-01T12:00:00Z")

static void test_refuses_what_is_none(void)
{
        static const struct {
                const char *text;
                const char *finding;
        } rows[] = {
                {"", "x:1:1"},
                {"{", "x:1:2"},
                {"[]", "expected an object"},
                {"{}", "format"},
                {"{\"format\":\"else\",\"members\":[],\"others\":{\"mqtt\":0,\"dbus\":0}}",
                 "expected \"dbus-mqtt-gateway usage 1\""},
                {HEAD "}", "members"},
                {HEAD ",\"members\":{}}", "expected an array"},
                {HEAD ",\"members\":[5]}", "expected an object"},
                {HEAD ",\"members\":[" GOOD ",{}]}", "side"},
                {HEAD ",\"members\":[" GOOD "," ENTRY("x", "5", "2026-01-01T12:00:00Z") "]}",
                 "expected one of"},
                {HEAD ",\"members\":[" ENTRY("mqtt", "-5", "2026-01-01T12:00:00Z") "]}",
                 "expected a count"},
                {HEAD ",\"members\":[" ENTRY("mqtt", "5", "yesterday") "]}", "expected a time"},
                {"{\"format\":\"dbus-mqtt-gateway usage 1\",\"members\":[" GOOD
                 "],\"others\":{\"mqtt\":\"x\"}}",
                 "expected a count for 'mqtt'"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                CLEANUP_DIAGNOSTICS Diagnostics list = {};
                CLEANUP_USAGE Usage usage = {};

                g_assert_cmpint(usage_parse(&usage, "x", rows[i].text, strlen(rows[i].text), &list),
                                <, 0);
                g_assert_cmpuint(usage.n_entries, ==, 0);
                g_assert_null(usage.entries);
                g_assert_cmpuint(usage.others[USAGE_DBUS], ==, 0);
                g_assert_cmpuint(list.count, >, 0);
                if (!strstr(list.items[0].text, rows[i].finding))
                        g_error("row %zu: %s", i, list.items[0].text);
        }
}

static void test_adds_up_what_is_there_twice(void)
{
        static const char text[] = HEAD ",\"members\":[" GOOD "," GOOD "]}";
        CLEANUP_USAGE Usage usage = {};

        g_assert_cmpint(usage_parse(&usage, "x", text, strlen(text), NULL), ==, 0);
        g_assert_cmpuint(usage.n_entries, ==, 1);
        g_assert_cmpuint(usage.entries->count, ==, 10);
        g_assert_cmpuint(usage.others[USAGE_DBUS], ==, 2);
}

/* ---- changes ---- */

static void on_change(void *userdata)
{
        ++*(unsigned *)userdata;
}

static void test_tells_the_first_change_after_saving(void)
{
        unsigned count = 0;
        CLEANUP_USAGE Usage usage = {.on_change = on_change, .userdata = &count};

        usage_count(&usage, &get, "alice", NULL, NOON);
        usage_count(&usage, &get, "alice", NULL, NOON);
        g_assert_cmpuint(count, ==, 1);
        usage_saved(&usage);
        usage_count(&usage, &get, "alice", NULL, NOON);
        g_assert_cmpuint(count, ==, 2);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/usage/counts", test_counts);
        g_test_add_func("/usage/tells-keys-apart", test_tells_keys_apart);
        g_test_add_func("/usage/nobody-counts", test_nobody_counts);
        g_test_add_func("/usage/counts-together-what-has-no-room",
                        test_counts_together_what_has_no_room);
        g_test_add_func("/usage/reads-back-what-it-has-written",
                        test_reads_back_what_it_has_written);
        g_test_add_func("/usage/full-one-fits-its-file", test_full_one_fits_its_file);
        g_test_add_func("/usage/refuses-what-is-none", test_refuses_what_is_none);
        g_test_add_func("/usage/adds-up-what-is-there-twice", test_adds_up_what_is_there_twice);
        g_test_add_func("/usage/tells-the-first-change-after-saving",
                        test_tells_the_first_change_after_saving);
        return g_test_run();
}
