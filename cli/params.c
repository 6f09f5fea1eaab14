/* SPDX-License-Identifier: MIT */

#include "cli/params.h"

#include <errno.h>
#include <string.h>

#include "common/json-scan.h"
#include "common/json-write.h"
#include "common/limits.h"
#include "common/utf8.h"

typedef struct Builder {
        Buffer text;
        Buffer note;
        JsonDoc doc; /* scratch */
        const char *const *arguments;
        bool is_one_container;
} Builder;

static void builder_done(Builder *builder)
{
        buffer_done(&builder->text);
        buffer_done(&builder->note);
        json_doc_done(&builder->doc);
}

void params_done(Params *params)
{
        free(params->text);
        free(params->note);
        *params = (Params){};
}

/* The length of NAME if the argument is NAME=VALUE, else 0. */
static size_t name_length(const char *argument)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
        static const char others[] = "0123456789-"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
        size_t n;

        if (strspn(argument, letters) == 0)
                return 0;
        n = strspn(argument, others);
        return argument[n] == '=' ? n : 0;
}

static int too_large(Error **error)
{
        return error_set(error, -EMSGSIZE,
                         "the arguments are too large: a request has at most %u bytes",
                         LIMIT_PAYLOAD_BYTES);
}

static void note_string(Builder *builder, size_t index, const char *value)
{
        buffer_printf(&builder->note, "%sargument %zu went as a string, since it is not JSON: %s",
                      builder->note.length > 0 ? "\n" : "", index + 1, builder->doc.error_reason);
        buffer_printf(&builder->note, " at character %zu of %.40s", builder->doc.error_offset + 1,
                      value);
}

static int write_value(Builder *builder, size_t index, const char *value, Error **error)
{
        size_t length = strlen(value);
        int r;

        r = json_scan(&builder->doc, value, length, JSON_SCAN_STRICT);
        if (r >= 0) {
                value = json_raw(&builder->doc, 0, &length);
                return buffer_append(&builder->text, value, length);
        }
        if (r == -E2BIG)
                return error_set(error, r, "argument %zu: %s", index + 1,
                                 builder->doc.error_reason);
        if (r != -EBADMSG)
                return r;
        if (!utf8_is_text(value, length))
                return error_set(error, -EINVAL, "argument %zu is not valid UTF-8", index + 1);
        if (*value && strchr("[{\"", *value))
                note_string(builder, index, value);
        return json_write_string(&builder->text, value, length);
}

static int check_mixture(const Builder *builder, size_t count, Error **error)
{
        bool first = name_length(builder->arguments[0]) > 0;
        const char *other = NULL;

        for (size_t i = 1; i < count && !other; i++)
                if ((name_length(builder->arguments[i]) > 0) != first)
                        other = builder->arguments[i];
        if (!other)
                return 0;
        return error_set(error, -EINVAL,
                         "'%.64s' is an argument by name, '%.64s' one by position: give all in the "
                         "same way (a string with a '=' goes by position as '\"a=b\"')",
                         first ? builder->arguments[0] : other,
                         first ? other : builder->arguments[0]);
}

static int check_names_differ(const Builder *builder, size_t index, size_t length, Error **error)
{
        const char *name = builder->arguments[index];

        for (size_t i = 0; i < index; i++)
                if (!strncmp(builder->arguments[i], name, length + 1))
                        return error_set(error, -EINVAL, "argument '%.*s' is given twice",
                                         (int)length, name);
        return 0;
}

static int write_argument(Builder *builder, size_t index, Error **error)
{
        const char *argument = builder->arguments[index];
        size_t length = name_length(argument);
        int r;

        if (index > 0)
                buffer_append_char(&builder->text, ',');
        if (length > 0) {
                r = check_names_differ(builder, index, length, error);
                if (r < 0)
                        return r;
                buffer_printf(&builder->text, "\"%.*s\":", (int)length, argument);
                argument += length + 1;
        }
        return write_value(builder, index, argument, error);
}

/* What was read last. */
static bool is_container(const Builder *builder)
{
        return builder->doc.n_nodes > 0 && (json_type(&builder->doc, 0) == JSON_ARRAY ||
                                            json_type(&builder->doc, 0) == JSON_OBJECT);
}

static int finish(Builder *builder, Params *ret_params)
{
        CLEANUP_PARAMS Params params = {.is_one_container = builder->is_one_container};

        params.text = buffer_steal(&builder->text);
        if (builder->note.length > 0)
                params.note = buffer_steal(&builder->note);
        if (!params.text)
                return -ENOMEM;
        *ret_params = params;
        params = (Params){};
        return 0;
}

int params_build(const char *const *arguments, size_t count, Params *ret_params, Error **error)
{
        CLEANUP(builder_done)
        Builder builder = {
                .text = BUFFER_INIT(LIMIT_PAYLOAD_BYTES),
                .arguments = arguments,
        };
        bool named;
        int r;

        if (count == 0) {
                *ret_params = (Params){};
                return 0;
        }
        r = check_mixture(&builder, count, error);
        if (r < 0)
                return r;
        named = name_length(arguments[0]) > 0;
        buffer_append_char(&builder.text, named ? '{' : '[');
        for (size_t i = 0; i < count; i++) {
                r = write_argument(&builder, i, error);
                if (r < 0)
                        return r == -EMSGSIZE ? too_large(error) : r;
        }
        r = buffer_append_char(&builder.text, named ? '}' : ']');
        if (r < 0)
                return r == -EMSGSIZE ? too_large(error) : r;
        builder.is_one_container = count == 1 && is_container(&builder);
        return finish(&builder, ret_params);
}

int params_build_one(const char *argument, Params *ret_params, Error **error)
{
        CLEANUP(builder_done) Builder builder = {.text = BUFFER_INIT(LIMIT_PAYLOAD_BYTES)};
        int r;

        buffer_append_char(&builder.text, '[');
        r = write_value(&builder, 0, argument, error);
        if (r >= 0)
                r = buffer_append_char(&builder.text, ']');
        if (r < 0)
                return r == -EMSGSIZE ? too_large(error) : r;
        return finish(&builder, ret_params);
}

int params_from_json(const char *json, Params *ret_params, Error **error)
{
        CLEANUP_JSON_DOC JsonDoc doc = {};
        size_t length = strlen(json);
        int r;

        if (length > LIMIT_PAYLOAD_BYTES)
                return too_large(error);
        r = json_scan(&doc, json, length, JSON_SCAN_STRICT);
        if (r == -EBADMSG || r == -E2BIG)
                return error_set(error, r, "not JSON: %s at character %zu", doc.error_reason,
                                 doc.error_offset + 1);
        if (r < 0)
                return r;
        if (json_type(&doc, 0) != JSON_ARRAY && json_type(&doc, 0) != JSON_OBJECT)
                return error_set(error, -EINVAL,
                                 "must be a JSON array or object of arguments, not %s",
                                 json_type_name(json_type(&doc, 0)));
        json = json_raw(&doc, 0, &length);
        *ret_params = (Params){};
        ret_params->text = strndup(json, length);
        return ret_params->text ? 0 : -ENOMEM;
}
