/* SPDX-License-Identifier: MIT */

/* Why there is no connection to the broker. The library has no codes for the causes, only their
 * texts; the integration tests see to it that they are still the ones below. */

#include <string.h>

#include "cli/explain.h"
#include "cli/template.h"
#include "common/util.h"

/* Which connections a hint is for. */
typedef enum Kind {
        UNIX = 1 << 0,
        TCP = 1 << 1,
        BOTH = UNIX | TCP,
} Kind;

static const struct {
        Kind kind;
        const char *cause; /* a part of the library's text */
        const char *hint;
} hints[] = {
        {UNIX, "No such file",
         "is the broker running, and does it listen on this socket? Another "
         "broker is named with --broker or MQTTRPC_BROKER"},
        {UNIX, "onnection refused", "the socket is there but no broker behind it: is it running?"},
        {UNIX, "ermission denied",
         "only members of a group may use the socket (mqttrpc, as packaged): join it, or use "
         "--broker mqtt://localhost"},
        {TCP, "onnection refused",
         "nothing listens there: is the broker running, and is the port "
         "right?"},
        {TCP, "host name not found", "is the name of the broker's host spelled right?"},
        {TCP, "certificate",
         "the broker's certificate must be signed by the authority given with "
         "--ca, for the host's name as in the URI"},
        {TCP, "handshake failure", "does the broker want a client certificate (--cert, --key)?"},
        {TCP, "wrong version number", "the port speaks no TLS: use mqtt:// or another port"},
        {TCP, "connection lost", "is it the right port? One for TLS needs mqtts://"},
        {BOTH, "in time",
         "something is there but does not answer as a broker does; more time is "
         "given with --timeout"},
};

static bool is_login_refusal(const char *message)
{
        static const char *const texts[] = {"ot authori", "ad user name or password"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (strstr(message, texts[i]))
                        return true;
        return false;
}

static const char *find_hint(const char *message, const ConnectContext *context)
{
        Kind kind = context->address->unix_socket ? UNIX : TCP;

        if (is_login_refusal(message)) {
                if (!context->user)
                        return "the broker wants to know who you are: give --user and "
                               "--password-file";
                if (!context->has_password)
                        return "the broker wants the password of '{user}': give --password-file";
                return "no such user, or a wrong password; an administrator sets it with: "
                       "mqttrpc-adduser --set-password {user}";
        }
        for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
                if ((hints[i].kind & kind) && strstr(message, hints[i].cause))
                        return hints[i].hint;
        return NULL;
}

int explain_connect(Buffer *buffer, const MqttRpcError *error, const ConnectContext *context)
{
        const char *message = mqttrpc_error_get_message(error);
        const char *hint = find_hint(message, context);
        const TemplateValue values[] = {
                {"message", message},
                {"user", context->user},
                {NULL, NULL},
        };

        template_write(buffer, "no connection to {message}\n", values);
        if (hint) {
                buffer_append_text(buffer, "hint: ");
                template_write(buffer, hint, values);
                buffer_append_char(buffer, '\n');
        }
        return buffer_status(buffer);
}
