/* SPDX-License-Identifier: MIT */

#include "common/offload.h"

#include <glib.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>

typedef struct Work {
        sem_t go;       /* the function waits for it */
        sem_t released; /* release() tells it */
        bool blocked_signals;
} Work;

static void work_init(Work *work)
{
        g_assert_cmpint(sem_init(&work->go, 0, 0), ==, 0);
        g_assert_cmpint(sem_init(&work->released, 0, 0), ==, 0);
}

static void work_done(Work *work)
{
        sem_destroy(&work->go);
        sem_destroy(&work->released);
}

static int run(void *data)
{
        Work *work = data;
        sigset_t mask;

        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        work->blocked_signals = sigismember(&mask, SIGTERM) == 1;
        while (sem_wait(&work->go) < 0)
                continue;
        return 42;
}

static void release(void *data)
{
        Work *work = data;

        sem_post(&work->released);
}

static bool is_readable(const Offload *offload, int msec)
{
        struct pollfd pollfd = {.fd = offload_fd(offload), .events = POLLIN};

        return poll(&pollfd, 1, msec) == 1;
}

static void test_result_is_collected(void)
{
        Offload *offload;
        Work work = {};
        int result = 0;

        work_init(&work);
        g_assert_cmpint(offload_start(run, release, &work, &offload), ==, 0);
        g_assert_cmpint(offload_collect(offload, &result), ==, 0);
        g_assert_false(is_readable(offload, 0));
        sem_post(&work.go);
        g_assert_true(is_readable(offload, 20000));
        /* Readable a moment before the state changes. */
        while (offload_collect(offload, &result) == 0)
                g_thread_yield();
        g_assert_cmpint(result, ==, 42);
        g_assert_true(work.blocked_signals);
        g_assert_null(offload_free(offload));
        /* The data was ours again. */
        g_assert_cmpint(sem_trywait(&work.released), <, 0);
        work_done(&work);
}

static void test_abandoned_while_it_runs(void)
{
        Offload *offload;
        Work work = {};

        work_init(&work);
        g_assert_cmpint(offload_start(run, release, &work, &offload), ==, 0);
        g_assert_null(offload_abandon(offload));
        g_assert_cmpint(sem_trywait(&work.released), <, 0);
        sem_post(&work.go);
        g_assert_cmpint(sem_wait(&work.released), ==, 0);
        work_done(&work);
}

/* Whoever is last releases the data, and it is released once, whatever the timing. */
static void test_abandoned_at_the_very_end(void)
{
        for (unsigned i = 0; i < 500; i++) {
                Offload *offload;
                Work work = {};

                work_init(&work);
                g_assert_cmpint(offload_start(run, release, &work, &offload), ==, 0);
                sem_post(&work.go);
                if (i % 2 == 0)
                        g_assert_true(is_readable(offload, 20000));
                g_assert_null(offload_abandon(offload));
                g_assert_cmpint(sem_wait(&work.released), ==, 0);
                g_assert_cmpint(sem_trywait(&work.released), <, 0);
                work_done(&work);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/offload/result-is-collected", test_result_is_collected);
        g_test_add_func("/offload/abandoned-while-it-runs", test_abandoned_while_it_runs);
        g_test_add_func("/offload/abandoned-at-the-very-end", test_abandoned_at_the_very_end);
        return g_test_run();
}
