/* SPDX-License-Identifier: MIT */
#pragma once

/* What the service manager is told (sd_notify(3)), in order and without waiting for it: what it
 * does not take at once is kept, and sent when it reads again. Of several status lines that wait,
 * it gets the last. */

#include <systemd/sd-event.h>

typedef struct Notifier Notifier;

/* -ENOMEM. */
int notifier_new(sd_event *event, Notifier **ret_notifier);
/* What still waits is lost. Accepts NULL, returns NULL. */
Notifier *notifier_free(Notifier *notifier);

void notifier_reloading(Notifier *notifier);
void notifier_ready(Notifier *notifier);
/* One line. The same line again is not sent. */
void notifier_status(Notifier *notifier, const char *status);
