/* SPDX-License-Identifier: MIT */

#include "tests/support/wait.h"

#include "common/util.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

gint64 wait_deadline(unsigned msec)
{
        return g_get_monotonic_time() + (gint64)msec * 1000;
}

int wait_left(gint64 deadline)
{
        gint64 left = deadline - g_get_monotonic_time();

        return left <= 0 ? 0 : (int)MIN((left + 999) / 1000, G_MAXINT);
}

static gboolean on_tick(gpointer userdata)
{
        return G_SOURCE_CONTINUE;
}

bool wait_until(WaitPredicate predicate, void *userdata, unsigned msec)
{
        gint64 deadline = wait_deadline(msec);
        guint tick = g_timeout_add(5, on_tick, NULL);
        bool holds;

        while (!(holds = predicate(userdata)) && wait_left(deadline) > 0)
                g_main_context_iteration(NULL, TRUE);
        g_source_remove(tick);
        return holds;
}

static bool connects(int family, const struct sockaddr *address, socklen_t length)
{
        CLEANUP_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        g_assert_cmpint(fd, >=, 0);
        return connect(fd, address, length) == 0;
}

bool wait_connects_unix(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        g_assert_cmpuint(strlen(path), <, sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        return connects(AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
}

bool wait_connects_tcp(guint16 port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };

        return connects(AF_INET, (const struct sockaddr *)&address, sizeof(address));
}

guint16 wait_find_port(void)
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t length = sizeof(address);

        g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
        return ntohs(address.sin_port);
}
