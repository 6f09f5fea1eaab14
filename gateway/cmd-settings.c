/* SPDX-License-Identifier: MIT */

#include "gateway/cmd-settings.h"

#include <errno.h>

#include "gateway/cmd.h"

static const struct {
        const char *option;
        const char *key;
        bool client; /* says where a gateway is, and how to get at it */
} known[] = {
        {"mappings", "mappings", false},
        {"broker", "broker", true},
        {"bus", "bus", false},
        {"root", "root", true},
        {"name", "name", true},
        {"user", "user", true},
        {"password-file", "password_file", true},
        {"ca", "ca_file", true},
        {"cert", "cert_file", true},
        {"key", "key_file", true},
        {"state-dir", "state_dir", false},
        /* not for clients: with its own id they would drive it off the broker */
        {"client-id", "client_id", false},
        {"log-level", "log_level", false},
};

/* What getopt_long() returns, beyond every short option: --config, then those of the table. */
enum { OPTION_CONFIG = 256, FIRST_OPTION };

int cmd_settings_init(CmdSettings *settings, CmdSettingsScope scope, const struct option *own,
                      Error **ret_error)
{
        size_t count = 0;

        *settings = (CmdSettings){};
        for (; own->name; own++)
                settings->options[count++] = *own;
        settings->options[count++] =
                (struct option){"config", required_argument, NULL, OPTION_CONFIG};
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (known[i].client || scope == CMD_SETTINGS_RUN)
                        settings->options[count++] = (struct option){
                                known[i].option, required_argument, NULL, FIRST_OPTION + (int)i};
        return gateway_config_init(&settings->config, ret_error);
}

void cmd_settings_done(CmdSettings *settings)
{
        gateway_config_done(&settings->config);
}

int cmd_settings_take(CmdSettings *settings, int option, Error **ret_error)
{
        size_t index = (size_t)(option - FIRST_OPTION);
        int r;

        if (option == OPTION_CONFIG) {
                settings->file = optarg;
                return 0;
        }
        if (option < FIRST_OPTION || index >= ARRAY_SIZE(known))
                return -ENOENT;
        r = gateway_config_set(&settings->config, known[index].key, optarg, ret_error);
        if (r >= 0)
                return 0;
        error_prefix(ret_error, "--%s: ", known[index].option);
        return -EINVAL;
}

int cmd_settings_load(CmdSettings *settings, Error **ret_error)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        int r = 0;

        if (settings->file)
                r = gateway_config_load(&settings->config, settings->file, &diagnostics);
        diagnostics_print(&diagnostics);
        return r < 0 ? -EINVAL : gateway_config_check(&settings->config, ret_error);
}
