/* SPDX-License-Identifier: MIT */
#pragma once

/* What can be said against a mapping that loads: members that cannot be used, are on their way out,
 * or are easier to reach than they look. */

#include "gateway/mapping.h"

/* Looks through a service, reading its file once more for the places. Warnings go to `warnings`;
 * what is no mistake but good to know, as types that only the running service can tell, to `notes`,
 * as warnings too. */
void check_service(const MappingService *service, Diagnostics *warnings, Diagnostics *notes);
