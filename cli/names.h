/* SPDX-License-Identifier: MIT */
#pragma once

/* Checks names before anything is sent, and tells those who think in D-Bus paths what to write
 * instead. Pure. */

#include "common/error.h"

int names_check(const char *service, const char *object, const char *method, Error **error);
