/* SPDX-License-Identifier: MIT */

#include "bridge/cmd.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/policy-load.h"

int cmd_usage_error(const char *verb, const char *format, ...)
{
        va_list arguments;

        fprintf(stderr, "mqttrpc-bridge %s: ", verb);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fprintf(stderr, "\nTry 'mqttrpc-bridge %s --help'.\n", verb);
        return EXIT_USAGE;
}

int cmd_load(const char *path, Policy **ret_policy)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        int r;

        r = policy_load(path, &diagnostics, ret_policy);
        diagnostics_print(&diagnostics);
        return r;
}

static bool take_option(int option, const char *known, void (*help)(void), CmdOptions *options)
{
        switch (option) {
        case 'h': help(); break;
        case 'V': printf("mqttrpc-bridge %s\n", PROJECT_VERSION); break;
        case 'c': options->config = optarg; return true;
        case 'o': options->output = optarg; return strchr(known, 'o') != NULL;
        case 'j': options->json = true; return strchr(known, 'j') != NULL;
        default: return false;
        }
        options->done = true;
        return true;
}

void cmd_parse(int argc, char **argv, const char *known, void (*help)(void),
               CmdOptions *ret_options)
{
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
                {"config", required_argument, NULL, 'c'}, {"output", required_argument, NULL, 'o'},
                {"json", no_argument, NULL, 'j'},         {},
        };
        int option;

        *ret_options = (CmdOptions){.config = DEFAULT_POLICY_PATH, .status = EXIT_SUCCESS};
        while (!ret_options->done &&
               (option = getopt_long(argc, argv, "hc:", options, NULL)) >= 0) {
                if (take_option(option, known, help, ret_options))
                        continue;
                if (option != '?')
                        fprintf(stderr, "%s: this verb has no such option\n", argv[0]);
                fprintf(stderr, "Try 'mqttrpc-bridge --help'.\n");
                ret_options->done = true;
                ret_options->status = EXIT_USAGE;
        }
}
