/* SPDX-License-Identifier: MIT */

#include "common/deadline.h"

#include "common/util.h"

#include <glib.h>

static void test_comes_out_in_order(void)
{
        static const uint64_t times[] = {5, 3, 9, 3, 0, UINT64_MAX, 1, 7};
        CLEANUP(deadline_queue_done) DeadlineQueue queue = {};
        Deadline items[G_N_ELEMENTS(times)] = {};
        uint64_t last = 0;

        g_assert_null(deadline_first(&queue));
        for (unsigned i = 0; i < G_N_ELEMENTS(times); i++)
                g_assert_cmpint(deadline_add(&queue, &items[i], times[i]), ==, 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
                Deadline *first = deadline_first(&queue);

                g_assert_cmpuint(first->usec, >=, last);
                last = first->usec;
                deadline_remove(&queue, first);
                g_assert_cmpuint(first->position, ==, 0);
        }
        g_assert_null(deadline_first(&queue));
}

static void test_removing_twice_does_nothing(void)
{
        CLEANUP(deadline_queue_done) DeadlineQueue queue = {};
        Deadline a = {}, b = {};

        deadline_remove(&queue, &a);
        g_assert_cmpint(deadline_add(&queue, &a, 1), ==, 0);
        g_assert_cmpint(deadline_add(&queue, &b, 2), ==, 0);
        deadline_remove(&queue, &a);
        deadline_remove(&queue, &a);
        g_assert_true(deadline_first(&queue) == &b);
        g_assert_cmpuint(queue.count, ==, 1);
}

/* The heap against a linear search, over random additions and removals. */
static void test_holds_under_random_use(void)
{
        enum { ITEMS = 300, STEPS = 20000 };
        CLEANUP(deadline_queue_done) DeadlineQueue queue = {};
        static Deadline items[ITEMS];

        for (unsigned step = 0; step < STEPS; step++) {
                Deadline *item = &items[g_test_rand_int_range(0, ITEMS)];
                uint64_t least = UINT64_MAX;

                if (item->position > 0)
                        deadline_remove(&queue, item);
                else
                        g_assert_cmpint(
                                deadline_add(&queue, item, (uint64_t)g_test_rand_int_range(0, 100)),
                                ==, 0);
                for (unsigned i = 0; i < ITEMS; i++)
                        if (items[i].position > 0)
                                least = MIN(least, items[i].usec);
                if (queue.count > 0)
                        g_assert_cmpuint(deadline_first(&queue)->usec, ==, least);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/deadline/comes-out-in-order", test_comes_out_in_order);
        g_test_add_func("/deadline/removing-twice-does-nothing", test_removing_twice_does_nothing);
        g_test_add_func("/deadline/holds-under-random-use", test_holds_under_random_use);
        return g_test_run();
}
