/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/topic.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "common/limits.h"

static void assert_span(TextSpan span, const char *text)
{
        g_assert_cmpmem(span.at, span.length, text, strlen(text));
}

/* ---- names ---- */

static void test_names_have_one_alphabet(void)
{
        static const struct {
                const char *name;
                bool valid;
        } rows[] = {
                {"net", true},     {"org.example-1_x", true},
                {"-", true},       {".", true},
                {"0", true},       {"", false},
                {"a b", false},    {"a/b", false},
                {"+", false},      {"#", false},
                {"$state", false}, {"n\xc3\xa9", false},
                {"a\xff", false},  {"a\n", false},
                {"a\x7f", false},  {"a%00", false},
                {"a\"b", false},   {"a:b", false},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_test_message("%s", rows[i].name);
                g_assert_cmpint(topic_name_is_valid(rows[i].name, strlen(rows[i].name)), ==,
                                rows[i].valid);
                g_assert_cmpint(topic_object_is_valid(rows[i].name, strlen(rows[i].name)), ==,
                                rows[i].valid);
        }
        g_assert_false(topic_name_is_valid("a\0b", 3));
}

static void test_lengths_end_at_the_limits(void)
{
        char text[LIMIT_OBJECT_LENGTH + 2] = "";

        memset(text, 'x', sizeof(text) - 1);
        g_assert_true(topic_name_is_valid(text, LIMIT_NAME_LENGTH));
        g_assert_false(topic_name_is_valid(text, LIMIT_NAME_LENGTH + 1));
        g_assert_true(topic_object_is_valid(text, LIMIT_OBJECT_LENGTH));
        g_assert_false(topic_object_is_valid(text, LIMIT_OBJECT_LENGTH + 1));
        text[LIMIT_ROOT_LENGTH] = '\0';
        g_assert_true(topic_root_is_valid(text));
        text[LIMIT_ROOT_LENGTH] = 'x';
        text[LIMIT_ROOT_LENGTH + 1] = '\0';
        g_assert_false(topic_root_is_valid(text));
}

static void test_roots_are_levels_of_names(void)
{
        static const struct {
                const char *root;
                bool valid;
        } rows[] = {
                {"mb1", true},   {"dev1/mb1", true}, {"a/b/c", true}, {"", false},
                {"/mb1", false}, {"mb1/", false},    {"a//b", false}, {"$share/g/mb1", false},
                {"+", false},    {"a/#", false},     {"a b", false},  {"a/$b", false},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_test_message("%s", rows[i].root);
                g_assert_cmpint(topic_root_is_valid(rows[i].root), ==, rows[i].valid);
        }
}

/* ---- parsing ---- */

static void test_parse_takes_topics_apart(void)
{
        static const struct {
                const char *root;
                const char *topic;
                TopicKind kind;
                const char *service, *object, *method, *caller, *token, *name;
        } rows[] = {
                {"mb1", "mb1/net/-/call/Scan/alice", TOPIC_CALL, "net", "-", "Scan", "alice", ""},
                {"mb1", "mb1/net/a.b/call/Scan/alice/reply", TOPIC_CALL_REPLY, "net", "a.b", "Scan",
                 "alice", "reply"},
                {"mb1", "mb1/net/-/rpc/alice", TOPIC_RPC, "net", "-", "", "alice", ""},
                {"mb1", "mb1/net/-/rpc/alice/0af3", TOPIC_RPC_REPLY, "net", "-", "", "alice",
                 "0af3"},
                {"dev1/mb1", "dev1/mb1/s/o/call/m/c", TOPIC_CALL, "s", "o", "m", "c", ""},
                /* levels that look like the fixed words */
                {"mb1", "mb1/call/rpc/call/call/rpc", TOPIC_CALL, "call", "rpc", "call", "rpc", ""},
                {"mb1", "mb1/rpc/call/rpc/call/rpc", TOPIC_RPC_REPLY, "rpc", "call", "", "call",
                 "rpc"},
                {"mb1", "mb1/net/a.b/sig/Changed", TOPIC_SIGNAL, "net", "a.b", "", "", "",
                 "Changed"},
                {"mb1", "mb1/net/-/prop/call", TOPIC_PROPERTY, "net", "-", "", "", "", "call"},
                {"mb1", "mb1/net/-/$meta", TOPIC_META, "net", "-"},
                {"mb1", "mb1/net/$state", TOPIC_STATE, "net"},
                {"mb1", "mb1/net/$api", TOPIC_API, "net"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                Topic topic = {};

                g_test_message("%s", rows[i].topic);
                g_assert_cmpint(topic_parse(rows[i].root, rows[i].topic, &topic), ==, 0);
                g_assert_cmpint(topic.kind, ==, rows[i].kind);
                assert_span(topic.service, rows[i].service);
                assert_span(topic.object, rows[i].object ? rows[i].object : "");
                assert_span(topic.method, rows[i].method ? rows[i].method : "");
                assert_span(topic.caller, rows[i].caller ? rows[i].caller : "");
                assert_span(topic.token, rows[i].token ? rows[i].token : "");
                assert_span(topic.name, rows[i].name ? rows[i].name : "");
        }
}

/* trap 27 */
static void test_parse_refuses(gconstpointer topic)
{
        Topic unused = {.kind = TOPIC_RPC};

        g_assert_cmpint(topic_parse("mb1", topic, &unused), ==, -EINVAL);
        g_assert_cmpint(unused.kind, ==, TOPIC_RPC);
        g_assert_null(unused.service.at);
}

static const struct {
        const char *name;
        const char *topic;
} refused[] = {
        {"nothing", ""},
        {"another-root", "mb2/net/-/call/Scan/alice"},
        {"a-longer-root", "mb11/net/-/call/Scan/alice"},
        {"the-root-alone", "mb1"},
        {"too-few-levels", "mb1/net/-/call/Scan"},
        {"too-many-levels", "mb1/net/-/call/Scan/alice/reply/more"},
        {"rpc-with-too-many-levels", "mb1/net/-/rpc/alice/reply/more"},
        {"another-verb", "mb1/net/-/Call/Scan/alice"},
        {"signals-with-too-many-levels", "mb1/net/-/sig/Changed/more"},
        {"another-dollar", "mb1/net/$other"},
        {"a-state-of-an-object", "mb1/net/-/$state"},
        {"meta-of-a-service", "mb1/net/$meta"},
        {"an-empty-signal", "mb1/net/-/sig/"},
        {"a-service-alone", "mb1/net"},
        {"an-empty-service", "mb1//-/call/Scan/alice"},
        {"an-empty-object", "mb1/net//call/Scan/alice"},
        {"an-empty-method", "mb1/net/-/call//alice"},
        {"an-empty-caller", "mb1/net/-/call/Scan/"},
        {"an-empty-token", "mb1/net/-/call/Scan/alice/"},
        {"a-leading-slash", "/mb1/net/-/call/Scan/alice"},
        {"a-dollar", "mb1/$net/-/call/Scan/alice"},
        {"a-space", "mb1/net/a b/call/Scan/alice"},
        {"a-wildcard", "mb1/net/+/call/Scan/alice"},
        {"bytes-that-are-not-ascii", "mb1/net/-/call/Sc\xc3\xa4n/alice"},
        {"bytes-that-are-not-utf8", "mb1/net/-/call/Sc\xff/alice"},
};

static void test_parse_bears_the_longest_topic(void)
{
        g_autofree char *topic = g_malloc(65536);
        Topic unused;

        memset(topic, '/', 65535);
        topic[65535] = '\0';
        memcpy(topic, "mb1/", 4);
        g_assert_cmpint(topic_parse("mb1", topic, &unused), ==, -EINVAL);
        memset(topic + 4, 'x', 65531);
        g_assert_cmpint(topic_parse("mb1", topic, &unused), ==, -EINVAL);
}

static void test_write_is_the_inverse_of_parse(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        Topic topic;

        g_assert_cmpint(topic_write_call(&buffer, "a/mb1", "s", "o.p", "m", "c"), ==, 0);
        g_assert_cmpstr(buffer_text(&buffer), ==, "a/mb1/s/o.p/call/m/c");
        g_assert_cmpint(topic_parse("a/mb1", buffer_text(&buffer), &topic), ==, 0);
        assert_span(topic.object, "o.p");
}

/* ---- the reply address rule ---- */

#define REQUEST "mb1/net/-/call/Scan/alice"

static const char request[] = REQUEST;

typedef struct AddressRow {
        const char *name;
        const char *response;
        const char *token; /* NULL: refused */
} AddressRow;

static const AddressRow addresses[] = {
        {"plain", REQUEST "/reply", "reply"},
        {"own-token", REQUEST "/0af3", "0af3"},
        {"another-prefix-as-after-a-bridge", "site/7/" REQUEST "/t", "t"},
        {"no-prefix", "net/-/call/Scan/alice/t", "t"},
        {"empty", "", NULL},
        {"the-request-itself", REQUEST, NULL},
        {"no-token", REQUEST "/", NULL},
        {"two-levels", REQUEST "/a/b", NULL},
        {"a-wildcard", REQUEST "/+", NULL},
        {"a-multi-level-wildcard", REQUEST "/#", NULL},
        {"a-dollar", REQUEST "/$t", NULL},
        {"a-space", REQUEST "/a b", NULL},
        {"another-caller", "mb1/net/-/call/Scan/bob/t", NULL},
        {"another-method", "mb1/net/-/call/Reset/alice/t", NULL},
        {"another-object", "mb1/net/x/call/Scan/alice/t", NULL},
        {"another-service", "mb1/tax/-/call/Scan/alice/t", NULL},
        {"a-service-with-our-name-at-its-end", "mb1/xnet/-/call/Scan/alice/t", NULL},
        {"case", "mb1/net/-/call/scan/alice/t", NULL},
        {"slashes-alone", "//////", NULL},
};

static void test_reply_token(gconstpointer data)
{
        const AddressRow *row = data;
        TextSpan token = {};
        Topic topic;
        int r;

        g_assert_cmpint(topic_parse("mb1", request, &topic), ==, 0);
        r = topic_reply_token(&topic, request, row->response, strlen(row->response), &token);
        g_assert_cmpint(r, ==, row->token ? 0 : -EPERM);
        if (row->token)
                assert_span(token, row->token);
        else
                g_assert_null(token.at);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/topic/names-have-one-alphabet", test_names_have_one_alphabet);
        g_test_add_func("/topic/lengths-end-at-the-limits", test_lengths_end_at_the_limits);
        g_test_add_func("/topic/roots-are-levels-of-names", test_roots_are_levels_of_names);
        g_test_add_func("/topic/parse/takes-topics-apart", test_parse_takes_topics_apart);
        for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *path =
                        g_strdup_printf("/topic/parse/trap-27-refuses/%s", refused[i].name);

                g_test_add_data_func(path, refused[i].topic, test_parse_refuses);
        }
        g_test_add_func("/topic/parse/bears-the-longest-topic", test_parse_bears_the_longest_topic);
        g_test_add_func("/topic/write-is-the-inverse-of-parse", test_write_is_the_inverse_of_parse);
        for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
                g_autofree char *path =
                        g_strdup_printf("/topic/reply-address/%s/%s", addresses[i].name,
                                        addresses[i].token ? "accepted" : "refused");

                g_test_add_data_func(path, &addresses[i], test_reply_token);
        }
        return g_test_run();
}
