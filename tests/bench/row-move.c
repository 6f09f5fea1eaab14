/* SPDX-License-Identifier: MIT */

/* How long callers wait while a service moves from D-Bus to MQTT and back under `provider: auto`,
 * against a plain restart of the daemon on D-Bus, in turns. A caller of each side calls all the
 * time, once in a millisecond; a pause is the longest time from one result to the next. Who gets an
 * error, or nothing, calls again. */

#include "tests/bench/row.h"

#include "tests/integration/provider-fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME PROVIDER_NAME
#define PATH PROVIDER_PATH

enum {
        BEAT_USEC = 1000,
        LOST_MSEC = 2000, /* a daemon that ends has not read all that was sent to it */
        RESULTS_AFTER = 3,
};

/* ---- callers ---- */

typedef struct Caller {
        ProviderFixture *fixture;
        GThread *thread;
        GMutex mutex; /* for what follows */
        GCond more;
        gint64 last, longest; /* µs */
        unsigned results;
        bool stop;
} Caller;

/* False: it is to end. */
static bool note(Caller *caller, bool is_result)
{
        gint64 now = g_get_monotonic_time();
        bool stop;

        g_mutex_lock(&caller->mutex);
        if (is_result) {
                caller->longest = MAX(caller->longest, now - caller->last);
                caller->last = now;
                caller->results++;
                g_cond_signal(&caller->more);
        }
        stop = caller->stop;
        g_mutex_unlock(&caller->mutex);
        if (!stop)
                g_usleep(BEAT_USEC);
        return !stop;
}

static gpointer call_dbus(gpointer userdata)
{
        Caller *caller = userdata;
        bool is_result;
        sd_bus *bus;

        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(
                sd_bus_set_address(bus, dbus_daemon_get_address(caller->fixture->stage->bus)), >=,
                0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, true), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        do
                is_result = sd_bus_call_method(bus, NAME, PATH, NAME, "Mark", NULL, NULL, "u",
                                               (guint32)0) >= 0;
        while (note(caller, is_result));
        sd_bus_flush_close_unref(bus);
        return NULL;
}

static gpointer call_mqtt(gpointer userdata)
{
        MqttRequest request = {.service = "move", .method = "Mark", .params = "[0]"};
        Caller *caller = userdata;
        MqttClient *client = caller->fixture->stage->client;
        bool is_result;

        do {
                unsigned id = mqtt_client_send(client, &request);
                g_autofree char *reply = mqtt_client_wait(client, id, LOST_MSEC);

                is_result = reply && strstr(reply, "\"result\"");
        } while (note(caller, is_result));
        return NULL;
}

static void caller_start(Caller *caller, ProviderFixture *fixture, GThreadFunc function)
{
        *caller = (Caller){.fixture = fixture, .last = g_get_monotonic_time()};
        g_mutex_init(&caller->mutex);
        g_cond_init(&caller->more);
        caller->thread = g_thread_new("caller", function, caller);
}

static void caller_stop(Caller *caller)
{
        g_mutex_lock(&caller->mutex);
        caller->stop = true;
        g_mutex_unlock(&caller->mutex);
        g_thread_join(caller->thread);
        g_mutex_clear(&caller->mutex);
        g_cond_clear(&caller->more);
}

static void caller_begin(Caller *caller)
{
        g_mutex_lock(&caller->mutex);
        caller->longest = 0;
        g_mutex_unlock(&caller->mutex);
}

/* Some results from now on; then the pause, if there was one, is over. */
static double caller_end(Caller *caller)
{
        unsigned wanted;
        double longest;

        g_mutex_lock(&caller->mutex);
        wanted = caller->results + RESULTS_AFTER;
        while (caller->results < wanted)
                g_cond_wait(&caller->more, &caller->mutex);
        longest = (double)caller->longest;
        g_mutex_unlock(&caller->mutex);
        return longest;
}

/* ---- the service ---- */

typedef struct Setup {
        ProviderFixture fixture;
        MqttClient *admin;
        Caller dbus, mqtt;
        Samples *restart, *there[2], *back[2]; /* callers of D-Bus, of MQTT */
} Setup;

/* Of the daemon on D-Bus; 0: none. */
static guint32 find_daemon(const ProviderFixture *f)
{
        g_autoptr(GVariant) result = g_dbus_connection_call_sync(
                f->client, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", g_variant_new("(s)", NAME), NULL,
                G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
        guint32 pid = 0;

        if (result)
                g_variant_get(result, "(u)", &pid);
        return pid;
}

static void restart_daemon(Setup *setup)
{
        guint32 before = find_daemon(&setup->fixture), now;

        g_assert_cmpint(kill((pid_t)before, SIGTERM), ==, 0);
        do
                now = find_daemon(&setup->fixture);
        while (now == 0 || now == before);
}

static void move_there(Setup *setup)
{
        ProviderFixture *f = &setup->fixture;

        provider_mark_log(f);
        provider_start_mqtt(f);
        provider_expect_conflict(f);
        g_assert_cmpint(kill((pid_t)find_daemon(f), SIGTERM), ==, 0);
        provider_expect_provider(f, "mqtt");
}

static void move_back(Setup *setup)
{
        MqttRequest request = {
                .service = "gateway", .method = "Release", .params = "[\"move\",60]"};
        ProviderFixture *f = &setup->fixture;

        provider_mark_log(f);
        g_free(mqtt_client_call(setup->admin, &request));
        provider_expect_provider(f, "dbus");
        provider_stop(&f->mqtt);
}

/* ---- the row ---- */

static void measure_pause(Setup *setup, void (*action)(Setup *setup), Samples *dbus, Samples *mqtt)
{
        double usec;

        caller_begin(&setup->dbus);
        caller_begin(&setup->mqtt);
        action(setup);
        samples_add(dbus, caller_end(&setup->dbus));
        usec = caller_end(&setup->mqtt);
        if (mqtt)
                samples_add(mqtt, usec);
        /* somebody has to read what the gateway tells the service manager */
        (void)gateway_process_has_notified(setup->fixture.stage->gateway, "");
}

static void setup_init(Setup *setup)
{
        ProviderFixture *f = &setup->fixture;

        *setup = (Setup){.restart = samples_new()};
        for (unsigned i = 0; i < 2; i++) {
                setup->there[i] = samples_new();
                setup->back[i] = samples_new();
        }
        provider_set_up(f, NULL);
        provider_add_legacy(f);
        gateway_stage_start(f->stage);
        setup->admin = mqtt_client_new(f->stage->broker, "admin");
        caller_start(&setup->dbus, f, call_dbus);
        provider_expect_provider(f, "dbus");
        mqtt_mirror_expect_text(f->mirror, "move/$state", "\"state\":\"ready\"");
        caller_start(&setup->mqtt, f, call_mqtt);
}

static void setup_done(Setup *setup)
{
        guint32 daemon;

        caller_stop(&setup->dbus);
        caller_stop(&setup->mqtt);
        mqtt_client_free(setup->admin);
        daemon = find_daemon(&setup->fixture);
        provider_tear_down(&setup->fixture, NULL);
        if (daemon > 0)
                (void)kill((pid_t)daemon, SIGKILL); /* the bus that has started it is gone */
        samples_free(setup->restart);
        for (unsigned i = 0; i < 2; i++) {
                samples_free(setup->there[i]);
                samples_free(setup->back[i]);
        }
}

void row_measure_move(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        double longest = 0;
        Setup setup;

        setup_init(&setup);
        for (unsigned i = 0; i < effort->moves; i++) {
                measure_pause(&setup, restart_daemon, setup.restart, NULL);
                measure_pause(&setup, move_there, setup.there[0], setup.there[1]);
                measure_pause(&setup, move_back, setup.back[0], setup.back[1]);
        }
        row_add_times(result, "restart, D-Bus caller", setup.restart);
        row_add_times(result, "to MQTT, D-Bus caller", setup.there[0]);
        row_add_times(result, "to MQTT, MQTT caller", setup.there[1]);
        row_add_times(result, "back, D-Bus caller", setup.back[0]);
        row_add_times(result, "back, MQTT caller", setup.back[1]);
        for (unsigned i = 0; i < 2; i++) {
                longest = MAX(longest, samples_get(setup.there[i], 0.5));
                longest = MAX(longest, samples_get(setup.back[i], 0.5));
        }
        result->value = longest / samples_get(setup.restart, 0.5);
        setup_done(&setup);
}
