/* SPDX-License-Identifier: MIT */

#include "bridge/names.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static Span span(const char *text)
{
        return (Span){text, strlen(text)};
}

static void test_topics_have_kinds(void)
{
        static const struct {
                const char *rest;
                int kind; /* -1: none */
        } rows[] = {
                {"net/$state", TOPIC_STATE},
                {"net/$api", TOPIC_API},
                {"net/-/$meta", TOPIC_META},
                {"net/-/prop/Name", TOPIC_PROPERTY},
                {"net/-/sig/Changed", TOPIC_SIGNAL},
                {"net/-/call/Scan/alice", TOPIC_CALL},
                {"net/-/call/Scan/alice/reply", TOPIC_CALL_REPLY},
                {"net/-/rpc/alice", TOPIC_RPC},
                {"net", -1},
                {"", -1},
                {"net/", -1},
                {"/$state", -1},
                {"net/$other", -1},
                {"net/-/call/Scan", -1},
                {"net/-/call//alice", -1},
                {"net/-/call/Scan/al ice", -1},
                {"net/-/call/Scan/alice/reply/more", -1},
                {"net/-/call/Scan/alice/", -1},
                {"net/+/call/Scan/alice", -1},
                {"$net/-/prop/Name", -1},
                {"net/-/other/Name", -1},
                {"net/-/rpc/alice/reply", -1},
                {"net/-/prop/\xc3\xa4", -1},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Topic topic;
                int r = topic_parse(rows[i].rest, &topic);

                g_test_message("%s", rows[i].rest);
                if (rows[i].kind < 0) {
                        g_assert_cmpint(r, ==, -EINVAL);
                } else {
                        g_assert_cmpint(r, ==, 0);
                        g_assert_cmpint((int)topic.kind, ==, rows[i].kind);
                }
        }
}

static void test_levels_are_found(void)
{
        Topic topic;

        g_assert_cmpint(topic_parse("net/a.b/call/Scan/alice/b01", &topic), ==, 0);
        g_assert_cmpmem(topic.service.at, topic.service.length, "net", 3);
        g_assert_cmpmem(topic.object.at, topic.object.length, "a.b", 3);
        g_assert_cmpmem(topic.name.at, topic.name.length, "Scan", 4);
        g_assert_cmpmem(topic.caller.at, topic.caller.length, "alice", 5);
        g_assert_cmpmem(topic.token.at, topic.token.length, "b01", 3);
}

static void test_below_a_prefix(void)
{
        g_assert_cmpstr(topic_below("dev1/mb1/net/$state", "dev1/mb1"), ==, "net/$state");
        g_assert_null(topic_below("dev1/mb10/net", "dev1/mb1"));
        g_assert_null(topic_below("dev2/mb1/net", "dev1/mb1"));
        g_assert_null(topic_below("dev1/mb1", "dev1/mb1"));
        g_assert_null(topic_below("dev1", "dev1/mb1"));
}

static void test_patterns_match(void)
{
        static const struct {
                const char *pattern, *name;
                bool matches;
        } rows[] = {
                {"*", "a", true},      {"net", "net", true},   {"net", "net2", false},
                {"net*", "net", true}, {"net*", "net2", true}, {"net*", "ne", false},
                {"net", "ne", false},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                g_assert_true(pattern_matches(rows[i].pattern, span(rows[i].name)) ==
                              rows[i].matches);
}

static void test_patterns_meet(void)
{
        static const struct {
                const char *a, *b;
                bool meet;
        } rows[] = {
                {"*", "x", true},     {"ab*", "abc", true}, {"ab*", "ac*", false},
                {"a*", "ab*", true},  {"a", "a", true},     {"a", "b", false},
                {"abc", "ab", false}, {"ab*", "a", false},  {"*", "*", true},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_assert_true(pattern_meets(rows[i].a, rows[i].b) == rows[i].meet);
                g_assert_true(pattern_meets(rows[i].b, rows[i].a) == rows[i].meet);
        }
}

static void test_fields_are_checked(void)
{
        static const char *const bad[] = {"", "a b", "a/b", "+", "#", "$a", "a*b", "**"};

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                g_assert_cmpint(name_check_pattern(bad[i], NULL), ==, -EINVAL);
                g_assert_cmpint(name_check(bad[i], NULL), ==, -EINVAL);
        }
        g_assert_cmpint(name_check_pattern("a*", NULL), ==, 0);
        g_assert_cmpint(name_check_prefix("a/b.c", NULL), ==, 0);
        g_assert_cmpint(name_check_prefix("a//b", NULL), ==, -EINVAL);
        g_assert_cmpint(name_check_prefix("a/", NULL), ==, -EINVAL);
        g_assert_cmpuint(topic_count_levels("a/b/c"), ==, 3);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/names/topics-have-kinds", test_topics_have_kinds);
        g_test_add_func("/names/levels-are-found", test_levels_are_found);
        g_test_add_func("/names/below-a-prefix", test_below_a_prefix);
        g_test_add_func("/names/patterns-match", test_patterns_match);
        g_test_add_func("/names/patterns-meet", test_patterns_meet);
        g_test_add_func("/names/fields-are-checked", test_fields_are_checked);
        return g_test_run();
}
