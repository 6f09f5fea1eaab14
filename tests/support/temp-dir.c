/* SPDX-License-Identifier: MIT */

#include "tests/support/temp-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The janitor is a shell that waits for the end of its standard input, whose other end only this
 * process has, and then removes the directory. It has a session of its own and no parent here, so
 * that neither Ctrl-C nor a test runner that kills the test with its children takes it along.
 * `done_fd` reads end-of-file when it has finished. */
struct TempDir {
        char *path;
        int alive_fd;
        int done_fd;
        unsigned made;
};

#define JANITOR                                      \
        "trap '' INT TERM HUP; read -r line; cd /; " \
        "rm -rf -- \"$1\" || { sleep 1; rm -rf -- \"$1\"; }"

static void become_janitor(const char *path, int alive_fd, int done_fd)
{
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (fork() != 0)
                _exit(0);
        setsid();
        /* Standard output of the test must close with the test: its runner waits for that. */
        dup2(alive_fd, STDIN_FILENO);
        dup2(null_fd, STDOUT_FILENO);
        dup2(null_fd, STDERR_FILENO);
        fcntl(done_fd, F_SETFD, 0);
        execl("/bin/sh", "sh", "-c", JANITOR, "sh", path, NULL);
        _exit(127);
}

static void start_janitor(TempDir *dir)
{
        int alive[2], done[2], status;
        pid_t child;

        g_assert_cmpint(pipe2(alive, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(done, O_CLOEXEC), ==, 0);
        child = fork();
        g_assert_cmpint(child, >=, 0);
        if (child == 0)
                become_janitor(dir->path, alive[0], done[1]);
        close(alive[0]);
        close(done[1]);
        dir->alive_fd = alive[1];
        dir->done_fd = done[0];
        while (waitpid(child, &status, 0) < 0)
                g_assert_cmpint(errno, ==, EINTR);
}

TempDir *temp_dir_new(void)
{
        GError *error = NULL;
        TempDir *dir = g_new0(TempDir, 1);

        dir->alive_fd = dir->done_fd = -1;
        dir->path = g_dir_make_tmp("mqttrpc-XXXXXX", &error);
        g_assert_no_error(error);
        if (g_getenv("MQTTRPC_TEST_KEEP"))
                g_printerr("# kept: %s\n", dir->path);
        else
                start_janitor(dir);
        return dir;
}

TempDir *temp_dir_free(TempDir *dir)
{
        char byte;

        if (!dir)
                return NULL;
        if (dir->alive_fd >= 0) {
                close(dir->alive_fd);
                while (read(dir->done_fd, &byte, 1) < 0 && errno == EINTR)
                        ;
                close(dir->done_fd);
        }
        g_free(dir->path);
        g_free(dir);
        return NULL;
}

const char *temp_dir_get_path(const TempDir *dir)
{
        return dir->path;
}

char *temp_dir_build(const TempDir *dir, const char *name)
{
        return g_build_filename(dir->path, name, NULL);
}

char *temp_dir_write(const TempDir *dir, const char *name, const char *text)
{
        GError *error = NULL;
        char *path = temp_dir_build(dir, name);

        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
        g_assert_no_error(error);
        return path;
}

char *temp_dir_make(TempDir *dir, const char *name)
{
        char *path = g_strdup_printf("%s/%s-%u", dir->path, name, ++dir->made);

        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
        return path;
}
