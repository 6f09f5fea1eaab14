/* SPDX-License-Identifier: MIT */

/* Every D-Bus type through the whole way, from MQTT to a service that echoes it and back. */

#include "tests/support/gateway-stage.h"
#include "tests/support/rpc-reply.h"

#include <string.h>

static GatewayStage *stage;

/* Each is the type of a method Echo0, Echo1, … of the mapping, sent and returned as it stands. */
static const struct {
        const char *type;
        const char *value;
} echo_rows[] = {
        {"b", "true"},
        {"y", "255"},
        {"n", "-32768"},
        {"q", "65535"},
        {"i", "-2147483648"},
        {"u", "4294967295"},
        {"x", "9007199254740991"},
        {"x", "\"9007199254740992\""},
        {"x", "\"-9223372036854775808\""},
        {"t", "9007199254740991"},
        {"t", "\"18446744073709551615\""},
        {"d", "0.1"},
        {"d", "-0.0"},
        {"d", "\"NaN\""},
        {"d", "\"-Infinity\""},
        {"s", "\"\""},
        {"s", "\"gr\xc3\xbc\xc3\x9f"
              "e, \\\"quoted\\\"\\n\""},
        {"o", "\"/a/b_c\""},
        {"g", "\"a{sv}\""},
        {"ay", "\"\""},
        {"ay", "\"AAH/\""},
        {"as", "[]"},
        {"as", "[\"a\",\"\"]"},
        {"aai", "[[1],[],[2,3]]"},
        {"(ib)", "[1,false]"},
        {"a(su)", "[[\"a\",1],[\"b\",2]]"},
        {"a{si}", "{}"},
        {"a{si}", "{\"a\":1,\"b\":2}"},
        {"a{us}", "{\"7\":\"x\"}"},
        {"a{oa{sv}}", "{\"/x\":{\"n\":{\"type\":\"u\",\"data\":5}}}"},
        {"v", "{\"type\":\"t\",\"data\":\"18446744073709551615\"}"},
        {"v", "{\"type\":\"v\",\"data\":{\"type\":\"ai\",\"data\":[]}}"},
        {"a(oa{sa{sv}})",
         "[[\"/p\",{\"org.example.I\":{\"P\":{\"type\":\"(ss)\",\"data\":[\"a\",\"b\"]}}}]]"},
};

static void test_type(gconstpointer data)
{
        size_t index = (size_t)data;
        g_autofree char *method = g_strdup_printf("Echo%zu", index);
        g_autofree char *params = g_strdup_printf("[%s]", echo_rows[index].value);
        g_autofree char *reply = NULL;

        reply = gateway_stage_call(stage, "test", method, params);
        rpc_reply_assert_result(reply, echo_rows[index].value);
}

static size_t find_row(const char *type)
{
        size_t i = 0;

        while (strcmp(echo_rows[i].type, type) != 0)
                g_assert_cmpuint(++i, <, G_N_ELEMENTS(echo_rows));
        return i;
}

static void test_value_that_does_not_fit_is_refused(void)
{
        static const struct {
                const char *type;
                const char *value;
        } rows[] = {
                {"b", "1"},
                {"y", "256"},
                {"y", "-1"},
                {"n", "32768"},
                {"i", "2147483648"},
                {"i", "1.5"},
                {"i", "\"1\""},
                {"u", "-1"},
                {"x", "9223372036854775808"},
                {"t", "18446744073709551616"},
                {"t", "\"-1\""},
                {"d", "\"1\""},
                {"s", "5"},
                {"s", "\"a\\u0000b\""},
                {"o", "\"a\""},
                {"g", "\"{\""},
                {"ay", "\"*\""},
                {"as", "[1]"},
                {"(ib)", "[1]"},
                {"a{us}", "{\"x\":\"y\"}"},
                {"v", "[]"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *method = g_strdup_printf("Echo%zu", find_row(rows[i].type));
                g_autofree char *params = g_strdup_printf("[%s]", rows[i].value);
                g_autofree char *reply = gateway_stage_call(stage, "test", method, params);

                rpc_reply_assert_error(reply, -32602, NULL, "no", "value");
        }
}

/* Deeper than D-Bus takes, and not than JSON. */
static void test_value_that_is_too_deep_is_refused(void)
{
        enum { LEVELS = 29 };
        g_autoptr(GString) params = g_string_new("[");
        g_autofree char *method = g_strdup_printf("Echo%zu", find_row("v"));
        g_autofree char *reply = NULL;

        for (unsigned i = 1; i < LEVELS; i++)
                g_string_append(params, "{\"type\":\"v\",\"data\":");
        g_string_append(params, "{\"type\":\"i\",\"data\":1}");
        for (unsigned i = 1; i < LEVELS; i++)
                g_string_append_c(params, '}');
        g_string_append_c(params, ']');
        reply = gateway_stage_call(stage, "test", method, params->str);
        rpc_reply_assert_error(reply, -32602, NULL, "no", "nested deeper");
}

static void write_mapping(void)
{
        g_autoptr(GString) methods = g_string_new(NULL);
        g_autofree char *objects = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(echo_rows); i++)
                g_string_append_printf(methods,
                                       "%s\"Echo%zu\": { \"in\": [\"value:%s\"],"
                                       " \"out\": [\"value:%s\"], \"variant\": \"typed\" }",
                                       i > 0 ? "," : "", i, echo_rows[i].type, echo_rows[i].type);
        objects = g_strdup_printf("[{ \"path\": \"/org/example/Test\", \"interfaces\":"
                                  " { \"org.example.Test1\": { \"methods\": { %s } } } }]",
                                  methods->str);
        gateway_stage_add_mapping(stage, "test", "org.example.Test", "", objects);
}

static void add_tests(void)
{
        for (size_t i = 0; i < G_N_ELEMENTS(echo_rows); i++) {
                g_autofree char *path = g_strdup_printf("/expose/type/passes-unchanged/%zu-%s", i,
                                                        echo_rows[i].type);

                g_test_add_data_func(path, (gconstpointer)i, test_type);
        }
        g_test_add_func("/expose/type/value-that-does-not-fit-is-refused",
                        test_value_that_does_not_fit_is_refused);
        g_test_add_func("/expose/type/value-that-is-too-deep-is-refused",
                        test_value_that_is_too_deep_is_refused);
}

int main(int argc, char **argv)
{
        CLEANUP_PROCESS Process *service = NULL;
        int status;

        g_test_init(&argc, &argv, NULL);
        add_tests();
        stage = gateway_stage_new();
        write_mapping();
        gateway_stage_start(stage);
        service = gateway_stage_start_service(stage, "org.example.Test", NULL);
        status = g_test_run();
        gateway_stage_free(stage);
        return status;
}
