/* SPDX-License-Identifier: MIT */

#include "bridge/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/json-scan.h"

enum { PORT_PLAIN = 1883, PORT_TLS = 8883 };

void address_done(Address *address)
{
        free(address->host);
        *address = (Address){};
}

static int parse_port(const char *text, uint16_t *ret_port, Error **ret_error)
{
        uint64_t port = 0;

        if (json_parse_uint64(text, strlen(text), &port) < 0 || port == 0 || port > UINT16_MAX)
                return error_set(ret_error, -EINVAL, "'%s' is no port", text);
        *ret_port = (uint16_t)port;
        return 0;
}

/* HOST[:PORT], [IPV6][:PORT] */
static int parse_host(const char *text, Address *address, Error **ret_error)
{
        const char *start = text, *end;

        if (text[0] == '[') {
                start = text + 1;
                end = strchr(start, ']');
                if (!end || (end[1] != '\0' && end[1] != ':'))
                        return error_set(ret_error, -EINVAL, "'%s' is no host", text);
                text = end + 1;
        } else {
                end = start + strcspn(start, ":/");
                text = end;
        }
        if (end == start || strpbrk(start, "@/? "))
                return error_set(ret_error, -EINVAL,
                                 "'%s' is no host; user and password have keys of their own",
                                 start);
        address->host = strndup(start, (size_t)(end - start));
        if (!address->host)
                return error_set(ret_error, -ENOMEM, "out of memory");
        return text[0] == ':' ? parse_port(text + 1, &address->port, ret_error) : 0;
}

int address_parse(const char *uri, Address *ret_address, Error **ret_error)
{
        Address address = {};
        int r;

        if (strncmp(uri, "unix://", 7) == 0 && uri[7] == '/') {
                address.host = strdup(uri + 7);
                if (!address.host)
                        return error_set(ret_error, -ENOMEM, "out of memory");
                *ret_address = address;
                return 0;
        }
        if (strncmp(uri, "mqtts://", 8) == 0)
                address = (Address){.port = PORT_TLS, .tls = true};
        else if (strncmp(uri, "mqtt://", 7) == 0)
                address = (Address){.port = PORT_PLAIN};
        else
                return error_set(ret_error, -EINVAL,
                                 "'%s' is no broker: expected mqtt://HOST, mqtts://HOST or "
                                 "unix:///PATH",
                                 uri);
        r = parse_host(uri + (address.tls ? 8 : 7), &address, ret_error);
        if (r < 0) {
                address_done(&address);
                return r;
        }
        *ret_address = address;
        return 0;
}

bool address_is_local(const Address *address)
{
        struct in_addr v4;

        if (address->port == 0 || strcmp(address->host, "localhost") == 0 ||
            strcmp(address->host, "::1") == 0)
                return true;
        /* A name may begin as an address does. */
        return inet_pton(AF_INET, address->host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool address_is_same(const Address *a, const Address *b)
{
        if (a->port != b->port)
                return false;
        if (a->port > 0 && address_is_local(a) && address_is_local(b))
                return true;
        return a->port > 0 ? strcasecmp(a->host, b->host) == 0 : strcmp(a->host, b->host) == 0;
}
