/* SPDX-License-Identifier: MIT */

#include "tests/support/scripted-service.h"

#include <string.h>

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define MANAGER    "org.freedesktop.DBus.ObjectManager"

struct ScriptedService {
        GDBusConnection *connection;
        GMutex lock;        /* the filter runs in the thread of GDBus */
        GHashTable *values; /* "path interface property" → GVariant */
        GHashTable *mute;   /* path */
        GHashTable *lacks;  /* "path interface" */
        GHashTable *xml;    /* path, or "" for all → text */
        GHashTable *counts; /* method → number */
        char *manager;
};

/* ---- tables; the lock is held ---- */

static char *key_of(const char *path, const char *interface, const char *property)
{
        return g_strdup_printf("%s %s %s", path, interface, property);
}

static GVariant *get(ScriptedService *service, const char *path, const char *interface,
                     const char *property)
{
        g_autofree char *key = key_of(path, interface, property);

        return g_hash_table_lookup(service->values, key);
}

static GVariant *get_all(ScriptedService *service, const char *path, const char *interface)
{
        g_autofree char *prefix = key_of(path, interface, "");
        GVariantBuilder builder;
        GHashTableIter iter;
        gpointer key, value;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sv}"));
        g_hash_table_iter_init(&iter, service->values);
        while (g_hash_table_iter_next(&iter, &key, &value))
                if (g_str_has_prefix(key, prefix))
                        g_variant_builder_add(&builder, "{sv}", (char *)key + strlen(prefix),
                                              value);
        return g_variant_builder_end(&builder);
}

/* path → set of interfaces */
static GHashTable *list_objects(ScriptedService *service)
{
        GHashTable *objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                    (GDestroyNotify)g_hash_table_unref);
        GHashTableIter iter;
        gpointer key;

        g_hash_table_iter_init(&iter, service->values);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
                g_auto(GStrv) parts = g_strsplit(key, " ", 3);
                GHashTable *interfaces = g_hash_table_lookup(objects, parts[0]);

                if (!interfaces) {
                        interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
                        g_hash_table_insert(objects, g_strdup(parts[0]), interfaces);
                }
                g_hash_table_add(interfaces, g_strdup(parts[1]));
        }
        return objects;
}

static GVariant *list_managed(ScriptedService *service)
{
        g_autoptr(GHashTable) objects = list_objects(service);
        GVariantBuilder builder;
        GHashTableIter iter, inner;
        gpointer path, interfaces, interface;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
        g_hash_table_iter_init(&iter, objects);
        while (g_hash_table_iter_next(&iter, &path, &interfaces)) {
                g_variant_builder_open(&builder, G_VARIANT_TYPE("{oa{sa{sv}}}"));
                g_variant_builder_add(&builder, "o", path);
                g_variant_builder_open(&builder, G_VARIANT_TYPE("a{sa{sv}}"));
                g_hash_table_iter_init(&inner, interfaces);
                while (g_hash_table_iter_next(&inner, &interface, NULL))
                        g_variant_builder_add(&builder, "{s@a{sv}}", interface,
                                              get_all(service, path, interface));
                g_variant_builder_close(&builder);
                g_variant_builder_close(&builder);
        }
        return g_variant_builder_end(&builder);
}

/* ---- answers; in the thread of GDBus ---- */

static void tell_value(ScriptedService *service, const char *path, const char *interface,
                       const char *property, GVariant *value)
{
        GVariantBuilder changed;

        g_variant_builder_init(&changed, G_VARIANT_TYPE("a{sv}"));
        g_variant_builder_add(&changed, "{sv}", property, value);
        g_dbus_connection_emit_signal(service->connection, NULL, path, PROPERTIES,
                                      "PropertiesChanged",
                                      g_variant_new("(sa{sv}as)", interface, &changed, NULL), NULL);
}

static GDBusMessage *answer_properties(ScriptedService *service, GDBusMessage *m)
{
        const char *path = g_dbus_message_get_path(m), *method = g_dbus_message_get_member(m);
        GDBusMessage *reply = g_dbus_message_new_method_reply(m);
        GVariant *body = g_dbus_message_get_body(m), *value;
        const char *interface, *property = NULL;
        g_autofree char *key = NULL;

        g_variant_get_child(body, 0, "&s", &interface);
        key = g_strdup_printf("%s %s", path, interface);
        if (g_hash_table_contains(service->lacks, key)) {
                g_object_unref(reply);
                return g_dbus_message_new_method_error(m, "org.freedesktop.DBus.Error.InvalidArgs",
                                                       "No such interface %s", interface);
        }
        if (!strcmp(method, "GetAll")) {
                value = get_all(service, path, interface);
                g_dbus_message_set_body(reply, g_variant_new("(@a{sv})", value));
                return reply;
        }
        g_variant_get_child(body, 1, "&s", &property);
        value = get(service, path, interface, property);
        if (!value) {
                g_object_unref(reply);
                return g_dbus_message_new_method_error(m,
                                                       "org.freedesktop.DBus.Error.UnknownProperty",
                                                       "there is no %s", property);
        }
        if (!strcmp(method, "Get")) {
                g_dbus_message_set_body(reply, g_variant_new("(v)", value));
                return reply;
        }
        g_variant_get_child(body, 2, "v", &value);
        g_hash_table_insert(service->values, key_of(path, interface, property), value);
        tell_value(service, path, interface, property, value);
        return reply;
}

static GDBusMessage *answer(ScriptedService *service, GDBusMessage *m)
{
        const char *path = g_dbus_message_get_path(m), *method = g_dbus_message_get_member(m);
        GDBusMessage *reply;
        const char *xml;

        if (!strcmp(g_dbus_message_get_interface(m), PROPERTIES))
                return answer_properties(service, m);
        reply = g_dbus_message_new_method_reply(m);
        if (!strcmp(method, "Introspect")) {
                xml = g_hash_table_lookup(service->xml, path);
                if (!xml)
                        xml = g_hash_table_lookup(service->xml, "");
                g_dbus_message_set_body(reply, g_variant_new("(s)", xml ? xml : "<node/>"));
        } else if (!strcmp(method, "GetManagedObjects")) {
                if (g_strcmp0(service->manager, path) != 0) {
                        g_object_unref(reply);
                        return g_dbus_message_new_method_error(
                                m, "org.freedesktop.DBus.Error.UnknownMethod", "not here");
                }
                g_dbus_message_set_body(reply,
                                        g_variant_new("(@a{oa{sa{sv}}})", list_managed(service)));
        } else {
                g_dbus_connection_emit_signal(service->connection, NULL, path,
                                              g_dbus_message_get_interface(m), "Called", NULL,
                                              NULL);
        }
        return reply;
}

static GDBusMessage *on_message(GDBusConnection *connection, GDBusMessage *m, gboolean incoming,
                                gpointer userdata)
{
        ScriptedService *service = userdata;
        const char *method = g_dbus_message_get_member(m);
        GDBusMessage *reply = NULL;

        if (!incoming || g_dbus_message_get_message_type(m) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
                return m;
        g_mutex_lock(&service->lock);
        g_hash_table_insert(
                service->counts, g_strdup(method),
                GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(service->counts, method)) +
                                 1));
        if (!g_hash_table_contains(service->mute, g_dbus_message_get_path(m)))
                reply = answer(service, m);
        /* Under the lock, so that no later change is told before this answer. */
        if (reply) {
                g_dbus_connection_send_message(connection, reply, 0, NULL, NULL);
                g_object_unref(reply);
        }
        g_mutex_unlock(&service->lock);
        g_object_unref(m);
        return NULL;
}

/* ---- life ---- */

static void connect_service(ScriptedService *service, DbusDaemon *daemon)
{
        service->connection = dbus_daemon_connect(daemon);
        g_dbus_connection_add_filter(service->connection, on_message, service, NULL);
}

ScriptedService *scripted_service_new(DbusDaemon *daemon)
{
        ScriptedService *service = g_new0(ScriptedService, 1);

        g_mutex_init(&service->lock);
        service->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                (GDestroyNotify)g_variant_unref);
        service->mute = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        service->lacks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        service->xml = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        service->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        connect_service(service, daemon);
        return service;
}

ScriptedService *scripted_service_free(ScriptedService *service)
{
        if (!service)
                return NULL;
        g_dbus_connection_close_sync(service->connection, NULL, NULL);
        g_object_unref(service->connection);
        g_hash_table_unref(service->values);
        g_hash_table_unref(service->mute);
        g_hash_table_unref(service->lacks);
        g_hash_table_unref(service->xml);
        g_hash_table_unref(service->counts);
        g_free(service->manager);
        g_mutex_clear(&service->lock);
        g_free(service);
        return NULL;
}

void scripted_service_disconnect(ScriptedService *service)
{
        g_dbus_connection_close_sync(service->connection, NULL, NULL);
}

void scripted_service_reconnect(ScriptedService *service, DbusDaemon *daemon)
{
        g_object_unref(service->connection);
        connect_service(service, daemon);
}

static guint32 call_driver(ScriptedService *service, const char *method, GVariant *arguments)
{
        g_autoptr(GVariant) reply = NULL;
        GError *error = NULL;
        guint32 result;

        reply = g_dbus_connection_call_sync(service->connection, "org.freedesktop.DBus",
                                            "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
                                            arguments, G_VARIANT_TYPE("(u)"), 0, -1, NULL, &error);
        g_assert_no_error(error);
        g_variant_get(reply, "(u)", &result);
        return result;
}

void scripted_service_own(ScriptedService *service, const char *name)
{
        /* allow replacement, replace, do not queue; 1: is the owner now */
        g_assert_cmpuint(
                call_driver(service, "RequestName", g_variant_new("(su)", name, 1 | 2 | 4)), ==, 1);
}

void scripted_service_release(ScriptedService *service, const char *name)
{
        g_assert_cmpuint(call_driver(service, "ReleaseName", g_variant_new("(s)", name)), ==, 1);
}

/* ---- what the test does ---- */

void scripted_service_set(ScriptedService *service, const char *path, const char *interface,
                          const char *property, GVariant *value)
{
        char *key = key_of(path, interface, property);

        g_mutex_lock(&service->lock);
        if (value)
                g_hash_table_insert(service->values, key, g_variant_ref_sink(value));
        else
                g_hash_table_remove(service->values, key);
        g_mutex_unlock(&service->lock);
        if (!value)
                g_free(key);
}

void scripted_service_tell(ScriptedService *service, const char *path, const char *interface,
                           const char *property, bool invalidated)
{
        const char *const names[] = {property, NULL};
        GVariant *value;

        g_mutex_lock(&service->lock);
        value = g_variant_ref(get(service, path, interface, property));
        g_mutex_unlock(&service->lock);
        if (invalidated)
                g_dbus_connection_emit_signal(
                        service->connection, NULL, path, PROPERTIES, "PropertiesChanged",
                        g_variant_new("(sa{sv}^as)", interface, NULL, names), NULL);
        else
                tell_value(service, path, interface, property, value);
        g_variant_unref(value);
}

void scripted_service_emit(ScriptedService *service, const char *path, const char *interface,
                           const char *signal, GVariant *arguments)
{
        scripted_service_emit_to(service, NULL, path, interface, signal, arguments);
}

void scripted_service_emit_to(ScriptedService *service, const char *destination, const char *path,
                              const char *interface, const char *signal, GVariant *arguments)
{
        GError *error = NULL;

        g_dbus_connection_emit_signal(service->connection, destination, path, interface, signal,
                                      arguments, &error);
        g_assert_no_error(error);
}

void scripted_service_mute(ScriptedService *service, const char *path)
{
        g_mutex_lock(&service->lock);
        g_hash_table_add(service->mute, g_strdup(path));
        g_mutex_unlock(&service->lock);
}

void scripted_service_lack(ScriptedService *service, const char *path, const char *interface)
{
        g_mutex_lock(&service->lock);
        g_hash_table_add(service->lacks, g_strdup_printf("%s %s", path, interface));
        g_mutex_unlock(&service->lock);
}

void scripted_service_introspect(ScriptedService *service, const char *path, const char *xml)
{
        g_mutex_lock(&service->lock);
        g_hash_table_insert(service->xml, g_strdup(path ? path : ""), g_strdup(xml));
        g_mutex_unlock(&service->lock);
}

void scripted_service_manage(ScriptedService *service, const char *path)
{
        g_mutex_lock(&service->lock);
        g_free(service->manager);
        service->manager = g_strdup(path);
        g_mutex_unlock(&service->lock);
}

void scripted_service_tell_added(ScriptedService *service, const char *path, const char *interface)
{
        GVariantBuilder interfaces;

        g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a{sa{sv}}"));
        g_mutex_lock(&service->lock);
        g_variant_builder_add(&interfaces, "{s@a{sv}}", interface,
                              get_all(service, path, interface));
        g_mutex_unlock(&service->lock);
        g_dbus_connection_emit_signal(service->connection, NULL, service->manager, MANAGER,
                                      "InterfacesAdded",
                                      g_variant_new("(oa{sa{sv}})", path, &interfaces), NULL);
}

static gboolean is_below(gpointer key, gpointer value, gpointer prefix)
{
        return g_str_has_prefix(key, prefix);
}

void scripted_service_remove(ScriptedService *service, const char *path, const char *interface)
{
        g_autofree char *prefix = key_of(path, interface, "");
        const char *const names[] = {interface, NULL};

        g_mutex_lock(&service->lock);
        g_hash_table_foreach_remove(service->values, is_below, prefix);
        g_mutex_unlock(&service->lock);
        g_dbus_connection_emit_signal(service->connection, NULL, service->manager, MANAGER,
                                      "InterfacesRemoved", g_variant_new("(o^as)", path, names),
                                      NULL);
}

guint scripted_service_count(ScriptedService *service, const char *method)
{
        guint count;

        g_mutex_lock(&service->lock);
        count = GPOINTER_TO_UINT(g_hash_table_lookup(service->counts, method));
        g_mutex_unlock(&service->lock);
        return count;
}
