/* SPDX-License-Identifier: MIT */

/* The options of one member: life, and reading from JSON by const tables, one for each kind. */

#include <errno.h>
#include <string.h>

#include "common/json-fields.h"
#include "common/limits.h"
#include "common/signature.h"
#include "gateway/mapping-internal.h"
#include "gateway/names.h"

static const char *const bytes_words[] = {"base64", "text", "array", NULL};
static const char *const variant_words[] = {"plain", "typed", NULL};
static const char *const result_words[] = {"array", "object", NULL};
/* in the order of EmitsChanged */
static const char *const emits_words[] = {"true", "invalidates", "const", "false", NULL};

/* Longest pause and timeout that makes sense, in the units of the files. */
#define LIMIT_MSEC    (LIMIT_TIMEOUT_USEC / USEC_PER_MSEC)
#define LIMIT_SECONDS (LIMIT_TIMEOUT_USEC / USEC_PER_SEC)

/* ---- life ---- */

static void arg_done(MappingArgRule *arg)
{
        free(arg->name);
        free(arg->type);
        for (size_t i = 0; i < arg->n_fields; i++)
                free(arg->fields[i]);
        free(arg->fields);
        *arg = (MappingArgRule){};
}

static void args_done(MappingArgRules *args)
{
        for (size_t i = 0; i < args->count; i++)
                arg_done(&args->items[i]);
        free(args->items);
        *args = (MappingArgRules){};
}

static const MappingArgRule no_arg = {.bytes = -1, .variant = -1};

MappingRule *mapping_rule_new(MemberKind kind, const char *member)
{
        MappingRule *rule;

        rule = calloc(1, sizeof(*rule));
        if (!rule)
                return NULL;
        *rule = (MappingRule){
                .n_refs = 1,
                .kind = kind,
                .member = strdup(member),
                .bytes = -1,
                .variant = -1,
                .batch = -1,
                .value = no_arg,
                .retain = -1,
                .writable = -1,
                .emits_changed = -1,
                .no_reply = -1,
                .qos = 1,
        };
        return rule->member ? rule : mapping_rule_unref(rule);
}

MappingRule *mapping_rule_ref(MappingRule *rule)
{
        rule->n_refs++;
        return rule;
}

MappingRule *mapping_rule_unref(MappingRule *rule)
{
        if (!rule || --rule->n_refs > 0)
                return NULL;
        args_done(&rule->in);
        args_done(&rule->out);
        arg_done(&rule->value);
        for (size_t i = 0; i < rule->n_filter; i++) {
                free(rule->filter[i].argument);
                free(rule->filter[i].value);
        }
        free(rule->filter);
        free(rule->adds);
        free(rule->removes);
        free(rule->member);
        free(rule->as);
        free(rule->summary);
        free(rule->access);
        mapping_allow_done(&rule->allow);
        free(rule);
        return NULL;
}

/* ---- questions ---- */

static bool args_are_complete(const MappingArgRules *args)
{
        for (size_t i = 0; i < args->count; i++)
                if (!args->items[i].type)
                        return false;
        return args->given;
}

bool mapping_rule_is_complete(const MappingRule *rule)
{
        if (mapping_rule_hides(rule))
                return true;
        switch (rule->kind) {
        case MEMBER_METHOD: return args_are_complete(&rule->in) && args_are_complete(&rule->out);
        case MEMBER_PROPERTY: return rule->value.type;
        case MEMBER_SIGNAL: return args_are_complete(&rule->out);
        case MEMBER_KINDS: break;
        }
        return true;
}

const char *mapping_rule_access(const MappingRule *rule)
{
        return rule->access ? rule->access : MAPPING_ACCESS_DEFAULT;
}

bool mapping_rule_hides(const MappingRule *rule)
{
        return rule->excluded || strcmp(mapping_rule_access(rule), "none") == 0;
}

/* ---- arguments ---- */

static void read_field_names(JsonFile *file, uint32_t node, MappingArgRule *arg)
{
        uint32_t count = file->doc.nodes[node].count;

        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        if (count == 0 || count > SIGNATURE_MAX_LENGTH) {
                json_file_error(file, node, "expected 1 to %d field names", SIGNATURE_MAX_LENGTH);
                return;
        }
        arg->fields = calloc(count, sizeof(*arg->fields));
        if (!arg->fields) {
                json_file_out_of_memory(file);
                return;
        }
        JSON_FOREACH (&file->doc, node, item) {
                char *name = json_file_string(file, item);

                if (name)
                        arg->fields[arg->n_fields++] = name;
        }
}

static void read_arg_fields(JsonFile *file, uint32_t node, void *target)
{
        read_field_names(file, node, target);
}

static void read_value_fields(JsonFile *file, uint32_t node, void *target)
{
        MappingRule *rule = target;

        read_field_names(file, node, &rule->value);
}

static int check_type(const char *text, Error **ret_error)
{
        CodecType *type = NULL;
        int r;

        r = codec_type_new(text, NULL, &type, ret_error);
        codec_type_free(type);
        return r;
}

static int check_arg_name(const char *text, Error **ret_error)
{
        return text[0] ? 0 : error_set(ret_error, -EINVAL, "expected a name, not an empty string");
}

#define ARG(member) offsetof(MappingArgRule, member)

static const JsonField arg_fields[] = {
        {"name", JSON_FIELD_STRING, ARG(name), .check = check_arg_name},
        {"type", JSON_FIELD_STRING, ARG(type), .check = check_type},
        {"bytes", JSON_FIELD_WORD, ARG(bytes), .words = bytes_words},
        {"variant", JSON_FIELD_WORD, ARG(variant), .words = variant_words},
        {"fields", JSON_FIELD_CUSTOM, .read = read_arg_fields},
        {"mask", JSON_FIELD_BOOLEAN, ARG(mask)},
};

/* "name:type"; the last colon divides, since no type has one. */
static void read_short_arg(JsonFile *file, uint32_t node, MappingArgRule *arg)
{
        CLEANUP_FREE char *text = json_file_string(file, node);
        CLEANUP_ERROR Error *error = NULL;
        char *colon;

        if (!text)
                return;
        colon = strrchr(text, ':');
        if (!colon || colon == text) {
                json_file_error(file, node, "expected \"name:type\", not \"%s\"", text);
                return;
        }
        if (check_type(colon + 1, &error) < 0) {
                json_file_error(file, node, "%s", error_text(error));
                return;
        }
        arg->type = strdup(colon + 1);
        *colon = '\0';
        arg->name = STEAL(text);
        if (!arg->type)
                json_file_out_of_memory(file);
}

/* Field names are checked against the type where both are known; the reason is the codec's. */
static void check_fields(JsonFile *file, uint32_t node, const MappingArgRule *arg)
{
        CodecOptions options = {.fields = (const char *const *)arg->fields,
                                .n_fields = arg->n_fields};
        CLEANUP_ERROR Error *error = NULL;
        CodecType *type = NULL;

        if (arg->type && arg->fields && codec_type_new(arg->type, &options, &type, &error) < 0)
                json_file_error(file, node, "%s", error_text(error));
        codec_type_free(type);
}

static void read_arg(JsonFile *file, uint32_t node, MappingArgRule *arg)
{
        JsonType type = json_type(&file->doc, node);

        if (type == JSON_STRING) {
                read_short_arg(file, node, arg);
        } else if (type == JSON_OBJECT) {
                json_fields_read(file, node, arg_fields, ARRAY_SIZE(arg_fields), arg);
                check_fields(file, node, arg);
        } else {
                json_file_error(file, node, "expected \"name:type\" or an object, not %s",
                                json_type_name(type));
        }
}

static bool name_is_taken(const MappingArgRules *args, const char *name)
{
        for (size_t i = 0; name && i < args->count; i++)
                if (args->items[i].name && strcmp(args->items[i].name, name) == 0)
                        return true;
        return false;
}

static void read_args(JsonFile *file, uint32_t node, MappingArgRules *args)
{
        uint32_t count = file->doc.nodes[node].count;

        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        args->given = true;
        if (count == 0)
                return;
        if (count > SIGNATURE_MAX_LENGTH) {
                json_file_error(file, node, "more than %d arguments", SIGNATURE_MAX_LENGTH);
                return;
        }
        args->items = calloc(count, sizeof(*args->items));
        if (!args->items) {
                json_file_out_of_memory(file);
                return;
        }
        JSON_FOREACH (&file->doc, node, item) {
                MappingArgRule *arg = &args->items[args->count];

                *arg = no_arg;
                read_arg(file, item, arg);
                if (name_is_taken(args, arg->name))
                        json_file_error(file, item, "two arguments are named '%s'", arg->name);
                args->count++;
        }
}

static void read_in(JsonFile *file, uint32_t node, void *target)
{
        MappingRule *rule = target;

        read_args(file, node, &rule->in);
}

static void read_out(JsonFile *file, uint32_t node, void *target)
{
        MappingRule *rule = target;

        read_args(file, node, &rule->out);
}

/* ---- filters ---- */

static void read_filter_item(JsonFile *file, uint32_t key, MappingRule *rule)
{
        MappingFilter *filter = &rule->filter[rule->n_filter];
        JsonType type = json_type(&file->doc, key + 1);
        size_t length;
        const char *raw = json_raw(&file->doc, key + 1, &length);

        if (type == JSON_OBJECT || type == JSON_ARRAY || type == JSON_NULL) {
                json_file_error(file, key + 1, "expected a string, a number or a boolean, not %s",
                                json_type_name(type));
                return;
        }
        filter->argument = json_file_string(file, key);
        filter->value = strndup(raw, length);
        rule->n_filter++;
        if (!filter->value)
                json_file_out_of_memory(file);
        if (filter->argument && rule->out.given && !name_is_taken(&rule->out, filter->argument))
                json_file_error(file, key, "no argument is named '%s'", filter->argument);
}

/* Runs when all other keys have been read, since it refers to the arguments. */
static void read_filter(JsonFile *file, uint32_t node, MappingRule *rule)
{
        uint32_t count = file->doc.nodes[node].count;

        if (!json_file_expect(file, node, JSON_OBJECT) || count == 0)
                return;
        rule->filter = calloc(count, sizeof(*rule->filter));
        if (!rule->filter) {
                json_file_out_of_memory(file);
                return;
        }
        JSON_FOREACH (&file->doc, node, key)
                read_filter_item(file, key, rule);
}

static void read_allow(JsonFile *file, uint32_t node, void *target)
{
        MappingRule *rule = target;

        mapping_allow_read(file, node, &rule->allow);
}

static void read_later(JsonFile *file, uint32_t node, void *target)
{
}

/* ---- what comes and goes by a signal ---- */

/* The argument with the path of the object must be one of those that the file gives. */
static void check_path_argument(JsonFile *file, uint32_t node, const char *key,
                                const MappingRule *rule, const char *name)
{
        const MappingArgRules *args = &rule->out;

        if (!name)
                return;
        for (size_t i = 0; i < args->count; i++)
                if (args->items[i].name && strcmp(args->items[i].name, name) == 0 &&
                    args->items[i].type && strcmp(args->items[i].type, "o") == 0)
                        return;
        json_file_error(file, json_find(&file->doc, node, key),
                        "no argument in 'args' is named '%s' and of type 'o'", name);
}

/* ---- members ---- */

#define RULE(member) offsetof(MappingRule, member)

/* What every kind of member may say. */
#define COMMON_FIELDS                                                                   \
        {"as", JSON_FIELD_STRING, RULE(as), .check = name_check_member},                \
                {"summary", JSON_FIELD_STRING, RULE(summary)},                          \
                {"access", JSON_FIELD_STRING, RULE(access), .check = name_check_level}, \
                {"deprecated", JSON_FIELD_BOOLEAN, RULE(deprecated)},                   \
        {                                                                               \
                "mask", JSON_FIELD_BOOLEAN, RULE(mask)                                  \
        }

#define VALUE_FIELDS                                                              \
        {"bytes", JSON_FIELD_WORD, RULE(bytes), .words = bytes_words},            \
        {                                                                         \
                "variant", JSON_FIELD_WORD, RULE(variant), .words = variant_words \
        }

static const JsonField method_fields[] = {
        COMMON_FIELDS,
        VALUE_FIELDS,
        {"allow", JSON_FIELD_CUSTOM, .read = read_allow},
        {"in", JSON_FIELD_CUSTOM, .read = read_in},
        {"out", JSON_FIELD_CUSTOM, .read = read_out},
        {"timeout_ms", JSON_FIELD_MSEC, RULE(timeout_usec), 1, LIMIT_MSEC},
        {"max_in_flight", JSON_FIELD_UINT, RULE(max_in_flight), 1, LIMIT_SERVICE_INFLIGHT},
        {"idempotent", JSON_FIELD_BOOLEAN, RULE(idempotent)},
        {"no_auto_start", JSON_FIELD_BOOLEAN, RULE(no_auto_start)},
        {"no_reply", JSON_FIELD_TRISTATE, RULE(no_reply)},
        {"callback", JSON_FIELD_BOOLEAN, RULE(callback)},
        {"result", JSON_FIELD_WORD, RULE(result), .words = result_words},
        {"batch", JSON_FIELD_TRISTATE, RULE(batch)},
};

static const JsonField property_fields[] = {
        COMMON_FIELDS,
        VALUE_FIELDS,
        {"allow", JSON_FIELD_CUSTOM, .read = read_allow},
        {"type", JSON_FIELD_STRING, RULE(value.type), .check = check_type},
        {"fields", JSON_FIELD_CUSTOM, .read = read_value_fields},
        {"retain", JSON_FIELD_TRISTATE, RULE(retain)},
        {"writable", JSON_FIELD_TRISTATE, RULE(writable)},
        {"emits_changed", JSON_FIELD_WORD, RULE(emits_changed), .words = emits_words},
        {"poll_s", JSON_FIELD_UINT, RULE(poll_s), 1, LIMIT_SECONDS},
        {"min_interval_ms", JSON_FIELD_MSEC, RULE(min_interval_usec), 1, LIMIT_MSEC},
};

static const JsonField signal_fields[] = {
        COMMON_FIELDS,
        VALUE_FIELDS,
        {"args", JSON_FIELD_CUSTOM, .read = read_out},
        {"qos", JSON_FIELD_UINT, RULE(qos), 0, 1},
        {"unicast", JSON_FIELD_BOOLEAN, RULE(unicast)},
        {"min_interval_ms", JSON_FIELD_MSEC, RULE(min_interval_usec), 1, LIMIT_MSEC},
        {"filter", JSON_FIELD_CUSTOM, .read = read_later},
        {"adds", JSON_FIELD_STRING, RULE(adds)},
        {"removes", JSON_FIELD_STRING, RULE(removes)},
};

/* Options that speak of one member say nothing about the many behind "*". */
static void refuse_in_star(JsonFile *file, uint32_t node)
{
        static const char *const keys[] = {"as",     "in",     "out",  "args",   "type",
                                           "fields", "filter", "adds", "removes"};

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                uint32_t value = json_find(&file->doc, node, keys[i]);

                if (value > 0)
                        json_file_error(file, value - 1, "'%s' cannot be said of '*'", keys[i]);
        }
}

void mapping_rule_read(MappingRule *rule, JsonFile *file, uint32_t node)
{
        static const struct {
                const JsonField *fields;
                size_t count;
        } tables[] = {
                [MEMBER_METHOD] = {method_fields, ARRAY_SIZE(method_fields)},
                [MEMBER_PROPERTY] = {property_fields, ARRAY_SIZE(property_fields)},
                [MEMBER_SIGNAL] = {signal_fields, ARRAY_SIZE(signal_fields)},
        };
        uint32_t filter;

        json_fields_read(file, node, tables[rule->kind].fields, tables[rule->kind].count, rule);
        if (strcmp(rule->member, "*") == 0)
                refuse_in_star(file, node);
        if (rule->kind == MEMBER_PROPERTY)
                check_fields(file, node, &rule->value);
        filter = rule->kind == MEMBER_SIGNAL ? json_find(&file->doc, node, "filter") : 0;
        if (filter > 0)
                read_filter(file, filter, rule);
        check_path_argument(file, node, "adds", rule, rule->adds);
        check_path_argument(file, node, "removes", rule, rule->removes);
}
