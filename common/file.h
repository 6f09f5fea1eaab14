/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads whole files, for configuration, mappings and passwords, and replaces those of our own. */

#include <stddef.h>

#include "common/error.h"

/* Reads a file of at most `limit` bytes. The text gets a NUL after its last byte and is owned by
 * the caller. -EFBIG when there is more, -EISDIR for a folder, else the errno of the failure. */
int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length,
              Error **ret_error);

/* `name` as seen from the folder of `file`: itself if absolute, else in that folder. Owned by the
 * caller; NULL without memory. */
char *file_beside(const char *file, const char *name);

/* Writes a file in one step: who reads it finds the old text or the new one, also after a loss of
 * power. A new file is for its owner alone. It goes by way of `path`.new. */
int file_replace(const char *path, const char *text, size_t length, Error **ret_error);
