/* SPDX-License-Identifier: MIT */
#pragma once

/* The bridge as a whole: makes its parts for a policy, runs the one loop until SIGTERM, and changes
 * the policy on SIGHUP. */

#include "bridge/policy.h"

typedef struct Bridge Bridge;

/* Consumes the policy on success. `path` is read again on SIGHUP; borrowed. */
int bridge_new(const char *path, Policy *policy, Bridge **ret_bridge, Error **ret_error);
Bridge *bridge_free(Bridge *bridge);
/* Returns 0 after SIGTERM or SIGINT. */
int bridge_run(Bridge *bridge, Error **ret_error);
