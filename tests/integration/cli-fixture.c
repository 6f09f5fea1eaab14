/* SPDX-License-Identifier: MIT */

#include "tests/integration/cli-fixture.h"

#include <string.h>

Process *cli_start_service(CliFixture *fixture, const char *name)
{
        const char *argv[] = {
                MQTTRPC_ECHO_SERVICE, broker_get_uri(fixture->broker), "echo", "e", name, NULL};
        Process *service = process_start(fixture->dir, "echo-service", argv, NULL);

        g_assert_true(process_wait_output(service, PROCESS_STDOUT, "ready", WAIT_MSEC));
        return service;
}

void cli_set_up(CliFixture *fixture, gconstpointer unused)
{
        static const char *const echo[] = {"--service", "echo", "--service", "gone", NULL};
        static const char *const alice[] = {"--call", "echo",   "--call", "gone",
                                            "--call", "nobody", NULL};

        fixture->dir = temp_dir_new();
        fixture->tls = tls_files_new(fixture->dir, "alice");
        fixture->broker = broker_new(fixture->dir);
        broker_enable_tcp(fixture->broker);
        broker_enable_tls(fixture->broker, fixture->tls, false);
        broker_add_user(fixture->broker, "echo", "e", echo);
        broker_add_user(fixture->broker, "alice", "a:b \"c'", alice);
        broker_add_user(fixture->broker, "bob", "bb", NULL);
        broker_start(fixture->broker);
        fixture->program = process_program_path("mqttrpc");
        fixture->alice = broker_get_password_file(fixture->broker, "alice");
        fixture->bob = broker_get_password_file(fixture->broker, "bob");
        fixture->service = cli_start_service(fixture, "echo");
}

void cli_tear_down(CliFixture *fixture, gconstpointer unused)
{
        process_free(fixture->service);
        broker_free(fixture->broker);
        tls_files_free(fixture->tls);
        g_free(fixture->program);
        g_free(fixture->alice);
        g_free(fixture->bob);
        temp_dir_free(fixture->dir);
}

/* ---- running it ---- */

/* What is put into arguments and expected texts for @socket, @tcp, … */
char *cli_fill_in(const CliFixture *fixture, const char *text)
{
        g_autofree char *port = g_strdup_printf("%u", broker_get_port(fixture->broker));
        const struct {
                const char *name;
                const char *value;
        } values[] = {
                {"@socket", broker_get_socket(fixture->broker)},
                {"@unix", broker_get_uri(fixture->broker)},
                {"@tcp", broker_get_tcp_uri(fixture->broker)},
                {"@tls", broker_get_tls_uri(fixture->broker)},
                {"@port", port},
                {"@ca", tls_files_get_ca(fixture->tls)},
                {"@alice", fixture->alice},
                {"@bob", fixture->bob},
        };
        g_autoptr(GString) filled = g_string_new(text);

        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
                g_string_replace(filled, values[i].name, values[i].value, 0);
        return g_string_free(g_steal_pointer(&filled), FALSE);
}

Process *cli_start(CliFixture *fixture, const char *const *arguments, const char *input,
                   const char *const *environment_more)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) environment = g_ptr_array_new_with_free_func(g_free);
        ProcessOptions options = {.input = input};

        g_ptr_array_add(argv, g_strdup(fixture->program));
        for (; *arguments; arguments++)
                g_ptr_array_add(argv, cli_fill_in(fixture, *arguments));
        g_ptr_array_add(argv, NULL);
        g_ptr_array_add(environment, g_strdup("MQTTRPC_CONFIG="));
        g_ptr_array_add(environment, cli_fill_in(fixture, "MQTTRPC_BROKER=@unix"));
        g_ptr_array_add(environment, cli_fill_in(fixture, "MQTTRPC_USER=alice"));
        g_ptr_array_add(environment, cli_fill_in(fixture, "MQTTRPC_PASSWORD_FILE=@alice"));
        for (; environment_more && *environment_more; environment_more++)
                g_ptr_array_add(environment, cli_fill_in(fixture, *environment_more));
        g_ptr_array_add(environment, NULL);
        options.environment = (const char *const *)environment->pdata;
        return process_start(fixture->dir, "mqttrpc", (const char *const *)argv->pdata, &options);
}

void cli_assert_ends(CliFixture *fixture, Process *process, const CliRow *row)
{
        g_autofree char *expected_output = cli_fill_in(fixture, row->output ? row->output : "");
        g_autofree char *expected_errors = cli_fill_in(fixture, row->errors ? row->errors : "");
        int status = process_wait_exit(process, WAIT_MSEC);
        g_autofree char *output = process_dup_output(process, PROCESS_STDOUT);
        g_autofree char *errors = process_dup_output(process, PROCESS_STDERR);

        if (status != row->status || strcmp(output, expected_output) != 0 ||
            strcmp(errors, expected_errors) != 0)
                g_error("%s: status %d instead of %d\n--- output\n%s--- errors\n%s"
                        "--- expected\n%s%s",
                        row->name, status, row->status, output, errors, expected_output,
                        expected_errors);
}

void cli_assert_row(CliFixture *fixture, const CliRow *row)
{
        CLEANUP_PROCESS Process *process = cli_start(fixture, row->arguments, NULL, NULL);

        cli_assert_ends(fixture, process, row);
}

void cli_assert_rows(CliFixture *fixture, const CliRow *rows, size_t count)
{
        for (size_t i = 0; i < count; i++)
                cli_assert_row(fixture, &rows[i]);
}
