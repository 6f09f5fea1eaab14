/* SPDX-License-Identifier: MIT */

#include "tests/support/dbus-daemon.h"

#include "tests/support/wait.h"

struct DbusDaemon {
        TempDir *dir;
        DbusDaemonKind kind;
        char *path;    /* the directory with its files */
        char *address; /* "unix:path=…" */
        GString *policies;
        Process *process;
};

static const char config_open[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig>\n"
        "  <type>session</type>\n"
        "  <auth>EXTERNAL</auth>\n"
        "  <listen>@ADDRESS@</listen>\n"
        "  <servicedir>@SERVICES@</servicedir>\n"
        "  <policy context=\"default\">\n"
        "    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
        "    <allow eavesdrop=\"true\"/>\n"
        "    <allow own=\"*\"/>\n"
        "  </policy>\n"
        "  @POLICIES@\n"
        "</busconfig>\n";

static void write_file(const char *path, const char *name, const char *text)
{
        g_autofree char *file = g_build_filename(path, name, NULL);
        GError *error = NULL;

        g_file_set_contents(file, text, -1, &error);
        g_assert_no_error(error);
}

DbusDaemon *dbus_daemon_new(TempDir *dir, DbusDaemonKind kind)
{
        DbusDaemon *daemon = g_new0(DbusDaemon, 1);
        g_autofree char *services = NULL;

        daemon->dir = dir;
        daemon->kind = kind;
        daemon->path = temp_dir_make(dir, "bus");
        daemon->address = g_strdup_printf("unix:path=%s/socket", daemon->path);
        daemon->policies = g_string_new(NULL);
        services = g_build_filename(daemon->path, "services", NULL);
        g_assert_cmpint(g_mkdir_with_parents(services, 0700), ==, 0);
        return daemon;
}

DbusDaemon *dbus_daemon_free(DbusDaemon *daemon)
{
        if (!daemon)
                return NULL;
        process_free(daemon->process);
        g_string_free(daemon->policies, TRUE);
        g_free(daemon->address);
        g_free(daemon->path);
        g_free(daemon);
        return NULL;
}

void dbus_daemon_add_policy(DbusDaemon *daemon, const char *xml)
{
        g_string_append_printf(daemon->policies, "%s\n", xml);
}

void dbus_daemon_add_service(DbusDaemon *daemon, const char *name, const char *command)
{
        g_autofree char *file = g_strdup_printf("services/%s.service", name);
        g_autofree char *text = g_strdup_printf("[D-BUS Service]\nName=%s\nExec=%s\nUser=%s\n",
                                                name, command, g_get_user_name());

        write_file(daemon->path, file, text);
}

static char *dup_template(const DbusDaemon *daemon)
{
        g_autofree char *path = process_source_path("scripts/lib/system-bus.conf");
        char *text = NULL;
        GError *error = NULL;

        if (daemon->kind == DBUS_DAEMON_OPEN)
                return g_strdup(config_open);
        g_file_get_contents(path, &text, NULL, &error);
        g_assert_no_error(error);
        return text;
}

static void write_config(DbusDaemon *daemon)
{
        g_autofree char *template = dup_template(daemon);
        g_autofree char *services = g_build_filename(daemon->path, "services", NULL);
        g_autoptr(GString) text = g_string_new(template);

        g_string_replace(text, "@ADDRESS@", daemon->address, 0);
        g_string_replace(text, "@SERVICES@", services, 0);
        g_string_replace(text, "@POLICIES@", daemon->policies->str, 0);
        write_file(daemon->path, "bus.conf", text->str);
}

void dbus_daemon_start(DbusDaemon *daemon)
{
        g_autofree char *config = g_strdup_printf("--config-file=%s/bus.conf", daemon->path);
        const char *argv[] = {"dbus-daemon",       config,       "--nofork", "--nopidfile",
                              "--print-address=1", "--nosyslog", NULL};

        g_assert_null(daemon->process);
        write_config(daemon);
        daemon->process = process_start(daemon->dir, "dbus-daemon", argv, NULL);
        /* It prints its address when it listens. */
        if (!process_wait_output(daemon->process, PROCESS_STDOUT, "\n", WAIT_MSEC))
                g_error("dbus-daemon does not start");
}

void dbus_daemon_stop(DbusDaemon *daemon)
{
        g_assert_nonnull(daemon->process);
        process_stop(daemon->process);
        daemon->process = process_free(daemon->process);
}

void dbus_daemon_kill(DbusDaemon *daemon)
{
        g_assert_nonnull(daemon->process);
        daemon->process = process_free(daemon->process);
}

void dbus_daemon_reload(DbusDaemon *daemon)
{
        g_autoptr(GDBusConnection) connection = dbus_daemon_connect(daemon);
        g_autoptr(GVariant) reply = NULL;
        GError *error = NULL;

        write_config(daemon);
        reply = g_dbus_connection_call_sync(
                connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "ReloadConfig", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, (int)WAIT_MSEC, NULL, &error);
        g_assert_no_error(error);
}

const char *dbus_daemon_get_address(const DbusDaemon *daemon)
{
        return daemon->address;
}

GDBusConnection *dbus_daemon_connect(DbusDaemon *daemon)
{
        GError *error = NULL;
        GDBusConnection *connection = g_dbus_connection_new_for_address_sync(
                daemon->address,
                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                NULL, NULL, &error);

        g_assert_no_error(error);
        return connection;
}

typedef struct NameWatch {
        int owned; /* -1: not known yet */
        bool wanted;
} NameWatch;

static void on_name_appeared(GDBusConnection *connection, const char *name, const char *owner,
                             gpointer userdata)
{
        ((NameWatch *)userdata)->owned = 1;
}

static void on_name_vanished(GDBusConnection *connection, const char *name, gpointer userdata)
{
        ((NameWatch *)userdata)->owned = 0;
}

static bool name_is_as_wanted(void *userdata)
{
        const NameWatch *watch = userdata;

        return watch->owned == (int)watch->wanted;
}

Process *dbus_daemon_get_process(const DbusDaemon *daemon)
{
        return daemon->process;
}

bool dbus_daemon_wait_name(DbusDaemon *daemon, const char *name, bool owned, unsigned msec)
{
        g_autoptr(GDBusConnection) connection = dbus_daemon_connect(daemon);
        NameWatch watch = {.owned = -1, .wanted = owned};
        guint id = g_bus_watch_name_on_connection(connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                  on_name_appeared, on_name_vanished, &watch, NULL);
        bool done = wait_until(name_is_as_wanted, &watch, msec);

        g_bus_unwatch_name(id);
        g_dbus_connection_close_sync(connection, NULL, NULL);
        return done;
}
