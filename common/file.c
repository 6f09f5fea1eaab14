/* SPDX-License-Identifier: MIT */

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { CHUNK = 16384 };

static int read_all(int fd, Buffer *buffer)
{
        for (;;) {
                size_t room = MIN((size_t)CHUNK, buffer->maximum - buffer->length);
                char *to;
                ssize_t n;

                if (room == 0)
                        return 0;
                to = buffer_reserve(buffer, room);
                if (!to)
                        return buffer_status(buffer);
                n = read(fd, to, room);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                buffer_commit(buffer, (size_t)n);
        }
}

int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length,
              Error **ret_error)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(limit + 1);
        CLEANUP_CLOSE int fd = -1;
        size_t length;
        char *text;
        int r;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return error_set_errno(ret_error, -errno, "cannot open %s", path);
        r = read_all(fd, &buffer);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot read %s", path);
        if (buffer.length > limit)
                return error_set(ret_error, -EFBIG, "%s is larger than %zu bytes", path, limit);
        length = buffer.length;
        text = buffer_steal(&buffer);
        if (!text)
                return error_set_errno(ret_error, -ENOMEM, "cannot read %s", path);
        *ret_text = text;
        *ret_length = length;
        return 0;
}

char *file_beside(const char *file, const char *name)
{
        const char *slash = strrchr(file, '/');
        char *path;

        if (name[0] == '/' || !slash)
                return strdup(name);
        if (asprintf(&path, "%.*s/%s", (int)(slash - file), file, name) < 0)
                return NULL;
        return path;
}

/* ---- writing ---- */

static int write_all(int fd, const char *text, size_t length)
{
        ssize_t n;

        while (length > 0) {
                n = write(fd, text, length);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                length -= (size_t)n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

static int write_new(const char *path, const char *text, size_t length)
{
        int fd, r;

        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        r = write_all(fd, text, length);
        if (close(fd) < 0 && r >= 0)
                r = -errno;
        if (r < 0)
                (void)unlink(path);
        return r;
}

/* Without this the new name could be forgotten; the old file is whole then. */
static void sync_folder(const char *path)
{
        CLEANUP_FREE char *folder = file_beside(path, ".");
        CLEANUP_CLOSE int fd = -1;

        if (folder)
                fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                (void)fsync(fd);
}

int file_replace(const char *path, const char *text, size_t length, Error **ret_error)
{
        CLEANUP_FREE char *temporary = NULL;
        int r;

        if (asprintf(&temporary, "%s.new", path) < 0) {
                temporary = NULL;
                return error_set(ret_error, -ENOMEM, "out of memory");
        }
        r = write_new(temporary, text, length);
        if (r >= 0 && rename(temporary, path) < 0) {
                r = -errno;
                (void)unlink(temporary);
        }
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot write %s", path);
        sync_folder(path);
        return 0;
}
