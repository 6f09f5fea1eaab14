/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/sync.h"

#include <errno.h>
#include <utlist.h>

#include "common/clock.h"
#include "libmqttrpc/watch.h"

struct Sync {
        MqttRpcSlot slot;    /* first: a slot is a sync */
        int mid;             /* of the subscription whose answer is awaited */
        uint64_t n_retained; /* those that had come when it was sent */
        SyncHandler handler;
        void *userdata;
        Sync *prev, *next;
};

static void cancel_sync(MqttRpcSlot *slot)
{
        DL_DELETE(slot->bus->syncs, (Sync *)slot);
}

static void release_sync(MqttRpcSlot *slot)
{
        free(slot);
}

/* Asks for what is subscribed already: the filter of our own replies, which retains nothing. */
static int ask(MqttRpcBus *bus, Sync *sync)
{
        CLEANUP_FILTER_LIST FilterList filter = {};
        int r;

        r = filter_list_add(&filter, "%s/+/+/rpc/%s/%s", bus->root, bus->caller, bus->token);
        if (r < 0)
                return r;
        sync->n_retained = bus->n_retained;
        return link_subscribe(bus->link, (const char *const *)filter.items, 1, false, &sync->mid);
}

int sync_start(MqttRpcBus *bus, MqttRpcSlot **ret_slot, SyncHandler handler, void *userdata)
{
        Sync *sync = calloc(1, sizeof(*sync));
        int r;

        if (!sync)
                return -ENOMEM;
        sync->handler = handler;
        sync->userdata = userdata;
        r = link_is_up(bus->link) ? ask(bus, sync) : -ENOTCONN;
        if (r < 0) {
                free(sync);
                return r;
        }
        slot_init(&sync->slot, bus, ret_slot, cancel_sync, release_sync);
        DL_APPEND(bus->syncs, sync);
        return 0;
}

static void finish(MqttRpcBus *bus, Sync *sync, const MqttRpcError *error)
{
        SyncHandler handler = sync->handler;
        void *userdata = sync->userdata;

        slot_end(&sync->slot);
        handler(bus, error, userdata);
}

void syncs_on_subscribed(MqttRpcBus *bus, int mid)
{
        Sync *sync;

        /* A new watch of what was known before is told now, or its list would not be complete. */
        watches_process(bus);
        DL_FOREACH (bus->syncs, sync) {
                if (sync->mid != mid)
                        continue;
                if (sync->n_retained == bus->n_retained || ask(bus, sync) < 0)
                        finish(bus, sync, NULL);
                return;
        }
}

void syncs_on_down(MqttRpcBus *bus, const MqttRpcError *reason)
{
        while (bus->syncs)
                finish(bus, bus->syncs, reason);
}

/* ---- public ---- */

MQTTRPC_PUBLIC int mqttrpc_bus_sync_async(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                          MqttRpcSyncHandler handler, void *userdata)
{
        return sync_start(bus, ret_slot, handler, userdata);
}

typedef struct Blocking {
        bool done;
        int result;
} Blocking;

static void on_done(MqttRpcBus *bus, const MqttRpcError *error, void *userdata)
{
        Blocking *blocking = userdata;

        *blocking = (Blocking){true, error ? -ENOTCONN : 0};
}

MQTTRPC_PUBLIC int mqttrpc_bus_sync(MqttRpcBus *bus, uint64_t timeout_usec)
{
        Blocking blocking = {};
        MqttRpcSlot *slot = NULL;
        int r;

        if (bus->dispatching > 0)
                return -EBUSY;
        r = sync_start(bus, &slot, on_done, &blocking);
        if (r < 0)
                return r;
        mqttrpc_bus_ref(bus); /* a callback may drop the last one */
        r = bus_run_until(bus, &blocking.done, timeout_usec);
        mqttrpc_slot_unref(slot);
        mqttrpc_bus_unref(bus);
        return r < 0 ? r : blocking.result;
}
