/* SPDX-License-Identifier: MIT */

/* The harness itself: what it starts works, comes back after a crash, and leaves nothing behind. */

#include "tests/support/broker.h"
#include "tests/support/dbus-daemon.h"
#include "tests/support/hostnamed.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- temporary directories and processes ---- */

static void test_directory_is_removed(void)
{
        TempDir *dir = temp_dir_new();
        g_autofree char *path = g_strdup(temp_dir_get_path(dir));
        g_autofree char *sub = temp_dir_make(dir, "sub");

        g_free(temp_dir_write(dir, "file", "text"));
        g_assert_true(g_file_test(sub, G_FILE_TEST_IS_DIR));
        temp_dir_free(dir);
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static bool is_missing(void *path)
{
        return !g_file_test(path, G_FILE_TEST_EXISTS);
}

/* A zombie counts as dead: it is for init to reap, which may take its time. */
static bool is_dead(void *pid)
{
        g_autofree char *path = g_strdup_printf("/proc/%d/stat", GPOINTER_TO_INT(pid));
        g_autofree char *stat = NULL;

        return !g_file_get_contents(path, &stat, NULL, NULL) || strstr(stat, ") Z ");
}

/* What a test program is when it dies: one child, one directory. Prints both and waits. */
static int run_victim(void)
{
        const char *argv[] = {"sleep", "600", NULL};
        TempDir *dir = temp_dir_new();
        Process *process = process_start(dir, "child", argv, NULL);

        printf("%d %s\n", (int)process_get_pid(process), temp_dir_get_path(dir));
        fflush(stdout);
        pause();
        return 1;
}

static void test_nothing_is_left_after_a_signal(gconstpointer signal)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        const char *argv[] = {"/proc/self/exe", "--victim", NULL};
        CLEANUP_PROCESS Process *victim = NULL;
        g_autofree char *self = g_file_read_link(argv[0], NULL);
        g_autofree char *output = NULL;
        char *path;
        long child;

        argv[0] = self;
        victim = process_start(dir, "victim", argv, NULL);
        g_assert_true(process_wait_output(victim, PROCESS_STDOUT, "\n", WAIT_MSEC));
        output = process_dup_output(victim, PROCESS_STDOUT);
        child = strtol(output, &path, 10);
        path = g_strstrip(path);
        g_assert_cmpint(child, >, 1);
        g_assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
        process_signal(victim, GPOINTER_TO_INT(signal));
        g_assert_cmpint(process_wait_exit(victim, WAIT_MSEC), ==, 128 + GPOINTER_TO_INT(signal));
        g_assert_true(wait_until(is_dead, GINT_TO_POINTER((int)child), WAIT_MSEC));
        g_assert_true(wait_until(is_missing, path, WAIT_MSEC));
}

static void test_process_has_input_environment_and_status(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        const char *argv[] = {"sh", "-c", "read x; echo $x-$FOO; echo oops >&2; exit 7", NULL};
        const char *environment[] = {"FOO=bar", "HOME", NULL};
        ProcessOptions options = {.environment = environment, .input = "line\n"};
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;

        g_assert_cmpint(process_run(dir, argv, &options, WAIT_MSEC, &out, &err), ==, 7);
        g_assert_cmpstr(out, ==, "line-bar\n");
        g_assert_cmpstr(err, ==, "oops\n");
}

static void test_waiting_for_output_ends(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        const char *argv[] = {"sh", "-c", "echo one; read x; echo two", NULL};
        CLEANUP_PROCESS Process *process = process_start(dir, "sh", argv, NULL);

        g_assert_true(process_wait_output(process, PROCESS_STDOUT, "two", WAIT_MSEC));
        process_mark_output(process, PROCESS_STDOUT);
        g_assert_false(process_wait_output(process, PROCESS_STDOUT, "two", WAIT_MSEC));
        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 0);
}

static void test_stop_gives_the_signal(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        const char *argv[] = {"sleep", "600", NULL};
        CLEANUP_PROCESS Process *process = process_start(dir, "sleep", argv, NULL);

        g_assert_true(process_is_running(process));
        g_assert_cmpint(process_stop(process), ==, 128 + SIGTERM);
        g_assert_false(process_is_running(process));
}

/* ---- dbus-daemon ---- */

static void test_bus_comes_back_at_its_address(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_OPEN);

        for (unsigned round = 0; round < 3; round++) {
                dbus_daemon_start(bus);
                g_object_unref(dbus_daemon_connect(bus));
                if (round == 0)
                        dbus_daemon_kill(bus);
                else
                        dbus_daemon_stop(bus);
        }
}

static bool own_name(DbusDaemon *bus, const char *name)
{
        g_autoptr(GDBusConnection) connection = dbus_daemon_connect(bus);
        g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
                connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "RequestName", g_variant_new("(su)", name, 4U), NULL, G_DBUS_CALL_FLAGS_NONE,
                (int)WAIT_MSEC, NULL, NULL);

        return reply != NULL;
}

static void test_system_bus_is_closed_until_a_policy_opens_it(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_SYSTEM);

        dbus_daemon_start(bus);
        g_assert_false(own_name(bus, "org.example.Test1"));
        dbus_daemon_add_policy(bus, "<policy context=\"default\">"
                                    "<allow own=\"org.example.Test1\"/></policy>");
        dbus_daemon_reload(bus);
        g_assert_true(own_name(bus, "org.example.Test1"));
        g_assert_true(dbus_daemon_wait_name(bus, "org.example.Test1", false, WAIT_MSEC));
}

/* ---- broker ---- */

static int publish(TempDir *dir, const char *const *to, const char *user, const char *password)
{
        const char *argv[] = {
                "mosquitto_pub", "-V", "5", to[0], to[1],          to[2], to[3], "-u", user, "-P",
                password,        "-q", "1", "-t",  "mb1/x/$state", "-m",  "{}",  NULL};
        g_autofree char *err = NULL;
        int status = process_run(dir, argv, NULL, WAIT_MSEC, NULL, &err);

        return status != 0 || *err ? -1 : 0;
}

static void test_broker_comes_back_on_its_socket_and_port(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_BROKER Broker *broker = broker_new(dir);
        const char *rights[] = {"--service", "x", NULL};
        g_autofree char *port = NULL;

        broker_add_user(broker, "net", "pass word", rights);
        broker_enable_tcp(broker);
        port = g_strdup_printf("%u", broker_get_port(broker));
        for (unsigned round = 0; round < 3; round++) {
                const char *tcp[] = {"-h", "127.0.0.1", "-p", port};
                const char *local[] = {"--unix", broker_get_socket(broker), "-k", "60"};

                broker_start(broker);
                g_assert_cmpint(publish(dir, tcp, "net", "pass word"), ==, 0);
                g_assert_cmpint(publish(dir, local, "net", "pass word"), ==, 0);
                if (round == 0)
                        broker_kill(broker);
                else
                        broker_stop(broker);
        }
}

static void test_broker_takes_a_configuration_of_the_test(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_BROKER Broker *broker = broker_new_with_config(dir, "allow_anonymous true");
        const char *local[] = {"--unix", broker_get_socket(broker), "-k", "60"};

        broker_start(broker);
        g_assert_cmpint(publish(dir, local, "anybody", "x"), ==, 0);
}

static void test_broker_speaks_tls(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_TLS_FILES TlsFiles *tls = tls_files_new(dir, "net");
        CLEANUP_BROKER Broker *broker = broker_new(dir);
        const char *rights[] = {"--service", "x", NULL};
        g_autofree char *log = NULL;
        const char *port;
        const char *argv[] = {"mosquitto_pub",
                              "-V",
                              "5",
                              "-h",
                              "127.0.0.1",
                              "-p",
                              NULL,
                              "--cafile",
                              tls_files_get_ca(tls),
                              "-t",
                              "mb1/x/$state",
                              "-m",
                              "{}",
                              "-q",
                              "1",
                              "--cert",
                              tls_files_get_client_cert(tls),
                              "--key",
                              tls_files_get_client_key(tls),
                              NULL};

        broker_enable_tls(broker, tls, true);
        broker_add_user(broker, "net", "password", rights);
        broker_start(broker);
        port = strrchr(broker_get_tls_uri(broker), ':') + 1;
        argv[6] = port;
        g_assert_cmpint(process_run(dir, argv, NULL, WAIT_MSEC, NULL, &log), ==, 0);
        g_assert_cmpstr(log, ==, "");
        argv[15] = NULL; /* no certificate, no entry */
        g_assert_cmpint(process_run(dir, argv, NULL, WAIT_MSEC, NULL, NULL), !=, 0);
}

/* ---- hostnamed ---- */

#define HOSTNAME1_NAME "org.freedesktop.hostname1"
#define HOSTNAME1_PATH "/org/freedesktop/hostname1"

static GVariant *call_hostnamed(DbusDaemon *bus, const char *interface, const char *method,
                                GVariant *arguments, GError **ret_error)
{
        g_autoptr(GDBusConnection) connection = dbus_daemon_connect(bus);

        return g_dbus_connection_call_sync(connection, HOSTNAME1_NAME, HOSTNAME1_PATH, interface,
                                           method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE,
                                           (int)WAIT_MSEC, NULL, ret_error);
}

static void assert_static_hostname(DbusDaemon *bus, const char *expected)
{
        GError *error = NULL;
        g_autoptr(GVariant) reply =
                call_hostnamed(bus, "org.freedesktop.DBus.Properties", "Get",
                               g_variant_new("(ss)", HOSTNAME1_NAME, "StaticHostname"), &error);
        g_autoptr(GVariant) value = NULL;

        g_assert_no_error(error);
        g_variant_get(reply, "(v)", &value);
        g_assert_cmpstr(g_variant_get_string(value, NULL), ==, expected);
}

/* What must be the same after a test: the kernel's host name and the two files. */
static char *dup_host_state(void)
{
        g_autofree char *kernel = NULL;
        g_autofree char *file = NULL;
        g_autofree char *info = NULL;

        g_file_get_contents("/proc/sys/kernel/hostname", &kernel, NULL, NULL);
        g_file_get_contents("/etc/hostname", &file, NULL, NULL);
        g_file_get_contents("/etc/machine-info", &info, NULL, NULL);
        return g_strdup_printf("%s|%s|%s", kernel, file, info);
}

static bool skip_without_hostnamed(TempDir *dir, bool writing)
{
        g_autofree char *reason = NULL;

        if (!hostnamed_is_installed())
                g_test_skip("systemd-hostnamed is not installed");
        else if (writing && !hostnamed_can_write(dir, &reason))
                g_test_skip(reason);
        else
                return false;
        return true;
}

static void test_hostnamed_changes_nothing_on_the_host(gconstpointer start)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_SYSTEM);
        CLEANUP_HOSTNAMED Hostnamed *hostnamed = NULL;
        g_autofree char *before = dup_host_state();
        g_autofree char *after = NULL;
        g_autofree char *file = NULL;
        g_autofree char *text = NULL;
        g_autoptr(GVariant) reply = NULL;
        GError *error = NULL;
        bool direct = GPOINTER_TO_INT(start) == HOSTNAMED_DIRECT;

        if (skip_without_hostnamed(dir, true))
                return;
        hostnamed = hostnamed_new(dir, bus, direct ? HOSTNAMED_DIRECT : HOSTNAMED_ACTIVATED);
        dbus_daemon_start(bus);
        if (direct)
                hostnamed_start(hostnamed);
        reply = call_hostnamed(bus, HOSTNAME1_NAME, "SetStaticHostname",
                               g_variant_new("(sb)", "test-host", FALSE), &error);
        g_assert_no_error(error);
        assert_static_hostname(bus, "test-host");
        after = dup_host_state();
        g_assert_cmpstr(after, ==, before);
        file = g_build_filename(hostnamed_get_etc(hostnamed), "hostname", NULL);
        g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
        g_assert_cmpstr(text, ==, "test-host\n");
        /* a successor finds what its predecessor wrote */
        if (direct) {
                hostnamed_kill(hostnamed);
                g_assert_true(dbus_daemon_wait_name(bus, HOSTNAME1_NAME, false, WAIT_MSEC));
                hostnamed_start(hostnamed);
        } else {
                dbus_daemon_stop(bus);
                dbus_daemon_start(bus);
        }
        assert_static_hostname(bus, "test-host");
}

static void test_hostnamed_without_namespaces_only_reads(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        CLEANUP_DBUS_DAEMON DbusDaemon *bus = dbus_daemon_new(dir, DBUS_DAEMON_SYSTEM);
        CLEANUP_HOSTNAMED Hostnamed *hostnamed = NULL;
        g_autofree char *before = dup_host_state();
        g_autofree char *after = NULL;
        g_autofree char *reason = NULL;
        g_autoptr(GVariant) description = NULL;
        g_autoptr(GVariant) reply = NULL;
        GError *error = NULL;

        if (skip_without_hostnamed(dir, false))
                return;
        g_setenv("MQTTRPC_NO_NAMESPACES", "1", TRUE);
        g_assert_false(hostnamed_can_write(dir, &reason));
        g_assert_nonnull(reason);
        hostnamed = hostnamed_new(dir, bus, HOSTNAMED_DIRECT);
        dbus_daemon_start(bus);
        hostnamed_start(hostnamed);
        g_unsetenv("MQTTRPC_NO_NAMESPACES");
        description = call_hostnamed(bus, HOSTNAME1_NAME, "Describe", NULL, &error);
        g_assert_no_error(error);
        /* the host's own name again, so that even a hole in the policy would do no harm */
        reply = call_hostnamed(bus, HOSTNAME1_NAME, "SetStaticHostname",
                               g_variant_new("(sb)", g_get_host_name(), FALSE), &error);
        g_assert_error(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED);
        g_clear_error(&error);
        after = dup_host_state();
        g_assert_cmpstr(after, ==, before);
}

int main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "--victim") == 0)
                return run_victim();
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/harness/temp-dir/is-removed", test_directory_is_removed);
        g_test_add_data_func("/harness/leaves-nothing/after-abort", GINT_TO_POINTER(SIGABRT),
                             test_nothing_is_left_after_a_signal);
        g_test_add_data_func("/harness/leaves-nothing/after-kill", GINT_TO_POINTER(SIGKILL),
                             test_nothing_is_left_after_a_signal);
        g_test_add_data_func("/harness/leaves-nothing/after-interrupt", GINT_TO_POINTER(SIGINT),
                             test_nothing_is_left_after_a_signal);
        g_test_add_func("/harness/process/has-input-environment-and-status",
                        test_process_has_input_environment_and_status);
        g_test_add_func("/harness/process/waiting-for-output-ends", test_waiting_for_output_ends);
        g_test_add_func("/harness/process/stop-gives-the-signal", test_stop_gives_the_signal);
        g_test_add_func("/harness/dbus-daemon/comes-back-at-its-address",
                        test_bus_comes_back_at_its_address);
        g_test_add_func("/harness/dbus-daemon/system-is-closed-until-a-policy-opens-it",
                        test_system_bus_is_closed_until_a_policy_opens_it);
        g_test_add_func("/harness/broker/comes-back-on-its-socket-and-port",
                        test_broker_comes_back_on_its_socket_and_port);
        g_test_add_func("/harness/broker/takes-a-configuration-of-the-test",
                        test_broker_takes_a_configuration_of_the_test);
        g_test_add_func("/harness/broker/speaks-tls", test_broker_speaks_tls);
        g_test_add_data_func("/harness/hostnamed/direct-changes-nothing-on-the-host",
                             GINT_TO_POINTER(HOSTNAMED_DIRECT),
                             test_hostnamed_changes_nothing_on_the_host);
        g_test_add_data_func("/harness/hostnamed/activated-changes-nothing-on-the-host",
                             GINT_TO_POINTER(HOSTNAMED_ACTIVATED),
                             test_hostnamed_changes_nothing_on_the_host);
        g_test_add_func("/harness/hostnamed/without-namespaces-only-reads",
                        test_hostnamed_without_namespaces_only_reads);
        return g_test_run();
}
