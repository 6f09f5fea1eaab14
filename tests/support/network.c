/* SPDX-License-Identifier: MIT */

#include "tests/support/network.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/wait.h"

#define MARK "MQTTRPC_TEST_NETWORK"

/* A queue without room; that kind is in every kernel that has any. */
#define UP   "ip link set lo up"
#define DROP "tc qdisc replace dev lo root pfifo limit 0"
#define PASS "tc qdisc del dev lo root"

/* For who is not root, also a user namespace, in which the tools keep what rights they need. */
static const char *const namespaces[] = {
        "unshare", "--net", "--user", "--map-current-user", "--keep-caps", "--", NULL,
};

static GPtrArray *build_command(void)
{
        GPtrArray *argv = g_ptr_array_new();

        for (int i = 0; namespaces[i]; i++)
                if (getuid() != 0 || i < 2 || !namespaces[i + 1])
                        g_ptr_array_add(argv, (gpointer)namespaces[i]);
        return argv;
}

/* The loopback of a new namespace is down; and the rights to change it may be had no more than the
 * tools. */
static bool is_possible(void)
{
        g_autoptr(GPtrArray) argv = build_command();
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();

        g_ptr_array_add(argv, (gpointer) "sh");
        g_ptr_array_add(argv, (gpointer) "-ec");
        g_ptr_array_add(argv, (gpointer)("PATH=$PATH:/usr/sbin:/sbin; " UP "; " DROP "; " PASS));
        g_ptr_array_add(argv, NULL);
        return process_run(dir, (const char *const *)argv->pdata, NULL, WAIT_MSEC, NULL, NULL) == 0;
}

void network_enter(char **argv)
{
        g_autoptr(GPtrArray) command = NULL;

        if (g_getenv(MARK) || g_getenv("MQTTRPC_NO_NAMESPACES") || !is_possible())
                return;
        command = build_command();
        g_ptr_array_add(command, (gpointer) "sh");
        g_ptr_array_add(command, (gpointer) "-ec");
        g_ptr_array_add(command,
                        (gpointer)("PATH=$PATH:/usr/sbin:/sbin; " UP "; exec \"$0\" \"$@\""));
        for (; *argv; argv++)
                g_ptr_array_add(command, *argv);
        g_ptr_array_add(command, NULL);
        g_setenv(MARK, "1", TRUE);
        execvp(command->pdata[0], (char **)command->pdata);
        g_error("cannot run %s", namespaces[0]);
}

bool network_is_own(void)
{
        return g_getenv(MARK) != NULL;
}

static char *run(TempDir *dir, const char *command)
{
        g_autofree char *err = NULL;
        g_auto(GStrv) argv = g_strsplit(command, " ", -1);
        char *out = NULL;

        g_assert_true(network_is_own()); /* never those of the machine */
        if (process_run(dir, (const char *const *)argv, NULL, WAIT_MSEC, &out, &err) != 0)
                g_error("%s: %s", command, err);
        return out;
}

void network_drop(TempDir *dir, bool drop)
{
        g_free(run(dir, drop ? DROP : PASS));
}

unsigned network_count_dropped(TempDir *dir)
{
        g_autofree char *out = run(dir, "tc -s qdisc show dev lo");
        const char *at = strstr(out, "(dropped ");
        unsigned count;

        g_assert_nonnull(at);
        g_assert_cmpint(sscanf(at, "(dropped %u", &count), ==, 1);
        return count;
}
