/* SPDX-License-Identifier: MIT */
#pragma once

/* The verbs of the command line, one file each. A verb gets its own arguments, its name as the
 * first, and returns the exit status. */

#include "common/diagnostics.h"
#include "gateway/mapping.h"

enum {
        EXIT_DIFFERENT = 1, /* diff, verify: something differs */
        EXIT_USAGE = 2,
        EXIT_TROUBLE = 2, /* of verbs whose 1 is an answer */
};

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_emit(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_release(int argc, char **argv);

/* ---- cmd.c: what they share ---- */

/* Prints "dbus-mqtt-gateway VERB: TEXT" to standard error and returns EXIT_USAGE. */
int cmd_usage_error(const char *verb, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Loads mapping files into `set`, and those of folders; errors are in `diagnostics`. Returns the
 * number of files, or -ENOMEM. */
int cmd_load_mappings(char *const *paths, int n_paths, MappingSet *set, Diagnostics *diagnostics);

/* Writes a text to a file, or to standard output if `path` is NULL. */
int cmd_write(const char *path, const char *text, size_t length, Error **ret_error);
