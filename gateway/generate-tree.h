/* SPDX-License-Identifier: MIT */
#pragma once

/* From the objects of a service to the entries of a mapping: which of them stay one by one, and
 * which become a template. Children of a node that share an interface and have different names are
 * taken for many of a kind, and so is an only child whose name looks made up (it has a digit in
 * it), unless that is the name of the service or of an interface. Pure. */

#include "gateway/survey.h"

typedef struct DraftObject {
        char *path;                          /* owned; with captures where it is a template */
        IntrospectionInterface **interfaces; /* owned array of borrowed definitions */
        size_t n_interfaces;
        size_t n_objects; /* how many have been seen of it */
} DraftObject;

typedef struct Draft {
        DraftObject *items; /* owned; in the order of the tree */
        size_t count;
        size_t n_templates;
        size_t n_left_out; /* templates beyond LIMIT_MAPPING_TEMPLATES */
} Draft;

/* `wanted` picks the objects, NULL: all with interfaces. `bus_name` may be a family. -ENOMEM. */
int draft_make(const Survey *survey, const char *bus_name,
               bool (*wanted)(const SurveyObject *object, const void *userdata),
               const void *userdata, Draft *ret_draft);
void draft_done(Draft *draft);
#define CLEANUP_DRAFT CLEANUP(draft_done)
