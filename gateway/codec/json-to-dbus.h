/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON to D-Bus values (protocol section 9), appended to a message from the index of a JSON text.
 * The type always comes from the mapping's table, never from the look of a JSON literal; what does
 * not fit it is refused, not converted.
 *
 * More than one form is accepted at these places: a 64-bit integer may be a number or a decimal
 * string, a struct with named fields an object or an array. A variant is {"type":…,"data":…},
 * an object of exactly these members; else only `true`, `false` (b) and a string (s) are taken,
 * whose types are beyond doubt. (An a{sv} with just the keys "type" and "data" inside a variant
 * must therefore be wrapped in the typed form, as every dict inside a variant.)
 *
 * All functions return 0 or a negative errno, and then have set the error, which names the place
 * ("argument 'opts'["mtu"].data: …"):
 *
 *   -EINVAL      the JSON is not of the type, or there are too many or too few arguments
 *   -ERANGE      a number beyond its type
 *   -EOPNOTSUPP  a file descriptor (type h)
 *   -E2BIG       nested deeper than LIMIT_VALUE_DEPTH, as in the other direction
 *   -ENOMEM
 *
 * After a failure the message is of no use any more and only to be unreferenced. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "common/json-scan.h"
#include "gateway/codec/type.h"

/* Stands for the node of a value that is absent. */
#define CODEC_NO_NODE UINT32_MAX

/* All arguments: `node` is an array by position, an object by name, or CODEC_NO_NODE (absent
 * params), which is right when there are none. `ret_argument` (may be NULL) is set on failure: the
 * argument that is to blame, borrowed from `in`, or NULL when it is no single one. */
int codec_args_from_json(const JsonDoc *doc, uint32_t node, const CodecArgs *in, sd_bus_message *m,
                         const CodecArg **ret_argument, Error **ret_error);

/* The mirror image of codec_result_to_json(): with one out argument `node` is its value, with
 * several an array or an object, without any null (or an empty array or object). */
int codec_result_from_json(const JsonDoc *doc, uint32_t node, const CodecArgs *out,
                           sd_bus_message *m, Error **ret_error);

/* One value. `what` is put in front of errors ("property 'Mtu'"). */
int codec_value_from_json(const JsonDoc *doc, uint32_t node, const CodecType *type,
                          const char *what, sd_bus_message *m, Error **ret_error);

/* One value, as a variant that holds `type`: what Properties.Set, Get and PropertiesChanged
 * carry. The JSON is that of `type`, not of a variant. */
int codec_variant_from_json(const JsonDoc *doc, uint32_t node, const CodecType *type,
                            const char *what, sd_bus_message *m, Error **ret_error);
