/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/vtable.h"

#include <errno.h>
#include <glib.h>

static int method(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return 0;
}

static int get(MqttRpcValue *value, void *userdata, MqttRpcError **ret_error)
{
        return 0;
}

static void test_members(void)
{
        static const MqttRpcMember members[] = {
                MQTTRPC_METHOD("Early", "", "", method, 0),
                MQTTRPC_INTERFACE("org.example.A"),
                MQTTRPC_METHOD("Scan", "zone:s depth:u", "as", method, MQTTRPC_ACCESS_READ),
                MQTTRPC_SIGNAL("Changed", "zone:s", 0),
                MQTTRPC_INTERFACE("org.example.B"),
                MQTTRPC_WRITABLE_PROPERTY("Level", "d", get, method, 0),
                MQTTRPC_PROPERTY("Key", "s", get, MQTTRPC_SENSITIVE),
                MQTTRPC_END,
        };
        Vtable vtable;

        g_assert_cmpint(vtable_init(&vtable, members, NULL), ==, 0);
        g_assert_null(vtable_find_method(&vtable, "Early")->interface);
        g_assert_cmpstr(vtable_find_method(&vtable, "Scan")->interface, ==, "org.example.A");
        g_assert_cmpuint(vtable_find_method(&vtable, "Scan")->params.count, ==, 2);
        g_assert_cmpstr(vtable_find_method(&vtable, "Scan")->result.items[0].type, ==, "as");
        g_assert_cmpstr(vtable_find_signal(&vtable, "Changed")->params.items[0].name, ==, "zone");
        g_assert_cmpstr(vtable_find_property(&vtable, "Level")->interface, ==, "org.example.B");
        g_assert_cmpstr(vtable_find_property(&vtable, "Level")->value.type, ==, "d");
        g_assert_true(vtable_property_is_retained(vtable_find_property(&vtable, "Level")));
        g_assert_false(vtable_property_is_retained(vtable_find_property(&vtable, "Key")));
        g_assert_null(vtable_find_method(&vtable, "Changed"));
        g_assert_null(vtable_find_signal(&vtable, "Scan"));
        g_assert_null(vtable_find_property(&vtable, "Scan"));
        vtable_done(&vtable);
}

static const struct {
        const char *name;
        MqttRpcMember member;
} refused[] = {
        {"method-with-a-bad-name", MQTTRPC_METHOD("a/b", "", "", method, 0)},
        {"method-with-a-reserved-name", MQTTRPC_METHOD("rpc.x", "", "", method, 0)},
        {"method-without-a-handler", MQTTRPC_METHOD("M", "", "", NULL, 0)},
        {"method-with-a-bad-argument", MQTTRPC_METHOD("M", "a:q?", "", method, 0)},
        {"method-with-a-bad-result", MQTTRPC_METHOD("M", "", "(", method, 0)},
        {"signal-with-a-reserved-name", MQTTRPC_SIGNAL("prop.x", "", 0)},
        {"signal-with-a-descriptor", MQTTRPC_SIGNAL("S", "h", 0)},
        {"property-without-a-type", MQTTRPC_PROPERTY("P", "", get, 0)},
        {"property-with-two-types", MQTTRPC_PROPERTY("P", "s s", get, 0)},
        {"property-without-get", MQTTRPC_PROPERTY("P", "s", NULL, 0)},
        {"unknown-member", {(MqttRpcMemberType)77, "X", "", "", NULL, NULL, 0}},
};

static void test_refuses(gconstpointer data)
{
        const MqttRpcMember members[] = {*(const MqttRpcMember *)data, MQTTRPC_END};
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        Vtable vtable;

        g_assert_cmpint(vtable_init(&vtable, members, &error), ==, -EINVAL);
        g_assert_nonnull(error);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/vtable/members", test_members);
        for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *path = g_strdup_printf("/vtable/refuses/%s", refused[i].name);

                g_test_add_data_func(path, &refused[i].member, test_refuses);
        }
        return g_test_run();
}
