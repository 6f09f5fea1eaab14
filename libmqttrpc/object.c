/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/object.h"

#include <errno.h>
#include <string.h>

#include "common/json-write.h"
#include "common/limits.h"
#include "libmqttrpc/service.h"

/* ---- life ---- */

Object *object_find(const Service *service, const char *name, size_t length)
{
        Object *object;

        HASH_FIND(hh, service->objects, name, length, object);
        return object;
}

int object_new(Service *service, const char *name, Object **ret_object)
{
        size_t length = strlen(name);
        Object *object;

        object = calloc(1, sizeof(*object) + length + 1);
        if (!object)
                return -ENOMEM;
        memcpy(object->name, name, length);
        HASH_ADD_KEYPTR(hh, service->objects, object->name, length, object);
        if (!object->hh.tbl) {
                free(object);
                return -ENOMEM;
        }
        object->service = service_ref(service);
        *ret_object = object;
        return 0;
}

static void set_clean(Object *object)
{
        if (!object->dirty)
                return;
        object->dirty = false;
        object->service->n_dirty--;
}

void object_detach(Object *object)
{
        if (object->detached)
                return;
        set_clean(object);
        for (const SignalCounter *counter = object->signals; counter; counter = counter->next)
                signal_counters_keep(&object->service->counters, object->name, counter->name,
                                     counter->count);
        HASH_DEL(object->service->objects, object);
        object->detached = true;
}

Object *object_free(Object *object)
{
        Service *service = object->service;
        SignalCounter *counter;

        object_detach(object);
        for (size_t i = 0; i < object->n_properties; i++) {
                free(object->properties[i]->value);
                free(object->properties[i]);
        }
        while ((counter = object->signals)) {
                object->signals = counter->next;
                free(counter);
        }
        vtable_done(&object->vtable);
        free(object->properties);
        free(object->interfaces);
        free(object);
        service_unref(service);
        return NULL;
}

/* ---- properties ---- */

static int compare(const char *name, size_t length, const Property *property)
{
        int order = strncmp(name, property->name, length);

        return order ? order : -(property->name[length] != '\0');
}

/* The place of a name in the sorted table; whether it is there. */
static bool find_place(const Object *object, const char *name, size_t length, size_t *ret_place)
{
        size_t from = 0, to = object->n_properties;

        while (from < to) {
                size_t middle = from + (to - from) / 2;
                int order = compare(name, length, object->properties[middle]);

                if (order == 0) {
                        *ret_place = middle;
                        return true;
                }
                if (order < 0)
                        to = middle;
                else
                        from = middle + 1;
        }
        *ret_place = from;
        return false;
}

Property *object_find_property(const Object *object, const char *name, size_t length)
{
        size_t place;

        return find_place(object, name, length, &place) ? object->properties[place] : NULL;
}

/* The names of properties are part of $meta. */
static void names_changed(Object *object)
{
        if (object->announced)
                object->meta_dirty = true;
}

static int add_property(Object *object, const char *name, Property **ret_property)
{
        size_t length = strlen(name), place;
        Property **properties, *property;

        if (find_place(object, name, length, &place)) {
                *ret_property = object->properties[place];
                return 0;
        }
        properties =
                reallocarray(object->properties, object->n_properties + 1, sizeof(*properties));
        if (!properties)
                return -ENOMEM;
        object->properties = properties;
        property = calloc(1, sizeof(*property) + length + 1);
        if (!property)
                return -ENOMEM;
        memcpy(property->name, name, length);
        memmove(&properties[place + 1], &properties[place],
                (object->n_properties - place) * sizeof(*properties));
        properties[place] = property;
        object->n_properties++;
        *ret_property = property;
        return 0;
}

static void drop_property(Object *object, size_t place)
{
        free(object->properties[place]->value);
        free(object->properties[place]);
        object->n_properties--;
        memmove(&object->properties[place], &object->properties[place + 1],
                (object->n_properties - place) * sizeof(*object->properties));
}

int object_put(Object *object, const char *name, const char *value, size_t length)
{
        MqttRpcBus *bus = object->service->bus;
        Property *property;
        char *copy = NULL;
        size_t place;
        int r;

        if (length > bus->limits[MQTTRPC_LIMIT_PAYLOAD_BYTES])
                return -EMSGSIZE;
        if (!value && !find_place(object, name, strlen(name), &place))
                return 0;
        r = add_property(object, name, &property);
        if (r < 0)
                return r;
        if (value && property->value && property->length == length &&
            !memcmp(property->value, value, length))
                return 0;
        if (value) {
                copy = malloc(length + 1);
                if (!copy)
                        return -ENOMEM;
                memcpy(copy, value, length);
                copy[length] = '\0';
        }
        if (!property->value != !copy)
                names_changed(object);
        free(property->value);
        property->value = copy;
        property->length = (uint32_t)length;
        property->dirty = true;
        object_set_dirty(object);
        (void)object_flush(object);
        return 0;
}

/* ---- $meta ---- */

static void write_interfaces(const Object *object, Buffer *buffer)
{
        const char *last = NULL;
        bool any = false;

        if (object->interfaces) {
                buffer_append_text(buffer, object->interfaces);
                return;
        }
        buffer_append_char(buffer, '[');
        for (const MqttRpcMember *member = object->members;
             member && member->type != MQTTRPC_MEMBER_END; member++) {
                if (member->type != MQTTRPC_MEMBER_INTERFACE ||
                    (last && !strcmp(last, member->name)))
                        continue;
                last = member->name;
                if (any)
                        buffer_append_char(buffer, ',');
                any = true;
                json_write_string(buffer, member->name, strlen(member->name));
        }
        buffer_append_char(buffer, ']');
}

static int write_meta(const Object *object, Buffer *buffer)
{
        bool any = false;

        buffer_append_text(buffer, "{\"interfaces\":");
        write_interfaces(object, buffer);
        buffer_append_text(buffer, ",\"props\":[");
        for (size_t i = 0; i < object->n_properties; i++) {
                const Property *property = object->properties[i];

                if (!property->value)
                        continue;
                if (any)
                        buffer_append_char(buffer, ',');
                any = true;
                json_write_string(buffer, property->name, strlen(property->name));
        }
        return buffer_append_text(buffer, "]}");
}

/* ---- publishing ---- */

void object_set_dirty(Object *object)
{
        if (object->dirty)
                return;
        object->dirty = true;
        object->service->n_dirty++;
}

void object_set_all_dirty(Object *object)
{
        for (size_t i = 0; i < object->n_properties; i++) {
                object->properties[i]->dirty = true;
                object->properties[i]->sent = false;
        }
        object->meta_dirty = object->announced;
        if (object->n_properties > 0 || object->announced)
                object_set_dirty(object);
}

static int publish(const Object *object, TopicKind kind, const char *name, const char *text,
                   size_t length)
{
        MqttRpcBus *bus = object->service->bus;
        int r;

        buffer_clear(&bus->topic);
        r = topic_write(&bus->topic, kind, bus->root, service_public_name(object->service),
                        object->name, name);
        return r < 0 ? r : bus_publish_retained(bus, bus->topic.data, text, length);
}

/* What the broker does not take is not kept back for ever; the value it has would be a wrong one.
 */
static int give_up(Object *object, Property *property)
{
        bus_log_peer(object->service->bus,
                     "%s/%s: the value of '%s' has %u bytes, more than the broker takes: it is not "
                     "published",
                     object->service->name, object->name, property->name, property->length);
        free(STEAL(property->value));
        property->length = 0;
        names_changed(object);
        return publish(object, TOPIC_PROPERTY, property->name, NULL, 0);
}

/* A change is told at once. First values, of which there may be any number, wait until the broker
 * has taken others. */
static int flush_property(Object *object, Property *property)
{
        MqttRpcBus *bus = object->service->bus;
        int r;

        if (!property->sent &&
            link_unacknowledged_bytes(bus->link) > LIMIT_STATE_OUTSTANDING_BYTES) {
                bus->backlogged = true;
                return -ENOBUFS;
        }
        r = publish(object, TOPIC_PROPERTY, property->name, property->value, property->length);
        if (r == -EMSGSIZE)
                r = give_up(object, property);
        if (r >= 0)
                property->sent = true;
        return r;
}

/* From the last to the first, since cleared ones go. One that has to wait does not hold up the
 * others. */
static int flush_properties(Object *object)
{
        int result = 0;

        for (size_t i = object->n_properties; i-- > 0;) {
                Property *property = object->properties[i];
                int r;

                if (!property->dirty)
                        continue;
                r = flush_property(object, property);
                if (r < 0) {
                        result = r;
                        continue;
                }
                property->dirty = false;
                if (!property->value)
                        drop_property(object, i);
        }
        return result;
}

static int flush_meta(Object *object)
{
        CLEANUP_BUFFER Buffer meta = BUFFER_INIT(0);
        int r;

        if (!object->meta_dirty)
                return 0;
        r = write_meta(object, &meta);
        if (r >= 0)
                r = publish(object, TOPIC_META, NULL, meta.data, meta.length);
        if (r >= 0)
                object->meta_dirty = false;
        return r;
}

int object_flush(Object *object)
{
        Service *service = object->service;
        int r;

        if (!object->dirty)
                return 0;
        if (service->phase != ANNOUNCE_BIRTH && service->phase != ANNOUNCE_UP)
                return -ENOTCONN;
        r = flush_properties(object);
        if (r >= 0)
                r = flush_meta(object);
        if (r >= 0)
                set_clean(object);
        return r;
}

void object_clear(Object *object)
{
        Service *service = object->service;

        if (!service->bus || (service->phase != ANNOUNCE_BIRTH && service->phase != ANNOUNCE_UP))
                return; /* the next announcement sweeps */
        if (object->announced && publish(object, TOPIC_META, NULL, NULL, 0) < 0)
                service->needs_sweep = true;
        for (size_t i = 0; i < object->n_properties; i++)
                if (publish(object, TOPIC_PROPERTY, object->properties[i]->name, NULL, 0) < 0)
                        service->needs_sweep = true;
}

/* ---- signals ---- */

uint64_t object_count_signal(Object *object, const char *name)
{
        SignalCounter *counter;

        for (counter = object->signals; counter; counter = counter->next)
                if (!strcmp(counter->name, name))
                        return ++counter->count;
        counter = calloc(1, sizeof(*counter) + strlen(name) + 1);
        if (!counter)
                return 0;
        strcpy(counter->name, name);
        counter->count = signal_counters_take(&object->service->counters, object->name, name);
        counter->next = object->signals;
        object->signals = counter;
        return ++counter->count;
}

/* ---- public: objects without a vtable ---- */

static int check_names(const char *object, const char *name)
{
        return topic_object_is_valid(object, strlen(object)) &&
                               topic_name_is_valid(name, strlen(name))
                       ? 0
                       : -EINVAL;
}

static int get_service(MqttRpcBus *bus, const char *name, Service **ret_service)
{
        *ret_service = service_find(bus, (TextSpan){name, strlen(name)});
        return *ret_service ? 0 : -ENOENT;
}

static int get_raw(MqttRpcBus *bus, const char *service, const char *name, bool make,
                   Object **ret_object)
{
        Service *owner;
        Object *object;
        int r;

        r = get_service(bus, service, &owner);
        if (r < 0)
                return r;
        object = object_find(owner, name, strlen(name));
        if (!object) {
                r = make ? object_new(owner, name, &object) : -ENOENT;
                if (r < 0)
                        return r;
        }
        if (object->members)
                return -EEXIST;
        *ret_object = object;
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_property_publish(MqttRpcBus *bus, const char *service,
                                            const char *object, const char *property,
                                            const char *value, size_t length)
{
        Object *raw;
        int r;

        r = check_names(object, property);
        if (r >= 0)
                r = get_raw(bus, service, object, value, &raw);
        if (r < 0)
                return r;
        if (length == SIZE_MAX || !value)
                length = value ? strlen(value) : 0;
        return object_put(raw, property, value, length);
}

MQTTRPC_PUBLIC int mqttrpc_property_get_published(MqttRpcBus *bus, const char *service,
                                                  const char *object, const char *property,
                                                  const char **ret_value, size_t *ret_length)
{
        const Property *found;
        Service *owner;
        Object *owned;
        int r;

        r = get_service(bus, service, &owner);
        if (r < 0)
                return r;
        owned = object_find(owner, object, strlen(object));
        found = owned ? object_find_property(owned, property, strlen(property)) : NULL;
        if (!found || !found->value)
                return -ENOENT;
        *ret_value = found->value;
        if (ret_length)
                *ret_length = found->length;
        return 0;
}

static int write_names(const char *const *names, char **ret_text)
{
        CLEANUP_BUFFER Buffer text = BUFFER_INIT(0);

        buffer_append_char(&text, '[');
        for (size_t i = 0; names && names[i]; i++) {
                if (i > 0)
                        buffer_append_char(&text, ',');
                json_write_string(&text, names[i], strlen(names[i]));
        }
        buffer_append_char(&text, ']');
        *ret_text = buffer_steal(&text);
        return *ret_text ? 0 : -ENOMEM;
}

MQTTRPC_PUBLIC int mqttrpc_object_announce(MqttRpcBus *bus, const char *service, const char *object,
                                           const char *const *interfaces)
{
        CLEANUP_FREE char *text = NULL;
        Object *raw;
        int r;

        r = check_names(object, "-");
        if (r >= 0)
                r = write_names(interfaces, &text);
        if (r >= 0)
                r = get_raw(bus, service, object, true, &raw);
        if (r < 0)
                return r;
        if (raw->announced && raw->interfaces && !strcmp(raw->interfaces, text))
                return 0;
        free(raw->interfaces);
        raw->interfaces = STEAL(text);
        raw->announced = true;
        raw->meta_dirty = true;
        object_set_dirty(raw);
        (void)object_flush(raw);
        return 0;
}

MQTTRPC_PUBLIC int mqttrpc_object_remove(MqttRpcBus *bus, const char *service, const char *object)
{
        Service *owner;
        Object *raw;
        int r;

        r = get_raw(bus, service, object, false, &raw);
        if (r < 0)
                return r;
        owner = service_ref(raw->service);
        object_clear(raw);
        object_free(raw);
        announce_continue(owner);
        service_unref(owner);
        return 0;
}
