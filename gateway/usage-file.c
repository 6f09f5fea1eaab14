/* SPDX-License-Identifier: MIT */

#include "gateway/usage-file.h"

#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

struct UsageFile {
        Usage *usage;
        char *path;             /* owned */
        sd_event_source *timer; /* NULL: nothing is written */
        bool failed;            /* the last write, which was logged */
};

/* ---- reading ---- */

static void set_aside(const UsageFile *file)
{
        CLEANUP_FREE char *aside = NULL;

        if (asprintf(&aside, "%s.bad", file->path) < 0) {
                aside = NULL;
                return;
        }
        if (rename(file->path, aside) < 0)
                log_warning("%s cannot be used, and not be set aside either: %s", file->path,
                            strerrordesc_np(errno));
        else
                log_warning("%s cannot be used and is now %s; counting starts anew", file->path,
                            aside);
}

static void load(const UsageFile *file, bool may_write)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        CLEANUP_ERROR Error *error = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        int r;

        r = file_read(file->path, LIMIT_FILE_BYTES, &text, &length, &error);
        if (r == -ENOENT)
                return;
        if (r < 0)
                log_warning("%s", error_text(error));
        else
                r = usage_parse(file->usage, file->path, text, length, &diagnostics);
        if (diagnostics.count > 0)
                log_warning("%s", diagnostics.items[0].text);
        if (r < 0 && may_write)
                set_aside(file);
}

/* ---- writing ---- */

static void save(UsageFile *file)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(LIMIT_FILE_BYTES);
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = usage_write(file->usage, &buffer);
        if (r >= 0)
                r = file_replace(file->path, buffer.data, buffer.length, &error);
        if (r >= 0)
                usage_saved(file->usage);
        else if (!file->failed)
                log_warning("%s; trying again until it works",
                            error ? error_text(error) : strerrordesc_np(-r));
        file->failed = r < 0;
}

static void arm(UsageFile *file)
{
        int r;

        r = sd_event_source_set_time(file->timer, clock_now() + LIMIT_USAGE_SAVE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(file->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_warning("usage is not written before the end: %s", strerrordesc_np(-r));
}

static void on_change(void *userdata)
{
        arm(userdata);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        UsageFile *file = userdata;

        save(file);
        if (file->failed)
                arm(file);
        return 0;
}

/* ---- life ---- */

static int start(UsageFile *file, sd_event *event)
{
        int r;

        r = sd_event_add_time(event, &file->timer, CLOCK_MONOTONIC, UINT64_MAX, USEC_PER_SEC,
                              on_time, file);
        if (r >= 0)
                r = sd_event_source_set_enabled(file->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(file->timer, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        file->usage->on_change = on_change;
        file->usage->userdata = file;
        return 0;
}

int usage_file_new(const char *folder, sd_event *event, Usage *usage, UsageFile **ret_file)
{
        UsageFile *file;
        bool may_write;
        int r = 0;

        file = calloc(1, sizeof(*file));
        if (!file)
                return -ENOMEM;
        file->usage = usage;
        if (asprintf(&file->path, "%s/usage.json", folder) < 0) {
                free(file);
                return -ENOMEM;
        }
        may_write = access(folder, W_OK) >= 0;
        if (!may_write)
                log_notice("usage is counted in memory only: cannot write to %s: %s", folder,
                           strerrordesc_np(errno));
        load(file, may_write);
        if (may_write)
                r = start(file, event);
        if (r < 0)
                usage_file_free(file);
        else
                *ret_file = file;
        return r;
}

UsageFile *usage_file_free(UsageFile *file)
{
        if (!file)
                return NULL;
        file->usage->on_change = NULL;
        if (file->timer && file->usage->changed)
                save(file);
        sd_event_source_disable_unref(file->timer);
        free(file->path);
        free(file);
        return NULL;
}
