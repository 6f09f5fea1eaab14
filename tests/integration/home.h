/* SPDX-License-Identifier: MIT */
#pragma once

/* The set-up of the tests of state: a broker that lets everybody do everything, the bus "home" that
 * serves "thermo" (not opened yet, so that a test may add to it), a bus "user" that watches and
 * calls, and a stock client. What the user is told is written down, a line for each event. */

#include "tests/support/raw-client.h"

typedef struct Home {
        TempDir *dir;
        Broker *broker;
        MqttRpcBus *home;
        MqttRpcBus *user;
        RawClient *client;
        GString *events;

        /* The state of the service. */
        double degrees;
        char *label;
        bool broken; /* Degrees has no value */
        unsigned n_set;
        MqttRpcRequest *held; /* a request to set Label, to be answered by the test */
        bool hold;

        unsigned replies; /* that the user got */
        int code;         /* of the last one, 0 for a result */
        char *result;
} Home;

extern const MqttRpcMember home_vtable[];

void home_set_up(Home *home, gconstpointer unused);
void home_tear_down(Home *home, gconstpointer unused);

#define HOME_TEST(path, function) \
        g_test_add((path), Home, NULL, home_set_up, (function), home_tear_down)

/* A further bus on the same broker, on the loop and not open. Of `caller`, which is copied. */
MqttRpcBus *home_new_bus(Home *home, const char *caller);
/* Opens a bus and waits until it is connected. */
void home_open(MqttRpcBus *bus);
/* Opens the service's bus, and waits until the user sees it ready. */
void home_start(Home *home);
bool home_sees(Home *home, const char *service, MqttRpcServiceState state);

/* Watches all of "thermo": events are "signal OBJECT NAME PARAMS [lost N]", "prop OBJECT NAME VALUE
 * [stale]" ("-" for no value), "object OBJECT META", "service NAME STATE". */
void home_watch(Home *home, MqttRpcSlot **ret_signals, MqttRpcSlot **ret_properties);
void home_watch_objects(Home *home);
void home_watch_services(Home *home);
/* Waits until the events contain the text; fails the test if they do not. */
void home_expect(Home *home, const char *text);
void home_clear(Home *home);

/* Starts a call by the user; home_call() also waits for its end, and returns its result or NULL. */
int home_start_call(Home *home, const char *service, const char *method, const char *params);
const char *home_call(Home *home, const char *object, const char *method, const char *params);

/* What the broker has retained at a topic; NULL: nothing. The caller frees it. */
char *home_retained(Home *home, const char *topic);
/* Publishes as a stock client, retained. */
void home_retain(Home *home, const char *topic, const char *payload);
