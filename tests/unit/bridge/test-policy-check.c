/* SPDX-License-Identifier: MIT */

/* What holds between a policy and the files that it names. */

#include "bridge/policy-load.h"

#include <errno.h>
#include <glib.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

enum { DAY = 86400 };

typedef struct Fixture {
        char *folder, *cert, *key;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->folder = g_dir_make_tmp("bridge-check-XXXXXX", NULL);
        fixture->cert = g_build_filename(fixture->folder, "cert.pem", NULL);
        fixture->key = g_build_filename(fixture->folder, "key.pem", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        unlink(fixture->cert);
        unlink(fixture->key);
        rmdir(fixture->folder);
        g_free(fixture->folder);
        g_free(fixture->cert);
        g_free(fixture->key);
}

static EVP_PKEY *write_key(Fixture *fixture, const char *passphrase)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        FILE *file = fopen(fixture->key, "we");

        g_assert_nonnull(key);
        g_assert_nonnull(file);
        g_assert_cmpint(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
                                             (const unsigned char *)passphrase,
                                             passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
                        ==, 1);
        fclose(file);
        g_assert_cmpint(chmod(fixture->key, 0600), ==, 0);
        return key;
}

/* Valid from `from` to `to`, in seconds from now. */
static void write_cert(Fixture *fixture, EVP_PKEY *key, long from, long to)
{
        X509 *cert = X509_new();
        FILE *file = fopen(fixture->cert, "we");

        g_assert_nonnull(file);
        X509_gmtime_adj(X509_getm_notBefore(cert), from);
        X509_gmtime_adj(X509_getm_notAfter(cert), to);
        X509_set_pubkey(cert, key);
        g_assert_cmpint(X509_sign(cert, key, EVP_sha256()), >, 0);
        g_assert_cmpint(PEM_write_X509(file, cert), ==, 1);
        fclose(file);
        X509_free(cert);
}

/* All that is said about a policy with these files. */
static char *check(Fixture *fixture, int expected)
{
        g_autofree char *text = g_strdup_printf(
                "{\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":"
                "\"mqtts://h\",\"cert_file\":\"%s\",\"key_file\":\"%s\"}}",
                fixture->cert, fixture->key);
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        GString *all = g_string_new(NULL);
        CLEANUP_POLICY Policy *policy = NULL;

        g_assert_cmpint(policy_parse("p", text, strlen(text), &diagnostics, &policy), ==, expected);
        for (size_t i = 0; i < diagnostics.count; i++)
                g_string_append_printf(all, "%s\n", diagnostics.items[i].text);
        return g_string_free(all, FALSE);
}

static void test_dates(Fixture *fixture, gconstpointer data)
{
        static const struct {
                const char *name;
                long from, to;
                int r;
                const char *text; /* NULL: nothing is said */
        } rows[] = {
                {"good", -DAY, 300L * DAY, 0, NULL},
                {"a-month", -DAY, 31L * DAY, 0, NULL},
                {"soon", -DAY, 10L * DAY + 3600, 0, "expires in 10 days"},
                {"tomorrow", -DAY, DAY + 3600, 0, "expires in 1 day\n"},
                {"expired", -2L * DAY, -DAY, -EINVAL, "has expired"},
                {"not-yet", DAY, 300L * DAY, -EINVAL, "is not valid yet"},
        };
        EVP_PKEY *key = write_key(fixture, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *said = NULL;

                write_cert(fixture, key, rows[i].from, rows[i].to);
                said = check(fixture, rows[i].r);
                g_test_message("%s: %s", rows[i].name, said);
                if (rows[i].text)
                        g_assert_nonnull(strstr(said, rows[i].text));
                else
                        g_assert_cmpstr(said, ==, "");
        }
        EVP_PKEY_free(key);
}

static void test_a_key_of_another(Fixture *fixture, gconstpointer data)
{
        EVP_PKEY *other = write_key(fixture, NULL);
        g_autofree char *said = NULL;

        write_cert(fixture, other, -DAY, 300L * DAY);
        EVP_PKEY_free(other);
        EVP_PKEY_free(write_key(fixture, NULL));
        said = check(fixture, -EINVAL);
        g_assert_nonnull(strstr(said, "is not the key of the certificate"));
}

static void test_a_key_with_a_passphrase(Fixture *fixture, gconstpointer data)
{
        EVP_PKEY *key = write_key(fixture, "secret");
        g_autofree char *said = NULL;

        write_cert(fixture, key, -DAY, 300L * DAY);
        EVP_PKEY_free(key);
        said = check(fixture, -EINVAL);
        g_assert_nonnull(strstr(said, "there is no key without passphrase"));
}

static void test_a_key_for_everybody(Fixture *fixture, gconstpointer data)
{
        EVP_PKEY *key = write_key(fixture, NULL);
        g_autofree char *said = NULL;

        write_cert(fixture, key, -DAY, 300L * DAY);
        EVP_PKEY_free(key);
        g_assert_cmpint(chmod(fixture->key, 0644), ==, 0);
        said = check(fixture, -EINVAL);
        g_assert_nonnull(strstr(said, "is open to everybody"));
}

static void test_no_files(Fixture *fixture, gconstpointer data)
{
        g_autofree char *said = check(fixture, -EINVAL);

        g_assert_nonnull(strstr(said, "there is no certificate to be read"));
        g_assert_nonnull(strstr(said, "cannot read"));
}

#define ADD(name, function) \
        g_test_add("/policy-check/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("dates", test_dates);
        ADD("a-key-of-another", test_a_key_of_another);
        ADD("a-key-with-a-passphrase", test_a_key_with_a_passphrase);
        ADD("a-key-for-everybody", test_a_key_for_everybody);
        ADD("no-files", test_no_files);
        return g_test_run();
}
