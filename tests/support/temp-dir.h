/* SPDX-License-Identifier: MIT */
#pragma once

/* A directory for one test, with its sockets, configurations and logs. It is removed when it is
 * freed, and also when the test program aborts or is killed: a janitor process watches it. With
 * MQTTRPC_TEST_KEEP set in the environment it stays, and its path is printed. */

#include "common/util.h"

#include <glib.h>

typedef struct TempDir TempDir;

/* Never fails: no test can go on without. */
TempDir *temp_dir_new(void);
/* Removes the directory; returns when it is gone. Accepts NULL, returns NULL. */
TempDir *temp_dir_free(TempDir *dir);
DEFINE_CLEANUP(TempDir *, temp_dir_free, cleanup_temp_dir)
#define CLEANUP_TEMP_DIR CLEANUP(cleanup_temp_dir)

/* Absolute, and short enough for unix sockets inside. Borrowed. */
const char *temp_dir_get_path(const TempDir *dir);
/* The path of a file inside; the caller frees it. */
char *temp_dir_build(const TempDir *dir, const char *name);
/* Writes a file, mode 0600, and returns its path; the caller frees it. */
char *temp_dir_write(const TempDir *dir, const char *name, const char *text);
/* Makes a new directory inside, NAME-1, NAME-2, …; the caller frees the path. */
char *temp_dir_make(TempDir *dir, const char *name);
