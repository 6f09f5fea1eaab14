/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a broker is: mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:///PATH. Credentials do not
 * belong there, since a policy file is for people to read. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

typedef struct Address {
        char *host;    /* owned; a path for a unix socket */
        uint16_t port; /* 0: a unix socket */
        bool tls;
} Address;

/* -EINVAL and why not, or -ENOMEM. */
int address_parse(const char *uri, Address *ret_address, Error **ret_error);
void address_done(Address *address);

/* Whether nothing leaves the machine: a unix socket, or an address or name of the loopback. */
bool address_is_local(const Address *address);
/* Whether both are known to lead to the same place: all of the loopback is one. */
bool address_is_same(const Address *a, const Address *b);
