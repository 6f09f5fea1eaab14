/* SPDX-License-Identifier: MIT */

#include "bridge/policy-load.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "tests/unit/bridge/load.h"

static void test_defaults(void)
{
        CLEANUP_POLICY Policy *policy = load_policy("");

        g_assert_cmpstr(policy->root, ==, "mb1");
        g_assert_cmpstr(policy->prefix, ==, "dev1/mb1");
        g_assert_cmpstr(policy->name, ==, "bridge");
        g_assert_cmpstr(policy->cloud.client_id, ==, "dev1");
        g_assert_cmpuint(policy->queue.max_mib, ==, 64);
        g_assert_cmpuint(policy->local.keepalive_s, ==, 30);
        g_assert_true(policy->quirks.retain);
        g_assert_cmpuint(policy->n_allow + policy->n_publish, ==, 0);
}

static void test_limits_narrow_a_cloud(void)
{
        CLEANUP_POLICY Policy *policy = load_policy(
                ",\"limits\":{\"inflight\":3,\"retain\":false},\"cloud_kind\":\"aws-iot\"");

        g_assert_cmpstr(policy->quirks.name, ==, "aws-iot");
        g_assert_cmpuint(policy->quirks.inflight, ==, 3);
        g_assert_false(policy->quirks.retain);
        g_assert_cmpuint(policy->quirks.message_bytes, ==, 128 * 1024);
        g_assert_cmpuint(policy->quirks.topic_levels, ==, 8);
}

/* Loads a policy that is wrong, and returns all that is said about it. */
static char *errors_of(const char *text)
{
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        GString *all = g_string_new(NULL);
        Policy *policy = NULL;

        g_assert_cmpint(policy_parse("p", text, strlen(text), &diagnostics, &policy), <, 0);
        g_assert_null(policy);
        for (size_t i = 0; i < diagnostics.count; i++)
                g_string_append_printf(all, "%s\n", diagnostics.items[i].text);
        return g_string_free(all, FALSE);
}

#define BOTH                                                                            \
        "\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":\"mqtt://" \
        "127.0.0.1\"}"

static const struct {
        const char *name, *text, *error;
} refused[] = {
        {"not-json", "{", "p:1:"},
        {"missing", "{}", "'node' is missing"},
        {"unknown-key", "{" BOTH ",\"publsh\":[]}", "did you mean 'publish'?"},
        {"node-with-wildcard",
         "{\"node\":\"a/+\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":"
         "\"mqtt://127.0.0.1\"}}",
         "p:1:9 /node: 'a/+' is no topic prefix"},
        {"plain-tcp",
         "{\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":"
         "\"mqtt://a.example\"}}",
         "/cloud/uri: passwords and data would cross the network in the clear"},
        {"same-broker",
         "{\"node\":\"d\",\"local\":{\"uri\":\"mqtt://127.0.0.1\"},\"cloud\":{\"uri\":"
         "\"mqtt://127.0.0.1:1883\"}}",
         "both sides would be the same"},
        {"same-broker-by-another-name",
         "{\"node\":\"d\",\"local\":{\"uri\":\"mqtt://localhost\"},\"cloud\":{\"uri\":"
         "\"mqtt://127.0.0.1:1883\"}}",
         "both sides would be the same"},
        {"plain-tcp-to-what-looks-local",
         "{\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":"
         "\"mqtt://127.0.0.1.example\"}}",
         "/cloud/uri: passwords and data would cross the network in the clear"},
        {"long-reply-topic",
         "{" BOTH ",\"limits\":{\"topic_bytes\":35},\"allow\":[{\"service\":\"net\","
         "\"object\":\"-\",\"methods\":[\"Scan\",\"ScanAll\"],\"callers\":[\"alice\"]}]}",
         "the topic of 'ScanAll' of net/- has"},
        {"long-topic-of-a-property",
         "{" BOTH ",\"limits\":{\"topic_bytes\":30},\"publish\":[{\"service\":\"net\","
         "\"properties\":[\"ANameThatIsRatherLong\"]}]}",
         "the topic of 'ANameThatIsRatherLong' of net/* has"},
        {"any-service",
         "{" BOTH ",\"allow\":[{\"service\":\"a*\",\"methods\":[\"X\"],\"callers\":[\"c\"]}]}",
         "/allow/0/service: calls to whatever service"},
        {"overlap",
         "{" BOTH ",\"allow\":[{\"service\":\"a\",\"methods\":[\"X*\"],\"callers\":[\"c\"]},"
         "{\"service\":\"a\",\"methods\":[\"Xy\"],\"callers\":[\"b\",\"c\"]}]}",
         "'Xy' of a/* is in rule 0 of allow as well"},
        {"publish-overlap",
         "{" BOTH ",\"publish\":[{\"service\":\"*\",\"signals\":[\"*\"]},"
         "{\"service\":\"a\",\"signals\":[\"S\"]}]}",
         "/publish/1: 'S' of a/* is in rule 0 of publish as well"},
        {"nothing", "{" BOTH ",\"publish\":[{\"service\":\"a\"}]}",
         "neither properties nor signals"},
        {"no-callers", "{" BOTH ",\"allow\":[{\"service\":\"a\",\"methods\":[\"X\"]}]}",
         "no callers"},
        {"caller-pattern",
         "{" BOTH ",\"allow\":[{\"service\":\"a\",\"methods\":[\"X\"],\"callers\":[\"c*\"]}]}",
         "/allow/0/callers/0: 'c*' is no name"},
        {"caller-other",
         "{" BOTH ",\"allow\":[{\"service\":\"a\",\"methods\":[\"X\"],\"callers\":[\"other\"]}]}",
         "'other' is what callers"},
        {"half-a-certificate",
         "{\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":"
         "\"mqtts://a.example\",\"cert_file\":\"/c\"}}",
         "cert_file and key_file are only of use together"},
        {"no-such-secret",
         "{\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\",\"user\":\"u\","
         "\"password_file\":\"/does/not/exist\"},\"cloud\":{\"uri\":\"mqtt://127.0.0.1\"}}",
         "/local/password_file: cannot read /does/not/exist"},
        {"too-deep",
         "{\"node\":\"a/b/c\",\"local\":{\"uri\":\"unix:///l\"},\"cloud\":{\"uri\":"
         "\"mqtt://127.0.0.1\"},\"cloud_kind\":\"aws-iot\"}",
         "/node: replies have topics of 10 levels"},
        {"signals-on-demand",
         "{" BOTH ",\"publish\":[{\"service\":\"a\",\"signals\":[\"S\"],\"on_demand\":true}]}",
         "are for properties"},
};

static void test_what_is_refused(void)
{
        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *errors = errors_of(refused[i].text);

                g_test_message("%s: %s", refused[i].name, errors);
                g_assert_nonnull(strstr(errors, refused[i].error));
        }
}

/* One run shows all there is to repair. */
static void test_all_errors_at_once(void)
{
        g_autofree char *errors =
                errors_of("{ // a comment\n" BOTH ",\n\"allow\": [\n"
                          "  {\"service\": \"a b\", \"methods\": [\"X\"], \"callers\": [\"c\"]},\n"
                          "  {\"service\": \"b\", \"metods\": [\"X\"], \"callers\": [5]}]}");

        g_test_message("%s", errors);
        g_assert_nonnull(strstr(errors, "p:4:15 /allow/0/service: 'a b'"));
        g_assert_nonnull(strstr(errors, "p:5:20 /allow/1/metods: unknown key"));
        g_assert_nonnull(strstr(errors, "p:5:49 /allow/1/callers/0: expected a string"));
        g_assert_nonnull(strstr(errors, "'methods' is missing"));
}

static void test_secrets_of_others_are_refused(void)
{
        g_autofree char *folder = g_dir_make_tmp("bridge-policy-XXXXXX", NULL);
        g_autofree char *path = g_build_filename(folder, "secret", NULL);
        g_autofree char *text = g_strdup_printf(
                "{\"node\":\"d\",\"local\":{\"uri\":\"unix:///l\",\"user\":\"u\","
                "\"password_file\":\"%s\"},\"cloud\":{\"uri\":\"mqtt://127.0.0.1\"}}",
                path);
        g_autofree char *errors = NULL;

        g_assert_true(g_file_set_contents(path, "pass", -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
        errors = errors_of(text);
        g_assert_nonnull(strstr(errors, "is open to everybody"));
        g_unlink(path);
        g_rmdir(folder);
}

static void test_paths(void)
{
        CLEANUP_FREE char *beside = policy_resolve_path("/etc/b/p.json", "key.pem");
        CLEANUP_FREE char *absolute = policy_resolve_path("/etc/b/p.json", "/k");
        CLEANUP_FREE char *credential = NULL;

        g_setenv("CREDENTIALS_DIRECTORY", "/run/credentials/b.service", TRUE);
        credential = policy_resolve_path("/etc/b/p.json", "credential:key");
        g_assert_cmpstr(beside, ==, "/etc/b/key.pem");
        g_assert_cmpstr(absolute, ==, "/k");
        g_assert_cmpstr(credential, ==, "/run/credentials/b.service/key");
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/policy-load/defaults", test_defaults);
        g_test_add_func("/policy-load/limits-narrow-a-cloud", test_limits_narrow_a_cloud);
        g_test_add_func("/policy-load/what-is-refused", test_what_is_refused);
        g_test_add_func("/policy-load/all-errors-at-once", test_all_errors_at_once);
        g_test_add_func("/policy-load/secrets-of-others-are-refused",
                        test_secrets_of_others_are_refused);
        g_test_add_func("/policy-load/paths", test_paths);
        return g_test_run();
}
