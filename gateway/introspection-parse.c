/* SPDX-License-Identifier: MIT */

/* Introspection XML to Introspection, by expat. A stack of element kinds says where the parser is;
 * a const table says which element is known below which, and what it starts and ends. */

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/signature.h"
#include "gateway/introspection-internal.h"
#include "gateway/names.h"

typedef enum Place {
        PLACE_DOCUMENT, /* outside of the root element */
        PLACE_NODE,
        PLACE_INTERFACE,
        PLACE_METHOD,
        PLACE_PROPERTY,
        PLACE_SIGNAL,
        PLACE_ARG,
        PLACE_ANNOTATION,
        PLACE_ELSEWHERE, /* in an element that is read over */
} Place;

typedef struct Parser {
        XML_Parser expat;
        const char *source;
        Diagnostics *diagnostics;
        Introspection *result;
        IntrospectionInterface *interface; /* open now, owned; NULL: it is read over */
        IntrospectionMember *member;       /* open now, owned; NULL: it is read over */
        IntrospectionArg *arg;             /* open now, or the last one; borrowed */
        Place places[LIMIT_INTROSPECTION_DEPTH + 1];
        size_t nodes[LIMIT_INTROSPECTION_DEPTH +
                     1]; /* open ones, one more than the index; 0: none */
        unsigned depth;
        unsigned n_elements;
        int status; /* the failure that stopped expat */
        const char *reason;
        unsigned long line; /* where that was */
        unsigned long column;
} Parser;

typedef struct Element {
        const char *name;
        Place below;
        Place place;
        void (*start)(Parser *parser, const char **attributes);
        void (*end)(Parser *parser);
} Element;

static void fail(Parser *parser, int status, const char *reason)
{
        if (parser->status < 0)
                return;
        parser->status = status;
        parser->reason = reason;
        parser->line = (unsigned long)XML_GetCurrentLineNumber(parser->expat);
        parser->column = (unsigned long)XML_GetCurrentColumnNumber(parser->expat) + 1;
}

static void stop(Parser *parser, int status, const char *reason)
{
        fail(parser, status, reason);
        XML_StopParser(parser->expat, XML_FALSE);
}

static void out_of_memory(Parser *parser)
{
        stop(parser, -ENOMEM, "out of memory");
}

/* "SOURCE:LINE: interface I, method M: " goes in front of `text`. */
static void warn(Parser *parser, const char *text)
{
        const IntrospectionInterface *interface = parser->interface;
        const IntrospectionMember *member = parser->member;

        diagnostics_add(parser->diagnostics, DIAGNOSTIC_WARNING, "%s:%lu: %s%s%s%s%s%s%s",
                        parser->source, (unsigned long)XML_GetCurrentLineNumber(parser->expat),
                        interface ? "interface " : "", interface ? interface->name : "",
                        member ? ", " : "", member ? member_kind_name(member->kind) : "",
                        member ? " " : "", member ? member->name : "", text);
}

static const char *attribute(const char **attributes, const char *name)
{
        for (size_t i = 0; attributes[i]; i += 2)
                if (strcmp(attributes[i], name) == 0)
                        return attributes[i + 1];
        return NULL;
}

/* ---- nodes and interfaces ---- */

/* Consumes the path. */
static void add_node(Parser *parser, char *path)
{
        Introspection *result = parser->result;
        IntrospectionNode *nodes;

        nodes = path ? reallocarray(result->nodes, result->n_nodes + 1, sizeof(*nodes)) : NULL;
        if (!nodes) {
                free(path);
                out_of_memory(parser);
                return;
        }
        result->nodes = nodes;
        nodes[result->n_nodes++] = (IntrospectionNode){.path = path};
        parser->nodes[parser->depth] = result->n_nodes;
}

/* The node that an element of the present depth is in. */
static IntrospectionNode *outer_node(Parser *parser)
{
        size_t index = parser->nodes[parser->depth - 1];

        return index > 0 ? &parser->result->nodes[index - 1] : NULL;
}

static void add_child_node(Parser *parser, const char *name)
{
        const IntrospectionNode *outer = outer_node(parser);
        char *path;

        if (!outer || !name)
                return;
        if (asprintf(&path, "/%s%s%s", outer->path, *outer->path ? "/" : "", name) < 0) {
                out_of_memory(parser);
                return;
        }
        if (path[1] && name_check_path(path, NULL) >= 0)
                add_node(parser, strdup(path + 1));
        free(path);
}

static void add_to_node(Parser *parser, IntrospectionNode *node, IntrospectionInterface *interface)
{
        if (node && !introspection_node_has(node, interface->name) &&
            introspection_node_add(node, interface) < 0)
                out_of_memory(parser);
}

static void start_root(Parser *parser, const char **attributes)
{
        const char *name = attribute(attributes, "name");

        add_node(parser, strdup(""));
        if (!name || name_check_path(name, NULL) < 0)
                return;
        parser->result->path = strdup(name);
        if (!parser->result->path)
                out_of_memory(parser);
}

static void start_child(Parser *parser, const char **attributes)
{
        Introspection *result = parser->result;
        const char *name = attribute(attributes, "name");
        char **children;

        add_child_node(parser, name);
        /* depth counts this element: the root is 1, its children are 2 */
        if (parser->depth != 2 || !name || strchr(name, '/') || name[0] == '\0')
                return;
        children = reallocarray(result->children, result->n_children + 1, sizeof(*children));
        if (!children) {
                out_of_memory(parser);
                return;
        }
        result->children = children;
        children[result->n_children] = strdup(name);
        if (!children[result->n_children])
                out_of_memory(parser);
        else
                result->n_children++;
}

static void start_interface(Parser *parser, const char **attributes)
{
        const char *name = attribute(attributes, "name");
        bool nested = parser->depth > 2;
        IntrospectionInterface *interface;

        if (!name || name_check_interface(name, NULL) < 0) {
                warn(parser, name ? "an interface is left out: its name is not valid"
                                  : "an interface is left out: it has no name");
                return;
        }
        interface = introspection_find(parser->result, name);
        if (interface) {
                interface->nested = interface->nested && nested;
                add_to_node(parser, outer_node(parser), interface);
                return;
        }
        interface = calloc(1, sizeof(*interface));
        if (!interface) {
                out_of_memory(parser);
                return;
        }
        interface->n_refs = 1;
        interface->nested = nested;
        interface->name = strdup(name);
        parser->interface = interface;
        if (interface->name)
                add_to_node(parser, outer_node(parser), interface);
        else
                out_of_memory(parser);
}

/* What an interface says of all its properties holds for those that say nothing themselves, and the
 * annotation may follow them. */
static void inherit_emits_changed(IntrospectionInterface *interface)
{
        IntrospectionMember *property, *next;

        HASH_ITER (hh, interface->members[MEMBER_PROPERTY], property, next)
                if (!property->emits_changed_set)
                        property->emits_changed = interface->emits_changed;
}

static void end_interface(Parser *parser)
{
        IntrospectionInterface *interface = STEAL(parser->interface);

        if (!interface)
                return;
        inherit_emits_changed(interface);
        HASH_ADD_KEYPTR(hh, parser->result->interfaces, interface->name, strlen(interface->name),
                        interface);
        if (!hash_added(interface->hh)) {
                introspection_interface_unref(interface);
                out_of_memory(parser);
        }
}

/* ---- members ---- */

static void start_member(Parser *parser, const char **attributes, MemberKind kind)
{
        const char *name = attribute(attributes, "name");
        IntrospectionMember *member;

        if (!parser->interface)
                return;
        if (!name || name_check_dbus_member(name, NULL) < 0) {
                warn(parser, name ? ": a member is left out: its name is not valid"
                                  : ": a member is left out: it has no name");
                return;
        }
        member = calloc(1, sizeof(*member));
        if (!member) {
                out_of_memory(parser);
                return;
        }
        member->kind = kind;
        member->name = strdup(name);
        if (!member->name) {
                introspection_member_free(member);
                out_of_memory(parser);
                return;
        }
        parser->member = member;
}

static void drop_member(Parser *parser, const char *text)
{
        warn(parser, text);
        parser->member = introspection_member_free(parser->member);
}

static void start_method(Parser *parser, const char **attributes)
{
        start_member(parser, attributes, MEMBER_METHOD);
}

static void start_signal(Parser *parser, const char **attributes)
{
        start_member(parser, attributes, MEMBER_SIGNAL);
}

static void end_member(Parser *parser)
{
        IntrospectionMember *member = parser->member, **table;

        if (!member)
                return;
        table = &parser->interface->members[member->kind];
        if (introspection_find_member(parser->interface, member->kind, member->name)) {
                drop_member(parser, " is there twice, the first one is used");
                return;
        }
        parser->member = NULL;
        HASH_ADD_KEYPTR(hh, *table, member->name, strlen(member->name), member);
        if (!hash_added(member->hh)) {
                introspection_member_free(member);
                out_of_memory(parser);
        }
}

/* ---- arguments ---- */

/* Adds an argument to `list` of the open member, or drops the member if the type is bad. */
static void add_arg(Parser *parser, IntrospectionArgs *list, const char *name, const char *type)
{
        IntrospectionArg *items;

        if (!type || signature_check_single(type, strlen(type), NULL) < 0) {
                drop_member(parser, " is left out: bad or missing type");
                return;
        }
        items = reallocarray(list->items, list->count + 1, sizeof(*items));
        if (!items) {
                out_of_memory(parser);
                return;
        }
        list->items = items;
        if (name && name[0] == '\0')
                name = NULL;
        items[list->count] = (IntrospectionArg){
                .name = name ? strdup(name) : NULL,
                .type = strdup(type),
        };
        parser->arg = &items[list->count];
        if (!items[list->count].type || (name && !items[list->count].name))
                out_of_memory(parser);
        list->count++;
}

static void start_arg(Parser *parser, const char **attributes)
{
        const char *direction = attribute(attributes, "direction");
        IntrospectionMember *member = parser->member;
        bool out;

        if (!member)
                return;
        out = member->kind == MEMBER_SIGNAL || (direction && strcmp(direction, "out") == 0);
        add_arg(parser, out ? &member->out : &member->in, attribute(attributes, "name"),
                attribute(attributes, "type"));
}

static void start_property(Parser *parser, const char **attributes)
{
        const char *access = attribute(attributes, "access");
        IntrospectionMember *member;

        start_member(parser, attributes, MEMBER_PROPERTY);
        member = parser->member;
        if (!member)
                return;
        member->readable = access && strncmp(access, "read", 4) == 0;
        member->writable =
                access && (strcmp(access, "write") == 0 || strcmp(access, "readwrite") == 0);
        if (!member->readable && !member->writable) {
                drop_member(parser, " is left out: bad or missing access");
                return;
        }
        add_arg(parser, &member->out, NULL, attribute(attributes, "type"));
}

/* ---- annotations ---- */

static bool parse_emits_changed(const char *value, EmitsChanged *ret_emits)
{
        for (EmitsChanged i = EMITS_CHANGED_TRUE; i <= EMITS_CHANGED_FALSE; i++)
                if (strcmp(value, emits_changed_name(i)) == 0) {
                        *ret_emits = i;
                        return true;
                }
        return false;
}

static void annotate_deprecated(Parser *parser, const char *value)
{
        bool yes = strcmp(value, "true") == 0;

        if (parser->member)
                parser->member->deprecated = yes;
        else if (parser->interface)
                parser->interface->deprecated = yes;
}

static void annotate_no_reply(Parser *parser, const char *value)
{
        if (parser->member)
                parser->member->no_reply = strcmp(value, "true") == 0;
}

static void annotate_emits_changed(Parser *parser, const char *value)
{
        EmitsChanged emits;

        if (!parse_emits_changed(value, &emits))
                return;
        if (parser->member) {
                parser->member->emits_changed = emits;
                parser->member->emits_changed_set = true;
        } else if (parser->interface) {
                parser->interface->emits_changed = emits;
        }
}

typedef struct Annotation {
        const char *name;
        void (*apply)(Parser *parser, const char *value);
} Annotation;

static const Annotation known[] = {
        {ANNOTATION_DEPRECATED, annotate_deprecated},
        {ANNOTATION_NO_REPLY, annotate_no_reply},
        {ANNOTATION_EMITS_CHANGED, annotate_emits_changed},
};

/* Where an annotation belongs; NULL if that is left out. */
static IntrospectionAnnotations *annotated(Parser *parser)
{
        Place outer = parser->places[parser->depth - 1];

        if (outer == PLACE_INTERFACE)
                return parser->interface ? &parser->interface->annotations : NULL;
        if (!parser->member)
                return NULL;
        return outer == PLACE_ARG ? &parser->arg->annotations : &parser->member->annotations;
}

static void keep_annotation(Parser *parser, IntrospectionAnnotations *annotations, const char *name,
                            const char *value)
{
        if (annotations->count >= LIMIT_INTROSPECTION_ANNOTATIONS ||
            strlen(name) + strlen(value) > LIMIT_ANNOTATION_BYTES)
                warn(parser, ": an annotation is left out: there are too many, or it is too long");
        else if (introspection_annotations_add(annotations, name, value) < 0)
                out_of_memory(parser);
}

static void start_annotation(Parser *parser, const char **attributes)
{
        const char *name = attribute(attributes, "name"), *value = attribute(attributes, "value");

        IntrospectionAnnotations *annotations = annotated(parser);

        if (!name || !value || !annotations)
                return;
        keep_annotation(parser, annotations, name, value);
        /* of an argument they mean nothing here */
        if (parser->places[parser->depth - 1] == PLACE_ARG)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (strcmp(name, known[i].name) == 0)
                        known[i].apply(parser, value);
}

/* ---- elements ---- */

static const Element elements[] = {
        {"node", PLACE_DOCUMENT, PLACE_NODE, start_root},
        {"node", PLACE_NODE, PLACE_NODE, start_child},
        {"interface", PLACE_NODE, PLACE_INTERFACE, start_interface, end_interface},
        {"method", PLACE_INTERFACE, PLACE_METHOD, start_method, end_member},
        {"property", PLACE_INTERFACE, PLACE_PROPERTY, start_property, end_member},
        {"signal", PLACE_INTERFACE, PLACE_SIGNAL, start_signal, end_member},
        {"arg", PLACE_METHOD, PLACE_ARG, start_arg},
        {"arg", PLACE_SIGNAL, PLACE_ARG, start_arg},
        {"annotation", PLACE_INTERFACE, PLACE_ANNOTATION, start_annotation},
        {"annotation", PLACE_METHOD, PLACE_ANNOTATION, start_annotation},
        {"annotation", PLACE_PROPERTY, PLACE_ANNOTATION, start_annotation},
        {"annotation", PLACE_SIGNAL, PLACE_ANNOTATION, start_annotation},
        {"annotation", PLACE_ARG, PLACE_ANNOTATION, start_annotation},
};

static const Element *find_element(const char *name, Place below)
{
        for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
                if (elements[i].below == below && strcmp(elements[i].name, name) == 0)
                        return &elements[i];
        return NULL;
}

static void on_start(void *userdata, const XML_Char *name, const XML_Char **attributes)
{
        Parser *parser = userdata;
        const Element *element;

        if (++parser->n_elements > LIMIT_INTROSPECTION_ELEMENTS) {
                stop(parser, -E2BIG, "too many elements");
                return;
        }
        if (parser->depth >= LIMIT_INTROSPECTION_DEPTH) {
                stop(parser, -E2BIG, "nested too deep");
                return;
        }
        element = find_element(name, parser->places[parser->depth]);
        parser->places[++parser->depth] = element ? element->place : PLACE_ELSEWHERE;
        parser->nodes[parser->depth] = 0;
        if (!element && parser->depth == 1)
                stop(parser, -EBADMSG, "the outermost element is not <node>");
        if (element && element->start)
                element->start(parser, attributes);
}

static void on_end(void *userdata, const XML_Char *name)
{
        Parser *parser = userdata;
        const Element *element;

        element = find_element(name, parser->places[--parser->depth]);
        if (element && element->end)
                element->end(parser);
}

static void on_entity_declaration(void *userdata, const XML_Char *name, int is_parameter,
                                  const XML_Char *value, int value_length, const XML_Char *base,
                                  const XML_Char *system_id, const XML_Char *public_id,
                                  const XML_Char *notation)
{
        stop(userdata, -EBADMSG, "entity declarations are not allowed");
}

/* ---- the whole ---- */

static int run(Parser *parser, const char *text, size_t length, Error **ret_error)
{
        enum XML_Status status;
        enum XML_Error code;

        XML_SetUserData(parser->expat, parser);
        XML_SetElementHandler(parser->expat, on_start, on_end);
        XML_SetEntityDeclHandler(parser->expat, on_entity_declaration);
        status = XML_Parse(parser->expat, text, (int)length, XML_TRUE);
        if (status != XML_STATUS_ERROR && parser->status == 0)
                return 0;
        code = XML_GetErrorCode(parser->expat);
        fail(parser, code == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG, XML_ErrorString(code));
        return error_set(ret_error, parser->status, "%s:%lu:%lu: %s", parser->source, parser->line,
                         parser->column, parser->reason);
}

int introspection_parse(const char *text, size_t length, const char *source,
                        Diagnostics *diagnostics, Introspection **ret_introspection,
                        Error **ret_error)
{
        CLEANUP_INTROSPECTION Introspection *result = calloc(1, sizeof(*result));
        Parser parser = {.source = source, .diagnostics = diagnostics, .result = result};
        int r;

        if (length > LIMIT_INTROSPECTION_BYTES)
                return error_set(ret_error, -E2BIG, "%s: more than %u bytes of introspection",
                                 source, LIMIT_INTROSPECTION_BYTES);
        parser.expat = XML_ParserCreate("UTF-8");
        if (!result || !parser.expat)
                r = error_set(ret_error, -ENOMEM, "%s: out of memory", source);
        else
                r = run(&parser, text, length, ret_error);
        introspection_member_free(parser.member);
        introspection_interface_unref(parser.interface);
        if (parser.expat)
                XML_ParserFree(parser.expat);
        if (r < 0)
                return r;
        *ret_introspection = STEAL(result);
        return 0;
}
