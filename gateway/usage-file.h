/* SPDX-License-Identifier: MIT */
#pragma once

/* Keeps a Usage over restarts, in the file `usage.json` of a folder: read at the start, written at
 * most once in LIMIT_USAGE_SAVE_USEC and at the end, if something has changed. A file that cannot
 * be used is set aside as `usage.json.bad`; without a folder to write to, what is counted is lost
 * with the process. Neither is a failure: it is logged.
 *
 * A write waits for the disk, and with it the loop. */

#include <systemd/sd-event.h>

#include "gateway/usage.h"

typedef struct UsageFile UsageFile;

/* Fills the usage, which is empty, and follows its changes; both borrowed. Fails only without
 * memory. */
int usage_file_new(const char *folder, sd_event *event, Usage *usage, UsageFile **ret_file);
/* Writes what has changed. Accepts NULL, returns NULL. */
UsageFile *usage_file_free(UsageFile *file);
