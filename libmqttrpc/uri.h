/* SPDX-License-Identifier: MIT */
#pragma once

/* Broker addresses: mqtt://[user[:password]@]host[:port], mqtts://…, unix:///path. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "mqttrpc/mqttrpc.h"

typedef struct Uri {
        bool tls;
        uint16_t port; /* 0: `host` is the path of a unix socket */
        char *host;    /* owned */
        char *user;    /* owned; NULL if not given */
        char *password;
} Uri;

/* Parses a URI; percent-encoding is decoded in user, password and path. On failure -EINVAL or
 * -ENOMEM, and `ret_error` says what was expected. */
int uri_parse(const char *text, Uri *ret_uri, MqttRpcError **ret_error);
void uri_done(Uri *uri);
