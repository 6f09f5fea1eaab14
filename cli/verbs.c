/* SPDX-License-Identifier: MIT */

#include "cli/verbs.h"

#include <errno.h>
#include <string.h>

#include "common/suggest.h"

static const Option params_option[] = {
        {"params", 0, "JSON", NULL, option_parse_text, offsetof(Settings, params),
         "all arguments as JSON; -: from standard input"},
};

static const Option all_option[] = {
        {"all", 'a', NULL, NULL, option_parse_flag, offsetof(Settings, all),
         "also services that are not there any more"},
};

static const Option get_option[] = {
        {"cached", 0, NULL, NULL, option_parse_flag, offsetof(Settings, cached),
         "as the broker keeps it, without a call"},
};

static const Option monitor_option[] = {
        {"signals", 0, NULL, NULL, option_parse_flag, offsetof(Settings, signals), "show signals"},
        {"properties", 0, NULL, NULL, option_parse_flag, offsetof(Settings, properties),
         "show changes of properties"},
        {"calls", 0, NULL, NULL, option_parse_flag, offsetof(Settings, calls),
         "show requests and replies"},
        {"presence", 0, NULL, NULL, option_parse_flag, offsetof(Settings, presence),
         "show services come and go"},
        {"match", 0, "NAME", NULL, option_parse_text, offsetof(Settings, name),
         "only signals, properties, methods called NAME"},
        {"all", 'a', NULL, NULL, option_parse_flag, offsetof(Settings, all),
         "also what is there at the start"},
        {"count", 'c', "COUNT", NULL, settings_parse_count, offsetof(Settings, count),
         "end after so many; 0: never"},
        {"color", 0, "WHEN", NULL, settings_parse_color, offsetof(Settings, color),
         "auto (on a terminal), always, never"},
};

static const Option wait_option[] = {
        {"state", 0, "STATE", NULL, option_parse_text, offsetof(Settings, state),
         "init, claim, ready, offline or lost (ready)"},
        {"changed", 0, NULL, NULL, option_parse_flag, offsetof(Settings, changed),
         "until the value is another one"},
};

static const Option complete_option[] = {
        {"index", 0, "INDEX", NULL, settings_parse_count, offsetof(Settings, index),
         "the word to be completed; 0 is mqttrpc"},
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
                .name = "list",
                .operands = {NULL},
                .completion = "",
                .summary = "list the services of the bus",
                .help = "Lists services with their state. RUNNING is 'no' for one that is started\n"
                        "by a call. Those that have ended are left out without --all.\n",
                .options = {all_option, ARRAY_SIZE(all_option)},
                .run = cmd_list,
        },
        {
                .name = "tree",
                .operands = {NULL},
                .more = "[SERVICE]",
                .maximum = 1,
                .completion = "s",
                .summary = "show services and their objects as a tree",
                .help = "Shows the objects of services, with their interfaces.\n",
                .options = {all_option, ARRAY_SIZE(all_option)},
                .run = cmd_tree,
        },
        {
                .name = "introspect",
                .operands = {"SERVICE"},
                .more = "[OBJECT]",
                .maximum = 2,
                .completion = "so",
                .summary = "show methods, signals and properties of objects",
                .help = "Shows what the description of SERVICE says of its objects, and the "
                        "values\n"
                        "of properties.\n",
                .run = cmd_introspect,
        },
        {
                .name = "call",
                .operands = {"SERVICE", "OBJECT", "METHOD"},
                .more = "[ARG...]",
                .completion = "soma+",
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
                .completion = "soma+",
                .summary = "call a method without waiting for a reply",
                .help = "Sends a notification: METHOD is executed, but nothing comes back, not\n"
                        "even an error.\n" //
                ARGUMENTS_HELP,
                .options = {params_option, ARRAY_SIZE(params_option)},
                .run = cmd_notify,
        },
        {
                .name = "get",
                .operands = {"SERVICE", "OBJECT"},
                .more = "[PROPERTY...]",
                .completion = "sop+",
                .summary = "print properties of an object",
                .help = "Prints the value of one property, or several or all as a JSON object.\n",
                .options = {get_option, ARRAY_SIZE(get_option)},
                .run = cmd_get,
        },
        {
                .name = "set",
                .operands = {"SERVICE", "OBJECT", "PROPERTY", "VALUE"},
                .completion = "sop",
                .summary = "change a property",
                .help = "Calls prop.set.PROPERTY. VALUE is JSON or else a string.\n",
                .run = cmd_set,
        },
        {
                .name = "monitor",
                .operands = {NULL},
                .more = "[SERVICE [OBJECT]]",
                .maximum = 2,
                .completion = "so",
                .summary = "show what happens on the bus",
                .help = "Shows signals, properties, calls and presence as they come, until it is\n"
                        "interrupted. Of calls only those are seen that the broker's access rules\n"
                        "let one read.\n",
                .options = {monitor_option, ARRAY_SIZE(monitor_option)},
                .run = cmd_monitor,
        },
        {
                .name = "wait",
                .operands = {"SERVICE"},
                .more = "[OBJECT PROPERTY [VALUE]]",
                .maximum = 4,
                .completion = "sop",
                .summary = "wait for a service, or for the value of a property",
                .help = "Waits until SERVICE is ready, or until the property is there, has VALUE,\n"
                        "or changes. For ever, without --timeout.\n",
                .options = {wait_option, ARRAY_SIZE(wait_option)},
                .run = cmd_wait,
        },
        {
                .name = "ping",
                .operands = {"SERVICE"},
                .completion = "s",
                .summary = "measure how long a service takes to answer",
                .help = "Calls the method rpc.ping, which every service has, on the object '-'.\n",
                .options = {ping_option, ARRAY_SIZE(ping_option)},
                .run = cmd_ping,
        },
        {
                .name = "stats",
                .operands = {"SERVICE"},
                .completion = "s",
                .summary = "print the counters of a service",
                .help = "Calls the method rpc.stats of the object '-'.\n",
                .run = cmd_stats,
        },
        {
                .name = "discover",
                .operands = {"SERVICE"},
                .completion = "s",
                .summary = "print the description of a service",
                .help = "Calls the method rpc.discover of the object '-', which gives an OpenRPC\n"
                        "document.\n",
                .run = cmd_discover,
        },
        {
                .name = "complete",
                .operands = {NULL},
                .more = "[WORD...]",
                .completion = "",
                .hidden = true,
                .summary = "complete a word of a command line, for shells",
                .help = "Prints what the word at INDEX could be, one a line. WORDs are those of "
                        "the\n"
                        "command line, after '--'.\n",
                .options = {complete_option, ARRAY_SIZE(complete_option)},
                .run = cmd_complete,
        },
};
const size_t n_verbs = ARRAY_SIZE(verbs);

static const char *next_name(size_t index, const void *unused)
{
        for (size_t i = 0; i < n_verbs; i++)
                if (!verbs[i].hidden && index-- == 0)
                        return verbs[i].name;
        return NULL;
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
        if (verb->maximum > 0)
                needed = verb->maximum;
        else if (verb->more)
                needed = count;
        if (count > needed)
                return error_set(error, -EINVAL, "%s: '%.64s' is one argument too many", verb->name,
                                 operands[needed]);
        return 0;
}
