/* SPDX-License-Identifier: MIT */
#pragma once

/* A queue of points in time (binary heap), intrusive: what waits embeds a Deadline. One timer
 * serves all that waits through it, and looking for what is due costs the same however much that
 * is. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Deadline Deadline;

struct Deadline {
        uint64_t usec;   /* CLOCK_MONOTONIC */
        size_t position; /* in the heap, from 1; 0: not queued */
        void (*on_expired)(Deadline *deadline);
};

typedef struct DeadlineQueue {
        Deadline **heap; /* owned array, borrowed items */
        size_t count;
        size_t capacity;
} DeadlineQueue;

void deadline_queue_done(DeadlineQueue *queue);

/* Queues `deadline` for `usec`. -ENOMEM; it must not be queued yet. */
int deadline_add(DeadlineQueue *queue, Deadline *deadline, uint64_t usec);

/* Takes it out; does nothing if it is not queued. */
void deadline_remove(DeadlineQueue *queue, Deadline *deadline);

/* The earliest, or NULL. */
Deadline *deadline_first(const DeadlineQueue *queue);
