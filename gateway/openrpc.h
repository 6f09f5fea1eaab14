/* SPDX-License-Identifier: MIT */
#pragma once

/* The OpenRPC 1.3 document of a mapped service, as at the topic $api and from `emit openrpc`. Pure.
 *
 * OpenRPC knows one list of methods with names of their own. Those of the service's root object
 * have their plain name, those of others "OBJECT/METHOD", where OBJECT may have captures;
 * "x-object" and "x-method" say both. "x-signals", "x-properties" and "x-objects" are lists
 * besides, with the same x-object. Members whose types are not known have no schema, and those that
 * "*" stands for are in the document when introspection has been applied. */

#include "gateway/emit-json.h"
#include "gateway/mapping.h"

/* Appends the document, if `pretty` in lines. `name` is the service's name in topics; for a family
 * that of one member, else NULL. Returns 0 or what buffer_status() says. */
int openrpc_write(const MappingService *service, const char *name, bool pretty, Buffer *buffer);

/* Writes the arguments of a member as OpenRPC wants parameters. */
void openrpc_write_params(EmitJson *emit, const char *key, const CodecArgs *args);
