/* SPDX-License-Identifier: MIT */

#include "gateway/name-family.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "gateway/names.h"

#define FAMILY_END ".*"

bool name_family_is(const char *bus_name)
{
        size_t length = strlen(bus_name);

        return length > strlen(FAMILY_END) &&
               strcmp(bus_name + length - strlen(FAMILY_END), FAMILY_END) == 0;
}

int name_family_check_bus_name(const char *text, Error **ret_error)
{
        CLEANUP_FREE char *member = NULL;

        if (!strpbrk(text, "*{}"))
                return name_check_bus_name(text, ret_error);
        /* what is a name with a word for the asterisk is a family, and nothing else is */
        member = strdup(text);
        if (!member)
                return error_set(ret_error, -ENOMEM, "out of memory");
        if (name_family_is(text)) {
                member[strlen(member) - 1] = 'x';
                if (name_check_bus_name(member, NULL) >= 0)
                        return 0;
        }
        return error_set(ret_error, -EINVAL,
                         "'%s' is not a family of D-Bus names: expected \"org.example.Name.*\"",
                         text);
}

int name_family_check_service(const char *text, Error **ret_error)
{
        const char *open = strchr(text, '{'), *close = strchr(text, '}');
        CLEANUP_FREE char *whole = NULL;

        if (!open && !close)
                return name_check_level(text, ret_error);
        if (!open || !close || close < open + 2 || strpbrk(open + 1, "{") ||
            strpbrk(close + 1, "}"))
                return error_set(ret_error, -EINVAL,
                                 "'%s': expected one capture, a word in braces: \"player.{name}\"",
                                 text);
        if (asprintf(&whole, "%.*s%.*s%s", (int)(open - text), text, (int)(close - open - 1),
                     open + 1, close + 1) < 0) {
                whole = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        return name_check_level(whole, ret_error);
}

int name_family_init(NameFamily *family, const char *bus_name, const char *service,
                     Error **ret_error)
{
        const char *open = strchr(service, '{'), *close = strchr(service, '}');
        NameFamily result = {};

        if (!open || !close)
                return error_set(ret_error, -EINVAL,
                                 "'%s' is one name, but %s are many: put a capture into it, as in "
                                 "\"player.{name}\"",
                                 service, bus_name);
        result.prefix = strndup(bus_name, strlen(bus_name) - strlen(FAMILY_END));
        result.before = strndup(service, (size_t)(open - service));
        result.after = strdup(close + 1);
        if (!result.prefix || !result.before || !result.after) {
                name_family_done(&result);
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        *family = result;
        return 0;
}

void name_family_done(NameFamily *family)
{
        free(family->prefix);
        free(family->before);
        free(family->after);
        *family = (NameFamily){};
}

int name_family_service(const NameFamily *family, const char *bus_name, char **ret_service)
{
        size_t length = strlen(family->prefix);
        char *service;

        if (strncmp(bus_name, family->prefix, length) != 0 || bus_name[length] != '.' ||
            name_check_bus_name(bus_name, NULL) < 0)
                return -ENOENT;
        if (asprintf(&service, "%s%s%s", family->before, bus_name + length + 1, family->after) < 0)
                return -ENOMEM;
        if (strlen(service) > LIMIT_NAME_LENGTH) {
                free(service);
                return -ENAMETOOLONG;
        }
        *ret_service = service;
        return 0;
}

int name_family_bus_name(const NameFamily *family, const char *service, char **ret_bus_name)
{
        size_t n_before = strlen(family->before), n_after = strlen(family->after);
        size_t length = strlen(service);
        CLEANUP_FREE char *bus_name = NULL;

        if (length <= n_before + n_after || strncmp(service, family->before, n_before) != 0 ||
            strcmp(service + length - n_after, family->after) != 0)
                return -ENOENT;
        if (asprintf(&bus_name, "%s.%.*s", family->prefix, (int)(length - n_before - n_after),
                     service + n_before) < 0) {
                bus_name = NULL;
                return -ENOMEM;
        }
        if (name_check_bus_name(bus_name, NULL) < 0)
                return -ENOENT;
        *ret_bus_name = STEAL(bus_name);
        return 0;
}

bool name_family_meets(const NameFamily *a, const NameFamily *b)
{
        size_t n_a = strlen(a->after), n_b = strlen(b->after), n_after = MIN(n_a, n_b);

        return strncmp(a->before, b->before, MIN(strlen(a->before), strlen(b->before))) == 0 &&
               strcmp(a->after + n_a - n_after, b->after + n_b - n_after) == 0;
}
