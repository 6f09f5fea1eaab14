/* SPDX-License-Identifier: MIT */

#include "gateway/openrpc.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static const char mapping[] =
        "{\"service\":\"s\",\"summary\":\"text\",\"dbus\":{\"name\":\"org.a\"},\"objects\":["
        "{\"path\":\"/org/a\",\"interfaces\":{\"a.I\":{\"methods\":{"
        "\"M\":{\"in\":[\"x:s\"],\"out\":[\"y:u\",\"z:b\"],\"access\":\"read\",\"summary\":"
        "\"does\"},"
        "\"N\":{\"in\":[],\"out\":[],\"idempotent\":true,\"deprecated\":true},"
        "\"O\":{\"in\":[],\"out\":[\"y:u\",\"z:b\"],\"result\":\"object\"},"
        "\"Q\":{\"in\":[],\"no_reply\":true},"
        "\"Open\":{}}}}},"
        "{\"path\":\"/org/a/{x}\",\"interfaces\":{\"a.J\":{"
        "\"methods\":{\"M\":{\"in\":[],\"out\":[\"v:v\"]}},"
        "\"properties\":{\"P\":{\"type\":\"ay\",\"writable\":true,\"emits_changed\":\"const\","
        "\"mask\":true,\"retain\":false}},"
        "\"signals\":{\"S\":{\"args\":[\"k:o\"],\"qos\":0}}}}}]}";

static MappingService *load(void)
{
        MappingService *service = NULL;

        g_assert_cmpint(mapping_parse("x.json", mapping, strlen(mapping), NULL, &service), ==, 0);
        return service;
}

#define TYPE_S "{\"type\":\"string\",\"x-dbus-type\":\"s\"}"
#define TYPE_U "{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295,\"x-dbus-type\":\"u\"}"
#define TYPE_B "{\"type\":\"boolean\",\"x-dbus-type\":\"b\"}"

static void test_has_all_members(void)
{
        static const char *const parts[] = {
                "{\"openrpc\":\"1.3.2\",\"info\":{\"title\":\"s\",\"version\":\"1.0.0\","
                "\"description\":\"text\"},\"x-dbus-name\":\"org.a\",\"methods\":[",
                "{\"name\":\"M\",\"summary\":\"does\",\"x-object\":\"-\",\"x-interface\":\"a.I\","
                "\"x-access\":\"read\",\"x-method\":\"M\",\"paramStructure\":\"either\","
                "\"params\":[{\"name\":\"x\",\"required\":true,\"schema\":" TYPE_S
                "}],\"result\":{\"name\":\"result\",\"schema\":{\"type\":\"array\",\"items\":"
                "[" TYPE_U "," TYPE_B "],\"minItems\":2,\"maxItems\":2}}}",
                "\"deprecated\":true,\"x-object\":\"-\",\"x-interface\":\"a.I\",\"x-access\":"
                "\"admin\",\"x-method\":\"N\",\"x-idempotent\":true,",
                "\"result\":{\"name\":\"result\",\"schema\":{\"type\":\"null\"}}",
                "\"schema\":{\"type\":\"object\",\"properties\":{\"y\":" TYPE_U ",\"z\":" TYPE_B
                "}}",
                "\"x-method\":\"Q\",\"paramStructure\":\"either\",\"params\":[]}",
                "\"x-method\":\"Open\",\"paramStructure\":\"either\",\"params\":[],\"result\":"
                "{\"name\":\"result\",\"schema\":{}}",
                "{\"name\":\"{x}/M\",\"x-object\":\"{x}\",",
                "\"x-signals\":[{\"name\":\"S\",\"x-object\":\"{x}\",\"x-interface\":\"a.J\","
                "\"x-access\":\"admin\",\"x-qos\":0,\"params\":[{\"name\":\"k\",",
                "\"x-properties\":[{\"name\":\"P\",\"x-object\":\"{x}\",\"x-interface\":\"a.J\","
                "\"x-access\":\"admin\",\"x-mask\":true,\"readable\":true,\"writable\":true,"
                "\"retain\":false,\"x-emits-changed\":\"const\",\"schema\":",
                "\"x-objects\":[{\"name\":\"-\",\"x-path\":\"/org/a\",\"interfaces\":[\"a.I\"]},"
                "{\"name\":\"{x}\",\"x-path\":\"/org/a/{x}\",\"interfaces\":[\"a.J\"]}]}",
        };
        CLEANUP_MAPPING_SERVICE MappingService *service = load();
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(openrpc_write(service, NULL, false, &buffer), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
                if (!strstr(buffer_text(&buffer), parts[i]))
                        g_error("no %s in %s", parts[i], buffer_text(&buffer));
}

static void test_name_of_a_family_member(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = load();
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);

        g_assert_cmpint(openrpc_write(service, "player.vlc", true, &buffer), ==, 0);
        g_assert_nonnull(strstr(buffer_text(&buffer), "\"title\": \"player.vlc\""));
        g_assert_true(g_str_has_suffix(buffer_text(&buffer), "]\n}\n"));
}

static void test_limit_is_kept(void)
{
        CLEANUP_MAPPING_SERVICE MappingService *service = load();
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(500);

        g_assert_cmpint(openrpc_write(service, NULL, false, &buffer), ==, -EMSGSIZE);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/openrpc/has-all-members", test_has_all_members);
        g_test_add_func("/openrpc/name-of-a-family-member", test_name_of_a_family_member);
        g_test_add_func("/openrpc/limit-is-kept", test_limit_is_kept);
        return g_test_run();
}
