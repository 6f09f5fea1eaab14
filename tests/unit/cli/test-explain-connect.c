/* SPDX-License-Identifier: MIT */

#include "cli/explain.h"

#include <glib.h>

static const Address unix_socket = {.unix_socket = true};
static const Address network = {.tls = true};

typedef struct Row {
        const char *name;
        const Address *address;
        const char *message;
        const char *user;
        bool has_password;
        const char *text;
} Row;

static const Row rows[] = {
        {"no-socket", &unix_socket, "broker /x: No such file or directory", NULL, false,
         "no connection to broker /x: No such file or directory\n"
         "hint: is the broker running, and does it listen on this socket? Another broker is named "
         "with --broker or MQTTRPC_BROKER\n"},
        {"dead-socket", &unix_socket, "broker /x: Connection refused", NULL, false,
         "no connection to broker /x: Connection refused\n"
         "hint: the socket is there but no broker behind it: is it running?\n"},
        {"forbidden-socket", &unix_socket, "broker /x: Permission denied", NULL, false,
         "no connection to broker /x: Permission denied\n"
         "hint: only members of a group may use the socket (mqttrpc, as packaged): join it, or "
         "use --broker mqtt://localhost\n"},
        {"no-listener", &network, "broker h: Connection refused", NULL, false,
         "no connection to broker h: Connection refused\n"
         "hint: nothing listens there: is the broker running, and is the port right?\n"},
        {"anonymous", &unix_socket, "broker /x: Not authorized", NULL, false,
         "no connection to broker /x: Not authorized\n"
         "hint: the broker wants to know who you are: give --user and --password-file\n"},
        {"no-password", &network, "broker h: Connection Refused: not authorised.", "alice", false,
         "no connection to broker h: Connection Refused: not authorised.\n"
         "hint: the broker wants the password of 'alice': give --password-file\n"},
        {"wrong-password", &network, "broker h: Bad user name or password", "alice", true,
         "no connection to broker h: Bad user name or password\n"
         "hint: no such user, or a wrong password; an administrator sets it with: "
         "mqttrpc-adduser --set-password alice\n"},
        {"something-else", &network, "broker h: Message\033[2J", "alice", true,
         "no connection to broker h: Message?[2J\n"},
};

static void test_row(gconstpointer data)
{
        const Row *row = data;
        const ConnectContext context = {row->address, row->user, row->has_password};
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        MqttRpcError *error = mqttrpc_error_new(MQTTRPC_ERROR_DISCONNECTED, "%s", row->message);

        g_assert_cmpint(explain_connect(&buffer, error, &context), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, row->text);
        g_assert_cmpint(explain_status(error), ==, STATUS_CONNECTION);
        mqttrpc_error_free(error);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/cli-explain-connect/%s", rows[i].name);

                g_test_add_data_func(path, &rows[i], test_row);
        }
        return g_test_run();
}
