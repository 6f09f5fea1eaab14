/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON Schema (draft 7, which OpenRPC and AsyncAPI use) for what the codec makes of a D-Bus type. A
 * type with `h` in it fits nothing. Pure. */

#include "gateway/codec/type.h"
#include "gateway/emit-json.h"

/* Writes the schema, with the D-Bus type as "x-dbus-type". */
void type_schema_write(EmitJson *emit, const char *key, const CodecType *type);
