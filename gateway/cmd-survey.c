/* SPDX-License-Identifier: MIT */

#include "gateway/cmd-survey.h"

#include <errno.h>
#include <string.h>

#include "gateway/name-family.h"
#include "gateway/survey-live.h"

/* Where a service of that name is expected; of a family, by its prefix. NULL without memory. */
static char *home_path(const char *bus_name)
{
        size_t length = strlen(bus_name) - (name_family_is(bus_name) ? 2 : 0);
        char *path = malloc(length + 2);

        if (!path)
                return NULL;
        path[0] = '/';
        memcpy(path + 1, bus_name, length);
        path[length + 1] = '\0';
        for (char *p = path; *p; p++)
                if (*p == '.')
                        *p = '/';
        return path;
}

static int add_all(Survey *survey, const char *path, Introspection *introspection,
                   const JsonPaths *names)
{
        int r;

        r = survey_add(survey, path, introspection);
        for (size_t i = 0; i < names->count && r >= 0; i++)
                if (!survey_is_standard(names->items[i]))
                        r = survey_add_known(survey, path, names->items[i]);
        return r < 0 ? r : 0;
}

static int list_names(const Introspection *introspection, JsonPaths *names)
{
        names->items = calloc(HASH_COUNT(introspection->interfaces) + 1, sizeof(*names->items));
        if (!names->items)
                return -ENOMEM;
        for (const IntrospectionInterface *i = introspection->interfaces; i; i = i->hh.next) {
                names->items[names->count] = strdup(i->name);
                if (!names->items[names->count++])
                        return -ENOMEM;
        }
        return 0;
}

static int add_by_mapping(Survey *survey, const MappingService *mapping,
                          Introspection *introspection, const JsonPaths *names)
{
        const MappingInterface *mapped;
        int r;

        /* known, and for now nobody's */
        for (IntrospectionInterface *i = introspection->interfaces; i; i = i->hh.next)
                i->nested = true;
        r = survey_add(survey, mapping->objects->path, introspection);
        for (size_t i = 0; i < names->count && r >= 0; i++) {
                bool any = survey_is_standard(names->items[i]);

                for (const MappingObject *o = mapping->objects; o && r >= 0; o = o->hh.next) {
                        HASH_FIND_STR(o->interfaces, names->items[i], mapped);
                        if (mapped)
                                r = survey_add_known(survey, o->path, names->items[i]);
                        any = any || mapped;
                }
                if (!any && r >= 0)
                        r = survey_add_known(survey, mapping->objects->path, names->items[i]);
        }
        return r < 0 ? r : 0;
}

static int add_file(const SurveySource *source, const char *file, Survey *survey,
                    Diagnostics *diagnostics, Error **ret_error)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_FREE char *home = home_path(source->bus_name);
        CLEANUP(json_paths_done) JsonPaths names = {};
        int r;

        r = introspection_load(file, diagnostics, &introspection, ret_error);
        if (r < 0)
                return r;
        r = home ? list_names(introspection, &names) : -ENOMEM;
        if (r >= 0 && introspection->path)
                r = add_all(survey, introspection->path, introspection, &names);
        else if (r >= 0 && source->mapping)
                r = add_by_mapping(survey, source->mapping, introspection, &names);
        else if (r >= 0 && source->n_paths == 0)
                r = add_all(survey, home, introspection, &names);
        else
                for (size_t i = 0; i < source->n_paths && r >= 0; i++)
                        r = add_all(survey, source->paths[i], introspection, &names);
        return r < 0 ? error_set_errno(ret_error, r, "%s cannot be used", file) : 0;
}

int cmd_survey(const SurveySource *source, Survey *survey, Diagnostics *diagnostics,
               Error **ret_error)
{
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        for (size_t i = 0; i < source->files->count; i++) {
                r = add_file(source, source->files->items[i], survey, diagnostics, ret_error);
                if (r < 0)
                        return r;
        }
        if (source->files->count > 0) {
                survey_sort(survey);
                return 0;
        }
        r = survey_open_bus(source->bus, &bus, ret_error);
        if (r < 0)
                return r;
        return survey_live(bus, source->bus_name, source->paths, source->n_paths, survey,
                           diagnostics, ret_error);
}
