/* SPDX-License-Identifier: MIT */

#include "gateway/survey.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"

static const char object_manager_name[] = "org.freedesktop.DBus.ObjectManager";

bool survey_is_standard(const char *interface)
{
        static const char *const names[] = {
                "org.freedesktop.DBus.Introspectable",
                "org.freedesktop.DBus.Peer",
                "org.freedesktop.DBus.Properties",
                object_manager_name,
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcmp(interface, names[i]) == 0)
                        return true;
        return false;
}

static void object_free(SurveyObject *object)
{
        free(object->path);
        free(object->interfaces);
        free(object);
}

void survey_done(Survey *survey)
{
        IntrospectionInterface *interface, *next_interface;
        SurveyObject *object, *next;

        HASH_ITER (hh, survey->objects, object, next) {
                HASH_DEL(survey->objects, object);
                object_free(object);
        }
        HASH_ITER (hh, survey->definitions.interfaces, interface, next_interface) {
                HASH_DEL(survey->definitions.interfaces, interface);
                introspection_interface_unref(interface);
        }
        free(survey->object_manager);
        *survey = (Survey){};
}

SurveyObject *survey_find(const Survey *survey, const char *path)
{
        SurveyObject *object;

        HASH_FIND_STR(survey->objects, path, object);
        return object;
}

bool survey_object_has(const SurveyObject *object, const char *interface)
{
        for (size_t i = 0; i < object->n_interfaces; i++)
                if (strcmp(object->interfaces[i]->name, interface) == 0)
                        return true;
        return false;
}

static bool is_deep(const char *path)
{
        unsigned depth = 0;

        for (; *path; path++)
                depth += *path == '/';
        return depth > LIMIT_SURVEY_DEPTH;
}

static int get_object(Survey *survey, const char *path, SurveyObject **ret_object)
{
        SurveyObject *object = survey_find(survey, path);

        if (!object) {
                if (HASH_COUNT(survey->objects) >= LIMIT_SURVEY_OBJECTS || is_deep(path) ||
                    strlen(path) > LIMIT_OBJECT_LENGTH)
                        return -E2BIG;
                object = calloc(1, sizeof(*object));
                if (!object)
                        return -ENOMEM;
                object->path = strdup(path);
                if (object->path)
                        HASH_ADD_KEYPTR(hh, survey->objects, object->path, strlen(path), object);
                if (!hash_added(object->hh)) {
                        object_free(object);
                        return -ENOMEM;
                }
        }
        *ret_object = object;
        return 0;
}

static int give(SurveyObject *object, IntrospectionInterface *definition)
{
        IntrospectionInterface **items;

        if (survey_object_has(object, definition->name))
                return 0;
        items = reallocarray(object->interfaces, object->n_interfaces + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        object->interfaces = items;
        items[object->n_interfaces++] = definition;
        return 0;
}

/* The definition that counts: an earlier one, or this, which then moves over. NULL without memory.
 */
static IntrospectionInterface *define(Survey *survey, Introspection *introspection,
                                      IntrospectionInterface *interface)
{
        IntrospectionInterface *known = introspection_find(&survey->definitions, interface->name);

        if (known)
                return known;
        HASH_DEL(introspection->interfaces, interface);
        HASH_ADD_KEYPTR(hh, survey->definitions.interfaces, interface->name,
                        strlen(interface->name), interface);
        if (hash_added(interface->hh))
                return interface;
        introspection_interface_unref(interface);
        return NULL;
}

static int note_object_manager(Survey *survey, const char *path)
{
        if (!survey->object_manager)
                survey->object_manager = strdup(path);
        return survey->object_manager ? 0 : -ENOMEM;
}

int survey_add(Survey *survey, const char *path, Introspection *introspection)
{
        IntrospectionInterface *interface, *next, *definition;
        SurveyObject *object;
        bool nested;
        int r;

        r = get_object(survey, path, &object);
        if (r < 0 || !introspection)
                return r;
        HASH_ITER (hh, introspection->interfaces, interface, next) {
                if (strcmp(interface->name, object_manager_name) == 0 &&
                    note_object_manager(survey, path) < 0)
                        return -ENOMEM;
                if (survey_is_standard(interface->name))
                        continue;
                nested = interface->nested;
                definition = define(survey, introspection, interface);
                if (!definition || (!nested && give(object, definition) < 0))
                        return -ENOMEM;
        }
        return 0;
}

int survey_add_known(Survey *survey, const char *path, const char *interface)
{
        IntrospectionInterface *definition = introspection_find(&survey->definitions, interface);
        SurveyObject *object;
        int r;

        if (!definition)
                return 0;
        r = get_object(survey, path, &object);
        if (r >= 0)
                r = give(object, definition);
        return r < 0 ? r : 1;
}

static int compare_paths(const SurveyObject *a, const SurveyObject *b)
{
        return strcmp(a->path, b->path);
}

void survey_sort(Survey *survey)
{
        HASH_SORT(survey->objects, compare_paths);
}
