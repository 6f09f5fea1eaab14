/* SPDX-License-Identifier: MIT */
#pragma once

/* An exposed service without a bus, without a broker and without an owner: what it would ask D-Bus
 * is dropped, what it publishes is kept by the library and can be looked at. Messages of D-Bus are
 * made by the test. */

#include "gateway/expose.h"
#include "tests/support/message.h"

#include <glib.h>

typedef struct ExposeMade {
        sd_event *event;
        DbusLink *link;
        MqttRpcBus *bus;
        MappingService *mapping;
        ExposeScratch scratch;
        Expose *expose;
        TestBus dbus;
} ExposeMade;

/* The service "s", org.a on D-Bus: /org/a/x, whose interface a.I has properties of all kinds, and
 * the templates /org/a/{id}, by ObjectManager, and /org/a/walk/{id}, by a walk. */
extern const char expose_objects[];

/* `objects`: as in a mapping. Fails the test if it cannot be made. */
void expose_make(ExposeMade *made, const char *objects);
void expose_unmake(ExposeMade *made);

/* Makes the object with all interfaces of its entry. */
ExposeObject *expose_add(ExposeMade *made, const char *path);
MappingMember *expose_member(const ExposeObject *object, MemberKind kind, const char *name);
MappingInterface *expose_interface(const ExposeObject *object, const char *name);

/* What is published of a property, as JSON; NULL: nothing. Borrowed. */
const char *expose_published(const ExposeMade *made, const char *object, const char *property);

/* A sealed message with these arguments, as for sd_bus_message_append(). Owned by the caller. */
sd_bus_message *expose_message(ExposeMade *made, const char *signature, ...);
