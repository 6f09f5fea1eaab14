/* SPDX-License-Identifier: MIT */

#include "gateway/broker.h"

#include <stdio.h>
#include <string.h>

int broker_take_error(int r, MqttRpcError *error, Error **ret_error)
{
        if (r < 0)
                error_set(ret_error, r, "%s",
                          error ? mqttrpc_error_get_message(error) : strerrordesc_np(-r));
        mqttrpc_error_free(error);
        return r;
}

static int set_credentials(const GatewayConfig *config, MqttRpcBus *bus, Error **ret_error)
{
        CLEANUP_FREE char *password = NULL;
        int r;

        if (!config->user)
                return 0;
        r = gateway_config_read_password(config, &password, ret_error);
        if (r < 0)
                return r;
        r = mqttrpc_bus_set_credentials(bus, config->user, password);
        if (password)
                explicit_bzero(password, strlen(password));
        return broker_take_error(r, NULL, ret_error);
}

int broker_apply_settings(const GatewayConfig *config, MqttRpcBus *bus, Error **ret_error)
{
        MqttRpcError *error = NULL;
        int r;

        r = mqttrpc_bus_set_uri(bus, config->broker, &error);
        if (r < 0)
                return broker_take_error(r, error, ret_error);
        r = set_credentials(config, bus, ret_error);
        if (r < 0)
                return r;
        r = mqttrpc_bus_set_root(bus, config->root);
        if (r >= 0)
                r = mqttrpc_bus_set_keepalive(bus, config->keepalive_s);
        if (r >= 0)
                r = mqttrpc_bus_set_tls(bus, config->ca_file, config->cert_file, config->key_file);
        return broker_take_error(r, NULL, ret_error);
}

char *broker_dup_public_uri(const char *uri)
{
        const char *start = strstr(uri, "://"), *at;
        char *text;

        start = start ? start + strlen("://") : uri;
        at = memrchr(start, '@', strcspn(start, "/"));
        if (!at)
                return strdup(uri);
        if (asprintf(&text, "%.*s%s", (int)(start - uri), uri, at + 1) < 0)
                return NULL;
        return text;
}
