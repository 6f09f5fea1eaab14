/* SPDX-License-Identifier: MIT */

/* `run`, which is also what happens without a verb; its --help is that of the program. */

#include <errno.h>
#include <stdio.h>

#include "common/log.h"
#include "gateway/cmd-settings.h"
#include "gateway/cmd.h"
#include "gateway/gateway.h"

static void print_help(void)
{
        printf("dbus-mqtt-gateway - D-Bus services as JSON-RPC over MQTT\n"
               "\n"
               "Usage: dbus-mqtt-gateway [run] [OPTION...]\n"
               "       dbus-mqtt-gateway status [OPTION...] [NAME]\n"
               "       dbus-mqtt-gateway check FILE|DIR...\n"
               "       dbus-mqtt-gateway generate [OPTION...] NAME [PATH...]\n"
               "       dbus-mqtt-gateway diff [OPTION...] FILE\n"
               "       dbus-mqtt-gateway verify OPTION... NAME\n"
               "       dbus-mqtt-gateway emit KIND [OPTION...] FILE...\n"
               "       dbus-mqtt-gateway migrate status|check [OPTION...] NAME\n"
               "       dbus-mqtt-gateway release [OPTION...] NAME\n"
               "       dbus-mqtt-gateway reload [OPTION...]\n"
               "\n"
               "run (the default) serves until SIGTERM, and status asks a gateway that does. "
               "check\n"
               "reports all that is wrong with mapping files, generate writes one from what a\n"
               "service offers, diff compares one with that, and emit makes documents and access\n"
               "rules of them; verify compares a service from MQTT with the one it stands for, "
               "and\n"
               "migrate says how far it is on its way. Each\n"
               "has a --help of its own; these are the options of run:\n"
               "\n"
               "      --config FILE         read settings from FILE (JSON, comments allowed)\n"
               "      --mappings DIR        read mapping files from DIR; may be repeated, a later\n"
               "                            one goes before an earlier one\n"
               "      --broker URI          mqtt://HOST[:PORT], mqtts://HOST[:PORT] or\n"
               "                            unix:///PATH\n"
               "      --bus BUS             system, session or a D-Bus address: the bus of "
               "mappings\n"
               "                            that name the system bus, or none (system)\n"
               "      --root ROOT           topic prefix (mb1)\n"
               "      --name NAME           service name of the gateway itself (gateway)\n"
               "      --user NAME           user name at the broker\n"
               "      --password-file FILE  file whose first line is the password\n"
               "      --ca FILE             CA certificates to trust, for mqtts://\n"
               "      --cert FILE           client certificate\n"
               "      --key FILE            key of the client certificate\n"
               "      --state-dir DIR       keep counts of use in DIR\n"
               "                            (/var/lib/dbus-mqtt-gateway)\n"
               "      --client-id ID        MQTT client id (made up)\n"
               "      --log-level LEVEL     error, warning, notice, info or debug (info)\n"
               "  -h, --help                show this help\n"
               "      --version             show the version\n"
               "\n"
               "See dbus-mqtt-gateway(8).\n");
}

static int run(CmdSettings *settings)
{
        CLEANUP_ERROR Error *error = NULL;
        Gateway *gateway = NULL;
        int r;

        r = cmd_settings_load(settings, &error);
        if (r >= 0) {
                log_set_level((LogLevel)gateway_config_log_level(&settings->config));
                r = gateway_new(&settings->config, &gateway, &error);
        }
        if (r >= 0)
                r = gateway_run(gateway, &error);
        gateway_free(gateway);
        if (error)
                log_error("%s", error_text(error));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- command line ---- */

/* -1 to go on, else the exit status. */
static int take_option(CmdSettings *settings, int option)
{
        CLEANUP_ERROR Error *error = NULL;

        switch (option) {
        case 'h': print_help(); return EXIT_SUCCESS;
        case 'V': printf("dbus-mqtt-gateway %s\n", PROJECT_VERSION); return EXIT_SUCCESS;
        case '?': fprintf(stderr, "Try 'dbus-mqtt-gateway --help'.\n"); return EXIT_USAGE;
        default:
                if (cmd_settings_take(settings, option, &error) >= 0)
                        return -1;
                fprintf(stderr, "dbus-mqtt-gateway: %s\n", error_text(error));
                return EXIT_USAGE;
        }
}

int cmd_run(int argc, char **argv)
{
        static const struct option own[] = {
                {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {}};
        CLEANUP_CMD_SETTINGS CmdSettings settings = {};
        CLEANUP_ERROR Error *error = NULL;
        int option, status = -1;

        if (cmd_settings_init(&settings, CMD_SETTINGS_RUN, own, &error) < 0) {
                log_error("%s", error_text(error));
                return EXIT_FAILURE;
        }
        while (status < 0 && (option = getopt_long(argc, argv, "h", settings.options, NULL)) >= 0)
                status = take_option(&settings, option);
        if (status >= 0)
                return status;
        if (optind < argc) {
                fprintf(stderr, "dbus-mqtt-gateway: unexpected argument '%s'\n", argv[optind]);
                return EXIT_USAGE;
        }
        return run(&settings);
}
