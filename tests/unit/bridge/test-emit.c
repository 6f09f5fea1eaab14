/* SPDX-License-Identifier: MIT */

#include "bridge/emit.h"

#include <errno.h>

#include "tests/unit/bridge/load.h"

static const char rules[] =
        ",\"publish\":[{\"service\":\"net\",\"object\":\"-\",\"properties\":[\"Na*\"],"
        "\"signals\":[\"Up\"]}],"
        "\"allow\":[{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Scan\"],"
        "\"callers\":[\"alice\"]},"
        "{\"service\":\"net\",\"object\":\"-\",\"methods\":[\"Ping\"],\"others\":true}]";

static void expect(const Buffer *buffer, const char *const *lines)
{
        g_autofree char *text = g_strconcat("\n", buffer_text(buffer), NULL);

        for (; *lines; lines++) {
                g_autofree char *line = g_strconcat("\n", *lines, "\n", NULL);

                if (!strstr(text, line))
                        g_error("no line '%s' in:\n%s", *lines, text);
        }
}

static void test_acl_of_the_cloud(void)
{
        static const char *const lines[] = {
                "pattern read dev1/mb1/$node",
                "pattern read dev1/mb1/net/-/sig/Up",
                "pattern read dev1/mb1/net/-/prop/+",
                "pattern write dev1/mb1/net/-/call/Ping/%u",
                "user dev1",
                "topic readwrite dev1/mb1/#",
                "user alice",
                "topic read dev1/mb1/+/+/call/+/alice/+",
                "topic write dev1/mb1/net/-/call/Scan/alice",
                "topic write dev1/mb1/net/-/call/rpc.cancel/alice",
                NULL,
        };
        CLEANUP_POLICY Policy *policy = load_policy(rules);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(emit_acl(policy, &buffer), ==, 0);
        expect(&buffer, lines);
}

static void test_acl_of_the_local_broker(void)
{
        static const char *const lines[] = {
                "user bridge",
                "topic readwrite mb1/bridge/#",
                "topic read mb1/+/+/call/+/cloud.alice/+",
                "topic write mb1/net/-/call/Scan/cloud.alice",
                "topic write mb1/net/-/call/Ping/cloud.other",
                NULL,
        };
        CLEANUP_POLICY Policy *policy = load_policy(rules);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(emit_local_acl(policy, &buffer), ==, 0);
        expect(&buffer, lines);
}

static void test_bridge_of_mosquitto(void)
{
        static const char *const lines[] = {
                "connection dev1",
                "address 127.0.0.1:1999",
                "topic net/$state out 1 mb1/ dev1/mb1/",
                "# wider than the policy, which has net/-/prop/Na*",
                "topic net/-/prop/+ out 1 mb1/ dev1/mb1/",
                "topic net/-/call/Scan/alice in 1 mb1/ dev1/mb1/",
                "topic net/-/call/Scan/alice/+ out 1 mb1/ dev1/mb1/",
                NULL,
        };
        CLEANUP_POLICY Policy *policy = load_policy(rules);
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(emit_mosquitto(policy, &buffer), ==, 0);
        expect(&buffer, lines);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/emit/acl-of-the-cloud", test_acl_of_the_cloud);
        g_test_add_func("/emit/acl-of-the-local-broker", test_acl_of_the_local_broker);
        g_test_add_func("/emit/bridge-of-mosquitto", test_bridge_of_mosquitto);
        return g_test_run();
}
