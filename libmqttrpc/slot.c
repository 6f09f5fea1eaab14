/* SPDX-License-Identifier: MIT */

#include <utlist.h>

#include "libmqttrpc/bus.h"

void slot_init(MqttRpcSlot *slot, MqttRpcBus *bus, MqttRpcSlot **ret_slot,
               void (*cancel)(MqttRpcSlot *slot), void (*release)(MqttRpcSlot *slot))
{
        slot->bus = bus;
        slot->cancel = cancel;
        slot->release = release;
        slot->floating = !ret_slot;
        slot->refs = ret_slot ? 1 : 0;
        DL_APPEND2(bus->slots, slot, previous, next);
        if (ret_slot)
                *ret_slot = slot;
}

static void take_off(MqttRpcSlot *slot)
{
        MqttRpcBus *bus = slot->bus;

        if (!bus)
                return;
        slot->cancel(slot);
        DL_DELETE2(bus->slots, slot, previous, next);
        slot->bus = NULL;
}

void slot_end(MqttRpcSlot *slot)
{
        take_off(slot);
        slot->floating = false;
        if (slot->refs == 0)
                slot->release(slot);
}

MQTTRPC_PUBLIC MqttRpcSlot *mqttrpc_slot_ref(MqttRpcSlot *slot)
{
        slot->refs++;
        return slot;
}

MQTTRPC_PUBLIC MqttRpcSlot *mqttrpc_slot_unref(MqttRpcSlot *slot)
{
        if (!slot || --slot->refs > 0 || slot->floating)
                return NULL;
        take_off(slot);
        slot->release(slot);
        return NULL;
}
