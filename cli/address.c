/* SPDX-License-Identifier: MIT */

#include "cli/address.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void address_done(Address *address)
{
        free(address->host);
        free(address->port);
        free(address->user);
        *address = (Address){};
}

static int hex_value(char c)
{
        if (!isxdigit((unsigned char)c))
                return -1;
        return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* A copy with %XX decoded. */
static char *dup_decoded(const char *text, size_t length)
{
        char *copy = strndup(text, length), *out = copy;

        if (!copy)
                return NULL;
        for (const char *at = copy; *at; at++) {
                int high = *at == '%' ? hex_value(at[1]) : -1;
                int low = high >= 0 ? hex_value(at[2]) : -1;

                if (low >= 0)
                        at += 2;
                *out++ = low >= 0 ? (char)(high << 4 | low) : *at;
        }
        *out = '\0';
        return copy;
}

/* host, host:port, [v6], [v6]:port */
static int parse_host(const char *text, Address *address)
{
        size_t length = strcspn(text, "/");
        bool brackets = *text == '[';
        const char *end = brackets ? memchr(text, ']', length) : NULL;
        const char *colon;

        if (brackets && !end)
                return -EINVAL;
        colon = memchr(end ? end : text, ':', length - (size_t)(end ? end - text : 0));
        if (!end)
                end = colon ? colon : text + length;
        text += brackets;
        address->host = strndup(text, (size_t)(end - text));
        address->port = colon ? strndup(colon + 1, strcspn(colon + 1, "/"))
                              : strdup(address->tls ? "8883" : "1883");
        return address->host && address->port ? 0 : -ENOMEM;
}

static int parse_network(const char *text, Address *address)
{
        const char *at = memrchr(text, '@', strcspn(text, "/"));
        const char *colon;

        if (at) {
                colon = memchr(text, ':', (size_t)(at - text));
                address->has_password = colon;
                address->user = dup_decoded(text, (size_t)((colon ? colon : at) - text));
                if (!address->user)
                        return -ENOMEM;
                text = at + 1;
        }
        return parse_host(text, address);
}

static int parse_path(const char *text, Address *address)
{
        address->unix_socket = true;
        address->host = dup_decoded(text, strlen(text));
        return address->host ? 0 : -ENOMEM;
}

int address_parse(const char *uri, Address *ret_address)
{
        CLEANUP_ADDRESS Address address = {};
        int r = -EINVAL;

        if (!strncmp(uri, "unix://", 7)) {
                r = parse_path(uri + 7, &address);
        } else if (!strncmp(uri, "mqtt://", 7)) {
                r = parse_network(uri + 7, &address);
        } else if (!strncmp(uri, "mqtts://", 8)) {
                address.tls = true;
                r = parse_network(uri + 8, &address);
        }
        if (r < 0)
                return r;
        *ret_address = address;
        address = (Address){};
        return 0;
}
