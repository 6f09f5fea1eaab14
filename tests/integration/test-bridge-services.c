/* SPDX-License-Identifier: MIT */

/* A real UPower, whose battery the test can change, as the cloud sees it: a stock MQTT tool there,
 * and gateway and bridge on the way. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/bridge-stage.h"
#include "tests/support/dbus-daemon.h"
#include "tests/support/gateway-process.h"
#include "tests/support/wait.h"

#define UPOWER   "org.freedesktop.UPower"
#define PROGRAM  "/usr/libexec/upowerd"
#define BATTERY  "dev1/mb1/upower/device.battery_BAT0"
#define PERCENT  BATTERY "/prop/Percentage"
#define DBUSPATH "/org/freedesktop/UPower/devices/battery_BAT0"

static const char rules[] =
        ",\"publish\":[{\"service\":\"upower\",\"properties\":[\"*\"],\"signals\":[\"*\"]}]";

typedef struct Fixture {
        BridgeStage *stage;
        DbusDaemon *bus;
        Process *upower;
        int battery_fd; /* takes orders */
        GatewayProcess *gateway;
        Process *watcher; /* at the cloud */
} Fixture;

static const char *find_missing(void)
{
        static const char *const programs[] = {PROGRAM, "umockdev-wrapper", "mosquitto_sub"};

        for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
                g_autofree char *path = g_find_program_in_path(programs[i]);

                if (!path)
                        return programs[i];
        }
        return NULL;
}

static void start_upower(Fixture *fixture)
{
        TempDir *dir = fixture->stage->dir;
        g_autofree char *script = process_source_path("tests/support/mock-battery.py");
        g_autofree char *fifo = temp_dir_build(dir, "battery");
        g_autofree char *bed = g_strdup_printf("TMPDIR=%s", temp_dir_get_path(dir));
        g_autofree char *address = g_strdup_printf("DBUS_SYSTEM_BUS_ADDRESS=%s",
                                                   dbus_daemon_get_address(fixture->bus));
        const char *argv[] = {"umockdev-wrapper", script, fifo, PROGRAM, NULL};
        const char *environment[] = {bed, address, NULL};
        const ProcessOptions options = {.environment = environment};

        g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
        /* Not only for writing: nobody may read there yet. */
        fixture->battery_fd = open(fifo, O_RDWR | O_CLOEXEC);
        g_assert_cmpint(fixture->battery_fd, >=, 0);
        fixture->upower = process_start(dir, "upower", argv, &options);
        if (!dbus_daemon_wait_name(fixture->bus, UPOWER, true, WAIT_MSEC)) {
                g_autofree char *log = process_dup_output(fixture->upower, PROCESS_STDERR);

                g_error("UPower does not take its name\n%s", log);
        }
}

static void start_gateway(Fixture *fixture)
{
        g_autofree char *mappings = process_source_path("mappings");
        g_autofree char *password = temp_dir_write(fixture->stage->dir, "password", "any\n");
        GatewayOptions options = {
                .broker = broker_get_uri(fixture->stage->local),
                .password_file = password,
                .bus = dbus_daemon_get_address(fixture->bus),
                .mappings = mappings,
        };

        fixture->gateway = gateway_process_start(fixture->stage->dir, &options);
        g_assert_true(gateway_process_wait_notify(fixture->gateway, "READY=1", WAIT_MSEC));
}

static void watch(Fixture *fixture)
{
        const char *argv[] = {"mosquitto_sub",
                              "-V",
                              "5",
                              "-q",
                              "1",
                              "--unix",
                              broker_get_socket(fixture->stage->cloud),
                              "-v",
                              "-t",
                              "dev1/mb1/upower/+/prop/+",
                              "-t",
                              "dev1/mb1/upower/+/sig/+",
                              NULL};

        fixture->watcher = process_start(fixture->stage->dir, "watcher", argv, NULL);
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
        const char *missing = find_missing();

        *fixture = (Fixture){.battery_fd = -1};
        if (missing) {
                g_autofree char *text = g_strdup_printf("%s is not installed", missing);

                g_test_skip(text);
                return;
        }
        fixture->stage = bridge_stage_new();
        fixture->bus = dbus_daemon_new(fixture->stage->dir, DBUS_DAEMON_OPEN);
        dbus_daemon_start(fixture->bus);
        start_upower(fixture);
        start_gateway(fixture);
        bridge_stage_run(fixture->stage, rules);
        watch(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        process_free(fixture->watcher);
        gateway_process_free(fixture->gateway);
        process_free(fixture->upower);
        if (fixture->battery_fd >= 0)
                close(fixture->battery_fd);
        dbus_daemon_free(fixture->bus);
        bridge_stage_free(fixture->stage);
}

static void order(Fixture *fixture, const char *line)
{
        process_mark_output(fixture->watcher, PROCESS_STDOUT);
        g_assert_cmpint(write(fixture->battery_fd, line, strlen(line)), ==, (ssize_t)strlen(line));
}

static void expect_seen(Fixture *fixture, const char *text)
{
        g_test_message("%s", text);
        g_assert_true(process_wait_output(fixture->watcher, PROCESS_STDOUT, text, WAIT_MSEC));
}

static void test_upower(Fixture *fixture, gconstpointer unused)
{
        if (!fixture->stage)
                return;
        expect_seen(fixture, PERCENT " 80");
        order(fixture, "charge 42\n");
        expect_seen(fixture, PERCENT " 42");
        order(fixture, "remove\n");
        expect_seen(fixture, "dev1/mb1/upower/-/sig/DeviceRemoved ");
        expect_seen(fixture, DBUSPATH);
        expect_seen(fixture, PERCENT " (null)");
        order(fixture, "add\n");
        expect_seen(fixture, "dev1/mb1/upower/-/sig/DeviceAdded ");
        expect_seen(fixture, PERCENT " 80");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/bridge-services/upower", Fixture, NULL, set_up, test_upower, tear_down);
        return g_test_run();
}
