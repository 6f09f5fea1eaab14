/* SPDX-License-Identifier: MIT */

#include "gateway/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "gateway/introspection-compare.h"
#include "gateway/survey.h"
#include "gateway/value-text.h"

#define INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES     "org.freedesktop.DBus.Properties"

typedef struct Seen {
        UT_hash_handle hh;
        char path[];
} Seen;

typedef struct Walk {
        Peer *peer;
        Snapshot *snapshot;
        Seen *seen;
        const char *guess; /* a path that nobody has named: an error there says nothing */
        Error **error;
} Walk;

void snapshot_done(Snapshot *snapshot)
{
        facts_done(&snapshot->introspection);
        facts_done(&snapshot->properties);
}

/* ---- calls ---- */

int peer_call(Peer *peer, sd_bus_message *m, uint64_t timeout_usec, sd_bus_message **ret_reply,
              char **ret_name, Error **ret_error)
{
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_message_set_auto_start(m, peer->activate);
        if (r >= 0)
                r = sd_bus_call(peer->bus, m, timeout_usec, &error, ret_reply);
        if (r >= 0)
                return 1;
        if (!sd_bus_error_is_set(&error) ||
            sd_bus_error_has_names(&error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                   SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_DISCONNECTED))
                return error_set(ret_error, -ENXIO, "%s cannot be reached: %s", peer->name,
                                 error.message ? error.message : strerrordesc_np(-r));
        if (sd_bus_error_has_names(&error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT) &&
            ++peer->n_timeouts >= LIMIT_SURVEY_TIMEOUTS)
                return error_set(ret_error, -ETIMEDOUT, "%s does not answer", peer->name);
        *ret_name = strdup(error.name);
        return *ret_name ? 0 : error_set(ret_error, -ENOMEM, "out of memory");
}

/* Calls a method of which the arguments, of the types "" to "ss", are strings. */
static int call(Walk *walk, const char *path, const char *interface, const char *method,
                const char *first, const char *second, sd_bus_message **ret_reply, char **ret_name)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Peer *peer = walk->peer;
        uint64_t now = clock_now();
        int r;

        if (now >= walk->snapshot->deadline)
                return error_set(walk->error, -ETIMEDOUT, "%s has taken too long to answer",
                                 peer->name);
        r = sd_bus_message_new_method_call(peer->bus, &m, peer->name, path, interface, method);
        if (r >= 0 && first)
                r = sd_bus_message_append(m, "s", first);
        if (r >= 0 && second)
                r = sd_bus_message_append(m, "s", second);
        if (r < 0)
                return error_set_errno(walk->error, r, "cannot call %s", peer->name);
        return peer_call(peer, m, MIN(LIMIT_SURVEY_CALL_USEC, walk->snapshot->deadline - now),
                         ret_reply, ret_name, walk->error);
}

static int out_of_memory(Walk *walk)
{
        return error_set(walk->error, -ENOMEM, "out of memory");
}

/* Adds the fact that something was answered with an error. */
static int add_error(Walk *walk, Facts *facts, const char *where, const char *name)
{
        CLEANUP_BUFFER Buffer what = BUFFER_INIT(0);

        if (buffer_printf(&what, "error %s", name) < 0 ||
            facts_add(facts, where, buffer_text(&what)) < 0)
                return out_of_memory(walk);
        return 0;
}

/* ---- properties ---- */

/* The answer of Get, or the error. */
static int get_property(Walk *walk, const char *path, const char *interface, const char *property,
                        const char *where)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP_BUFFER Buffer what = BUFFER_INIT(0);
        CLEANUP_FREE char *name = NULL;
        int r;

        r = call(walk, path, PROPERTIES, "Get", interface, property, &reply, &name);
        if (r < 0)
                return r;
        if (r == 0)
                return add_error(walk, &walk->snapshot->properties, where, name);
        if (value_text_variant(reply, &what) < 0) {
                buffer_clear(&what);
                buffer_append_text(&what, "no value");
        }
        if (buffer_status(&what) < 0 ||
            facts_add(&walk->snapshot->properties, where, buffer_text(&what)) < 0)
                return out_of_memory(walk);
        return 0;
}

/* Reads a{sv} at the read position; each place ends with `suffix`. 1: to its end; 0: no further
 * than to what cannot be read. */
static int read_values(Walk *walk, sd_bus_message *m, const char *path, const char *interface,
                       const char *suffix)
{
        Facts *facts = &walk->snapshot->properties;
        int r;

        if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
                return 0;
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                CLEANUP_BUFFER Buffer where = BUFFER_INIT(0), what = BUFFER_INIT(0);
                const char *name;

                if (sd_bus_message_read(m, "s", &name) < 0)
                        return 0;
                buffer_printf(&where, "%s %s.%s%s", path, interface, name, suffix);
                r = value_text_variant(m, &what);
                if (r == -ENOMEM)
                        return out_of_memory(walk);
                /* what GetAll cannot tell, Get may */
                if (r <= 0)
                        return 0;
                if (buffer_status(&where) < 0 || buffer_status(&what) < 0 ||
                    facts_add(facts, buffer_text(&where), buffer_text(&what)) < 0)
                        return out_of_memory(walk);
                if (sd_bus_message_exit_container(m) < 0)
                        return 0;
        }
        return sd_bus_message_exit_container(m) >= 0;
}

static bool is_noted(const Facts *facts, size_t first, size_t end, const char *where)
{
        for (size_t i = first; i < end; i++)
                if (!strcmp(facts->items[i].where, where))
                        return true;
        return false;
}

/* Those that the interface declares and GetAll has not told, by Get. That GetAll has not is a fact
 * of its own, unless it could not be read at all. */
static int get_missing(Walk *walk, const char *path, const IntrospectionInterface *interface,
                       size_t first, bool complete)
{
        Facts *facts = &walk->snapshot->properties;
        size_t end = facts->count;
        int r = 0;

        for (IntrospectionMember *p = interface->members[MEMBER_PROPERTY]; p && r >= 0;
             p = p->hh.next) {
                CLEANUP_BUFFER Buffer where = BUFFER_INIT(0);

                if (!p->readable)
                        continue;
                if (buffer_printf(&where, "%s %s.%s", path, interface->name, p->name) < 0)
                        return out_of_memory(walk);
                if (is_noted(facts, first, end, buffer_text(&where)))
                        continue;
                r = get_property(walk, path, interface->name, p->name, buffer_text(&where));
                if (r < 0 || !complete)
                        continue;
                buffer_append_text(&where, " in GetAll");
                if (buffer_status(&where) < 0 ||
                    facts_add(facts, buffer_text(&where), "left out") < 0)
                        return out_of_memory(walk);
        }
        return r;
}

static int take_properties(Walk *walk, const char *path, const IntrospectionInterface *interface)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP_BUFFER Buffer where = BUFFER_INIT(0);
        size_t first = walk->snapshot->properties.count;
        CLEANUP_FREE char *name = NULL;
        int r;

        if (!interface->members[MEMBER_PROPERTY] || survey_is_standard(interface->name))
                return 0;
        r = call(walk, path, PROPERTIES, "GetAll", interface->name, NULL, &reply, &name);
        if (r < 0)
                return r;
        if (r == 0) {
                if (buffer_printf(&where, "%s %s", path, interface->name) < 0)
                        return out_of_memory(walk);
                r = add_error(walk, &walk->snapshot->properties, buffer_text(&where), name);
                if (r < 0)
                        return r;
        }
        if (reply)
                r = read_values(walk, reply, path, interface->name, "");
        return r < 0 ? r : get_missing(walk, path, interface, first, r > 0);
}

/* ---- the ObjectManager ---- */

static int visit(Walk *walk, const char *path, const char *above, unsigned depth);

static int read_object(Walk *walk, sd_bus_message *m, const char *path, const char *suffix)
{
        const char *interface;
        int r;

        if (sd_bus_message_enter_container(m, 'a', "{sa{sv}}") < 0)
                return 0;
        while (sd_bus_message_enter_container(m, 'e', "sa{sv}") > 0) {
                CLEANUP_BUFFER Buffer where = BUFFER_INIT(0);

                if (sd_bus_message_read(m, "s", &interface) < 0)
                        return 0;
                buffer_printf(&where, "%s %s%s", path, interface, suffix);
                if (buffer_status(&where) < 0 ||
                    facts_add(&walk->snapshot->introspection, buffer_text(&where), "there") < 0)
                        return out_of_memory(walk);
                r = read_values(walk, m, path, interface, suffix);
                if (r <= 0)
                        return r;
                if (sd_bus_message_exit_container(m) < 0)
                        return 0;
        }
        return sd_bus_message_exit_container(m) >= 0;
}

/* First what it says, then what is there. */
static int take_managed(Walk *walk, const char *manager, unsigned depth)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP_BUFFER Buffer suffix = BUFFER_INIT(0);
        CLEANUP_FREE char *name = NULL;
        const char *path;
        int r;

        r = call(walk, manager, OBJECT_MANAGER, "GetManagedObjects", NULL, NULL, &reply, &name);
        if (r < 0)
                return r;
        if (buffer_printf(&suffix, " in GetManagedObjects of %s", manager) < 0)
                return out_of_memory(walk);
        if (r == 0)
                return add_error(walk, &walk->snapshot->introspection, buffer_text(&suffix) + 1,
                                 name);
        if (sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}") < 0)
                return 0;
        while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
                if (sd_bus_message_read(reply, "o", &path) < 0)
                        return 0;
                r = read_object(walk, reply, path, buffer_text(&suffix));
                if (r <= 0)
                        return r;
                r = visit(walk, path, NULL, depth + 1);
                if (r < 0 || sd_bus_message_exit_container(reply) < 0)
                        return r < 0 ? r : 0;
        }
        return 0;
}

/* ---- the walk ---- */

/* The introspection of a path, and its facts. 0: there is none, which is noted. */
static int introspect(Walk *walk, const char *path, char **ret_xml,
                      Introspection **ret_introspection)
{
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Facts *facts = &walk->snapshot->introspection;
        CLEANUP_FREE char *name = NULL;
        const char *xml;
        int r;

        r = call(walk, path, INTROSPECTABLE, "Introspect", NULL, NULL, &reply, &name);
        if (r < 0)
                return r;
        if (r == 0)
                return walk->guess && !strcmp(walk->guess, path)
                               ? 0
                               : add_error(walk, facts, path, name);
        r = sd_bus_message_read(reply, "s", &xml);
        if (r >= 0)
                r = introspection_parse(xml, strlen(xml), path, NULL, ret_introspection, NULL);
        if (r == -ENOMEM)
                return out_of_memory(walk);
        if (r < 0)
                return facts_add(facts, path, "introspection that cannot be read") < 0
                               ? out_of_memory(walk)
                               : 0;
        *ret_xml = strdup(xml);
        if (!*ret_xml || introspection_add_facts(*ret_introspection, (*ret_introspection)->nodes,
                                                 path, facts) < 0)
                return out_of_memory(walk);
        return 1;
}

/* 1: it has not been visited yet, and there is room. */
static int note(Walk *walk, const char *path)
{
        size_t length = strlen(path);
        Seen *seen;

        HASH_FIND(hh, walk->seen, path, length, seen);
        if (seen || length > LIMIT_OBJECT_LENGTH || HASH_COUNT(walk->seen) >= LIMIT_SURVEY_OBJECTS)
                return 0;
        seen = calloc(1, sizeof(*seen) + length + 1);
        if (!seen)
                return out_of_memory(walk);
        memcpy(seen->path, path, length);
        HASH_ADD_KEYPTR(hh, walk->seen, seen->path, length, seen);
        if (hash_added(seen->hh))
                return 1;
        free(seen);
        return out_of_memory(walk);
}

static int visit_children(Walk *walk, const char *path, const Introspection *introspection,
                          const char *xml, unsigned depth)
{
        int r = 0;

        for (size_t i = 0; i < introspection->n_children && r >= 0; i++) {
                CLEANUP_BUFFER Buffer child = BUFFER_INIT(0);

                buffer_printf(&child, "%s/%s", path[1] ? path : "", introspection->children[i]);
                if (buffer_status(&child) < 0)
                        return out_of_memory(walk);
                if (sd_bus_object_path_is_valid(buffer_text(&child)))
                        r = visit(walk, buffer_text(&child), xml, depth + 1);
        }
        return r;
}

static bool has_interfaces(const IntrospectionNode *node)
{
        for (size_t i = 0; i < node->n_interfaces; i++)
                if (!survey_is_standard(node->interfaces[i]->name))
                        return true;
        return false;
}

/* `above` is what the node above has said: who says the same of a node as of what is below it says
 * so without end. */
static int visit(Walk *walk, const char *path, const char *above, unsigned depth)
{
        CLEANUP_INTROSPECTION Introspection *introspection = NULL;
        CLEANUP_FREE char *xml = NULL;
        const IntrospectionNode *node;
        int r;

        r = depth > LIMIT_SURVEY_DEPTH ? 0 : note(walk, path);
        if (r > 0)
                r = introspect(walk, path, &xml, &introspection);
        if (r <= 0)
                return r;
        node = introspection->nodes;
        for (size_t i = 0; i < node->n_interfaces && r >= 0; i++)
                r = take_properties(walk, path, node->interfaces[i]);
        if (r >= 0 && introspection_node_has(node, OBJECT_MANAGER))
                r = take_managed(walk, path, depth);
        if (r < 0 || (above && has_interfaces(node) && !strcmp(above, xml)))
                return r;
        return visit_children(walk, path, introspection, xml, depth);
}

static void forget(Walk *walk)
{
        Seen *seen, *next;

        HASH_ITER (hh, walk->seen, seen, next) {
                HASH_DEL(walk->seen, seen);
                free(seen);
        }
}

int snapshot_take(Peer *peer, Snapshot *snapshot, Error **ret_error)
{
        Walk walk = {.peer = peer, .snapshot = snapshot, .error = ret_error};
        CLEANUP_FREE char *home = NULL;
        int r;

        snapshot->deadline = clock_now() + LIMIT_SURVEY_USEC;
        if (asprintf(&home, "/%s", peer->name) < 0) {
                home = NULL;
                return out_of_memory(&walk);
        }
        for (char *p = home; *p; p++)
                if (*p == '.')
                        *p = '/';
        r = visit(&walk, "/", NULL, 0);
        /* not every service leads there from the root */
        walk.guess = home;
        if (r >= 0 && sd_bus_object_path_is_valid(home))
                r = visit(&walk, home, NULL, 0);
        forget(&walk);
        return r < 0 ? r : 0;
}

int snapshot_take_described(Peer *peer, const Introspection *document, const char *path,
                            Snapshot *snapshot, Error **ret_error)
{
        Walk walk = {.peer = peer, .snapshot = snapshot, .error = ret_error};
        const char *home = document->path ? document->path : path;
        int r = 0;

        snapshot->deadline = clock_now() + LIMIT_SURVEY_USEC;
        for (size_t i = 0; i < document->n_nodes && r >= 0; i++) {
                CLEANUP_INTROSPECTION Introspection *introspection = NULL;
                CLEANUP_BUFFER Buffer full = BUFFER_INIT(0);
                CLEANUP_FREE char *xml = NULL;
                const IntrospectionNode *node = &document->nodes[i];

                if (!introspection_describes(document, node))
                        continue;
                if (introspection_write_path(home, node, &full) < 0)
                        return out_of_memory(&walk);
                r = introspect(&walk, buffer_text(&full), &xml, &introspection);
        }
        return r < 0 ? r : 0;
}
