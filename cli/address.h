/* SPDX-License-Identifier: MIT */
#pragma once

/* The parts of a broker URI that a person is told about. The library is what checks URIs and
 * connects; this only takes apart what it has accepted. Pure. */

#include <stdbool.h>

#include "common/util.h"

typedef struct Address {
        bool tls;
        bool unix_socket;
        char *host; /* owned; a path for a unix socket */
        char *port; /* owned; NULL for a unix socket */
        char *user; /* owned; NULL if there is none */
        bool has_password;
} Address;

void address_done(Address *address);
#define CLEANUP_ADDRESS CLEANUP(address_done)

/* -EINVAL for what is no URI of a broker. */
int address_parse(const char *uri, Address *ret_address);
