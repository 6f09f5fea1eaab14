/* SPDX-License-Identifier: MIT */

#include "tests/support/tls.h"

#include "tests/support/process.h"
#include "tests/support/wait.h"

struct TlsFiles {
        TempDir *dir;
        char *path;
        char *ca, *ca_key;
        char *server_cert, *server_key;
        char *client_cert, *client_key;
};

static const char extensions[] = "[ca]\n"
                                 "basicConstraints=critical,CA:TRUE\n"
                                 "keyUsage=critical,keyCertSign,cRLSign\n"
                                 "[server]\n"
                                 "subjectAltName=IP:127.0.0.1,DNS:localhost\n"
                                 "extendedKeyUsage=serverAuth\n"
                                 "[client]\n"
                                 "extendedKeyUsage=clientAuth\n"
                                 "[req]\n"
                                 "distinguished_name=name\n"
                                 "[name]\n";

static void run_openssl(TlsFiles *files, const char *const *argv)
{
        g_autofree char *log = NULL;

        if (process_run(files->dir, argv, NULL, WAIT_MSEC, NULL, &log) != 0)
                g_error("openssl failed: %s", log);
}

static char *file_in(const TlsFiles *files, const char *name)
{
        return g_build_filename(files->path, name, NULL);
}

static void make_ca(TlsFiles *files, const char *config)
{
        const char *argv[] = {"openssl",
                              "req",
                              "-x509",
                              "-newkey",
                              "ec",
                              "-pkeyopt",
                              "ec_paramgen_curve:P-256",
                              "-nodes",
                              "-config",
                              config,
                              "-extensions",
                              "ca",
                              "-subj",
                              "/CN=test CA",
                              "-days",
                              "2",
                              "-keyout",
                              files->ca_key,
                              "-out",
                              files->ca,
                              NULL};

        run_openssl(files, argv);
}

/* A key, a signing request and the CA's signature under it. */
static void make_certificate(TlsFiles *files, const char *config, const char *section,
                             const char *name, const char *cert, const char *key)
{
        g_autofree char *subject = g_strdup_printf("/CN=%s", name);
        g_autofree char *request = g_strdup_printf("%s/%s.csr", files->path, section);
        const char *req[] = {
                "openssl", "req",     "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes",  "-config", config,    "-subj", subject,    "-keyout",
                key,       "-out",    request,   NULL};
        const char *sign[] = {"openssl", "x509",    "-req",     "-in",         request,
                              "-CA",     files->ca, "-CAkey",   files->ca_key, "-CAcreateserial",
                              "-days",   "2",       "-extfile", config,        "-extensions",
                              section,   "-out",    cert,       NULL};

        run_openssl(files, req);
        run_openssl(files, sign);
}

TlsFiles *tls_files_new(TempDir *dir, const char *client_name)
{
        TlsFiles *files = g_new0(TlsFiles, 1);
        g_autofree char *config = NULL;
        GError *error = NULL;

        files->dir = dir;
        files->path = temp_dir_make(dir, "tls");
        files->ca = file_in(files, "ca.pem");
        files->ca_key = file_in(files, "ca.key");
        files->server_cert = file_in(files, "server.pem");
        files->server_key = file_in(files, "server.key");
        files->client_cert = file_in(files, "client.pem");
        files->client_key = file_in(files, "client.key");
        config = file_in(files, "openssl.conf");
        g_file_set_contents(config, extensions, -1, &error);
        g_assert_no_error(error);
        make_ca(files, config);
        make_certificate(files, config, "server", "localhost", files->server_cert,
                         files->server_key);
        make_certificate(files, config, "client", client_name, files->client_cert,
                         files->client_key);
        return files;
}

TlsFiles *tls_files_free(TlsFiles *files)
{
        if (!files)
                return NULL;
        g_free(files->path);
        g_free(files->ca);
        g_free(files->ca_key);
        g_free(files->server_cert);
        g_free(files->server_key);
        g_free(files->client_cert);
        g_free(files->client_key);
        g_free(files);
        return NULL;
}

const char *tls_files_get_ca(const TlsFiles *files)
{
        return files->ca;
}

const char *tls_files_get_server_cert(const TlsFiles *files)
{
        return files->server_cert;
}

const char *tls_files_get_server_key(const TlsFiles *files)
{
        return files->server_key;
}

const char *tls_files_get_client_cert(const TlsFiles *files)
{
        return files->client_cert;
}

const char *tls_files_get_client_key(const TlsFiles *files)
{
        return files->client_key;
}
