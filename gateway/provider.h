/* SPDX-License-Identifier: MIT */
#pragma once

/* Who provides a service that either side may provide (`"provider": "auto"`), by what is seen of
 * both. Pure.
 *
 * The rule: who came last provides. Clients of MQTT follow it at once, by the claims of the
 * protocol; those of D-Bus when the bus gives the name away, for nobody can take it from a daemon
 * that does not let go. At the start of the gateway, when nobody knows who came last, the MQTT
 * service stays what it is. docs/MIGRATION.md shows it as a table. */

#include <stdbool.h>

#include "gateway/facade.h"

typedef enum ProviderState {
        PROVIDER_NONE,        /* neither is there */
        PROVIDER_DBUS,        /* a daemon has the D-Bus name, and is shown on MQTT */
        PROVIDER_TAKING_OVER, /* one of them is, and has not yet all that the other had */
        PROVIDER_MQTT,        /* and the gateway has the name for it */
        PROVIDER_HELD,        /* it is lost, and the gateway keeps the name */
        PROVIDER_RELEASED,    /* the name was given up on request, for a daemon that has not come */
        PROVIDER_CONFLICT,    /* clients of MQTT have the MQTT service, those of D-Bus a daemon; or
                               * a daemon tries in vain to get the name */
} ProviderState;

typedef struct ProviderView {
        bool dbus_has_name; /* somebody else than the gateway */
        bool mqtt_is_up;    /* the service is ready on MQTT, and not by way of D-Bus */
        bool dbus_is_shown; /* on MQTT, or is about to be: it has not been superseded there */
        bool daemon_failed; /* it was started while the gateway had the name */
        bool is_queued;     /* the gateway waits for the name, and gets it next */
        FacadeState facade;
} ProviderView;

ProviderState provider_find(const ProviderView *view);
/* A word for people and programs: "none", "dbus", … */
const char *provider_state_name(ProviderState state);
