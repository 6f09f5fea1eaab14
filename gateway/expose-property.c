/* SPDX-License-Identifier: MIT */

/* Values of properties on their way to MQTT, whether the service was asked for them or has said by
 * itself that they have changed. */

#include <errno.h>
#include <string.h>

#include "common/json-write.h"
#include "gateway/codec/dbus-to-json.h"
#include "gateway/expose.h"

/* ---- which ---- */

/* One that is only told to be out of date, or not even that, is kept by the broker only if the
 * mapping asks for it, by polling or outright. */
bool expose_property_is_retained(const MappingMember *member)
{
        const MappingRule *rule = member->rule;

        if (member->mask || !member->typed || !member->readable || rule->retain == 0)
                return false;
        if (rule->retain == 1 || rule->poll_s > 0)
                return true;
        return member->emits_changed == EMITS_CHANGED_TRUE ||
               member->emits_changed == EMITS_CHANGED_CONST;
}

bool expose_property_wants_fetch(const MappingInterface *interface)
{
        const MappingMember *member;

        for (member = interface->members[MEMBER_PROPERTY]; member; member = member->hh_dbus.next)
                if (expose_property_is_retained(member))
                        return true;
        return false;
}

static MappingMember *find(const MappingInterface *interface, const char *name)
{
        MappingMember *member;

        HASH_FIND(hh_dbus, interface->members[MEMBER_PROPERTY], name, strlen(name), member);
        return member;
}

/* ---- values ---- */

int expose_property_take(ExposeObject *object, MappingMember *member, sd_bus_message *m)
{
        Expose *expose = object->expose;
        Buffer *buffer = &expose->scratch->buffer;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        if (!expose_property_is_retained(member))
                return sd_bus_message_skip(m, "v");
        buffer_clear(buffer);
        r = codec_variant_to_json(m, member->out.items[0].type, member->name, buffer, &why);
        if (r >= 0) {
                expose_due_send(object, member, buffer_text(buffer), buffer->length);
                return 0;
        }
        expose_warn(expose, "%s: the value of %s.%s cannot be passed on: %s", object->path,
                    member->interface, member->member, why ? error_text(why) : "it is too large");
        /* The old one would be a wrong one. */
        (void)mqttrpc_property_publish(expose->bus, expose->name, object->name, member->name, NULL,
                                       0);
        return r;
}

/* After a value that could not be read the position is lost: back to the entry behind it. `start`
 * is the number of arguments before the dict. */
static int recover(sd_bus_message *m, unsigned start, unsigned n_entries)
{
        int r;

        r = sd_bus_message_rewind(m, true);
        if (r >= 0 && start > 0)
                r = sd_bus_message_skip(m, "s");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sv}");
        for (unsigned i = 0; r >= 0 && i < n_entries; i++)
                r = sd_bus_message_skip(m, "{sv}");
        return r;
}

/* Takes the entries of the dict at the read position; `start` as above. */
static int take_entries(ExposeObject *object, const MappingInterface *interface, sd_bus_message *m,
                        unsigned start)
{
        unsigned n_entries = 0;
        MappingMember *member;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return -EBADMSG;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                n_entries++;
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                member = find(interface, name);
                r = member ? expose_property_take(object, member, m) : sd_bus_message_skip(m, "v");
                r = r < 0 ? recover(m, start, n_entries) : sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int expose_property_take_all(ExposeObject *object, const MappingInterface *interface,
                             sd_bus_message *m)
{
        return take_entries(object, interface, m, 0);
}

/* ---- what the service says ---- */

static void emit_invalidated(const ExposeObject *object, const MappingMember *member)
{
        CLEANUP_BUFFER Buffer params = BUFFER_INIT(0);

        buffer_append_text(&params, "[[");
        json_write_string(&params, member->name, strlen(member->name));
        if (buffer_append_text(&params, "]]") < 0)
                return;
        object->expose->stats.signals++;
        (void)mqttrpc_emit_signal_json(object->expose->bus, object->expose->name, object->name,
                                       "rpc.invalidated", params.data, params.length,
                                       MQTTRPC_SIGNAL_DEFAULT);
}

/* Its new value is to be asked for: by us, if the broker keeps it, else by who wants it. */
static void invalidate(ExposeObject *object, const MappingInterface *interface, const char *name)
{
        MappingMember *member = find(interface, name);

        if (!member || member->mask)
                return;
        if (expose_property_is_retained(member))
                expose_fetch(object, interface, member);
        else if (member->readable)
                emit_invalidated(object, member);
}

static int take_change(ExposeObject *object, sd_bus_message *m)
{
        MappingInterface *interface;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        HASH_FIND_STR(object->type->mapping->interfaces, name, interface);
        if (!interface || !expose_object_has(object, interface))
                return 0;
        r = take_entries(object, interface, m, 1);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0)
                invalidate(object, interface, name);
        expose_fetch_go_on(object->expose);
        return r;
}

void expose_property_on_changed(ExposeObject *object, sd_bus_message *m)
{
        if (expose_type_must_wait(object->type))
                return; /* the values are fetched when they can be understood */
        if (take_change(object, m) < 0)
                expose_warn(object->expose, "%s: PropertiesChanged with other types than sa{sv}as",
                            object->path);
}

/* ---- polling, going ---- */

void expose_property_start_polls(ExposeObject *object, const MappingInterface *interface)
{
        MappingMember *member;

        for (member = interface->members[MEMBER_PROPERTY]; member; member = member->hh_dbus.next)
                if (member->rule->poll_s > 0 && expose_property_is_retained(member) &&
                    expose_due_poll(object, interface, member) < 0)
                        expose_warn(object->expose, "%s: %s is not polled: out of memory",
                                    object->path, member->name);
}

void expose_property_clear(ExposeObject *object, const MappingInterface *interface)
{
        const MappingMember *member;

        for (member = interface->members[MEMBER_PROPERTY]; member; member = member->hh_dbus.next)
                (void)mqttrpc_property_publish(object->expose->bus, object->expose->name,
                                               object->name, member->name, NULL, 0);
}
