/* SPDX-License-Identifier: MIT */

/* From rules and introspection to members. An object is compiled as a whole, since its interfaces
 * share the names in topics: first what is listed, then what "*" stands for, both in the order of
 * the file; a name that is taken becomes {interface}.{member}. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/mapping-internal.h"
#include "gateway/names.h"

typedef struct Compiler {
        MappingObject *object;
        JsonFile *file; /* while a file is loaded; else NULL */
        Diagnostics *diagnostics;
} Compiler;

/* Says something about a member: as an error of the file if there is one and `level` says so, else
 * as a warning, which costs nothing but the member. */
static void report(Compiler *compiler, DiagnosticLevel level, const MappingMember *member,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static void report(Compiler *compiler, DiagnosticLevel level, const MappingMember *member,
                   const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        if (compiler->file && level == DIAGNOSTIC_ERROR)
                json_file_error(compiler->file, member->rule->node, "%s %s",
                                member_kind_name(member->kind), text ? text : "out of memory");
        else if (compiler->file)
                json_file_warning(compiler->file, member->rule->node, "%s %s",
                                  member_kind_name(member->kind), text ? text : "out of memory");
        else
                diagnostics_add(compiler->diagnostics, DIAGNOSTIC_WARNING, "%s: %s: %s %s",
                                compiler->object->service->file, compiler->object->path,
                                member_kind_name(member->kind), text ? text : "out of memory");
}

/* ---- types ---- */

static CodecOptions choose_options(const MappingRule *rule, const MappingArgRule *arg)
{
        int bytes = arg && arg->bytes >= 0 ? arg->bytes : rule->bytes;
        int variant = arg && arg->variant >= 0 ? arg->variant : rule->variant;

        return (CodecOptions){
                .bytes = bytes >= 0 ? (CodecBytes)bytes : CODEC_BYTES_BASE64,
                .typed_variants = variant == 1,
                .fields = arg ? (const char *const *)arg->fields : NULL,
                .n_fields = arg ? arg->n_fields : 0,
        };
}

/* One argument from what the file says of it, `arg`, and what introspection says, `seen`; either
 * may be NULL. Returns 0 if no type is known. */
static int resolve_arg(Compiler *compiler, MappingMember *member, const MappingArgRule *arg,
                       const IntrospectionArg *seen, CodecArgs *args, Error **ret_error)
{
        CodecOptions options = choose_options(member->rule, arg);
        const char *type = arg && arg->type ? arg->type : seen ? seen->type : NULL;
        const char *name = arg && arg->name ? arg->name : seen ? seen->name : NULL;
        int r;

        if (!type)
                return 0;
        if (seen && strcmp(type, seen->type) != 0)
                report(compiler, DIAGNOSTIC_WARNING, member,
                       "'%s': its argument %zu is '%s' here and '%s' in introspection",
                       member->member, args->count, type, seen->type);
        r = codec_args_add(args, name, type, &options, ret_error);
        if (r == -EEXIST && !(arg && arg->name)) {
                if (ret_error)
                        *ret_error = error_free(*ret_error);
                r = codec_args_add(args, NULL, type, &options, ret_error);
        }
        return r < 0 ? r : 1;
}

/* A whole list. `seen` is NULL without introspection; `implied` says that then a list that the file
 * does not give is empty, and not unknown. Returns 1, or 0 if the types are not known. */
static int resolve_list(Compiler *compiler, MappingMember *member, const MappingArgRules *given,
                        const IntrospectionArgs *seen, bool implied, CodecArgs *args,
                        Error **ret_error)
{
        size_t count = given->given ? given->count : seen ? seen->count : 0;
        int r;

        if (!given->given && !seen)
                return implied;
        if (given->given && seen && seen->count != given->count) {
                report(compiler, DIAGNOSTIC_WARNING, member,
                       "'%s' has %zu arguments here and %zu in introspection", member->member,
                       given->count, seen->count);
                seen = NULL;
        }
        for (size_t i = 0; i < count; i++) {
                r = resolve_arg(compiler, member, given->given ? &given->items[i] : NULL,
                                seen ? &seen->items[i] : NULL, args, ret_error);
                if (r <= 0)
                        return r;
        }
        return 1;
}

static int resolve_types(Compiler *compiler, MappingMember *member, const IntrospectionMember *seen,
                         Error **ret_error)
{
        const MappingRule *rule = member->rule;
        int r, q;

        switch (member->kind) {
        case MEMBER_METHOD:
                r = resolve_list(compiler, member, &rule->in, seen ? &seen->in : NULL,
                                 rule->out.given, &member->in, ret_error);
                if (r < 0)
                        return r;
                q = resolve_list(compiler, member, &rule->out, seen ? &seen->out : NULL,
                                 rule->in.given, &member->out, ret_error);
                return q < 0 ? q : r && q;
        case MEMBER_PROPERTY:
                return resolve_arg(compiler, member, &rule->value,
                                   seen ? &seen->out.items[0] : NULL, &member->out, ret_error);
        case MEMBER_SIGNAL:
                return resolve_list(compiler, member, &rule->out, seen ? &seen->out : NULL, false,
                                    &member->out, ret_error);
        case MEMBER_KINDS: break;
        }
        return -EINVAL;
}

/* Fills in the types. A member whose types cannot be used stays in the table, untyped. */
static int resolve(Compiler *compiler, MappingMember *member, const IntrospectionMember *seen)
{
        CLEANUP_ERROR Error *error = NULL;
        int r;

        r = resolve_types(compiler, member, seen, &error);
        if (r == -ENOMEM)
                return r;
        if (r > 0 && member->rule->n_filter > 0) {
                r = mapping_member_compile_filter(member, &error);
                if (r == -ENOMEM)
                        return r;
                r = r < 0 ? r : 1;
        }
        if (r < 0)
                report(compiler, DIAGNOSTIC_ERROR, member, "'%s': %s", member->member,
                       error_text(error));
        member->typed = r > 0;
        if (!member->typed) {
                codec_args_done(&member->in);
                codec_args_done(&member->out);
        }
        return 0;
}

/* ---- members ---- */

static bool any_masked(const MappingArgRules *args)
{
        for (size_t i = 0; i < args->count; i++)
                if (args->items[i].mask)
                        return true;
        return false;
}

static void fill_flags(MappingMember *member, const IntrospectionMember *seen)
{
        const MappingRule *rule = member->rule;

        member->access = mapping_rule_access(rule);
        member->batch = rule->batch >= 0 ? rule->batch : strcmp(member->access, "read") == 0;
        member->mask = rule->mask || any_masked(&rule->in) || any_masked(&rule->out);
        member->deprecated = rule->deprecated || (seen && seen->deprecated);
        member->no_reply = rule->no_reply >= 0 ? rule->no_reply : seen && seen->no_reply;
        member->readable = !seen || seen->readable;
        member->writable = rule->writable != 0 && (seen ? seen->writable : rule->writable == 1);
        if (rule->emits_changed >= 0)
                member->emits_changed = (EmitsChanged)rule->emits_changed;
        else
                member->emits_changed = seen ? seen->emits_changed : EMITS_CHANGED_TRUE;
}

static MappingMember *member_new(MappingRule *rule, const char *interface, const char *name)
{
        MappingMember *member;

        member = calloc(1, sizeof(*member));
        if (!member)
                return NULL;
        member->n_refs = 1;
        member->kind = rule->kind;
        member->rule = mapping_rule_ref(rule);
        member->interface = strdup(interface);
        member->member = strdup(name);
        member->name = strdup(rule->as ? rule->as : name);
        if (member->interface && member->member && member->name)
                return member;
        return mapping_member_unref(member);
}

/* Gives the member the name it has when its own one is taken. 0 if that is taken as well. */
static int take_long_name(Compiler *compiler, MappingMember *member, const MappingMember *other)
{
        char *name;

        if (asprintf(&name, "%s.%s", member->interface, member->member) < 0)
                return -ENOMEM;
        if (name_check_member(name, NULL) < 0 ||
            mapping_object_find(compiler->object, member->kind, name)) {
                free(name);
                report(compiler, DIAGNOSTIC_WARNING, member,
                       "'%s' of %s is left out: its name is taken by %s", member->member,
                       member->interface, other->interface);
                return 0;
        }
        report(compiler, DIAGNOSTIC_WARNING, member, "'%s' of %s is called '%s': %s has it too",
               member->member, member->interface, name, other->interface);
        free(member->name);
        member->name = name;
        return 1;
}

/* Settles the name. Returns 1 if the member has one. */
static int settle_name(Compiler *compiler, MappingMember *member, bool listed)
{
        const MappingMember *other;

        other = mapping_object_find(compiler->object, member->kind, member->name);
        if (!other)
                return 1;
        if (!listed)
                return take_long_name(compiler, member, other);
        report(compiler, DIAGNOSTIC_ERROR, member,
               "'%s' of %s has the name of %s.%s: give one of them another one with \"as\"",
               member->name, member->interface, other->interface, other->member);
        return 0;
}

/* Consumes the member. */
static int insert(MappingInterface *interface, MappingMember *member)
{
        MappingMember **by_name = &interface->object->members[member->kind];
        MappingMember **by_member = &interface->members[member->kind];

        HASH_ADD_KEYPTR(hh, *by_name, member->name, strlen(member->name), member);
        if (!hash_added(member->hh)) {
                mapping_member_unref(member);
                return -ENOMEM;
        }
        HASH_ADD_KEYPTR(hh_dbus, *by_member, member->member, strlen(member->member), member);
        return hash_added(member->hh_dbus) ? 0 : -ENOMEM;
}

static int add_member(Compiler *compiler, MappingInterface *interface, MappingRule *rule,
                      const char *name, const IntrospectionMember *seen)
{
        CLEANUP(mapping_member_cleanup) MappingMember *member = NULL;
        bool listed = rule != interface->all[rule->kind];
        int r;

        member = member_new(rule, interface->name, name);
        if (!member)
                return -ENOMEM;
        fill_flags(member, seen);
        if (interface->introspection && !seen)
                report(compiler, DIAGNOSTIC_WARNING, member, "'%s' of %s is not in introspection",
                       name, interface->name);
        r = resolve(compiler, member, seen);
        if (r < 0)
                return r;
        r = settle_name(compiler, member, listed);
        return r <= 0 ? r : insert(interface, STEAL(member));
}

/* ---- objects ---- */

static int add_listed(Compiler *compiler, MappingInterface *interface, MemberKind kind)
{
        const IntrospectionMember *seen;
        int r;

        for (MappingRule *rule = interface->rules[kind]; rule; rule = rule->hh.next) {
                if (mapping_rule_hides(rule))
                        continue;
                seen = interface->introspection
                               ? introspection_find_member(interface->introspection, kind,
                                                           rule->member)
                               : NULL;
                r = add_member(compiler, interface, rule, rule->member, seen);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_star(Compiler *compiler, MappingInterface *interface, MemberKind kind)
{
        const IntrospectionInterface *introspection = interface->introspection;
        MappingRule *all = interface->all[kind], *listed;
        int r;

        if (!all || mapping_rule_hides(all) || !introspection || introspection->deprecated)
                return 0;
        for (IntrospectionMember *m = introspection->members[kind]; m; m = m->hh.next) {
                HASH_FIND_STR(interface->rules[kind], m->name, listed);
                if (listed || m->deprecated)
                        continue;
                r = add_member(compiler, interface, all, m->name, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_all(Compiler *compiler, MemberKind kind)
{
        MappingInterface *first = compiler->object->interfaces;
        int r;

        for (MappingInterface *i = first; i; i = i->hh.next) {
                r = add_listed(compiler, i, kind);
                if (r < 0)
                        return r;
        }
        for (MappingInterface *i = first; i; i = i->hh.next) {
                r = add_star(compiler, i, kind);
                if (r < 0)
                        return r;
        }
        return 0;
}

int mapping_object_compile(MappingObject *object, JsonFile *file, Diagnostics *diagnostics)
{
        Compiler compiler = {.object = object, .file = file, .diagnostics = diagnostics};
        int r = 0;

        mapping_object_clear(object);
        for (MemberKind kind = 0; kind < MEMBER_KINDS && r >= 0; kind++)
                r = add_all(&compiler, kind);
        if (r < 0)
                mapping_object_clear(object);
        return r;
}

void mapping_object_set_introspection(MappingObject *object, const Introspection *introspection)
{
        for (MappingInterface *i = object->interfaces; i; i = i->hh.next) {
                IntrospectionInterface *found = introspection_find(introspection, i->name);

                if (!found)
                        continue;
                introspection_interface_unref(i->introspection);
                i->introspection = introspection_interface_ref(found);
        }
}

int mapping_object_apply_introspection(MappingObject *object, const Introspection *introspection,
                                       Diagnostics *diagnostics)
{
        mapping_object_set_introspection(object, introspection);
        return mapping_object_compile(object, NULL, diagnostics);
}
