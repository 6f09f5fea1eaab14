/* SPDX-License-Identifier: MIT */

#include "gateway/check.h"

#include <stdio.h>
#include <string.h>

#include "common/json-file.h"
#include "gateway/mapping-internal.h"

typedef struct Checker {
        JsonFile file;
        Diagnostics *warnings;
        Diagnostics *notes;
} Checker;

static void note(Checker *checker, uint32_t node, const char *text)
{
        checker->file.diagnostics = checker->notes;
        json_file_warning(&checker->file, node, "%s", text);
        checker->file.diagnostics = checker->warnings;
}

/* The first argument that is or contains a file descriptor; NULL if none does. */
static const CodecArg *find_descriptor(const CodecArgs *args)
{
        for (size_t i = 0; i < args->count; i++)
                if (codec_type_has_fd(args->items[i].type))
                        return &args->items[i];
        return NULL;
}

static void check_descriptors(Checker *checker, const MappingMember *member)
{
        const CodecArg *arg = find_descriptor(&member->in);

        if (!arg)
                arg = find_descriptor(&member->out);
        if (arg)
                json_file_warning(&checker->file, member->rule->node,
                                  "%s '%s' of %s cannot be used: '%s' is of type '%s', and file "
                                  "descriptors cannot leave D-Bus",
                                  member_kind_name(member->kind), member->member, member->interface,
                                  arg->name, codec_type_signature(arg->type));
}

/* Whether the rule opens to batches what grants per method are meant to guard. */
static void check_batch(Checker *checker, const MappingRule *rule)
{
        const char *access = rule->access ? rule->access : MAPPING_ACCESS_DEFAULT;

        if (rule->batch == 1 && strcmp(access, "read") != 0)
                json_file_warning(&checker->file, rule->node,
                                  "with 'batch', whoever may use rpc/ of the object may call it, "
                                  "though its access class is '%s'",
                                  access);
}

static void check_member(Checker *checker, const MappingInterface *interface,
                         const MappingMember *member)
{
        if (member->rule == interface->all[member->kind]) {
                check_descriptors(checker, member);
                return;
        }
        if (member->deprecated)
                json_file_warning(&checker->file, member->rule->node, "%s '%s' of %s is deprecated",
                                  member_kind_name(member->kind), member->member,
                                  member->interface);
        if (!member->typed)
                note(checker, member->rule->node,
                     "its types are not known before the service has been introspected");
        check_descriptors(checker, member);
        check_batch(checker, member->rule);
}

static void check_interface(Checker *checker, const MappingInterface *interface)
{
        uint32_t noted = 0; /* "*" for a whole interface is one place */

        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                const MappingRule *all = interface->all[kind];

                if (all && !mapping_rule_hides(all) && !interface->introspection &&
                    all->node != noted) {
                        noted = all->node;
                        note(checker, all->node,
                             "\"*\": its members are not known before the service has been "
                             "introspected");
                        check_batch(checker, all);
                }
                for (const MappingMember *m = interface->members[kind]; m; m = m->hh_dbus.next)
                        check_member(checker, interface, m);
        }
}

void check_service(const MappingService *service, Diagnostics *warnings, Diagnostics *notes)
{
        Checker checker = {.warnings = warnings, .notes = notes};

        if (json_file_load(&checker.file, service->file, warnings) >= 0)
                for (const MappingObject *o = service->objects; o; o = o->hh.next)
                        for (const MappingInterface *i = o->interfaces; i; i = i->hh.next)
                                check_interface(&checker, i);
        json_file_done(&checker.file);
}
