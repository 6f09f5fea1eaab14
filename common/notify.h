/* SPDX-License-Identifier: MIT */
#pragma once

/* Tells the service manager how the program is, by the socket of NOTIFY_SOCKET (sd_notify(3)),
 * without waiting for it: sd_notify() itself stops the program while the manager does not read. */

/* 0, also where there is none; -EAGAIN: it has not read what came before, and does not get this;
 * another negative errno: it cannot be reached. */
int notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A socket that becomes writable when the manager reads again; the caller closes it. -ENOENT: there
 * is none; another negative errno: it cannot be reached. */
int notify_open(void);
