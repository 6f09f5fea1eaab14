/* SPDX-License-Identifier: MIT */

/* What a service emits, on its way to MQTT. One match rule per service asks for all of it, within
 * the part of the tree that the mapping names, so that the number of rules does not grow with that
 * of objects. What is not from the owner of the name is not from the service. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "gateway/codec/dbus-to-json.h"
#include "gateway/expose.h"
#include "gateway/mapping-internal.h"

/* ---- the match rule ---- */

/* Cuts `prefix` back to the part of the tree that it has in common with a path. */
static void share(char *prefix, const char *path)
{
        size_t length = 0, last = 0;

        for (; prefix[length] && prefix[length] == path[length]; length++)
                if (prefix[length] == '/')
                        last = length;
        if ((!prefix[length] || prefix[length] == '/') && (!path[length] || path[length] == '/'))
                last = length;
        prefix[last] = '\0';
}

static const char *top_of(const MappingObject *object)
{
        return object->template ? path_template_root(object->template) : object->path;
}

static bool may_be_managed_at_root(const MappingService *mapping)
{
        for (size_t i = 0; i < mapping->n_templates && !mapping->object_manager; i++)
                if (mapping->templates[i]->find != MAPPING_FIND_WALK)
                        return true;
        return false;
}

/* The path that all objects are at or below; "" for the whole tree. */
static int dup_namespace(const MappingService *mapping, char **ret_path)
{
        char *path = NULL;

        if (mapping->objects && !may_be_managed_at_root(mapping)) {
                path = strdup(mapping->object_manager ? mapping->object_manager
                                                      : top_of(mapping->objects));
                for (MappingObject *object = mapping->objects; path && object;
                     object = object->hh.next)
                        share(path, top_of(object));
        } else {
                path = strdup("");
        }
        *ret_path = path;
        return path ? 0 : -ENOMEM;
}

static int write_rule(const Expose *expose, char **ret_rule)
{
        CLEANUP_FREE char *path = NULL;
        int r;

        r = dup_namespace(expose->mapping, &path);
        if (r < 0)
                return r;
        r = asprintf(ret_rule, "type='signal',sender='%s'%s%s%s", expose->bus_name,
                     *path ? ",path_namespace='" : "", path, *path ? "'" : "");
        return r < 0 ? -ENOMEM : 0;
}

/* ---- ordinary signals ---- */

static bool passes(Expose *expose, const MappingMember *member, const MappingTest *test,
                   sd_bus_message *m)
{
        Buffer *buffer = &expose->scratch->buffer;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        r = sd_bus_message_rewind(m, true);
        for (size_t i = 0; r >= 0 && i < test->argument; i++)
                r = sd_bus_message_skip(m, codec_type_signature(member->out.items[i].type));
        if (r < 0)
                return false;
        buffer_clear(buffer);
        r = codec_value_to_json(m, member->out.items[test->argument].type,
                                member->out.items[test->argument].name, buffer, &why);
        return r >= 0 && !strcmp(buffer_text(buffer), test->json);
}

static void pass_on(ExposeObject *object, MappingMember *member, sd_bus_message *m)
{
        Expose *expose = object->expose;
        Buffer *buffer = &expose->scratch->buffer;
        CLEANUP_ERROR Error *why = NULL;
        int r;

        for (size_t i = 0; i < member->n_tests; i++)
                if (!passes(expose, member, &member->tests[i], m))
                        return;
        buffer_clear(buffer);
        r = sd_bus_message_rewind(m, true);
        if (r >= 0)
                r = codec_args_to_json(m, &member->out, member->rule->result == 1, buffer, &why);
        if (r < 0) {
                expose->stats.dropped++;
                expose_warn(expose, "the signal %s.%s of %s cannot be passed on: %s",
                            member->interface, member->member, object->path,
                            why ? error_text(why) : "it is too large");
                return;
        }
        expose_due_send(object, member, buffer_text(buffer), buffer->length);
}

/* The path in an argument of type o; borrowed from the message. NULL if it cannot be read. */
static const char *read_path(const MappingMember *member, const char *argument, sd_bus_message *m)
{
        const char *path;
        int r;

        r = sd_bus_message_rewind(m, true);
        for (size_t i = 0; r >= 0 && i < member->out.count; i++) {
                if (!strcmp(member->out.items[i].name, argument))
                        return sd_bus_message_read(m, "o", &path) > 0 ? path : NULL;
                r = sd_bus_message_skip(m, codec_type_signature(member->out.items[i].type));
        }
        return NULL;
}

/* Objects that come and go by an ordinary signal, where no ObjectManager speaks of them. */
static void follow_objects(Expose *expose, const MappingMember *member, sd_bus_message *m)
{
        const MappingRule *rule = member->rule;
        const char *path;

        path = rule->adds ? read_path(member, rule->adds, m) : NULL;
        if (path)
                (void)expose_object_hear(expose, path);
        path = rule->removes ? read_path(member, rule->removes, m) : NULL;
        if (path)
                expose_object_gone(expose, path);
}

static void on_member(Expose *expose, sd_bus_message *m)
{
        ExposeObject *object = expose_object_hear(expose, sd_bus_message_get_path(m));
        MappingMember *member;

        if (!object)
                return;
        member = mapping_object_find_dbus(object->type->mapping, MEMBER_SIGNAL,
                                          sd_bus_message_get_interface(m),
                                          sd_bus_message_get_member(m));
        if (!member)
                return;
        if (!member->typed) {
                expose->stats.dropped++;
                return;
        }
        mapping_member_ref(member);
        if (!member->mask)
                pass_on(object, member, m);
        follow_objects(expose, member, m);
        mapping_member_unref(member);
}

/* ---- dispatch ---- */

static void on_changed(Expose *expose, sd_bus_message *m)
{
        ExposeObject *object = expose_object_hear(expose, sd_bus_message_get_path(m));

        if (object)
                expose_property_on_changed(object, m);
}

static const struct {
        const char *interface;
        const char *member;
        void (*handle)(Expose *expose, sd_bus_message *m);
} known[] = {
        {"org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed},
        {"org.freedesktop.DBus.ObjectManager", "InterfacesAdded", expose_object_on_added},
        {"org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", expose_object_on_removed},
};

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *sender = sd_bus_message_get_sender(m);
        Expose *expose = userdata;

        if (!sender || !expose->owner || strcmp(sender, expose->owner) != 0) {
                expose->stats.dropped++;
                return 0;
        }
        expose->stats.activity_usec = clock_now();
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (sd_bus_message_is_signal(m, known[i].interface, known[i].member)) {
                        known[i].handle(expose, m);
                        return 0;
                }
        on_member(expose, m);
        return 0;
}

int expose_signal_start(Expose *expose)
{
        CLEANUP_FREE char *rule = NULL;
        int r;

        r = write_rule(expose, &rule);
        if (r < 0) {
                rule = NULL;
                return r;
        }
        return sd_bus_add_match_async(dbus_link_get_bus(expose->link), &expose->match, rule,
                                      on_signal, NULL, expose);
}
