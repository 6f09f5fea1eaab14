/* SPDX-License-Identifier: MIT */

/* Signals of the service on D-Bus. */

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/codec/json-to-dbus.h"
#include "gateway/facade.h"

/* What a signal is taken to be worth while it waits for a bus that does not read; its true size is
 * bounded by that of a payload. */
#define SIGNAL_BYTES 1024U

void facade_signal_send(Facade *facade, sd_bus_message *m)
{
        int r;

        facade->stats.activity_usec = clock_now();
        r = dbus_link_send(facade->link, m, SIGNAL_BYTES);
        if (r >= 0) {
                facade->stats.signals++;
                return;
        }
        facade->stats.dropped++;
        facade_warn(facade, "signal %s is lost: %s", sd_bus_message_get_member(m),
                    r == -ENOBUFS ? "D-Bus does not take messages fast enough"
                                  : strerrordesc_np(-r));
}

/* rpc.invalidated: an array of names as its only argument. */
static void on_invalidated(FacadeObject *object, const char *params, size_t length)
{
        JsonDoc *doc = &object->facade->scratch->doc;
        uint32_t list;

        if (json_scan(doc, params, length, JSON_SCAN_STRICT) < 0 ||
            json_type(doc, 0) != JSON_ARRAY || doc->nodes[0].count != 1)
                return;
        list = 1;
        if (json_type(doc, list) != JSON_ARRAY)
                return;
        JSON_FOREACH (doc, list, item) {
                CLEANUP_FREE char *name = NULL;
                MappingMember *member;

                if (json_type(doc, item) != JSON_STRING || json_string_dup(doc, item, &name) < 0)
                        continue;
                member = mapping_object_find(object->mapping, MEMBER_PROPERTY, name);
                if (member)
                        facade_property_invalidate(object, member);
        }
}

static int make_signal(const FacadeObject *object, const MappingMember *member, const char *params,
                       size_t length, sd_bus_message **ret_message, Error **ret_error)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        JsonDoc *doc = &object->facade->scratch->doc;
        sd_bus *bus = dbus_link_get_bus(object->facade->link);
        int r;

        r = sd_bus_message_new_signal(bus, &m, object->path, member->interface, member->member);
        if (r < 0)
                return error_set(ret_error, r, "%s", strerrordesc_np(-r));
        r = json_scan(doc, params, length, JSON_SCAN_STRICT);
        if (r < 0)
                return error_set(ret_error, r, "it is not JSON: %s", doc->error_reason);
        r = codec_args_from_json(doc, 0, &member->out, m, NULL, ret_error);
        if (r < 0)
                return r;
        *ret_message = STEAL(m);
        return 0;
}

void facade_signal_on_signal(const MqttRpcSignal *signal, void *userdata)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *name = mqttrpc_signal_get_object(signal);
        CLEANUP_ERROR Error *why = NULL;
        Facade *facade = userdata;
        MappingMember *member;
        FacadeObject *object;
        const char *params;
        size_t length;

        object = facade->state == FACADE_SERVING ? facade_object_get(facade, name) : NULL;
        if (!object) {
                facade->stats.dropped++;
                return;
        }
        params = mqttrpc_signal_get_params(signal, &length);
        member = mapping_object_find(object->mapping, MEMBER_SIGNAL,
                                     mqttrpc_signal_get_name(signal));
        if (!strcmp(mqttrpc_signal_get_name(signal), "rpc.invalidated")) {
                on_invalidated(object, params, length);
        } else if (!member) {
                facade->stats.dropped++;
        } else if (make_signal(object, member, params, length, &m, &why) < 0) {
                facade_warn_type(facade, member->member, name, why);
        } else {
                facade_property_flush(facade);
                facade_signal_send(facade, m);
        }
        facade_object_drop(object);
}
