/* SPDX-License-Identifier: MIT */

#include "bridge/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/log.h"

enum { LINE_BYTES = 4096 };

struct Audit {
        char *path; /* NULL: none */
        int fd;
        uint64_t bytes; /* of the file */
        Buffer line;
        uint64_t span_usec; /* start of the present second */
        unsigned n_refused; /* lines in it */
        unsigned n_left_out;
        bool trouble; /* with the file, and told */
};

static int open_file(Audit *audit)
{
        struct stat status;

        audit->fd = open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (audit->fd < 0)
                return -errno;
        audit->bytes = fstat(audit->fd, &status) < 0 ? 0 : (uint64_t)status.st_size;
        return 0;
}

int audit_new(const char *path, Audit **ret_audit, Error **ret_error)
{
        Audit *audit = calloc(1, sizeof(*audit));
        int r;

        if (!audit)
                return error_set(ret_error, -ENOMEM, "out of memory");
        *audit = (Audit){.fd = -1, .line = BUFFER_INIT(LINE_BYTES)};
        if (path) {
                audit->path = strdup(path);
                r = audit->path ? open_file(audit) : -ENOMEM;
                if (r < 0) {
                        audit_free(audit);
                        return error_set_errno(ret_error, r, "cannot write to the audit file %s",
                                               path);
                }
        }
        *ret_audit = audit;
        return 0;
}

Audit *audit_free(Audit *audit)
{
        if (!audit)
                return NULL;
        if (audit->fd >= 0)
                close(audit->fd);
        buffer_done(&audit->line);
        free(audit->path);
        free(audit);
        return NULL;
}

static void rotate(Audit *audit)
{
        CLEANUP_FREE char *old = NULL;

        if (audit->bytes < LIMIT_BRIDGE_AUDIT_BYTES)
                return;
        if (asprintf(&old, "%s.1", audit->path) < 0) {
                old = NULL;
                return;
        }
        (void)rename(audit->path, old);
        close(audit->fd);
        audit->fd = -1;
        (void)open_file(audit);
}

static void append(Audit *audit)
{
        ssize_t written;

        if (audit->fd < 0) /* it could not be, the last time */
                (void)open_file(audit);
        if (audit->fd >= 0)
                rotate(audit);
        written = write(audit->fd, audit->line.data, audit->line.length);
        if (written == (ssize_t)audit->line.length) {
                audit->bytes += (uint64_t)written;
                audit->trouble = false;
                return;
        }
        if (!audit->trouble)
                log_error("cannot write to the audit file %s: %s", audit->path,
                          strerrordesc_np(errno));
        audit->trouble = true;
}

static void add_member(Buffer *line, const char *key, Span text)
{
        buffer_printf(line, ",\"%s\":", key);
        json_write_string(line, text.at ? text.at : "", text.length);
}

static void write_json(Audit *audit, const AuditEntry *entry)
{
        Buffer *line = &audit->line;
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        buffer_clear(line);
        buffer_printf(line, "{\"time\":%lld.%03ld", (long long)now.tv_sec, now.tv_nsec / 1000000);
        add_member(line, "caller", entry->caller);
        add_member(line, "service", entry->service);
        add_member(line, "object", entry->object);
        add_member(line, "method", entry->method);
        buffer_printf(line, ",\"verdict\":\"%s\",\"code\":%d,\"ms\":%" PRIu64, entry->verdict,
                      entry->code, entry->usec / USEC_PER_MSEC);
        if (audit->n_left_out > 0)
                buffer_printf(line, ",\"left_out\":%u", audit->n_left_out);
        buffer_append_text(line, "}\n");
        if (buffer_status(line) >= 0)
                append(audit);
}

/* Whether a refused call gets a line. */
static bool has_room(Audit *audit)
{
        uint64_t now = clock_now();

        if (now - audit->span_usec >= USEC_PER_SEC) {
                audit->span_usec = now;
                audit->n_refused = 0;
        }
        if (audit->n_refused >= LIMIT_BRIDGE_AUDIT_LINES) {
                audit->n_left_out++;
                return false;
        }
        audit->n_refused++;
        return true;
}

void audit_write(Audit *audit, const AuditEntry *entry)
{
        if (entry->refused && !has_room(audit))
                return;
        if (audit->n_left_out > 0)
                log_notice("audit: %u refused calls more", audit->n_left_out);
        log_write(entry->refused ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO,
                  "audit: %.*s called %.*s of %.*s/%.*s: %s (%d) in %" PRIu64 " ms",
                  (int)entry->caller.length, entry->caller.at ? entry->caller.at : "",
                  (int)entry->method.length, entry->method.at ? entry->method.at : "",
                  (int)entry->service.length, entry->service.at ? entry->service.at : "",
                  (int)entry->object.length, entry->object.at ? entry->object.at : "",
                  entry->verdict, entry->code, entry->usec / USEC_PER_MSEC);
        if (audit->path)
                write_json(audit, entry);
        audit->n_left_out = 0;
}
