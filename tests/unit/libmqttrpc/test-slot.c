/* SPDX-License-Identifier: MIT */

/* Registrations on a bus that is never opened: slots and the bus go in any order. */

#include <errno.h>
#include <glib.h>

#include "mqttrpc/mqttrpc.h"

static int method_nothing(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_request_reply(request, NULL, 0);
}

static const MqttRpcMember vtable[] = {
        MQTTRPC_METHOD("Nothing", "", "", method_nothing, 0),
        MQTTRPC_END,
};

static MqttRpcBus *new_bus(void)
{
        MqttRpcBus *bus = NULL;

        g_assert_cmpint(mqttrpc_bus_new(&bus), ==, 0);
        return bus;
}

static void test_slot_goes_first(void)
{
        MqttRpcBus *bus = new_bus();
        MqttRpcSlot *slot = NULL;

        g_assert_cmpint(mqttrpc_add_service(bus, &slot, "a", vtable, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "a", vtable, NULL, NULL), ==, -EEXIST);
        g_assert_true(mqttrpc_slot_ref(slot) == slot);
        g_assert_null(mqttrpc_slot_unref(slot));
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "a", vtable, NULL, NULL), ==, -EEXIST);
        g_assert_null(mqttrpc_slot_unref(slot));
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "a", vtable, NULL, NULL), ==, 0);
        g_assert_null(mqttrpc_bus_unref(bus));
}

static void test_bus_goes_first(void)
{
        MqttRpcBus *bus = new_bus();
        MqttRpcSlot *slots[3] = {};

        g_assert_cmpint(mqttrpc_add_service(bus, &slots[0], "a", vtable, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_add_object(bus, &slots[1], "a", "o", vtable, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_add_fallback(bus, &slots[2], "a", method_nothing, NULL, NULL), ==,
                        0);
        g_assert_null(mqttrpc_bus_unref(bus));
        for (unsigned i = 0; i < G_N_ELEMENTS(slots); i++)
                g_assert_null(mqttrpc_slot_unref(slots[i]));
        g_assert_null(mqttrpc_slot_unref(NULL));
        g_assert_null(mqttrpc_bus_unref(NULL));
}

static void test_service_ends_with_its_last_object(void)
{
        MqttRpcBus *bus = new_bus();
        MqttRpcSlot *object = NULL, *fallback = NULL;

        g_assert_cmpint(mqttrpc_add_object(bus, &object, "a", "o", vtable, NULL, NULL), ==, 0);
        g_assert_cmpint(mqttrpc_add_fallback(bus, &fallback, "a", method_nothing, NULL, NULL), ==,
                        0);
        g_assert_cmpint(mqttrpc_add_fallback(bus, NULL, "a", method_nothing, NULL, NULL), ==,
                        -EEXIST);
        mqttrpc_slot_unref(object);
        g_assert_cmpint(mqttrpc_bus_set_protocol(bus, 4), ==, -EINVAL);
        mqttrpc_slot_unref(fallback);
        g_assert_cmpint(mqttrpc_bus_set_protocol(bus, 4), ==, 0);
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "a", vtable, NULL, NULL), ==,
                        -EPROTONOSUPPORT);
        mqttrpc_bus_unref(bus);
}

static void test_bad_registrations_leave_nothing(void)
{
        static const MqttRpcMember tables[][3] = {
                {MQTTRPC_METHOD("Good", "a:s b:i", "", method_nothing, 0),
                 MQTTRPC_METHOD("Bad", "a:zz", "", method_nothing, 0), MQTTRPC_END},
                {MQTTRPC_METHOD("Bad", "", "h", method_nothing, 0), MQTTRPC_END},
                {MQTTRPC_METHOD("Bad name", "", "", method_nothing, 0), MQTTRPC_END},
                {MQTTRPC_METHOD("Bad", "", "", NULL, 0), MQTTRPC_END},
                {MQTTRPC_METHOD("rpc.mine", "", "", method_nothing, 0), MQTTRPC_END},
        };
        MqttRpcBus *bus = new_bus();

        for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
                MqttRpcError *error = NULL;
                MqttRpcSlot *slot = NULL;

                g_test_message("table %u", i);
                g_assert_cmpint(mqttrpc_add_service(bus, &slot, "a", tables[i], NULL, &error), ==,
                                -EINVAL);
                g_assert_nonnull(error);
                g_assert_null(slot);
                mqttrpc_error_free(error);
        }
        g_assert_cmpint(mqttrpc_add_service(bus, NULL, "a/b", vtable, NULL, NULL), ==, -EINVAL);
        g_assert_cmpint(mqttrpc_add_object(bus, NULL, "a", "$x", vtable, NULL, NULL), ==, -EINVAL);
        /* No service is left: 3.1.1, which can have none, may be chosen. */
        g_assert_cmpint(mqttrpc_bus_set_protocol(bus, 4), ==, 0);
        mqttrpc_bus_unref(bus);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/slot/slot-goes-first", test_slot_goes_first);
        g_test_add_func("/slot/bus-goes-first", test_bus_goes_first);
        g_test_add_func("/slot/service-ends-with-its-last-object",
                        test_service_ends_with_its_last_object);
        g_test_add_func("/slot/bad-registrations-leave-nothing",
                        test_bad_registrations_leave_nothing);
        return g_test_run();
}
