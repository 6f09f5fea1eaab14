/* SPDX-License-Identifier: MIT */
#pragma once

/* The texts of --help, made from the tables of verbs and options. */

#include "cli/verbs.h"
#include "common/buffer.h"

/* Appends the help of one verb, or of mqttrpc as a whole for NULL. */
int help_write(Buffer *buffer, const Verb *verb);
