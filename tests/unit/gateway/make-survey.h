/* SPDX-License-Identifier: MIT */
#pragma once

/* Surveys and mappings for tests, from texts. */

#include "gateway/mapping.h"
#include "gateway/survey.h"

/* Adds an object of `path` whose introspection has these interfaces: the content of <node>. */
void make_survey_add(Survey *survey, const char *path, const char *interfaces);

/* A mapping of org.a, which must be without a finding; `objects` is the content of the array. */
MappingService *make_mapping(const char *objects);
