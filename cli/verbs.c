/* SPDX-License-Identifier: MIT */

#include "cli/verbs.h"

#include <errno.h>
#include <string.h>

#include "common/suggest.h"

static const Option params_option[] = {
        {"params", 0, "JSON", NULL, option_parse_text, offsetof(Settings, params),
         "all arguments as JSON; -: from standard input"},
};

static const Option ping_option[] = {
        {"count", 'c', "COUNT", NULL, settings_parse_count, offsetof(Settings, count),
         "how many pings (4); 0: until interrupted"},
        {"interval", 'i', "DURATION", NULL, settings_parse_interval,
         offsetof(Settings, interval_usec), "from one ping to the next (1s)"},
};

#define ARGUMENTS_HELP                                                                        \
        "OBJECT is '-' for the root object of a service.\n"                                   \
        "\n"                                                                                  \
        "Each ARG is JSON (5, true, \"x\", [1,2], {\"a\":1}) or else a string. ARGs of the\n" \
        "form NAME=VALUE go by name, others by position; quotes inside of quotes make a\n"    \
        "string of anything: '\"5\"', '\"a=b\"'.\n"

const Verb verbs[] = {
        {
                .name = "call",
                .operands = {"SERVICE", "OBJECT", "METHOD"},
                .more = "[ARG...]",
                .summary = "call a method and print its result",
                .help = "Calls METHOD of OBJECT of SERVICE and prints the result as JSON.\n" //
                ARGUMENTS_HELP,
                .options = {params_option, ARRAY_SIZE(params_option)},
                .run = cmd_call,
        },
        {
                .name = "notify",
                .operands = {"SERVICE", "OBJECT", "METHOD"},
                .more = "[ARG...]",
                .summary = "call a method without waiting for a reply",
                .help = "Sends a notification: METHOD is executed, but nothing comes back, not\n"
                        "even an error.\n" //
                ARGUMENTS_HELP,
                .options = {params_option, ARRAY_SIZE(params_option)},
                .run = cmd_notify,
        },
        {
                .name = "ping",
                .operands = {"SERVICE"},
                .summary = "measure how long a service takes to answer",
                .help = "Calls the method rpc.ping, which every service has, on the object '-'.\n",
                .options = {ping_option, ARRAY_SIZE(ping_option)},
                .run = cmd_ping,
        },
};
const size_t n_verbs = ARRAY_SIZE(verbs);

static const char *next_name(size_t index, const void *unused)
{
        return index < n_verbs ? verbs[index].name : NULL;
}

const Verb *verb_find(const char *name, Error **error)
{
        const char *near;

        for (size_t i = 0; i < n_verbs; i++)
                if (!strcmp(verbs[i].name, name))
                        return &verbs[i];
        near = suggest(name, next_name, NULL);
        if (near)
                error_set(error, -EINVAL, "unknown verb '%.64s'; did you mean '%s'?", name, near);
        else
                error_set(error, -EINVAL, "unknown verb '%.64s'", name);
        return NULL;
}

int verb_check_operands(const Verb *verb, const char *const *operands, size_t count, Error **error)
{
        size_t needed = 0;

        for (; verb->operands[needed]; needed++)
                if (needed >= count)
                        return error_set(error, -EINVAL, "%s: %s is missing", verb->name,
                                         verb->operands[needed]);
        if (count > needed && !verb->more)
                return error_set(error, -EINVAL, "%s: '%.64s' is one argument too many", verb->name,
                                 operands[needed]);
        return 0;
}
