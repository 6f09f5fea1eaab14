/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/service.h"
#include "libmqttrpc/leaving.h"

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
        if (!service)
                HASH_FIND(hh_member, bus->members, name.at, name.length, service);
        return service;
}

Service *service_ref(Service *service)
{
        service->refs++;
        return service;
}

/* The members of a pool share the calls of its name out, and each takes those of its own. */
static int write_filters(const Service *service, FilterList *filters)
{
        const MqttRpcBus *bus = service->bus;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(filter_forms); i++) {
                const char *form = filter_forms[i];

                if (!service->member) {
                        r = filter_list_add(filters, "%s/%s/%s", bus->root, service->name, form);
                        continue;
                }
                r = filter_list_add(filters, "$share/%s/%s/%s/%s", service->name, bus->root,
                                    service->name, form);
                if (r >= 0)
                        r = filter_list_add(filters, "%s/%s/%s", bus->root, service->member, form);
        }
        return r;
}

int services_write_filters(MqttRpcBus *bus, FilterList *filters)
{
        int r = 0;

        for (Service *service = bus->services; r >= 0 && service; service = service->hh.next)
                r = write_filters(service, filters);
        return r;
}

/* Before the broker has accepted the connection: with its first subscriptions. */
static int subscribe(const Service *service)
{
        CLEANUP_FILTER_LIST FilterList filters = {};
        int r;

        r = write_filters(service, &filters);
        for (size_t i = 0; r >= 0 && i < filters.count; i++)
                bus_subscribe(service->bus, filters.items[i], false);
        return r;
}

void service_unsubscribe(const Service *service)
{
        CLEANUP_FILTER_LIST FilterList filters = {};

        (void)write_filters(service, &filters);
        for (size_t i = 0; i < filters.count; i++)
                bus_unsubscribe(service->bus, filters.items[i]);
}

/* Nothing is registered any more: the name is free, requests in hand can still be answered. */
static void service_leave(Service *service)
{
        MqttRpcBus *bus = service->bus;
        Object *object, *next;

        if (!bus || service->n_registrations > 0)
                return;
        service_unsubscribe(service);
        if (announce_takes_requests(service))
                leaving_add(bus, service);
        HASH_DEL(bus->services, service);
        if (service->member)
                HASH_DELETE(hh_member, bus->members, service);
        service_ref(service);
        HASH_ITER (hh, service->objects, object, next) {
                object_clear(object);
                object_free(object);
        }
        announce_remove(service);
        service->bus = NULL;
        service_unref(service);
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
        announce_done(service);
        signal_counters_done(&service->counters);
        free(service->member);
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
        service->wanted = MQTTRPC_SERVICE_READY;
        HASH_ADD_KEYPTR(hh, bus->services, service->name, length, service);
        if (!service->hh.tbl) {
                free(service);
                return -ENOMEM;
        }
        *ret_service = service;
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
        service->n_callers += load->inflight == 0;
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
        service->n_callers--;
        /* The last one stays, and the table with it: its caller may go on, one call after the
         * other. */
        if (HASH_COUNT(service->loads) == 1)
                return;
        HASH_DEL(service->loads, load);
        free(load);
}

/* ---- registration ---- */

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

/* Makes the service if need be. Ends with one registration more, which register_end() takes back on
 * failure. */
static int register_begin(MqttRpcBus *bus, const char *name, Service **ret_service, bool *ret_new)
{
        int r;

        *ret_service = service_find(bus, (TextSpan){name, strlen(name)});
        *ret_new = !*ret_service;
        r = *ret_new ? service_new(bus, name, ret_service) : 0;
        if (r < 0)
                return r;
        (*ret_service)->n_registrations++;
        service_ref(*ret_service);
        return 0;
}

static void register_end(Service *service, int r, bool new)
{
        if (r >= 0 && new)
                r = subscribe(service);
        if (r < 0) {
                service->n_registrations--;
                service_leave(service);
        } else if (new) {
                announce_add(service);
        }
        service_unref(service);
}

static void object_release(MqttRpcSlot *slot)
{
        object_free((Object *)slot);
}

/* True if no other object of the service has this vtable. */
static bool has_own_vtable(const Object *object)
{
        for (const Object *other = object->service->objects; other; other = other->hh.next)
                if (other != object && other->members == object->members)
                        return false;
        return true;
}

/* Out of its service at once; its memory goes with the slot. */
static void object_cancel(MqttRpcSlot *slot)
{
        Object *object = (Object *)slot;
        Service *service = service_ref(object->service);
        bool own_vtable = has_own_vtable(object);

        object_clear(object);
        object_detach(object);
        service->n_registrations--;
        if (own_vtable && service->n_registrations > 0)
                announce_description(service);
        service_leave(service);
        service_unref(service);
}

static int object_add(Service *service, const char *name, const MqttRpcMember *vtable,
                      void *userdata, Object **ret_object, MqttRpcError **ret_error)
{
        Object *object;
        int r;

        if (object_find(service, name, strlen(name)))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_EXISTS,
                                         "%s/%s has a vtable already, or is published without one",
                                         service->name, name);
        r = object_new(service, name, &object);
        if (r < 0)
                return r;
        r = vtable_init(&object->vtable, vtable, ret_error);
        if (r < 0) {
                object_free(object);
                return r;
        }
        object->members = vtable;
        object->userdata = userdata;
        object->announced = true;
        object->meta_dirty = true;
        object_set_dirty(object);
        *ret_object = object;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_add_object(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                      const char *object, const MqttRpcMember *vtable,
                                      void *userdata, MqttRpcError **ret_error)
{
        Object *added = NULL;
        Service *owner;
        bool new;
        int r;

        r = check_registration(bus, service, object, ret_error);
        if (r >= 0)
                r = register_begin(bus, service, &owner, &new);
        if (r < 0)
                return r;
        r = object_add(owner, object, vtable, userdata, &added, ret_error);
        if (r >= 0)
                slot_init(&added->slot, bus, ret_slot, object_cancel, object_release);
        if (r >= 0 && !new && owner->phase != ANNOUNCE_DOWN) {
                object_refresh(added);
                if (has_own_vtable(added))
                        announce_description(owner);
                (void)object_flush(added);
        }
        register_end(owner, r, new);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_add_service(MqttRpcBus *bus, MqttRpcSlot **ret_slot, const char *service,
                                       const MqttRpcMember *vtable, void *userdata,
                                       MqttRpcError **ret_error)
{
        return mqttrpc_add_object(bus, ret_slot, service, "-", vtable, userdata, ret_error);
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
        fallback->service->n_registrations--;
        service_leave(fallback->service);
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
                r = register_begin(bus, service, &owner, &new);
        if (r < 0)
                return r;
        r = owner->fallback ? mqttrpc_error_set(ret_error, MQTTRPC_ERROR_EXISTS,
                                                "%s has a fallback already", service)
                            : fallback_new(owner, handler, userdata, &fallback);
        if (r >= 0)
                slot_init(&fallback->slot, bus, ret_slot, fallback_cancel, fallback_release);
        register_end(owner, r, new);
        return r;
}

MQTTRPC_PUBLIC int mqttrpc_service_set_pool(MqttRpcBus *bus, const char *service,
                                            const char *instance)
{
        Service *owner = service_find(bus, (TextSpan){service, strlen(service)});
        CLEANUP_FREE char *member = NULL;

        if (bus->state != MQTTRPC_STATE_CLOSED)
                return -EISCONN;
        if (!owner)
                return -ENOENT;
        if (owner->member)
                return -EEXIST;
        if (asprintf(&member, "%s.i-%s", owner->name, instance) < 0) {
                member = NULL;
                return -ENOMEM;
        }
        if (!topic_name_is_valid(member, strlen(member)))
                return -EINVAL;
        HASH_ADD_KEYPTR(hh_member, bus->members, member, strlen(member), owner);
        if (!owner->hh_member.tbl)
                return -ENOMEM;
        owner->member = STEAL(member);
        return 0;
}

/* ---- dispatch ---- */

static int no_method(const MqttRpcRequest *request, MqttRpcError **ret_error)
{
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_NO_METHOD, "%s/%s has no method '%s'",
                                 request->service->name, request->parts.object.at,
                                 request->parts.method.at);
}

static int call_method(const Object *object, const VtableMethod *method, MqttRpcRequest *request,
                       MqttRpcError **ret_error)
{
        int r;

        if (request->parts.generic && !(method->member->flags & MQTTRPC_ACCESS_READ))
                return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_ACCESS_DENIED,
                                         "'%s' is not a reading method: call it by its own topic",
                                         method->member->name);
        r = request_check_params(request, &method->params, ret_error);
        if (r < 0)
                return r;
        request->sensitive = method->member->flags & MQTTRPC_SENSITIVE;
        return method->member->handler(request, object->userdata, ret_error);
}

static int call_fallback(const Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        return service->fallback->handler(request, service->fallback->userdata, ret_error);
}

static int call_handler(Service *service, MqttRpcRequest *request, MqttRpcError **ret_error)
{
        const char *name = request->parts.method.at;
        const VtableMethod *method;
        Object *object;

        if (!strncmp(name, "rpc.", 4))
                return builtin_call(service, request, ret_error);
        object = object_find(service, request->parts.object.at, request->parts.object.length);
        if (object && object->members && !strncmp(name, "prop.", 5))
                return property_call(object, request, ret_error);
        method = object ? vtable_find_method(&object->vtable, name) : NULL;
        if (method)
                return call_method(object, method, request, ret_error);
        if (service->fallback)
                return call_fallback(service, request, ret_error);
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
