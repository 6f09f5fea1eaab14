/* SPDX-License-Identifier: MIT */
#pragma once

/* What differs between a service and the one that stands for it: lists of facts compared, and what
 * was found told to people and to programs. Pure. */

#include "common/buffer.h"
#include "gateway/facts.h"

typedef enum VerifyKind {
        VERIFY_INTROSPECTION,
        VERIFY_PROPERTY,
        VERIFY_CALL,
        VERIFY_KINDS, /* how many there are */
} VerifyKind;

typedef struct VerifyDifference {
        VerifyKind kind;
        char *where;  /* owned, as all strings */
        char *legacy; /* NULL: there is nothing */
        char *facade;
} VerifyDifference;

typedef struct VerifyReport {
        const char *const *ignore; /* patterns as of the shell, for places; borrowed */
        size_t n_ignore;
        VerifyDifference *items; /* owned */
        size_t count;
        size_t ignored;                /* differences that were left out */
        size_t compared[VERIFY_KINDS]; /* what the legacy service has */
} VerifyReport;

void verify_report_done(VerifyReport *report);
#define CLEANUP_VERIFY_REPORT CLEANUP(verify_report_done)

/* Compares two lists and adds what differs. -ENOMEM. */
int verify_compare(VerifyReport *report, VerifyKind kind, Facts *legacy, Facts *facade);

/* Appends a line for each difference, and one that sums up. What buffer_status() says. */
int verify_write_text(const VerifyReport *report, Buffer *out);
/* The same as a JSON object. */
int verify_write_json(const VerifyReport *report, Buffer *out);
