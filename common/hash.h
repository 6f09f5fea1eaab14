/* SPDX-License-Identifier: MIT */
#pragma once

/* uthash, which the build tells not to end the process when memory is short: after HASH_ADD… ask
 * hash_added(). Its keys here are names and topics: it gets a function that takes eight bytes at a
 * time. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_FUNCTION(key, length, value) ((value) = (unsigned)hash_bytes((key), (length)))
#include <uthash.h>

/* True if the element with this handle made it into the table. */
#define hash_added(handle) ((handle).tbl != NULL)

static inline uint64_t hash_mix(uint64_t hash, uint64_t word)
{
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        return hash ^ hash >> 32;
}

static inline uint64_t hash_word(const char *at)
{
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

/* Fewer than eight bytes. */
static inline uint64_t hash_tail(const char *at, size_t length)
{
        uint32_t first, last;

        if (length >= sizeof(first)) {
                memcpy(&first, at, sizeof(first));
                memcpy(&last, at + length - sizeof(last), sizeof(last));
                return (uint64_t)first << 32 | last;
        }
        if (length == 0)
                return 0;
        return (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[length / 2] << 8 |
               (unsigned char)at[length - 1];
}

/* Any bytes to a number. Whoever wants collisions can have them: it only finds places in tables,
 * and tells payloads apart that one caller sends. */
static inline uint64_t hash_bytes(const void *data, size_t length)
{
        const char *at = data;
        uint64_t hash = length;
        size_t left = length;

        for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t))
                hash = hash_mix(hash, hash_word(at));
        hash = hash_mix(hash, left < length ? hash_word(at + left - sizeof(uint64_t))
                                            : hash_tail(at, left));
        /* Once more, for the highest bits of the last word to reach the lowest. */
        return hash_mix(hash, 0);
}
