/* SPDX-License-Identifier: MIT */

#include "gateway/survey-live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "gateway/name-family.h"

typedef struct Walk {
        sd_bus *bus;
        const char *name;
        uint64_t deadline;
        unsigned n_timeouts;
        bool cut; /* said already that something is left out */
        Survey *survey;
        Diagnostics *diagnostics;
        Error **error;
} Walk;

int survey_open_bus(const char *name, sd_bus **ret_bus, Error **ret_error)
{
        CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        if (strcmp(name, "system") == 0) {
                r = sd_bus_open_system(&bus);
        } else if (strcmp(name, "session") == 0) {
                r = sd_bus_open_user(&bus);
        } else {
                r = sd_bus_new(&bus);
                if (r >= 0)
                        r = sd_bus_set_address(bus, name);
                if (r >= 0)
                        r = sd_bus_set_bus_client(bus, true);
                if (r >= 0)
                        r = sd_bus_start(bus);
        }
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot connect to the D-Bus %s bus", name);
        *ret_bus = STEAL(bus);
        return 0;
}

/* ---- calls ---- */

/* Calls a method without arguments. -EAGAIN: it has failed, which has been reported, and the walk
 * may go on without; any other failure ends the walk. */
static int call(Walk *walk, const char *path, const char *interface, const char *method,
                sd_bus_message **ret_reply)
{
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t now = clock_now();
        int r;

        if (now >= walk->deadline)
                return error_set(walk->error, -ETIMEDOUT, "%s has taken too long to answer",
                                 walk->name);
        r = sd_bus_message_new_method_call(walk->bus, &m, walk->name, path, interface, method);
        if (r >= 0)
                r = sd_bus_call(walk->bus, m, MIN(LIMIT_SURVEY_CALL_USEC, walk->deadline - now),
                                &error, ret_reply);
        if (r >= 0)
                return 0;
        if (sd_bus_error_has_names(&error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                   SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_DISCONNECTED) ||
            r == -ENOTCONN || r == -ECONNRESET)
                return error_set(walk->error, -ENXIO, "%s cannot be reached: %s", walk->name,
                                 error.message ? error.message : strerrordesc_np(-r));
        if ((r == -ETIMEDOUT || sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY)) &&
            ++walk->n_timeouts >= LIMIT_SURVEY_TIMEOUTS)
                return error_set(walk->error, -ETIMEDOUT, "%s does not answer", walk->name);
        diagnostics_add(walk->diagnostics, DIAGNOSTIC_WARNING, "%s of %s: %s", method, path,
                        error.message ? error.message : strerrordesc_np(-r));
        return -EAGAIN;
}

/* The introspection of a path as text and parsed. -EAGAIN as above. */
static int introspect(Walk *walk, const char *path, char **ret_xml,
                      Introspection **ret_introspection)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP_ERROR Error *error = NULL;
        const char *xml;
        char *copy;
        int r;

        r = call(walk, path, "org.freedesktop.DBus.Introspectable", "Introspect", &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "s", &xml);
        if (r >= 0)
                r = introspection_parse(xml, strlen(xml), path, walk->diagnostics,
                                        ret_introspection, &error);
        if (r < 0) {
                diagnostics_add(walk->diagnostics, DIAGNOSTIC_WARNING,
                                "introspection of %s cannot be used: %s", path,
                                error ? error_text(error) : "not a text");
                return -EAGAIN;
        }
        copy = strdup(xml);
        if (!copy) {
                introspection_free(STEAL(*ret_introspection));
                return error_set(walk->error, -ENOMEM, "out of memory");
        }
        *ret_xml = copy;
        return 0;
}

/* ---- the walk ---- */

static int add(Walk *walk, const char *path, Introspection *introspection)
{
        int r = survey_add(walk->survey, path, introspection);

        if (r == -ENOMEM)
                return error_set(walk->error, r, "out of memory");
        if (r == -E2BIG && !walk->cut)
                diagnostics_add(walk->diagnostics, DIAGNOSTIC_WARNING,
                                "%s has more than %u objects, or very deep ones: some are left out",
                                walk->name, LIMIT_SURVEY_OBJECTS);
        if (r == -E2BIG)
                walk->cut = true;
        return r < 0 ? -EAGAIN : 0;
}

static bool has_interfaces(const Introspection *introspection)
{
        for (const IntrospectionInterface *i = introspection->interfaces; i; i = i->hh.next)
                if (!survey_is_standard(i->name))
                        return true;
        return false;
}

static int visit(Walk *walk, const char *path, const char *above, unsigned depth);

static int visit_children(Walk *walk, const char *path, const Introspection *introspection,
                          const char *xml, unsigned depth)
{
        int r = 0;

        for (size_t i = 0; i < introspection->n_children && (r >= 0 || r == -EAGAIN); i++) {
                CLEANUP_FREE char *child = NULL;

                if (walk->cut)
                        return 0;
                if (asprintf(&child, "%s/%s", path[1] ? path : "", introspection->children[i]) <
                    0) {
                        child = NULL;
                        return error_set(walk->error, -ENOMEM, "out of memory");
                }
                if (sd_bus_object_path_is_valid(child))
                        r = visit(walk, child, xml, depth + 1);
        }
        return r == -EAGAIN ? 0 : r;
}

/* `above` is the introspection of the node above, NULL for where the walk begins. Who says the same
 * of a node as of what is below it says so of any path, without end. */
static int visit(Walk *walk, const char *path, const char *above, unsigned depth)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_FREE char *xml = NULL;
        int r;

        if (survey_find(walk->survey, path))
                return 0;
        if (depth > LIMIT_SURVEY_DEPTH) {
                diagnostics_add(walk->diagnostics, DIAGNOSTIC_WARNING,
                                "%s is deeper than %u levels, the rest is left out", path,
                                LIMIT_SURVEY_DEPTH);
                return 0;
        }
        r = introspect(walk, path, &xml, &introspection);
        if (r < 0)
                return r;
        if (above && introspection->n_children > 0 && has_interfaces(introspection) &&
            strcmp(above, xml) == 0) {
                diagnostics_add(walk->diagnostics, DIAGNOSTIC_WARNING,
                                "%s has the same introspection as what is above it, it is left out",
                                path);
                return 0;
        }
        r = add(walk, path, introspection);
        return r < 0 ? r : visit_children(walk, path, introspection, xml, depth);
}

/* Where a service of that name is expected; of a family, by its prefix. NULL without memory. */
static char *home_path(const char *name)
{
        int length = (int)strlen(name) - (name_family_is(name) ? 2 : 0);
        char *path;

        if (asprintf(&path, "/%.*s", length, name) < 0)
                return NULL;
        for (char *p = path; *p; p++)
                if (*p == '.')
                        *p = '/';
        return path;
}

/* The whole tree. Not every service lists its objects from the root on, and some answer at the root
 * as they do anywhere: what is said of both is then said of the service's own path. */
static int visit_all(Walk *walk, const char *name)
{
        CLEANUP_FREE char *home = home_path(name);
        SurveyObject *root, *own;
        int r;

        if (!home)
                return error_set(walk->error, -ENOMEM, "out of memory");
        r = visit(walk, "/", NULL, 0);
        if ((r < 0 && r != -EAGAIN) || survey_find(walk->survey, home) ||
            !sd_bus_object_path_is_valid(home))
                return r;
        r = visit(walk, home, NULL, 0);
        root = survey_find(walk->survey, "/");
        own = survey_find(walk->survey, home);
        if (root && own && own->n_interfaces > 0 && root->n_interfaces == own->n_interfaces &&
            memcmp(root->interfaces, own->interfaces,
                   own->n_interfaces * sizeof(*own->interfaces)) == 0)
                root->n_interfaces = 0;
        return r;
}

/* ---- the ObjectManager ---- */

static bool is_wanted(const char *path, char *const *paths, size_t n_paths)
{
        for (size_t i = 0; i < n_paths; i++) {
                size_t length = strlen(paths[i]);

                if (strncmp(path, paths[i], length) == 0 &&
                    (length == 1 || path[length] == '/' || path[length] == '\0'))
                        return true;
        }
        return n_paths == 0;
}

/* An object with the interface at the read position: known ones need no question. */
static int add_interface(Walk *walk, const char *path, const char *interface)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_FREE char *xml = NULL;
        int r;

        if (survey_is_standard(interface))
                return 0;
        r = survey_add_known(walk->survey, path, interface);
        if (r != 0)
                return r == -ENOMEM ? error_set(walk->error, r, "out of memory") : 0;
        r = introspect(walk, path, &xml, &introspection);
        return r < 0 ? r : add(walk, path, introspection);
}

static int read_interfaces(Walk *walk, sd_bus_message *m, const char *path, bool wanted)
{
        const char *interface;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r > 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read(m, "s", &interface);
                if (r >= 0)
                        r = sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
                r = wanted ? add_interface(walk, path, interface) : 0;
                if (r < 0 && r != -EAGAIN)
                        return r;
                r = 1;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_managed(Walk *walk, sd_bus_message *m, char *const *paths, size_t n_paths)
{
        const char *path;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        while (r > 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = sd_bus_message_read(m, "o", &path);
                if (r >= 0)
                        r = read_interfaces(walk, m, path, is_wanted(path, paths, n_paths));
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
                r = 1;
        }
        return r < 0 ? r : 0;
}

static int ask_object_manager(Walk *walk, char *const *paths, size_t n_paths)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path = walk->survey->object_manager;
        int r;

        if (!path)
                return 0;
        r = call(walk, path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &reply);
        if (r < 0)
                return r == -EAGAIN ? 0 : r;
        r = read_managed(walk, reply, paths, n_paths);
        if (r < 0 && (!walk->error || !*walk->error))
                diagnostics_add(walk->diagnostics, DIAGNOSTIC_WARNING,
                                "the answer of the ObjectManager at %s cannot be read", path);
        return walk->error && *walk->error ? r : 0;
}

/* ---- the whole ---- */

static int find_member(sd_bus *bus, const char *family, char **ret_name, Error **ret_error)
{
        char **names = NULL;
        size_t length = strlen(family) - 1;
        int r;

        r = sd_bus_list_names(bus, &names, NULL);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot list the names of the bus");
        *ret_name = NULL;
        for (char **name = names; *name; name++) {
                if (!*ret_name && strncmp(*name, family, length) == 0)
                        *ret_name = *name;
                else
                        free(*name);
        }
        free(names);
        return *ret_name ? 0
                         : error_set(ret_error, -ENXIO, "no name of the family %s is on the bus",
                                     family);
}

int survey_live(sd_bus *bus, const char *name, char *const *paths, size_t n_paths, Survey *survey,
                Diagnostics *diagnostics, Error **ret_error)
{
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *member = NULL;
        Walk walk = {
                .bus = bus,
                .name = name,
                .deadline = clock_now() + LIMIT_SURVEY_USEC,
                .survey = survey,
                .diagnostics = diagnostics,
                .error = &error,
        };
        int r = 0;

        if (name_family_is(name)) {
                r = find_member(bus, name, &member, ret_error);
                if (r < 0)
                        return r;
                walk.name = member;
        }
        for (size_t i = 0; i < n_paths && (r >= 0 || r == -EAGAIN); i++)
                r = visit(&walk, paths[i], NULL, 0);
        if (n_paths == 0)
                r = visit_all(&walk, name);
        if (r >= 0 || r == -EAGAIN)
                r = ask_object_manager(&walk, paths, n_paths);
        survey_sort(survey);
        if (r >= 0 || r == -EAGAIN)
                return 0;
        if (ret_error)
                *ret_error = STEAL(error);
        return r;
}
