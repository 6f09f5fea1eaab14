/* SPDX-License-Identifier: MIT */

#include "gateway/introspection-write.h"

/* In attributes, where a parser would make spaces of line ends. */
static void write_escaped(const char *text, Buffer *out)
{
        for (; *text; text++)
                switch (*text) {
                case '<': buffer_append_text(out, "&lt;"); break;
                case '>': buffer_append_text(out, "&gt;"); break;
                case '&': buffer_append_text(out, "&amp;"); break;
                case '"': buffer_append_text(out, "&quot;"); break;
                case '\t': buffer_append_text(out, "&#9;"); break;
                case '\n': buffer_append_text(out, "&#10;"); break;
                case '\r': buffer_append_text(out, "&#13;"); break;
                default: buffer_append_char(out, *text);
                }
}

static void write_attribute(const char *name, const char *value, Buffer *out)
{
        buffer_printf(out, " %s=\"", name);
        write_escaped(value, out);
        buffer_append_char(out, '"');
}

void introspection_write_annotation(const char *name, const char *value, Buffer *out)
{
        buffer_append_text(out, "   <annotation");
        write_attribute("name", name, out);
        write_attribute("value", value, out);
        buffer_append_text(out, "/>\n");
}

void introspection_write_annotations(const IntrospectionAnnotations *annotations, Buffer *out)
{
        for (size_t i = 0; i < annotations->count; i++)
                introspection_write_annotation(annotations->items[i].name,
                                               annotations->items[i].value, out);
}

void introspection_write_arg(const char *name, const char *type, const char *direction,
                             const IntrospectionAnnotations *annotations, Buffer *out)
{
        buffer_printf(out, "   <arg type=\"%s\"", type);
        if (name)
                write_attribute("name", name, out);
        if (direction)
                write_attribute("direction", direction, out);
        if (!annotations || annotations->count == 0) {
                buffer_append_text(out, "/>\n");
                return;
        }
        buffer_append_text(out, ">\n");
        introspection_write_annotations(annotations, out);
        buffer_append_text(out, "   </arg>\n");
}

const char *introspection_access(bool readable, bool writable)
{
        return !readable ? "write" : writable ? "readwrite" : "read";
}

static void write_args(const IntrospectionArgs *args, const char *direction, Buffer *out)
{
        for (size_t i = 0; i < args->count; i++)
                introspection_write_arg(args->items[i].name, args->items[i].type, direction,
                                        &args->items[i].annotations, out);
}

static void write_member(const IntrospectionMember *member, Buffer *out)
{
        const char *kind = member_kind_name(member->kind);

        buffer_printf(out, "  <%s name=\"%s\"", kind, member->name);
        if (member->kind == MEMBER_PROPERTY)
                buffer_printf(out, " type=\"%s\" access=\"%s\"", member->out.items[0].type,
                              introspection_access(member->readable, member->writable));
        buffer_append_text(out, ">\n");
        if (member->kind != MEMBER_PROPERTY) {
                write_args(&member->in, "in", out);
                write_args(&member->out, member->kind == MEMBER_METHOD ? "out" : NULL, out);
        }
        introspection_write_annotations(&member->annotations, out);
        buffer_printf(out, "  </%s>\n", kind);
}

void introspection_write_interface(const IntrospectionInterface *interface, Buffer *out)
{
        buffer_printf(out, " <interface name=\"%s\">\n", interface->name);
        introspection_write_annotations(&interface->annotations, out);
        for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                for (IntrospectionMember *m = interface->members[kind]; m; m = m->hh.next)
                        write_member(m, out);
        buffer_append_text(out, " </interface>\n");
}
