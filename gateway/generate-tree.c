/* SPDX-License-Identifier: MIT */

#include "gateway/generate-tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/buffer.h"
#include "common/limits.h"
#include "gateway/path-template.h"

/* An element of the tree of paths. */
typedef struct Node {
        char *name;                 /* owned; the key among its siblings */
        const SurveyObject *object; /* NULL: none with interfaces */
        struct Node *children;      /* by name; owned */
        bool home;                  /* on the way to the service's own path, or that */
        size_t group;               /* among the children that are looked at together */
        UT_hash_handle hh;
} Node;

/* Nodes that have one path in the draft. */
typedef struct NodeList {
        Node **items; /* owned array */
        size_t count;
        size_t capacity;
} NodeList;

/* ---- the tree ---- */

static void node_free(Node *node)
{
        Node *child, *next;

        if (!node)
                return;
        HASH_ITER (hh, node->children, child, next) {
                HASH_DEL(node->children, child);
                node_free(child);
        }
        free(node->name);
        free(node);
}

static Node *get_child(Node *node, const char *name, size_t length)
{
        Node *child;

        HASH_FIND(hh, node->children, name, length, child);
        if (child)
                return child;
        child = calloc(1, sizeof(*child));
        if (!child)
                return NULL;
        child->name = strndup(name, length);
        if (child->name)
                HASH_ADD_KEYPTR(hh, node->children, child->name, length, child);
        if (hash_added(child->hh))
                return child;
        node_free(child);
        return NULL;
}

/* The node of a path, made if need be. */
static Node *get_node(Node *root, const char *path)
{
        Node *node = root;
        size_t length;

        while (node && *path == '/' && path[1]) {
                path++;
                length = strcspn(path, "/");
                node = get_child(node, path, length);
                path += length;
        }
        return node;
}

static int mark_home(Node *root, const char *bus_name)
{
        size_t length;
        Node *node = root;

        for (const char *p = bus_name; *p && *p != '*'; p += length + (p[length] == '.')) {
                length = strcspn(p, ".");
                node = get_child(node, p, length);
                if (!node)
                        return -ENOMEM;
                node->home = true;
        }
        return 0;
}

static int list_append(NodeList *list, Node *node)
{
        size_t capacity = MAX(list->capacity * 2, (size_t)8);
        Node **items = list->items;

        if (list->count == list->capacity) {
                items = reallocarray(items, capacity, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                list->items = items;
                list->capacity = capacity;
        }
        items[list->count++] = node;
        return 0;
}

static void list_done(NodeList *list)
{
        free(list->items);
        *list = (NodeList){};
}

/* ---- many of a kind ---- */

static bool looks_made_up(const Node *node)
{
        const char *digits = strpbrk(node->name, "0123456789");

        if (node->home || !digits)
                return false;
        /* "Client1" is one of many, the node for what is below "IP4Config" is not */
        if (!node->object && digits[strspn(digits, "0123456789")] != '\0')
                return false;
        for (size_t i = 0; node->object && i < node->object->n_interfaces; i++) {
                const char *dot = strrchr(node->object->interfaces[i]->name, '.');

                if (strcmp(dot + 1, node->name) == 0)
                        return false;
        }
        return true;
}

static bool share_an_interface(const Node *a, const Node *b)
{
        if (!a->object || !b->object)
                return false;
        for (size_t i = 0; i < a->object->n_interfaces; i++)
                if (survey_object_has(b->object, a->object->interfaces[i]->name))
                        return true;
        return false;
}

/* Numbers the groups of those that share an interface with one of their group. Compares each with
 * one of each interface set only: most siblings are like their neighbours. */
static void group(NodeList *list)
{
        for (size_t i = 0; i < list->count; i++) {
                Node *node = list->items[i];

                node->group = i;
                if (i > 0 && share_an_interface(node, list->items[i - 1]))
                        node->group = list->items[i - 1]->group;
        }
        for (size_t i = 0; i < list->count; i++) {
                if (list->items[i]->group != i)
                        continue;
                for (size_t k = 0; k < i; k++) {
                        size_t old = list->items[i]->group, new = list->items[k]->group;

                        if (old == new || !share_an_interface(list->items[i], list->items[k]))
                                continue;
                        for (size_t n = 0; n < list->count; n++)
                                if (list->items[n]->group == old)
                                        list->items[n]->group = new;
                }
        }
}

/* Whether a node is one of many: of its group there are several names, or its name is made up. */
static bool is_one_of_many(const NodeList *list, const Node *node)
{
        if (node->home)
                return false;
        if (looks_made_up(node))
                return true;
        for (size_t i = 0; node->object && i < list->count; i++)
                if (list->items[i]->group == node->group && !list->items[i]->home &&
                    strcmp(list->items[i]->name, node->name) != 0)
                        return true;
        return false;
}

/* ---- names of captures ---- */

/* What all names have in front: "hci" of hci0 and hci1. */
static size_t common_letters(const NodeList *list)
{
        const char *first = list->items[0]->name;
        size_t length = 0;

        while (isalpha((unsigned char)first[length]))
                length++;
        for (size_t i = 1; i < list->count; i++)
                while (length > 0 && strncmp(first, list->items[i]->name, length) != 0)
                        length--;
        for (size_t i = 0; i < list->count; i++)
                if (isalpha((unsigned char)list->items[i]->name[length]))
                        return 0;
        return length;
}

/* "{hci}" by what the names have in common, else "{device}" by the node above, "Devices". */
static char *make_capture(const char *path, const NodeList *list)
{
        size_t length = common_letters(list);
        const char *word = list->items[0]->name, *last = strrchr(path, '/');
        CLEANUP_FREE char *name = NULL;
        CLEANUP_FREE char *marked = NULL;
        bool plural = path[strlen(path) - 1] == 's';
        char *capture = NULL;

        if ((length < 2 || plural) && isalpha((unsigned char)last[1])) {
                word = last + 1;
                length = strlen(word);
                length -= length > 2 && plural && word[length - 2] != 's';
        }
        name = length >= 2 ? strndup(word, length) : strdup("id");
        for (char *p = name; p && *p; p++)
                *p = (char)tolower((unsigned char)*p);
        if (!name || asprintf(&marked, "{%s}", name) < 0) {
                marked = NULL;
                return NULL;
        }
        if (!strstr(path, marked))
                return STEAL(marked);
        for (unsigned n = 2; n < 100; n++) {
                free(capture);
                if (asprintf(&capture, "{%s%u}", name, n) < 0)
                        return NULL;
                if (!strstr(path, capture))
                        break;
        }
        return capture;
}

/* ---- the draft ---- */

void draft_done(Draft *draft)
{
        for (size_t i = 0; i < draft->count; i++) {
                free(draft->items[i].path);
                free(draft->items[i].interfaces);
        }
        free(draft->items);
        *draft = (Draft){};
}

static int add_interfaces(DraftObject *item, const SurveyObject *object)
{
        IntrospectionInterface **items;

        items = reallocarray(item->interfaces, item->n_interfaces + object->n_interfaces,
                             sizeof(*items));
        if (!items)
                return -ENOMEM;
        item->interfaces = items;
        for (size_t i = 0; i < object->n_interfaces; i++) {
                size_t k = 0;

                while (k < item->n_interfaces && items[k] != object->interfaces[i])
                        k++;
                if (k == item->n_interfaces)
                        items[item->n_interfaces++] = object->interfaces[i];
        }
        item->n_objects++;
        return 0;
}

static int add_item(Draft *draft, const NodeList *nodes, const char *path)
{
        bool template = path_template_is(path), any = false;
        DraftObject *items, *item;
        int r = 0;

        for (size_t i = 0; i < nodes->count; i++)
                any = any || nodes->items[i]->object;
        if (!any)
                return 0;
        if (template && draft->n_templates >= LIMIT_MAPPING_TEMPLATES) {
                draft->n_left_out++;
                return 0;
        }
        items = reallocarray(draft->items, draft->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        draft->items = items;
        item = &items[draft->count];
        *item = (DraftObject){.path = strdup(path[0] ? path : "/")};
        if (!item->path)
                return -ENOMEM;
        draft->count++;
        draft->n_templates += template;
        for (size_t i = 0; i < nodes->count && r >= 0; i++)
                if (nodes->items[i]->object)
                        r = add_interfaces(item, nodes->items[i]->object);
        return r;
}

static int add_nodes(Draft *draft, const NodeList *nodes, const char *path);

static int add_below(Draft *draft, const NodeList *nodes, const char *path, const char *element)
{
        CLEANUP_FREE char *below = NULL;

        if (!element || asprintf(&below, "%s/%s", path, element) < 0) {
                below = NULL;
                return -ENOMEM;
        }
        return add_nodes(draft, nodes, below);
}

/* The children that are one of many together, then those of each other name. */
static int add_children(Draft *draft, NodeList *children, const char *path)
{
        CLEANUP(list_done) NodeList many = {};
        int r = 0;

        group(children);
        for (size_t i = 0; i < children->count && r >= 0; i++)
                if (is_one_of_many(children, children->items[i]))
                        r = list_append(&many, children->items[i]);
        for (size_t i = 0, m = 0; i < children->count && r >= 0; i++) {
                CLEANUP(list_done) NodeList same = {};
                Node *node = children->items[i];

                if (m < many.count && many.items[m] == node) {
                        m++;
                        continue;
                }
                for (size_t k = i; k < children->count && r >= 0; k++)
                        if (strcmp(children->items[k]->name, node->name) == 0)
                                r = list_append(&same, children->items[k]);
                /* the first of the name speaks for all */
                for (size_t k = 0; k < i; k++)
                        if (strcmp(children->items[k]->name, node->name) == 0)
                                same.count = 0;
                if (r >= 0 && same.count > 0)
                        r = add_below(draft, &same, path, node->name);
        }
        if (r >= 0 && many.count > 0) {
                CLEANUP_FREE char *capture = make_capture(path[0] ? path : "/", &many);

                r = add_below(draft, &many, path, capture);
        }
        return r;
}

static int add_nodes(Draft *draft, const NodeList *nodes, const char *path)
{
        CLEANUP(list_done) NodeList children = {};
        int r;

        r = add_item(draft, nodes, path);
        for (size_t i = 0; i < nodes->count && r >= 0; i++)
                for (Node *c = nodes->items[i]->children; c && r >= 0; c = c->hh.next)
                        r = list_append(&children, c);
        return r < 0 || children.count == 0 ? r : add_children(draft, &children, path);
}

int draft_make(const Survey *survey, const char *bus_name,
               bool (*wanted)(const SurveyObject *object, const void *userdata),
               const void *userdata, Draft *ret_draft)
{
        Node *root = calloc(1, sizeof(*root));
        NodeList list = {.items = &root, .count = 1};
        CLEANUP_DRAFT Draft draft = {};
        int r;

        if (!root)
                return -ENOMEM;
        root->home = true;
        r = mark_home(root, bus_name);
        for (const SurveyObject *o = survey->objects; o && r >= 0; o = o->hh.next) {
                Node *node;

                if (o->n_interfaces == 0 || (wanted && !wanted(o, userdata)))
                        continue;
                node = get_node(root, o->path);
                if (node)
                        node->object = o;
                else
                        r = -ENOMEM;
        }
        if (r >= 0)
                r = add_nodes(&draft, &list, "");
        node_free(root);
        if (r < 0)
                return r;
        *ret_draft = draft;
        draft = (Draft){};
        return 0;
}
