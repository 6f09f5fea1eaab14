/* SPDX-License-Identifier: MIT */

#include "common/notify.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const struct sockaddr_un *address, size_t length)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(bind(fd, (const struct sockaddr *)address,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                        ==, 0);
        return fd;
}

static void expect(int fd, const char *text)
{
        char buffer[100] = "";

        notify_send("STATUS=%d of %s", 1, "two");
        g_assert_cmpint(recv(fd, buffer, sizeof(buffer) - 1, 0), ==, (gssize)strlen(text));
        g_assert_cmpstr(buffer, ==, text);
}

static void test_sockets(void)
{
        g_autofree char *folder = g_dir_make_tmp("mqttrpc-notify-XXXXXX", NULL);
        g_autofree char *path = g_build_filename(folder, "socket", NULL);
        g_autofree char *hidden = g_strdup_printf("@mqttrpc-notify-%d", (int)getpid());
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd;

        strcpy(address.sun_path, path);
        fd = listen_at(&address, strlen(path));
        g_setenv("NOTIFY_SOCKET", path, TRUE);
        expect(fd, "STATUS=1 of two");
        close(fd);
        unlink(path);
        rmdir(folder);

        strcpy(address.sun_path, hidden);
        address.sun_path[0] = '\0';
        fd = listen_at(&address, strlen(hidden));
        g_setenv("NOTIFY_SOCKET", hidden, TRUE);
        expect(fd, "STATUS=1 of two");
        close(fd);
}

/* Who does not read does not hold anybody up. */
static void test_full_socket(void)
{
        g_autofree char *hidden = g_strdup_printf("@mqttrpc-full-%d", (int)getpid());
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char buffer[100];
        unsigned count = 0;
        int fd, r;

        strcpy(address.sun_path, hidden);
        address.sun_path[0] = '\0';
        fd = listen_at(&address, strlen(hidden));
        g_setenv("NOTIFY_SOCKET", hidden, TRUE);
        while ((r = notify_send("STATUS=%u", count)) == 0)
                g_assert_cmpuint(++count, <, 100000);
        g_assert_cmpint(r, ==, -EAGAIN);
        while (recv(fd, buffer, sizeof(buffer), 0) > 0)
                count--;
        g_assert_cmpuint(count, ==, 0);
        g_assert_cmpint(notify_send("READY=1"), ==, 0);
        close(fd);
}

/* Nobody listens, or that is no address: nothing happens. */
static void test_nobody(void)
{
        g_autofree char *long_path = g_strnfill(200, '/');

        g_unsetenv("NOTIFY_SOCKET");
        notify_send("READY=1");
        g_setenv("NOTIFY_SOCKET", "/does/not/exist", TRUE);
        notify_send("READY=1");
        g_setenv("NOTIFY_SOCKET", "relative", TRUE);
        notify_send("READY=1");
        g_setenv("NOTIFY_SOCKET", long_path, TRUE);
        notify_send("READY=1");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/notify/sockets", test_sockets);
        g_test_add_func("/notify/full-socket", test_full_socket);
        g_test_add_func("/notify/nobody", test_nobody);
        return g_test_run();
}
