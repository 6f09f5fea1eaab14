/* SPDX-License-Identifier: MIT */
#pragma once

/* The canonical form of introspection: what a document says as facts, whatever order, spacing and
 * spelling of defaults it says it in. Two nodes are the same for clients if their facts are. Names
 * of arguments and all annotations count; comments, documentation and attributes that the D-Bus
 * specification does not know do not. Pure. */

#include "common/buffer.h"
#include "gateway/facts.h"
#include "gateway/introspection.h"

/* Adds the facts of one node, which is at `path`: its interfaces, their members and annotations,
 * and the names of the nodes right below it. -ENOMEM. */
int introspection_add_facts(const Introspection *introspection, const IntrospectionNode *node,
                            const char *path, Facts *facts);

/* Appends the path of a node of a document whose outermost one is at `home`. */
int introspection_write_path(const char *home, const IntrospectionNode *node, Buffer *out);

/* Adds those of all nodes that the document describes. The outermost one is at the path that it
 * names, else at `path`. -ENOMEM. */
int introspection_add_all_facts(const Introspection *introspection, const char *path, Facts *facts);

/* Appends the facts of the outermost node as text, a line each, sorted. -ENOMEM. */
int introspection_write_canonical(const Introspection *introspection, Buffer *out);
