/* SPDX-License-Identifier: MIT */

#include "common/deadline.h"

#include <errno.h>
#include <stdlib.h>

#include "common/util.h"

void deadline_queue_done(DeadlineQueue *queue)
{
        free(queue->heap);
        *queue = (DeadlineQueue){};
}

static void put(DeadlineQueue *queue, size_t position, Deadline *deadline)
{
        queue->heap[position - 1] = deadline;
        deadline->position = position;
}

static void sift_up(DeadlineQueue *queue, Deadline *deadline)
{
        size_t position = deadline->position;

        while (position > 1 && queue->heap[position / 2 - 1]->usec > deadline->usec) {
                put(queue, position, queue->heap[position / 2 - 1]);
                position /= 2;
        }
        put(queue, position, deadline);
}

static void sift_down(DeadlineQueue *queue, Deadline *deadline)
{
        size_t position = deadline->position;

        for (;;) {
                size_t child = position * 2;

                if (child > queue->count)
                        break;
                if (child < queue->count && queue->heap[child]->usec < queue->heap[child - 1]->usec)
                        child++;
                if (queue->heap[child - 1]->usec >= deadline->usec)
                        break;
                put(queue, position, queue->heap[child - 1]);
                position = child;
        }
        put(queue, position, deadline);
}

int deadline_add(DeadlineQueue *queue, Deadline *deadline, uint64_t usec)
{
        if (queue->count == queue->capacity) {
                size_t capacity = MAX(queue->capacity * 2, (size_t)16);
                Deadline **heap = reallocarray(queue->heap, capacity, sizeof(*heap));

                if (!heap)
                        return -ENOMEM;
                queue->heap = heap;
                queue->capacity = capacity;
        }
        deadline->usec = usec;
        put(queue, ++queue->count, deadline);
        sift_up(queue, deadline);
        return 0;
}

void deadline_remove(DeadlineQueue *queue, Deadline *deadline)
{
        size_t position = deadline->position;
        Deadline *last;

        if (position == 0)
                return;
        deadline->position = 0;
        last = queue->heap[--queue->count];
        if (last == deadline)
                return;
        put(queue, position, last);
        sift_up(queue, last);
        sift_down(queue, last);
}

Deadline *deadline_first(const DeadlineQueue *queue)
{
        return queue->count > 0 ? queue->heap[0] : NULL;
}
