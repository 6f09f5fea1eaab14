/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "libmqttrpc/request.h"

/* The topic filters of a service below its name (protocol section 2). */
static const char *const filter_forms[] = {"+/call/+/+", "+/rpc/+"};

/* ---- services ---- */

Service *service_find(MqttRpcBus *bus, TextSpan name)
{
        Service *service;

        HASH_FIND(hh, bus->services, name.at, name.length, service);
        return service;
}

Service *service_ref(Service *service)
{
        service->refs++;
        return service;
}

static void unsubscribe(MqttRpcBus *bus, const Service *service)
{
        for (size_t i = 0; i < ARRAY_SIZE(filter_forms); i++) {
                CLEANUP_FREE char *filter = NULL;

                if (asprintf(&filter, "%s/%s/%s", bus->root, service->name, filter_forms[i]) < 0)
                        filter = NULL;
                if (filter)
                        (void)link_unsubscribe(bus->link, filter);
        }
}

/* Nothing is registered any more: the name is free, requests in hand can still be answered. */
static void service_leave(Service *service)
{
        MqttRpcBus *bus = service->bus;

        if (!bus || service->objects || service->fallback)
                return;
        HASH_DEL(bus->services, service);
        service->bus = NULL;
        unsubscribe(bus, service);
}

Service *service_unref(Service *service)
{
        CallerLoad *load, *next;

        if (!service || --service->refs > 0)
                return NULL;
        HASH_ITER (hh, service->loads, load, next) {
                HASH_DEL(service->loads, load);
                free(load);
        }
        free(service);
        return NULL;
}

static int service_new(MqttRpcBus *bus, const char *name, Service **ret_service)
{
        size_t length = strlen(name);
        Service *service;

        service = calloc(1, sizeof(*service) + length + 1);
        if (!service)
                return -ENOMEM;
        memcpy(service->name, name, length);
        bus_random_hex(service->epoch, SERVICE_EPOCH_LENGTH);
        service->bus = bus;
        HASH_ADD_KEYPTR(hh, bus->services, service->name, length, service);
        if (!service->hh.tbl) {
                free(service);
                return -ENOMEM;
        }
        *ret_service = service;
        return 0;
}

static int subscribe(MqttRpcBus *bus, const Service *service)
{
        /* Before the broker has accepted the connection: with its first subscriptions. */
        for (size_t i = 0; i < ARRAY_SIZE(filter_forms); i++) {
                CLEANUP_FREE char *filter = NULL;

                if (asprintf(&filter, "%s/%s/%s", bus->root, service->name, filter_forms[i]) < 0)
                        return -ENOMEM;
                (void)link_subscribe(bus->link, filter);
        }
        return 0;
}

int services_write_filters(MqttRpcBus *bus, char ***filters, size_t *n_filters)
{
        size_t count = *n_filters + HASH_COUNT(bus->services) * ARRAY_SIZE(filter_forms);
        char **all = reallocarray(*filters, count, sizeof(*all));

        if (!all)
                return -ENOMEM;
        *filters = all;
        for (Service *service = bus->services; service; service = service->hh.next)
                for (size_t i = 0; i < ARRAY_SIZE(filter_forms); i++) {
                        if (asprintf(&all[*n_filters], "%s/%s/%s", bus->root, service->name,
                                     filter_forms[i]) < 0)
                                return -ENOMEM;
                        (*n_filters)++;
                }
        return 0;
}

/* ---- load ---- */

bool service_has_room(const Service *service, const MqttRpcBus *bus, TextSpan caller)
{
        CallerLoad *load;

        if (service->inflight >= bus->limits[MQTTRPC_LIMIT_SERVICE_INFLIGHT] ||
            service->inflight_bytes >= LIMIT_INFLIGHT_BYTES)
                return false;
        HASH_FIND(hh, service->loads, caller.at, caller.length, load);
        return !load || load->inflight < bus->limits[MQTTRPC_LIMIT_CALLER_INFLIGHT];
}

CallerLoad *service_take(Service *service, TextSpan caller, size_t size)
{
        CallerLoad *load;

        HASH_FIND(hh, service->loads, caller.at, caller.length, load);
        if (!load) {
                load = calloc(1, sizeof(*load) + caller.length + 1);
                if (!load)
                        return NULL;
                memcpy(load->name, caller.at, caller.length);
                HASH_ADD_KEYPTR(hh, service->loads, load->name, caller.length, load);
                if (!load->hh.tbl) {
                        free(load);
                        return NULL;
                }
        }
        load->inflight++;
        service->inflight++;
        service->inflight_bytes += size;
        return load;
}

void service_give_back(Service *service, CallerLoad *load, size_t size)
{
        service->inflight--;
        service->inflight_bytes -= size;
        if (--load->inflight > 0)
                return;
        HASH_DEL(service->loads, load);
        free(load);
}

/* ---- registration ---- */

static void object_release(MqttRpcSlot *slot)
{
        Object *object = (Object *)slot;

        for (size_t i = 0; i < object->n_methods; i++)
                argument_list_done(&object->methods[i].params);
        free(object->methods);
        service_unref(object->service);
        free(object);
}

static void object_cancel(MqttRpcSlot *slot)
{
        Object *object = (Object *)slot;

        HASH_DEL(object->service->objects, object);
        service_leave(object->service);
}

static void fallback_release(MqttRpcSlot *slot)
{
        Fallback *fallback = (Fallback *)slot;

        service_unref(fallback->service);
        free(fallback);
}

static void fallback_cancel(MqttRpcSlot *slot)
{
        Fallback *fallback = (Fallback *)slot;

        fallback->service->fallback = NULL;
        service_leave(fallback->service);
}

static int check_registration(MqttRpcBus *bus, const char *service, const char *object,
                              MqttRpcError **ret_error)
{
        if (link_settings(bus->link)->protocol != 5)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_VERSION,
                                         "MQTT 3.1.1 is for clients: a server could not tell "
                                         "retained requests from fresh ones");
        if (!topic_name_is_valid(service, strlen(service)) ||
            !topic_object_is_valid(object, strlen(object)))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "'%.64s' / '%.64s': names are made of letters, digits, "
                                         "'_', '.' and '-'",
                                         service, object);
        return 0;
}

static int get_service(MqttRpcBus *bus, const char *name, Service **ret_service, bool *ret_new)
{
        *ret_service = service_find(bus, (TextSpan){name, strlen(name)});
        *ret_new = !*ret_service;
        return *ret_new ? service_new(bus, name, ret_service) : 0;
}

/* Names that are the protocol's own; they never reach a vtable or a fallback. */
static bool is_reserved(const char *method)
{
        return !strncmp(method, "rpc.", 4) || !strncmp(method, "prop.", 5);
}

static int parse_method(const MqttRpcMember *member, Method *method, MqttRpcError **ret_error)
{
        ArgumentList result = {};
        int r;

        if (is_reserved(member->name))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "method '%.64s': names with rpc. are reserved",
                                         member->name);
        if (!topic_name_is_valid(member->name, strlen(member->name)) || !member->handler)
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_INVALID_PARAMS,
                                         "method '%.64s': not a valid name, or no handler",
                                         member->name);
        /* The result's type is for descriptions; a wrong one shall be found now, not then. */
        r = argument_list_parse(member->result, &result, ret_error);
        if (r < 0)
                return r;
        argument_list_done(&result);
        method->member = member;
        return argument_list_parse(member->params, &method->params, ret_error);
}

static int parse_vtable(Object *object, const MqttRpcMember *vtable, MqttRpcError **ret_error)
{
        size_t count = 0;
        int r;

        while (vtable[count].type != MQTTRPC_MEMBER_END)
                count++;
        object->methods = calloc(count + 1, sizeof(*object->methods));
        if (!object->methods)
                return -ENOMEM;
        for (; object->n_methods < count; object->n_methods++) {
                r = parse_method(&vtable[object->n_methods], &object->methods[object->n_methods],
                                 ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int object_new(Service *service, const char *name, const MqttRpcMember *vtable,
                      void *userdata, Object **ret_object, MqttRpcError **ret_error)
{
        size_t length = strlen(name);
        Object *object;
        int r;

        object = calloc(1, sizeof(*object) + length + 1);
        if (!object)
                return -ENOMEM;
        memcpy(object->name, name, length);
        object->userdata = userdata;
        object->service = service_ref(service);
        r = parse_vtable(object, vtable, ret_error);
        if (r >= 0) {
                HASH_ADD_KEYPTR(hh, service->objects, object->name, length, object);
                if (!object->hh.tbl)
                        r = -ENOMEM;
        }
        if (r < 0) {
                object_release(&object->slot);
                return r;
        }
        *ret_object = object;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_add_object(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const MqttRpcMember *vtable,
                                      void *userdata, MqttRpcError **ret_error)
{
        Service *owner;
        Object *existing = NULL, *added = NULL;
        bool new;
        int r;

        r = check_registration(bus, service, object, ret_error);
        if (r >= 0)
                r = get_service(bus, service, &owner, &new);
        if (r < 0)
                return r;
        service_ref(owner);
        HASH_FIND_STR(owner->objects, object, existing);
        r = existing ? mqttrpc_error_set(ret_error, MQTTRPC_ERROR_EXISTS,
                                         "%s/%s has a vtable already", service, object)
                     : object_new(owner, object, vtable, userdata, &added, ret_error);
        if (r >= 0 && new)
                r = subscribe(bus, owner);
        if (r < 0 && added) {
                object_cancel(&added->slot);
                object_release(&added->slot);
        }
        if (r >= 0)
                slot_init(&added->slot, bus, ret_slot, object_cancel, object_release);
        else
                service_leave(owner);
        service_unref(owner);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_add_service(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                       const MqttRpcMember *vtable, void *userdata,
                                       MqttRpcError **ret_error)
{
        return mqttrpc_add_object(bus, ret_slot, service, "-", vtable, userdata, ret_error);
}

static int fallback_new(Service *service, MqttRpcMethodHandler handler, void *userdata,
                        Fallback **ret_fallback)
{
        Fallback *fallback = calloc(1, sizeof(*fallback));

        if (!fallback)
                return -ENOMEM;
        fallback->service = service_ref(service);
        fallback->handler = handler;
        fallback->userdata = userdata;
        service->fallback = fallback;
        *ret_fallback = fallback;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_add_fallback(MqttRpcBus *bus, MqttRpcSlot **ret_slot,
                                        const char *service, MqttRpcMethodHandler handler,
                                        void *userdata, MqttRpcError **ret_error)
{
        Fallback *fallback = NULL;
        Service *owner;
        bool new;
        int r;

        r = check_registration(bus, service, "-", ret_error);
        if (r >= 0)
                r = get_service(bus, service, &owner, &new);
        if (r < 0)
                return r;
        service_ref(owner);
        r = owner->fallback ? mqttrpc_error_set(ret_error, MQTTRPC_ERROR_EXISTS,
                                                "%s has a fallback already", service)
                            : fallback_new(owner, handler, userdata, &fallback);
        if (r >= 0 && new)
                r = subscribe(bus, owner);
        if (r < 0 && fallback) {
                fallback_cancel(&fallback->slot);
                fallback_release(&fallback->slot);
        }
        if (r >= 0)
                slot_init(&fallback->slot, bus, ret_slot, fallback_cancel, fallback_release);
        else
                service_leave(owner);
        service_unref(owner);
        return r;
}

/* ---- dispatch ---- */

static int on_ping(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        CLEANUP_FREE char *result = NULL;

        if (asprintf(&result, "{\"epoch\":\"%s\"}", request->service->epoch) < 0) {
                result = NULL;
                return -ENOMEM;
        }
        return mqttrpc_request_reply(request, result, SIZE_MAX);
}

/* Methods that every object has; their names are reserved. */
static const struct {
        const char *name;
        MqttRpcMethodHandler handler;
} builtin_methods[] = {
        {"rpc.ping", on_ping},
};

static int no_method(const MqttRpcRequest *request, MqttRpcError **ret_error)
{
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NO_METHOD, "%s/%s has no method '%s'",
                                 request->service->name, request->parts.object.at,
                                 request->parts.method.at);
}

static int call_builtin(MqttRpcRequest *request, MqttRpcError **ret_error)
{
        for (size_t i = 0; i < ARRAY_SIZE(builtin_methods); i++)
                if (!strcmp(builtin_methods[i].name, request->parts.method.at))
                        return builtin_methods[i].handler(request, NULL, ret_error);
        return no_method(request, ret_error);
}

static const Method *find_method(const Object *object, const char *name)
{
        for (size_t i = 0; i < object->n_methods; i++)
                if (!strcmp(object->methods[i].member->name, name))
                        return &object->methods[i];
        return NULL;
}

static int check_params(MqttRpcRequest *request, const Method *method, MqttRpcError **ret_error)
{
        JsonDoc *doc = &request->bus->params_doc;
        CLEANUP_BUFFER Buffer buffer = BUFFER_INIT(0);
        size_t length;
        const char *params = mqttrpc_request_get_params(request, &length);
        char *text;
        int r;

        r = json_scan(doc, params, length, JSON_SCAN_STRICT);
        if (r >= 0)
                r = argument_list_check(&method->params, doc, &buffer, ret_error);
        if (r < 0)
                return r;
        length = buffer.length;
        text = buffer_steal(&buffer);
        if (!text)
                return -ENOMEM;
        request_set_checked(request, text, length);
        return 0;
}

static int call_method(const Object *object, const Method *method, MqttRpcRequest *request,
                       MqttRpcError **ret_error)
{
        int r;

        if (request->parts.generic && !(method->member->flags & MQTTRPC_METHOD_READ))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_ACCESS_DENIED,
                                         "'%s' is not a reading method: call it by its own topic",
                                         method->member->name);
        r = check_params(request, method, ret_error);
        if (r < 0)
                return r;
        request->sensitive = method->member->flags & MQTTRPC_METHOD_SENSITIVE;
        return method->member->handler(request, object->userdata, ret_error);
}

static int call_handler(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        const Method *method;
        Object *object;

        if (is_reserved(request->parts.method.at))
                return call_builtin(request, ret_error);
        HASH_FIND(hh, service->objects, request->parts.object.at, request->parts.object.length,
                  object);
        method = object ? find_method(object, request->parts.method.at) : NULL;
        if (method)
                return call_method(object, method, request, ret_error);
        if (service->fallback)
                return service->fallback->handler(request, service->fallback->userdata, ret_error);
        if (object)
                return no_method(request, ret_error);
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NOT_FOUND, "%s has no object '%s'",
                                 service->name, request->parts.object.at);
}

void service_dispatch(Service *service, MqttRpcRequest *request)
{
        CLEANUP_RPC_ERROR MqttRpcError *error = NULL;
        int r;

        r = call_handler(service, request, &error);
        if (r < 0 && request->bus) {
                if (!error)
                        error = mqttrpc_error_new(mqttrpc_error_code_from_errno(r), "%s: %s",
                                                  request->parts.method.at, strerrordesc_np(-r));
                (void)mqttrpc_request_reply_error(request, error);
        }
        mqttrpc_request_unref(request);
}
