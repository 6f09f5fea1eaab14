/* SPDX-License-Identifier: MIT */

#include "cli/description.h"

#include <errno.h>
#include <string.h>

static const char *const lists[] = {
        [MEMBER_METHOD] = "methods",
        [MEMBER_SIGNAL] = "x-signals",
        [MEMBER_PROPERTY] = "x-properties",
};

void description_done(Description *description)
{
        json_doc_done(&description->doc);
        free(description->text);
        *description = (Description){};
}

int description_parse(Description *description, const char *text, size_t length)
{
        int r;

        description_done(description);
        description->text = strndup(text, length);
        if (!description->text)
                return -ENOMEM;
        r = json_scan(&description->doc, description->text, length, JSON_SCAN_STRICT);
        if (r >= 0 && json_type(&description->doc, 0) != JSON_OBJECT)
                r = -EBADMSG;
        if (r < 0)
                description_done(description);
        return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

/* ---- members ---- */

static void member_done(Member *member)
{
        free(member->name);
        free(member->object);
        free(member->interface);
        free(member->signature);
        free(member->result);
        free(member->flags);
}

/* A member of an object that is a string; NULL. */
static char *dup_text(const JsonDoc *doc, uint32_t object, const char *key)
{
        uint32_t node = json_find(doc, object, key);
        char *text = NULL;

        if (node > 0)
                (void)json_string_dup(doc, node, &text);
        return text;
}

static bool is_set(const JsonDoc *doc, uint32_t object, const char *key)
{
        uint32_t node = json_find(doc, object, key);

        return node > 0 && json_type(doc, node) == JSON_BOOLEAN && json_boolean(doc, node);
}

/* The D-Bus type of a value, which stands beside its schema or in it; "?" for one without. */
static void write_type(Buffer *buffer, const JsonDoc *doc, uint32_t node)
{
        char *type = dup_text(doc, node, "x-dbus-type");
        uint32_t schema = json_find(doc, node, "schema");

        if (!type && schema > 0)
                type = dup_text(doc, schema, "x-dbus-type");
        buffer_append_text(buffer, type ? type : "?");
        free(type);
}

static char *read_signature(const JsonDoc *doc, uint32_t params)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        if (params > 0)
                JSON_FOREACH (doc, params, child)
                        write_type(&text, doc, child);
        return buffer_steal(&text);
}

static char *read_result(const JsonDoc *doc, uint32_t node)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        uint32_t result = json_find(doc, node, "result"), schema = 0, type = 0;

        if (result > 0)
                schema = json_find(doc, result, "schema");
        if (schema > 0)
                type = json_find(doc, schema, "type");
        if (result > 0 && !(type > 0 && json_string_is(doc, type, "null")))
                write_type(&text, doc, result);
        return buffer_steal(&text);
}

static void add_flag(Buffer *buffer, const char *flag)
{
        buffer_printf(buffer, "%s%s", buffer->length > 0 ? " " : "", flag);
}

static char *read_flags(const JsonDoc *doc, uint32_t node, MemberKind kind)
{
        static const struct {
                const char *key;
                const char *flag;
        } flags[] = {
                {"writable", "writable"},   {"x-idempotent", "idempotent"}, {"x-const", "const"},
                {"x-no-reply", "no-reply"}, {"deprecated", "deprecated"},
        };
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);
        CLEANUP_FREE char *access = dup_text(doc, node, "x-access");
        CLEANUP_FREE char *emits = dup_text(doc, node, "x-emits-changed");

        if (access && kind == MEMBER_METHOD)
                add_flag(&text, access);
        if (emits && kind == MEMBER_PROPERTY)
                add_flag(&text, !strcmp(emits, "true")    ? "emits-change"
                                : !strcmp(emits, "false") ? "no-signal"
                                                          : emits);
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (is_set(doc, node, flags[i].key))
                        add_flag(&text, flags[i].flag);
        return buffer_steal(&text);
}

/* Behind the object, which stands in front of the name where it must be unique. */
static char *read_name(const JsonDoc *doc, uint32_t node)
{
        CLEANUP_BUFFER Buffer name = BUFFER_INIT(0);
        CLEANUP_FREE char *whole = dup_text(doc, node, "name");
        size_t start = 0;

        if (!whole)
                return NULL;
        for (size_t i = 0; whole[i]; i++)
                if (whole[i] == '/')
                        start = i + 1;
        buffer_append_text(&name, whole + start);
        return buffer_steal(&name);
}

static int visit_node(const Description *description, MemberKind kind, uint32_t node,
                      DescriptionVisit visit, void *userdata)
{
        const JsonDoc *doc = &description->doc;
        CLEANUP(member_done) Member member = {.kind = kind};
        uint32_t params;

        if (json_type(doc, node) != JSON_OBJECT)
                return 0;
        member.name = read_name(doc, node);
        if (!member.name)
                return 0;
        member.object = dup_text(doc, node, "x-object");
        if (!member.object)
                member.object = strdup("-");
        member.interface = dup_text(doc, node, "x-interface");
        params = json_find(doc, node, "params");
        member.params = params > 0 && json_type(doc, params) == JSON_ARRAY ? params : 0;
        if (kind == MEMBER_PROPERTY) {
                CLEANUP_BUFFER Buffer type = BUFFER_INIT(0);

                write_type(&type, doc, node);
                member.signature = buffer_steal(&type);
        } else {
                member.signature = read_signature(doc, member.params);
        }
        member.result = kind == MEMBER_METHOD ? read_result(doc, node) : NULL;
        member.flags = read_flags(doc, node, kind);
        if (!member.object || !member.signature || !member.flags)
                return -ENOMEM;
        return visit(description, &member, userdata);
}

int description_each(const Description *description, DescriptionVisit visit, void *userdata)
{
        const JsonDoc *doc = &description->doc;
        int r = 0;

        for (size_t kind = 0; description->text && kind < ARRAY_SIZE(lists); kind++) {
                uint32_t list = json_find(doc, 0, lists[kind]);

                if (list == 0 || json_type(doc, list) != JSON_ARRAY)
                        continue;
                JSON_FOREACH (doc, list, node) {
                        r = visit_node(description, (MemberKind)kind, node, visit, userdata);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

char *description_dbus_name(const Description *description)
{
        return description->text ? dup_text(&description->doc, 0, "x-dbus-name") : NULL;
}

bool description_has_object(const Description *description, const char *object)
{
        const JsonDoc *doc = &description->doc;

        for (size_t kind = 0; description->text && kind < ARRAY_SIZE(lists); kind++) {
                uint32_t list = json_find(doc, 0, lists[kind]);

                if (list == 0 || json_type(doc, list) != JSON_ARRAY)
                        continue;
                JSON_FOREACH (doc, list, node) {
                        uint32_t of = json_find(doc, node, "x-object");

                        if (of > 0 ? json_string_is(doc, of, object) : !strcmp(object, "-"))
                                return true;
                }
        }
        return false;
}

static bool meta_has_interface(const JsonDoc *meta, const char *interface)
{
        uint32_t list;

        if (!meta || meta->n_nodes == 0 || json_type(meta, 0) != JSON_OBJECT || !interface)
                return false;
        list = json_find(meta, 0, "interfaces");
        if (list == 0 || json_type(meta, list) != JSON_ARRAY)
                return false;
        JSON_FOREACH (meta, list, item)
                if (json_string_is(meta, item, interface))
                        return true;
        return false;
}

bool description_member_is_of(const Member *member, const char *object, bool described,
                              const JsonDoc *meta)
{
        if (!strcmp(member->object, object))
                return true;
        return !described && meta_has_interface(meta, member->interface);
}
