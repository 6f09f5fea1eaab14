/* SPDX-License-Identifier: MIT */
#pragma once

/* Families of D-Bus names, as "org.mpris.MediaPlayer2.*", and the service names in topics that
 * their members have: "player.{name}", where the capture is what the "*" stands for. Each member
 * has one service name and each service name at most one member. Pure. */

#include <stdbool.h>

#include "common/error.h"

typedef struct NameFamily {
        char *prefix; /* owned; "org.mpris.MediaPlayer2" */
        char *before; /* owned; of the service name: "player." */
        char *after;  /* owned; "" */
} NameFamily;

/* Whether a text is a well-known D-Bus name or a family, and whether it is a service name, in which
 * there may be one capture. 0 or -EINVAL with a sentence; fit for JsonField.check. */
int name_family_check_bus_name(const char *text, Error **ret_error);
int name_family_check_service(const char *text, Error **ret_error);

/* True for the text of a family, in contrast to one bus name. */
bool name_family_is(const char *bus_name);

/* Makes a family of two texts that have passed these checks. -EINVAL: the service name lacks a
 * capture; -ENOMEM. */
int name_family_init(NameFamily *family, const char *bus_name, const char *service,
                     Error **ret_error);
void name_family_done(NameFamily *family);

/* The service name of a bus name: 0, owned by the caller; -ENOENT if it is not of the family,
 * -ENAMETOOLONG, -ENOMEM. And back. */
int name_family_service(const NameFamily *family, const char *bus_name, char **ret_service);
int name_family_bus_name(const NameFamily *family, const char *service, char **ret_bus_name);

/* Whether there is a service name that members of both could have. */
bool name_family_meets(const NameFamily *a, const NameFamily *b);
