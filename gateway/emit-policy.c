/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "gateway/emit.h"
#include "gateway/loop-query.h"

/* Nothing that is written needs escapes: D-Bus names have no characters that are special in XML,
 * and the user is checked by the caller. */

static void allow(Buffer *out, const MappingObject *object, const char *interface,
                  const char *member)
{
        buffer_printf(out, "    <allow send_destination=\"%s\"", object->service->bus_name);
        if (!object->template)
                buffer_printf(out, " send_path=\"%s\"", object->path);
        buffer_printf(out,
                      "\n           send_interface=\"%s\" send_member=\"%s\" "
                      "send_type=\"method_call\"/>\n",
                      interface, member);
}

static bool has_writable(const MappingObject *object)
{
        for (const MappingMember *m = object->members[MEMBER_PROPERTY]; m; m = m->hh.next)
                if (m->writable)
                        return true;
        return false;
}

static bool has_star(const MappingObject *object, MemberKind kind)
{
        for (const MappingInterface *i = object->interfaces; i; i = i->hh.next)
                if (i->all[kind] && !i->introspection)
                        return true;
        return false;
}

static void allow_methods(Buffer *out, const MappingObject *object)
{
        for (const MappingMember *m = object->members[MEMBER_METHOD]; m; m = m->hh.next)
                allow(out, object, m->interface, m->member);
        for (const MappingInterface *i = object->interfaces; i; i = i->hh.next)
                if (i->all[MEMBER_METHOD] && !i->introspection) {
                        buffer_printf(out, "    <allow send_destination=\"%s\"",
                                      object->service->bus_name);
                        if (!object->template)
                                buffer_printf(out, " send_path=\"%s\"", object->path);
                        buffer_printf(out,
                                      "\n           send_interface=\"%s\" "
                                      "send_type=\"method_call\"/>\n",
                                      i->name);
                }
}

static void allow_properties(Buffer *out, const MappingObject *object)
{
        static const char interface[] = "org.freedesktop.DBus.Properties";
        bool star = has_star(object, MEMBER_PROPERTY);

        if (!object->members[MEMBER_PROPERTY] && !star)
                return;
        allow(out, object, interface, "Get");
        allow(out, object, interface, "GetAll");
        /* the bus does not look at which property is set; the gateway does */
        if (star || has_writable(object))
                allow(out, object, interface, "Set");
}

/* What the gateway offers itself: it owns the name, and everybody may call; it lets in by itself.
 */
static void write_own(Buffer *out, const MappingService *service)
{
        buffer_printf(out, "\n    <!-- %s, provided by MQTT -->\n    <allow %s=\"%s\"/>\n",
                      service->name, service->is_family ? "own_prefix" : "own",
                      service->is_family ? service->family.prefix : service->bus_name);
}

static void write_service(Buffer *out, const MappingService *service)
{
        bool templates = service->n_templates > 0;

        if (service->provider != MAPPING_PROVIDER_DBUS)
                write_own(out, service);
        if (service->provider == MAPPING_PROVIDER_MQTT)
                return;
        if (service->is_family) {
                buffer_printf(out,
                              "\n    <!-- %s: a policy speaks of one name; repeat for each what "
                              "is needed. -->\n",
                              service->bus_name);
                return;
        }
        buffer_printf(out, "\n    <!-- %s -->\n    <deny send_destination=\"%s\"/>\n",
                      service->name, service->bus_name);
        buffer_printf(out,
                      "    <allow send_destination=\"%s\"\n"
                      "           send_interface=\"org.freedesktop.DBus.Introspectable\"/>\n",
                      service->bus_name);
        buffer_printf(out,
                      "    <allow send_destination=\"%s\"\n"
                      "           send_interface=\"" LOOP_QUERY_INTERFACE "\"/>\n",
                      service->bus_name);
        if (templates)
                buffer_printf(
                        out,
                        "    <allow send_destination=\"%s\"\n"
                        "           send_interface=\"org.freedesktop.DBus.ObjectManager\"/>\n",
                        service->bus_name);
        if (service->subscribe.method)
                buffer_printf(out,
                              "    <allow send_destination=\"%s\" send_path=\"%s\"\n"
                              "           send_interface=\"%s\" send_member=\"%s\" "
                              "send_type=\"method_call\"/>\n",
                              service->bus_name, service->subscribe.path,
                              service->subscribe.interface, service->subscribe.method);
        for (const MappingObject *o = service->objects; o; o = o->hh.next) {
                allow_methods(out, o);
                allow_properties(out, o);
        }
}

/* A system bus lets nobody call what no policy allows. Members of a family have no rule of their
 * own: a policy speaks of one name. */
static void write_callers(Buffer *out, const MappingSet *set)
{
        bool any = false;

        for (const MappingService *s = set->services; s; s = s->hh.next) {
                if (s->provider == MAPPING_PROVIDER_DBUS || s->is_family)
                        continue;
                if (!any)
                        buffer_append_text(out, "  <policy context=\"default\">\n");
                any = true;
                buffer_printf(out, "    <allow send_destination=\"%s\"/>\n", s->bus_name);
        }
        if (any)
                buffer_append_text(out, "  </policy>\n");
}

int emit_dbus_policy(const MappingSet *set, const EmitOptions *options, Buffer *buffer)
{
        buffer_append_text(
                buffer,
                "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration "
                "1.0//EN\"\n"
                " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
                "<!-- Written by dbus-mqtt-gateway emit dbus-policy: of the services that are "
                "mapped, the\n     gateway may call what is mapped and nothing else. -->\n"
                "<busconfig>\n");
        buffer_printf(buffer, "  <policy user=\"%s\">", options->dbus_user);
        for (const MappingService *s = set->services; s; s = s->hh.next)
                write_service(buffer, s);
        buffer_append_text(buffer, "  </policy>\n");
        write_callers(buffer, set);
        buffer_append_text(buffer, "</busconfig>\n");
        return buffer_status(buffer);
}
