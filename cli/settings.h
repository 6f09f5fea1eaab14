/* SPDX-License-Identifier: MIT */
#pragma once

/* What the command line, the environment and the configuration files say: the options that all
 * verbs share, and the fields that options of single verbs write to. An option goes before the
 * environment, that before the user's file, and that before the system's. */

#include <stdint.h>

#include "cli/option.h"

/* The unix socket of the packaged broker configuration (packaging/mosquitto/mqttrpc.conf). */
#define DEFAULT_BROKER "unix:///run/mqttrpc/broker.sock"

/* How long connecting may take when no --timeout is given. */
#define DEFAULT_CONNECT_USEC (5 * USEC_PER_SEC)

typedef enum ColorMode {
        COLOR_AUTO, /* on a terminal, unless NO_COLOR is in the environment */
        COLOR_ALWAYS,
        COLOR_NEVER,
} ColorMode;

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
        /* From the environment and files: a user in the URI goes before them. */
        const char *fallback_user;
        const char *fallback_password_file;
        const char *fallback_ca_file;
        const char *fallback_cert_file;
        const char *fallback_key_file;
        /* Options of single verbs. */
        const char *params;
        const char *name;  /* of a signal, property or method */
        const char *state; /* to wait for */
        uint64_t count;    /* SETTINGS_NO_COUNT: not given */
        uint64_t interval_usec;
        uint64_t index; /* of the word to be completed */
        ColorMode color;
        bool all;
        bool cached;
        bool changed;
        bool signals; /* kinds of messages to show */
        bool properties;
        bool calls;
        bool presence;
        /* What files say: owned; texts point into them. */
        char **owned;
        size_t n_owned;
} Settings;

#define SETTINGS_NO_COUNT UINT64_MAX

extern const OptionList settings_options;

/* The file of the system; that of a user is mqttrpc/config.json in $XDG_CONFIG_HOME or ~/.config.
 * If MQTTRPC_CONFIG is set it names the only file, or none if it is empty. */
#define SETTINGS_SYSTEM_FILE "/etc/mqttrpc/config.json"

/* The defaults, on top of them what the files say, and then the environment. */
int settings_init(Settings *settings, Error **error);
void settings_done(Settings *settings);

/* Reads one file, on top of what was read before. Its keys are the options that have a variable,
 * with '_' for '-'. -ENOENT without an error if there is none. */
int settings_load_file(Settings *settings, const char *path, Error **error);

/* Parse functions for options of verbs. Fields: uint64_t, uint64_t, ColorMode. */
int settings_parse_count(const char *text, void *field, Error **error);
int settings_parse_interval(const char *text, void *field, Error **error);
int settings_parse_color(const char *text, void *field, Error **error);
