/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus values as text that is the same whenever the values are: their signature and, in the typed
 * form of protocol section 9, the JSON of them, with dict entries in the order of their keys, since
 * D-Bus gives them none. For comparing, and for people. What cannot be written, as file
 * descriptors, leaves the signature and the reason. */

#include <systemd/sd-bus.h>

#include "common/buffer.h"
#include "gateway/codec/type.h"

/* Appends the value in the variant at the read position. 1; or 0 if it could not be written, and
 * then the read position is undefined; -ENOMEM, or what sd-bus says of a malformed message. */
int value_text_variant(sd_bus_message *m, Buffer *out);

/* Appends all arguments of a message, from its start: "SIGNATURE [...]", or "()" without any. */
int value_text_message(sd_bus_message *m, Buffer *out);

/* Makes an argument list of a signature, which may be empty. -EINVAL with the error if it is none,
 * -ENOMEM. */
int value_text_parse_signature(const char *signature, CodecArgs *args, Error **ret_error);
