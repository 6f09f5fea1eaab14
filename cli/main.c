/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "cli/help.h"
#include "cli/report.h"
#include "cli/verbs.h"

static int print_version(void)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        buffer_append_text(&text, "mqttrpc " MQTTRPC_VERSION "\n");
        return report_print(&text);
}

static int print_help(const Verb *verb)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        help_write(&text, verb);
        return report_print(&text);
}

/* Options may stand before and after the verb; those of the verb after it. */
static int read_command(CommandLine *line, Settings *settings, const Verb **ret_verb,
                        const char **operands, size_t *ret_count, Error **error)
{
        OptionList lists[2] = {settings_options};
        const char *name;
        int r;

        r = option_read(line, lists, 1, settings, &name, error);
        if (r <= 0 || settings->help || settings->version)
                return r;
        *ret_verb = verb_find(name, error);
        if (!*ret_verb)
                return -EINVAL;
        lists[1] = (*ret_verb)->options;
        while ((r = option_read(line, lists, 2, settings, &operands[*ret_count], error)) > 0)
                ++*ret_count;
        return r;
}

static int run(CommandLine *line, const char **operands)
{
        CLEANUP_ERROR Error *error = NULL;
        const Verb *verb = NULL;
        size_t count = 0;
        CLEANUP(settings_done) Settings settings = {};
        int r;

        r = settings_init(&settings, &error);
        if (r >= 0)
                r = read_command(line, &settings, &verb, operands, &count, &error);
        if (r >= 0 && settings.help)
                return print_help(verb);
        if (r >= 0 && settings.version)
                return print_version();
        if (r >= 0 && !verb)
                r = error_set(&error, -EINVAL, "no verb is given");
        if (r >= 0)
                r = verb_check_operands(verb, operands, count, &error);
        if (r < 0)
                return error ? report_usage(verb ? verb->name : NULL, error) : report_internal(r);
        return verb->run(&settings, operands, count);
}

int main(int argc, char **argv)
{
        CommandLine line = {
                .argv = (const char *const *)argv,
                .argc = (size_t)argc,
                .next = 1,
        };
        CLEANUP_FREE const char **operands = calloc((size_t)argc + 1, sizeof(*operands));

        if (!operands)
                return report_internal(-ENOMEM);
        /* A reader who goes away is seen as a failed write. */
        signal(SIGPIPE, SIG_IGN);
        return run(&line, operands);
}
