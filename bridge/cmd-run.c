/* SPDX-License-Identifier: MIT */

/* `run`, which is also what happens without a verb; its --help is that of the program. */

#include <getopt.h>
#include <stdio.h>

#include "bridge/bridge.h"
#include "bridge/cmd.h"
#include "common/log.h"

static void print_help(void)
{
        printf("mqttrpc-bridge - the way from a local MQTT broker to one in the cloud\n"
               "\n"
               "Usage: mqttrpc-bridge [run] [--config FILE]\n"
               "       mqttrpc-bridge check [--config FILE]\n"
               "       mqttrpc-bridge status [--config FILE] [--json]\n"
               "       mqttrpc-bridge emit KIND [--config FILE] [--output FILE]\n"
               "\n"
               "run (the default) mirrors state and events to the cloud and lets the cloud call\n"
               "what the policy allows, until SIGTERM; SIGHUP makes it read the policy again.\n"
               "check reports all that is wrong with a policy, status tells how a running bridge\n"
               "is, emit prints access rules and other configuration for the same policy.\n"
               "\n"
               "  -c, --config FILE  the policy (%s)\n"
               "  -h, --help         show this help\n"
               "      --version      show the version\n"
               "\n"
               "See mqttrpc-bridge(8).\n",
               DEFAULT_POLICY_PATH);
}

static int run(const char *path)
{
        CLEANUP_ERROR Error *error = NULL;
        Policy *policy = NULL;
        Bridge *bridge = NULL;
        int r;

        if (cmd_load(path, &policy) < 0)
                return EXIT_FAILURE;
        r = bridge_new(path, policy, &bridge, &error);
        if (r < 0)
                policy_free(policy);
        else
                r = bridge_run(bridge, &error);
        bridge_free(bridge);
        if (r >= 0)
                return EXIT_SUCCESS;
        log_error("%s", error_text(error));
        return EXIT_FAILURE;
}

int cmd_run(int argc, char **argv)
{
        CmdOptions options;

        cmd_parse(argc, argv, "c", print_help, &options);
        if (options.done)
                return options.status;
        if (optind < argc) {
                fprintf(stderr, "mqttrpc-bridge: unexpected argument '%s'\n", argv[optind]);
                return EXIT_USAGE;
        }
        return run(options.config);
}
