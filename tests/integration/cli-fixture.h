/* SPDX-License-Identifier: MIT */
#pragma once

/* Runs the real mqttrpc against a private broker with the packaged configuration, on a unix socket,
 * TCP and TLS. A small service runs there as "echo"; alice may call it, and "gone" and "nobody",
 * bob nothing. */

#include "tests/support/broker.h"
#include "tests/support/wait.h"

enum { CLI_ARGUMENTS = 24 };

typedef struct CliFixture {
        TempDir *dir;
        TlsFiles *tls;
        Broker *broker;
        Process *service;
        char *program;
        char *alice; /* password files */
        char *bob;
} CliFixture;

/* For g_test_add(). */
void cli_set_up(CliFixture *fixture, gconstpointer unused);
void cli_tear_down(CliFixture *fixture, gconstpointer unused);

/* Another service of the same kind; the caller frees it. */
Process *cli_start_service(CliFixture *fixture, const char *name);

/* Replaces @socket, @unix, @tcp, @tls (URIs), @port, @ca, @alice, @bob (password files); the caller
 * frees the text. */
char *cli_fill_in(const CliFixture *fixture, const char *text);

/* Starts mqttrpc as alice, by the environment, to which more is added. Arguments and environment
 * are filled in and NULL-terminated; the last two may be NULL. */
Process *cli_start(CliFixture *fixture, const char *const *arguments, const char *input,
                   const char *const *environment);

/* A command line and all that comes of it, to the letter; texts are filled in. */
typedef struct CliRow {
        const char *name;
        const char *arguments[CLI_ARGUMENTS];
        int status;
        const char *output; /* NULL: nothing */
        const char *errors; /* NULL: nothing */
} CliRow;

/* Waits for the end of a process, and compares. */
void cli_assert_ends(CliFixture *fixture, Process *process, const CliRow *row);
/* Runs it, and compares. */
void cli_assert_row(CliFixture *fixture, const CliRow *row);
void cli_assert_rows(CliFixture *fixture, const CliRow *rows, size_t count);
