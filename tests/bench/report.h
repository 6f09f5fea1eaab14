/* SPDX-License-Identifier: MIT */
#pragma once

/* The table, printed row by row as it is measured, and the same as JSON. */

#include "tests/bench/row.h"

typedef struct Report Report;

/* Prints on what the figures were measured. */
Report *report_new(const Effort *effort);
void report_free(Report *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Report, report_free)

void report_add(Report *report, const Row *row, const RowResult *result);
/* A row that cannot be measured here. */
void report_skip(Report *report, const Row *row, const char *why);
/* How many goals hold. */
void report_finish(const Report *report);
/* 0 or a negative errno, after saying why. */
int report_write_json(const Report *report, const char *path);
