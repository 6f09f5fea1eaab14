/* SPDX-License-Identifier: MIT */
#pragma once

/* Names of D-Bus object paths in topics (protocol section 2). With P for "/" and the bus name, dots
 * replaced by slashes: P is "-", P/x/y is "x.y", any other /a/b is ".a.b", and "/" is ".". Each
 * path has one name and each name at most one path: path elements contain no dots. Pure. */

#include "common/error.h"

/* The object name of a path of the service with that bus name; owned by the caller. -EINVAL: not an
 * object path; -ENAMETOOLONG: the name would exceed LIMIT_OBJECT_LENGTH. */
int object_name_from_path(const char *bus_name, const char *path, char **ret_name,
                          Error **ret_error);

/* The path of an object name; owned by the caller. -EINVAL when no path has that name. */
int object_path_from_name(const char *bus_name, const char *name, char **ret_path,
                          Error **ret_error);
