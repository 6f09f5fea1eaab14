/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus object paths as text. Pure. */

#include <stdbool.h>
#include <stddef.h>

/* True for "/", and for elements of [A-Za-z0-9_] with one '/' in front of each. There is no limit
 * of the length but that of a message. `text` may contain anything, NUL bytes included. */
bool object_path_is_valid(const char *text, size_t length);
