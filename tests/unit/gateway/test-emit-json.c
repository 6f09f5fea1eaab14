/* SPDX-License-Identifier: MIT */

#include "gateway/emit-json.h"

#include <errno.h>
#include <glib.h>

static void write_sample(EmitJson *emit)
{
        emit_open(emit, NULL, '{');
        emit_string(emit, "a\"", "b\n");
        emit_open(emit, "empty", '[');
        emit_close(emit, ']');
        emit_open_flat(emit, "flat", '{');
        emit_integer(emit, "n", -5);
        emit_open(emit, "list", '[');
        emit_boolean(emit, NULL, true);
        emit_raw(emit, NULL, "{}");
        emit_close(emit, ']');
        emit_close(emit, '}');
        emit_open(emit, "lines", '[');
        emit_integer(emit, NULL, 1);
        emit_integer(emit, NULL, 2);
        emit_close(emit, ']');
        emit_close(emit, '}');
}

static void test_compact(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        EmitJson emit = EMIT_JSON(&buffer, false);

        write_sample(&emit);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\"a\\\"\":\"b\\n\",\"empty\":[],\"flat\":{\"n\":-5,\"list\":[true,{}]},"
                        "\"lines\":[1,2]}");
}

static void test_pretty(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        EmitJson emit = EMIT_JSON(&buffer, true);

        write_sample(&emit);
        g_assert_cmpstr(buffer_text(&buffer), ==,
                        "{\n"
                        "  \"a\\\"\": \"b\\n\",\n"
                        "  \"empty\": [],\n"
                        "  \"flat\": {\"n\": -5, \"list\": [true, {}]},\n"
                        "  \"lines\": [\n"
                        "    1,\n"
                        "    2\n"
                        "  ]\n"
                        "}");
}

static void test_failure_sticks(void)
{
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(10);
        EmitJson emit = EMIT_JSON(&buffer, false);

        write_sample(&emit);
        g_assert_cmpint(buffer_status(&buffer), ==, -EMSGSIZE);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/emit-json/compact", test_compact);
        g_test_add_func("/emit-json/pretty", test_pretty);
        g_test_add_func("/emit-json/failure-sticks", test_failure_sticks);
        return g_test_run();
}
