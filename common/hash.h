/* SPDX-License-Identifier: MIT */
#pragma once

/* uthash, told not to end the process when memory is short. After HASH_ADD… ask hash_added(). */

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* True if the element with this handle made it into the table. */
#define hash_added(handle) ((handle).tbl != NULL)
