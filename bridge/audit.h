/* SPDX-License-Identifier: MIT */
#pragma once

/* Who in the cloud has called what, and what came of it: a line for each call, in the log and,
 * where the policy names a file, as JSON in that. A file that has grown too large becomes FILE.1.
 * Of refused calls only so many in a second get a line; the next line tells how many were left out.
 */

#include <stdint.h>

#include "bridge/names.h"

typedef struct Audit Audit;

typedef struct AuditEntry {
        Span caller;
        Span service;
        Span object;
        Span method;
        const char *verdict; /* one word */
        int code;            /* of the answer; 0: a result, or none */
        bool refused;        /* never reached a service */
        uint64_t usec;       /* how long it took */
} AuditEntry;

/* `path` NULL: only the log. -ENOMEM; a file that cannot be opened is an error as well. */
int audit_new(const char *path, Audit **ret_audit, Error **ret_error);
Audit *audit_free(Audit *audit);
void audit_write(Audit *audit, const AuditEntry *entry);
