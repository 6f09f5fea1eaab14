/* SPDX-License-Identifier: MIT */
#pragma once

/* Introspection as XML, in pieces for who makes a document of several sources. Texts may be any:
 * what is special in XML is escaped, so that reading the document again gives the same. Failures
 * show in the buffer. Pure. */

#include "common/buffer.h"
#include "gateway/introspection.h"

/* `name` and `direction` may be NULL. */
void introspection_write_arg(const char *name, const char *type, const char *direction,
                             const IntrospectionAnnotations *annotations, Buffer *out);
void introspection_write_annotation(const char *name, const char *value, Buffer *out);
void introspection_write_annotations(const IntrospectionAnnotations *annotations, Buffer *out);
/* "read", "write" or "readwrite". */
const char *introspection_access(bool readable, bool writable);
/* A whole interface. */
void introspection_write_interface(const IntrospectionInterface *interface, Buffer *out);
