/* SPDX-License-Identifier: MIT */

/* The wall clock of service and caller steps while a call is under way. */

#include <string.h>

#include "tests/integration/cli-fixture.h"

#define DAY "86400"

typedef struct ClockFixture {
        CliFixture cli;
        char *step_file;
        char *preload;
        char *step;
        Process *service; /* "gone", under the clock that steps */
} ClockFixture;

static void step_clock(ClockFixture *fixture, const char *seconds)
{
        g_assert_true(g_file_set_contents(fixture->step_file, seconds, -1, NULL));
}

static void clock_set_up(ClockFixture *fixture, gconstpointer unused)
{
        g_autofree char *old_asan = g_strdup(g_getenv("ASAN_OPTIONS"));
        g_autofree char *asan = NULL;

        cli_set_up(&fixture->cli, NULL);
        fixture->step_file = temp_dir_build(fixture->cli.dir, "step");
        fixture->preload = g_strconcat("LD_PRELOAD=", MQTTRPC_STEP_CLOCK, NULL);
        fixture->step = g_strconcat("MQTTRPC_STEP_FILE=", fixture->step_file, NULL);
        step_clock(fixture, "0");
        /* A sanitizer wants to be first, and is not when something is preloaded. */
        asan = g_strconcat(old_asan ? old_asan : "", ":verify_asan_link_order=0", NULL);
        g_setenv("ASAN_OPTIONS", asan, TRUE);
        g_setenv("LD_PRELOAD", MQTTRPC_STEP_CLOCK, TRUE);
        g_setenv("MQTTRPC_STEP_FILE", fixture->step_file, TRUE);
        fixture->service = cli_start_service(&fixture->cli, "gone");
        g_unsetenv("LD_PRELOAD");
}

static void clock_tear_down(ClockFixture *fixture, gconstpointer unused)
{
        process_free(fixture->service);
        cli_tear_down(&fixture->cli, NULL);
        g_free(fixture->step_file);
        g_free(fixture->preload);
        g_free(fixture->step);
}

/* That the clock steps at all. */
static void assert_clock_is_off(ClockFixture *fixture, gint64 seconds)
{
        const char *const environment[] = {fixture->preload, fixture->step, NULL};
        const char *const argv[] = {"date", "+%s", NULL};
        const ProcessOptions options = {.environment = environment};
        g_autofree char *output = NULL;
        gint64 off;

        g_assert_cmpint(process_run(fixture->cli.dir, argv, &options, WAIT_MSEC, &output, NULL), ==,
                        0);
        off = g_ascii_strtoll(output, NULL, 10) - g_get_real_time() / G_USEC_PER_SEC;
        g_assert_cmpint(ABS(off - seconds), <, 60);
}

/* Starts a call that takes a while, steps the clock when the service has it, and expects the
 * result. Its time is short against the step, and long against the test. */
static void call_over_step(ClockFixture *fixture, const char *seconds)
{
        static const char *const call[] = {"call", "gone", "-", "Sleep", "200", "-t", "20", NULL};
        const char *const environment[] = {fixture->preload, fixture->step, NULL};
        CLEANUP_PROCESS Process *process = NULL;
        g_autofree char *output = NULL;

        process_mark_output(fixture->service, PROCESS_STDOUT);
        process = cli_start(&fixture->cli, call, NULL, environment);
        g_assert_true(process_wait_output(fixture->service, PROCESS_STDOUT, "sleeping", WAIT_MSEC));
        step_clock(fixture, seconds);
        g_assert_cmpint(process_wait_exit(process, WAIT_MSEC), ==, 0);
        output = process_dup_output(process, PROCESS_STDOUT);
        g_assert_cmpstr(output, ==, "\"slept\"\n");
}

static void test_calls_survive_a_step(ClockFixture *fixture, gconstpointer unused)
{
        assert_clock_is_off(fixture, 0);
        call_over_step(fixture, DAY);
        assert_clock_is_off(fixture, 86400);
        call_over_step(fixture, "-" DAY);
        assert_clock_is_off(fixture, -86400);
        call_over_step(fixture, "0");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add("/clock/trap-25-calls-survive-a-step-of-the-wall-clock", ClockFixture, NULL,
                   clock_set_up, test_calls_survive_a_step, clock_tear_down);
        return g_test_run();
}
