/* SPDX-License-Identifier: MIT */

/* Who sends a message, and whether he may. The bus is asked once for each sender: unique names are
 * never given to another one, and what the bus says of a connection does not change. Messages of a
 * sender who is not known yet wait, in their order. */

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/json-scan.h"
#include "common/limits.h"
#include "common/log.h"
#include "gateway/facade.h"

#define DRIVER_NAME   "org.freedesktop.DBus"
#define DRIVER_PATH   "/org/freedesktop/DBus"
#define ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define LIMITS        "org.freedesktop.DBus.Error.LimitsExceeded"

/* An entry of the machine's tables; a group lists its members in it. */
enum { ENTRY_BYTES = 65536 };

/* One "allow" of the mapping, in numbers. */
struct FacadeRule {
        const MappingAllow *allow; /* the key */
        uint32_t *users;
        size_t n_users;
        uint32_t *groups;
        size_t n_groups;
        UT_hash_handle hh;
};

typedef struct Waiting {
        sd_bus_message *message;
        struct Waiting *next;
} Waiting;

struct FacadeSender {
        Facade *facade;
        char *name;
        bool known;
        bool has_uid;
        uint32_t uid;
        char uid_text[12];
        char process[LIMIT_USAGE_PROCESS_LENGTH + 1]; /* for people; "": not known */
        uint32_t pid;                                 /* 0: not known */
        uint32_t *groups;
        size_t n_groups;
        sd_bus_slot *query;
        Waiting *waiting, **tail;
        UT_hash_handle hh;
};

/* ---- rules ---- */

static bool parse_number(const char *text, uint32_t *ret_number)
{
        uint64_t number;

        if (json_parse_uint64(text, strlen(text), &number) < 0 || number > UINT32_MAX)
                return false;
        *ret_number = (uint32_t)number;
        return true;
}

/* Looks into the machine's tables, which may take time where they come from a network: therefore
 * once, when the facade is made. */
static bool find_user(const char *name, uint32_t *ret_id)
{
        char buffer[ENTRY_BYTES];
        struct passwd *entry = NULL, memory;

        if (parse_number(name, ret_id))
                return true;
        (void)getpwnam_r(name, &memory, buffer, sizeof(buffer), &entry);
        if (entry)
                *ret_id = entry->pw_uid;
        return entry;
}

static bool find_group(const char *name, uint32_t *ret_id)
{
        char buffer[ENTRY_BYTES];
        struct group *entry = NULL, memory;

        if (parse_number(name, ret_id))
                return true;
        (void)getgrnam_r(name, &memory, buffer, sizeof(buffer), &entry);
        if (entry)
                *ret_id = entry->gr_gid;
        return entry;
}

static int resolve(const Facade *facade, char *const *names, size_t n_names, const char *what,
                   bool (*find)(const char *, uint32_t *), uint32_t **ret_ids, size_t *ret_n)
{
        if (n_names == 0)
                return 0;
        *ret_ids = calloc(n_names, sizeof(**ret_ids));
        if (!*ret_ids)
                return -ENOMEM;
        for (size_t i = 0; i < n_names; i++)
                if (find(names[i], &(*ret_ids)[*ret_n]))
                        (*ret_n)++;
                else
                        log_warning("%s: there is no %s '%s'; the mapping's \"allow\" lets in the "
                                    "others",
                                    facade->mapping->file, what, names[i]);
        return 0;
}

static int add_rule(Facade *facade, const MappingAllow *allow)
{
        FacadeRule *rule;
        int r;

        HASH_FIND_PTR(facade->rules, &allow, rule);
        if (!allow->given || rule)
                return 0;
        rule = calloc(1, sizeof(*rule));
        if (!rule)
                return -ENOMEM;
        rule->allow = allow;
        HASH_ADD_PTR(facade->rules, allow, rule);
        if (!hash_added(rule->hh)) {
                free(rule);
                return -ENOMEM;
        }
        r = resolve(facade, allow->users, allow->n_users, "user", find_user, &rule->users,
                    &rule->n_users);
        if (r < 0)
                return r;
        return resolve(facade, allow->groups, allow->n_groups, "group", find_group, &rule->groups,
                       &rule->n_groups);
}

int facade_access_start(Facade *facade)
{
        int r;

        r = add_rule(facade, &facade->mapping->allow);
        for (MappingObject *o = facade->mapping->objects; o && r >= 0; o = o->hh.next) {
                for (MappingInterface *i = o->interfaces; i && r >= 0; i = i->hh.next)
                        r = add_rule(facade, &i->allow);
                for (MemberKind kind = 0; kind < MEMBER_KINDS; kind++)
                        for (MappingMember *m = o->members[kind]; m && r >= 0; m = m->hh.next)
                                r = add_rule(facade, &m->rule->allow);
        }
        return r;
}

/* ---- senders ---- */

static void sender_free(FacadeSender *sender)
{
        Waiting *waiting;

        HASH_DEL(sender->facade->senders, sender);
        sd_bus_slot_unref(sender->query);
        while ((waiting = sender->waiting)) {
                sender->waiting = waiting->next;
                sender->facade->n_waiting--;
                sd_bus_message_unref(waiting->message);
                free(waiting);
        }
        free(sender->groups);
        free(sender->name);
        free(sender);
}

void facade_access_reset(Facade *facade)
{
        FacadeSender *sender, *next;

        HASH_ITER (hh, facade->senders, sender, next)
                sender_free(sender);
}

void facade_access_free(Facade *facade)
{
        FacadeRule *rule, *next;

        facade_access_reset(facade);
        HASH_ITER (hh, facade->rules, rule, next) {
                HASH_DEL(facade->rules, rule);
                free(rule->users);
                free(rule->groups);
                free(rule);
        }
}

static int read_groups(FacadeSender *sender, sd_bus_message *m)
{
        const void *groups;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "au");
        if (r >= 0)
                r = sd_bus_message_read_array(m, 'u', &groups, &size);
        if (r < 0)
                return r;
        size = MIN(size / sizeof(uint32_t), (size_t)LIMIT_FACADE_GROUPS);
        sender->groups = calloc(size + 1, sizeof(*sender->groups));
        if (!sender->groups)
                return -ENOMEM;
        if (size > 0)
                memcpy(sender->groups, groups, size * sizeof(uint32_t));
        sender->n_groups = size;
        return sd_bus_message_exit_container(m);
}

static int read_credential(FacadeSender *sender, sd_bus_message *m)
{
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (!strcmp(name, "UnixUserID")) {
                r = sd_bus_message_read(m, "v", "u", &sender->uid);
                sender->has_uid = r >= 0;
                snprintf(sender->uid_text, sizeof(sender->uid_text), "%" PRIu32, sender->uid);
                return r;
        }
        if (!strcmp(name, "ProcessID"))
                return sd_bus_message_read(m, "v", "u", &sender->pid);
        if (!strcmp(name, "UnixGroupIDs") && !sender->groups)
                return read_groups(sender, m);
        return sd_bus_message_skip(m, "v");
}

/* "upowerd[812], uid 0". Of a process that has ended, or is in another namespace, only its user. */
static void find_process(FacadeSender *sender)
{
        CLEANUP_FREE char *path = NULL, *text = NULL;
        size_t length = 0;

        if (sender->pid > 0 && asprintf(&path, "/proc/%" PRIu32 "/comm", sender->pid) < 0)
                path = NULL;
        if (path && file_read(path, LIMIT_USAGE_PROCESS_LENGTH, &text, &length, NULL) >= 0)
                snprintf(sender->process, sizeof(sender->process), "%.*s[%" PRIu32 "], uid %s",
                         (int)strcspn(text, "\n"), text, sender->pid, sender->uid_text);
        else
                snprintf(sender->process, sizeof(sender->process), "uid %s", sender->uid_text);
}

static void read_credentials(FacadeSender *sender, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_credential(sender, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                facade_warn(sender->facade, "what the bus says of %s cannot be read: %s",
                            sender->name, strerrordesc_np(-r));
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        FacadeSender *sender = userdata;
        Facade *facade = sender->facade;
        Waiting *waiting;

        sender->query = sd_bus_slot_unref(sender->query);
        sender->known = true;
        /* without: he has gone, or the bus knows nothing of him; he is nobody then */
        if (!sd_bus_message_is_method_error(m, NULL))
                read_credentials(sender, m);
        if (facade->usage)
                find_process(sender);
        while ((waiting = sender->waiting)) {
                sender->waiting = waiting->next;
                facade->n_waiting--;
                facade_dispatch(facade, waiting->message, sender);
                sd_bus_message_unref(waiting->message);
                free(waiting);
        }
        sender->tail = &sender->waiting;
        return DBUS_LINK_TAKEN;
}

/* Makes room by the one who has called longest ago. */
static void evict(Facade *facade)
{
        FacadeSender *sender, *next;

        if (HASH_COUNT(facade->senders) < LIMIT_FACADE_SENDERS)
                return;
        HASH_ITER (hh, facade->senders, sender, next)
                if (sender->known) {
                        sender_free(sender);
                        return;
                }
}

static int sender_new(Facade *facade, const char *name, FacadeSender **ret_sender)
{
        FacadeSender *sender;
        int r;

        evict(facade);
        if (HASH_COUNT(facade->senders) >= LIMIT_FACADE_SENDERS)
                return -ENOBUFS;
        sender = calloc(1, sizeof(*sender));
        if (!sender)
                return -ENOMEM;
        sender->facade = facade;
        sender->tail = &sender->waiting;
        sender->name = strdup(name);
        if (sender->name)
                HASH_ADD_KEYPTR(hh, facade->senders, sender->name, strlen(sender->name), sender);
        if (!hash_added(sender->hh)) {
                free(sender->name);
                free(sender);
                return -ENOMEM;
        }
        r = sd_bus_call_method_async(dbus_link_get_bus(facade->link), &sender->query, DRIVER_NAME,
                                     DRIVER_PATH, DRIVER_NAME, "GetConnectionCredentials",
                                     on_credentials, sender, "s", name);
        if (r < 0) {
                sender_free(sender);
                return r;
        }
        *ret_sender = sender;
        return 0;
}

static int hold(FacadeSender *sender, sd_bus_message *m)
{
        Waiting *waiting;

        if (sender->facade->n_waiting >= LIMIT_FACADE_WAITING)
                return -ENOBUFS;
        waiting = calloc(1, sizeof(*waiting));
        if (!waiting)
                return -ENOMEM;
        waiting->message = sd_bus_message_ref(m);
        *sender->tail = waiting;
        sender->tail = &waiting->next;
        sender->facade->n_waiting++;
        return 0;
}

int facade_access_admit(Facade *facade, sd_bus_message *m)
{
        const char *name = sd_bus_message_get_sender(m);
        FacadeSender *sender;
        int r = 0;

        if (!name)
                return 0;
        HASH_FIND_STR(facade->senders, name, sender);
        if (sender && sender->known) {
                /* to the end of the line of those who are forgotten */
                HASH_DEL(facade->senders, sender);
                HASH_ADD_KEYPTR(hh, facade->senders, sender->name, strlen(sender->name), sender);
                facade_dispatch(facade, m, sender);
                return 0;
        }
        if (!sender)
                r = sender_new(facade, name, &sender);
        if (r >= 0)
                r = hold(sender, m);
        if (r < 0)
                facade_reply_error(facade, m, LIMITS, "too many clients call %s at once",
                                   facade->bus_name);
        return 0;
}

void facade_access_origin(const FacadeSender *sender, MqttRpcOrigin *ret_origin)
{
        *ret_origin = (MqttRpcOrigin){
                .hops = 1,
                .dbus_sender = sender->name,
                .dbus_uid = sender->has_uid ? sender->uid_text : NULL,
        };
}

/* ---- whether he may ---- */

static bool contains(const uint32_t *items, size_t count, uint32_t item)
{
        for (size_t i = 0; i < count; i++)
                if (items[i] == item)
                        return true;
        return false;
}

static bool is_let_in(const Facade *facade, const MappingAllow *allow, const FacadeSender *sender)
{
        const FacadeRule *rule;

        HASH_FIND_PTR(facade->rules, &allow, rule);
        if (!rule)
                return false;
        if (sender->has_uid && contains(rule->users, rule->n_users, sender->uid))
                return true;
        for (size_t i = 0; i < sender->n_groups; i++)
                if (contains(rule->groups, rule->n_groups, sender->groups[i]))
                        return true;
        return false;
}

/* On the system bus members of class admin are for root, where the mapping does not say otherwise;
 * a session bus has one user. */
static bool is_open(const Facade *facade, const MappingMember *member, const FacadeSender *sender)
{
        const char *bus = facade->mapping->bus;
        bool is_system = !bus || !strcmp(bus, "system");

        return !is_system || strcmp(member->access, MAPPING_ACCESS_DEFAULT) != 0 ||
               (sender->has_uid && sender->uid == 0);
}

static const MappingAllow *find_rule(const Facade *facade, const MappingInterface *i,
                                     const MappingMember *member)
{
        if (member->rule->allow.given)
                return &member->rule->allow;
        if (i->allow.given)
                return &i->allow;
        return facade->mapping->allow.given ? &facade->mapping->allow : NULL;
}

bool facade_access_check(Facade *facade, const FacadeSender *sender, const MappingInterface *i,
                         const MappingMember *member, sd_bus_message *m)
{
        const MappingAllow *allow = find_rule(facade, i, member);

        if (allow ? is_let_in(facade, allow, sender) : is_open(facade, member, sender))
                return true;
        facade->stats.denied++;
        facade_reply_error(facade, m, ACCESS_DENIED, "user %s may not use %s.%s: %s",
                           sender->has_uid ? sender->uid_text : "unknown", member->interface,
                           member->member,
                           allow ? "the gateway's mapping lets in others"
                                 : "it is for root, unless the gateway's mapping allows it");
        return false;
}

void facade_access_count(const FacadeSender *sender, UsageKind kind, const FacadeObject *object,
                         const char *interface, const char *member)
{
        const Facade *facade = object->facade;
        UsageKey key = {.side = USAGE_DBUS,
                        .kind = kind,
                        .service = facade->name,
                        .object = object->mapping->name,
                        .interface = interface,
                        .member = member};

        usage_count(facade->usage, &key, sender->name, sender->process, time(NULL));
}
