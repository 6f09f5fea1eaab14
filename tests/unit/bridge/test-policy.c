/* SPDX-License-Identifier: MIT */

#include "bridge/policy.h"

#include "tests/unit/bridge/load.h"

static const char rules[] =
        ",\"publish\":[{\"service\":\"net\",\"object\":\"-\",\"properties\":[\"Na*\"],"
        "\"signals\":[\"Up\"]},{\"service\":\"log\",\"signals\":[\"*\"]}],"
        "\"allow\":[{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Scan\",\"prop.set.*\"],"
        "\"callers\":[\"alice\",\"bob\"]},"
        "{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Ping\"],\"others\":true}]";

static void test_what_goes_up(void)
{
        static const struct {
                const char *rest;
                bool goes;
        } rows[] = {
                {"net/$state", true},
                {"net/$api", true},
                {"net/-/$meta", true},
                {"net/other/$meta", false},
                {"net/-/prop/Name", true},
                {"net/-/prop/Secret", false},
                {"net/other/prop/Name", false},
                {"net/-/sig/Up", true},
                {"net/-/sig/Down", false},
                {"log/any/sig/X", true},
                {"log/any/prop/X", false},
                {"other/$state", false},
                {"net/-/call/Scan/alice", false},
                {"net2/-/prop/Name", false},
        };
        CLEANUP_POLICY Policy *policy = load_policy(rules);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Topic topic;

                g_test_message("%s", rows[i].rest);
                g_assert_cmpint(topic_parse(rows[i].rest, &topic), ==, 0);
                g_assert_true((policy_find_publish(policy, &topic) != NULL) == rows[i].goes);
        }
}

static void test_what_comes_down(void)
{
        static const struct {
                const char *rest;
                int rule; /* -1: denied */
        } rows[] = {
                {"net/-/call/Scan/alice", 0},
                {"net/-/call/Scan/bob", 0},
                {"net/-/call/Scan/eve", -1},
                {"net/-/call/prop.set.Name/alice", 0},
                {"net/-/call/prop.get/alice", -1},
                {"net/other/call/Scan/alice", -1},
                {"net2/-/call/Scan/alice", -1},
                {"log/-/call/Scan/alice", -1},
                {"net/-/call/Ping/eve", 1},
                {"net/-/call/Ping/alice", 1},
                {"net/-/call/rpc.cancel/alice", 0},
                {"net/-/call/rpc.cancel/eve", -1},
                {"net/other/call/rpc.cancel/alice", -1},
        };
        CLEANUP_POLICY Policy *policy = load_policy(rules);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const AllowRule *rule;
                Topic topic;

                g_test_message("%s", rows[i].rest);
                g_assert_cmpint(topic_parse(rows[i].rest, &topic), ==, 0);
                rule = policy_find_allow(policy, &topic);
                g_assert_true(rule == (rows[i].rule < 0 ? NULL : &policy->allow[rows[i].rule]));
        }
}

static void test_callers_are_listed_once(void)
{
        CLEANUP_POLICY Policy *policy = load_policy(
                ",\"allow\":[{\"service\":\"a\",\"methods\":[\"*\"],\"callers\":[\"x\",\"y\"]},"
                "{\"service\":\"b\",\"methods\":[\"*\"],\"callers\":[\"y\",\"z\"]}]");
        g_autofree const char **callers = NULL;
        size_t count = 0;

        g_assert_cmpint(policy_list_callers(policy, &callers, &count), ==, 0);
        g_assert_cmpuint(count, ==, 3);
        g_assert_false(policy_admits_others(policy));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/policy/what-goes-up", test_what_goes_up);
        g_test_add_func("/policy/what-comes-down", test_what_comes_down);
        g_test_add_func("/policy/callers-are-listed-once", test_callers_are_listed_once);
        return g_test_run();
}
