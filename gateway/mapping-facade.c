/* SPDX-License-Identifier: MIT */

/* What a mapping needs beyond the ordinary for a service that MQTT provides and D-Bus sees: who
 * may, and that everything is known without asking anybody. */

#include "common/json-fields.h"
#include "common/limits.h"
#include "gateway/mapping-internal.h"

/* ---- who may ---- */

static void read_names(JsonFile *file, uint32_t node, char ***items, size_t *n_items)
{
        uint32_t count = file->doc.nodes[node].count;

        if (!json_file_expect(file, node, JSON_ARRAY) || count == 0)
                return;
        if (count > LIMIT_ALLOW_NAMES) {
                json_file_error(file, node, "more than %u names", LIMIT_ALLOW_NAMES);
                return;
        }
        *items = calloc(count, sizeof(**items));
        if (!*items) {
                json_file_out_of_memory(file);
                return;
        }
        JSON_FOREACH (&file->doc, node, item) {
                char *name = json_file_string(file, item);

                if (name && !*name)
                        json_file_error(file, item, "expected a name or a number");
                if (name)
                        (*items)[(*n_items)++] = name;
        }
}

static void read_users(JsonFile *file, uint32_t node, void *target)
{
        MappingAllow *allow = target;

        read_names(file, node, &allow->users, &allow->n_users);
}

static void read_groups(JsonFile *file, uint32_t node, void *target)
{
        MappingAllow *allow = target;

        read_names(file, node, &allow->groups, &allow->n_groups);
}

static const JsonField allow_fields[] = {
        {"users", JSON_FIELD_CUSTOM, .read = read_users},
        {"groups", JSON_FIELD_CUSTOM, .read = read_groups},
};

void mapping_allow_read(JsonFile *file, uint32_t node, MappingAllow *allow)
{
        allow->given = true;
        json_fields_read(file, node, allow_fields, ARRAY_SIZE(allow_fields), allow);
}

void mapping_allow_done(MappingAllow *allow)
{
        for (size_t i = 0; i < allow->n_users; i++)
                free(allow->users[i]);
        for (size_t i = 0; i < allow->n_groups; i++)
                free(allow->groups[i]);
        free(allow->users);
        free(allow->groups);
        *allow = (MappingAllow){};
}

/* ---- nothing is left open ---- */

static bool has_fd(const CodecArgs *args)
{
        for (size_t i = 0; i < args->count; i++)
                if (codec_type_has_fd(args->items[i].type))
                        return true;
        return false;
}

static void check_members(const MappingObject *object, MemberKind kind, JsonFile *file)
{
        for (const MappingMember *m = object->members[kind]; m; m = m->hh.next) {
                if (!m->typed)
                        json_file_error(
                                file, m->rule->node,
                                "the types of %s '%s' of %s are not known: MQTT provides the "
                                "service, so give them here or by introspection",
                                member_kind_name(kind), m->member, m->interface);
                else if (has_fd(&m->in) || has_fd(&m->out))
                        json_file_error(
                                file, m->rule->node,
                                "%s '%s' of %s passes file descriptors, which cannot travel "
                                "by MQTT",
                                member_kind_name(kind), m->member, m->interface);
        }
}

void mapping_check_facade(const MappingService *service, JsonFile *file)
{
        if (service->provider == MAPPING_PROVIDER_DBUS)
                return;
        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                        for (const MappingInterface *i = o->interfaces; i; i = i->hh.next)
                                if (i->all[kind] && !mapping_rule_hides(i->all[kind]) &&
                                    !i->introspection)
                                        json_file_error(
                                                file, i->all[kind]->node,
                                                "'*' of %s stands for what is not known: MQTT "
                                                "provides the service, so list its members or give "
                                                "introspection that has this interface",
                                                i->name);
                        check_members(o, kind, file);
                }
}
