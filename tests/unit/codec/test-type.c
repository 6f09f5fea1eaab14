/* SPDX-License-Identifier: MIT */

#include "gateway/codec/type.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "gateway/codec/type-internal.h"

typedef struct Refused {
        const char *name;
        const char *signature;
        CodecOptions options;
        const char *text;
} Refused;

static const char *const two_fields[] = {"a", "b"};
static const char *const same_fields[] = {"a", "a"};
static const char *const empty_field[] = {"a", ""};

static const Refused refused[] = {
        {"empty", "", {}, "signature '', at character 0: a type is missing"},
        {"two-types", "si", {}, "signature 'si', at character 1: more than one complete type"},
        {"unknown-code", "a{sz}", {}, "signature 'a{sz}', at character 3: unknown type code"},
        {"fields-without-struct",
         "as",
         {.fields = two_fields, .n_fields = 2},
         "type 'as' has no struct to name fields of"},
        {"too-few-fields",
         "(iii)",
         {.fields = two_fields, .n_fields = 2},
         "2 field names for a struct of 3 members in '(iii)'"},
        {"too-many-fields",
         "a((ii))",
         {.fields = two_fields, .n_fields = 2},
         "2 field names for a struct of 1 members in 'a((ii))'"},
        {"same-field-twice",
         "(ii)",
         {.fields = same_fields, .n_fields = 2},
         "two fields are named 'a'"},
        {"field-without-name",
         "(ii)",
         {.fields = empty_field, .n_fields = 2},
         "field 1 has no name"},
};

static void test_refuses(gconstpointer data)
{
        CLEANUP_ERROR Error *error = NULL;
        const Refused *row = data;
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new(row->signature, &row->options, &type, &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, row->text);
        g_assert_null(type);
}

static void test_does_not_quote_a_long_signature(void)
{
        g_autofree char *signature = g_strnfill(300, 's');
        CLEANUP_ERROR Error *error = NULL;
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new(signature, NULL, &type, &error), ==, -EINVAL);
        g_assert_cmpstr(error_text(error), ==, "signature: longer than 254 characters");
}

static void test_keeps_the_signature(void)
{
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new("a(oa{sa{sv}})", NULL, &type, NULL), ==, 0);
        g_assert_cmpstr(codec_type_signature(type), ==, "a(oa{sa{sv}})");
        g_assert_false(codec_type_has_fd(type));
        g_assert_null(codec_type_free(type));
        g_assert_null(codec_type_free(NULL));
}

static void test_trap_7_knows_descriptors(void)
{
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new("a{s(ih)}", NULL, &type, NULL), ==, 0);
        g_assert_true(codec_type_has_fd(type));
        codec_type_free(type);
}

static void test_fields_name_the_outermost_struct(void)
{
        const CodecOptions options = {.fields = two_fields, .n_fields = 2};
        CodecType *type = NULL;

        g_assert_cmpint(codec_type_new("aa{s((ii)i)}", &options, &type, NULL), ==, 0);
        g_assert_cmpstr(type->named, ==, "((ii)i)}");
        g_assert_cmpstr(codec_type_fields(type, type->named)[1], ==, "b");
        g_assert_null(codec_type_fields(type, type->named + 1));
        codec_type_free(type);
}

static void test_arguments_get_names_and_a_signature(void)
{
        CodecArgs args = {};

        g_assert_null(args.signature);
        g_assert_cmpint(codec_args_add(&args, "name", "s", NULL, NULL), ==, 0);
        g_assert_cmpint(codec_args_add(&args, NULL, "a{sv}", NULL, NULL), ==, 0);
        g_assert_cmpint(codec_args_add(&args, "", "i", NULL, NULL), ==, 0);
        g_assert_cmpuint(args.count, ==, 3);
        g_assert_cmpstr(args.items[0].name, ==, "name");
        g_assert_cmpstr(args.items[1].name, ==, "arg1");
        g_assert_cmpstr(args.items[2].name, ==, "arg2");
        g_assert_cmpstr(args.signature, ==, "sa{sv}i");
        codec_args_done(&args);
        g_assert_cmpuint(args.count, ==, 0);
        codec_args_done(&args);
}

static void check_list_is_unchanged(const CodecArgs *args)
{
        g_assert_cmpuint(args->count, ==, 1);
        g_assert_cmpstr(args->signature, ==, "s");
}

static void test_trap_8_bad_arguments_leave_the_list_unchanged(void)
{
        CLEANUP_ERROR Error *twice = NULL, *bad = NULL, *too_long = NULL;
        g_autofree char *members = g_strnfill(252, 'y');
        g_autofree char *signature = g_strconcat("(", members, ")", NULL);
        CodecArgs args = {};

        g_assert_cmpint(codec_args_add(&args, "x", "s", NULL, NULL), ==, 0);
        g_assert_cmpint(codec_args_add(&args, "x", "i", NULL, &twice), ==, -EEXIST);
        g_assert_cmpstr(error_text(twice), ==, "two arguments are named 'x'");
        check_list_is_unchanged(&args);
        g_assert_cmpint(codec_args_add(&args, "y", "a", NULL, &bad), ==, -EINVAL);
        g_assert_cmpstr(error_text(bad), ==,
                        "argument 'y': signature 'a', at character 1: "
                        "array without an element type");
        check_list_is_unchanged(&args);
        g_assert_cmpint(codec_args_add(&args, "z", signature, NULL, &too_long), ==, -EINVAL);
        g_assert_cmpstr(error_text(too_long), ==,
                        "the arguments' types are longer than 254 characters");
        check_list_is_unchanged(&args);
        codec_args_done(&args);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *path = g_strdup_printf("/codec/type/refuses/%s", refused[i].name);

                g_test_add_data_func(path, &refused[i], test_refuses);
        }
        g_test_add_func("/codec/type/does-not-quote-a-long-signature",
                        test_does_not_quote_a_long_signature);
        g_test_add_func("/codec/type/keeps-the-signature", test_keeps_the_signature);
        g_test_add_func("/codec/trap-7-descriptors/type-knows-them", test_trap_7_knows_descriptors);
        g_test_add_func("/codec/type/fields-name-the-outermost-struct",
                        test_fields_name_the_outermost_struct);
        g_test_add_func("/codec/trap-8-arguments-without-names/get-names-and-a-signature",
                        test_arguments_get_names_and_a_signature);
        g_test_add_func("/codec/trap-8-arguments-without-names/bad-ones-leave-the-list-unchanged",
                        test_trap_8_bad_arguments_leave_the_list_unchanged);
        return g_test_run();
}
