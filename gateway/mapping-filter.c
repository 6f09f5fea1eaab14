/* SPDX-License-Identifier: MIT */

/* The filter of a signal, from what the file says to what can be compared: the argument by its
 * number, and the value in the one form in which the codec writes it. */

#include <errno.h>
#include <string.h>

#include "common/json-basic.h"
#include "common/json-write.h"
#include "common/signature.h"
#include "gateway/mapping-internal.h"

static int find_argument(const MappingMember *member, const char *name, size_t *ret_index,
                         Error **ret_error)
{
        for (size_t i = 0; i < member->out.count; i++)
                if (strcmp(member->out.items[i].name, name) == 0) {
                        *ret_index = i;
                        return 0;
                }
        return error_set(ret_error, -EINVAL, "filter: no argument is named '%s'", name);
}

/* Appends the JSON value of a basic type as the codec would write it. The error starts with ": ".
 */
static int normalize(JsonSource *source, const char *type, Buffer *out)
{
        JsonBasic value;
        size_t length;
        int r;

        if (strchr("sog", *type)) {
                r = json_basic_string(source, 0, *type, &value.text, &length);
                /* the text may go on behind its length */
                return r < 0 ? r : json_write_string(out, value.text, length);
        }
        if (*type == 'b')
                r = json_basic_boolean(source, 0, &value.b);
        else
                r = json_basic_number(source, 0, *type, &value);
        return r < 0 ? r : json_write_basic(out, *type, &value);
}

static int add_test(MappingMember *member, const MappingFilter *filter, Error **ret_error)
{
        MappingTest *test = &member->tests[member->n_tests];
        CLEANUP_BUFFER Buffer out = BUFFER_INIT(0);
        CLEANUP_JSON_DOC JsonDoc doc = {};
        JsonSource source = {.doc = &doc, .error = ret_error};
        const char *type;
        int r;

        r = find_argument(member, filter->argument, &test->argument, ret_error);
        if (r < 0)
                return r;
        type = codec_type_signature(member->out.items[test->argument].type);
        if (!signature_is_basic(*type) || *type == 'h')
                return error_set(ret_error, -EINVAL,
                                 "filter: '%s' is of type '%s', which cannot be compared",
                                 filter->argument, type);
        if (json_scan(&doc, filter->value, strlen(filter->value), JSON_SCAN_STRICT) < 0)
                return error_set(ret_error, -ENOMEM, "out of memory");
        r = normalize(&source, type, &out);
        buffer_done(&source.scratch);
        if (r < 0) {
                error_prefix(ret_error, "filter: '%s'", filter->argument);
                return r == -ENOMEM ? r : -EINVAL;
        }
        test->json = buffer_steal(&out);
        if (!test->json)
                return -ENOMEM;
        member->n_tests++;
        return 0;
}

int mapping_member_compile_filter(MappingMember *member, Error **ret_error)
{
        const MappingRule *rule = member->rule;
        int r = 0;

        member->tests = calloc(rule->n_filter, sizeof(*member->tests));
        if (!member->tests)
                return -ENOMEM;
        for (size_t i = 0; i < rule->n_filter && r >= 0; i++)
                r = add_test(member, &rule->filter[i], ret_error);
        return r;
}
