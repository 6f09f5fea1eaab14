/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a policy file into a Policy, and checks all that can be checked without a broker: every
 * mistake is reported with its line and column, not only the first. */

#include "bridge/policy.h"
#include "common/json-file.h"

/* 0, or -EINVAL (or why the file cannot be read) when errors were reported. */
int policy_load(const char *path, Diagnostics *diagnostics, Policy **ret_policy);
int policy_parse(const char *name, const char *text, size_t length, Diagnostics *diagnostics,
                 Policy **ret_policy);

/* A path of the file: `credential:NAME` is that credential of the service manager, other relative
 * ones count from the file's folder. Owned by the caller; NULL without memory. */
char *policy_resolve_path(const char *file, const char *path);

/* Reads the first line of a file with a secret; owned by the caller. `path` NULL: *ret_text is
 * NULL.
 */
int policy_read_secret(const char *path, char **ret_text, Error **ret_error);

/* ---- policy-check.c ---- */

/* What only holds between members. Reports into the file. */
void policy_check(const Policy *policy, JsonFile *file);
