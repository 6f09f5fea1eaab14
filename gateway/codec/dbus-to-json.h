/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus values to JSON text (protocol section 9), written straight into a buffer.
 *
 * All functions read from the read position of a sealed or received message, return 0 or a negative
 * errno, and then have set the error, which names the place ("argument 'opts'["mtu"]: …"):
 *
 *   -EBADMSG     the message is malformed, or its types are not those that were expected, or a dict
 *                has a key twice, or bytes that were to be text are none
 *   -EOPNOTSUPP  a file descriptor; it stays with the message and is closed with it
 *   -E2BIG       nested deeper than LIMIT_VALUE_DEPTH
 *   -EMSGSIZE    the buffer's maximum would be exceeded
 *   -ENOMEM
 *
 * On failure the buffer has its former length (though after -EMSGSIZE and -ENOMEM it stays failed
 * until buffer_clear()), and the read position is undefined: sd_bus_message_rewind() sets it back.
 */

#include <systemd/sd-bus.h>

#include "common/buffer.h"
#include "gateway/codec/basic.h"
#include "gateway/codec/type.h"

/* The result of a method, which is the whole message: `null` without out arguments, with one its
 * value, with several an array, or with `as_object` an object by the arguments' names. */
int codec_result_to_json(sd_bus_message *m, const CodecArgs *out, bool as_object, Buffer *buffer,
                         Error **ret_error);

/* All arguments of a message (a signal, or a call), from its start, as an array, or with
 * `as_object` as an object by their names; empty if there are none. */
int codec_args_to_json(sd_bus_message *m, const CodecArgs *args, bool as_object, Buffer *buffer,
                       Error **ret_error);

/* One value at the read position. `what` is put in front of errors ("property 'Mtu'"). */
int codec_value_to_json(sd_bus_message *m, const CodecType *type, const char *what, Buffer *buffer,
                        Error **ret_error);

/* The value inside the variant at the read position, which must be of `type`: what
 * Properties.Get, GetAll and PropertiesChanged carry. */
int codec_variant_to_json(sd_bus_message *m, const CodecType *type, const char *what,
                          Buffer *buffer, Error **ret_error);

/* One value of the basic type `code`, which is not `h`. */
void codec_write_basic(Buffer *out, char code, const CodecBasic *value);
