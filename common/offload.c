/* SPDX-License-Identifier: MIT */

#include "common/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include "common/util.h"

enum { RUNNING, DONE, ABANDONED };

struct Offload {
        int (*run)(void *data);
        void (*release)(void *data);
        void *data;
        int event_fd;
        int result;
        atomic_int state;
};

static void destroy(Offload *offload)
{
        close(offload->event_fd);
        free(offload);
}

static void *thread_main(void *argument)
{
        static const uint64_t one = 1;
        Offload *offload = argument;
        int expected = RUNNING;

        offload->result = offload->run(offload->data);
        /* Write before the state changes: afterwards the other side may close the descriptor. */
        (void)!write(offload->event_fd, &one, sizeof(one));
        if (!atomic_compare_exchange_strong(&offload->state, &expected, DONE)) {
                offload->release(offload->data);
                destroy(offload);
        }
        return NULL;
}

static int start_thread(Offload *offload)
{
        sigset_t all, before;
        pthread_t thread;
        int r;

        /* Signals are for the program's own threads. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, NULL, thread_main, offload);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r != 0)
                return -r;
        pthread_detach(thread);
        return 0;
}

int offload_start(int (*run)(void *data), void (*release)(void *data), void *data,
                  Offload **ret_offload)
{
        Offload *offload;
        int r;

        offload = calloc(1, sizeof(*offload));
        if (!offload)
                return -ENOMEM;
        *offload = (Offload){.run = run, .release = release, .data = data};
        offload->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (offload->event_fd < 0) {
                r = -errno;
                free(offload);
                return r;
        }
        r = start_thread(offload);
        if (r < 0) {
                destroy(offload);
                return r;
        }
        *ret_offload = offload;
        return 0;
}

int offload_fd(const Offload *offload)
{
        return offload->event_fd;
}

int offload_collect(Offload *offload, int *ret_result)
{
        if (atomic_load(&offload->state) != DONE)
                return 0;
        *ret_result = offload->result;
        return 1;
}

Offload *offload_free(Offload *offload)
{
        if (offload)
                destroy(offload);
        return NULL;
}

Offload *offload_abandon(Offload *offload)
{
        int expected = RUNNING;

        if (!offload)
                return NULL;
        if (!atomic_compare_exchange_strong(&offload->state, &expected, ABANDONED)) {
                offload->release(offload->data);
                destroy(offload);
        }
        return NULL;
}
