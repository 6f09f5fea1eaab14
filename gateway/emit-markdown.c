/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "gateway/emit.h"

/* Text of people may contain what divides cells, or lines. */
static void write_cell(Buffer *out, const char *text)
{
        for (; text && *text; text++) {
                if (*text == '|')
                        buffer_append_text(out, "\\|");
                else
                        buffer_append_char(out, *text == '\n' || *text == '\r' ? ' ' : *text);
        }
}

static void write_args(Buffer *out, const CodecArgs *args)
{
        for (size_t i = 0; i < args->count; i++) {
                buffer_append_text(out, i > 0 ? ", " : "");
                write_cell(out, args->items[i].name);
                buffer_printf(out, " `%s`", codec_type_signature(args->items[i].type));
        }
}

static void write_types(Buffer *out, const MappingMember *member, const CodecArgs *args)
{
        if (member->typed)
                write_args(out, args);
        else
                buffer_append_text(out, "?");
}

static void write_end(Buffer *out, const MappingMember *member)
{
        buffer_append_text(out, " | ");
        if (member->deprecated)
                buffer_append_text(out, "Deprecated. ");
        write_cell(out, member->rule->summary);
        buffer_append_text(out, " |\n");
}

static void write_method(Buffer *out, const MappingMember *member)
{
        buffer_printf(out, "| `%s` | ", member->name);
        write_types(out, member, &member->in);
        buffer_append_text(out, " | ");
        write_types(out, member, &member->out);
        buffer_printf(out, " | %s", member->access);
        write_end(out, member);
}

static void write_property(Buffer *out, const MappingMember *member)
{
        static const char *const changes[] = {"yes", "without the value", "never changes", "no"};

        buffer_printf(out, "| `%s` | ", member->name);
        if (member->typed)
                buffer_printf(out, "`%s`", codec_type_signature(member->out.items[0].type));
        else
                buffer_append_text(out, "?");
        buffer_printf(out, " | %s | %s", member->writable ? member->access : "",
                      member->mask ? "secret" : changes[member->emits_changed]);
        write_end(out, member);
}

static void write_signal(Buffer *out, const MappingMember *member)
{
        buffer_printf(out, "| `%s` | ", member->name);
        write_types(out, member, &member->out);
        write_end(out, member);
}

static const struct {
        const char *title;
        const char *head;
        void (*write)(Buffer *out, const MappingMember *member);
} tables[] = {
        [MEMBER_METHOD] = {"Methods",
                           "| method | takes | returns | access | |\n|---|---|---|---|---|\n",
                           write_method},
        [MEMBER_PROPERTY] = {"Properties",
                             "| property | type | set by | tells of changes | |\n"
                             "|---|---|---|---|---|\n",
                             write_property},
        [MEMBER_SIGNAL] = {"Signals", "| signal | carries | |\n|---|---|---|\n", write_signal},
};

static void write_object(Buffer *out, const EmitOptions *options, const MappingObject *object)
{
        buffer_printf(out, "\n## `%s`\n\n", object->name);
        buffer_printf(out, "Topics: `%s/%s/%s/…`. D-Bus object: `%s`.\n", options->root,
                      object->service->name, object->name, object->path);
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++) {
                if (!object->members[kind])
                        continue;
                buffer_printf(out, "\n### %s\n\n%s", tables[kind].title, tables[kind].head);
                for (const MappingMember *m = object->members[kind]; m; m = m->hh.next)
                        tables[kind].write(out, m);
        }
}

int emit_markdown(const MappingSet *set, const EmitOptions *options, Buffer *buffer)
{
        for (const MappingService *s = set->services; s; s = s->hh.next) {
                buffer_printf(buffer, "%s# %s\n\n", s == set->services ? "" : "\n", s->name);
                if (s->summary) {
                        write_cell(buffer, s->summary);
                        buffer_append_text(buffer, "\n\n");
                }
                buffer_printf(buffer, "D-Bus name: `%s`, on the %s bus.\n", s->bus_name,
                              s->bus ? s->bus : "system");
                for (const MappingObject *o = s->objects; o; o = o->hh.next)
                        write_object(buffer, options, o);
        }
        return buffer_status(buffer);
}
