/* SPDX-License-Identifier: MIT */
#pragma once

/* The part of generate, diff and emit that asks services, or files in their stead. */

#include "common/json-fields.h"
#include "gateway/mapping.h"
#include "gateway/survey.h"

/* Where to look. */
typedef struct SurveySource {
        const char *bus; /* system, session or an address */
        const char *bus_name;
        char *const *paths;
        size_t n_paths;
        const JsonPaths *files;        /* introspection files; without any the service is asked */
        const MappingService *mapping; /* for files; may be NULL */
} SurveySource;

/* Surveys the service, or the files. A file is of the path that it names itself; else, where there
 * is a mapping, each of its interfaces is of the objects that have it there, or of the first; else
 * it is of all `paths`, else of the service's own path. */
int cmd_survey(const SurveySource *source, Survey *survey, Diagnostics *diagnostics,
               Error **ret_error);
