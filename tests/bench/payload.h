/* SPDX-License-Identifier: MIT */
#pragma once

/* What the calls carry, the same for every way they take: as D-Bus arguments and as JSON. Every
 * method of the benchmark returns its only argument. */

#include <glib.h>
#include <systemd/sd-bus.h>

typedef enum PayloadKind {
        PAYLOAD_STRING, /* 64 bytes */
        PAYLOAD_DICT,   /* a{sv} with 20 entries of seven types */
        PAYLOAD_LARGE,  /* a string of 64 KiB */
} PayloadKind;

typedef struct Payload Payload;

Payload *payload_new(PayloadKind kind);
void payload_free(Payload *payload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Payload, payload_free)

/* Name of the method that takes it. A constant. */
const char *payload_get_method(const Payload *payload);
/* The list of arguments as JSON. Borrowed. */
const char *payload_get_params(const Payload *payload);
int payload_append(const Payload *payload, sd_bus_message *m);
/* Reads all of it, as a caller would. */
int payload_read(const Payload *payload, sd_bus_message *m);
