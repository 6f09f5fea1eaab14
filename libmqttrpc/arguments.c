/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json-write.h"
#include "common/signature.h"
#include "libmqttrpc/topic.h"

/* ---- declaration ---- */

void argument_list_done(ArgumentList *list)
{
        for (size_t i = 0; i < list->count; i++) {
                free(list->items[i].name);
                free(list->items[i].type);
        }
        free(list->items);
        *list = (ArgumentList){};
}

static int parse_argument(const char *text, size_t length, size_t index, Argument *argument,
                          MqttRpcError **ret_error)
{
        const char *colon = memchr(text, ':', length);
        size_t name_length = colon ? (size_t)(colon - text) : 0;
        const char *type = colon ? colon + 1 : text;
        size_t type_length = length - (size_t)(type - text);
        SignatureError why;

        if ((colon && !topic_name_is_valid(text, name_length)))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "argument %zu: '%.*s' is not a name", index,
                                         (int)name_length, text);
        if (signature_check_single(type, type_length, &why) < 0)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "argument %zu: type '%.*s': %s", index, (int)type_length,
                                         type, why.reason);
        if (memchr(type, 'h', type_length))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "argument %zu: descriptors (h) cannot travel by MQTT",
                                         index);
        argument->type = strndup(type, type_length);
        if (name_length > 0)
                argument->name = strndup(text, name_length);
        else if (asprintf(&argument->name, "arg%zu", index) < 0)
                argument->name = NULL;
        return argument->name && argument->type ? 0 : -ENOMEM;
}

int argument_list_parse(const char *text, ArgumentList *ret_list, MqttRpcError **ret_error)
{
        CLEANUP(argument_list_done) ArgumentList list = {};
        int r;

        text = text ? text : "";
        for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
                size_t length = strcspn(text, " ");
                Argument *items = reallocarray(list.items, list.count + 1, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                list.items = items;
                items[list.count] = (Argument){};
                r = parse_argument(text, length, list.count, &items[list.count], ret_error);
                list.count++;
                if (r < 0)
                        return r;
                text += length;
        }
        *ret_list = list;
        list = (ArgumentList){};
        return 0;
}

/* ---- values ---- */

typedef struct Checker {
        const JsonDoc *doc;
        const Argument *argument;
        MqttRpcError **ret_error;
} Checker;

static int refuse(const Checker *checker, const char *text)
{
        int r;

        r = mqttrpc_error_set(checker->ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                              "argument '%s' (%s): %s", checker->argument->name,
                              checker->argument->type, text);
        if (checker->ret_error)
                (void)mqttrpc_error_set_field(*checker->ret_error, checker->argument->name);
        return r;
}

static int expected(const Checker *checker, const char *what, uint32_t node)
{
        char text[64];

        snprintf(text, sizeof(text), "expected %s, got %s", what,
                 json_type_name(json_type(checker->doc, node)));
        return refuse(checker, text);
}

static const struct {
        char code;
        int64_t minimum;
        int64_t maximum;
} integer_ranges[] = {
        {'y', 0, UINT8_MAX},         {'n', INT16_MIN, INT16_MAX}, {'q', 0, UINT16_MAX},
        {'i', INT32_MIN, INT32_MAX}, {'u', 0, UINT32_MAX},
};

static int check_small_integer(const Checker *checker, uint32_t node, char code)
{
        int64_t value;
        int r;

        r = json_int64(checker->doc, node, &value);
        if (r == -EINVAL)
                return json_type(checker->doc, node) == JSON_NUMBER
                               ? refuse(checker, "expected an integer, got a fraction or exponent")
                               : expected(checker, "an integer", node);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(integer_ranges); i++)
                if (integer_ranges[i].code == code &&
                    (value < integer_ranges[i].minimum || value > integer_ranges[i].maximum))
                        r = -ERANGE;
        return r < 0 ? refuse(checker, "the number does not fit the type") : 0;
}

/* x and t: a number, or the digits in a string. */
static int check_big_integer(const Checker *checker, uint32_t node, char code)
{
        const JsonNode *n = &checker->doc->nodes[node];
        const char *text = checker->doc->text + n->start;
        size_t length = n->end - n->start;
        uint64_t u;
        int64_t s;
        int r;

        if (n->type == JSON_STRING) {
                text++;
                length -= 2;
                if (memchr(text, '.', length))
                        return refuse(checker, "expected the digits of an integer");
        } else if (n->type != JSON_NUMBER) {
                return expected(checker, "an integer", node);
        }
        r = code == 'x' ? json_parse_int64(text, length, &s) : json_parse_uint64(text, length, &u);
        if (r == -ERANGE)
                return refuse(checker, "the number does not fit the type");
        return r < 0 ? refuse(checker, "expected the digits of an integer") : 0;
}

static int check_double(const Checker *checker, uint32_t node)
{
        static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
        double value;
        int r;

        r = json_double(checker->doc, node, &value);
        if (r == -ERANGE)
                return refuse(checker, "the number does not fit the type");
        for (size_t i = 0; r < 0 && i < ARRAY_SIZE(words); i++)
                if (json_string_is(checker->doc, node, words[i]))
                        r = 0;
        return r < 0 ? expected(checker, "a number", node) : 0;
}

static int check_string(const Checker *checker, uint32_t node)
{
        CLEANUP_FREE char *text = NULL;
        int r;

        if (json_type(checker->doc, node) != JSON_STRING)
                return expected(checker, "a string", node);
        if (!checker->doc->nodes[node].escaped)
                return 0;
        r = json_string_dup(checker->doc, node, &text);
        return r == -EILSEQ ? refuse(checker, "U+0000 in a string") : r;
}

static int check_value(const Checker *checker, uint32_t node, const char *type);

static int check_items(const Checker *checker, uint32_t node, const char *type)
{
        int r;

        if (json_type(checker->doc, node) != JSON_ARRAY)
                return expected(checker, "an array", node);
        JSON_FOREACH (checker->doc, node, item) {
                r = check_value(checker, item, type);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_dict(const Checker *checker, uint32_t node, const char *value_type)
{
        int r;

        if (json_type(checker->doc, node) != JSON_OBJECT)
                return expected(checker, "an object", node);
        JSON_FOREACH (checker->doc, node, key) {
                r = check_value(checker, key + 1, value_type);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_struct(const Checker *checker, uint32_t node, const char *type)
{
        int r;

        if (json_type(checker->doc, node) != JSON_ARRAY)
                return expected(checker, "an array", node);
        JSON_FOREACH (checker->doc, node, item) {
                if (*type == ')')
                        return refuse(checker, "too many members in a struct");
                r = check_value(checker, item, type);
                if (r < 0)
                        return r;
                type += signature_type_length(type);
        }
        return *type == ')' ? 0 : refuse(checker, "too few members in a struct");
}

static int check_value(const Checker *checker, uint32_t node, const char *type)
{
        switch (*type) {
        case 'b':
                return json_type(checker->doc, node) == JSON_BOOLEAN
                               ? 0
                               : expected(checker, "a boolean", node);
        case 'y':
        case 'n':
        case 'q':
        case 'i':
        case 'u': return check_small_integer(checker, node, *type);
        case 'x':
        case 't': return check_big_integer(checker, node, *type);
        case 'd': return check_double(checker, node);
        case 's':
        case 'o':
        case 'g': return check_string(checker, node);
        case 'a':
                if (type[1] == 'y')
                        return check_string(checker, node); /* base64 */
                if (type[1] == '{')
                        return check_dict(checker, node, type + 3);
                return check_items(checker, node, type + 1);
        case '(': return check_struct(checker, node, type + 1);
        default: return 0; /* v: any value */
        }
}

/* ---- lists ---- */

static int wrong_count(const ArgumentList *list, uint32_t given, MqttRpcError **ret_error)
{
        if (given < list->count) {
                int r = mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                          "missing argument '%s' (%s)", list->items[given].name,
                                          list->items[given].type);

                if (ret_error)
                        (void)mqttrpc_error_set_field(*ret_error, list->items[given].name);
                return r;
        }
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "expected %zu arguments, got %u", list->count, given);
}

static int find_unknown_name(const ArgumentList *list, const JsonDoc *doc, MqttRpcError **ret_error)
{
        JSON_FOREACH (doc, 0, key) {
                CLEANUP_FREE char *name = NULL;
                bool known = false;

                for (size_t i = 0; !known && i < list->count; i++)
                        known = json_string_is(doc, key, list->items[i].name);
                if (known)
                        continue;
                (void)json_string_dup(doc, key, &name);
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "no argument is named '%s'", name ? name : "?");
        }
        return 0;
}

static int check_one(const Argument *argument, const JsonDoc *doc, uint32_t node, Buffer *buffer,
                     MqttRpcError **ret_error)
{
        Checker checker = {.doc = doc, .argument = argument, .ret_error = ret_error};
        const char *raw;
        size_t length;
        int r;

        r = check_value(&checker, node, argument->type);
        if (r < 0)
                return r;
        if (buffer_text(buffer)[buffer->length - 1] != '[')
                buffer_append_char(buffer, ',');
        raw = json_raw(doc, node, &length);
        return buffer_append(buffer, raw, length);
}

static int check_positions(const ArgumentList *list, const JsonDoc *doc, Buffer *buffer,
                           MqttRpcError **ret_error)
{
        size_t i = 0;
        int r;

        JSON_FOREACH (doc, 0, item) {
                r = check_one(&list->items[i++], doc, item, buffer, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_names(const ArgumentList *list, const JsonDoc *doc, Buffer *buffer,
                       MqttRpcError **ret_error)
{
        int r;

        for (size_t i = 0; i < list->count; i++) {
                uint32_t value = json_find(doc, 0, list->items[i].name);

                if (value == 0)
                        return wrong_count(&(ArgumentList){&list->items[i], 1}, 0, ret_error);
                r = check_one(&list->items[i], doc, value, buffer, ret_error);
                if (r < 0)
                        return r;
        }
        return find_unknown_name(list, doc, ret_error);
}

int argument_list_check(const ArgumentList *list, const JsonDoc *doc, Buffer *buffer,
                        MqttRpcError **ret_error)
{
        bool by_name = json_type(doc, 0) == JSON_OBJECT;
        uint32_t given = doc->nodes[0].count;
        int r;

        if (!by_name && given != list->count)
                return wrong_count(list, given, ret_error);
        r = buffer_append_char(buffer, '[');
        if (r >= 0)
                r = by_name ? check_names(list, doc, buffer, ret_error)
                            : check_positions(list, doc, buffer, ret_error);
        return r < 0 ? r : buffer_append_char(buffer, ']');
}
