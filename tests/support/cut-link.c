/* SPDX-License-Identifier: MIT */

#include "tests/support/cut-link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MAX_PAIRS = 8 };

typedef struct Pair {
        int client, server; /* -1: free */
} Pair;

struct CutLink {
        char *uri, *target;
        int listener, wake;
        GThread *thread;
        GMutex mutex;
        GCond done; /* an order was carried out */
        bool hold, hang_up, stop;
        Pair pairs[MAX_PAIRS];
};

static int open_socket(const char *path, struct sockaddr_un *address)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *address = (struct sockaddr_un){.sun_family = AF_UNIX};
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpuint(strlen(path), <, sizeof(address->sun_path));
        strcpy(address->sun_path, path);
        return fd;
}

static void close_pair(Pair *pair)
{
        if (pair->client >= 0)
                close(pair->client);
        if (pair->server >= 0)
                close(pair->server);
        *pair = (Pair){-1, -1};
}

static void take_client(CutLink *link)
{
        struct sockaddr_un address;
        int client = accept4(link->listener, NULL, NULL, SOCK_CLOEXEC), server;

        if (client < 0)
                return;
        server = open_socket(link->target, &address);
        for (int i = 0; i < MAX_PAIRS; i++)
                if (link->pairs[i].client < 0 &&
                    connect(server, (struct sockaddr *)&address, sizeof(address)) == 0) {
                        link->pairs[i] = (Pair){client, server};
                        return;
                }
        close(client);
        close(server);
}

/* False at the end of either side. */
static bool pass(int from, int to)
{
        char buffer[65536];
        ssize_t n = recv(from, buffer, sizeof(buffer), 0);

        for (ssize_t sent = 0, m; n > 0 && sent < n; sent += m) {
                m = send(to, buffer + sent, (size_t)(n - sent), MSG_NOSIGNAL);
                if (m <= 0)
                        return false;
        }
        return n > 0;
}

static void obey(CutLink *link)
{
        uint64_t count;

        (void)!read(link->wake, &count, sizeof(count));
        for (int i = 0; link->hang_up && i < MAX_PAIRS; i++)
                close_pair(&link->pairs[i]);
        link->hang_up = false;
        g_cond_broadcast(&link->done);
}

static void turn(CutLink *link, bool hold)
{
        struct pollfd fds[2 + 2 * MAX_PAIRS];

        fds[0] = (struct pollfd){link->wake, POLLIN, 0};
        fds[1] = (struct pollfd){hold ? -1 : link->listener, POLLIN, 0};
        for (int i = 0; i < MAX_PAIRS; i++) {
                fds[2 + 2 * i] = (struct pollfd){hold ? -1 : link->pairs[i].client, POLLIN, 0};
                fds[3 + 2 * i] = (struct pollfd){hold ? -1 : link->pairs[i].server, POLLIN, 0};
        }
        poll(fds, G_N_ELEMENTS(fds), -1);
        for (int i = 0; i < MAX_PAIRS; i++) {
                Pair *pair = &link->pairs[i];

                if ((fds[2 + 2 * i].revents && !pass(pair->client, pair->server)) ||
                    (fds[3 + 2 * i].revents && !pass(pair->server, pair->client)))
                        close_pair(pair);
        }
        if (fds[1].revents)
                take_client(link);
}

static gpointer run(gpointer data)
{
        CutLink *link = data;
        bool hold, stop;

        do {
                g_mutex_lock(&link->mutex);
                hold = link->hold;
                g_mutex_unlock(&link->mutex);
                turn(link, hold);
                g_mutex_lock(&link->mutex);
                stop = link->stop;
                obey(link);
                g_mutex_unlock(&link->mutex);
        } while (!stop);
        return NULL;
}

static void bind_unix(CutLink *link, TempDir *dir)
{
        g_autofree char *folder = temp_dir_make(dir, "link");
        g_autofree char *path = g_build_filename(folder, "socket", NULL);
        struct sockaddr_un address;

        link->listener = open_socket(path, &address);
        g_assert_cmpint(bind(link->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
        link->uri = g_strconcat("unix://", path, NULL);
}

static void bind_tcp(CutLink *link)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t length = sizeof(address);

        link->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_cmpint(link->listener, >=, 0);
        g_assert_cmpint(bind(link->listener, (struct sockaddr *)&address, length), ==, 0);
        g_assert_cmpint(getsockname(link->listener, (struct sockaddr *)&address, &length), ==, 0);
        link->uri = g_strdup_printf("mqtt://127.0.0.1:%u", ntohs(address.sin_port));
}

CutLink *cut_link_new(TempDir *dir, Broker *broker, CutLinkKind kind)
{
        CutLink *link = g_new0(CutLink, 1);

        link->target = g_strdup(broker_get_socket(broker));
        link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        for (int i = 0; i < MAX_PAIRS; i++)
                link->pairs[i] = (Pair){-1, -1};
        if (kind == CUT_LINK_TCP)
                bind_tcp(link);
        else
                bind_unix(link, dir);
        g_assert_cmpint(listen(link->listener, MAX_PAIRS), ==, 0);
        link->thread = g_thread_new("link", run, link);
        return link;
}

/* Wakes the thread up; with the mutex held. */
static void give_order(CutLink *link)
{
        static const uint64_t one = 1;

        g_assert_cmpint(write(link->wake, &one, sizeof(one)), ==, sizeof(one));
}

CutLink *cut_link_free(CutLink *link)
{
        if (!link)
                return NULL;
        g_mutex_lock(&link->mutex);
        link->stop = link->hang_up = true;
        give_order(link);
        g_mutex_unlock(&link->mutex);
        g_thread_join(link->thread);
        close(link->listener);
        close(link->wake);
        g_mutex_clear(&link->mutex);
        g_cond_clear(&link->done);
        g_free(link->uri);
        g_free(link->target);
        g_free(link);
        return NULL;
}

const char *cut_link_get_uri(const CutLink *link)
{
        return link->uri;
}

void cut_link_hold(CutLink *link, bool hold)
{
        g_mutex_lock(&link->mutex);
        link->hold = hold;
        give_order(link);
        g_cond_wait(&link->done, &link->mutex);
        g_mutex_unlock(&link->mutex);
}

void cut_link_hang_up(CutLink *link)
{
        g_mutex_lock(&link->mutex);
        link->hang_up = true;
        link->hold = false;
        give_order(link);
        while (link->hang_up)
                g_cond_wait(&link->done, &link->mutex);
        g_mutex_unlock(&link->mutex);
}
