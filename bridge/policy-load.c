/* SPDX-License-Identifier: MIT */

#include "bridge/policy-load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/json-fields.h"
#include "common/limits.h"

enum {
        SECRET_BYTES = 4096,
        DEFAULT_QUEUE_MIB = 64,
        DEFAULT_QUEUE_HOURS = 24 * 7,
        DEFAULT_RATE_PER_MINUTE = 60,
        DEFAULT_CALL_BYTES = 65536,
        DEFAULT_KEEPALIVE_S = 30,
        MAX_QUEUE_MIB = 1 << 20,
        MAX_QUEUE_HOURS = 24 * 366,
};

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const protocols[] = {"5", "3.1.1", NULL};
static const char *const drops[] = {"oldest", "newest", NULL};

/* ---- lists of words ---- */

static void read_words(JsonFile *file, uint32_t node, WordList *list,
                       int (*check)(const char *text, Error **ret_error))
{
        uint32_t count;

        if (!json_file_expect(file, node, JSON_ARRAY))
                return;
        count = file->doc.nodes[node].count;
        if (count > LIMIT_BRIDGE_WORDS) {
                json_file_error(file, node, "more than %u entries", LIMIT_BRIDGE_WORDS);
                return;
        }
        list->items = calloc(count + 1, sizeof(*list->items));
        if (!list->items) {
                json_file_out_of_memory(file);
                return;
        }
        JSON_FOREACH (&file->doc, node, item) {
                CLEANUP_ERROR Error *error = NULL;
                char *text = json_file_string(file, item);

                if (text && check(text, &error) < 0) {
                        json_file_error(file, item, "%s", error_text(error));
                        free(STEAL(text));
                }
                if (text)
                        list->items[list->count++] = text;
        }
}

static void read_properties(JsonFile *file, uint32_t node, void *target)
{
        read_words(file, node, &((PublishRule *)target)->properties, name_check_pattern);
}

static void read_signals(JsonFile *file, uint32_t node, void *target)
{
        read_words(file, node, &((PublishRule *)target)->signals, name_check_pattern);
}

static void read_methods(JsonFile *file, uint32_t node, void *target)
{
        read_words(file, node, &((AllowRule *)target)->methods, name_check_pattern);
}

/* The name gets "cloud." in front of it at the local broker. */
static int check_caller(const char *text, Error **ret_error)
{
        int r = name_check(text, ret_error);

        if (r >= 0 && strlen(text) + strlen("cloud.") > LIMIT_NAME_LENGTH)
                return error_set(ret_error, -EINVAL, "the name is too long for cloud.NAME");
        if (r >= 0 && strcmp(text, "other") == 0)
                return error_set(ret_error, -EINVAL,
                                 "'other' is what callers without a name of their own are called");
        return r;
}

static void read_callers(JsonFile *file, uint32_t node, void *target)
{
        read_words(file, node, &((AllowRule *)target)->callers, check_caller);
}

/* ---- rules ---- */

static const JsonField publish_fields[] = {
        {"service", JSON_FIELD_STRING, offsetof(PublishRule, service), .check = name_check_pattern,
         .required = true},
        {"object", JSON_FIELD_STRING, offsetof(PublishRule, object), .check = name_check_pattern},
        {"properties", JSON_FIELD_CUSTOM, .read = read_properties},
        {"signals", JSON_FIELD_CUSTOM, .read = read_signals},
        {"qos", JSON_FIELD_UINT, offsetof(PublishRule, qos), 0, 1},
        {"retain", JSON_FIELD_BOOLEAN, offsetof(PublishRule, retain)},
        {"min_interval_ms", JSON_FIELD_MSEC, offsetof(PublishRule, min_interval_usec), 0, 86400000},
        {"on_demand", JSON_FIELD_BOOLEAN, offsetof(PublishRule, on_demand)},
};

static const JsonField allow_fields[] = {
        {"service", JSON_FIELD_STRING, offsetof(AllowRule, service), .check = name_check_pattern,
         .required = true},
        {"object", JSON_FIELD_STRING, offsetof(AllowRule, object), .check = name_check_pattern},
        {"methods", JSON_FIELD_CUSTOM, .read = read_methods, .required = true},
        {"callers", JSON_FIELD_CUSTOM, .read = read_callers},
        {"others", JSON_FIELD_BOOLEAN, offsetof(AllowRule, others)},
        {"rate_per_minute", JSON_FIELD_UINT, offsetof(AllowRule, rate_per_minute), 1, 1000000},
        {"max_bytes", JSON_FIELD_UINT, offsetof(AllowRule, max_bytes), 1, LIMIT_PAYLOAD_BYTES},
        {"timeout_ms", JSON_FIELD_MSEC, offsetof(AllowRule, timeout_usec), 1, 86400000},
};

/* A list of `size` bytes for each item of an array, zeroed; NULL if there is nothing to read. */
static void *new_rules(JsonFile *file, uint32_t node, size_t size)
{
        void *rules;

        if (!json_file_expect(file, node, JSON_ARRAY))
                return NULL;
        if (file->doc.nodes[node].count > LIMIT_BRIDGE_RULES) {
                json_file_error(file, node, "more than %u rules", LIMIT_BRIDGE_RULES);
                return NULL;
        }
        rules = calloc(file->doc.nodes[node].count + 1, size);
        if (!rules)
                json_file_out_of_memory(file);
        return rules;
}

static void default_object(JsonFile *file, char **object)
{
        if (*object)
                return;
        *object = strdup("*");
        if (!*object)
                json_file_out_of_memory(file);
}

static void read_publish(JsonFile *file, uint32_t node, void *target)
{
        Policy *policy = target;

        policy->publish = new_rules(file, node, sizeof(*policy->publish));
        if (!policy->publish)
                return;
        JSON_FOREACH (&file->doc, node, item) {
                PublishRule *rule = &policy->publish[policy->n_publish++];

                *rule = (PublishRule){.qos = 1, .retain = true};
                json_fields_read(file, item, publish_fields, ARRAY_SIZE(publish_fields), rule);
                default_object(file, &rule->object);
        }
}

static void read_allow(JsonFile *file, uint32_t node, void *target)
{
        Policy *policy = target;

        policy->allow = new_rules(file, node, sizeof(*policy->allow));
        if (!policy->allow)
                return;
        JSON_FOREACH (&file->doc, node, item) {
                AllowRule *rule = &policy->allow[policy->n_allow++];

                *rule = (AllowRule){.rate_per_minute = DEFAULT_RATE_PER_MINUTE,
                                    .max_bytes = DEFAULT_CALL_BYTES,
                                    .timeout_usec = DEFAULT_TIMEOUT_USEC};
                json_fields_read(file, item, allow_fields, ARRAY_SIZE(allow_fields), rule);
                default_object(file, &rule->object);
        }
}

/* ---- brokers ---- */

/* These stand in lines of files that `emit` prints. */
static int check_line(const char *text, Error **ret_error)
{
        for (const char *at = text; *at; at++)
                if ((unsigned char)*at < ' ' || *at == 0x7f)
                        return error_set(ret_error, -EINVAL, "it has control characters");
        return *text ? 0 : error_set(ret_error, -EINVAL, "it is empty");
}

static int check_uri(const char *text, Error **ret_error)
{
        Address address = {};
        int r = check_line(text, ret_error);

        if (r >= 0)
                r = address_parse(text, &address, ret_error);
        address_done(&address);
        return r;
}

#define AT(member) offsetof(Endpoint, member)

static const JsonField endpoint_fields[] = {
        {"uri", JSON_FIELD_STRING, AT(uri), .check = check_uri, .required = true},
        {"user", JSON_FIELD_STRING, AT(user), .check = check_line},
        {"password_file", JSON_FIELD_STRING, AT(password_file)},
        {"ca_file", JSON_FIELD_STRING, AT(ca_file)},
        {"cert_file", JSON_FIELD_STRING, AT(cert_file)},
        {"key_file", JSON_FIELD_STRING, AT(key_file)},
        {"alpn", JSON_FIELD_STRING, AT(alpn), .check = check_line},
        {"psk_identity", JSON_FIELD_STRING, AT(psk_identity), .check = check_line},
        {"psk_file", JSON_FIELD_STRING, AT(psk_file)},
        {"client_id", JSON_FIELD_STRING, AT(client_id), .check = check_line},
        {"keepalive_s", JSON_FIELD_UINT, AT(keepalive_s), 5, 65535},
        {"insecure", JSON_FIELD_BOOLEAN, AT(insecure)},
        {"protocol", JSON_FIELD_WORD, AT(protocol), .words = protocols},
};
#undef AT

char *policy_resolve_path(const char *file, const char *path)
{
        static const char scheme[] = "credential:";
        const char *folder = getenv("CREDENTIALS_DIRECTORY");
        char *result;

        if (strncmp(path, scheme, strlen(scheme)) != 0)
                return file_beside(file, path);
        if (asprintf(&result, "%s/%s", folder ? folder : "/run/credentials",
                     path + strlen(scheme)) < 0)
                return NULL;
        return result;
}

static void resolve(JsonFile *file, char **path)
{
        char *resolved;

        if (!*path)
                return;
        resolved = policy_resolve_path(file->name, *path);
        if (!resolved)
                json_file_out_of_memory(file);
        free(*path);
        *path = resolved;
}

static void read_endpoint(JsonFile *file, uint32_t node, Endpoint *endpoint)
{
        char **paths[] = {&endpoint->password_file, &endpoint->ca_file, &endpoint->cert_file,
                          &endpoint->key_file, &endpoint->psk_file};

        endpoint->keepalive_s = DEFAULT_KEEPALIVE_S;
        json_fields_read(file, node, endpoint_fields, ARRAY_SIZE(endpoint_fields), endpoint);
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                resolve(file, paths[i]);
        if (endpoint->uri)
                (void)address_parse(endpoint->uri, &endpoint->address, NULL);
}

static void read_local(JsonFile *file, uint32_t node, void *target)
{
        read_endpoint(file, node, &((Policy *)target)->local);
}

static void read_cloud(JsonFile *file, uint32_t node, void *target)
{
        read_endpoint(file, node, &((Policy *)target)->cloud);
}

/* ---- the rest ---- */

static const JsonField queue_fields[] = {
        {"path", JSON_FIELD_PATH, offsetof(Queue, path)},
        {"max_mib", JSON_FIELD_UINT, offsetof(Queue, max_mib), 1, MAX_QUEUE_MIB},
        {"max_age_hours", JSON_FIELD_UINT, offsetof(Queue, max_age_hours), 1, MAX_QUEUE_HOURS},
        {"drop", JSON_FIELD_WORD, offsetof(Queue, drop), .words = drops},
};

static const JsonField rate_fields[] = {
        {"messages_per_s", JSON_FIELD_UINT, offsetof(RateLimits, messages_per_s), 0, 1000000},
        {"kib_per_s", JSON_FIELD_UINT, offsetof(RateLimits, kib_per_s), 0, 1000000},
};

typedef struct Narrower {
        unsigned topic_levels, topic_bytes, message_bytes, inflight;
        int retain; /* -1: as the cloud does */
} Narrower;

static const JsonField limit_fields[] = {
        {"topic_levels", JSON_FIELD_UINT, offsetof(Narrower, topic_levels), 1, 65535},
        {"topic_bytes", JSON_FIELD_UINT, offsetof(Narrower, topic_bytes), 1, 65535},
        {"message_bytes", JSON_FIELD_UINT, offsetof(Narrower, message_bytes), 1,
         LIMIT_PAYLOAD_BYTES},
        {"inflight", JSON_FIELD_UINT, offsetof(Narrower, inflight), 1, 65535},
        {"retain", JSON_FIELD_TRISTATE, offsetof(Narrower, retain)},
};

static void read_queue(JsonFile *file, uint32_t node, void *target)
{
        Queue *queue = &((Policy *)target)->queue;

        json_fields_read(file, node, queue_fields, ARRAY_SIZE(queue_fields), queue);
}

static void read_rate(JsonFile *file, uint32_t node, void *target)
{
        RateLimits *rate = &((Policy *)target)->rate;

        json_fields_read(file, node, rate_fields, ARRAY_SIZE(rate_fields), rate);
}

static const JsonField policy_fields[];

/* Wherever "cloud_kind" stands, what "limits" says comes on top of it. */
static void read_limits(JsonFile *file, uint32_t node, void *target)
{
        Narrower narrower = {.retain = -1};
        Policy *policy = target;
        Quirks *quirks = &policy->quirks;

        json_fields_read(file, node, limit_fields, ARRAY_SIZE(limit_fields), &narrower);
        if (narrower.topic_levels > 0)
                quirks->topic_levels = narrower.topic_levels;
        if (narrower.topic_bytes > 0)
                quirks->topic_bytes = narrower.topic_bytes;
        if (narrower.message_bytes > 0)
                quirks->message_bytes = narrower.message_bytes;
        if (narrower.inflight > 0)
                quirks->inflight = narrower.inflight;
        if (narrower.retain >= 0)
                quirks->retain = narrower.retain > 0;
}

#define AT(member) offsetof(Policy, member)

/* "limits" is read at the end. */
static void skip(JsonFile *file, uint32_t node, void *target)
{
        (void)json_file_expect(file, node, JSON_OBJECT);
}

static const JsonField policy_fields[] = {
        {"node", JSON_FIELD_STRING, AT(node), .check = name_check_prefix, .required = true},
        {"root", JSON_FIELD_STRING, AT(root), .check = name_check_prefix},
        {"name", JSON_FIELD_STRING, AT(name), .check = name_check},
        {"local", JSON_FIELD_CUSTOM, .read = read_local, .required = true},
        {"cloud", JSON_FIELD_CUSTOM, .read = read_cloud, .required = true},
        {"cloud_kind", JSON_FIELD_WORD, AT(quirks_index), .words = quirks_names},
        {"limits", JSON_FIELD_CUSTOM, .read = skip},
        {"publish", JSON_FIELD_CUSTOM, .read = read_publish},
        {"allow", JSON_FIELD_CUSTOM, .read = read_allow},
        {"allow_any_service", JSON_FIELD_BOOLEAN, AT(allow_any_service)},
        {"queue", JSON_FIELD_CUSTOM, .read = read_queue},
        {"rate", JSON_FIELD_CUSTOM, .read = read_rate},
        {"audit_file", JSON_FIELD_PATH, AT(audit_file)},
        {"log_level", JSON_FIELD_WORD, AT(log_level), .words = log_levels},
};
#undef AT

static void set_default(JsonFile *file, char **text, const char *fallback)
{
        if (!*text)
                *text = strdup(fallback);
        if (!*text)
                json_file_out_of_memory(file);
}

static void fill_in(Policy *policy, JsonFile *file)
{
        uint32_t limits = json_find(&file->doc, 0, "limits");

        set_default(file, &policy->root, "mb1");
        set_default(file, &policy->name, "bridge");
        set_default(file, &policy->queue.path, "/var/lib/mqttrpc-bridge/events.db");
        set_default(file, &policy->local.client_id, "mqttrpc-bridge");
        policy->quirks = *quirks_get((size_t)policy->quirks_index);
        if (limits > 0 && json_type(&file->doc, limits) == JSON_OBJECT)
                read_limits(file, limits, policy);
        if (!policy->node || !policy->root)
                return;
        if (asprintf(&policy->prefix, "%s/%s", policy->node, policy->root) < 0) {
                policy->prefix = NULL;
                json_file_out_of_memory(file);
        }
        set_default(file, &policy->cloud.client_id, policy->node);
}

static int read_policy(JsonFile *file, Policy **ret_policy)
{
        CLEANUP_POLICY Policy *policy = calloc(1, sizeof(*policy));

        if (!policy) {
                json_file_out_of_memory(file);
                return -ENOMEM;
        }
        policy->log_level = 3; /* info */
        policy->queue = (Queue){.max_mib = DEFAULT_QUEUE_MIB, .max_age_hours = DEFAULT_QUEUE_HOURS};
        json_fields_read(file, 0, policy_fields, ARRAY_SIZE(policy_fields), policy);
        if (json_type(&file->doc, 0) == JSON_OBJECT)
                fill_in(policy, file);
        /* Members that are missing or wrong have been reported, and are not to be looked at. */
        if (!json_file_failed(file))
                policy_check(policy, file);
        if (json_file_failed(file))
                return -EINVAL;
        *ret_policy = STEAL(policy);
        return 0;
}

int policy_load(const char *path, Diagnostics *diagnostics, Policy **ret_policy)
{
        CLEANUP_JSON_FILE JsonFile file;
        int r;

        r = json_file_load(&file, path, diagnostics);
        return r < 0 ? r : read_policy(&file, ret_policy);
}

int policy_parse(const char *name, const char *text, size_t length, Diagnostics *diagnostics,
                 Policy **ret_policy)
{
        CLEANUP_JSON_FILE JsonFile file;
        int r;

        r = json_file_parse(&file, name, text, length, diagnostics);
        return r < 0 ? r : read_policy(&file, ret_policy);
}

int policy_read_secret(const char *path, char **ret_text, Error **ret_error)
{
        size_t length;
        char *text;
        int r;

        if (!path) {
                *ret_text = NULL;
                return 0;
        }
        r = file_read(path, SECRET_BYTES, &text, &length, ret_error);
        if (r < 0)
                return r;
        text[strcspn(text, "\r\n")] = '\0';
        *ret_text = text;
        return 0;
}
