/* SPDX-License-Identifier: MIT */
#pragma once

/* Tells the service manager how the program is, by the socket of NOTIFY_SOCKET (sd_notify(3)),
 * without libsystemd. Does nothing where there is none. */

void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
