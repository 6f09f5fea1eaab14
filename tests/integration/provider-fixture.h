/* SPDX-License-Identifier: MIT */
#pragma once

/* A service that either side may provide, moving-service.c, and those who use it. */

#include "tests/support/gateway-stage.h"
#include "tests/support/mqtt-mirror.h"

#define PROVIDER_NAME "org.example.Move"
#define PROVIDER_PATH "/org/example/Move"

typedef struct ProviderFixture {
        GatewayStage *stage;
        MqttMirror *mirror;
        GDBusConnection *client;
        char *marks;          /* the file */
        Process *dbus, *mqtt; /* the service in its two forms */
        GPtrArray *owners;    /* of the name, as the bus tells */
        guint subscription;
} ProviderFixture;

/* Of the mapping: JSON. */
extern const char provider_objects[];

/* Bus and broker run. `more`: further members of the mapping, or NULL. */
void provider_set_up(ProviderFixture *f, gconstpointer more);
void provider_tear_down(ProviderFixture *f, gconstpointer unused);

/* The daemon; `way` as moving-service.c says. Or the bus can start it. */
void provider_start_dbus(ProviderFixture *f, const char *way);
void provider_add_legacy(ProviderFixture *f);
void provider_start_mqtt(ProviderFixture *f);
void provider_stop(Process **process);

/* What the gateway logs, after the mark. */
void provider_mark_log(ProviderFixture *f);
void provider_expect_logged(ProviderFixture *f, const char *text);
void provider_expect_provider(ProviderFixture *f, const char *state);
void provider_expect_conflict(ProviderFixture *f);

/* Who answers to a client of D-Bus; or the name of the error. */
char *provider_ask_dbus(ProviderFixture *f);
/* Who answers to clients of either side. */
void provider_assert_sides(ProviderFixture *f, const char *on_dbus, const char *on_mqtt);
/* Forgets who had the name up to now; since then it has gone from one to another, without a moment
 * in which nobody had it. */
void provider_forget_owners(ProviderFixture *f);
void provider_check_never_free(ProviderFixture *f);

/* Calls the gateway's own service. */
char *provider_ask_gateway(ProviderFixture *f, const char *method, const char *params);
void provider_expect_status(ProviderFixture *f, const char *text);
void provider_release(ProviderFixture *f);
