/* SPDX-License-Identifier: MIT */
#pragma once

/* The few macros every file may use: scope-bound cleanup, ownership moves, array sizes. */

#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_INFINITY UINT64_MAX

/* CLEANUP(f) calls f(&variable) when the variable goes out of scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* Moves a pointer out of a variable, which is left NULL. */
#define STEAL(pointer)                                    \
        __extension__({                                   \
                __auto_type steal_address = &(pointer);   \
                __auto_type steal_value = *steal_address; \
                *steal_address = NULL;                    \
                steal_value;                              \
        })

/* Defines NAME_cleanup() for use with CLEANUP() from a destructor that takes the pointer. */
#define DEFINE_CLEANUP(type, destructor, name) \
        static inline void name(type *address) \
        {                                      \
                if (*address)                  \
                        destructor(*address);  \
        }

static inline void cleanup_free(void *address)
{
        free(*(void **)address);
}

static inline void cleanup_close(const int *address)
{
        if (*address >= 0)
                close(*address);
}

#define CLEANUP_FREE  CLEANUP(cleanup_free)
#define CLEANUP_CLOSE CLEANUP(cleanup_close)
