/* SPDX-License-Identifier: MIT */

/* `run`, which is also what happens without a verb; its --help is that of the program. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "gateway/cmd.h"
#include "gateway/gateway.h"

/* Options that stand for a key of the configuration; the others are in main_options below. */
static const struct {
        const char *option;
        const char *key;
} config_options[] = {
        {"mappings", "mappings"},
        {"broker", "broker"},
        {"bus", "bus"},
        {"root", "root"},
        {"name", "name"},
        {"user", "user"},
        {"password-file", "password_file"},
        {"ca", "ca_file"},
        {"cert", "cert_file"},
        {"key", "key_file"},
        {"client-id", "client_id"},
        {"log-level", "log_level"},
};

/* getopt_long() returns 'a' + index for them, beyond every short option. */
enum { FIRST_CONFIG_OPTION = 256 };

static void print_help(void)
{
        printf("dbus-mqtt-gateway - D-Bus services as JSON-RPC over MQTT\n"
               "\n"
               "Usage: dbus-mqtt-gateway [run] [OPTION...]\n"
               "       dbus-mqtt-gateway check FILE|DIR...\n"
               "       dbus-mqtt-gateway generate [OPTION...] NAME [PATH...]\n"
               "       dbus-mqtt-gateway diff [OPTION...] FILE\n"
               "       dbus-mqtt-gateway emit KIND [OPTION...] FILE...\n"
               "\n"
               "run (the default) serves until SIGTERM. check reports all that is wrong with "
               "mapping\n"
               "files, generate writes one from what a service offers, diff compares one with "
               "that,\n"
               "and emit makes documents and access rules of them. Each has a --help of its own;\n"
               "these are the options of run:\n"
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
               "      --client-id ID        MQTT client id (made up)\n"
               "      --log-level LEVEL     error, warning, notice, info or debug (info)\n"
               "  -h, --help                show this help\n"
               "      --version             show the version\n"
               "\n"
               "See dbus-mqtt-gateway(8).\n");
}

static int report(const Error *error)
{
        log_error("%s", error_text(error));
        return EXIT_FAILURE;
}

static int run(GatewayConfig *config, const char *file)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        Gateway *gateway = NULL;
        int r;

        if (file && gateway_config_load(config, file, &diagnostics) < 0) {
                cmd_print_findings(&diagnostics);
                return EXIT_FAILURE;
        }
        cmd_print_findings(&diagnostics);
        log_set_level((LogLevel)gateway_config_log_level(config));
        r = gateway_config_check(config, &error);
        if (r >= 0)
                r = gateway_new(config, &gateway, &error);
        if (r >= 0)
                r = gateway_run(gateway, &error);
        gateway_free(gateway);
        return r < 0 ? report(error) : EXIT_SUCCESS;
}

/* ---- command line ---- */

typedef struct Arguments {
        GatewayConfig config;
        const char *config_file;
        bool done; /* --help or --version */
} Arguments;

static int take_option(Arguments *arguments, int option)
{
        CLEANUP_ERROR Error *error = NULL;
        size_t index = (size_t)(option - FIRST_CONFIG_OPTION);

        switch (option) {
        case 'h':
                print_help();
                arguments->done = true;
                return 0;
        case 'V':
                printf("dbus-mqtt-gateway %s\n", PROJECT_VERSION);
                arguments->done = true;
                return 0;
        case 'c': arguments->config_file = optarg; return 0;
        case '?': fprintf(stderr, "Try 'dbus-mqtt-gateway --help'.\n"); return -EINVAL;
        default:
                if (gateway_config_set(&arguments->config, config_options[index].key, optarg,
                                       &error) >= 0)
                        return 0;
                fprintf(stderr, "dbus-mqtt-gateway: --%s: %s\n", config_options[index].option,
                        error_text(error));
                return -EINVAL;
        }
}

static int parse_options(Arguments *arguments, int argc, char **argv)
{
        struct option options[ARRAY_SIZE(config_options) + 4] = {
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
                {"config", required_argument, NULL, 'c'},
        };
        int option, r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(config_options); i++)
                options[i + 3] = (struct option){config_options[i].option, required_argument, NULL,
                                                 FIRST_CONFIG_OPTION + (int)i};
        while (r >= 0 && !arguments->done &&
               (option = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                r = take_option(arguments, option);
        return r;
}

int cmd_run(int argc, char **argv)
{
        CLEANUP_ERROR Error *error = NULL;
        Arguments arguments = {};
        int status;

        if (gateway_config_init(&arguments.config, &error) < 0)
                return report(error);
        if (parse_options(&arguments, argc, argv) < 0) {
                status = EXIT_USAGE;
        } else if (arguments.done) {
                status = EXIT_SUCCESS;
        } else if (optind < argc) {
                fprintf(stderr, "dbus-mqtt-gateway: unexpected argument '%s'\n", argv[optind]);
                status = EXIT_USAGE;
        } else {
                status = run(&arguments.config, arguments.config_file);
        }
        gateway_config_done(&arguments.config);
        return status;
}
