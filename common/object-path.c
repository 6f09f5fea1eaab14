/* SPDX-License-Identifier: MIT */

#include "common/object-path.h"

static bool is_element_character(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
}

bool object_path_is_valid(const char *text, size_t length)
{
        bool after_slash = true;

        if (length == 0 || text[0] != '/')
                return false;
        if (length == 1)
                return true;
        for (size_t i = 1; i < length; i++) {
                if (text[i] == '/' ? after_slash : !is_element_character(text[i]))
                        return false;
                after_slash = text[i] == '/';
        }
        return !after_slash;
}
