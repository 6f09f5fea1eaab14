/* SPDX-License-Identifier: MIT */
#pragma once

/* The verbs of the command line, one file each. A verb gets its own arguments, its name as the
 * first, and returns the exit status. */

#include "bridge/policy.h"
#include "common/diagnostics.h"

enum { EXIT_USAGE = 2 };

#define DEFAULT_POLICY_PATH "/etc/mqttrpc-bridge/bridge.json"

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_emit(int argc, char **argv);

/* ---- cmd.c: what they share ---- */

typedef struct CmdOptions {
        const char *config;
        const char *output; /* NULL: standard output */
        bool json;
        bool done; /* --help or --version; the exit status is `status` */
        int status;
} CmdOptions;

/* Reads options that all verbs know: --config, --output, --json, --help, --version; `known` says
 * which by their letters "coj". The rest of the line begins at argv[optind]. */
void cmd_parse(int argc, char **argv, const char *known, void (*help)(void),
               CmdOptions *ret_options);
/* Prints "mqttrpc-bridge VERB: TEXT" and returns EXIT_USAGE. */
int cmd_usage_error(const char *verb, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void diagnostics_print(const Diagnostics *diagnostics);
/* Loads a policy and prints what there is to say about it. */
int cmd_load(const char *path, Policy **ret_policy);
