/* SPDX-License-Identifier: MIT */
#pragma once

/* Where sd-bus reads and writes a value of a basic type, told by its code. */

#include <stdint.h>

typedef union CodecBasic {
        uint8_t y;
        int b; /* sd-bus has booleans as int */
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *text; /* s o g */
} CodecBasic;
