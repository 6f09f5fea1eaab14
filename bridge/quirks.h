/* SPDX-License-Identifier: MIT */
#pragma once

/* What brokers of clouds do not take, by name. A policy chooses one and may narrow it further. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Quirks {
        const char *name;
        unsigned topic_levels;  /* 0: no limit */
        unsigned topic_bytes;   /* at most what the protocol of MQTT allows */
        unsigned message_bytes; /* payload */
        unsigned inflight;      /* messages of QoS 1 at a time */
        bool retain;            /* retained messages are kept, and can be */
} Quirks;

/* The names, ending with NULL, for a field of words; quirks_get() by its index there. */
extern const char *const quirks_names[];
const Quirks *quirks_get(size_t index);
