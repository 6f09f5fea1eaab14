/* SPDX-License-Identifier: MIT */
#pragma once

#include "gateway/introspection.h"

/* Accepts NULL, returns NULL. */
IntrospectionMember *introspection_member_free(IntrospectionMember *member);

/* -ENOMEM. */
int introspection_annotations_add(IntrospectionAnnotations *annotations, const char *name,
                                  const char *value);
/* Takes a reference. -ENOMEM. */
int introspection_node_add(IntrospectionNode *node, IntrospectionInterface *interface);
