/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <string.h>

#include "common/util.h"
#include "libmqttrpc/error.h"
#include "libmqttrpc/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_FREE char *text = strndup((const char *)data, size);
        CLEANUP(uri_done) Uri uri = {};

        if (!text)
                abort();
        if (uri_parse(text, &uri, &error) < 0) {
                if (!error || uri.host || uri.user || uri.password)
                        abort();
                return 0;
        }
        if (!uri.host || *uri.host == '\0' || (uri.password && !uri.user) ||
            (uri.port == 0) != (uri.host[0] == '/' && !strncmp(text, "unix", 4)))
                abort();
        return 0;
}
