/* SPDX-License-Identifier: MIT */

#include "tests/support/loop.h"

#include <poll.h>
#include <string.h>

enum { MAX_ITEMS = 128 };

static LoopItem items[MAX_ITEMS];
static unsigned n_items;

void loop_add(const LoopItem *item)
{
        g_assert_cmpuint(n_items, <, MAX_ITEMS);
        items[n_items++] = *item;
}

void loop_remove(const void *userdata)
{
        for (unsigned i = 0; i < n_items; i++)
                if (items[i].userdata == userdata) {
                        memmove(&items[i], &items[i + 1], (--n_items - i) * sizeof(items[0]));
                        return;
                }
}

static int bus_fd(void *userdata)
{
        return mqttrpc_bus_get_fd(userdata);
}

static int bus_events(void *userdata)
{
        return mqttrpc_bus_get_events(userdata);
}

static uint64_t bus_timeout(void *userdata)
{
        uint64_t usec;

        g_assert_cmpint(mqttrpc_bus_get_timeout(userdata, &usec), ==, 0);
        return usec;
}

static void bus_process(void *userdata, int revents)
{
        g_assert_cmpint(mqttrpc_bus_process_events(userdata, revents), >=, 0);
}

void loop_add_bus(MqttRpcBus *bus)
{
        loop_add(&(LoopItem){.get_fd = bus_fd,
                             .get_events = bus_events,
                             .get_timeout = bus_timeout,
                             .process = bus_process,
                             .userdata = mqttrpc_bus_ref(bus)});
}

MqttRpcBus *loop_drop_bus(MqttRpcBus *bus)
{
        if (!bus)
                return NULL;
        mqttrpc_bus_close(bus);
        loop_remove(bus);
        mqttrpc_bus_unref(bus);
        return mqttrpc_bus_unref(bus);
}

static int shorten(int msec, uint64_t until)
{
        uint64_t now = (uint64_t)g_get_monotonic_time();

        if (until <= now)
                return 0;
        return (int)MIN((uint64_t)msec, (until - now + 999) / 1000);
}

void loop_step(int msec)
{
        struct pollfd fds[MAX_ITEMS];
        LoopItem now[MAX_ITEMS];
        unsigned n = n_items;

        memcpy(now, items, n * sizeof(items[0]));
        for (unsigned i = 0; i < n; i++) {
                fds[i] = (struct pollfd){.fd = now[i].get_fd(now[i].userdata)};
                if (fds[i].fd >= 0)
                        fds[i].events = (short)now[i].get_events(now[i].userdata);
                msec = shorten(msec, now[i].get_timeout(now[i].userdata));
        }
        g_assert_cmpint(poll(fds, n, msec), >=, 0);
        for (unsigned i = 0; i < n; i++) {
                bool due = shorten(1, now[i].get_timeout(now[i].userdata)) == 0;

                if (fds[i].revents || due)
                        now[i].process(now[i].userdata, fds[i].revents);
        }
}
