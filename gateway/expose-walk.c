/* SPDX-License-Identifier: MIT */

/* Finding the objects of templates by introspection of the tree, where no ObjectManager lists them:
 * from the root of each template down, into nothing but paths that templates may have. Bounded in
 * depth, number and time, since a service may answer the same for any path. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/limits.h"
#include "gateway/expose.h"

typedef struct WalkStep {
        ExposeWalk *walk;
        char *path; /* owned */
        sd_bus_slot *slot;
        struct WalkStep *prev, *next;
} WalkStep;

typedef struct WalkPath {
        UT_hash_handle hh;
        char path[];
} WalkPath;

/* Of one owner. */
struct ExposeWalk {
        Expose *expose;
        bool all;          /* look for what an ObjectManager would have told, too */
        WalkPath *seen;    /* hash; those in line, too */
        WalkStep *waiting; /* list */
        WalkStep *active;  /* list */
        unsigned n_active;
};

static void step_free(WalkStep *step)
{
        sd_bus_slot_unref(step->slot);
        free(step->path);
        free(step);
}

ExposeWalk *expose_walk_free(ExposeWalk *walk)
{
        WalkStep *step, *next_step;
        WalkPath *path, *next_path;

        if (!walk)
                return NULL;
        DL_FOREACH_SAFE (walk->waiting, step, next_step)
                step_free(step);
        DL_FOREACH_SAFE (walk->active, step, next_step)
                step_free(step);
        HASH_ITER (hh, walk->seen, path, next_path) {
                HASH_DEL(walk->seen, path);
                free(path);
        }
        free(walk);
        return NULL;
}

/* ---- in line ---- */

static bool is_new(ExposeWalk *walk, const char *path)
{
        size_t length = strlen(path);
        WalkPath *seen;

        HASH_FIND(hh, walk->seen, path, length, seen);
        if (seen || HASH_COUNT(walk->seen) >= LIMIT_WALK_PATHS)
                return false;
        seen = calloc(1, sizeof(*seen) + length + 1);
        if (!seen)
                return false;
        memcpy(seen->path, path, length);
        HASH_ADD_KEYPTR(hh, walk->seen, seen->path, length, seen);
        if (seen->hh.tbl)
                return true;
        free(seen);
        return false;
}

static unsigned depth_of(const char *path)
{
        unsigned depth = 0;

        while (*path)
                depth += *path++ == '/';
        return depth;
}

static void queue(ExposeWalk *walk, const char *path)
{
        WalkStep *step;

        if (depth_of(path) > LIMIT_WALK_DEPTH || !is_new(walk, path))
                return;
        step = calloc(1, sizeof(*step));
        if (!step)
                return;
        step->walk = walk;
        step->path = strdup(path);
        if (!step->path) {
                free(step);
                return;
        }
        DL_APPEND(walk->waiting, step);
}

/* ---- answers ---- */

static void go_on(ExposeWalk *walk);

/* Whether the walk may find an object there. */
static bool may_be(const ExposeWalk *walk, const char *path)
{
        const MappingObject *mapping = mapping_service_find_path(walk->expose->mapping, path);

        if (!mapping || !mapping->template)
                return false;
        return mapping->find == MAPPING_FIND_WALK || mapping->find == MAPPING_FIND_BOTH ||
               (mapping->find == MAPPING_FIND_AUTO && walk->all);
}

static void queue_children(ExposeWalk *walk, const char *path, const Introspection *introspection)
{
        for (size_t i = 0; i < introspection->n_children; i++) {
                CLEANUP_FREE char *child = NULL;

                if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "",
                             introspection->children[i]) < 0) {
                        child = NULL;
                        return;
                }
                if (may_be(walk, child) ||
                    mapping_service_leads_through(walk->expose->mapping, child))
                        queue(walk, child);
        }
}

static void find(ExposeWalk *walk, const char *path, const Introspection *introspection)
{
        CLEANUP_FREE const char **names = NULL;
        const IntrospectionInterface *interface;
        size_t count = 0;

        if (!may_be(walk, path))
                return;
        names = calloc(HASH_COUNT(introspection->interfaces) + 1, sizeof(*names));
        if (!names)
                return;
        for (interface = introspection->interfaces; interface; interface = interface->hh.next)
                if (!interface->nested)
                        names[count++] = interface->name;
        expose_object_found(walk->expose, path, names, MAPPING_FIND_WALK);
}

static void take(ExposeWalk *walk, const char *path, sd_bus_message *m)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        const char *xml;

        if (sd_bus_message_read(m, "s", &xml) < 0)
                return;
        if (introspection_parse(xml, strlen(xml), path, &diagnostics, &introspection, &error) < 0) {
                expose_warn(walk->expose, "introspection of %s cannot be used: %s", path,
                            error ? error_text(error) : "out of memory");
                return;
        }
        find(walk, path, introspection);
        queue_children(walk, path, introspection);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        WalkStep *step = userdata;
        ExposeWalk *walk = step->walk;
        Expose *expose = walk->expose;

        DL_DELETE(walk->active, step);
        walk->n_active--;
        if (!sd_bus_message_is_method_error(m, NULL) && expose_is_current(expose, m))
                take(walk, step->path, m);
        step_free(step);
        go_on(walk);
        expose_check_ready(expose);
        return DBUS_LINK_TAKEN;
}

static int send(WalkStep *step)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Expose *expose = step->walk->expose;
        int r;

        r = expose_new_message(expose, step->path, "org.freedesktop.DBus.Introspectable",
                               "Introspect", &m);
        return r < 0 ? r
                     : sd_bus_call_async(dbus_link_get_bus(expose->link), &step->slot, m, on_answer,
                                         step, LIMIT_FETCH_USEC);
}

static void go_on(ExposeWalk *walk)
{
        WalkStep *step;

        while ((step = walk->waiting) && walk->n_active < LIMIT_WALKERS) {
                DL_DELETE(walk->waiting, step);
                if (send(step) < 0) {
                        step_free(step);
                        continue;
                }
                DL_APPEND(walk->active, step);
                walk->n_active++;
        }
}

/* ---- start ---- */

static ExposeWalk *get_walk(Expose *expose)
{
        if (!expose->walk) {
                expose->walk = calloc(1, sizeof(*expose->walk));
                if (!expose->walk)
                        expose_warn(expose, "objects are not looked for: out of memory");
                else
                        expose->walk->expose = expose;
        }
        return expose->walk;
}

void expose_walk_start(Expose *expose, bool all)
{
        const MappingService *mapping = expose->mapping;
        ExposeWalk *walk = NULL;

        for (size_t i = 0; i < mapping->n_templates; i++) {
                MappingFind find = mapping->templates[i]->find;

                if (find == MAPPING_FIND_OBJECT_MANAGER || (find == MAPPING_FIND_AUTO && !all))
                        continue;
                walk = get_walk(expose);
                if (!walk)
                        return;
                walk->all = all;
                queue(walk, path_template_root(mapping->templates[i]->template));
        }
        if (walk)
                go_on(walk);
}

void expose_walk_visit(Expose *expose, const char *path)
{
        ExposeWalk *walk = get_walk(expose);
        WalkPath *seen;

        if (!walk)
                return;
        HASH_FIND_STR(walk->seen, path, seen);
        if (seen) { /* it was not there before, or it is in line already */
                WalkStep *step;

                DL_FOREACH (walk->waiting, step)
                        if (!strcmp(step->path, path))
                                return;
                DL_FOREACH (walk->active, step)
                        if (!strcmp(step->path, path))
                                return;
                HASH_DEL(walk->seen, seen);
                free(seen);
        }
        queue(walk, path);
        go_on(walk);
}

bool expose_walk_is_under_way(const ExposeWalk *walk)
{
        return walk && (walk->waiting || walk->active);
}
