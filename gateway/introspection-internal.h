/* SPDX-License-Identifier: MIT */
#pragma once

#include "gateway/introspection.h"

/* Accepts NULL, returns NULL. */
IntrospectionMember *introspection_member_free(IntrospectionMember *member);
