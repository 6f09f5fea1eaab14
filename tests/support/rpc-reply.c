/* SPDX-License-Identifier: MIT */

#include "tests/support/rpc-reply.h"

#include <cJSON.h>
#include <glib.h>
#include <string.h>

static cJSON *parse(const char *reply)
{
        cJSON *tree = cJSON_Parse(reply);

        if (!cJSON_IsObject(tree))
                g_error("not a JSON object: %s", reply);
        g_assert_cmpstr(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "jsonrpc")), ==,
                        "2.0");
        g_assert_nonnull(cJSON_GetObjectItemCaseSensitive(tree, "id"));
        return tree;
}

void rpc_reply_assert_result(const char *reply, const char *expected)
{
        static const char mark[] = ",\"result\":";
        cJSON *tree = parse(reply);
        const char *result = strstr(reply, mark);
        g_autofree char *text = NULL;

        cJSON_Delete(tree);
        if (!result)
                g_error("expected %s, got %s", expected, reply);
        result += strlen(mark);
        text = g_strndup(result, strlen(result) - 1);
        g_assert_cmpstr(text, ==, expected);
}

static void assert_member(const char *reply, const cJSON *data, const char *key,
                          const char *expected)
{
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, key));

        if (expected && g_strcmp0(value, expected) != 0)
                g_error("expected data.%s to be '%s': %s", key, expected, reply);
}

void rpc_reply_assert_error(const char *reply, int code, const char *name, const char *executed,
                            const char *text)
{
        cJSON *tree = parse(reply);
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(tree, "error");
        const cJSON *data = cJSON_GetObjectItemCaseSensitive(error, "data");
        const char *message =
                cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));

        if (rpc_reply_get_code(reply) != code)
                g_error("expected the error %d: %s", code, reply);
        if (!message || (text && !strstr(message, text)))
                g_error("expected '%s' in the message: %s", text, reply);
        assert_member(reply, data, "name", name);
        assert_member(reply, data, "executed", executed);
        cJSON_Delete(tree);
}

int rpc_reply_get_code(const char *reply)
{
        cJSON *tree = parse(reply);
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(tree, "error");
        const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
        int value = 0;

        g_assert_true(!error != !cJSON_HasObjectItem(tree, "result"));
        if (error) {
                g_assert_true(cJSON_IsNumber(code));
                value = (int)code->valuedouble;
                g_assert_cmpint(value, !=, 0);
        }
        cJSON_Delete(tree);
        return value;
}
