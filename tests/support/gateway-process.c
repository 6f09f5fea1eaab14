/* SPDX-License-Identifier: MIT */

#include "tests/support/gateway-process.h"

#include "tests/support/wait.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct GatewayProcess {
        Process *process;
        int notify;       /* what the service manager would listen on */
        GQueue *notified; /* char *, lines that nobody has looked at */
        bool stopped;
};

static int open_notify_socket(const char *path)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpuint(strlen(path), <, sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        (void)unlink(path); /* of one that was killed */
        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        return fd;
}

GatewayProcess *gateway_process_start(TempDir *dir, const GatewayOptions *options)
{
        GatewayProcess *gateway = g_new0(GatewayProcess, 1);
        g_autofree char *program = process_program_path("dbus-mqtt-gateway");
        const char *user = options->user ? options->user : "gateway";
        g_autofree char *notify_name = g_strdup_printf("%s-notify", user);
        g_autofree char *folder = temp_dir_make(dir, notify_name);
        g_autofree char *path = g_build_filename(folder, "socket", NULL);
        g_autofree char *state_name = g_strdup_printf("%s-state", user);
        g_autofree char *state = g_build_filename(temp_dir_get_path(dir), state_name, NULL);
        g_autofree char *notify = g_strdup_printf("NOTIFY_SOCKET=%s", path);
        g_autofree char *watchdog =
                g_strdup_printf("WATCHDOG_USEC=%u", options->watchdog_msec * 1000);
        const char *argv[] = {program,
                              "--broker",
                              options->broker,
                              "--bus",
                              options->bus,
                              "--mappings",
                              options->mappings,
                              "--user",
                              user,
                              "--password-file",
                              options->password_file,
                              "--state-dir",
                              state,
                              "--log-level",
                              "debug",
                              options->config ? "--config" : NULL,
                              options->config,
                              NULL};
        const char *environment[] = {options->unwatched ? "NOTIFY_SOCKET" : notify, "WATCHDOG_PID",
                                     options->watchdog_msec > 0 ? watchdog : "WATCHDOG_USEC", NULL};
        ProcessOptions process_options = {.environment = environment};

        g_assert_cmpint(g_mkdir_with_parents(state, 0700), ==, 0);
        gateway->notified = g_queue_new();
        gateway->notify = open_notify_socket(path);
        gateway->process = process_start(dir, "gateway", argv, &process_options);
        return gateway;
}

GatewayProcess *gateway_process_free(GatewayProcess *gateway)
{
        if (!gateway)
                return NULL;
        gateway_process_stop(gateway);
        process_free(gateway->process);
        close(gateway->notify);
        g_queue_free_full(gateway->notified, g_free);
        g_free(gateway);
        return NULL;
}

void gateway_process_kill(GatewayProcess *gateway)
{
        gateway->stopped = true;
        process_kill(gateway->process);
}

void gateway_process_stop(GatewayProcess *gateway)
{
        g_autofree char *log = NULL;
        int status;

        if (gateway->stopped)
                return;
        gateway->stopped = true;
        status = process_stop(gateway->process);
        log = process_dup_output(gateway->process, PROCESS_STDERR);
        if (status != 0 || strstr(log, "Sanitizer") || strstr(log, "runtime error"))
                g_error("the gateway ended with status %d:\n%s", status, log);
}

/* ---- notifications ---- */

static void receive(GatewayProcess *gateway)
{
        char buffer[4096];
        ssize_t length;

        while ((length = recv(gateway->notify, buffer, sizeof(buffer) - 1, 0)) >= 0) {
                g_auto(GStrv) lines = NULL;

                buffer[length] = '\0';
                lines = g_strsplit(buffer, "\n", -1);
                for (char **line = lines; *line; line++)
                        g_queue_push_tail(gateway->notified, g_strdup(*line));
        }
}

bool gateway_process_has_notified(GatewayProcess *gateway, const char *text)
{
        bool found = false;
        char *line;

        receive(gateway);
        while (!found && (line = g_queue_pop_head(gateway->notified))) {
                found = g_str_has_prefix(line, text);
                g_free(line);
        }
        return found;
}

bool gateway_process_wait_notify(GatewayProcess *gateway, const char *text, unsigned msec)
{
        struct pollfd fd = {.fd = gateway->notify, .events = POLLIN};
        gint64 deadline = wait_deadline(msec);

        while (!gateway_process_has_notified(gateway, text)) {
                if (wait_left(deadline) == 0 || !process_is_running(gateway->process)) {
                        g_autofree char *log = process_dup_output(gateway->process, PROCESS_STDERR);

                        g_printerr("# no notification \"%s\"; the gateway's log:\n%s\n", text, log);
                        return false;
                }
                (void)poll(&fd, 1, MIN(wait_left(deadline), 1000));
        }
        return true;
}

/* ---- what it holds ---- */

Process *gateway_process_get_process(const GatewayProcess *gateway)
{
        return gateway->process;
}

unsigned gateway_process_count_fds(const GatewayProcess *gateway)
{
        g_autofree char *path =
                g_strdup_printf("/proc/%d/fd", (int)process_get_pid(gateway->process));
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        unsigned count = 0;

        g_assert_nonnull(dir);
        while (g_dir_read_name(dir))
                count++;
        return count;
}
