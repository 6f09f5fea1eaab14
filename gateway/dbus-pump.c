/* SPDX-License-Identifier: MIT */

#include "gateway/dbus-pump.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"

/* How late a timeout may be told. */
#define ACCURACY_USEC (UINT64_C(1) * USEC_PER_MSEC)

/* What the connections of one loop share; made with the first, gone with the last. */
typedef struct PumpLoop {
        sd_event *event;
        sd_event_source *timer; /* of the first timeout of all */
        sd_event_source *exit;
        uint64_t armed_usec;
        DbusPump *pumps;
        struct PumpLoop *prev, *next;
} PumpLoop;

struct DbusPump {
        unsigned refs;
        PumpLoop *loop; /* NULL once it is freed */
        sd_bus *bus;
        sd_event_source *io;
        uint32_t events; /* that `io` waits for */
        DbusPump *prev, *next;
};

static PumpLoop *all_loops;

static DbusPump *pump_unref(DbusPump *pump)
{
        if (--pump->refs > 0)
                return NULL;
        sd_bus_unref(pump->bus);
        free(pump);
        return NULL;
}

/* Has sd-bus end the connection in its own way: only that one can. */
static void give_up(DbusPump *pump, int reason)
{
        int r;

        log_warning("a D-Bus connection is given up: %s", strerrordesc_np(-reason));
        (void)shutdown(sd_bus_get_fd(pump->bus), SHUT_RDWR);
        pump->io = sd_event_source_disable_unref(pump->io);
        r = sd_bus_attach_event(pump->bus, pump->loop->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                log_error("a D-Bus connection is stuck: %s", strerrordesc_np(-r));
}

static void process(DbusPump *pump)
{
        int r;

        pump->refs++;
        r = sd_bus_process(pump->bus, NULL);
        if (r < 0 && pump->loop)
                give_up(pump, r);
        pump_unref(pump);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        process(userdata);
        return 0;
}

/* ---- what they share ---- */

/* One at a time, for it may free others; the next turn looks for more. */
static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        PumpLoop *loop = userdata;
        uint64_t now = clock_now(), timeout;
        DbusPump *pump;

        loop->armed_usec = UINT64_MAX;
        (void)sd_event_source_set_time(source, UINT64_MAX);
        DL_FOREACH (loop->pumps, pump) {
                if (!pump->io || sd_bus_get_timeout(pump->bus, &timeout) < 0 || timeout > now)
                        continue;
                process(pump);
                break;
        }
        return 0;
}

/* Before each poll: whoever has used the connection may have left something unsent, or a timeout
 * that is the first. */
static int on_prepare(sd_event_source *source, void *userdata)
{
        PumpLoop *loop = userdata;
        uint64_t first = UINT64_MAX, timeout;
        DbusPump *pump;
        int events;

        DL_FOREACH (loop->pumps, pump) {
                if (!pump->io)
                        continue;
                events = MAX(sd_bus_get_events(pump->bus), 0);
                if ((uint32_t)events != pump->events &&
                    sd_event_source_set_io_events(pump->io, (uint32_t)events) >= 0)
                        pump->events = (uint32_t)events;
                if (sd_bus_get_timeout(pump->bus, &timeout) >= 0)
                        first = MIN(first, timeout);
        }
        if (first >= loop->armed_usec)
                return 0;
        loop->armed_usec = first;
        return sd_event_source_set_time(source, first);
}

/* The loop ends: the last words. */
static int on_end(sd_event_source *source, void *userdata)
{
        PumpLoop *loop = userdata;
        DbusPump *pump;

        DL_FOREACH (loop->pumps, pump) {
                pump->io = sd_event_source_disable_unref(pump->io);
                (void)sd_bus_flush(pump->bus);
                sd_bus_close(pump->bus);
        }
        return 0;
}

static void loop_unref(PumpLoop *loop)
{
        if (loop->pumps)
                return;
        DL_DELETE(all_loops, loop);
        sd_event_source_disable_unref(loop->timer);
        sd_event_source_disable_unref(loop->exit);
        sd_event_unref(loop->event);
        free(loop);
}

static int loop_new(sd_event *event, PumpLoop **ret_loop)
{
        PumpLoop *loop;
        int r;

        loop = calloc(1, sizeof(*loop));
        if (!loop)
                return -ENOMEM;
        loop->event = sd_event_ref(event);
        loop->armed_usec = UINT64_MAX;
        DL_APPEND(all_loops, loop);
        r = sd_event_add_time(event, &loop->timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_USEC,
                              on_time, loop);
        if (r >= 0)
                r = sd_event_source_set_enabled(loop->timer, SD_EVENT_ON);
        if (r >= 0)
                r = sd_event_source_set_prepare(loop->timer, on_prepare);
        if (r >= 0)
                r = sd_event_add_exit(event, &loop->exit, on_end, loop);
        if (r < 0) {
                loop_unref(loop);
                return r;
        }
        *ret_loop = loop;
        return 0;
}

static int loop_get(sd_event *event, PumpLoop **ret_loop)
{
        PumpLoop *loop;

        DL_FOREACH (all_loops, loop) {
                if (loop->event != event)
                        continue;
                *ret_loop = loop;
                return 0;
        }
        return loop_new(event, ret_loop);
}

/* ---- life ---- */

int dbus_pump_new(sd_event *event, sd_bus *bus, DbusPump **ret_pump)
{
        DbusPump *pump;
        PumpLoop *loop;
        int r;

        r = loop_get(event, &loop);
        if (r < 0)
                return r;
        pump = calloc(1, sizeof(*pump));
        if (!pump) {
                loop_unref(loop);
                return -ENOMEM;
        }
        pump->refs = 1;
        pump->loop = loop;
        pump->bus = sd_bus_ref(bus);
        pump->events = EPOLLIN;
        DL_APPEND(loop->pumps, pump);
        r = sd_event_add_io(event, &pump->io, sd_bus_get_fd(bus), pump->events, on_io, pump);
        if (r < 0) {
                dbus_pump_free(pump);
                return r;
        }
        *ret_pump = pump;
        return 0;
}

DbusPump *dbus_pump_free(DbusPump *pump)
{
        PumpLoop *loop;

        if (!pump)
                return NULL;
        loop = STEAL(pump->loop);
        pump->io = sd_event_source_disable_unref(pump->io);
        DL_DELETE(loop->pumps, pump);
        loop_unref(loop);
        return pump_unref(pump);
}
