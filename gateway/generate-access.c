/* SPDX-License-Identifier: MIT */

#include "gateway/generate-access.h"

#include <ctype.h>
#include <string.h>

static const char *const asking[] = {"Get",   "List", "Describe", "Find", "Lookup",
                                     "Query", "Can",  "Has",      "Is",   NULL};
static const char *const passing[] = {
        "Play", "Pause",   "PlayPause", "Stop",       "Next",      "Previous",    "Seek",
        "Scan", "Refresh", "Connect",   "Disconnect", "Subscribe", "Unsubscribe", NULL};
static const char *const secret[] = {"Secret", "Password", "Passphrase", "Credential",
                                     "Token",  "Key",      NULL};

static bool starts_with_word(const char *name, const char *const *words)
{
        for (; *words; words++) {
                size_t length = strlen(*words);

                if (strncmp(name, *words, length) == 0 && !islower((unsigned char)name[length]))
                        return true;
        }
        return false;
}

static bool is_word(const char *name, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(name, *words) == 0)
                        return true;
        return false;
}

static bool contains_word(const char *name, const char *const *words)
{
        for (; *words; words++)
                if (strstr(name, *words))
                        return true;
        return false;
}

const char *guess_access(const IntrospectionMember *method)
{
        if (contains_word(method->name, secret))
                return "admin";
        if (starts_with_word(method->name, asking) && method->out.count > 0)
                return "read";
        return is_word(method->name, passing) ? "control" : "admin";
}
