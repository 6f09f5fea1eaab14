/* SPDX-License-Identifier: MIT */

/* The packaged broker configuration is closed, and mqttrpc-adduser opens exactly what it says. */

#include "common/limits.h"
#include "tests/support/broker.h"
#include "tests/support/wait.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Fixture {
        TempDir *dir;
        Broker *broker;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer unused)
{
        static const char *const net[] = {"--service", "net", NULL};
        static const char *const gateway[] = {"--gateway", "--service", "hostname",
                                              "--service", "time",      NULL};
        static const char *const alice[] = {"--call",   "net/-/Scan", "--call=net/eth0", "--call",
                                            "hostname", "--call",     "time/+/Reset",    NULL};
        static const char *const bob[] = {"--rpc", "net/-", NULL};

        fixture->dir = temp_dir_new();
        fixture->broker = broker_new(fixture->dir);
        broker_add_user(fixture->broker, "net", "1", net);
        broker_add_user(fixture->broker, "gateway", "2", gateway);
        broker_add_user(fixture->broker, "alice", "a:b \"c", alice);
        broker_add_user(fixture->broker, "bob", "4", bob);
        broker_add_user(fixture->broker, "carol", "5", NULL);
        broker_start(fixture->broker);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
        broker_free(fixture->broker);
        temp_dir_free(fixture->dir);
}

static char *dup_password(Fixture *fixture, const char *user)
{
        g_autofree char *file = broker_get_password_file(fixture->broker, user);
        char *password = NULL;

        g_assert_true(g_file_get_contents(file, &password, NULL, NULL));
        return g_strchomp(password);
}

/* Publishes at QoS 1 by MQTT 5, where a refusal is seen: PUBACK 0x87. */
static bool may_publish(Fixture *fixture, const char *user, const char *topic)
{
        g_autofree char *password = dup_password(fixture, user);
        g_autofree char *log = NULL;
        const char *argv[] = {"mosquitto_pub",
                              "--unix",
                              broker_get_socket(fixture->broker),
                              "-V",
                              "5",
                              "-u",
                              user,
                              "-P",
                              password,
                              "-q",
                              "1",
                              "-t",
                              topic,
                              "-m",
                              "{}",
                              NULL};

        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, &log), ==, 0);
        g_assert_true(*log == '\0' || strstr(log, "Publish 1 failed: Not authorized"));
        return *log == '\0';
}

/* ---- who gets in ---- */

static void assert_refused(Fixture *fixture, const char *const *argv)
{
        g_autofree char *log = NULL;

        g_assert_cmpint(process_run(fixture->dir, argv, NULL, WAIT_MSEC, NULL, &log), !=, 0);
        g_assert_nonnull(strstr(log, "Not authorized"));
}

static void test_strangers_are_refused(Fixture *fixture, gconstpointer unused)
{
        const char *socket = broker_get_socket(fixture->broker);
        const char *anonymous[] = {
                "mosquitto_pub", "-V", "5", "--unix", socket, "-t", "x", "-m", "{}", NULL};
        const char *wrong[] = {
                "mosquitto_pub", "-V", "5", "--unix", socket, "-t", "x", "-m", "{}", "-u",
                "alice",         "-P", "a", NULL};
        const char *unknown[] = {
                "mosquitto_pub", "-V", "5", "--unix", socket, "-t", "x", "-m", "{}", "-u",
                "mallory",       "-P", "1", NULL};
        const char *bare[] = {
                "mosquitto_pub", "-V", "5", "--unix", socket, "-t", "x", "-m", "{}", "-u",
                "alice",         NULL};

        assert_refused(fixture, anonymous);
        assert_refused(fixture, wrong);
        assert_refused(fixture, unknown);
        assert_refused(fixture, bare);
}

/* ---- who may publish what ---- */

static const struct {
        const char *user;
        const char *topic;
        bool allowed;
} publications[] = {
        /* one method of one object */
        {"alice", "mb1/net/-/call/Scan/alice", true},
        {"alice", "mb1/net/-/call/Reset/alice", false},
        {"alice", "mb1/net/wlan0/call/Scan/alice", false},
        /* one object */
        {"alice", "mb1/net/eth0/call/Reset/alice", true},
        /* one method of all objects */
        {"alice", "mb1/time/-/call/Reset/alice", true},
        {"alice", "mb1/time/-/call/Set/alice", false},
        /* one service, but not by the generic endpoint */
        {"alice", "mb1/hostname/-/call/Describe/alice", true},
        {"alice", "mb1/hostname/x.y/call/prop.set.Z/alice", true},
        {"alice", "mb1/hostname/-/rpc/alice", false},
        {"alice", "mb1/hostname/-/call/Describe/alice/reply", false},
        {"alice", "mb1/hostname/-/prop/Hostname", false},
        {"alice", "mb1/hostname/$state", false},
        /* cancelling where there is anything to call, and nowhere else */
        {"alice", "mb1/net/-/call/rpc.cancel/alice", true},
        {"alice", "mb1/net/eth0/call/rpc.cancel/alice", true},
        {"alice", "mb1/net/wlan0/call/rpc.cancel/alice", false},
        {"alice", "mb1/time/x.y/call/rpc.cancel/alice", true},
        {"alice", "mb1/other/-/call/rpc.cancel/alice", false},
        {"alice", "mb1/net/-/call/rpc.cancel/bob", false},
        {"alice", "mb1/net/-/call/rpc.ping/alice", false},
        {"bob", "mb1/net/-/call/rpc.cancel/bob", true},
        {"carol", "mb1/net/-/call/rpc.cancel/carol", false},
        /* not in the name of others, nor under another root */
        {"alice", "mb1/net/-/call/Scan/bob", false},
        {"alice", "mb1/net/-/call/Scan/carol", false},
        {"alice", "mb2/net/-/call/Scan/alice", false},
        {"alice", "mb1/other/-/call/Scan/alice", false},
        {"alice", "anything", false},
        /* the generic endpoint comes with all methods of the object */
        {"bob", "mb1/net/-/rpc/bob", true},
        {"bob", "mb1/net/-/call/Reset/bob", true},
        {"bob", "mb1/net/eth0/rpc/bob", false},
        {"bob", "mb1/net/eth0/call/Reset/bob", false},
        {"bob", "mb1/net/-/rpc/alice", false},
        /* a user without rights */
        {"carol", "mb1/net/-/call/Scan/carol", false},
        {"carol", "mb1/net/-/call/rpc.ping/carol", false},
        /* a service owns its topics and nothing else */
        {"net", "mb1/net/$state", true},
        {"net", "mb1/net/eth0/sig/Changed", true},
        {"net", "mb1/net/-/call/Scan/alice/reply", true},
        {"net", "mb1/hostname/$state", false},
        {"net", "mb1/hostname/-/sig/Changed", false},
        {"net", "mb1/hostname/-/call/Describe/alice/reply", false},
        {"net", "mb1/net2/$state", false},
        /* a gateway owns its presence and the services it was given */
        {"gateway", "mb1/gateway/$state", true},
        {"gateway", "mb1/hostname/$api", true},
        {"gateway", "mb1/time/-/call/Reset/alice/reply", true},
        {"gateway", "mb1/net/$state", false},
};

static void test_publish_follows_the_grants(Fixture *fixture, gconstpointer unused)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(publications); i++) {
                bool allowed = may_publish(fixture, publications[i].user, publications[i].topic);

                if (allowed != publications[i].allowed)
                        g_error("%s: publishing to %s was %s", publications[i].user,
                                publications[i].topic, allowed ? "allowed" : "refused");
        }
}

/* ---- who may read what ---- */

static Process *subscribe(Fixture *fixture, const char *user)
{
        g_autofree char *password = dup_password(fixture, user);
        const char *argv[] = {"stdbuf",
                              "-oL",
                              "mosquitto_sub",
                              "--unix",
                              broker_get_socket(fixture->broker),
                              "-V",
                              "5",
                              "-u",
                              user,
                              "-P",
                              password,
                              "-q",
                              "1",
                              "-t",
                              "#",
                              "-F",
                              "<%t>",
                              "-d",
                              NULL};
        Process *process = process_start(fixture->dir, "mosquitto_sub", argv, NULL);

        g_assert_true(process_wait_output(process, PROCESS_STDOUT, "Subscribed (mid", WAIT_MSEC));
        return process;
}

static void publish_as_owner(Fixture *fixture, const char *topic)
{
        bool net = g_str_has_prefix(topic, "mb1/net/");

        g_assert_true(may_publish(fixture, net ? "net" : "gateway", topic));
}

static void test_delivery_follows_the_grants(Fixture *fixture, gconstpointer unused)
{
        /* A letter for each of alice, carol, net who is to get it. */
        static const struct {
                const char *topic;
                const char *readers;
        } rows[] = {
                {"mb1/net/$state", "acn"},
                {"mb1/net/$api", "acn"},
                {"mb1/net/eth0/$meta", "acn"},
                {"mb1/net/eth0/sig/Changed", "acn"},
                {"mb1/net/eth0/prop/Up", "acn"},
                {"mb1/net/-/call/Scan/alice/reply", "an"},
                {"mb1/net/-/call/Scan/alice/0af3", "an"},
                {"mb1/net/-/call/Scan/bob/reply", "n"},
                {"mb1/net/-/rpc/carol/reply", "cn"},
                /* requests: the service alone */
                {"mb1/net/-/call/Scan/alice", "n"},
                {"mb1/net/-/rpc/alice", "n"},
                {"mb1/hostname/-/call/Describe/alice", ""},
                {"mb1/net/private/topic", "n"},
        };
        static const char *const users[] = {"alice", "carol", "net"};

        for (unsigned u = 0; u < G_N_ELEMENTS(users); u++) {
                CLEANUP_PROCESS Process *reader = subscribe(fixture, users[u]);
                g_autofree char *output = NULL;

                for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
                        publish_as_owner(fixture, rows[i].topic);
                publish_as_owner(fixture, "mb1/net/-/sig/End");
                g_assert_true(process_wait_output(reader, PROCESS_STDOUT, "<mb1/net/-/sig/End>",
                                                  WAIT_MSEC));
                output = process_dup_output(reader, PROCESS_STDOUT);
                for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                        g_autofree char *line = g_strdup_printf("<%s>", rows[i].topic);
                        bool got = strstr(output, line) != NULL;

                        if (got != (strchr(rows[i].readers, users[u][0]) != NULL))
                                g_error("%s %s %s", users[u], got ? "got" : "did not get",
                                        rows[i].topic);
                }
        }
}

/* ---- mqttrpc-adduser ---- */

static char *read_file(Fixture *fixture, const char *name)
{
        g_autofree char *path = g_build_filename(broker_get_directory(fixture->broker), name, NULL);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

static int adduser(Fixture *fixture, const char *input, const char *options, char **ret_stderr)
{
        g_auto(GStrv) argv = NULL;

        g_assert_true(g_shell_parse_argv(options, NULL, &argv, NULL));
        return broker_run_adduser(fixture->broker, input, (const char *const *)argv, ret_stderr);
}

static void test_adduser_again_changes_nothing(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *acl = read_file(fixture, "mqttrpc.acl");
        g_autofree char *passwords = read_file(fixture, "mqttrpc.passwd");
        g_autofree char *acl_after = NULL;
        g_autofree char *passwords_after = NULL;

        g_assert_cmpint(adduser(fixture, NULL, "--call hostname --call net/-/Scan alice", NULL), ==,
                        0);
        acl_after = read_file(fixture, "mqttrpc.acl");
        passwords_after = read_file(fixture, "mqttrpc.passwd");
        g_assert_cmpstr(acl_after, ==, acl);
        g_assert_cmpstr(passwords_after, ==, passwords);
}

static unsigned count_lines(Fixture *fixture, const char *line)
{
        g_autofree char *acl = read_file(fixture, "mqttrpc.acl");
        g_auto(GStrv) lines = g_strsplit(acl, "\n", -1);
        unsigned count = 0;

        for (unsigned i = 0; lines[i]; i++)
                count += !strcmp(lines[i], line);
        return count;
}

static void test_cancelling_is_granted_once(Fixture *fixture, gconstpointer unused)
{
        g_assert_cmpint(adduser(fixture, NULL,
                                "--call net/-/Scan --call net/-/Reset --call net/-/rpc.cancel "
                                "--call net/x --call time carol",
                                NULL),
                        ==, 0);
        g_assert_cmpuint(count_lines(fixture, "topic write mb1/net/-/call/rpc.cancel/carol"), ==,
                         1);
        g_assert_cmpuint(count_lines(fixture, "topic write mb1/net/x/call/rpc.cancel/carol"), ==,
                         0);
        g_assert_cmpuint(count_lines(fixture, "topic write mb1/net/x/call/+/carol"), ==, 1);
        g_assert_cmpuint(count_lines(fixture, "topic write mb1/time/+/call/+/carol"), ==, 1);
}

/* All services, for a gateway that cannot know their names. */
static void test_only_a_gateway_provides_all(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *error = NULL;

        g_assert_cmpint(adduser(fixture, "7\n", "--password-stdin --gateway --service + gw", NULL),
                        ==, 0);
        g_assert_cmpuint(count_lines(fixture, "topic readwrite mb1/+/#"), ==, 1);
        g_assert_cmpuint(count_lines(fixture, "topic readwrite mb1/gw/#"), ==, 1);
        g_assert_cmpint(adduser(fixture, "7\n", "--password-stdin --service + eve", &error), ==, 1);
        g_assert_nonnull(strstr(error, "not a valid service: '+'"));
        g_assert_cmpuint(count_lines(fixture, "topic readwrite mb1/+/#"), ==, 1);
}

static void test_removed_user_is_gone(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *acl = NULL;
        g_autofree char *acl_after = read_file(fixture, "mqttrpc.acl");
        const char *argv[] = {"mosquitto_pub",
                              "-V",
                              "5",
                              "--unix",
                              broker_get_socket(fixture->broker),
                              "-t",
                              "x",
                              "-m",
                              "{}",
                              "-u",
                              "dave",
                              "-P",
                              "6",
                              NULL};

        acl = STEAL(acl_after);
        g_assert_cmpint(
                adduser(fixture, "6\n", "--password-stdin --call net --service x dave", NULL), ==,
                0);
        g_assert_cmpint(adduser(fixture, NULL, "--remove dave", NULL), ==, 0);
        acl_after = read_file(fixture, "mqttrpc.acl");
        g_assert_cmpstr(g_strchomp(acl_after), ==, g_strchomp(acl));
        broker_reload(fixture->broker);
        assert_refused(fixture, argv);
        g_assert_true(may_publish(fixture, "alice", "mb1/net/-/call/Scan/alice"));
}

static void test_running_broker_reads_new_grants(Fixture *fixture, gconstpointer unused)
{
        static const char *const grant[] = {"--call", "net/-/Scan", NULL};

        g_assert_false(may_publish(fixture, "carol", "mb1/net/-/call/Scan/carol"));
        broker_add_user(fixture->broker, "carol", "5", grant);
        g_assert_true(may_publish(fixture, "carol", "mb1/net/-/call/Scan/carol"));
        g_assert_false(may_publish(fixture, "carol", "mb1/net/-/call/Reset/carol"));
}

static void test_reload_option_tells_the_broker(Fixture *fixture, gconstpointer unused)
{
        Process *broker = broker_get_process(fixture->broker);
        g_autofree char *options =
                g_strdup_printf("--call net/-/Scan --reload %d carol", process_get_pid(broker));

        process_mark_output(broker, PROCESS_STDERR);
        g_assert_cmpint(adduser(fixture, NULL, options, NULL), ==, 0);
        g_assert_true(process_wait_output(broker, PROCESS_STDERR, "Reloading config", WAIT_MSEC));
        g_assert_true(may_publish(fixture, "carol", "mb1/net/-/call/Scan/carol"));
}

static void test_password_can_be_changed(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *file = broker_get_password_file(fixture->broker, "bob");

        g_assert_cmpint(adduser(fixture, "new\n", "--set-password --password-stdin bob", NULL), ==,
                        0);
        g_assert_true(g_file_set_contents(file, "new\n", -1, NULL));
        broker_reload(fixture->broker);
        g_assert_true(may_publish(fixture, "bob", "mb1/net/-/rpc/bob"));
}

static void test_bad_arguments_change_nothing(Fixture *fixture, gconstpointer unused)
{
        static const struct {
                const char *options;
                const char *message;
        } rows[] = {
                {"''", "no user given"},
                {"a/b", "not a valid user name"},
                {"a+", "not a valid user name"},
                {"'#'", "not a valid user name"},
                {"'$SYS'", "not a valid user name"},
                {"'a b'", "not a valid user name"},
                {"a:b", "not a valid user name"},
                {"æ", "not a valid user name"},
                {"'a\nuser b'", "not a valid user name"},
                {"alice bob", "more than one user"},
                {"--call '#' alice", "not a valid service"},
                {"--call + alice", "not a valid service"},
                {"--call net/# alice", "not a valid object"},
                {"--call net/-/# alice", "not a valid method"},
                {"--call net//Scan alice", "not a valid object"},
                {"--call net/-/ alice", "not a valid method"},
                {"--call net/-/a/b alice", "SERVICE[/OBJECT[/METHOD]]"},
                {"--call 'net net' alice", "no spaces"},
                {"--call '' alice", "needs a value"},
                {"--service= alice", "needs a value"},
                {"--service net/# alice", "not a valid service"},
                {"--service '*' alice", "not a valid service"},
                {"--rpc net alice", "SERVICE/OBJECT"},
                {"--rpc net/-/Scan alice", "SERVICE/OBJECT"},
                {"--root a//b alice", "not a valid root"},
                {"--root '' alice", "needs a value"},
                {"--root mb2 --call net alice", "lacks the line"},
                {"--remove nobody", "no such user"},
                {"--remove --call net alice", "takes all rights"},
                {"--reload 1x alice", "process id"},
                {"--frobnicate alice", "unknown option"},
                {"alice --call", "needs a value"},
                {"--password-stdin eve", "no password"},
                {"eve", "no terminal"},
        };
        g_autofree char *acl = read_file(fixture, "mqttrpc.acl");
        g_autofree char *passwords = read_file(fixture, "mqttrpc.passwd");

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *log = NULL;
                g_autofree char *acl_after = NULL;
                g_autofree char *passwords_after = NULL;
                int status = adduser(fixture, NULL, rows[i].options, &log);

                if (status != 1 || !strstr(log, rows[i].message))
                        g_error("%s: status %d, %s", rows[i].options, status, log);
                acl_after = read_file(fixture, "mqttrpc.acl");
                passwords_after = read_file(fixture, "mqttrpc.passwd");
                g_assert_cmpstr(acl_after, ==, acl);
                g_assert_cmpstr(passwords_after, ==, passwords);
        }
}

static void test_files_are_private_and_whole(Fixture *fixture, gconstpointer unused)
{
        g_autofree char *passwords =
                g_build_filename(broker_get_directory(fixture->broker), "mqttrpc.passwd", NULL);
        g_autoptr(GDir) directory = NULL;
        const char *name;
        GStatBuf status;

        g_assert_cmpint(g_stat(passwords, &status), ==, 0);
        g_assert_cmpint(status.st_mode & 0077, ==, 0);
        directory = g_dir_open(broker_get_directory(fixture->broker), 0, NULL);
        while ((name = g_dir_read_name(directory)))
                g_assert_null(strstr(name, ".new."));
}

/* ---- drift ---- */

static uint64_t get_config_number(const char *config, const char *key)
{
        g_autofree char *line = g_strdup_printf("\n%s ", key);
        const char *found = strstr(config, line);

        g_assert_nonnull(found);
        return strtoull(found + strlen(line), NULL, 10);
}

static void test_config_agrees_with_the_limits(void)
{
        g_autofree char *path = process_source_path("packaging/mosquitto/mqttrpc.conf");
        g_autofree char *config = NULL;
        /* topic levels of one request with its reply token, and room for the properties */
        uint64_t overhead =
                LIMIT_ROOT_LENGTH + 4 * LIMIT_NAME_LENGTH + LIMIT_OBJECT_LENGTH + 16 * 1024;

        g_assert_true(g_file_get_contents(path, &config, NULL, NULL));
        g_assert_cmpuint(get_config_number(config, "max_packet_size"), >=,
                         LIMIT_PAYLOAD_BYTES + overhead);
        g_assert_cmpuint(get_config_number(config, "max_packet_size"), <=, 2 * LIMIT_PAYLOAD_BYTES);
        g_assert_cmpuint(get_config_number(config, "max_queued_messages"), >=, 100000);
        g_assert_cmpuint(get_config_number(config, "max_queued_bytes"), ==, LIMIT_INFLIGHT_BYTES);
        g_assert_nonnull(strstr(config, "\nset_tcp_nodelay true\n"));
        g_assert_nonnull(strstr(config, "\nallow_anonymous false\n"));
}

static void test_man_page_has_every_option(void)
{
        CLEANUP_TEMP_DIR TempDir *dir = temp_dir_new();
        g_autofree char *script = process_source_path("packaging/mosquitto/mqttrpc-adduser");
        g_autofree char *page = process_source_path("docs/man/mqttrpc-adduser.8");
        const char *argv[] = {script, "--help", NULL};
        g_autofree char *usage = NULL;
        g_autofree char *text = NULL;
        g_auto(GStrv) unescaped = NULL;
        g_autoptr(GRegex) regex = g_regex_new("--[a-z][a-z-]*", 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;
        unsigned count = 0;

        g_assert_cmpint(process_run(dir, argv, NULL, WAIT_MSEC, &usage, NULL), ==, 0);
        g_assert_true(g_file_get_contents(page, &text, NULL, NULL));
        unescaped = g_strsplit(text, "\\-", -1);
        g_free(text);
        text = g_strjoinv("-", unescaped);
        for (g_regex_match(regex, usage, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL), count++) {
                g_autofree char *option = g_match_info_fetch(match, 0);

                if (!strstr(text, option))
                        g_error("%s is not in the man page", option);
        }
        g_assert_cmpuint(count, >=, 10);
}

#define ADD(path, function) \
        g_test_add("/broker-config/" path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD("refuses-strangers", test_strangers_are_refused);
        ADD("publish-follows-the-grants", test_publish_follows_the_grants);
        ADD("delivery-follows-the-grants", test_delivery_follows_the_grants);
        ADD("adduser/again-changes-nothing", test_adduser_again_changes_nothing);
        ADD("adduser/only-a-gateway-provides-all", test_only_a_gateway_provides_all);
        ADD("adduser/removed-user-is-gone", test_removed_user_is_gone);
        ADD("adduser/cancelling-is-granted-once", test_cancelling_is_granted_once);
        ADD("adduser/running-broker-reads-new-grants", test_running_broker_reads_new_grants);
        ADD("adduser/reload-option-tells-the-broker", test_reload_option_tells_the_broker);
        ADD("adduser/password-can-be-changed", test_password_can_be_changed);
        ADD("adduser/bad-arguments-change-nothing", test_bad_arguments_change_nothing);
        ADD("adduser/files-are-private-and-whole", test_files_are_private_and_whole);
        g_test_add_func("/broker-config/agrees-with-the-limits",
                        test_config_agrees_with_the_limits);
        g_test_add_func("/broker-config/man-page-has-every-option", test_man_page_has_every_option);
        return g_test_run();
}
