/* SPDX-License-Identifier: MIT */

/* From paths and names of objects to the entries of the file, and what entries could dispute. */

#include <errno.h>
#include <string.h>

#include "gateway/mapping-internal.h"

void mapping_instance_done(MappingInstance *instance)
{
        free(instance->path);
        free(instance->name);
        *instance = (MappingInstance){};
}

/* ---- lookup ---- */

/* No path and no name of an object has braces: a text with them would find the template itself. */
MappingObject *mapping_service_find_object(const MappingService *service, const char *name)
{
        MappingObject *object;

        HASH_FIND_STR(service->objects, name, object);
        return object && !object->template ? object : NULL;
}

MappingObject *mapping_service_find_path(const MappingService *service, const char *path)
{
        MappingObject *object;

        HASH_FIND(hh_path, service->paths, path, strlen(path), object);
        if (object)
                return object->template ? NULL : object;
        for (size_t i = 0; i < service->n_templates; i++)
                if (path_template_fits(service->templates[i]->template, path))
                        return service->templates[i];
        return NULL;
}

static int make_instance(MappingObject *object, const char *path, const char *name,
                         MappingInstance *ret_instance)
{
        CLEANUP_MAPPING_INSTANCE MappingInstance instance = {
                .object = object,
                .path = strdup(path),
                .name = strdup(name),
        };

        if (!instance.path || !instance.name)
                return -ENOMEM;
        *ret_instance = instance;
        instance = (MappingInstance){};
        return 0;
}

int mapping_service_resolve_path(const MappingService *service, const char *path,
                                 MappingInstance *ret_instance)
{
        MappingObject *object = mapping_service_find_path(service, path);
        CLEANUP_FREE char *name = NULL;
        int r;

        if (!object)
                return -ENOENT;
        if (!object->template)
                return make_instance(object, path, object->name, ret_instance);
        r = path_template_name(object->template, path, &name);
        return r < 0 ? r : make_instance(object, path, name, ret_instance);
}

/* A template may fit a name whose path a more specific entry has, which gives it another name. */
static int try_name(const MappingService *service, MappingObject *object, const char *name,
                    MappingInstance *ret_instance)
{
        CLEANUP_FREE char *path = NULL;
        int r;

        r = path_template_path(object->template, name, &path);
        if (r < 0)
                return r;
        if (mapping_service_find_path(service, path) != object)
                return -ENOENT;
        return make_instance(object, path, name, ret_instance);
}

int mapping_service_resolve_name(const MappingService *service, const char *name,
                                 MappingInstance *ret_instance)
{
        MappingObject *object = mapping_service_find_object(service, name);
        int r = -ENOENT;

        if (object)
                return make_instance(object, object->path, name, ret_instance);
        for (size_t i = 0; i < service->n_templates && r == -ENOENT; i++)
                r = try_name(service, service->templates[i], name, ret_instance);
        return r;
}

bool mapping_service_leads_through(const MappingService *service, const char *path)
{
        for (size_t i = 0; i < service->n_templates; i++)
                if (service->templates[i]->find != MAPPING_FIND_OBJECT_MANAGER &&
                    path_template_leads_through(service->templates[i]->template, path))
                        return true;
        return false;
}

/* ---- disputes ---- */

/* The path that an entry has under that name, or NULL. Without memory NULL as well. */
static char *dup_path_of(const MappingObject *object, const char *name)
{
        char *path = NULL;

        if (!object->template)
                return strcmp(object->name, name) == 0 ? strdup(object->path) : NULL;
        return path_template_path(object->template, name, &path) < 0 ? NULL : path;
}

/* A name that both entries could have; NULL if there is none, or no memory. */
static char *dup_common_name(const MappingObject *a, const MappingObject *b)
{
        char *name = NULL;

        if (!a->template)
                return strdup(a->name);
        if (!b->template)
                return strdup(b->name);
        return path_template_common_name(a->template, b->template, &name) < 0 ? NULL : name;
}

static void report_names(JsonFile *file, const MappingObject *later, const MappingObject *earlier)
{
        json_file_error(file, later->node,
                        "the names of objects, '%s' of %s and '%s' of %s, could be the same: give "
                        "one of them another one by \"object\"",
                        later->name, later->path, earlier->name, earlier->path);
}

/* Two paths of one name, each of which belongs to its entry. */
static void check_pair(const MappingService *service, const MappingObject *object,
                       const MappingObject *other, JsonFile *file)
{
        CLEANUP_FREE char *name = dup_common_name(object, other);
        CLEANUP_FREE char *path = name ? dup_path_of(object, name) : NULL;
        CLEANUP_FREE char *second = name ? dup_path_of(other, name) : NULL;

        if (!path || !second || strcmp(path, second) == 0 ||
            mapping_service_find_path(service, path) != object ||
            mapping_service_find_path(service, second) != other)
                return;
        if (object->node < other->node)
                report_names(file, other, object);
        else
                report_names(file, object, other);
}

void mapping_check_objects(const MappingService *service, JsonFile *file)
{
        for (size_t i = 0; i < service->n_templates; i++) {
                const MappingObject *template = service->templates[i];

                for (const MappingObject *o = service->objects; o; o = o->hh.next)
                        if (!o->template)
                                check_pair(service, template, o, file);
                for (size_t k = 0; k < i; k++) {
                        const MappingObject *other = service->templates[k];

                        if (path_template_same_paths(other->template, template->template))
                                json_file_warning(file, template->node,
                                                  "%s is never used: %s fits the same paths and "
                                                  "comes first",
                                                  template->path, other->path);
                        else
                                check_pair(service, template, other, file);
                }
        }
}
