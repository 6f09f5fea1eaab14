/* SPDX-License-Identifier: MIT */
#pragma once

/* What the command line and the environment say: the options that all verbs share, and the fields
 * that options of single verbs write to. Texts are borrowed from argv and the environment. */

#include <stdint.h>

#include "cli/option.h"

/* The unix socket of the packaged broker configuration (packaging/mosquitto/mqttrpc.conf). */
#define DEFAULT_BROKER "unix:///run/mqttrpc/broker.sock"

/* How long connecting may take when no --timeout is given. */
#define DEFAULT_CONNECT_USEC (5 * USEC_PER_SEC)

typedef struct Settings {
        const char *broker;
        const char *user;
        const char *password_file;
        const char *caller;
        const char *client_id;
        const char *root;
        const char *ca_file;
        const char *cert_file;
        const char *key_file;
        unsigned protocol;     /* 5 or 4, for MQTT 3.1.1 */
        unsigned qos;          /* 0 or 1 */
        uint64_t timeout_usec; /* 0: not given */
        bool json;
        bool verbose;
        bool help;
        bool version;
        /* From the environment: a user in the URI goes before them. */
        const char *fallback_user;
        const char *fallback_password_file;
        /* Options of single verbs. */
        const char *params;
        uint64_t count;
        uint64_t interval_usec;
} Settings;

extern const OptionList settings_options;

/* The defaults, and on top of them what the environment says. */
int settings_init(Settings *settings, Error **error);

/* Parse functions for options of verbs. Field: uint64_t. */
int settings_parse_count(const char *text, void *field, Error **error);
int settings_parse_interval(const char *text, void *field, Error **error);
