/* SPDX-License-Identifier: MIT */

#include "gateway/names.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "common/limits.h"

#define LEVEL_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

static int check_characters(const char *text, size_t limit, Error **ret_error)
{
        if (text[0] == '\0')
                return error_set(ret_error, -EINVAL, "expected a name, not an empty string");
        if (strlen(text) > limit)
                return error_set(ret_error, -EINVAL, "the name is longer than %zu characters",
                                 limit);
        if (text[strspn(text, LEVEL_CHARACTERS)] != '\0')
                return error_set(ret_error, -EINVAL,
                                 "'%s' is not a name: only A-Z a-z 0-9 _ . - are allowed", text);
        return 0;
}

int name_check_level(const char *text, Error **ret_error)
{
        return check_characters(text, LIMIT_NAME_LENGTH, ret_error);
}

int name_check_object(const char *text, Error **ret_error)
{
        return check_characters(text, LIMIT_OBJECT_LENGTH, ret_error);
}

int name_check_member(const char *text, Error **ret_error)
{
        static const char *const reserved[] = {"rpc.", "prop."};
        int r;

        r = name_check_level(text, ret_error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
                if (strncmp(text, reserved[i], strlen(reserved[i])) == 0)
                        return error_set(ret_error, -EINVAL,
                                         "'%s' is reserved: no member may be called %s…", text,
                                         reserved[i]);
        return 0;
}

int name_check_root(const char *text, Error **ret_error)
{
        size_t length = strlen(text);

        if (length == 0 || length > LIMIT_ROOT_LENGTH || text[0] == '$' || text[0] == '/' ||
            text[length - 1] == '/' || strstr(text, "//") ||
            text[strspn(text, LEVEL_CHARACTERS "/")] != '\0')
                return error_set(ret_error, -EINVAL,
                                 "'%s' is not a topic prefix: expected levels of A-Z a-z 0-9 _ . -"
                                 " with single slashes between",
                                 text);
        return 0;
}

int name_check_bus(const char *text, Error **ret_error)
{
        const char *colon = strchr(text, ':');

        if (strcmp(text, "system") == 0 || strcmp(text, "session") == 0)
                return 0;
        if (colon && colon > text && colon[1] != '\0')
                return 0;
        return error_set(ret_error, -EINVAL,
                         "'%s' is no bus: expected system, session or an address like unix:path=…",
                         text);
}

int name_check_bus_name(const char *text, Error **ret_error)
{
        if (text[0] != ':' && sd_bus_service_name_is_valid(text) > 0)
                return 0;
        return error_set(ret_error, -EINVAL, "'%s' is not a well-known D-Bus name", text);
}

int name_check_interface(const char *text, Error **ret_error)
{
        if (sd_bus_interface_name_is_valid(text) > 0)
                return 0;
        return error_set(ret_error, -EINVAL, "'%s' is not the name of a D-Bus interface", text);
}

int name_check_dbus_member(const char *text, Error **ret_error)
{
        if (sd_bus_member_name_is_valid(text) > 0)
                return 0;
        return error_set(ret_error, -EINVAL, "'%s' is not the name of a D-Bus member", text);
}

/* systemd.unit(5) */
int name_check_unit(const char *text, Error **ret_error)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789:-_.\\@";
        static const char suffix[] = ".service";
        size_t length = strlen(text);

        if (length > strlen(suffix) && length < 256 && strspn(text, allowed) == length &&
            !strcmp(text + length - strlen(suffix), suffix))
                return 0;
        return error_set(ret_error, -EINVAL, "'%s' is not the name of a unit, as 'example.service'",
                         text);
}

int name_check_path(const char *text, Error **ret_error)
{
        if (sd_bus_object_path_is_valid(text) > 0)
                return 0;
        return error_set(ret_error, -EINVAL, "'%s' is not a D-Bus object path", text);
}
