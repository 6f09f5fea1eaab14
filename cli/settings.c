/* SPDX-License-Identifier: MIT */

#include "cli/settings.h"

#include <errno.h>
#include <string.h>

#include "cli/duration.h"
#include "common/json-scan.h"
#include "common/limits.h"

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
         "print the equivalent mosquitto_rr command"},
        {"help", 'h', NULL, NULL, option_parse_flag, FIELD(help), "show this text"},
        {"version", 0, NULL, NULL, option_parse_flag, FIELD(version), "show the version"},
};

const OptionList settings_options = {options, ARRAY_SIZE(options)};

int settings_init(Settings *settings, Error **error)
{
        int r;

        *settings = (Settings){
                .broker = DEFAULT_BROKER,
                .root = "mb1",
                .protocol = 5,
                .qos = 1,
                .count = 4,
                .interval_usec = USEC_PER_SEC,
        };
        r = option_read_environment(&settings_options, settings, error);
        if (r < 0)
                return r;
        settings->fallback_user = STEAL(settings->user);
        settings->fallback_password_file = STEAL(settings->password_file);
        return 0;
}
