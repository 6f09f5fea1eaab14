/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/vtable.h"

#include <errno.h>
#include <string.h>

#include "common/util.h"
#include "libmqttrpc/topic.h"

bool vtable_name_is_reserved(const char *name)
{
        return !strncmp(name, "rpc.", 4) || !strncmp(name, "prop.", 5);
}

static int check_name(const MqttRpcMember *member, const char *what, MqttRpcError **ret_error)
{
        if (!topic_name_is_valid(member->name, strlen(member->name)))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "%s '%.64s': not a valid name", what, member->name);
        if (vtable_name_is_reserved(member->name))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "%s '%.64s': names with rpc. and prop. are reserved", what,
                                         member->name);
        return 0;
}

static int no_handler(const MqttRpcMember *member, const char *what, MqttRpcError **ret_error)
{
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                 "%s '%.64s' has no handler", what, member->name);
}

static int parse_method(Vtable *vtable, const MqttRpcMember *member, const char *interface,
                        MqttRpcError **ret_error)
{
        VtableMethod *method = &vtable->methods[vtable->n_methods++];
        int r;

        method->member = member;
        method->interface = interface;
        r = check_name(member, "method", ret_error);
        if (r >= 0 && !member->handler)
                r = no_handler(member, "method", ret_error);
        if (r >= 0)
                r = argument_list_parse(member->result, &method->result, ret_error);
        if (r >= 0)
                r = argument_list_parse(member->params, &method->params, ret_error);
        return r;
}

static int parse_signal(Vtable *vtable, const MqttRpcMember *member, const char *interface,
                        MqttRpcError **ret_error)
{
        VtableSignal *signal = &vtable->signals[vtable->n_signals++];
        int r;

        signal->member = member;
        signal->interface = interface;
        r = check_name(member, "signal", ret_error);
        return r < 0 ? r : argument_list_parse(member->params, &signal->params, ret_error);
}

/* The type of a property is written where a method has its result. */
static int parse_property(Vtable *vtable, const MqttRpcMember *member, const char *interface,
                          MqttRpcError **ret_error)
{
        VtableProperty *property = &vtable->properties[vtable->n_properties++];
        CLEANUP(argument_list_done) ArgumentList types = {};
        int r;

        property->member = member;
        property->interface = interface;
        r = check_name(member, "property", ret_error);
        if (r >= 0 && !member->get)
                r = no_handler(member, "property", ret_error);
        if (r >= 0)
                r = argument_list_parse(member->result, &types, ret_error);
        if (r < 0)
                return r;
        if (types.count != 1)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "property '%.64s' must have one type", member->name);
        property->value.name = strdup(member->name);
        property->value.type = STEAL(types.items[0].type);
        return property->value.name ? 0 : -ENOMEM;
}

static int parse_all(Vtable *vtable, const MqttRpcMember *members, MqttRpcError **ret_error)
{
        const char *interface = NULL;
        int r = 0;

        for (const MqttRpcMember *member = members; r >= 0 && member->type != MQTTRPC_MEMBER_END;
             member++)
                switch (member->type) {
                case MQTTRPC_MEMBER_METHOD:
                        r = parse_method(vtable, member, interface, ret_error);
                        break;
                case MQTTRPC_MEMBER_SIGNAL:
                        r = parse_signal(vtable, member, interface, ret_error);
                        break;
                case MQTTRPC_MEMBER_PROPERTY:
                        r = parse_property(vtable, member, interface, ret_error);
                        break;
                case MQTTRPC_MEMBER_INTERFACE: interface = member->name; break;
                default:
                        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                                 "the vtable has a member of unknown type %d",
                                                 (int)member->type);
                }
        return r;
}

int vtable_init(Vtable *vtable, const MqttRpcMember *members, MqttRpcError **ret_error)
{
        size_t counts[MQTTRPC_MEMBER_INTERFACE + 1] = {};
        int r = -ENOMEM;

        *vtable = (Vtable){};
        for (const MqttRpcMember *member = members; member->type != MQTTRPC_MEMBER_END; member++)
                if ((unsigned)member->type < ARRAY_SIZE(counts))
                        counts[member->type]++;
        vtable->methods = calloc(counts[MQTTRPC_MEMBER_METHOD] + 1, sizeof(*vtable->methods));
        vtable->signals = calloc(counts[MQTTRPC_MEMBER_SIGNAL] + 1, sizeof(*vtable->signals));
        vtable->properties =
                calloc(counts[MQTTRPC_MEMBER_PROPERTY] + 1, sizeof(*vtable->properties));
        if (vtable->methods && vtable->signals && vtable->properties)
                r = parse_all(vtable, members, ret_error);
        if (r < 0)
                vtable_done(vtable);
        return r;
}

void vtable_done(Vtable *vtable)
{
        for (size_t i = 0; i < vtable->n_methods; i++) {
                argument_list_done(&vtable->methods[i].params);
                argument_list_done(&vtable->methods[i].result);
        }
        for (size_t i = 0; i < vtable->n_signals; i++)
                argument_list_done(&vtable->signals[i].params);
        for (size_t i = 0; i < vtable->n_properties; i++) {
                free(vtable->properties[i].value.name);
                free(vtable->properties[i].value.type);
        }
        free(vtable->methods);
        free(vtable->signals);
        free(vtable->properties);
        *vtable = (Vtable){};
}

const VtableMethod *vtable_find_method(const Vtable *vtable, const char *name)
{
        for (size_t i = 0; i < vtable->n_methods; i++)
                if (!strcmp(vtable->methods[i].member->name, name))
                        return &vtable->methods[i];
        return NULL;
}

const VtableSignal *vtable_find_signal(const Vtable *vtable, const char *name)
{
        for (size_t i = 0; i < vtable->n_signals; i++)
                if (!strcmp(vtable->signals[i].member->name, name))
                        return &vtable->signals[i];
        return NULL;
}

const VtableProperty *vtable_find_property(const Vtable *vtable, const char *name)
{
        for (size_t i = 0; i < vtable->n_properties; i++)
                if (!strcmp(vtable->properties[i].member->name, name))
                        return &vtable->properties[i];
        return NULL;
}
