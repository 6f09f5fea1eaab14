/* SPDX-License-Identifier: MIT */

#include "bridge/quirks.h"

#include "common/limits.h"

enum { TOPIC_BYTES = 65535, KIB = 1024 };

/* docs/CLOUD.md says where each number comes from. */
static const Quirks table[] = {
        {"none", 0, TOPIC_BYTES, LIMIT_PAYLOAD_BYTES, 256, true},
        {"mosquitto", 200, TOPIC_BYTES, LIMIT_PAYLOAD_BYTES, 256, true},
        {"emqx", 128, 4096, LIMIT_PAYLOAD_BYTES, 32, true},
        {"hivemq", 0, TOPIC_BYTES, LIMIT_PAYLOAD_BYTES, 256, true},
        {"aws-iot", 8, 256, 128 * KIB, 100, true},
        {"azure-event-grid", 8, 256, 512 * KIB, 16, true},
};

const char *const quirks_names[] = {
        "none", "mosquitto", "emqx", "hivemq", "aws-iot", "azure-event-grid", NULL,
};

const Quirks *quirks_get(size_t index)
{
        return &table[index];
}
