/* SPDX-License-Identifier: MIT */

/* Asks the service of a running bridge, as the same user of the local broker. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bridge/cmd.h"
#include "bridge/policy-load.h"
#include "common/json-scan.h"
#include "mqttrpc/mqttrpc.h"

#define TIMEOUT_USEC (UINT64_C(5) * 1000000)

static void print_help(void)
{
        printf("mqttrpc-bridge status - how a running bridge is\n"
               "\n"
               "Usage: mqttrpc-bridge status [--config FILE] [--json]\n"
               "\n"
               "  -c, --config FILE  the policy of the bridge (%s)\n"
               "      --json         print it as JSON\n"
               "  -h, --help         show this help\n"
               "\n"
               "Exit status: 0 if both sides are up, 3 if one is down, 1 if the bridge cannot be\n"
               "asked, 2 for a mistake in the command.\n",
               DEFAULT_POLICY_PATH);
}

enum { EXIT_DOWN = 3 };

static int connect_bus(const Policy *policy, MqttRpcBus *bus, MqttRpcError **error)
{
        CLEANUP_FREE char *password = NULL;
        const Endpoint *local = &policy->local;
        int r;

        r = policy_read_secret(local->password_file, &password, NULL);
        if (r >= 0)
                r = mqttrpc_bus_set_uri(bus, local->uri, error);
        if (r >= 0)
                r = mqttrpc_bus_set_root(bus, policy->root);
        if (r >= 0 && local->user)
                r = mqttrpc_bus_set_credentials(bus, local->user, password);
        if (r >= 0 && local->address.tls)
                r = mqttrpc_bus_set_tls(bus, local->ca_file, local->cert_file, local->key_file);
        if (r >= 0)
                r = mqttrpc_bus_open(bus, error);
        if (r >= 0)
                r = mqttrpc_bus_wait_connected(bus, TIMEOUT_USEC, error);
        return r;
}

static int print_values(const char *text, bool json)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        int status = EXIT_SUCCESS;

        if (json_scan(&doc, text, strlen(text), JSON_SCAN_STRICT) < 0 ||
            json_type(&doc, 0) != JSON_OBJECT)
                return EXIT_FAILURE;
        if (json)
                printf("%s\n", text);
        JSON_FOREACH (&doc, 0, key) {
                size_t n_key, n_value;
                const char *name = json_raw(&doc, key, &n_key);
                const char *value = json_raw(&doc, key + 1, &n_value);

                if (!json)
                        printf("%-16.*s %.*s\n", (int)n_key - 2, name + 1, (int)n_value, value);
                if ((json_string_is(&doc, key, "Cloud") || json_string_is(&doc, key, "Local")) &&
                    !json_string_is(&doc, key + 1, "up"))
                        status = EXIT_DOWN;
        }
        return status;
}

static int ask(const Policy *policy, bool json)
{
        MqttRpcError *error = NULL;
        MqttRpcReply *reply = NULL;
        MqttRpcBus *bus = NULL;
        int r, status = EXIT_FAILURE;

        r = mqttrpc_bus_new(&bus);
        if (r >= 0)
                r = connect_bus(policy, bus, &error);
        if (r >= 0)
                r = mqttrpc_call(bus, policy->name, "-", "prop.getall", "[]", TIMEOUT_USEC, 0,
                                 &reply, &error);
        if (r >= 0)
                status = print_values(mqttrpc_reply_get_result(reply, NULL), json);
        else
                fprintf(stderr, "error: the bridge cannot be asked: %s\n",
                        error ? mqttrpc_error_get_message(error) : strerrordesc_np(-r));
        mqttrpc_reply_unref(reply);
        mqttrpc_error_free(error);
        mqttrpc_bus_unref(bus);
        return status;
}

int cmd_status(int argc, char **argv)
{
        CLEANUP_POLICY Policy *policy = NULL;
        CmdOptions options;

        cmd_parse(argc, argv, "cj", print_help, &options);
        if (options.done)
                return options.status;
        if (optind < argc)
                return cmd_usage_error("status", "unexpected argument '%s'", argv[optind]);
        if (cmd_load(options.config, &policy) < 0)
                return EXIT_FAILURE;
        return ask(policy, options.json);
}
