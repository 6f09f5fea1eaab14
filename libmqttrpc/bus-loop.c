/* SPDX-License-Identifier: MIT */

/* The loop interface of a bus: what to wait for, what to do then, and the functions that do both
 * for programs without a loop. */

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "common/clock.h"
#include "libmqttrpc/bus.h"
#include "libmqttrpc/watch.h"

/* ---- loop ---- */

MQTTRPC_PUBLIC int mqttrpc_bus_get_fd(const MqttRpcBus *bus)
{
        return link_fd(bus->link);
}

MQTTRPC_PUBLIC uint64_t mqttrpc_bus_get_connection(const MqttRpcBus *bus)
{
        return link_descriptor(bus->link);
}

MQTTRPC_PUBLIC int mqttrpc_bus_get_events(const MqttRpcBus *bus)
{
        return link_poll_events(bus->link);
}

MQTTRPC_PUBLIC int mqttrpc_bus_get_timeout(const MqttRpcBus *bus, uint64_t *ret_usec)
{
        const Deadline *first = deadline_first(&bus->deadlines);
        uint64_t usec = watches_are_waiting(bus) ? 0 : link_timeout(bus->link);

        *ret_usec = first ? MIN(first->usec, usec) : usec;
        return 0;
}

static int expire_deadlines(MqttRpcBus *bus, uint64_t now)
{
        Deadline *first;
        int expired = 0;

        while ((first = deadline_first(&bus->deadlines)) && first->usec <= now) {
                deadline_remove(&bus->deadlines, first);
                first->on_expired(first);
                expired = 1;
        }
        return expired;
}

MQTTRPC_PUBLIC int mqttrpc_bus_process_events(MqttRpcBus *bus, int revents)
{
        uint64_t now = clock_now();
        int r;

        if (bus->dispatching > 0)
                return -EBUSY;
        bus->refs++;
        bus->dispatching++;
        r = link_process(bus->link, revents, now);
        if (expire_deadlines(bus, now))
                r = 1;
        if (watches_are_waiting(bus))
                watches_process(bus);
        bus->dispatching--;
        mqttrpc_bus_unref(bus);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_bus_process(MqttRpcBus *bus)
{
        return mqttrpc_bus_process_events(bus, POLLIN | POLLOUT);
}

MQTTRPC_PUBLIC int mqttrpc_bus_wait(MqttRpcBus *bus, uint64_t timeout_usec)
{
        struct pollfd pollfd = {.fd = mqttrpc_bus_get_fd(bus)};
        struct timespec timeout, *wait = NULL;
        uint64_t now = clock_now(), until;
        int r;

        if (bus->dispatching > 0)
                return -EBUSY;
        if (pollfd.fd >= 0)
                pollfd.events = (short)mqttrpc_bus_get_events(bus);
        mqttrpc_bus_get_timeout(bus, &until);
        if (until != USEC_INFINITY)
                timeout_usec = MIN(timeout_usec, until > now ? until - now : 0);
        if (timeout_usec != USEC_INFINITY) {
                timeout.tv_sec = (time_t)(timeout_usec / USEC_PER_SEC);
                timeout.tv_nsec = (long)(timeout_usec % USEC_PER_SEC * 1000);
                wait = &timeout;
        }
        r = ppoll(&pollfd, pollfd.fd >= 0 ? 1 : 0, wait, NULL);
        if (r < 0)
                return errno == EINTR ? 0 : -errno;
        return r > 0 || (until != USEC_INFINITY && clock_now() >= until);
}

/* ---- waiting ---- */

int bus_flush_until(MqttRpcBus *bus, uint64_t end)
{
        uint64_t now;
        int r;

        while (bus->state == MQTTRPC_STATE_CONNECTED && !link_is_idle(bus->link)) {
                now = clock_now();
                if (now >= end)
                        return -ETIMEDOUT;
                r = mqttrpc_bus_wait(bus, end - now);
                if (r >= 0)
                        r = mqttrpc_bus_process(bus);
                if (r < 0)
                        return r;
        }
        return bus->state == MQTTRPC_STATE_CONNECTED ? 0 : -ENOTCONN;
}

static int wait_connected(MqttRpcBus *bus, uint64_t end, MqttRpcError **ret_error)
{
        int r;

        while (bus->state != MQTTRPC_STATE_CONNECTED || !link_is_up(bus->link)) {
                uint64_t now = clock_now();
                const MqttRpcError *reason = link_reason(bus->link);

                if (bus->state == MQTTRPC_STATE_CLOSED)
                        return -ENOTCONN;
                if (now >= end)
                        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_DISCONNECTED, "%s",
                                                 reason ? mqttrpc_error_get_message(reason)
                                                        : "no connection to the broker in time");
                r = mqttrpc_bus_wait(bus, end - now);
                if (r >= 0)
                        r = mqttrpc_bus_process(bus);
                if (r < 0)
                        return r;
        }
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_bus_wait_connected(MqttRpcBus *bus, uint64_t timeout_usec,
                                              MqttRpcError **ret_error)
{
        uint64_t end = clock_now();
        int r;

        if (__builtin_add_overflow(end, timeout_usec, &end))
                end = USEC_INFINITY;
        bus->refs++; /* a callback may drop the last one */
        r = wait_connected(bus, end, ret_error);
        mqttrpc_bus_unref(bus);
        return r;
}

int bus_run_until(MqttRpcBus *bus, const bool *done, uint64_t timeout_usec)
{
        uint64_t end, now;
        int r = 0;

        if (__builtin_add_overflow(clock_now(), timeout_usec, &end))
                end = USEC_INFINITY;
        while (r >= 0 && !*done) {
                now = clock_now();
                if (bus->state == MQTTRPC_STATE_CLOSED)
                        return -ENOTCONN;
                if (now >= end)
                        return -ETIMEDOUT;
                r = mqttrpc_bus_process(bus);
                if (r == 0 && !*done)
                        r = mqttrpc_bus_wait(bus, end == USEC_INFINITY ? end : end - now);
        }
        return r < 0 ? r : 0;
}

MQTTRPC_PUBLIC int mqttrpc_bus_flush(MqttRpcBus *bus, uint64_t timeout_usec)
{
        uint64_t end = clock_now();
        int r;

        if (__builtin_add_overflow(end, timeout_usec, &end))
                end = USEC_INFINITY;
        bus->refs++; /* a callback may drop the last one */
        r = bus_flush_until(bus, end);
        mqttrpc_bus_unref(bus);
        return r;
}
