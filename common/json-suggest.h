/* SPDX-License-Identifier: MIT */
#pragma once

/* What the unknown key of an object was meant to be. Pure. */

#include "common/json-scan.h"
#include "common/suggest.h"

/* The candidate (suggest.h) that the member `key` of `object` is probably a slip of: near, and not
 * a member itself. Borrowed from `next`; NULL: none. */
const char *json_suggest(const JsonDoc *doc, uint32_t object, uint32_t key, SuggestNext next,
                         const void *userdata);
