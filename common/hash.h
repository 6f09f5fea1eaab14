/* SPDX-License-Identifier: MIT */
#pragma once

/* uthash, which the build tells not to end the process when memory is short: after HASH_ADD… ask
 * hash_added(). */

#include <uthash.h>

/* True if the element with this handle made it into the table. */
#define hash_added(handle) ((handle).tbl != NULL)
