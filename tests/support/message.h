/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus messages without a daemon: a connection over a socketpair whose other end has said all that
 * the handshake needs, and nobody listens. Failures of the set-up abort the test. */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

typedef struct TestBus {
        sd_bus *bus;
        int peer; /* the other end: what is written here, the bus receives */
} TestBus;

void test_bus_init(TestBus *test);
void test_bus_done(TestBus *test);

/* An empty method call to append to. Owned by the caller. */
sd_bus_message *test_message_new(TestBus *test);

/* Makes an appended message readable, from its start. */
void test_message_seal(sd_bus_message *m);

/* A signal with this body, as it comes from the wire in either byte order: nothing has checked the
 * body yet. Owned by the caller. */
sd_bus_message *test_message_receive(TestBus *test, bool big_endian, const char *signature,
                                     const void *body, size_t length);

/* The whole message in one line, much as busctl takes its arguments: the signature, then the
 * values; arrays start with their number of items, variants with their signature, and strings are
 * in quotes. A reader of its own, to compare others with. Returns NULL if it cannot be read, else
 * text owned by the caller; the message is rewound. */
char *test_message_dump(sd_bus_message *m);
