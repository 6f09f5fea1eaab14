/* SPDX-License-Identifier: MIT */
#pragma once

/* Finds what a mistyped word was meant to be. Pure. */

#include <stddef.h>

/* Returns the candidate that the fewest changes of single characters (insert, delete, replace)
 * make out of `text`, if so few that a slip of the finger is likely; else NULL. Borrowed.
 * `next` yields the candidates: called with 0, 1, … until it returns NULL. */
typedef const char *(*SuggestNext)(size_t index, const void *userdata);
const char *suggest(const char *text, SuggestNext next, const void *userdata);
