/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus object paths and their names in topics (protocol section 2), one by one and by template.
 *
 * The default name of a path, with P for "/" and the bus name, dots replaced by slashes: P is "-",
 * P/x/y is "x.y", any other /a/b is ".a.b", and "/" is ".". Each path has one name and each name at
 * most one path: path elements contain no dots.
 *
 * A PathTemplate stands for many objects: "/org/bluez/{adapter}/{device}" with the name
 * "{adapter}.{device}". A capture is one whole element of the path, [A-Za-z0-9_]+. It is in the
 * name exactly once, and between two captures there is a '.' or a '-', which no element contains;
 * so a name gives back its path, and no two paths of a template have one name.
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* The object name of a path of the service with that bus name; owned by the caller. -EINVAL: not an
 * object path; -ENAMETOOLONG: the name would exceed LIMIT_OBJECT_LENGTH. */
int object_name_from_path(const char *bus_name, const char *path, char **ret_name,
                          Error **ret_error);

/* The path of an object name; owned by the caller. -EINVAL when no path has that name. */
int object_path_from_name(const char *bus_name, const char *name, char **ret_path,
                          Error **ret_error);

/* ---- templates ---- */

/* True for the text of a template, in contrast to one path or name. */
bool path_template_is(const char *text);

/* Whether a text is an object path, or an object name, in which there may be captures. 0 or -EINVAL
 * with a sentence; fit for JsonField.check. */
int path_template_check_path(const char *text, Error **ret_error);
int path_template_check_name(const char *text, Error **ret_error);

/* The default name of a template path. -EINVAL also where the template covers paths whose default
 * names have different forms: P and others. */
int path_template_default_name(const char *bus_name, const char *path, char **ret_name,
                               Error **ret_error);

typedef struct PathTemplate PathTemplate;

/* Makes a template of two texts that have passed the checks above, of which the path has a capture.
 * -EINVAL: the name does not follow from the path and back; -ENOMEM. */
int path_template_new(const char *path, const char *name, PathTemplate **ret_template,
                      Error **ret_error);
/* Accepts NULL, returns NULL. */
PathTemplate *path_template_free(PathTemplate *template);

/* The name of a path: 0, owned by the caller; -ENOENT if the template does not fit the path,
 * -ENAMETOOLONG if the name would exceed LIMIT_OBJECT_LENGTH, -ENOMEM. And back. */
int path_template_name(const PathTemplate *template, const char *path, char **ret_name);
int path_template_path(const PathTemplate *template, const char *name, char **ret_path);

/* Whether the template fits a path. `path` must be valid. */
bool path_template_fits(const PathTemplate *template, const char *path);
/* Whether paths of the template may be below `path`: a walk has to look there. */
bool path_template_leads_through(const PathTemplate *template, const char *path);
/* The path above the first capture, "/" at least. Borrowed. */
const char *path_template_root(const PathTemplate *template);

/* How specific it is: the number of elements that are no captures. */
size_t path_template_n_literals(const PathTemplate *template);
/* Whether both fit the same paths. */
bool path_template_same_paths(const PathTemplate *a, const PathTemplate *b);
/* A name that both templates can yield, with words in the place of captures that are in no template
 * by chance; owned by the caller. -ENOENT if there is none, -ENOMEM. */
int path_template_common_name(const PathTemplate *a, const PathTemplate *b, char **ret_name);

DEFINE_CLEANUP(PathTemplate *, path_template_free, path_template_cleanup)
#define CLEANUP_PATH_TEMPLATE CLEANUP(path_template_cleanup)
