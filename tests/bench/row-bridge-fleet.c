/* SPDX-License-Identifier: MIT */

/* The cloud comes back, and with it all devices: the connection code of the bridge, once for each
 * of them, in this process. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/mqtt.h"
#include "common/clock.h"
#include "tests/bench/measure.h"
#include "tests/bench/row.h"

enum {
        N_DEVICES = 200,
        N_DEVICES_SMOKE = 20,
        N_SPANS = 10,
        POLL_MSEC = 5,
};

/* As the bridge has it for the cloud. */
#define RECONNECT_USEC (UINT64_C(60) * USEC_PER_SEC)
#define PATIENCE_USEC  (UINT64_C(100) * USEC_PER_SEC)

typedef struct Device {
        Mqtt *mqtt;
        uint64_t back_usec; /* 0: not yet */
} Device;

typedef struct Fleet {
        TempDir *dir;
        Broker *cloud;
        Endpoint endpoint;
        Device *devices;
        unsigned n;
} Fleet;

static void on_open(void *userdata, bool session_present)
{
        Device *device = userdata;

        device->back_usec = clock_now();
}

static void on_subscribed(void *userdata, int mid, bool granted)
{
}

static void on_message(void *userdata, const MqttMessage *message)
{
}

static void on_published(void *userdata, uint64_t cookie, int reason)
{
}

static void on_down(void *userdata, const char *reason)
{
        Device *device = userdata;

        device->back_usec = 0;
}

static const MqttEvents events = {
        .on_open = on_open,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_published = on_published,
        .on_down = on_down,
};

static void fleet_process(Fleet *fleet)
{
        g_autofree struct pollfd *fds = g_new(struct pollfd, fleet->n);
        uint64_t now;

        for (unsigned i = 0; i < fleet->n; i++)
                fds[i] = (struct pollfd){mqtt_fd(fleet->devices[i].mqtt),
                                         mqtt_poll_events(fleet->devices[i].mqtt), 0};
        (void)poll(fds, fleet->n, POLL_MSEC);
        now = clock_now();
        for (unsigned i = 0; i < fleet->n; i++)
                mqtt_process(fleet->devices[i].mqtt, fds[i].revents, now);
}

static unsigned count_back(const Fleet *fleet)
{
        unsigned n = 0;

        for (unsigned i = 0; i < fleet->n; i++)
                n += fleet->devices[i].back_usec > 0;
        return n;
}

static void wait_for(Fleet *fleet, unsigned n)
{
        uint64_t end = clock_now() + PATIENCE_USEC;

        while (count_back(fleet) != n) {
                if (clock_now() >= end)
                        g_error("%u of %u devices are connected", count_back(fleet), fleet->n);
                fleet_process(fleet);
        }
}

static void start_device(Fleet *fleet, unsigned i)
{
        g_autofree char *id = g_strdup_printf("device-%u", i);
        MqttSettings settings = {.endpoint = &fleet->endpoint,
                                 .client_id = id,
                                 .inflight = 16,
                                 .reconnect_usec = RECONNECT_USEC};

        if (mqtt_new(&events, &fleet->devices[i], &fleet->devices[i].mqtt) < 0 ||
            mqtt_open(fleet->devices[i].mqtt, &settings, NULL) < 0)
                g_error("cannot start device %u", i);
}

static void fleet_start(Fleet *fleet, unsigned n)
{
        fleet->dir = temp_dir_new();
        fleet->cloud = broker_new_with_config(fleet->dir, "allow_anonymous true\n");
        broker_enable_tcp(fleet->cloud);
        broker_start(fleet->cloud);
        fleet->endpoint =
                (Endpoint){.uri = g_strdup(broker_get_tcp_uri(fleet->cloud)), .keepalive_s = 60};
        if (address_parse(fleet->endpoint.uri, &fleet->endpoint.address, NULL) < 0)
                g_error("no address: %s", fleet->endpoint.uri);
        fleet->devices = g_new0(Device, n);
        fleet->n = n;
        for (unsigned i = 0; i < n; i++)
                start_device(fleet, i);
        wait_for(fleet, n);
}

static void fleet_done(Fleet *fleet)
{
        for (unsigned i = 0; i < fleet->n; i++)
                mqtt_free(fleet->devices[i].mqtt);
        broker_free(fleet->cloud);
        temp_dir_free(fleet->dir);
        address_done(&fleet->endpoint.address);
        g_free(fleet->endpoint.uri);
        g_free(fleet->devices);
}

static void add_histogram(RowResult *result, const unsigned *counts, double span_usec)
{
        for (unsigned i = 0; i < N_SPANS; i++) {
                g_autofree char *label = g_strdup_printf("until %.2f s", span_usec * (i + 1) / 1e6);

                row_add_count(result, g_intern_string(label), counts[i]);
        }
}

/* The fullest tenth of the time in which nine of ten came back: one that is late makes no spread.
 */
static double find_peak(const Fleet *fleet, uint64_t start, RowResult *result)
{
        g_autoptr(Samples) usec = samples_new();
        unsigned counts[N_SPANS] = {}, most = 0;
        double span;

        for (unsigned i = 0; i < fleet->n; i++)
                samples_add(usec, (double)(fleet->devices[i].back_usec - start));
        span = MAX(samples_get(usec, 0.9), 1) / N_SPANS;
        for (unsigned i = 0; i < fleet->n; i++) {
                double at = (double)(fleet->devices[i].back_usec - start) / span;

                if (at < N_SPANS)
                        counts[(unsigned)at]++;
        }
        for (unsigned i = 0; i < N_SPANS; i++)
                most = MAX(most, counts[i]);
        add_histogram(result, counts, span);
        return (double)most / fleet->n;
}

void row_measure_bridge_fleet(Buses *buses, const Effort *effort, const Row *row, RowResult *result)
{
        bool smoke = effort->repeats == 1;
        Fleet fleet = {};
        uint64_t start;

        fleet_start(&fleet, smoke ? N_DEVICES_SMOKE : N_DEVICES);
        broker_kill(fleet.cloud);
        start = clock_now();
        wait_for(&fleet, 0);
        while (clock_now() < start + effort->outage_msec * USEC_PER_MSEC)
                fleet_process(&fleet);
        broker_start(fleet.cloud);
        start = clock_now();
        wait_for(&fleet, fleet.n);
        result->value = find_peak(&fleet, start, result);
        fleet_done(&fleet);
}
