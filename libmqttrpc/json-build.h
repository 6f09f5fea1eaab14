/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON text from typed C values, in the manner of sd_bus_message_append(); the forms are those of
 * protocol section 9. What is written is what the library on the other side takes. Pure. */

#include <stdarg.h>
#include <stdbool.h>

#include "common/buffer.h"

/* Appends the values of all `types` (a row of D-Bus signatures; NULL is ""). `as_array`: as an
 * array, empty without types: params, arguments of a signal. Else as a result: null without types,
 * with one its value, with several an array. mqttrpc_json_value() in mqttrpc.h says what is taken
 * from `args` for a type, and what the failures mean: -EINVAL, -ERANGE, -E2BIG, -ENOMEM, -EMSGSIZE
 * (the buffer's maximum). On failure the buffer has its former length. */
int json_build_append(Buffer *buffer, const char *types, bool as_array, va_list args);
