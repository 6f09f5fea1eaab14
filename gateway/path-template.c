/* SPDX-License-Identifier: MIT */

#include "gateway/path-template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "common/limits.h"

static void replace(char *text, char from, char to)
{
        for (; *text; text++)
                if (*text == from)
                        *text = to;
}

/* P: the path that a service of that name is expected at. NULL without memory. */
static char *home_path(const char *bus_name)
{
        char *path;

        if (asprintf(&path, "/%s", bus_name) < 0)
                return NULL;
        replace(path, '.', '/');
        return path;
}

/* What follows `home` in `path`: "" for home itself, "x/y" below it; NULL elsewhere. */
static const char *below(const char *path, const char *home)
{
        size_t length = strlen(home);

        if (strncmp(path, home, length) != 0)
                return NULL;
        if (path[length] == '/')
                return path + length + 1;
        return path[length] == '\0' ? path + length : NULL;
}

int object_name_from_path(const char *bus_name, const char *path, char **ret_name,
                          Error **ret_error)
{
        CLEANUP_FREE char *home = home_path(bus_name);
        const char *tail;
        char *name;

        if (!sd_bus_object_path_is_valid(path))
                return error_set(ret_error, -EINVAL, "'%s' is not an object path", path);
        if (!home)
                return error_set(ret_error, -ENOMEM, "out of memory");
        tail = below(path, home);
        if (!tail)
                tail = path;
        else if (tail[0] == '\0')
                tail = "-";
        if (strlen(tail) > LIMIT_OBJECT_LENGTH)
                return error_set(ret_error, -ENAMETOOLONG,
                                 "the name of object '%s' would be longer than %u characters", path,
                                 LIMIT_OBJECT_LENGTH);
        name = strdup(tail);
        if (!name)
                return error_set(ret_error, -ENOMEM, "out of memory");
        replace(name, '/', '.');
        *ret_name = name;
        return 0;
}

int object_path_from_name(const char *bus_name, const char *name, char **ret_path,
                          Error **ret_error)
{
        CLEANUP_FREE char *home = home_path(bus_name), *path = NULL;
        bool absolute = name[0] == '.';
        int r;

        if (!home)
                return error_set(ret_error, -ENOMEM, "out of memory");
        if (absolute)
                r = asprintf(&path, "%s", name);
        else if (strcmp(name, "-") == 0)
                r = asprintf(&path, "%s", home);
        else
                r = asprintf(&path, "%s/%s", home, name);
        if (r < 0) {
                path = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        replace(path + (absolute ? 0 : strlen(home)), '.', '/');
        if (strchr(name, '/') || !sd_bus_object_path_is_valid(path) ||
            (absolute && below(path, home)))
                return error_set(ret_error, -EINVAL, "no object path has the name '%s'", name);
        *ret_path = STEAL(path);
        return 0;
}
