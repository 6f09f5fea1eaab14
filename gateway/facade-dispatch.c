/* SPDX-License-Identifier: MIT */

/* What a message is about, and the errors that clients know from services of sd-bus and GLib. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "gateway/error-map.h"
#include "gateway/facade.h"
#include "gateway/loop-query.h"
#include "gateway/names.h"

#define DBUS_ERROR(name) "org.freedesktop.DBus.Error." name
#define PROPERTIES       "org.freedesktop.DBus.Properties"
#define INTROSPECTABLE   "org.freedesktop.DBus.Introspectable"
#define OBJECT_MANAGER   "org.freedesktop.DBus.ObjectManager"
#define PEER             "org.freedesktop.DBus.Peer"

/* ---- answers ---- */

void facade_reply(Facade *facade, sd_bus_message *reply)
{
        int r;

        facade_property_flush(facade);
        r = sd_bus_send(NULL, reply, NULL);
        if (r < 0)
                facade_warn(facade, "an answer is lost: %s", strerrordesc_np(-r));
}

void facade_reply_error(Facade *facade, sd_bus_message *m, const char *name, const char *format,
                        ...)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        int r;

        facade->stats.errors++;
        if (sd_bus_message_get_expect_reply(m) <= 0)
                return;
        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        r = sd_bus_message_new_method_errorf(m, &reply, name, "%s", text ? text : "out of memory");
        if (r >= 0)
                facade_reply(facade, reply);
        else
                facade_warn(facade, "an error is lost: %s", strerrordesc_np(-r));
}

/* The name that the service gave, where that is one, else that of the code. */
void facade_reply_failure(Facade *facade, sd_bus_message *m, const MqttRpcError *error)
{
        const char *name = mqttrpc_error_get_name(error);

        if (!name || name_check_interface(name, NULL) < 0)
                name = error_map_to_dbus(mqttrpc_error_get_code(error));
        facade_reply_error(facade, m, name, "%.*s", (int)LIMIT_ERROR_TEXT_BYTES,
                           mqttrpc_error_get_message(error));
}

bool facade_has_room(Facade *facade, sd_bus_message *m)
{
        if (facade->n_calls < facade->mapping->max_in_flight)
                return true;
        facade_reply_error(facade, m, DBUS_ERROR("LimitsExceeded"),
                           "%u calls of %s are in flight already", facade->n_calls,
                           facade->bus_name);
        return false;
}

/* ---- checks ---- */

static bool check_signature(Facade *facade, sd_bus_message *m, const char *expected)
{
        const char *signature = sd_bus_message_get_signature(m, true);

        if (!strcmp(signature ? signature : "", expected))
                return true;
        facade_reply_error(facade, m, DBUS_ERROR("InvalidArgs"),
                           "Invalid arguments '%s' to call %s.%s(), expecting '%s'.",
                           signature ? signature : "", sd_bus_message_get_interface(m),
                           sd_bus_message_get_member(m), expected);
        return false;
}

static void unknown_object(Facade *facade, sd_bus_message *m)
{
        facade_reply_error(facade, m, DBUS_ERROR("UnknownObject"), "Unknown object '%s'.",
                           sd_bus_message_get_path(m));
}

static void unknown_method(Facade *facade, sd_bus_message *m)
{
        const char *interface = sd_bus_message_get_interface(m);

        facade_reply_error(facade, m, DBUS_ERROR("UnknownMethod"),
                           "Unknown method %s or interface %s.", sd_bus_message_get_member(m),
                           interface ? interface : "(none)");
}

/* ---- properties ---- */

/* The property, by its interface or, where that is "", by its name alone. */
static MappingMember *find_property(const FacadeObject *object, const char *interface,
                                    const char *name, const MappingInterface **ret_interface)
{
        MappingMember *member;

        for (const MappingInterface *i = object->mapping->interfaces; i; i = i->hh.next) {
                if ((*interface && strcmp(interface, i->name) != 0) ||
                    !facade_object_has(object, i))
                        continue;
                HASH_FIND(hh_dbus, i->members[MEMBER_PROPERTY], name, strlen(name), member);
                if (member) {
                        *ret_interface = i;
                        return member;
                }
        }
        return NULL;
}

static MappingMember *read_property(FacadeObject *object, sd_bus_message *m,
                                    const MappingInterface **ret_interface)
{
        Facade *facade = object->facade;
        const char *interface, *name;
        MappingMember *member;

        if (sd_bus_message_read(m, "ss", &interface, &name) < 0)
                return NULL;
        member = find_property(object, interface, name, ret_interface);
        if (member)
                return member;
        facade_reply_error(facade, m, DBUS_ERROR("UnknownProperty"),
                           "Unknown interface %s or property %s.", interface, name);
        return NULL;
}

static void on_get(FacadeObject *object, sd_bus_message *m, const FacadeSender *sender)
{
        Facade *facade = object->facade;
        const MappingInterface *interface;
        MappingMember *member;

        if (!check_signature(facade, m, "ss"))
                return;
        member = read_property(object, m, &interface);
        if (!member)
                return;
        if (!member->readable)
                facade_reply_error(facade, m, DBUS_ERROR("AccessDenied"),
                                   "Property '%s' is not readable.", member->member);
        else if (!member->mask || facade_access_check(facade, sender, interface, member, m)) {
                facade_access_count(sender, USAGE_GET, object, interface->name, member->member);
                facade_fetch_get(object, member, m);
        }
}

static void on_get_all(FacadeObject *object, sd_bus_message *m, const FacadeSender *sender)
{
        Facade *facade = object->facade;
        const MappingInterface *interface = NULL;
        const char *name;

        if (!check_signature(facade, m, "s") || sd_bus_message_read(m, "s", &name) < 0)
                return;
        if (*name)
                interface = facade_object_interface(object, name);
        if (*name && !interface)
                facade_reply_error(facade, m, DBUS_ERROR("UnknownInterface"),
                                   "Unknown interface '%s'.", name);
        else {
                facade_access_count(sender, USAGE_GET, object, name, "*");
                facade_fetch_get_all(object, interface, m);
        }
}

static void on_set(FacadeObject *object, sd_bus_message *m, const FacadeSender *sender)
{
        Facade *facade = object->facade;
        const MappingInterface *interface;
        const char *contents, *expected;
        MappingMember *member;

        if (!check_signature(facade, m, "ssv"))
                return;
        member = read_property(object, m, &interface);
        if (!member)
                return;
        expected = codec_type_signature(member->out.items[0].type);
        if (!member->writable)
                facade_reply_error(facade, m, DBUS_ERROR("PropertyReadOnly"),
                                   "Property '%s' is not writable.", member->member);
        else if (sd_bus_message_peek_type(m, NULL, &contents) <= 0 || strcmp(contents, expected))
                facade_reply_error(facade, m, DBUS_ERROR("InvalidArgs"),
                                   "Incorrect type for property '%s', expected '%s'.",
                                   member->member, expected);
        else if (facade_access_check(facade, sender, interface, member, m)) {
                facade_access_count(sender, USAGE_SET, object, interface->name, member->member);
                facade_call_set(object, member, m, sender);
        }
}

static bool on_properties(FacadeObject *object, sd_bus_message *m, const FacadeSender *sender)
{
        static const struct {
                const char *member;
                void (*handler)(FacadeObject *object, sd_bus_message *m,
                                const FacadeSender *sender);
        } methods[] = {{"Get", on_get}, {"GetAll", on_get_all}, {"Set", on_set}};

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                if (sd_bus_message_is_method_call(m, PROPERTIES, methods[i].member)) {
                        methods[i].handler(object, m, sender);
                        return true;
                }
        return false;
}

/* ---- methods ---- */

static void on_introspect(Facade *facade, sd_bus_message *m)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        const char *path = sd_bus_message_get_path(m);
        int r;

        if (!check_signature(facade, m, ""))
                return;
        if (!facade_node_exists(facade, path)) {
                unknown_object(facade, m);
                return;
        }
        if (sd_bus_message_get_expect_reply(m) <= 0)
                return;
        r = facade_introspect(facade, path, &text);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", buffer_text(&text));
        if (r >= 0)
                facade_reply(facade, reply);
        else
                facade_reply_error(facade, m, DBUS_ERROR("NoMemory"), "%s", strerrordesc_np(-r));
}

/* The method; without an interface, the first of that name. */
static MappingMember *find_method(const FacadeObject *object, sd_bus_message *m,
                                  const MappingInterface **ret_interface)
{
        const char *interface = sd_bus_message_get_interface(m);
        const char *name = sd_bus_message_get_member(m);
        MappingMember *member;

        for (const MappingInterface *i = object->mapping->interfaces; i; i = i->hh.next) {
                if ((interface && strcmp(interface, i->name) != 0) || !facade_object_has(object, i))
                        continue;
                HASH_FIND(hh_dbus, i->members[MEMBER_METHOD], name, strlen(name), member);
                if (member) {
                        *ret_interface = i;
                        return member;
                }
        }
        return NULL;
}

static void on_method(FacadeObject *object, sd_bus_message *m, const FacadeSender *sender)
{
        Facade *facade = object->facade;
        const MappingInterface *interface;
        MappingMember *member = find_method(object, m, &interface);

        if (!member)
                unknown_method(facade, m);
        else if (check_signature(facade, m, member->in.signature ? member->in.signature : "") &&
                 facade_access_check(facade, sender, interface, member, m)) {
                facade_access_count(sender, USAGE_CALL, object, interface->name, member->member);
                facade_call_method(object, member, m, sender);
        }
}

void facade_dispatch(Facade *facade, sd_bus_message *m, const FacadeSender *sender)
{
        const char *path = sd_bus_message_get_path(m);
        FacadeObject *object = facade_object_find(facade, path);
        bool is_manager = facade->manager && !strcmp(facade->manager, path);

        if (sd_bus_message_is_method_call(m, INTROSPECTABLE, "Introspect"))
                on_introspect(facade, m);
        else if (!facade_takes_calls(facade))
                facade_reply_error(facade, m, DBUS_ERROR("ServiceUnknown"),
                                   "The MQTT service '%s', which provides %s, is not there.",
                                   facade->name, facade->bus_name);
        else if (is_manager &&
                 sd_bus_message_is_method_call(m, OBJECT_MANAGER, "GetManagedObjects")) {
                if (check_signature(facade, m, ""))
                        facade_fetch_managed(facade, m);
        } else if (!object && !facade_node_exists(facade, path))
                unknown_object(facade, m);
        else if (!object)
                unknown_method(facade, m);
        else if (!on_properties(object, m, sender))
                on_method(object, m, sender);
}

/* Also while the service is away. */
static void on_get_service(Facade *facade, sd_bus_message *m)
{
        int r;

        r = sd_bus_reply_method_return(m, "s", facade->name);
        if (r < 0)
                facade_warn(facade, "an answer is lost: %s", strerrordesc_np(-r));
}

int facade_on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *interface = sd_bus_message_get_interface(m);
        Facade *facade = userdata;
        uint8_t type;

        if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL ||
            (interface && !strcmp(interface, PEER)))
                return 0;
        if (sd_bus_message_is_method_call(m, LOOP_QUERY_INTERFACE, LOOP_QUERY_MEMBER)) {
                on_get_service(facade, m);
                return 1;
        }
        facade->stats.calls++;
        facade->stats.activity_usec = clock_now();
        (void)facade_access_admit(facade, m);
        return 1;
}
