/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON Schema (2020-12) of the JSON form of a D-Bus type (protocol section 9). Pure. */

#include "common/buffer.h"

/* Appends the schema of the first complete type in `type`, which must be valid. */
int json_schema_write(Buffer *buffer, const char *type);
