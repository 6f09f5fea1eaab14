/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/emit.h"

/* A line that is there already. */
typedef struct Line {
        char *text; /* owned */
        UT_hash_handle hh;
} Line;

typedef struct Acl {
        const EmitOptions *options;
        const char *user; /* whose lines are written; "*": everybody's */
        Line *lines;      /* of this user */
        Buffer *out;
} Acl;

static void drop_lines(Acl *acl)
{
        Line *line, *next;

        HASH_ITER (hh, acl->lines, line, next) {
                HASH_DEL(acl->lines, line);
                free(line->text);
                free(line);
        }
}

/* Adds a line unless it is there. Consumes the text, which may be NULL for want of memory. */
static void add_line(Acl *acl, char *text)
{
        Line *line = NULL;

        if (text)
                HASH_FIND_STR(acl->lines, text, line);
        if (line) {
                free(text);
                return;
        }
        line = calloc(1, sizeof(*line));
        if (line && text) {
                line->text = text;
                HASH_ADD_KEYPTR(hh, acl->lines, text, strlen(text), line);
        }
        if (!line || !text || !hash_added(line->hh)) {
                free(text);
                free(line);
                acl->out->status = -ENOMEM;
                return;
        }
        buffer_printf(acl->out, "%s\n", text);
}

static void add_comment(Acl *acl, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_comment(Acl *acl, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        char *line;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        add_line(acl, text && asprintf(&line, "# %s", text) >= 0 ? line : NULL);
}

/* Nothing but a whole level can be a wildcard: the members of a family have to be named. */
static const char *mark_of(const MappingService *service)
{
        return service->is_family ? "# for each of them: " : "";
}

/* One right to publish to, or receive from, what is below an object. */
static void add_right(Acl *acl, const MappingService *service, const char *object,
                      const char *right, const char *what, bool names_user)
{
        bool all = strcmp(acl->user, "*") == 0;
        char *text;

        if (asprintf(&text, "%s%s %s %s/%s/%s/%s%s%s", mark_of(service), all ? "pattern" : "topic",
                     right, acl->options->root, service->name, object, what, names_user ? "/" : "",
                     names_user ? (all ? "%u" : acl->user) : "") < 0)
                text = NULL;
        add_line(acl, text);
}

static void add_call(Acl *acl, const MappingService *service, const char *object,
                     const char *method)
{
        CLEANUP_FREE char *what = NULL;

        if (asprintf(&what, "call/%s", method) < 0) {
                what = NULL;
                acl->out->status = -ENOMEM;
                return;
        }
        add_right(acl, service, object, "write", what, true);
}

/* ---- classes ---- */

static bool holds(const Acl *acl, const char *access)
{
        for (size_t i = 0; i < acl->options->n_grants; i++)
                if (strcmp(acl->options->grants[i].user, acl->user) == 0 &&
                    strcmp(acl->options->grants[i].access, access) == 0)
                        return true;
        return false;
}

/* Who may receive a signal: readers, unless the mapping says somebody else. A property's class is
 * about writing it. */
static const char *class_of(const MappingMember *member)
{
        if (member->kind == MEMBER_SIGNAL)
                return member->rule->access ? member->rule->access : "read";
        return member->access;
}

static bool is_granted_kind(const MappingMember *member)
{
        return member->kind == MEMBER_METHOD ||
               (member->kind == MEMBER_PROPERTY && member->writable);
}

/* Whether the user may use the member of that name of all objects that have one. */
static bool holds_everywhere(const Acl *acl, const MappingService *service,
                             const MappingMember *member)
{
        for (const MappingObject *o = service->objects; o; o = o->hh.next) {
                const MappingMember *m = mapping_object_find(o, member->kind, member->name);

                if (m && (member->kind == MEMBER_SIGNAL || is_granted_kind(m)) &&
                    !holds(acl, class_of(m)))
                        return false;
        }
        return true;
}

/* Whether the user holds all that there is of a service. */
static bool holds_all(const Acl *acl, const MappingService *service)
{
        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                        for (const MappingMember *m = o->members[kind]; m; m = m->hh.next)
                                if ((kind == MEMBER_SIGNAL || is_granted_kind(m)) &&
                                    !holds(acl, class_of(m)))
                                        return false;
        return true;
}

/* ---- members ---- */

static bool may_be_granted(Acl *acl, const MappingObject *object, const MappingMember *member)
{
        if (!object->template || holds_everywhere(acl, object->service, member))
                return true;
        add_comment(acl,
                    "%s of %s is not granted: another object has one of another class, and a "
                    "topic filter cannot tell '%s' from it",
                    member->name, object->service->name, object->name);
        return false;
}

/* True if a right was given. */
static bool grant_member(Acl *acl, const MappingObject *object, const MappingMember *member)
{
        const char *level = object->template ? "+" : object->name;
        CLEANUP_FREE char *setter = NULL;

        if (!is_granted_kind(member) || !holds(acl, member->access) ||
            !may_be_granted(acl, object, member))
                return false;
        if (member->kind == MEMBER_METHOD) {
                add_call(acl, object->service, level, member->name);
                return true;
        }
        if (asprintf(&setter, "prop.set.%s", member->name) < 0) {
                setter = NULL;
                acl->out->status = -ENOMEM;
                return false;
        }
        add_call(acl, object->service, level, setter);
        return true;
}

static bool grant_members(Acl *acl, const MappingService *service)
{
        bool any = false;

        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                        for (const MappingMember *m = o->members[kind]; m; m = m->hh.next)
                                any = grant_member(acl, o, m) || any;
        return any;
}

/* Signals of other classes than `read` have to be named one by one, and then all of them. */
static void grant_signals(Acl *acl, const MappingService *service)
{
        bool special = false;

        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                for (const MappingMember *m = o->members[MEMBER_SIGNAL]; m; m = m->hh.next)
                        special = special || strcmp(class_of(m), "read") != 0;
        if (!special) {
                if (holds(acl, "read"))
                        add_right(acl, service, "+", "read", "sig/+", false);
                return;
        }
        for (const MappingObject *o = service->objects; o; o = o->hh.next)
                for (const MappingMember *m = o->members[MEMBER_SIGNAL]; m; m = m->hh.next) {
                        CLEANUP_FREE char *what = NULL;

                        if (!holds(acl, class_of(m)) || !may_be_granted(acl, o, m))
                                continue;
                        if (asprintf(&what, "sig/%s", m->name) < 0)
                                what = NULL;
                        if (what)
                                add_right(acl, service, o->template ? "+" : o->name, "read", what,
                                          false);
                        else
                                acl->out->status = -ENOMEM;
                }
}

static void grant_service(Acl *acl, const MappingService *service)
{
        static const char *const reading[] = {"rpc.ping", "rpc.discover", "prop.get",
                                              "prop.getall"};
        bool any = grant_members(acl, service);

        grant_signals(acl, service);
        if (holds(acl, "read")) {
                add_right(acl, service, "+", "read", "prop/+", false);
                for (size_t i = 0; i < ARRAY_SIZE(reading); i++)
                        add_call(acl, service, "+", reading[i]);
                any = true;
        }
        if (any)
                add_call(acl, service, "+", "rpc.cancel");
        /* names no method in its topic, so it is for who may call each */
        if (any && holds_all(acl, service))
                add_right(acl, service, "+", "write", "rpc", true);
}

static void grant_user(Acl *acl, const MappingSet *set, const char *user)
{
        acl->user = user;
        if (strcmp(user, "*") == 0)
                buffer_append_text(acl->out, "\n# Everybody who has logged in.\n");
        else
                buffer_printf(acl->out, "\nuser %s\n", user);
        for (const MappingService *s = set->services; s; s = s->hh.next)
                grant_service(acl, s);
        drop_lines(acl);
}

static bool was_before(const EmitOptions *options, size_t index)
{
        for (size_t i = 0; i < index; i++)
                if (strcmp(options->grants[i].user, options->grants[index].user) == 0)
                        return true;
        return false;
}

/* ---- the file ---- */

static void write_gateway(const MappingSet *set, const EmitOptions *options, Buffer *out)
{
        buffer_printf(out, "\n# The gateway: what it provides, and its own presence.\nuser %s\n",
                      options->gateway);
        buffer_printf(out, "topic readwrite %s/%s/#\n", options->root, options->gateway);
        for (const MappingService *s = set->services; s; s = s->hh.next)
                buffer_printf(out, "%stopic readwrite %s/%s/#\n", mark_of(s), options->root,
                              s->name);
}

int emit_mosquitto_acl(const MappingSet *set, const EmitOptions *options, Buffer *buffer)
{
        Acl acl = {.options = options, .out = buffer};
        const char *root = options->root;

        buffer_append_text(buffer,
                           "# Written by dbus-mqtt-gateway emit mosquitto-acl. What is not granted "
                           "is refused.\n# `pattern` lines hold for everybody who has logged "
                           "in.\n\n# Replies to one's own requests; presence, descriptions and "
                           "objects of all services.\n");
        buffer_printf(buffer, "pattern read %s/+/+/call/+/%%u/+\npattern read %s/+/+/rpc/%%u/+\n",
                      root, root);
        buffer_printf(buffer,
                      "pattern read %s/+/$state\npattern read %s/+/$api\n"
                      "pattern read %s/+/+/$meta\n",
                      root, root, root);
        /* what is for everybody stands before the first user, where it is easiest to see */
        for (size_t i = 0; i < options->n_grants; i++)
                if (strcmp(options->grants[i].user, "*") == 0 && !was_before(options, i))
                        grant_user(&acl, set, "*");
        write_gateway(set, options, buffer);
        for (size_t i = 0; i < options->n_grants; i++)
                if (strcmp(options->grants[i].user, "*") != 0 && !was_before(options, i))
                        grant_user(&acl, set, options->grants[i].user);
        return buffer_status(buffer);
}
