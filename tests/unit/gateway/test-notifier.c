/* SPDX-License-Identifier: MIT */

#include "gateway/notifier.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct Fixture {
        sd_event *event;
        Notifier *notifier;
        int manager;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *hidden = g_strdup_printf("@mqttrpc-notifier-%d", (int)getpid());
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strcpy(address.sun_path, hidden);
        address.sun_path[0] = '\0';
        fixture->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_cmpint(fixture->manager, >=, 0);
        g_assert_cmpint(bind(fixture->manager, (const struct sockaddr *)&address,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(hidden))),
                        ==, 0);
        g_setenv("NOTIFY_SOCKET", hidden, TRUE);
        g_assert_cmpint(sd_event_new(&fixture->event), >=, 0);
        g_assert_cmpint(notifier_new(fixture->event, &fixture->notifier), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        notifier_free(fixture->notifier);
        sd_event_unref(fixture->event);
        if (fixture->manager >= 0)
                close(fixture->manager);
}

/* The next message, or NULL. */
static char *read_next(Fixture *fixture)
{
        char text[200] = "";

        if (recv(fixture->manager, text, sizeof(text) - 1, 0) < 0) {
                g_assert_cmpint(errno, ==, EAGAIN);
                return NULL;
        }
        return g_strdup(text);
}

static void expect_next(Fixture *fixture, const char *text)
{
        g_autofree char *next = read_next(fixture);

        g_assert_cmpstr(next, ==, text);
}

/* More status lines than any manager's queue takes (net.unix.max_dgram_qlen). The last one's
 * number. */
static unsigned fill(Fixture *fixture)
{
        enum { LINES = 5000 };

        for (unsigned i = 0; i < LINES; i++) {
                g_autofree char *text = g_strdup_printf("line %u", i);

                notifier_status(fixture->notifier, text);
        }
        return LINES - 1;
}

static void test_told_at_once(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *reloading = NULL;

        notifier_status(fixture->notifier, "one");
        notifier_status(fixture->notifier, "one");
        notifier_ready(fixture->notifier);
        notifier_reloading(fixture->notifier);
        notifier_ready(fixture->notifier);
        expect_next(fixture, "STATUS=one");
        expect_next(fixture, "READY=1");
        reloading = read_next(fixture);
        g_assert_true(g_str_has_prefix(reloading, "RELOADING=1\nMONOTONIC_USEC="));
        expect_next(fixture, "READY=1");
        expect_next(fixture, NULL);
}

/* A manager that has not read for a while gets what it missed: of the lines the last. */
static void test_told_when_it_reads(Fixture *fixture, gconstpointer unused)
{
        unsigned last = fill(fixture);
        g_autofree char *line = g_strdup_printf("STATUS=line %u", last);
        g_autofree char *final = NULL;
        unsigned count = 0;
        char *next;

        notifier_ready(fixture->notifier);
        for (next = read_next(fixture); next; next = read_next(fixture)) {
                g_free(final);
                final = next;
                count++;
        }
        g_assert_cmpuint(count, <, last);
        g_assert_cmpstr(final, !=, line);
        g_clear_pointer(&final, g_free);
        g_assert_cmpint(sd_event_run(fixture->event, 0), >, 0);
        expect_next(fixture, "READY=1");
        expect_next(fixture, line);
        /* and that is all, for the loop as well */
        expect_next(fixture, NULL);
        g_assert_cmpint(sd_event_run(fixture->event, 0), ==, 0);
}

/* It goes without having read. */
static void test_manager_goes(Fixture *fixture, gconstpointer unused)
{
        fill(fixture);
        close(fixture->manager);
        fixture->manager = -1;
        for (unsigned turns = 0; sd_event_run(fixture->event, 0) > 0; turns++)
                g_assert_cmpuint(turns, <, 10);
        notifier_status(fixture->notifier, "nobody listens");
        g_assert_cmpint(sd_event_run(fixture->event, 0), ==, 0);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/notifier/at-once", Fixture, NULL, set_up, test_told_at_once, tear_down);
        g_test_add("/notifier/later", Fixture, NULL, set_up, test_told_when_it_reads, tear_down);
        g_test_add("/notifier/manager-goes", Fixture, NULL, set_up, test_manager_goes, tear_down);
        return g_test_run();
}
