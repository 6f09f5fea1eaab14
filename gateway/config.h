/* SPDX-License-Identifier: MIT */
#pragma once

/* The gateway's settings: defaults, then the file of --config, then options of the command line,
 * which win over the file whether they are set before or after it is loaded. The keys of the file
 * are the names of the members below. */

#include "common/config.h"

typedef struct GatewayConfig {
        Config config;
        char *broker;       /* URI; the unix socket of the packaged broker */
        char *bus;          /* "system" (default), "session" or an address: the bus of mappings
                               that name the system bus, or none */
        char *root;         /* topic prefix; "mb1" */
        char *name;         /* the gateway's own service name; "gateway" */
        JsonPaths mappings; /* folders, the later over the earlier; by default the shipped one and
                               that of the administrator */
        char *user;         /* NULL: none */
        char *password_file;
        char *ca_file;
        char *cert_file;
        char *key_file;
        char *state_dir;           /* folder for what is kept over restarts */
        char *client_id;           /* NULL: made up */
        unsigned keepalive_s;      /* MQTT keep-alive; 60 */
        unsigned reconnect_max_ms; /* longest pause between attempts to connect; 30,000 */
        int log_level;             /* index into error, warning, notice, info, debug: see below */
} GatewayConfig;

/* Fills in the defaults. 0 or -ENOMEM. */
int gateway_config_init(GatewayConfig *config, Error **ret_error);
void gateway_config_done(GatewayConfig *config);

/* Sets one key from the command line; see config_set(). A second "mappings" adds a folder. */
int gateway_config_set(GatewayConfig *config, const char *key, const char *text, Error **ret_error);

/* Reads a file; see config_load(). */
int gateway_config_load(GatewayConfig *config, const char *path, Diagnostics *diagnostics);

/* What only holds between settings: a certificate needs its key, a password file a user. To be
 * called when all is set. 0 or -EINVAL. */
int gateway_config_check(const GatewayConfig *config, Error **ret_error);

/* Reads password_file up to its first line end; owned by the caller. NULL if none is set. */
int gateway_config_read_password(const GatewayConfig *config, char **ret_password,
                                 Error **ret_error);

/* The LogLevel of log_level. */
int gateway_config_log_level(const GatewayConfig *config);
