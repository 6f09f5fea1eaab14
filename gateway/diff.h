/* SPDX-License-Identifier: MIT */
#pragma once

/* What a mapping has against what a service offers. Three kinds of differences, a line each: what
 * the mapping has and the service has not ("- "), what the service has and the mapping does not
 * mention ("+ "), and what both have otherwise ("! "). What the mapping leaves out by `false`, what
 * the service calls deprecated and what carries file descriptors is no difference. Lines that start
 * with "? " are none either: they say what could not be compared because no such object is there
 * now. Pure. */

#include "common/buffer.h"
#include "gateway/mapping.h"
#include "gateway/survey.h"

/* Appends the lines. Returns the number of differences, or what buffer_status() says. `only_mapped`
 * leaves out what the mapping does not mention. */
int diff_write(const MappingService *service, const Survey *survey, bool only_mapped, Buffer *out);
