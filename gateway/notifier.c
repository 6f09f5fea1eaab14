/* SPDX-License-Identifier: MIT */

#include "gateway/notifier.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"

struct Notifier {
        sd_event *event;
        sd_event_source *source; /* while something waits */
        char reloading[64];      /* "": does not wait */
        bool ready;
        bool status_waits;
        char status[128]; /* the last one */
};

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* -EAGAIN: the manager has not read what came before. What it cannot be told at all is dropped. */
static int send_waiting(Notifier *notifier)
{
        if (notifier->reloading[0] && notify_send("%s", notifier->reloading) == -EAGAIN)
                return -EAGAIN;
        notifier->reloading[0] = '\0';
        if (notifier->ready && notify_send("READY=1") == -EAGAIN)
                return -EAGAIN;
        notifier->ready = false;
        if (notifier->status_waits && notify_send("STATUS=%s", notifier->status) == -EAGAIN)
                return -EAGAIN;
        notifier->status_waits = false;
        return 0;
}

static int wait_until_writable(Notifier *notifier)
{
        int fd = notify_open();
        int r;

        if (fd < 0)
                return fd;
        r = sd_event_add_io(notifier->event, &notifier->source, fd, EPOLLOUT, on_writable,
                            notifier);
        if (r < 0) {
                close(fd);
                return r;
        }
        return sd_event_source_set_io_fd_own(notifier->source, true);
}

static void send_all(Notifier *notifier)
{
        int r;

        if (notifier->source || send_waiting(notifier) != -EAGAIN)
                return;
        r = wait_until_writable(notifier);
        if (r < 0)
                log_debug("the service manager does not read: %s", strerrordesc_np(-r));
}

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Notifier *notifier = userdata;

        if (send_waiting(notifier) == -EAGAIN && !(revents & (EPOLLERR | EPOLLHUP)))
                return 0;
        notifier->source = sd_event_source_disable_unref(notifier->source);
        return 0;
}

int notifier_new(sd_event *event, Notifier **ret_notifier)
{
        Notifier *notifier = calloc(1, sizeof(*notifier));

        if (!notifier)
                return -ENOMEM;
        notifier->event = sd_event_ref(event);
        *ret_notifier = notifier;
        return 0;
}

Notifier *notifier_free(Notifier *notifier)
{
        if (!notifier)
                return NULL;
        sd_event_source_disable_unref(notifier->source);
        sd_event_unref(notifier->event);
        free(notifier);
        return NULL;
}

void notifier_reloading(Notifier *notifier)
{
        snprintf(notifier->reloading, sizeof(notifier->reloading),
                 "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now());
        notifier->ready = false;
        send_all(notifier);
}

void notifier_ready(Notifier *notifier)
{
        notifier->ready = true;
        send_all(notifier);
}

void notifier_status(Notifier *notifier, const char *status)
{
        if (!strcmp(status, notifier->status))
                return;
        snprintf(notifier->status, sizeof(notifier->status), "%s", status);
        notifier->status_waits = true;
        send_all(notifier);
}
