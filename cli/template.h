/* SPDX-License-Identifier: MIT */
#pragma once

/* Sentences with {name} in them, filled in from a table. Values may come from anywhere: they are
 * shown without control characters. Pure. */

#include "common/buffer.h"

typedef struct TemplateValue {
        const char *name; /* NULL ends the table */
        const char *text; /* NULL: nothing */
} TemplateValue;

/* A {name} that is not in the table stays as it is. */
int template_write(Buffer *buffer, const char *text, const TemplateValue *values);
