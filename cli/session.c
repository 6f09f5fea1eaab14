/* SPDX-License-Identifier: MIT */

#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/mosquitto-line.h"
#include "cli/near.h"
#include "common/clock.h"
#include "common/limits.h"

int session_open(Client *client, const Settings *settings, const char *verb)
{
        CLEANUP_RPC_ERROR MqttRpcError *refusal = NULL;
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = client_init(client, settings, &error);
        if (r < 0)
                return error ? report_usage(verb, error) : report_internal(r);
        r = client_connect(client, &refusal);
        return r < 0 ? report_no_connection(client, r, refusal) : STATUS_OK;
}

void session_show_watch(const Client *client, const char *const *filters, bool retained)
{
        CLEANUP_BUFFER Buffer line = BUFFER_INIT(0);

        if (client->settings->verbose &&
            mosquitto_line_write_watch(&line, client, filters, retained) >= 0)
                fprintf(stderr, "%s\n", buffer_text(&line));
}

uint64_t session_timeout(const Settings *settings)
{
        return settings->timeout_usec ? settings->timeout_usec : DEFAULT_TIMEOUT_USEC;
}

int session_collect(Client *client, Inventory *inventory, unsigned kinds, const char *service,
                    const char *object)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        int r;

        r = inventory_collect(inventory, client, kinds, service, object,
                              clock_now() + session_timeout(client->settings), &error);
        return r < 0 ? report_failed_watch(client, r, error) : STATUS_OK;
}

int session_call(Client *client, const ClientCall *call, MqttRpcReply **ret_reply)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        const MqttRpcError *reason;
        int r;

        report_command_line(client, call, false);
        r = client_call(client, call, &reply, &error);
        reason = r < 0 ? error : mqttrpc_reply_get_error(reply);
        if (r < 0 || reason)
                return report_failed_call(client, call, r, reason);
        *ret_reply = STEAL(reply);
        return STATUS_OK;
}

int session_find_service(Client *client, const char *service)
{
        unsigned kinds = INVENTORY_SERVICE | (strchr(service, '.') ? INVENTORY_DESCRIPTION : 0);
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_INVENTORY Inventory inventory = {};
        const char *near;
        int status;

        status = session_collect(client, &inventory, kinds, NULL, NULL);
        if (status != STATUS_OK ||
            inventory_find(&inventory, INVENTORY_SERVICE, service, NULL, NULL))
                return status;
        near = near_service(&inventory, service);
        mqttrpc_error_set(&error, MQTTRPC_ERROR_NO_SERVICE,
                          near ? "there is no service '%s'; did you mean '%s'?"
                               : "there is no service '%s'",
                          service, near);
        return report_failed_watch(client, -ENOENT, error);
}
