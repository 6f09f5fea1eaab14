/* SPDX-License-Identifier: MIT */

#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/address.h"
#include "cli/duration.h"
#include "common/file.h"
#include "common/json-file.h"
#include "common/limits.h"
#include "common/suggest.h"

static int parse_timeout(const char *text, void *field, Error **error)
{
        uint64_t usec;
        int r;

        r = duration_parse(text, &usec, error);
        if (r < 0)
                return r;
        if (usec == 0)
                return error_set(error, -EINVAL, "must be more than 0");
        *(uint64_t *)field = usec;
        return 0;
}

static int parse_protocol(const char *text, void *field, Error **error)
{
        if (!strcmp(text, "5"))
                *(unsigned *)field = 5;
        else if (!strcmp(text, "3.1.1"))
                *(unsigned *)field = 4;
        else
                return error_set(error, -EINVAL, "'%s' is neither 5 nor 3.1.1", text);
        return 0;
}

static int parse_qos(const char *text, void *field, Error **error)
{
        if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
                return error_set(error, -EINVAL, "'%s' is neither 0 nor 1", text);
        *(unsigned *)field = (unsigned)(*text - '0');
        return 0;
}

int settings_parse_count(const char *text, void *field, Error **error)
{
        if (json_parse_uint64(text, strlen(text), field) < 0)
                return error_set(error, -EINVAL, "'%s' is not a number", text);
        return 0;
}

int settings_parse_interval(const char *text, void *field, Error **error)
{
        return duration_parse(text, field, error);
}

int settings_parse_color(const char *text, void *field, Error **error)
{
        static const char *const words[] = {"auto", "always", "never"};

        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
                if (!strcmp(text, words[i])) {
                        *(ColorMode *)field = (ColorMode)i;
                        return 0;
                }
        return error_set(error, -EINVAL, "'%s' is none of auto, always, never", text);
}

#define FIELD(name) offsetof(Settings, name)

static const Option options[] = {
        {"broker", 'b', "URI", "MQTTRPC_BROKER", option_parse_text, FIELD(broker),
         "mqtt://, mqtts:// or unix:// address of the broker"},
        {"user", 'u', "NAME", "MQTTRPC_USER", option_parse_text, FIELD(user), "log in as NAME"},
        {"password-file", 0, "FILE", "MQTTRPC_PASSWORD_FILE", option_parse_text,
         FIELD(password_file), "with the password in the first line of FILE"},
        {"caller", 0, "NAME", "MQTTRPC_CALLER", option_parse_text, FIELD(caller),
         "name to call by, if not the user's"},
        {"client-id", 0, "ID", "MQTTRPC_CLIENT_ID", option_parse_text, FIELD(client_id),
         "MQTT client id"},
        {"root", 'r', "ROOT", "MQTTRPC_ROOT", option_parse_text, FIELD(root),
         "first levels of all topics (mb1)"},
        {"ca", 0, "FILE", "MQTTRPC_CA", option_parse_text, FIELD(ca_file),
         "certificates to trust, with mqtts://"},
        {"cert", 0, "FILE", "MQTTRPC_CERT", option_parse_text, FIELD(cert_file),
         "own certificate, with mqtts://"},
        {"key", 0, "FILE", "MQTTRPC_KEY", option_parse_text, FIELD(key_file),
         "key of the own certificate"},
        {"mqtt", 0, "5|3.1.1", "MQTTRPC_MQTT", parse_protocol, FIELD(protocol),
         "version of MQTT (5)"},
        {"qos", 0, "0|1", "MQTTRPC_QOS", parse_qos, FIELD(qos), "quality of service (1)"},
        {"timeout", 't', "DURATION", "MQTTRPC_TIMEOUT", parse_timeout, FIELD(timeout_usec),
         "how long to wait: 500ms, 2s, 1m; 5 is 5s"},
        {"json", 'j', NULL, NULL, option_parse_flag, FIELD(json),
         "print one JSON object a line, errors too"},
        {"verbose", 'v', NULL, NULL, option_parse_flag, FIELD(verbose),
         "print the equivalent mosquitto command"},
        {"help", 'h', NULL, NULL, option_parse_flag, FIELD(help), "show this text"},
        {"version", 0, NULL, NULL, option_parse_flag, FIELD(version), "show the version"},
};

const OptionList settings_options = {options, ARRAY_SIZE(options)};

/* ---- layers ---- */

/* User and password belong together: one layer's password is not for another layer's user. */
typedef struct Login {
        const char *user;
        const char *password_file;
} Login;

static Login begin_layer(Settings *settings)
{
        Login before = {settings->user, settings->password_file};

        settings->user = NULL;
        settings->password_file = NULL;
        return before;
}

static void end_layer(Settings *settings, const Login *before)
{
        bool same = !settings->user || (before->user && !strcmp(settings->user, before->user));

        if (!settings->user)
                settings->user = before->user;
        if (!settings->password_file && same)
                settings->password_file = before->password_file;
}

/* ---- files ---- */

/* Keeps a text as long as the settings. Takes it over; NULL is a failure. */
static const char *keep(Settings *settings, char *text)
{
        char **owned;

        if (!text)
                return NULL;
        owned = reallocarray(settings->owned, settings->n_owned + 1, sizeof(*owned));
        if (!owned) {
                free(text);
                return NULL;
        }
        settings->owned = owned;
        owned[settings->n_owned++] = text;
        return text;
}

static bool is_path(const Option *option)
{
        return option->value && !strcmp(option->value, "FILE");
}

/* "password-file" as a key: "password_file". */
static bool key_is(const Option *option, const char *key)
{
        size_t i = 0;

        for (; option->name[i]; i++)
                if (key[i] != (option->name[i] == '-' ? '_' : option->name[i]))
                        return false;
        return key[i] == '\0';
}

static const Option *find_key(const char *key)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (options[i].variable && key_is(&options[i], key))
                        return &options[i];
        return NULL;
}

static const char *next_key(size_t index, const void *unused)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (options[i].variable && index-- == 0)
                        return options[i].name;
        return NULL;
}

static void unknown_key(JsonFile *file, uint32_t node, const char *key)
{
        const char *near = suggest(key, next_key, NULL);

        if (near)
                json_file_error(file, node, "unknown key '%s'; is it that of the option --%s?", key,
                                near);
        else
                json_file_error(file, node, "unknown key '%s'", key);
}

/* The text of a value as it would stand on a command line; numbers are taken as they are. */
static char *read_text(JsonFile *file, uint32_t node)
{
        const char *raw;
        size_t length;

        if (json_type(&file->doc, node) != JSON_NUMBER)
                return json_file_string(file, node);
        raw = json_raw(&file->doc, node, &length);
        return strndup(raw, length);
}

static void read_member(Settings *settings, JsonFile *file, uint32_t key_node)
{
        CLEANUP_FREE char *key = json_file_string(file, key_node);
        const Option *option = key ? find_key(key) : NULL;
        CLEANUP_ERROR Error *error = NULL;
        char *text;

        if (key && !option)
                unknown_key(file, key_node, key);
        text = option ? read_text(file, key_node + 1) : NULL;
        if (text && is_path(option)) {
                char *path = file_beside(file->name, text);

                free(text);
                text = path;
        }
        if (!keep(settings, text)) {
                if (!json_file_failed(file))
                        json_file_out_of_memory(file);
        } else if (option->parse(text, (char *)settings + option->offset, &error) < 0) {
                json_file_error(file, key_node + 1, "%s", error_text(error));
        }
}

/* Who can write the file chooses whom a password is sent to. */
static int check_owner(const char *path, Error **error)
{
        struct stat status;

        if (stat(path, &status) < 0)
                return errno == ENOENT || errno == ENOTDIR
                               ? -ENOENT
                               : error_set_errno(error, -errno, "cannot look at %s", path);
        if (status.st_uid != 0 && status.st_uid != geteuid())
                return error_set(error, -EPERM, "%s belongs to somebody else: it is not read",
                                 path);
        if (status.st_mode & (S_IWGRP | S_IWOTH))
                return error_set(error, -EPERM,
                                 "%s can be written by others: it is not read; chmod go-w makes "
                                 "it safe",
                                 path);
        return 0;
}

/* What a password is in is for its owner and its group alone. */
static int check_secrecy(const char *path, const char *what, Error **error)
{
        struct stat status;

        if (stat(path, &status) < 0 || !(status.st_mode & S_IROTH))
                return 0; /* that it cannot be read is told when it is */
        return error_set(error, -EPERM, "%s, %s, can be read by everybody: chmod o-r makes it safe",
                         path, what);
}

static bool has_password(const char *uri)
{
        CLEANUP_ADDRESS Address address = {};

        return address_parse(uri, &address) >= 0 && address.has_password;
}

static int check_secrets(const Settings *settings, const char *path, Error **error)
{
        if (settings->password_file &&
            check_secrecy(settings->password_file, "the password file", error) < 0)
                return -EPERM;
        return has_password(settings->broker)
                       ? check_secrecy(path, "which has a password in it", error)
                       : 0;
}

/* The first finding: a command line is no place for a list. */
static int report_file(const Diagnostics *diagnostics, Error **error)
{
        for (size_t i = 0; i < diagnostics->count; i++)
                if (diagnostics->items[i].level == DIAGNOSTIC_ERROR)
                        return error_set(error, -EINVAL, "%s", diagnostics->items[i].text);
        return -ENOMEM;
}

int settings_load_file(Settings *settings, const char *path, Error **error)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_JSON_FILE JsonFile file = {};
        Login before;
        int r;

        r = check_owner(path, error);
        if (r < 0)
                return r;
        if (json_file_load(&file, path, &diagnostics) < 0)
                return report_file(&diagnostics, error);
        before = begin_layer(settings);
        if (json_file_expect(&file, 0, JSON_OBJECT))
                JSON_FOREACH (&file.doc, 0, key)
                        read_member(settings, &file, key);
        r = json_file_failed(&file) ? report_file(&diagnostics, error)
                                    : check_secrets(settings, path, error);
        end_layer(settings, &before);
        return r;
}

/* Owned by the caller; NULL if there is no home. */
static char *user_file(void)
{
        const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        char *path = NULL;
        int r = -1;

        if (folder && *folder == '/')
                r = asprintf(&path, "%s/mqttrpc/config.json", folder);
        else if (home && *home == '/')
                r = asprintf(&path, "%s/.config/mqttrpc/config.json", home);
        return r < 0 ? NULL : path;
}

static int load_files(Settings *settings, Error **error)
{
        const char *only = getenv("MQTTRPC_CONFIG");
        CLEANUP_FREE char *user = NULL;
        int r;

        if (only && *only) {
                r = settings_load_file(settings, only, error);
                return r == -ENOENT && !*error
                               ? error_set(error, r,
                                           "MQTTRPC_CONFIG in the environment: there is "
                                           "no file %s",
                                           only)
                               : r;
        }
        if (only)
                return 0;
        r = settings_load_file(settings, SETTINGS_SYSTEM_FILE, error);
        user = user_file();
        if ((r >= 0 || (r == -ENOENT && !*error)) && user)
                r = settings_load_file(settings, user, error);
        return r == -ENOENT && !*error ? 0 : r;
}

/* ---- life ---- */

int settings_init(Settings *settings, Error **error)
{
        Login before;
        int r;

        *settings = (Settings){
                .broker = DEFAULT_BROKER,
                .root = "mb1",
                .protocol = 5,
                .qos = 1,
                .count = SETTINGS_NO_COUNT,
                .interval_usec = USEC_PER_SEC,
        };
        r = load_files(settings, error);
        if (r < 0)
                return r;
        before = begin_layer(settings);
        r = option_read_environment(&settings_options, settings, error);
        end_layer(settings, &before);
        if (r < 0)
                return r;
        settings->fallback_user = STEAL(settings->user);
        settings->fallback_password_file = STEAL(settings->password_file);
        settings->fallback_ca_file = settings->ca_file;
        settings->fallback_cert_file = settings->cert_file;
        settings->fallback_key_file = settings->key_file;
        return 0;
}

void settings_done(Settings *settings)
{
        for (size_t i = 0; i < settings->n_owned; i++)
                free(settings->owned[i]);
        free(settings->owned);
        *settings = (Settings){};
}
