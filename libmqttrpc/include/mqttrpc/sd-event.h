/* SPDX-License-Identifier: MIT */
#ifndef MQTTRPC_SD_EVENT_H
#define MQTTRPC_SD_EVENT_H

/* Runs a bus on an sd-event loop. Header-only, so that the library itself needs no libsystemd.
 *
 *         MqttRpcSdEvent glue;
 *         r = mqttrpc_sd_event_attach(&glue, bus, event, SD_EVENT_PRIORITY_NORMAL);
 *         …
 *         mqttrpc_sd_event_detach(&glue);
 *
 * The glue keeps a reference on the bus. Detach before the loop is freed, never inside one of the
 * bus's callbacks. */

#include <errno.h>
#include <fcntl.h>
#include <mqttrpc/mqttrpc.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct MqttRpcSdEvent {
        MqttRpcBus *bus;
        sd_event *event;
        int64_t priority;
        uint64_t connection; /* whose descriptor is watched; 0: none */
        uint32_t events;
        uint64_t armed_usec;
        sd_event_source *io;
        sd_event_source *timer;
} MqttRpcSdEvent;

static inline int mqttrpc_sd_event_on_io(sd_event_source *source, int fd, uint32_t revents,
                                         void *userdata)
{
        MqttRpcSdEvent *glue = (MqttRpcSdEvent *)userdata;
        int r;

        (void)source;
        (void)fd;
        r = mqttrpc_bus_process_events(glue->bus, (int)revents);
        return r < 0 ? r : 0;
}

static inline int mqttrpc_sd_event_on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        MqttRpcSdEvent *glue = (MqttRpcSdEvent *)userdata;
        int r;

        (void)usec;
        /* Or it would fire for ever when there is nothing to wait for any more. */
        glue->armed_usec = UINT64_MAX;
        r = sd_event_source_set_time(source, UINT64_MAX);
        if (r < 0)
                return r;
        r = mqttrpc_bus_process_events(glue->bus, 0);
        return r < 0 ? r : 0;
}

/* A new connection has a new descriptor. The loop watches a copy: the library closes its own before
 * the callbacks run, and what they open may get the same number, which must not be taken off the
 * loop in its place. */
static inline int mqttrpc_sd_event_follow_fd(MqttRpcSdEvent *glue, int fd, uint32_t events)
{
        int copy, r;

        glue->io = sd_event_source_disable_unref(glue->io);
        glue->connection = 0;
        if (fd < 0)
                return 0;
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return -errno;
        r = sd_event_add_io(glue->event, &glue->io, copy, events, mqttrpc_sd_event_on_io, glue);
        if (r < 0) {
                close(copy);
                return r;
        }
        sd_event_source_set_io_fd_own(glue->io, 1);
        glue->connection = mqttrpc_bus_get_connection(glue->bus);
        glue->events = events;
        return sd_event_source_set_priority(glue->io, glue->priority);
}

static inline uint64_t mqttrpc_sd_event_in_a_second(sd_event *event)
{
        uint64_t now = 0;

        (void)sd_event_now(event, CLOCK_MONOTONIC, &now);
        return now + 1000000;
}

/* Before each poll. The timer is only ever moved to an earlier time: deadlines come and go with
 * every call, and a wake-up too many is cheaper than a system call for each. */
static inline int mqttrpc_sd_event_prepare(sd_event_source *source, void *userdata)
{
        MqttRpcSdEvent *glue = (MqttRpcSdEvent *)userdata;
        int fd = mqttrpc_bus_get_fd(glue->bus), r = 0;
        uint64_t connection = fd >= 0 ? mqttrpc_bus_get_connection(glue->bus) : 0;
        uint32_t events = fd >= 0 ? (uint32_t)mqttrpc_bus_get_events(glue->bus) : 0;
        uint64_t usec;

        if (connection != glue->connection)
                r = mqttrpc_sd_event_follow_fd(glue, fd, events);
        else if (fd >= 0 && events != glue->events)
                r = sd_event_source_set_io_events(glue->io, events);
        glue->events = events;
        mqttrpc_bus_get_timeout(glue->bus, &usec);
        if (r < 0) {
                /* Out of descriptors or memory, perhaps for a moment only: an error returned here
                 * would take the bus off the loop for good. */
                glue->connection = 0;
                usec = mqttrpc_sd_event_in_a_second(glue->event);
        }
        if (usec >= glue->armed_usec)
                return 0;
        glue->armed_usec = usec;
        r = sd_event_source_set_time(source, usec);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ON);
}

static inline void mqttrpc_sd_event_detach(MqttRpcSdEvent *glue)
{
        glue->io = sd_event_source_disable_unref(glue->io);
        glue->timer = sd_event_source_disable_unref(glue->timer);
        glue->event = sd_event_unref(glue->event);
        glue->bus = mqttrpc_bus_unref(glue->bus);
}

/* 0, or a negative errno with nothing attached. `priority` is that of
 * sd_event_source_set_priority(). */
static inline int mqttrpc_sd_event_attach(MqttRpcSdEvent *glue, MqttRpcBus *bus, sd_event *event,
                                          int64_t priority)
{
        int r;

        glue->bus = mqttrpc_bus_ref(bus);
        glue->event = sd_event_ref(event);
        glue->priority = priority;
        glue->connection = 0;
        glue->events = 0;
        glue->armed_usec = UINT64_MAX;
        glue->io = NULL;
        glue->timer = NULL;
        r = sd_event_add_time(event, &glue->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
                              mqttrpc_sd_event_on_time, glue);
        if (r >= 0)
                r = sd_event_source_set_enabled(glue->timer, SD_EVENT_ON);
        if (r >= 0)
                r = sd_event_source_set_priority(glue->timer, priority);
        if (r >= 0)
                r = sd_event_source_set_prepare(glue->timer, mqttrpc_sd_event_prepare);
        if (r < 0)
                mqttrpc_sd_event_detach(glue);
        return r < 0 ? r : 0;
}

#ifdef __cplusplus
}
#endif

#endif
