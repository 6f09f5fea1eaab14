/* SPDX-License-Identifier: MIT */

#include "gateway/config.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "gateway/names.h"

/* Folders of mapping files, the later over the earlier. The build may say otherwise. */
#ifndef MAPPINGS_SHIPPED
#define MAPPINGS_SHIPPED "/usr/share/dbus-mqtt-gateway/mappings"
#endif
#ifndef MAPPINGS_LOCAL
#define MAPPINGS_LOCAL "/etc/dbus-mqtt-gateway/mappings.d"
#endif

/* As StateDirectory= of the systemd unit has it. */
#define STATE_DIR "/var/lib/dbus-mqtt-gateway"

enum { LIMIT_PASSWORD_BYTES = 4096 };

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

static int check_broker(const char *text, Error **ret_error)
{
        static const char *const schemes[] = {"mqtt://", "mqtts://", "unix://"};

        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
                if (strncmp(text, schemes[i], strlen(schemes[i])) == 0 &&
                    text[strlen(schemes[i])] != '\0')
                        return 0;
        return error_set(ret_error, -EINVAL,
                         "'%s' is no broker: expected mqtt://HOST, mqtts://HOST or unix:///PATH",
                         text);
}

#define AT(member) offsetof(GatewayConfig, member)

static const JsonField fields[] = {
        {"broker", JSON_FIELD_STRING, AT(broker), .check = check_broker,
         .fallback = "unix:///run/mqttrpc/broker.sock"},
        {"bus", JSON_FIELD_STRING, AT(bus), .check = name_check_bus, .fallback = "system"},
        {"root", JSON_FIELD_STRING, AT(root), .check = name_check_root, .fallback = "mb1"},
        {"name", JSON_FIELD_STRING, AT(name), .check = name_check_level, .fallback = "gateway"},
        {"mappings", JSON_FIELD_PATHS, AT(mappings), .fallback = MAPPINGS_SHIPPED},
        {"user", JSON_FIELD_STRING, AT(user)},
        {"password_file", JSON_FIELD_PATH, AT(password_file)},
        {"ca_file", JSON_FIELD_PATH, AT(ca_file)},
        {"cert_file", JSON_FIELD_PATH, AT(cert_file)},
        {"key_file", JSON_FIELD_PATH, AT(key_file)},
        {"state_dir", JSON_FIELD_PATH, AT(state_dir), .fallback = STATE_DIR},
        {"client_id", JSON_FIELD_STRING, AT(client_id)},
        {"keepalive_s", JSON_FIELD_UINT, AT(keepalive_s), 5, 65535, .fallback = "60"},
        {"reconnect_max_ms", JSON_FIELD_UINT, AT(reconnect_max_ms), 20, 600000,
         .fallback = "30000"},
        {"log_level", JSON_FIELD_WORD, AT(log_level), .words = log_levels, .fallback = "info"},
};

int gateway_config_init(GatewayConfig *config, Error **ret_error)
{
        static const JsonField mappings = {"mappings", JSON_FIELD_PATHS, AT(mappings)};
        int r;

        *config = (GatewayConfig){};
        r = config_init(&config->config, fields, ARRAY_SIZE(fields), config, ret_error);
        if (r < 0)
                return r;
        r = json_field_set_text(&mappings, config, MAPPINGS_LOCAL, ret_error);
        if (r < 0)
                gateway_config_done(config);
        return r;
}

void gateway_config_done(GatewayConfig *config)
{
        config_done(&config->config);
}

int gateway_config_set(GatewayConfig *config, const char *key, const char *text, Error **ret_error)
{
        return config_set(&config->config, key, text, ret_error);
}

int gateway_config_load(GatewayConfig *config, const char *path, Diagnostics *diagnostics)
{
        return config_load(&config->config, path, diagnostics);
}

int gateway_config_check(const GatewayConfig *config, Error **ret_error)
{
        if (!config->cert_file != !config->key_file)
                return error_set(ret_error, -EINVAL,
                                 "cert_file and key_file are only of use together");
        if (config->password_file && !config->user)
                return error_set(ret_error, -EINVAL, "password_file is of no use without user");
        return 0;
}

int gateway_config_read_password(const GatewayConfig *config, char **ret_password,
                                 Error **ret_error)
{
        size_t length;
        char *text;
        int r;

        if (!config->password_file) {
                *ret_password = NULL;
                return 0;
        }
        r = file_read(config->password_file, LIMIT_PASSWORD_BYTES, &text, &length, ret_error);
        if (r < 0)
                return r;
        text[strcspn(text, "\r\n")] = '\0';
        *ret_password = text;
        return 0;
}

int gateway_config_log_level(const GatewayConfig *config)
{
        return LOG_LEVEL_ERROR + config->log_level;
}
