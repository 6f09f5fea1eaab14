/* SPDX-License-Identifier: MIT */
#pragma once

/* The place of a value in an error text, as in "argument 'opts'["mtu"].data: …". It is put together
 * only when a conversion has failed, each level putting its step in front while it returns; the
 * innermost text starts with ": " for that. All do nothing when no error is set. */

#include <stddef.h>

#include "common/error.h"

/* "[3]" */
void json_place_index(Error **error, size_t index);

/* "["key"]": `quoted` is the key as JSON text with its quotes; a long one is cut. */
void json_place_key(Error **error, const char *quoted, size_t length);

/* ".name" */
void json_place_member(Error **error, const char *name);
