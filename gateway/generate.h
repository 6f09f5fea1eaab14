/* SPDX-License-Identifier: MIT */
#pragma once

/* A mapping file for what a survey has found: every member with its types, argument names and
 * annotations, and comments on what is left out and why. Pure. */

#include "common/buffer.h"
#include "gateway/generate-tree.h"

typedef struct GenerateOptions {
        const char *bus;      /* for the file; NULL: it says nothing */
        const char *bus_name; /* a name or a family */
        const char *service;  /* NULL: made from the bus name */
} GenerateOptions;

/* The service name that a bus name suggests: the last element, small, without digits at its end;
 * of a family with a capture. Owned by the caller; NULL without memory. */
char *generate_service_name(const char *bus_name);

/* Appends the file. 0, or what buffer_status() says. */
int generate_write(const GenerateOptions *options, const Survey *survey, const Draft *draft,
                   Buffer *buffer);
