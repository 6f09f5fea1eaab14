/* SPDX-License-Identifier: MIT */

#include "tests/support/process.h"

#include "tests/support/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef struct Output {
        char *path;
        int fd;
        size_t mark;
} Output;

struct Process {
        char *name;
        pid_t pid;
        int pidfd;
        int status; /* exit status once it has ended, else -1 */
        bool ended;
        Output output[2];
};

/* Those not freed yet; the handler of exit() ends them. */
static GPtrArray *processes;

static void on_exit_kill_all(void)
{
        for (guint i = 0; processes && i < processes->len; i++)
                process_kill(g_ptr_array_index(processes, i));
}

static void remember(Process *process)
{
        if (!processes) {
                processes = g_ptr_array_new();
                atexit(on_exit_kill_all);
        }
        g_ptr_array_add(processes, process);
}

static void forget(Process *process)
{
        g_ptr_array_remove_fast(processes, process);
}

/* ---- starting ---- */

char *process_source_path(const char *name)
{
        return g_build_filename(MQTTRPC_TEST_SRCDIR, name, NULL);
}

char *process_program_path(const char *name)
{
        return g_build_filename(MQTTRPC_TEST_BINDIR, name, NULL);
}

/* Debian keeps mosquitto where the PATH of ordinary users does not look. */
static char *find_program(const char *name)
{
        char *program = g_find_program_in_path(name);
        g_autofree char *system = g_build_filename("/usr/sbin", name, NULL);

        if (!program && !strchr(name, '/') && g_file_test(system, G_FILE_TEST_IS_EXECUTABLE))
                program = STEAL(system);
        if (!program)
                g_error("no such program: %s", name);
        return program;
}

static int make_input(const char *text)
{
        int fd;

        if (!text)
                return open("/dev/null", O_RDONLY | O_CLOEXEC);
        fd = memfd_create("input", MFD_CLOEXEC);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
        lseek(fd, 0, SEEK_SET);
        return fd;
}

static char **make_environment(const char *const *changes)
{
        char **environment = g_get_environ();

        for (; changes && *changes; changes++) {
                const char *equals = strchr(*changes, '=');

                if (equals) {
                        g_autofree char *name = g_strndup(*changes, (gsize)(equals - *changes));

                        environment = g_environ_setenv(environment, name, equals + 1, TRUE);
                } else {
                        environment = g_environ_unsetenv(environment, *changes);
                }
        }
        return environment;
}

static void open_output(Output *output, TempDir *dir, const char *name, const char *suffix)
{
        static unsigned counter;

        output->path =
                g_strdup_printf("%s/%s-%u.%s", temp_dir_get_path(dir), name, ++counter, suffix);
        output->fd = open(output->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        g_assert_cmpint(output->fd, >=, 0);
}

/* After fork() in a process that may have threads (GDBus): system calls only. */
static void become_program(const Process *process, pid_t parent, const char *directory, int input,
                           const char *program, const char *const *argv, char **environment)
{
        sigset_t none;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(127);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        if (dup2(input, STDIN_FILENO) < 0 ||
            dup2(process->output[PROCESS_STDOUT].fd, STDOUT_FILENO) < 0 ||
            dup2(process->output[PROCESS_STDERR].fd, STDERR_FILENO) < 0 || chdir(directory) < 0)
                _exit(127);
        execve(program, (char *const *)argv, environment);
        _exit(127);
}

Process *process_start(TempDir *dir, const char *name, const char *const *argv,
                       const ProcessOptions *options)
{
        static const ProcessOptions defaults;
        g_autofree char *program = find_program(argv[0]);
        CLEANUP_CLOSE int input = -1;
        g_auto(GStrv) environment = NULL;
        Process *process;
        pid_t parent = getpid();

        if (!options)
                options = &defaults;
        process = g_new0(Process, 1);
        process->name = g_strdup(name);
        process->status = -1;
        open_output(&process->output[PROCESS_STDOUT], dir, name, "stdout");
        open_output(&process->output[PROCESS_STDERR], dir, name, "stderr");
        input = make_input(options->input);
        environment = make_environment(options->environment);
        process->pid = fork();
        g_assert_cmpint(process->pid, >=, 0);
        if (process->pid == 0)
                become_program(process, parent, temp_dir_get_path(dir), input, program, argv,
                               environment);
        process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
        g_assert_cmpint(process->pidfd, >=, 0);
        remember(process);
        return process;
}

Process *process_free(Process *process)
{
        if (!process)
                return NULL;
        process_kill(process);
        forget(process);
        for (unsigned i = 0; i < ARRAY_SIZE(process->output); i++) {
                close(process->output[i].fd);
                g_free(process->output[i].path);
        }
        close(process->pidfd);
        g_free(process->name);
        g_free(process);
        return NULL;
}

int process_run(TempDir *dir, const char *const *argv, const ProcessOptions *options, unsigned msec,
                char **ret_stdout, char **ret_stderr)
{
        g_autofree char *name = g_path_get_basename(argv[0]);
        CLEANUP_PROCESS Process *process = process_start(dir, name, argv, options);
        int status = process_wait_exit(process, msec);

        if (ret_stdout)
                *ret_stdout = process_dup_output(process, PROCESS_STDOUT);
        if (ret_stderr)
                *ret_stderr = process_dup_output(process, PROCESS_STDERR);
        return status;
}

/* ---- life ---- */

pid_t process_get_pid(const Process *process)
{
        return process->pid;
}

/* Waits until a deadline for the end: true; or until `other`, unless -1, can be read. */
static bool poll_end(Process *process, int other, gint64 deadline)
{
        struct pollfd fds[] = {
                {.fd = process->pidfd, .events = POLLIN},
                {.fd = other, .events = POLLIN},
        };
        int status, r;

        if (process->ended)
                return true;
        do
                r = poll(fds, ARRAY_SIZE(fds), wait_left(deadline));
        while (r < 0 && errno == EINTR);
        g_assert_cmpint(r, >=, 0);
        if (!fds[0].revents)
                return false;
        while (waitpid(process->pid, &status, 0) < 0)
                g_assert_cmpint(errno, ==, EINTR);
        process->ended = true;
        process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
}

bool process_is_running(Process *process)
{
        return !poll_end(process, -1, 0);
}

static void complain(const Process *process, const char *what)
{
        g_autofree char *log = process_dup_output(process, PROCESS_STDERR);
        g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

        g_printerr("# %s (%d): %s; its standard error:\n", process->name, (int)process->pid, what);
        for (char **line = lines; *line && (**line || line[1]); line++)
                g_printerr("#   %s\n", *line);
}

int process_wait_exit(Process *process, unsigned msec)
{
        if (poll_end(process, -1, wait_deadline(msec)))
                return process->status;
        complain(process, "does not end");
        return -1;
}

void process_signal(Process *process, int signal)
{
        if (process_is_running(process))
                g_assert_cmpint(kill(process->pid, signal), ==, 0);
}

int process_stop(Process *process)
{
        int status;

        process_signal(process, SIGTERM);
        status = process_wait_exit(process, WAIT_MSEC);
        if (status < 0)
                process_kill(process);
        return status;
}

void process_kill(Process *process)
{
        process_signal(process, SIGKILL);
        while (!poll_end(process, -1, wait_deadline(WAIT_MSEC)))
                complain(process, "does not end by SIGKILL");
}

/* ---- output ---- */

char *process_dup_output(const Process *process, ProcessStream stream)
{
        char *text = NULL;
        GError *error = NULL;

        g_file_get_contents(process->output[stream].path, &text, NULL, &error);
        g_assert_no_error(error);
        return text;
}

void process_mark_output(Process *process, ProcessStream stream)
{
        g_autofree char *text = process_dup_output(process, stream);

        process->output[stream].mark = strlen(text);
}

static bool output_has(const Process *process, ProcessStream stream, const char *text)
{
        g_autofree char *output = process_dup_output(process, stream);
        size_t mark = MIN(process->output[stream].mark, strlen(output));

        return strstr(output + mark, text) != NULL;
}

bool process_wait_output(Process *process, ProcessStream stream, const char *text, unsigned msec)
{
        CLEANUP_CLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        gint64 deadline = wait_deadline(msec);
        char events[4096];

        g_assert_cmpint(inotify_add_watch(watch, process->output[stream].path, IN_MODIFY), >=, 0);
        while (!output_has(process, stream, text)) {
                bool late = wait_left(deadline) == 0;

                if (poll_end(process, watch, deadline) || late) {
                        /* what it wrote just before its end counts */
                        if (output_has(process, stream, text))
                                return true;
                        g_printerr("# no \"%s\" in the output\n", text);
                        complain(process, late ? "time is up" : "has ended");
                        return false;
                }
                while (read(watch, events, sizeof(events)) > 0)
                        ;
        }
        return true;
}

bool process_wait_ready(Process *process, bool (*predicate)(void *userdata), void *userdata,
                        unsigned msec)
{
        gint64 deadline = wait_deadline(msec);

        while (!predicate(userdata)) {
                if (poll_end(process, -1, wait_deadline(2)) || wait_left(deadline) == 0) {
                        complain(process, process->ended ? "has ended" : "is not ready");
                        return false;
                }
        }
        return true;
}
