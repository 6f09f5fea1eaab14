/* SPDX-License-Identifier: MIT */

/* Answers that need values: what is retained is there; what is not is asked for first, a few
 * questions at a time. A job is one answer, or the announcement of a new object, and the questions
 * before it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "common/json-write.h"
#include "common/limits.h"
#include "gateway/expose-call.h"
#include "gateway/facade.h"

#define FAILED         "org.freedesktop.DBus.Error.Failed"
#define NO_REPLY       "org.freedesktop.DBus.Error.NoReply"
#define UNKNOWN_OBJECT "org.freedesktop.DBus.Error.UnknownObject"

typedef enum JobKind {
        JOB_GET,
        JOB_GET_ALL,
        JOB_MANAGED,
        JOB_ADDED,
} JobKind;

typedef struct Fetch {
        FacadeJob *job;
        char *path; /* owned */
        MqttRpcSlot *slot;
        struct Fetch *prev, *next;
} Fetch;

struct FacadeJob {
        Facade *facade;
        JobKind kind;
        sd_bus_message *message;           /* NULL: JOB_ADDED */
        char *path;                        /* owned; NULL: JOB_MANAGED */
        const MappingInterface *interface; /* NULL: all */
        MappingMember *member;             /* JOB_GET; a reference */
        Fetch *waiting, *in_flight;        /* lists */
        unsigned n_in_flight;
        FacadeJob *prev, *next;
};

/* ---- life ---- */

static void fetch_free(Fetch *fetch)
{
        mqttrpc_slot_unref(fetch->slot);
        free(fetch->path);
        free(fetch);
}

static void job_free(FacadeJob *job)
{
        Fetch *fetch, *next;

        DL_DELETE(job->facade->jobs, job);
        job->facade->n_calls--;
        DL_FOREACH_SAFE (job->waiting, fetch, next)
                fetch_free(fetch);
        DL_FOREACH_SAFE (job->in_flight, fetch, next)
                fetch_free(fetch);
        sd_bus_message_unref(job->message);
        mapping_member_unref(job->member);
        free(job->path);
        free(job);
}

static FacadeJob *job_new(Facade *facade, JobKind kind, sd_bus_message *m, const char *path)
{
        FacadeJob *job;

        job = calloc(1, sizeof(*job));
        if (!job)
                return NULL;
        job->facade = facade;
        job->kind = kind;
        job->message = m ? sd_bus_message_ref(m) : NULL;
        DL_APPEND(facade->jobs, job);
        facade->n_calls++;
        job->path = path ? strdup(path) : NULL;
        if (!path || job->path)
                return job;
        job_free(job);
        return NULL;
}

static int add_fetch(FacadeJob *job, const FacadeObject *object)
{
        Fetch *fetch;

        fetch = calloc(1, sizeof(*fetch));
        if (!fetch)
                return -ENOMEM;
        fetch->job = job;
        fetch->path = strdup(object->path);
        if (!fetch->path) {
                free(fetch);
                return -ENOMEM;
        }
        DL_APPEND(job->waiting, fetch);
        return 0;
}

void facade_fetch_end(Facade *facade)
{
        FacadeJob *job;

        while ((job = facade->jobs)) {
                if (job->message && dbus_link_is_connected(facade->link))
                        facade_reply_error(facade, job->message, NO_REPLY,
                                           "the gateway no longer serves %s", facade->bus_name);
                job_free(job);
        }
}

/* ---- the answer ---- */

static int append_get(FacadeJob *job, FacadeObject *object, sd_bus_message *reply)
{
        const FacadeValue *value = facade_property_value(object, job->member);

        return value ? facade_property_append(object, value, reply) : -ENODATA;
}

static int append_all(const FacadeJob *job, const FacadeObject *object, sd_bus_message *reply)
{
        int r;

        if (job->interface)
                return facade_property_append_all(object, job->interface, reply);
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (const MappingInterface *i = object->mapping->interfaces; i && r >= 0; i = i->hh.next)
                if (facade_object_has(object, i))
                        r = facade_property_append_items(object, i, reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void answer(FacadeJob *job)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Facade *facade = job->facade;
        FacadeObject *object = job->path ? facade_object_find(facade, job->path) : NULL;
        int r;

        if (job->path && !object) {
                facade_reply_error(facade, job->message, UNKNOWN_OBJECT, "Unknown object '%s'.",
                                   job->path);
                return;
        }
        r = sd_bus_message_new_method_return(job->message, &reply);
        if (r >= 0 && job->kind == JOB_GET)
                r = append_get(job, object, reply);
        else if (r >= 0 && job->kind == JOB_GET_ALL)
                r = append_all(job, object, reply);
        else if (r >= 0)
                r = facade_object_append_managed(facade, reply);
        if (r >= 0)
                facade_reply(facade, reply);
        else
                facade_reply_error(facade, job->message, FAILED, "the answer cannot be made: %s",
                                   strerrordesc_np(-r));
        if (job->kind == JOB_GET && job->member->mask)
                facade_property_forget(object, job->member);
}

static void job_finish(FacadeJob *job)
{
        FacadeObject *object;

        if (job->kind == JOB_ADDED) {
                object = facade_object_find(job->facade, job->path);
                if (object && object->adding)
                        facade_object_add(object);
        } else if (sd_bus_message_get_expect_reply(job->message) > 0) {
                answer(job);
        }
        job_free(job);
}

/* ---- questions ---- */

/* What prop.getall says: those that were missing. */
static void take_all(FacadeObject *object, const char *result, size_t length)
{
        Facade *facade = object->facade;
        CLEANUP_JSON_DOC JsonDoc doc = {}; /* each value is scanned in the shared one */

        if (json_scan(&doc, result, length, JSON_SCAN_STRICT) < 0 ||
            json_type(&doc, 0) != JSON_OBJECT)
                return;
        JSON_FOREACH (&doc, 0, key) {
                CLEANUP_FREE char *name = NULL;
                CLEANUP_ERROR Error *why = NULL;
                MappingMember *member;
                const char *json;
                size_t size;

                if (json_string_dup(&doc, key, &name) < 0)
                        continue;
                member = mapping_object_find(object->mapping, MEMBER_PROPERTY, name);
                if (!member || member->mask || !facade_property_wants_fetch(object, member))
                        continue;
                json = json_raw(&doc, key + 1, &size);
                if (facade_property_take(object, member, json, size, false, &why) < 0) {
                        facade_warn_type(facade, name, object->name, why);
                        facade_property_forget(object, member);
                }
        }
}

/* The only question of a Get. False if it has been answered with an error. */
static bool take_one(FacadeJob *job, FacadeObject *object, MqttRpcReply *reply)
{
        const MqttRpcError *error = mqttrpc_reply_get_error(reply);
        CLEANUP_ERROR Error *why = NULL;
        Facade *facade = job->facade;
        const char *result;
        size_t length;

        if (error) {
                facade_reply_failure(facade, job->message, error);
                return false;
        }
        result = mqttrpc_reply_get_result(reply, &length);
        if (facade_property_take(object, job->member, result, length, false, &why) >= 0)
                return true;
        facade_warn_type(facade, job->member->member, object->name, why);
        facade_reply_error(facade, job->message, FAILED,
                           "the service has '%s' with another type than '%s': %s",
                           job->member->member,
                           codec_type_signature(job->member->out.items[0].type),
                           why ? error_text(why) : "out of memory");
        return false;
}

static void go_on(FacadeJob *job);

static int on_fetched(MqttRpcReply *reply, void *userdata)
{
        Fetch *fetch = userdata;
        FacadeJob *job = fetch->job;
        FacadeObject *object = facade_object_find(job->facade, fetch->path);
        const char *result;
        size_t length;

        DL_DELETE(job->in_flight, fetch);
        job->n_in_flight--;
        fetch_free(fetch);
        if (object && job->kind == JOB_GET && !take_one(job, object, reply)) {
                job_free(job);
                return 0;
        }
        result = mqttrpc_reply_get_result(reply, &length);
        if (object && job->kind != JOB_GET && result)
                take_all(object, result, length);
        go_on(job);
        return 0;
}

static int ask(FacadeJob *job, Fetch *fetch, MqttRpcError **ret_error)
{
        const FacadeObject *object = facade_object_find(job->facade, fetch->path);
        char params[LIMIT_NAME_LENGTH + 8];

        if (!object)
                return -ENOENT;
        if (job->kind == JOB_GET) /* names in topics need no escapes */
                snprintf(params, sizeof(params), "[\"%s\"]", job->member->name);
        return mqttrpc_call_async(job->facade->bus, &fetch->slot, job->facade->name, object->name,
                                  job->kind == JOB_GET ? "prop.get" : "prop.getall",
                                  job->kind == JOB_GET ? params : NULL, LIMIT_FETCH_USEC,
                                  MQTTRPC_CALL_DEFAULT, on_fetched, fetch, ret_error);
}

/* Sends what there is room for; ends the job after the last answer. */
static void go_on(FacadeJob *job)
{
        Fetch *fetch;

        while ((fetch = job->waiting) && job->n_in_flight < LIMIT_FETCHES) {
                CLEANUP_RPC_ERROR MqttRpcError *error = NULL;

                DL_DELETE(job->waiting, fetch);
                if (ask(job, fetch, &error) >= 0) {
                        DL_APPEND(job->in_flight, fetch);
                        job->n_in_flight++;
                        continue;
                }
                fetch_free(fetch);
                if (job->kind == JOB_GET) {
                        facade_reply_failure(job->facade, job->message, error);
                        job_free(job);
                        return;
                }
        }
        if (!job->waiting && job->n_in_flight == 0)
                job_finish(job);
}

static bool interface_wants_fetch(const FacadeObject *object, const MappingInterface *interface)
{
        if (!facade_object_has(object, interface))
                return false;
        for (const MappingMember *p = interface->members[MEMBER_PROPERTY]; p; p = p->hh_dbus.next)
                if (p->readable && !p->mask && facade_property_wants_fetch(object, p))
                        return true;
        return false;
}

static bool object_wants_fetch(const FacadeObject *object)
{
        for (const MappingInterface *i = object->mapping->interfaces; i; i = i->hh.next)
                if (interface_wants_fetch(object, i))
                        return true;
        return false;
}

/* ---- jobs ---- */

static void out_of_memory(Facade *facade, sd_bus_message *m, FacadeJob *job)
{
        facade_reply_error(facade, m, FAILED, "out of memory");
        if (job)
                job_free(job);
}

void facade_fetch_get(FacadeObject *object, MappingMember *member, sd_bus_message *m)
{
        Facade *facade = object->facade;
        FacadeJob *job;

        if (!facade_has_room(facade, m))
                return;
        job = job_new(facade, JOB_GET, m, object->path);
        if (job)
                job->member = mapping_member_ref(member);
        if (!job || (facade_property_wants_fetch(object, member) && add_fetch(job, object) < 0))
                out_of_memory(facade, m, job);
        else
                go_on(job);
}

void facade_fetch_get_all(FacadeObject *object, const MappingInterface *interface,
                          sd_bus_message *m)
{
        bool wants =
                interface ? interface_wants_fetch(object, interface) : object_wants_fetch(object);
        Facade *facade = object->facade;
        FacadeJob *job;

        if (!facade_has_room(facade, m))
                return;
        job = job_new(facade, JOB_GET_ALL, m, object->path);
        if (job)
                job->interface = interface;
        if (!job || (wants && add_fetch(job, object) < 0))
                out_of_memory(facade, m, job);
        else
                go_on(job);
}

void facade_fetch_managed(Facade *facade, sd_bus_message *m)
{
        FacadeJob *job;
        int r = 0;

        if (!facade_has_room(facade, m))
                return;
        job = job_new(facade, JOB_MANAGED, m, NULL);
        for (const FacadeObject *o = job ? facade->objects : NULL; o && r >= 0; o = o->hh.next)
                if (o->announced && facade_object_is_managed(o) && object_wants_fetch(o))
                        r = add_fetch(job, o);
        if (!job || r < 0)
                out_of_memory(facade, m, job);
        else
                go_on(job);
}

void facade_fetch_added(FacadeObject *object)
{
        FacadeJob *job;

        if (!facade_object_is_managed(object) || !object_wants_fetch(object)) {
                facade_object_add(object);
                return;
        }
        job = job_new(object->facade, JOB_ADDED, NULL, object->path);
        if (job && add_fetch(job, object) >= 0) {
                go_on(job);
                return;
        }
        if (job)
                job_free(job);
        facade_object_add(object);
}
