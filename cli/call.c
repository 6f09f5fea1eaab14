/* SPDX-License-Identifier: MIT */

/* mqttrpc call, mqttrpc notify */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/names.h"
#include "cli/params.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "common/limits.h"

/* Standard input up to its end; a little more than allowed, so that too much is seen. */
static int read_input(Buffer *buffer, Error **error)
{
        size_t n;

        do {
                char *at = buffer_reserve(buffer, 64 * 1024);

                if (!at)
                        return error_set(error, -EMSGSIZE, "standard input: too large");
                n = fread(at, 1, 64 * 1024, stdin);
                buffer_commit(buffer, n);
        } while (n > 0);
        if (ferror(stdin))
                return error_set_errno(error, -errno, "cannot read standard input");
        if (memchr(buffer_text(buffer), '\0', buffer->length))
                return error_set(error, -EINVAL, "standard input: not JSON: it has a zero byte");
        return 0;
}

static int read_params(const char *option, Params *ret_params, Error **error)
{
        CLEANUP_BUFFER Buffer input = BUFFER_INIT(LIMIT_PAYLOAD_BYTES + 128 * 1024);
        int r;

        if (!strcmp(option, "-")) {
                r = read_input(&input, error);
                if (r < 0)
                        return r;
                option = buffer_text(&input);
        }
        r = params_from_json(option, ret_params, error);
        error_prefix(error, "--params: ");
        return r;
}

/* What to call, from operands that have been counted. */
static int parse_call(const Settings *settings, const char *const *operands, size_t count,
                      ClientCall *ret_call, Params *ret_params, Error **error)
{
        const char *const *arguments = operands + 3;
        int r;

        r = names_check(operands[0], operands[1], operands[2], error);
        if (r < 0)
                return r;
        if (settings->params && count > 3)
                return error_set(error, -EINVAL,
                                 "'%.64s': with --params there are no other arguments",
                                 arguments[0]);
        r = settings->params ? read_params(settings->params, ret_params, error)
                             : params_build(arguments, count - 3, ret_params, error);
        if (r < 0)
                return r;
        *ret_call = (ClientCall){
                .service = operands[0],
                .object = operands[1],
                .method = operands[2],
                .params = ret_params->text,
                .timeout_usec =
                        settings->timeout_usec ? settings->timeout_usec : DEFAULT_TIMEOUT_USEC,
        };
        return 0;
}

static void print_params_hints(const Client *client, const Params *params)
{
        if (params->note)
                fprintf(stderr, "hint: %s\n", params->note);
        if (params->is_one_container && !client->settings->params)
                fputs("hint: each ARG is one argument; to give all of them as one JSON array or "
                      "object use --params\n",
                      stderr);
}

static int run_call(Client *client, const ClientCall *call, const Params *params)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        const MqttRpcError *reason;
        int r, status;

        r = client_call(client, call, &reply, &error);
        reason = r < 0 ? error : mqttrpc_reply_get_error(reply);
        if (r >= 0 && !reason)
                return report_result(client, reply);
        status = report_failed_call(client, call, r, reason);
        if (reason && mqttrpc_error_get_code(reason) == MQTTRPC_ERROR_INVALID_PARAMS &&
            !client->settings->json)
                print_params_hints(client, params);
        return status;
}

static int run_notify(Client *client, const ClientCall *call)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        CLEANUP_REPLY MqttRpcReply *reply = NULL;
        const MqttRpcError *reason = NULL;
        int r;

        r = client_notify(client, call, &reply, &error);
        if (r < 0)
                reason = error;
        else if (reply)
                reason = mqttrpc_reply_get_error(reply);
        return r < 0 || reason ? report_failed_call(client, call, r, reason) : STATUS_OK;
}

static int run(const Settings *settings, const char *const *operands, size_t count,
               bool notification)
{
        const char *verb = notification ? "notify" : "call";
        CLEANUP_CLIENT Client client = {.signal_fd = -1};
        CLEANUP_RPC_ERROR MqttRpcError *refusal = NULL;
        CLEANUP_PARAMS Params params = {};
        CLEANUP_ERROR Error *error = NULL;
        ClientCall call;
        int r;

        r = parse_call(settings, operands, count, &call, &params, &error);
        if (r >= 0)
                r = client_init(&client, settings, &error);
        if (r < 0)
                return error ? report_usage(verb, error) : report_internal(r);
        r = client_connect(&client, &refusal);
        report_command_line(&client, &call, notification);
        if (r < 0)
                return report_no_connection(&client, r, refusal);
        return notification ? run_notify(&client, &call) : run_call(&client, &call, &params);
}

int cmd_call(const Settings *settings, const char *const *operands, size_t count)
{
        return run(settings, operands, count, false);
}

int cmd_notify(const Settings *settings, const char *const *operands, size_t count)
{
        return run(settings, operands, count, true);
}
