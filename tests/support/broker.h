/* SPDX-License-Identifier: MIT */
#pragma once

/* A private mosquitto on a unix socket in the temporary directory, and on 127.0.0.1 where a test
 * asks for it. It runs on the packaged configuration, to which users are added with the packaged
 * mqttrpc-adduser, or on one that the test gives. It can be stopped or killed, and comes back on
 * the same socket and ports. */

#include "tests/support/process.h"
#include "tests/support/tls.h"

typedef struct Broker Broker;

/* A broker that is not started, with the packaged configuration: closed, without users. The
 * directory is borrowed and must outlive it. */
Broker *broker_new(TempDir *dir);
/* The same with a configuration of the test's own. The unix listener, where to log, and the user to
 * run as are added to it. */
Broker *broker_new_with_config(TempDir *dir, const char *config);
/* Kills it. Accepts NULL, returns NULL. */
Broker *broker_free(Broker *broker);
DEFINE_CLEANUP(Broker *, broker_free, cleanup_broker)
#define CLEANUP_BROKER CLEANUP(cleanup_broker)

/* Before the start: more listeners, more lines of configuration (at the end of the file, so that
 * they belong to the last listener where Mosquitto makes a difference). */
void broker_enable_tcp(Broker *broker);
/* With `client_cert`, clients must show a certificate of the CA, and its common name is their user
 * name. */
void broker_enable_tls(Broker *broker, const TlsFiles *files, bool client_cert);
void broker_add_config(Broker *broker, const char *lines);

/* Packaged configuration only. `rights` are options of mqttrpc-adduser(8), NULL-terminated, or
 * NULL. A running broker reads them at once. The password is kept for
 * broker_get_password_file(). */
void broker_add_user(Broker *broker, const char *user, const char *password,
                     const char *const *rights);
/* Runs mqttrpc-adduser with these arguments on the broker's files, `input` on its standard input.
 * Returns its exit status; `ret_stderr` may be NULL. A running broker is not told. */
int broker_run_adduser(Broker *broker, const char *input, const char *const *arguments,
                       char **ret_stderr);

/* Starts it, for the first time or again; returns when it takes connections. */
void broker_start(Broker *broker);
void broker_stop(Broker *broker);
/* SIGKILL: no Will and no DISCONNECT is sent. */
void broker_kill(Broker *broker);
/* Lets it read passwords and ACL again; returns when it is about to. */
void broker_reload(Broker *broker);

/* All borrowed and valid before the start; ports and URIs of listeners that are not there: 0, NULL.
 */
const char *broker_get_directory(const Broker *broker);
const char *broker_get_socket(const Broker *broker);
guint16 broker_get_port(const Broker *broker);
const char *broker_get_uri(const Broker *broker);     /* unix:///… */
const char *broker_get_tcp_uri(const Broker *broker); /* mqtt://127.0.0.1:… */
const char *broker_get_tls_uri(const Broker *broker); /* mqtts://127.0.0.1:… */
/* NULL while it is stopped. */
Process *broker_get_process(const Broker *broker);
/* A file with the password of a user of broker_add_user(); the caller frees the path. */
char *broker_get_password_file(const Broker *broker, const char *user);
