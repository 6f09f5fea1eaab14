/* SPDX-License-Identifier: MIT */
#pragma once

/* A const vtable, compiled: its methods, signals and properties with their parsed types. Knows
 * nothing of buses and objects. Pure. */

#include "libmqttrpc/arguments.h"

typedef struct VtableMethod {
        const MqttRpcMember *member; /* borrowed, as in all of these: a line of the vtable */
        const char *interface;       /* borrowed; NULL: none is said */
        ArgumentList params;
        ArgumentList result; /* none, or one without a name */
} VtableMethod;

typedef struct VtableSignal {
        const MqttRpcMember *member;
        const char *interface;
        ArgumentList params;
} VtableSignal;

typedef struct VtableProperty {
        const MqttRpcMember *member;
        const char *interface;
        Argument value; /* its name and type */
} VtableProperty;

typedef struct Vtable {
        VtableMethod *methods;
        size_t n_methods;
        VtableSignal *signals;
        size_t n_signals;
        VtableProperty *properties;
        size_t n_properties;
} Vtable;

/* `members` must outlive the vtable. -EINVAL with a reason, -ENOMEM. */
int vtable_init(Vtable *vtable, const MqttRpcMember *members, MqttRpcError **ret_error);
void vtable_done(Vtable *vtable);

/* NULL: there is none. */
const VtableMethod *vtable_find_method(const Vtable *vtable, const char *name);
const VtableSignal *vtable_find_signal(const Vtable *vtable, const char *name);
const VtableProperty *vtable_find_property(const Vtable *vtable, const char *name);

/* Names that are the protocol's own; they never reach a vtable or a fallback. */
bool vtable_name_is_reserved(const char *name);

/* True for properties whose value is published and retained, as most are. */
static inline bool vtable_property_is_retained(const VtableProperty *property)
{
        return !(property->member->flags &
                 (MQTTRPC_PROPERTY_INVALIDATES | MQTTRPC_PROPERTY_NO_SIGNAL | MQTTRPC_SENSITIVE));
}
