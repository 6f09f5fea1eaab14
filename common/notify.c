/* SPDX-License-Identifier: MIT */

#include "common/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/util.h"

/* 0: nobody wants to be told. */
static int find_manager(struct sockaddr_un *address, socklen_t *ret_length)
{
        const char *path = getenv("NOTIFY_SOCKET");
        size_t length;

        if (!path || (path[0] != '/' && path[0] != '@'))
                return 0;
        length = strlen(path);
        if (length >= sizeof(address->sun_path))
                return -ENAMETOOLONG;
        *address = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(address->sun_path, path, length);
        if (path[0] == '@')
                address->sun_path[0] = '\0';
        *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        return 1;
}

static int open_socket(void)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd < 0 ? -errno : fd;
}

int notify_send(const char *format, ...)
{
        struct sockaddr_un address;
        CLEANUP_CLOSE int fd = -1;
        socklen_t address_length;
        va_list arguments;
        char text[512];
        int r;

        r = find_manager(&address, &address_length);
        if (r <= 0)
                return r;
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        fd = open_socket();
        if (fd < 0)
                return fd;
        return sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                      address_length) < 0
                       ? -errno
                       : 0;
}

int notify_open(void)
{
        struct sockaddr_un address;
        socklen_t length;
        int fd, r;

        r = find_manager(&address, &length);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        fd = open_socket();
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}
