/* SPDX-License-Identifier: MIT */
#pragma once

/* Text of others, for terminals. Pure. */

#include "common/buffer.h"

/* Appends text with each control character replaced by a space, or by '?' if it is no white space,
 * so that nobody far away writes to the terminal's controls. */
int printable_write(Buffer *buffer, const char *text);
