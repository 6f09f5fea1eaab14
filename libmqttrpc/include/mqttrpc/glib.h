/* SPDX-License-Identifier: MIT */
#ifndef MQTTRPC_GLIB_H
#define MQTTRPC_GLIB_H

/* Runs a bus on a GLib main loop. Header-only, so that the library itself needs no GLib.
 *
 *         GSource *source = mqttrpc_g_source_new(bus);
 *         g_source_attach(source, NULL);
 *         …
 *         g_source_destroy(source);
 *         g_source_unref(source);
 *
 * The source keeps a reference on the bus. Attach it to a context that the thread of the bus runs.
 * It may be destroyed at any time, inside the bus's callbacks too. A loop that is run inside one of
 * these callbacks does not serve the bus: nothing more of it happens until the callback returns. */

#include <errno.h>
#include <glib.h>
#include <mqttrpc/mqttrpc.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
        /* Work after which the other sources of the loop get their turn. */
        MQTTRPC_G_SOURCE_TURN_USEC = 1000,
        /* Until the next try with a bus that is inside a callback. */
        MQTTRPC_G_SOURCE_HELD_USEC = 10000,
};

typedef struct MqttRpcGSource {
        GSource source;
        MqttRpcBus *bus;
        uint64_t connection; /* whose descriptor is polled; 0: none */
        GPollFD poll;
        uint64_t held_until; /* 0: not held */
} MqttRpcGSource;

/* A new connection has a new descriptor, perhaps of the same number. No copy of it is needed: the
 * loop hands it to the kernel between here and the end of poll() only. */
static inline void mqttrpc_g_source_follow_fd(MqttRpcGSource *self, int fd, uint64_t connection)
{
        if (self->connection != 0)
                g_source_remove_poll(&self->source, &self->poll);
        self->connection = connection;
        self->poll.fd = fd;
        self->poll.revents = 0;
        if (connection != 0)
                g_source_add_poll(&self->source, &self->poll);
}

/* Milliseconds until mqttrpc_bus_process() must run; -1: never. Rounded up, or the loop would spin
 * for the rest of the last one. */
static inline gint mqttrpc_g_source_time_left(MqttRpcGSource *self)
{
        uint64_t now = (uint64_t)g_get_monotonic_time(), usec = self->held_until, msec;

        if (usec == 0)
                mqttrpc_bus_get_timeout(self->bus, &usec);
        if (usec == UINT64_MAX)
                return -1;
        if (usec <= now)
                return 0;
        msec = (usec - now - 1) / 1000 + 1;
        return msec < (uint64_t)G_MAXINT ? (gint)msec : G_MAXINT;
}

/* Before each poll(). The time goes by the loop's own time-out and the events into the record that
 * it reads: g_source_set_ready_time() and g_source_modify_unix_fd() would wake the loop up, once
 * more for each call and each reply. */
static inline gboolean mqttrpc_g_source_prepare(GSource *source, gint *timeout)
{
        MqttRpcGSource *self = (MqttRpcGSource *)source;
        int fd = self->held_until == 0 ? mqttrpc_bus_get_fd(self->bus) : -1;
        uint64_t connection = fd >= 0 ? mqttrpc_bus_get_connection(self->bus) : 0;

        if (connection != self->connection)
                mqttrpc_g_source_follow_fd(self, fd, connection);
        if (connection != 0)
                self->poll.events = (gushort)mqttrpc_bus_get_events(self->bus);
        *timeout = mqttrpc_g_source_time_left(self);
        return *timeout == 0;
}

static inline gboolean mqttrpc_g_source_check(GSource *source)
{
        MqttRpcGSource *self = (MqttRpcGSource *)source;

        return (self->connection != 0 && self->poll.revents != 0) ||
               mqttrpc_g_source_time_left(self) == 0;
}

static inline gboolean mqttrpc_g_source_dispatch(GSource *source, GSourceFunc callback,
                                                 gpointer userdata)
{
        MqttRpcGSource *self = (MqttRpcGSource *)source;
        int revents = self->connection != 0 ? self->poll.revents : 0, r;
        gint64 end = g_get_monotonic_time() + MQTTRPC_G_SOURCE_TURN_USEC;

        (void)callback;
        (void)userdata;
        do
                r = mqttrpc_bus_process_events(self->bus, revents);
        while (r > 0 && !g_source_is_destroyed(source) && g_get_monotonic_time() < end);
        /* This loop was started by a callback of the bus, inside mqttrpc_call() say. The socket
         * stays readable for as long, and would make it spin. */
        self->held_until = r == -EBUSY ? (uint64_t)end + MQTTRPC_G_SOURCE_HELD_USEC : 0;
        return G_SOURCE_CONTINUE;
}

static inline void mqttrpc_g_source_finalize(GSource *source)
{
        MqttRpcGSource *self = (MqttRpcGSource *)source;

        self->bus = mqttrpc_bus_unref(self->bus);
}

/* A source that is not attached yet; the caller holds one reference. Never NULL. */
static inline GSource *mqttrpc_g_source_new(MqttRpcBus *bus)
{
        static GSourceFuncs functions = {mqttrpc_g_source_prepare,
                                         mqttrpc_g_source_check,
                                         mqttrpc_g_source_dispatch,
                                         mqttrpc_g_source_finalize,
                                         NULL,
                                         NULL};
        GSource *source = g_source_new(&functions, sizeof(MqttRpcGSource));
        MqttRpcGSource *self = (MqttRpcGSource *)source;

        self->bus = mqttrpc_bus_ref(bus);
        self->connection = 0;
        self->held_until = 0;
        g_source_set_name(source, "mqttrpc");
        return source;
}

#ifdef __cplusplus
}
#endif

#endif
