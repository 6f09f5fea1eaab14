/* SPDX-License-Identifier: MIT */
#pragma once

/* Settings of a program: a const table of keys (json-fields.h), filled from defaults, one file and
 * the command line. Options win over the file, whichever comes first: a key that config_set() has
 * set is left alone by config_load(). */

#include "common/json-fields.h"

typedef struct Config {
        const JsonField *fields; /* at most 64 */
        size_t n_fields;
        void *values;   /* the struct that the fields are in; borrowed */
        uint64_t fixed; /* bit i: fields[i] was set by config_set() */
} Config;

/* Puts the fallbacks of the table into `values`, which must be all zero. */
int config_init(Config *config, const JsonField *fields, size_t n_fields, void *values,
                Error **ret_error);
void config_done(Config *config);

/* Sets one key from the command line. For a list the first call replaces what was there, further
 * ones add to it. -ENOENT: no such key; else what is wrong with the value. */
int config_set(Config *config, const char *key, const char *text, Error **ret_error);

/* Reads a file. On failure (-EINVAL, or the errno of reading it) the errors have been reported, and
 * the values are not to be used. */
int config_load(Config *config, const char *path, Diagnostics *diagnostics);
