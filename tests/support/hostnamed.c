/* SPDX-License-Identifier: MIT */

#include "tests/support/hostnamed.h"

#include "tests/support/wait.h"

#define HELPER   "scripts/lib/run-hostnamed.sh"
#define BUS_NAME "org.freedesktop.hostname1"

struct Hostnamed {
        TempDir *dir;
        DbusDaemon *bus;
        char *path; /* the directory with its /etc */
        char *etc;
        Process *process;
};

bool hostnamed_is_installed(void)
{
        return g_file_test("/usr/lib/systemd/systemd-hostnamed", G_FILE_TEST_IS_EXECUTABLE) ||
               g_file_test("/lib/systemd/systemd-hostnamed", G_FILE_TEST_IS_EXECUTABLE);
}

bool hostnamed_can_write(TempDir *dir, char **ret_reason)
{
        g_autofree char *script = process_source_path(HELPER);
        g_autofree char *reason = NULL;
        const char *argv[] = {script, "--check", NULL};

        if (process_run(dir, argv, NULL, WAIT_MSEC, &reason, NULL) == 0)
                return true;
        if (ret_reason)
                *ret_reason = g_strdup(g_strchomp(reason));
        return false;
}

Hostnamed *hostnamed_new(TempDir *dir, DbusDaemon *bus, HostnamedStart start)
{
        Hostnamed *hostnamed = g_new0(Hostnamed, 1);
        g_autofree char *script = process_source_path(HELPER);
        g_autofree char *policy = NULL;
        const char *argv[] = {script, "--policy", NULL};

        hostnamed->dir = dir;
        hostnamed->bus = bus;
        hostnamed->path = temp_dir_make(dir, "hostnamed");
        hostnamed->etc = g_build_filename(hostnamed->path, "etc", NULL);
        g_assert_cmpint(process_run(dir, argv, NULL, WAIT_MSEC, &policy, NULL), ==, 0);
        dbus_daemon_add_policy(bus, policy);
        if (start == HOSTNAMED_ACTIVATED) {
                g_autofree char *command =
                        g_strdup_printf("%s --activated %s %s", script, hostnamed->path,
                                        dbus_daemon_get_address(bus));

                dbus_daemon_add_service(bus, BUS_NAME, command);
        }
        return hostnamed;
}

Hostnamed *hostnamed_free(Hostnamed *hostnamed)
{
        if (!hostnamed)
                return NULL;
        process_free(hostnamed->process);
        g_free(hostnamed->path);
        g_free(hostnamed->etc);
        g_free(hostnamed);
        return NULL;
}

void hostnamed_start(Hostnamed *hostnamed)
{
        g_autofree char *script = process_source_path(HELPER);
        const char *argv[] = {script, hostnamed->path, dbus_daemon_get_address(hostnamed->bus),
                              NULL};

        g_assert_null(hostnamed->process);
        hostnamed->process = process_start(hostnamed->dir, "hostnamed", argv, NULL);
        if (!dbus_daemon_wait_name(hostnamed->bus, BUS_NAME, true, WAIT_MSEC))
                g_error("hostnamed does not take its name");
}

void hostnamed_kill(Hostnamed *hostnamed)
{
        g_assert_nonnull(hostnamed->process);
        hostnamed->process = process_free(hostnamed->process);
}

const char *hostnamed_get_etc(const Hostnamed *hostnamed)
{
        return hostnamed->etc;
}

Process *hostnamed_get_process(const Hostnamed *hostnamed)
{
        return hostnamed->process;
}
