/* SPDX-License-Identifier: MIT */
#pragma once

/* The one clock of the project: deadlines and pauses do not follow the wall clock. */

#include <stdint.h>

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t clock_now(void);
