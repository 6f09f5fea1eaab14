/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of the bridge have in common: the policy in force, the three connections, the
 * store and the counters. Owned by bridge.c. */

#include "bridge/audit.h"
#include "bridge/mqtt.h"
#include "bridge/rate.h"
#include "bridge/store.h"
#include "common/log-limit.h"

/* Counted since the start. */
typedef struct Stats {
        uint64_t events_in;      /* stored */
        uint64_t events_out;     /* taken by the cloud */
        uint64_t events_lost;    /* before they reached the bridge, as `seq` shows */
        uint64_t state_out;      /* taken by the cloud */
        uint64_t refused_up;     /* messages that the cloud refused, or that its limits forbid */
        uint64_t calls;          /* handed to the local broker */
        uint64_t calls_refused;  /* of the cloud, for whatever reason */
        uint64_t foreign;        /* messages of the cloud at topics that are not for the bridge */
        uint64_t late;           /* answers that came after their time, or that nobody waits for */
        uint64_t incomplete;     /* properties that $meta names and the broker has not delivered */
        uint64_t cloud_connects; /* connections that were accepted */
        uint64_t local_connects;
} Stats;

typedef struct Core {
        const Policy *policy;
        Mqtt *local;  /* a clean session: state, and calls */
        Mqtt *events; /* a session that lasts: signals */
        Mqtt *cloud;
        Store *store; /* NULL: it cannot be opened */
        Audit *audit;
        Rate rate;
        Stats stats;
        LogLimit log_limit;
        bool local_ready;  /* what the local broker keeps has come */
        bool events_ready; /* signals are subscribed to */
        bool cloud_ready;  /* subscribed, and its state compared */
        bool paused;
        uint64_t demand_until; /* CLOCK_MONOTONIC; on_demand rules are in force before */
        char *last_error;      /* owned */
        char *local_error;     /* why the connection is down, as logged last; owned */
        char *cloud_error;
} Core;

/* What a message of QoS 1 was, for mqtt_publish(); the rest of the number is the sender's. */
typedef enum CookieKind {
        COOKIE_NONE,
        COOKIE_STATE,
        COOKIE_EVENT,
        COOKIE_CALL,
        COOKIE_REPLY,
        COOKIE_MARK, /* what ends a reading of what a broker keeps */
} CookieKind;

#define COOKIE_SHIFT 56

static inline uint64_t cookie_make(CookieKind kind, uint64_t number)
{
        return ((uint64_t)kind << COOKIE_SHIFT) | number;
}

static inline CookieKind cookie_kind(uint64_t cookie)
{
        return (CookieKind)(cookie >> COOKIE_SHIFT);
}

static inline uint64_t cookie_number(uint64_t cookie)
{
        return cookie & ((UINT64_C(1) << COOKIE_SHIFT) - 1);
}

/* Notes an error for the property LastError, and logs it as a warning, within limits. */
void core_complain(Core *core, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The reason code of a PUBACK by which a cloud says that there was too much; what was sent is not
 * lost by that: the connection is given up for a while, and then it goes again, in order. */
enum { CORE_OVER_QUOTA = 0x97 };
void core_over_quota(Core *core);

/* Whether the cloud takes such a message. */
bool core_fits(const Core *core, const char *topic, size_t length);
