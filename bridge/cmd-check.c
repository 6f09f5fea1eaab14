/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "bridge/cmd.h"
#include "bridge/store.h"

static void print_help(void)
{
        printf("mqttrpc-bridge check - report all that is wrong with a policy\n"
               "\n"
               "Usage: mqttrpc-bridge check [--config FILE]\n"
               "\n"
               "  -c, --config FILE  the policy (%s)\n"
               "  -h, --help         show this help\n"
               "\n"
               "Exit status: 0, 1 if there are errors, 2 for a mistake in the command.\n",
               DEFAULT_POLICY_PATH);
}

int cmd_check(int argc, char **argv)
{
        CLEANUP_POLICY Policy *policy = NULL;
        CmdOptions options;

        cmd_parse(argc, argv, "c", print_help, &options);
        if (options.done)
                return options.status;
        if (optind < argc)
                return cmd_usage_error("check", "unexpected argument '%s'; --config names the file",
                                       argv[optind]);
        if (cmd_load(options.config, &policy) < 0)
                return EXIT_FAILURE;
        /* As by a bridge that runs with this policy, which is not wrong. */
        if (store_probe(policy->queue.path) == -EBUSY)
                fprintf(stderr, "warning: %s is in use by a running bridge\n", policy->queue.path);
        printf("%s: %zu rules to publish, %zu to allow; no errors\n", options.config,
               policy->n_publish, policy->n_allow);
        return EXIT_SUCCESS;
}
