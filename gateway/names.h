/* SPDX-License-Identifier: MIT */
#pragma once

/* Checks of names that come from files: 0, or -EINVAL and a sentence that quotes the name and says
 * what is wrong. Fit for JsonField.check. Pure. */

#include <stdbool.h>

#include "common/error.h"

/* One topic level: [A-Za-z0-9_.-]{1,255}, not starting with '$' (protocol section 2). */
int name_check_level(const char *text, Error **ret_error);

/* The object level: the same characters, up to LIMIT_OBJECT_LENGTH. */
int name_check_object(const char *text, Error **ret_error);

/* A topic level that may name a method: not rpc.… and not prop.…, which
 * every service has by itself (protocol section 6). */
int name_check_member(const char *text, Error **ret_error);

/* A topic prefix: one or more levels. */
int name_check_root(const char *text, Error **ret_error);

/* Which bus: "system", "session" or a D-Bus address. */
int name_check_bus(const char *text, Error **ret_error);

/* A well-known D-Bus name; an interface; a member of one; an object path. */
int name_check_bus_name(const char *text, Error **ret_error);
int name_check_interface(const char *text, Error **ret_error);
int name_check_dbus_member(const char *text, Error **ret_error);
int name_check_unit(const char *text, Error **ret_error);
int name_check_path(const char *text, Error **ret_error);
