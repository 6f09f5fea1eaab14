/* SPDX-License-Identifier: MIT */

#include "cli/names.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/limits.h"

/* The grammar of topic levels (protocol section 2). */
static bool is_name(const char *name, size_t maximum)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_.-";
        size_t length = strlen(name);

        return length > 0 && length <= maximum && strspn(name, alphabet) == length;
}

static int check_name(const char *what, const char *name, size_t maximum, Error **error)
{
        if (is_name(name, maximum))
                return 0;
        if (*name == '\0')
                return error_set(error, -EINVAL, "the name of the %s is empty", what);
        if (strlen(name) > maximum)
                return error_set(error, -EINVAL, "the name of the %s is longer than %zu characters",
                                 what, maximum);
        return error_set(error, -EINVAL,
                         "'%.64s' is not a valid %s name: use letters, digits, '_', '.' and '-'",
                         name, what);
}

int names_check(const char *service, const char *object, const char *method, Error **error)
{
        int r;

        r = check_name("service", service, LIMIT_NAME_LENGTH, error);
        if (r < 0)
                return r;
        if (*object == '/')
                return error_set(error, -EINVAL,
                                 "'%.64s' is a D-Bus path: the root object of a service is '-', "
                                 "and .../x/y below it is 'x.y'",
                                 object);
        r = check_name("object", object, LIMIT_OBJECT_LENGTH, error);
        return r < 0 ? r : check_name("method", method, LIMIT_NAME_LENGTH, error);
}
