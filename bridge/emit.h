/* SPDX-License-Identifier: MIT */
#pragma once

/* Configuration of other programs for the same policy. Pure: a policy to a text. */

#include "bridge/policy.h"
#include "common/buffer.h"

/* acl_file of a Mosquitto in the cloud: what the bridge, and which cloud users, may do there. */
int emit_acl(const Policy *policy, Buffer *out);
/* What the acl_file of the local Mosquitto needs for the bridge. */
int emit_local_acl(const Policy *policy, Buffer *out);
/* The nearest that Mosquitto's own bridge can do, with comments on what it does not. */
int emit_mosquitto(const Policy *policy, Buffer *out);

/* ---- emit-acl.c: what they share ---- */

/* What a filter can say of a pattern: the name itself, or "+", which is wider unless it is "*". */
const char *emit_level(const char *pattern);
bool emit_is_exact(const char *pattern);
