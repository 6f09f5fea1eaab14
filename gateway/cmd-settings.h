/* SPDX-License-Identifier: MIT */
#pragma once

/* Settings on the command line: options that stand for a key of the configuration, and --config.
 * `run` has them all; verbs that ask a running gateway have those that say where it is. */

#include <getopt.h>

#include "gateway/config.h"

typedef enum CmdSettingsScope {
        CMD_SETTINGS_RUN,
        CMD_SETTINGS_CLIENT,
} CmdSettingsScope;

/* Of both kinds of options together. */
enum { CMD_SETTINGS_OPTIONS = 24 };

typedef struct CmdSettings {
        GatewayConfig config;
        const char *file; /* of --config; NULL: none */
        struct option options[CMD_SETTINGS_OPTIONS];
} CmdSettings;

/* Fills in the defaults and the table for getopt_long(): the verb's own options, which end with an
 * empty one, and those of the settings. 0, or -ENOMEM with the error. */
int cmd_settings_init(CmdSettings *settings, CmdSettingsScope scope, const struct option *own,
                      Error **ret_error);
void cmd_settings_done(CmdSettings *settings);
#define CLEANUP_CMD_SETTINGS CLEANUP(cmd_settings_done)

/* Takes what getopt_long() has returned, if it is one of these: 0; -ENOENT if it is not; -EINVAL
 * with the error. */
int cmd_settings_take(CmdSettings *settings, int option, Error **ret_error);
/* Reads the file, if one was named, printing what is wrong in it. 0; -EINVAL, with the error if it
 * was not printed. */
int cmd_settings_load(CmdSettings *settings, Error **ret_error);
