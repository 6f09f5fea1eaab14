/* SPDX-License-Identifier: MIT */
#pragma once

/* A certificate authority with a server and a client certificate, made by openssl(1) for one test.
 * The server's is valid for 127.0.0.1 and localhost. */

#include "tests/support/temp-dir.h"

typedef struct TlsFiles TlsFiles;

/* `client_name` is the common name of the client's certificate. */
TlsFiles *tls_files_new(TempDir *dir, const char *client_name);
TlsFiles *tls_files_free(TlsFiles *files);
DEFINE_CLEANUP(TlsFiles *, tls_files_free, cleanup_tls_files)
#define CLEANUP_TLS_FILES CLEANUP(cleanup_tls_files)

/* Paths of PEM files. Borrowed. */
const char *tls_files_get_ca(const TlsFiles *files);
const char *tls_files_get_server_cert(const TlsFiles *files);
const char *tls_files_get_server_key(const TlsFiles *files);
const char *tls_files_get_client_cert(const TlsFiles *files);
const char *tls_files_get_client_key(const TlsFiles *files);
