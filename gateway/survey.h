/* SPDX-License-Identifier: MIT */
#pragma once

/* What a D-Bus service offers: its objects, and the definitions of their interfaces, taken together
 * from introspection files or from the running service (survey-live.c). Interfaces that every
 * service has (Introspectable, Peer, Properties, ObjectManager) are left out. An interface has one
 * definition, the first that was seen. */

#include "gateway/introspection.h"

typedef struct SurveyObject {
        char *path;                          /* owned; a template if a file was said to be of one */
        IntrospectionInterface **interfaces; /* owned array of borrowed definitions */
        size_t n_interfaces;                 /* 0: only a node on the way to others */
        UT_hash_handle hh;
} SurveyObject;

typedef struct Survey {
        SurveyObject *objects;     /* by path; owned */
        Introspection definitions; /* its interfaces; owned */
        char *object_manager;      /* the path of one; owned; NULL: there is none */
} Survey;

void survey_done(Survey *survey);
#define CLEANUP_SURVEY CLEANUP(survey_done)

/* Adds an object with the interfaces of its introspection, from which they are taken; those of
 * nested nodes become known, but not the object's. An object that is there already gets those that
 * it lacks. Without introspection a node without interfaces. -E2BIG beyond LIMIT_SURVEY_OBJECTS or
 * LIMIT_SURVEY_DEPTH, -ENOMEM. */
int survey_add(Survey *survey, const char *path, Introspection *introspection);
/* Gives an object an interface whose definition is known; false if it is not. -ENOMEM. */
int survey_add_known(Survey *survey, const char *path, const char *interface);
/* Brings the objects into the order of their paths. */
void survey_sort(Survey *survey);

SurveyObject *survey_find(const Survey *survey, const char *path);
bool survey_object_has(const SurveyObject *object, const char *interface);
/* True for the interfaces that every service has. */
bool survey_is_standard(const char *interface);
