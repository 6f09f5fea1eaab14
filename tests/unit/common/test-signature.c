/* SPDX-License-Identifier: MIT */

#include "common/signature.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

typedef struct Accepted {
        const char *text;
        int count;
} Accepted;

static const Accepted accepted[] = {
        {"", 0},
        {"y", 1},
        {"ybnqiuxtdsogh", 13},
        {"v", 1},
        {"as", 1},
        {"aas", 1},
        {"a{sv}", 1},
        {"a{ya{ya{yv}}}", 1},
        {"(s)", 1},
        {"(s(i))a{is}", 2},
        {"a(oa{sa{sv}})", 1},
        {"sa{sv}as", 3},
        {"a{s(a{sv}i)}", 1},
};

static void test_accepts(gconstpointer data)
{
        const Accepted *row = data;

        g_assert_cmpint(signature_check(row->text, strlen(row->text), NULL), ==, row->count);
        g_assert_cmpint(signature_check_single(row->text, strlen(row->text), NULL), ==,
                        row->count == 1 ? 0 : -EINVAL);
}

typedef struct Refused {
        const char *name;
        const char *text;
        size_t offset;
        const char *reason;
} Refused;

static const Refused refused[] = {
        {"unknown-code", "iz", 1, "unknown type code"},
        {"capital", "S", 0, "unknown type code"},
        {"space", "s s", 1, "unknown type code"},
        {"non-ascii", "\xc3\xa9", 0, "unknown type code"},
        {"array-of-nothing", "sa", 2, "array without an element type"},
        {"array-closed-early", "(a)", 2, "')' without '('"},
        {"open-struct", "(ii", 3, "'(' without ')'"},
        {"stray-close", "i)", 1, "')' without '('"},
        {"empty-struct", "()", 1, "struct without members"},
        {"crossed-brackets", "(a{sv)}", 5, "dict with more than a key and a value"},
        {"dict-outside-array", "{sv}", 0, "dict entry outside an array"},
        {"dict-in-struct", "({sv})", 1, "dict entry outside an array"},
        {"dict-with-variant-key", "a{vs}", 2, "the key of a dict must be of a basic type"},
        {"dict-with-struct-key", "a{(i)s}", 2, "the key of a dict must be of a basic type"},
        {"dict-without-anything", "a{}", 2, "the key of a dict must be of a basic type"},
        {"dict-without-value", "a{s}", 3, "dict without a value type"},
        {"dict-with-three", "a{sss}", 4, "dict with more than a key and a value"},
        {"open-dict", "a{ss", 4, "'{' without '}'"},
        {"open-dict-before-value", "a{s", 3, "a type is missing"},
        {"stray-close-brace", "s}", 1, "'}' without '{'"},
};

static void test_refuses(gconstpointer data)
{
        const Refused *row = data;
        SignatureError error;

        g_assert_cmpint(signature_check(row->text, strlen(row->text), &error), ==, -EINVAL);
        g_assert_cmpstr(error.reason, ==, row->reason);
        g_assert_cmpuint(error.offset, ==, row->offset);
        g_assert_cmpint(signature_check_single(row->text, strlen(row->text), NULL), ==, -EINVAL);
}

static void test_nul_is_no_type(void)
{
        SignatureError error;

        g_assert_cmpint(signature_check("s\0s", 3, &error), ==, -EINVAL);
        g_assert_cmpuint(error.offset, ==, 1);
        g_assert_cmpint(signature_check("(s\0", 3, &error), ==, -EINVAL);
        g_assert_cmpstr(error.reason, ==, "unknown type code");
}

static void test_single_wants_one(void)
{
        SignatureError error;

        g_assert_cmpint(signature_check_single("", 0, &error), ==, -EINVAL);
        g_assert_cmpstr(error.reason, ==, "a type is missing");
        g_assert_cmpint(signature_check_single("(ii)s", 5, &error), ==, -EINVAL);
        g_assert_cmpstr(error.reason, ==, "more than one complete type");
        g_assert_cmpuint(error.offset, ==, 4);
}

static char *nested(unsigned arrays, unsigned structs)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < arrays; i++)
                g_string_append_c(text, 'a');
        for (unsigned i = 0; i < structs; i++)
                g_string_append_c(text, '(');
        g_string_append_c(text, 'y');
        for (unsigned i = 0; i < structs; i++)
                g_string_append_c(text, ')');
        return g_string_free(text, FALSE);
}

static void check_nested(unsigned arrays, unsigned structs, const char *reason)
{
        g_autofree char *text = nested(arrays, structs);
        SignatureError error = {};

        g_assert_cmpint(signature_check(text, strlen(text), &error), ==, reason ? -EINVAL : 1);
        g_assert_cmpstr(error.reason, ==, reason);
}

static void test_limits_nesting(void)
{
        check_nested(32, 32, NULL);
        check_nested(33, 0, "more than 32 nested arrays");
        check_nested(0, 33, "more than 32 nested structs");
}

static void test_dict_entries_count_as_structs(void)
{
        g_autoptr(GString) text = g_string_new(NULL);
        SignatureError error;

        for (unsigned i = 0; i < 32; i++)
                g_string_append(text, "(");
        g_string_append(text, "a{yy}");
        for (unsigned i = 0; i < 32; i++)
                g_string_append(text, ")");
        g_assert_cmpint(signature_check(text->str, text->len, &error), ==, -EINVAL);
        g_assert_cmpstr(error.reason, ==, "more than 32 nested structs");
}

static void test_limits_length(void)
{
        char text[255];
        SignatureError error;

        memset(text, 'y', sizeof(text));
        g_assert_cmpint(signature_check(text, 254, NULL), ==, 254);
        g_assert_cmpint(signature_check(text, 255, &error), ==, -EINVAL);
        g_assert_cmpstr(error.reason, ==, "longer than 254 characters");
}

static void test_steps_over_one_type(void)
{
        g_assert_cmpuint(signature_type_length("s"), ==, 1);
        g_assert_cmpuint(signature_type_length("ss"), ==, 1);
        g_assert_cmpuint(signature_type_length("aaiu"), ==, 3);
        g_assert_cmpuint(signature_type_length("a{s(ii)}u"), ==, 8);
        g_assert_cmpuint(signature_type_length("(a{sv}(i))v"), ==, 10);
}

static void test_every_code_has_a_name(void)
{
        for (const char *code = "ybnqiuxtdsoghva({"; *code; code++)
                g_assert_cmpstr(signature_type_name(*code), !=, "unknown");
        g_assert_cmpstr(signature_type_name('q'), ==, "uint16");
        g_assert_cmpstr(signature_type_name('z'), ==, "unknown");
        g_assert_false(signature_is_basic('v'));
        g_assert_false(signature_is_basic('\0'));
        g_assert_true(signature_is_basic('h'));
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(accepted); i++) {
                g_autofree char *path =
                        g_strdup_printf("/signature/accepts/%zu-%s", i, accepted[i].text);

                g_test_add_data_func(path, &accepted[i], test_accepts);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *path = g_strdup_printf("/signature/refuses/%s", refused[i].name);

                g_test_add_data_func(path, &refused[i], test_refuses);
        }
        g_test_add_func("/signature/nul-is-no-type", test_nul_is_no_type);
        g_test_add_func("/signature/single-wants-one", test_single_wants_one);
        g_test_add_func("/signature/limits-nesting", test_limits_nesting);
        g_test_add_func("/signature/dict-entries-count-as-structs",
                        test_dict_entries_count_as_structs);
        g_test_add_func("/signature/limits-length", test_limits_length);
        g_test_add_func("/signature/steps-over-one-type", test_steps_over_one_type);
        g_test_add_func("/signature/every-code-has-a-name", test_every_code_has_a_name);
        return g_test_run();
}
