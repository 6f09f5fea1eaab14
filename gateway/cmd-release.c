/* SPDX-License-Identifier: MIT */

/* `dbus-mqtt-gateway release`: has a running gateway give up a D-Bus name, for the daemon that had
 * it. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "gateway/cmd-ask.h"
#include "gateway/cmd.h"

static void print_help(void)
{
        printf("dbus-mqtt-gateway release - give a D-Bus name back to its daemon\n"
               "\n"
               "Usage: dbus-mqtt-gateway release [OPTION...] NAME\n"
               "\n"
               "Has a running gateway release the D-Bus name of the service NAME (its name in "
               "topics,\n"
               "or the D-Bus name), and returns when the bus has it back: start the daemon then. "
               "The\n"
               "gateway takes the name again if no daemon does.\n"
               "\n"
               "      --for SECONDS         how long it waits for one (60)\n"
               "\n"
               "The other options are those of 'dbus-mqtt-gateway status', but --json.\n"
               "\n"
               "Exit status: 0 if the name is released, 1 if not, or no gateway answers, 2 for a\n"
               "mistake in the command.\n");
}

static int release(CmdSettings *settings, const char *name, uint64_t seconds, Error **ret_error)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);
        CLEANUP_FREE char *answer = NULL;
        int r;

        buffer_append_char(&params, '[');
        json_write_string(&params, name, strlen(name));
        r = buffer_printf(&params, ",%" PRIu64 "]", seconds);
        if (r < 0)
                return error_set(ret_error, r, "out of memory");
        r = cmd_settings_load(settings, ret_error);
        return r < 0 ? r : cmd_ask(&settings->config, "Release", params.data, &answer, ret_error);
}

int cmd_release(int argc, char **argv)
{
        static const struct option own[] = {
                {"help", no_argument, NULL, 'h'}, {"for", required_argument, NULL, 'f'}, {}};
        CLEANUP_CMD_SETTINGS CmdSettings settings = {};
        CLEANUP_ERROR Error *error = NULL;
        uint64_t seconds = 60;
        int option, r;

        if (cmd_settings_init(&settings, CMD_SETTINGS_CLIENT, own, &error) < 0)
                return cmd_usage_error("release", "%s", error_text(error));
        while ((option = getopt_long(argc, argv, "h", settings.options, NULL)) >= 0) {
                if (option == 'h') {
                        print_help();
                        return EXIT_SUCCESS;
                }
                if (option == 'f' && (json_parse_uint64(optarg, strlen(optarg), &seconds) < 0 ||
                                      seconds < 1 || seconds > LIMIT_RELEASE_SECONDS))
                        return cmd_usage_error("release", "--for takes 1 to %u seconds, not '%s'",
                                               LIMIT_RELEASE_SECONDS, optarg);
                if (option == '?') {
                        fprintf(stderr, "Try 'dbus-mqtt-gateway release --help'.\n");
                        return EXIT_USAGE;
                }
                if (option != 'f' && cmd_settings_take(&settings, option, &error) < 0)
                        return cmd_usage_error("release", "%s", error_text(error));
        }
        if (argc != optind + 1)
                return cmd_usage_error("release", "it takes one argument, the name of a service");
        r = release(&settings, argv[optind], seconds, &error);
        if (r < 0)
                fprintf(stderr, "dbus-mqtt-gateway release: %s\n",
                        error ? error_text(error) : strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
