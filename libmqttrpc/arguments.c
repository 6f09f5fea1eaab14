/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json-basic.h"
#include "common/json-place.h"
#include "common/json-suggest.h"
#include "common/limits.h"
#include "common/signature.h"
#include "common/utf8.h"
#include "libmqttrpc/topic.h"

/* Bytes of an unknown argument's name that an error shows; it can be as long as a payload. */
enum { SHOWN_NAME_BYTES = 64 };

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
        JsonSource json; /* its error is the reason, with the place within the value in front */
        unsigned depth;  /* JSON containers around the value at hand */
} Checker;

static int check_value(Checker *checker, uint32_t node, const char *type);

static int refuse(Checker *checker, const char *text)
{
        return error_set(checker->json.error, -EINVAL, ": %s", text);
}

static int check_items(Checker *checker, uint32_t node, const char *type)
{
        size_t i = 0;
        int r;

        if (json_type(checker->json.doc, node) != JSON_ARRAY)
                return json_expected(&checker->json, node, "an array");
        JSON_FOREACH (checker->json.doc, node, item) {
                r = check_value(checker, item, type);
                if (r < 0) {
                        json_place_index(checker->json.error, i);
                        return r;
                }
                i++;
        }
        return 0;
}

static int check_key(Checker *checker, uint32_t key, char code)
{
        JsonBasic unused;
        const char *text;
        size_t length;

        if (strchr("sog", code))
                return json_basic_string(&checker->json, key, code, &text, &length);
        return json_basic_key(&checker->json, key, code, &unused);
}

/* `type` is "{…}". */
static int check_dict(Checker *checker, uint32_t node, const char *type)
{
        const char *raw;
        size_t length;
        int r;

        if (json_type(checker->json.doc, node) != JSON_OBJECT)
                return json_expected(&checker->json, node, "an object");
        JSON_FOREACH (checker->json.doc, node, key) {
                r = check_key(checker, key, type[1]);
                if (r >= 0)
                        r = check_value(checker, key + 1, type + 2);
                if (r < 0) {
                        raw = json_raw(checker->json.doc, key, &length);
                        json_place_key(checker->json.error, raw, length);
                        return r;
                }
        }
        return 0;
}

static int check_struct(Checker *checker, uint32_t node, const char *type)
{
        size_t i = 0;
        int r;

        if (json_type(checker->json.doc, node) != JSON_ARRAY)
                return json_expected(&checker->json, node, "an array");
        JSON_FOREACH (checker->json.doc, node, item) {
                if (*type == ')')
                        return refuse(checker, "too many members in a struct");
                r = check_value(checker, item, type);
                if (r < 0) {
                        json_place_index(checker->json.error, i);
                        return r;
                }
                type += signature_type_length(type);
                i++;
        }
        return *type == ')' ? 0 : refuse(checker, "too few members in a struct");
}

static int check_container(Checker *checker, uint32_t node, const char *type)
{
        int r;

        if (checker->depth >= LIMIT_VALUE_DEPTH)
                return error_set(checker->json.error, -E2BIG, ": nested deeper than %u levels",
                                 LIMIT_VALUE_DEPTH);
        checker->depth++;
        if (*type == '(')
                r = check_struct(checker, node, type + 1);
        else if (type[1] == '{')
                r = check_dict(checker, node, type + 1);
        else
                r = check_items(checker, node, type + 1);
        checker->depth--;
        return r;
}

static int check_value(Checker *checker, uint32_t node, const char *type)
{
        JsonBasic unused;
        const char *text;
        size_t length;

        switch (*type) {
        case 'b': return json_basic_boolean(&checker->json, node, &unused.b);
        case 's':
        case 'o':
        case 'g': return json_basic_string(&checker->json, node, *type, &text, &length);
        case 'v': return 0; /* any value, and the scanner has seen to its depth */
        case 'a':
                if (type[1] == 'y')
                        return json_basic_base64(&checker->json, node, &text, &length);
                return check_container(checker, node, type);
        case '(': return check_container(checker, node, type);
        default: return json_basic_number(&checker->json, node, *type, &unused);
        }
}

int argument_check_value(const char *type, const JsonDoc *doc, uint32_t node, const char *name,
                         MqttRpcError **ret_error)
{
        CLEANUP_ERROR Error *why = NULL;
        Checker checker = {.json = {.doc = doc, .error = &why}};
        int r;

        r = check_value(&checker, node, type);
        buffer_done(&checker.json.scratch);
        if (r >= 0 || r == -ENOMEM)
                return r;
        r = mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS, "argument '%s' (%s)%s", name,
                              type, error_text(why));
        if (ret_error)
                (void)mqttrpc_error_set_field(*ret_error, name);
        return r;
}

/* ---- lists ---- */

static int refuse_missing(const Argument *argument, MqttRpcError **ret_error)
{
        int r;

        r = mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS, "missing argument '%s' (%s)",
                              argument->name, argument->type);
        if (ret_error)
                (void)mqttrpc_error_set_field(*ret_error, argument->name);
        return r;
}

/* For suggest(): the names of all arguments. */
static const char *next_name(size_t index, const void *userdata)
{
        const ArgumentList *list = userdata;

        return index < list->count ? list->items[index].name : NULL;
}

static int refuse_unknown(const ArgumentList *list, const JsonDoc *doc, uint32_t key,
                          MqttRpcError **ret_error)
{
        const char *meant = json_suggest(doc, 0, key, next_name, list);
        size_t length, shown;
        const char *raw = json_raw(doc, key, &length);

        if (meant)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "no argument is named %.*s, did you mean '%s'?",
                                         (int)length, raw, meant);
        shown = utf8_cut(raw, length, SHOWN_NAME_BYTES);
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "no argument is named %.*s%s", (int)shown, raw,
                                 shown < length ? "…\"" : "");
}

/* 0 if all names are arguments of the list. */
static int check_all_known(const ArgumentList *list, const JsonDoc *doc, MqttRpcError **ret_error)
{
        JSON_FOREACH (doc, 0, key) {
                bool known = false;

                for (size_t i = 0; !known && i < list->count; i++)
                        known = json_string_is(doc, key, list->items[i].name);
                if (!known)
                        return refuse_unknown(list, doc, key, ret_error);
        }
        return 0;
}

static int check_one(const Argument *argument, const JsonDoc *doc, uint32_t node, Buffer *buffer,
                     MqttRpcError **ret_error)
{
        const char *raw;
        size_t length;
        int r;

        r = argument_check_value(argument->type, doc, node, argument->name, ret_error);
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
        uint32_t given = doc->nodes[0].count;
        size_t i = 0;
        int r;

        if (given < list->count)
                return refuse_missing(&list->items[given], ret_error);
        if (given > list->count)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "expected %zu arguments, got %u", list->count, given);
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

        /* First, or a misspelt name would be told as the one that is missing. */
        r = check_all_known(list, doc, ret_error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list->count; i++) {
                uint32_t value = json_find(doc, 0, list->items[i].name);

                if (value == 0)
                        return refuse_missing(&list->items[i], ret_error);
                r = check_one(&list->items[i], doc, value, buffer, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int argument_list_check(const ArgumentList *list, const JsonDoc *doc, Buffer *buffer,
                        MqttRpcError **ret_error)
{
        bool by_name = json_type(doc, 0) == JSON_OBJECT;
        int r;

        r = buffer_append_char(buffer, '[');
        if (r >= 0)
                r = by_name ? check_names(list, doc, buffer, ret_error)
                            : check_positions(list, doc, buffer, ret_error);
        return r < 0 ? r : buffer_append_char(buffer, ']');
}
