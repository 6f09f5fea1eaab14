/* SPDX-License-Identifier: MIT */

#include "gateway/expose-instances.h"

#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"

/* ---- one ---- */

static void on_link(DbusLink *link, bool connected, void *userdata)
{
        ExposeInstance *instance = userdata;
        const ExposeInstancesOptions *options = &instance->instances->options;

        if (connected)
                log_info("%s: connected to the D-Bus %s bus", instance->expose->name,
                         dbus_link_get_address(link));
        expose_on_link(instance->expose, connected);
        options->on_change(options->userdata);
}

static void on_presence(void *userdata)
{
        ExposeInstance *instance = userdata;
        const ExposeInstancesOptions *options = &instance->instances->options;

        instance->instances->review_due = true;
        options->on_change(options->userdata);
}

static void instance_free(ExposeInstance *instance)
{
        if (instance->hh.tbl)
                HASH_DEL(instance->instances->items, instance);
        expose_free(instance->expose);
        dbus_link_free(instance->link);
        mapping_service_free(instance->member);
        free(instance);
}

static int link_new(ExposeInstances *instances, DbusLinkHandler handler, void *userdata,
                    DbusLink **ret_link, Error **ret_error)
{
        const ExposeInstancesOptions *options = &instances->options;
        int r;

        r = dbus_link_new(options->event, instances->address, handler, userdata, ret_link);
        if (r < 0)
                return error_set_errno(ret_error, r, "cannot use the D-Bus %s bus",
                                       instances->address);
        dbus_link_set_reconnect_maximum(*ret_link, options->reconnect_max_usec);
        return 0;
}

static int instance_set_up(ExposeInstance *instance, MappingService *mapping, Error **ret_error)
{
        ExposeInstances *instances = instance->instances;
        ExposeOptions options = {.mapping = mapping,
                                 .event = instances->options.event,
                                 .bus = instances->options.mqtt,
                                 .scratch = instances->options.scratch,
                                 .usage = instances->options.usage,
                                 .on_presence = on_presence,
                                 .userdata = instance};
        int r;

        r = link_new(instances, on_link, instance, &instance->link, ret_error);
        if (r < 0)
                return r;
        options.link = instance->link;
        r = expose_new(&options, &instance->expose, ret_error);
        if (r < 0)
                return r;
        HASH_ADD_KEYPTR(hh, instances->items, instance->expose->bus_name,
                        strlen(instance->expose->bus_name), instance);
        if (!instance->hh.tbl)
                return -ENOMEM;
        return instances->is_open ? dbus_link_open(instance->link) : 0;
}

/* `member` is consumed; NULL: the mapping is of one name. */
static int instance_new(ExposeInstances *instances, MappingService *member, Error **ret_error)
{
        ExposeInstance *instance;
        int r;

        instance = calloc(1, sizeof(*instance));
        if (!instance) {
                mapping_service_free(member);
                return -ENOMEM;
        }
        instance->instances = instances;
        instance->member = member;
        instance->is_wanted = true;
        r = instance_set_up(instance, member ? member : instances->options.mapping, ret_error);
        if (r < 0)
                instance_free(instance);
        return r;
}

/* ---- those that come and go ---- */

static bool is_ours(const ExposeInstances *instances, const char *bus_name)
{
        const ExposeInstancesOptions *options = &instances->options;

        return mapping_set_find_bus_name(options->mappings, options->mapping->bus, bus_name) ==
               options->mapping;
}

static int begin(ExposeInstances *instances, const char *bus_name, Error **ret_error)
{
        const ExposeInstancesOptions *options = &instances->options;
        MappingService *member;
        int r;

        if (!options->mapping->is_family)
                return instance_new(instances, NULL, ret_error);
        r = mapping_service_of_member(options->mapping, bus_name, &member);
        if (r < 0)
                return r;
        if (!strcmp(member->name, options->own_name)) {
                r = error_set(ret_error, -EEXIST, "'%s' is the gateway's own service name",
                              member->name);
                mapping_service_free(member);
                return r;
        }
        if (options->ghosts)
                ghosts_yield(options->ghosts, member->name);
        return instance_new(instances, member, ret_error);
}

static bool is_wanted(const ExposeInstances *instances, NameReasons reasons)
{
        if (instances->rival == EXPOSE_RIVAL_UNKNOWN)
                return false;
        if (instances->rival == EXPOSE_RIVAL_ABSENT)
                return reasons & (NAME_OWNED | NAME_STARTABLE);
        return (reasons & NAME_OWNED) && !instances->gives_way;
}

static void consider(ExposeInstances *instances, const char *name, NameReasons reasons)
{
        bool wanted = is_wanted(instances, reasons);
        CLEANUP_ERROR Error *error = NULL;
        ExposeInstance *instance;
        int r;

        HASH_FIND_STR(instances->items, name, instance);
        instances->review_due = true;
        if (instance)
                instance->is_wanted = wanted;
        if (instance || !wanted || !is_ours(instances, name))
                return;
        r = begin(instances, name, &error);
        if (r < 0)
                log_error("%s is not served on MQTT: %s", name,
                          error ? error_text(error) : strerrordesc_np(-r));
        else
                log_info("%s: %s has appeared", instances->options.mapping->name, name);
}

static void on_name(const char *name, NameReasons reasons, void *userdata)
{
        ExposeInstances *instances = userdata;

        if (!instances->options.mapping->is_family) {
                instances->reasons = reasons;
                instances->gives_way = !(reasons & NAME_CAME) && !instances->items;
        }
        consider(instances, name, reasons);
        instances->options.on_change(instances->options.userdata);
}

static void on_names_link(DbusLink *link, bool connected, void *userdata)
{
        ExposeInstances *instances = userdata;

        name_watch_on_link(instances->names, connected);
        instances->options.on_change(instances->options.userdata);
}

static int follow_names(ExposeInstances *instances, Error **ret_error)
{
        const MappingService *mapping = instances->options.mapping;
        NameWatchOptions options = {
                .name = mapping->is_family ? mapping->family.prefix : mapping->bus_name,
                .is_family = mapping->is_family,
                .startable = mapping->activate,
                .handler = on_name,
                .userdata = instances,
        };
        int r;

        r = link_new(instances, on_names_link, instances, &instances->names_link, ret_error);
        options.link = instances->names_link;
        return r < 0 ? r : name_watch_new(&options, &instances->names);
}

bool expose_instances_has_name(const ExposeInstances *instances)
{
        return (instances->reasons & NAME_OWNED) && !expose_instances_has_loop(instances);
}

bool expose_instances_has_loop(const ExposeInstances *instances)
{
        for (const ExposeInstance *i = instances->items; i; i = i->hh.next)
                if (i->expose->gateway && !dbus_link_is_own(i->expose->link, i->expose->gateway))
                        return true;
        return false;
}

void expose_instances_set_rival(ExposeInstances *instances, ExposeRival rival)
{
        if (instances->rival == rival)
                return;
        instances->rival = rival;
        if (rival == EXPOSE_RIVAL_ABSENT)
                instances->gives_way = false;
        consider(instances, instances->options.mapping->bus_name, instances->reasons);
}

/* A service may give up its name before it answers its last calls. */
void expose_instances_review(ExposeInstances *instances)
{
        ExposeInstance *instance, *next;

        if (!instances->review_due || !instances->names)
                return;
        instances->review_due = false;
        HASH_ITER (hh, instances->items, instance, next) {
                if (instance->is_wanted || !expose_is_gone(instance->expose))
                        continue;
                if (instance->expose->n_calls > 0) {
                        instances->review_due = true;
                        continue;
                }
                log_info("%s: %s has gone", instances->options.mapping->name,
                         instance->expose->bus_name);
                instance_free(instance);
        }
}

void expose_instances_yield(ExposeInstances *instances)
{
        ExposeInstance *instance, *next;

        if (!instances->options.mapping->is_family)
                return;
        HASH_ITER (hh, instances->items, instance, next)
                if (!is_ours(instances, instance->expose->bus_name))
                        instance_free(instance);
}

void expose_instances_claim(ExposeInstances *instances)
{
        if (instances->options.mapping->is_family)
                name_watch_tell(instances->names);
}

/* ---- life ---- */

int expose_instances_new(const ExposeInstancesOptions *options, ExposeInstances **ret_instances,
                         Error **ret_error)
{
        ExposeInstances *instances;
        int r;

        instances = calloc(1, sizeof(*instances));
        if (!instances)
                return -ENOMEM;
        instances->options = *options;
        instances->rival = options->mapping->provider == MAPPING_PROVIDER_AUTO
                                   ? EXPOSE_RIVAL_UNKNOWN
                                   : EXPOSE_RIVAL_ABSENT;
        instances->address = strdup(options->address);
        if (!instances->address)
                r = -ENOMEM;
        else if (options->mapping->is_family || options->mapping->provider == MAPPING_PROVIDER_AUTO)
                r = follow_names(instances, ret_error);
        else
                r = instance_new(instances, NULL, ret_error);
        if (r < 0) {
                expose_instances_free(instances);
                return r;
        }
        *ret_instances = instances;
        return 0;
}

ExposeInstances *expose_instances_free(ExposeInstances *instances)
{
        ExposeInstance *instance, *next;

        if (!instances)
                return NULL;
        name_watch_free(instances->names);
        dbus_link_free(instances->names_link);
        HASH_ITER (hh, instances->items, instance, next)
                instance_free(instance);
        free(instances->address);
        free(instances);
        return NULL;
}

int expose_instances_open(ExposeInstances *instances)
{
        ExposeInstance *instance, *next;
        int r = 0;

        instances->is_open = true;
        if (instances->names_link)
                r = dbus_link_open(instances->names_link);
        HASH_ITER (hh, instances->items, instance, next)
                if (r >= 0)
                        r = dbus_link_open(instance->link);
        return r;
}

static void count_link(const DbusLink *link, ExposeInstancesCount *count)
{
        count->links++;
        count->connected += dbus_link_is_connected(link);
        count->tried += dbus_link_was_tried(link);
}

void expose_instances_count(const ExposeInstances *instances, ExposeInstancesCount *ret_count)
{
        *ret_count = (ExposeInstancesCount){};
        if (instances->names_link)
                count_link(instances->names_link, ret_count);
        for (const ExposeInstance *i = instances->items; i; i = i->hh.next) {
                ret_count->services++;
                ret_count->calls += i->expose->n_calls;
                count_link(i->link, ret_count);
        }
}

static bool process_link(DbusLink *link)
{
        sd_bus *bus = link ? dbus_link_get_bus(link) : NULL;

        return bus && sd_bus_process(bus, NULL) > 0;
}

bool expose_instances_process(ExposeInstances *instances)
{
        bool any = process_link(instances->names_link);

        for (ExposeInstance *i = instances->items; i; i = i->hh.next)
                any = (i->expose->n_calls > 0 && process_link(i->link)) || any;
        return any;
}
