/* SPDX-License-Identifier: MIT */

#include "tests/support/broker.h"

#include "tests/support/wait.h"

#include <signal.h>

struct Broker {
        TempDir *dir;
        char *path;   /* the directory with its files */
        char *config; /* what the test gave, or the packaged one; NULL until that is prepared */
        bool packaged;
        GString *more;
        char *socket;
        guint16 port, tls_port; /* 0: no such listener */
        char *uri, *tcp_uri, *tls_uri;
        Process *process;
};

Broker *broker_new(TempDir *dir)
{
        Broker *broker = g_new0(Broker, 1);

        broker->dir = dir;
        broker->path = temp_dir_make(dir, "broker");
        broker->socket = g_build_filename(broker->path, "broker.sock", NULL);
        broker->uri = g_strdup_printf("unix://%s", broker->socket);
        broker->more = g_string_new(NULL);
        return broker;
}

Broker *broker_new_with_config(TempDir *dir, const char *config)
{
        Broker *broker = broker_new(dir);

        broker->config = g_strdup(config);
        return broker;
}

Broker *broker_free(Broker *broker)
{
        if (!broker)
                return NULL;
        process_free(broker->process);
        g_free(broker->path);
        g_free(broker->config);
        g_string_free(broker->more, TRUE);
        g_free(broker->socket);
        g_free(broker->uri);
        g_free(broker->tcp_uri);
        g_free(broker->tls_uri);
        g_free(broker);
        return NULL;
}

void broker_enable_tcp(Broker *broker)
{
        g_assert_null(broker->process);
        broker->port = wait_find_port();
        broker->tcp_uri = g_strdup_printf("mqtt://127.0.0.1:%u", broker->port);
}

void broker_enable_tls(Broker *broker, const TlsFiles *files, bool client_cert)
{
        g_assert_null(broker->process);
        broker->tls_port = wait_find_port();
        broker->tls_uri = g_strdup_printf("mqtts://127.0.0.1:%u", broker->tls_port);
        g_string_append_printf(broker->more,
                               "listener %u 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\n",
                               broker->tls_port, tls_files_get_ca(files),
                               tls_files_get_server_cert(files), tls_files_get_server_key(files));
        if (client_cert)
                g_string_append(broker->more,
                                "require_certificate true\nuse_identity_as_username true\n");
}

void broker_add_config(Broker *broker, const char *lines)
{
        g_assert_null(broker->process);
        g_string_append_printf(broker->more, "%s\n", lines);
}

/* ---- configuration ---- */

static char *config_file(const Broker *broker)
{
        return g_build_filename(broker->path, "mosquitto.conf", NULL);
}

/* Puts the packaged configuration, without its TCP listener, into broker->config. Done once, since
 * users are added to the files that come with it. */
static void prepare_packaged(Broker *broker)
{
        g_autofree char *script = process_source_path("scripts/lib/private-broker.sh");
        g_autofree char *path = config_file(broker);
        g_autofree char *log = NULL;
        const char *argv[] = {script, broker->path, "0", NULL};
        GError *error = NULL;

        if (broker->config)
                return;
        if (process_run(broker->dir, argv, NULL, WAIT_MSEC, NULL, &log) != 0)
                g_error("private-broker.sh failed: %s", log);
        g_file_get_contents(path, &broker->config, NULL, &error);
        g_assert_no_error(error);
        broker->packaged = true;
}

static void write_config(Broker *broker)
{
        g_autoptr(GString) text = g_string_new(broker->config);
        g_autofree char *path = config_file(broker);
        GError *error = NULL;

        if (!broker->packaged) {
                g_string_append_printf(text, "\nlog_dest stderr\n");
                if (getuid() == 0)
                        g_string_append(text, "user root\n");
                g_string_append_printf(text, "listener 0 %s\n", broker->socket);
        }
        if (broker->port > 0)
                g_string_append_printf(text, "listener %u 127.0.0.1\n", broker->port);
        g_string_append(text, broker->more->str);
        g_file_set_contents(path, text->str, -1, &error);
        g_assert_no_error(error);
}

/* ---- users ---- */

int broker_run_adduser(Broker *broker, const char *input, const char *const *arguments,
                       char **ret_stderr)
{
        g_autofree char *script = process_source_path("packaging/mosquitto/mqttrpc-adduser");
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        ProcessOptions options = {.input = input};

        prepare_packaged(broker);
        g_assert_true(broker->packaged);
        g_ptr_array_add(argv, script);
        g_ptr_array_add(argv, (gpointer) "--dir");
        g_ptr_array_add(argv, broker->path);
        for (; *arguments; arguments++)
                g_ptr_array_add(argv, (gpointer)*arguments);
        g_ptr_array_add(argv, NULL);
        return process_run(broker->dir, (const char *const *)argv->pdata, &options, WAIT_MSEC, NULL,
                           ret_stderr);
}

char *broker_get_password_file(const Broker *broker, const char *user)
{
        return g_strdup_printf("%s/%s.password", broker->path, user);
}

void broker_add_user(Broker *broker, const char *user, const char *password,
                     const char *const *rights)
{
        g_autoptr(GPtrArray) arguments = g_ptr_array_new();
        g_autofree char *input = g_strdup_printf("%s\n", password);
        g_autofree char *file = broker_get_password_file(broker, user);
        g_autofree char *log = NULL;
        GError *error = NULL;

        g_ptr_array_add(arguments, (gpointer) "--password-stdin");
        for (; rights && *rights; rights++)
                g_ptr_array_add(arguments, (gpointer)*rights);
        g_ptr_array_add(arguments, (gpointer)user);
        g_ptr_array_add(arguments, NULL);
        if (broker_run_adduser(broker, input, (const char *const *)arguments->pdata, &log) != 0)
                g_error("mqttrpc-adduser failed: %s", log);
        g_file_set_contents_full(file, input, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
        g_assert_no_error(error);
        if (broker->process)
                broker_reload(broker);
}

/* ---- life ---- */

static bool is_ready(void *userdata)
{
        const Broker *broker = userdata;

        return wait_connects_unix(broker->socket) &&
               (broker->port == 0 || wait_connects_tcp(broker->port)) &&
               (broker->tls_port == 0 || wait_connects_tcp(broker->tls_port));
}

void broker_start(Broker *broker)
{
        g_autofree char *config = config_file(broker);
        const char *argv[] = {"mosquitto", "-c", config, NULL};

        g_assert_null(broker->process);
        prepare_packaged(broker);
        write_config(broker);
        broker->process = process_start(broker->dir, "mosquitto", argv, NULL);
        if (!process_wait_ready(broker->process, is_ready, broker, WAIT_MSEC))
                g_error("mosquitto does not start");
}

void broker_stop(Broker *broker)
{
        g_assert_nonnull(broker->process);
        process_stop(broker->process);
        broker->process = process_free(broker->process);
}

void broker_kill(Broker *broker)
{
        g_assert_nonnull(broker->process);
        broker->process = process_free(broker->process);
}

void broker_reload(Broker *broker)
{
        process_mark_output(broker->process, PROCESS_STDERR);
        process_signal(broker->process, SIGHUP);
        /* It serves nobody between this line and the end of reading. */
        if (!process_wait_output(broker->process, PROCESS_STDERR, "Reloading config", WAIT_MSEC))
                g_error("mosquitto does not reload");
}

const char *broker_get_directory(const Broker *broker)
{
        return broker->path;
}

const char *broker_get_socket(const Broker *broker)
{
        return broker->socket;
}

guint16 broker_get_port(const Broker *broker)
{
        return broker->port;
}

const char *broker_get_uri(const Broker *broker)
{
        return broker->uri;
}

const char *broker_get_tcp_uri(const Broker *broker)
{
        return broker->tcp_uri;
}

const char *broker_get_tls_uri(const Broker *broker)
{
        return broker->tls_uri;
}

Process *broker_get_process(const Broker *broker)
{
        return broker->process;
}
