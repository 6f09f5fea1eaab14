/* SPDX-License-Identifier: MIT */

#include "gateway/diff.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/generate-tree.h"
#include "gateway/mapping-internal.h"

typedef struct Comparison {
        const MappingService *service;
        const Survey *survey;
        MappingObject **owners; /* of the objects of the survey, in their order; owned */
        Buffer *out;
        int count;
} Comparison;

static void add(Comparison *comparison, char kind, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void add(Comparison *comparison, char kind, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        if (!text) {
                comparison->out->status = -ENOMEM;
                return;
        }
        buffer_printf(comparison->out, "%c %s\n", kind, text);
        comparison->count += kind != '?';
}

/* ---- members ---- */

static bool has_descriptor(const IntrospectionArgs *args)
{
        for (size_t i = 0; i < args->count; i++)
                if (strchr(args->items[i].type, 'h'))
                        return true;
        return false;
}

static void append_seen(Buffer *text, const IntrospectionArgs *seen)
{
        for (size_t i = 0; i < seen->count; i++)
                buffer_append_text(text, seen->items[i].type);
}

/* The types as the mapping has them; what it leaves to introspection is as that says. */
static void compare_args(Comparison *comparison, const MappingRule *rule, const char *where,
                         const char *what, const MappingArgRules *given,
                         const IntrospectionArgs *seen)
{
        CLEANUP_BUFFER Buffer here = BUFFER_INIT(0), there = BUFFER_INIT(0);

        if (!given->given)
                return;
        append_seen(&there, seen);
        for (size_t i = 0; i < given->count; i++) {
                const char *type = given->items[i].type;

                if (!type)
                        type = i < seen->count ? seen->items[i].type : "?";
                buffer_append_text(&here, type);
        }
        if (strcmp(buffer_text(&here), buffer_text(&there)) != 0 || given->count != seen->count)
                add(comparison, '!', "%s %s %s: %s is '%s' in the mapping and '%s' in the service",
                    where, member_kind_name(rule->kind), rule->member, what, buffer_text(&here),
                    buffer_text(&there));
}

static void compare_property(Comparison *comparison, const MappingInterface *interface,
                             const MappingRule *rule, const char *where,
                             const IntrospectionMember *seen)
{
        static const char *const words[] = {"true", "invalidates", "const", "false"};
        int emits = rule->emits_changed;

        if (rule->value.type && strcmp(rule->value.type, seen->out.items[0].type) != 0)
                add(comparison, '!',
                    "%s property %s: its type is '%s' in the mapping and '%s' in the service",
                    where, rule->member, rule->value.type, seen->out.items[0].type);
        if (rule->writable == 1 && !seen->writable)
                add(comparison, '!', "%s property %s: writable in the mapping, not in the service",
                    where, rule->member);
        /* a mapping that is not introspected takes what it does not say for true */
        if (emits < 0 && !mapping_object_needs_introspection(interface->object) &&
            !interface->introspection)
                emits = EMITS_CHANGED_TRUE;
        if (emits >= 0 && emits != (int)seen->emits_changed)
                add(comparison, '!',
                    "%s property %s: emits_changed is \"%s\" in the mapping and \"%s\" in the "
                    "service",
                    where, rule->member, words[emits], words[seen->emits_changed]);
}

static void compare_rule(Comparison *comparison, const MappingInterface *interface,
                         const MappingRule *rule, const char *where,
                         const IntrospectionInterface *definition)
{
        const IntrospectionMember *seen;

        if (mapping_rule_hides(rule))
                return;
        seen = introspection_find_member(definition, rule->kind, rule->member);
        if (!seen) {
                add(comparison, '-', "%s %s %s", where, member_kind_name(rule->kind), rule->member);
                return;
        }
        switch (rule->kind) {
        case MEMBER_METHOD:
                compare_args(comparison, rule, where, "in", &rule->in, &seen->in);
                compare_args(comparison, rule, where, "out", &rule->out, &seen->out);
                break;
        case MEMBER_PROPERTY: compare_property(comparison, interface, rule, where, seen); break;
        case MEMBER_SIGNAL:
                compare_args(comparison, rule, where, "args", &rule->out, &seen->out);
                break;
        case MEMBER_KINDS: break;
        }
}

static void find_unmapped(Comparison *comparison, const MappingInterface *interface,
                          MemberKind kind, const char *where,
                          const IntrospectionInterface *definition)
{
        const MappingRule *rule;

        if (interface->all[kind] || definition->deprecated)
                return;
        for (const IntrospectionMember *m = definition->members[kind]; m; m = m->hh.next) {
                HASH_FIND_STR(interface->rules[kind], m->name, rule);
                if (!rule && !m->deprecated && !has_descriptor(&m->in) && !has_descriptor(&m->out))
                        add(comparison, '+', "%s %s %s", where, member_kind_name(kind), m->name);
        }
}

/* ---- interfaces and objects ---- */

static void compare_interface(Comparison *comparison, const MappingInterface *interface,
                              const IntrospectionInterface *definition, bool only_mapped)
{
        CLEANUP_FREE char *where = NULL;

        if (asprintf(&where, "%s %s", interface->object->path, interface->name) < 0) {
                where = NULL;
                comparison->out->status = -ENOMEM;
                return;
        }
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                for (const MappingRule *r = interface->rules[kind]; r; r = r->hh.next)
                        compare_rule(comparison, interface, r, where, definition);
                if (!only_mapped)
                        find_unmapped(comparison, interface, kind, where, definition);
        }
}

/* Whether one of the entry's objects has the interface; without a name, whether there is one. */
static bool is_there(const Comparison *comparison, const MappingObject *entry, const char *name)
{
        size_t i = 0;

        for (const SurveyObject *o = comparison->survey->objects; o; o = o->hh.next, i++)
                if (comparison->owners[i] == entry && o->n_interfaces > 0 &&
                    (!name || survey_object_has(o, name)))
                        return true;
        return false;
}

static void find_unmapped_interfaces(Comparison *comparison, const MappingObject *entry)
{
        const IntrospectionInterface *definition = comparison->survey->definitions.interfaces;
        const MappingInterface *mapped;

        for (; definition; definition = definition->hh.next) {
                HASH_FIND_STR(entry->interfaces, definition->name, mapped);
                if (!mapped && !definition->deprecated &&
                    is_there(comparison, entry, definition->name))
                        add(comparison, '+', "%s %s", entry->path, definition->name);
        }
}

static void compare_entry(Comparison *comparison, const MappingObject *entry, bool only_mapped)
{
        const IntrospectionInterface *definition;

        if (!is_there(comparison, entry, NULL)) {
                add(comparison, entry->template ? '?' : '-', "%s", entry->path);
                return;
        }
        for (const MappingInterface *i = entry->interfaces; i; i = i->hh.next) {
                if (survey_is_standard(i->name))
                        continue;
                definition = introspection_find(&comparison->survey->definitions, i->name);
                if (definition && is_there(comparison, entry, i->name))
                        compare_interface(comparison, i, definition, only_mapped);
                else
                        add(comparison, entry->template ? '?' : '-', "%s %s", entry->path, i->name);
        }
        if (!only_mapped)
                find_unmapped_interfaces(comparison, entry);
}

/* A survey of files may know templates. */
static MappingObject *find_owner(const MappingService *service, const char *path)
{
        if (!path_template_is(path))
                return mapping_service_find_path(service, path);
        for (MappingObject *o = service->objects; o; o = o->hh.next)
                if (strcmp(o->path, path) == 0)
                        return o;
        return NULL;
}

static bool has_no_owner(const SurveyObject *object, const void *userdata)
{
        return !find_owner(userdata, object->path);
}

static int find_unmapped_objects(Comparison *comparison)
{
        CLEANUP_DRAFT Draft draft = {};
        int r;

        r = draft_make(comparison->survey, comparison->service->bus_name, has_no_owner,
                       comparison->service, &draft);
        for (size_t i = 0; i < draft.count && r >= 0; i++)
                for (size_t k = 0; k < draft.items[i].n_interfaces; k++)
                        if (!draft.items[i].interfaces[k]->deprecated)
                                add(comparison, '+', "%s %s", draft.items[i].path,
                                    draft.items[i].interfaces[k]->name);
        return r;
}

int diff_write(const MappingService *service, const Survey *survey, bool only_mapped, Buffer *out)
{
        CLEANUP_FREE MappingObject **owners =
                calloc(HASH_COUNT(survey->objects) + 1, sizeof(*owners));
        Comparison comparison = {
                .service = service,
                .survey = survey,
                .owners = owners,
                .out = out,
        };
        size_t i = 0;
        int r = 0;

        if (!owners)
                return -ENOMEM;
        for (const SurveyObject *o = survey->objects; o; o = o->hh.next)
                owners[i++] = find_owner(service, o->path);
        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                compare_entry(&comparison, o, only_mapped);
        if (!only_mapped)
                r = find_unmapped_objects(&comparison);
        if (r < 0 || buffer_status(out) < 0)
                return r < 0 ? r : buffer_status(out);
        return comparison.count;
}
