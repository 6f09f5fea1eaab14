/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/uri.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "common/json-scan.h"
#include "common/util.h"
#include "libmqttrpc/error.h"

static const struct {
        const char *prefix;
        bool tls;
        uint16_t default_port; /* 0: a unix socket */
} schemes[] = {
        {"mqtt://", false, 1883},
        {"mqtts://", true, 8883},
        {"unix://", false, 0},
};

void uri_done(Uri *uri)
{
        free(uri->host);
        free(uri->user);
        free(uri->password);
        *uri = (Uri){};
}

static int hex_value(char c)
{
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *at = c ? strchr(digits, c) : NULL;
        int value = at ? (int)(at - digits) : -1;

        return value < 16 ? value : value - 6;
}

/* Decodes %XX; -EINVAL for a bad or NUL escape. */
static int decode(const char *text, size_t length, char **ret_text)
{
        CLEANUP_FREE char *out = malloc(length + 1);
        size_t n = 0;

        if (!out)
                return -ENOMEM;
        for (size_t i = 0; i < length; i++) {
                int high, low;

                if (text[i] != '%') {
                        out[n++] = text[i];
                        continue;
                }
                if (length - i < 3)
                        return -EINVAL;
                high = hex_value(text[i + 1]);
                low = hex_value(text[i + 2]);
                if (high < 0 || low < 0 || (high | low) == 0)
                        return -EINVAL;
                out[n++] = (char)(high << 4 | low);
                i += 2;
        }
        out[n] = '\0';
        *ret_text = STEAL(out);
        return 0;
}

static int parse_credentials(const char *text, size_t length, Uri *uri)
{
        const char *colon = memchr(text, ':', length);
        size_t user_length = colon ? (size_t)(colon - text) : length;
        int r;

        r = decode(text, user_length, &uri->user);
        if (r < 0 || !colon)
                return r;
        return decode(colon + 1, length - user_length - 1, &uri->password);
}

static int parse_port(const char *text, size_t length, uint16_t *ret_port)
{
        uint64_t value;

        if (length == 0 || memchr(text, '.', length) || json_parse_uint64(text, length, &value) < 0)
                return -EINVAL;
        if (value == 0 || value > UINT16_MAX)
                return -EINVAL;
        *ret_port = (uint16_t)value;
        return 0;
}

/* host, host:port, [v6], [v6]:port; a slash at the end is allowed. */
static int parse_host(const char *text, Uri *uri, uint16_t default_port)
{
        size_t length = strcspn(text, "/");
        const char *host = text, *end = text + length, *port = NULL;
        size_t host_length;

        if (text[length] == '/' && text[length + 1] != '\0')
                return -EINVAL;
        if (*text == '[') {
                const char *bracket = memchr(text, ']', length);

                if (!bracket)
                        return -EINVAL;
                host = text + 1;
                host_length = (size_t)(bracket - host);
                if (bracket + 1 < end && bracket[1] != ':')
                        return -EINVAL;
                port = bracket + 1 < end ? bracket + 2 : NULL;
        } else {
                const char *colon = memchr(text, ':', length);

                host_length = colon ? (size_t)(colon - text) : length;
                port = colon ? colon + 1 : NULL;
        }
        if (host_length == 0)
                return -EINVAL;
        uri->port = default_port;
        if (port && parse_port(port, (size_t)(end - port), &uri->port) < 0)
                return -EINVAL;
        uri->host = strndup(host, host_length);
        return uri->host ? 0 : -ENOMEM;
}

static int parse_network(const char *text, Uri *uri, uint16_t default_port)
{
        const char *at = memrchr(text, '@', strcspn(text, "/"));
        int r;

        if (at) {
                r = parse_credentials(text, (size_t)(at - text), uri);
                if (r < 0)
                        return r;
                text = at + 1;
        }
        return parse_host(text, uri, default_port);
}

static int parse_path(const char *text, Uri *uri)
{
        int r;

        if (*text != '/')
                return -EINVAL;
        r = decode(text, strlen(text), &uri->host);
        if (r < 0)
                return r;
        return strlen(uri->host) < sizeof(((struct sockaddr_un *)NULL)->sun_path) ? 0 : -EINVAL;
}

int uri_parse(const char *text, Uri *ret_uri, MqttRpcError **ret_error)
{
        CLEANUP(uri_done) Uri uri = {};
        int r = -EINVAL;

        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
                size_t length = strlen(schemes[i].prefix);

                if (strncmp(text, schemes[i].prefix, length) != 0)
                        continue;
                uri.tls = schemes[i].tls;
                r = schemes[i].default_port > 0
                            ? parse_network(text + length, &uri, schemes[i].default_port)
                            : parse_path(text + length, &uri);
        }
        if (r == -EINVAL)
                /* Not the text itself: it may hold a password. */
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "not a broker address: expected mqtt://host[:port], "
                                         "mqtts://host[:port] or unix:///path/of/socket");
        if (r < 0)
                return r;
        *ret_uri = uri;
        uri = (Uri){};
        return 0;
}
