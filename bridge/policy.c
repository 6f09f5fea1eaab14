/* SPDX-License-Identifier: MIT */

#include "bridge/policy.h"

#include <errno.h>
#include <string.h>

#define CANCEL "rpc.cancel"

/* ---- life ---- */

static void word_list_done(WordList *list)
{
        for (size_t i = 0; i < list->count; i++)
                free(list->items[i]);
        free(list->items);
}

static void endpoint_done(Endpoint *endpoint)
{
        char *texts[] = {endpoint->uri,      endpoint->user,      endpoint->password_file,
                         endpoint->ca_file,  endpoint->cert_file, endpoint->key_file,
                         endpoint->alpn,     endpoint->psk_file,  endpoint->psk_identity,
                         endpoint->client_id};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                free(texts[i]);
        address_done(&endpoint->address);
}

Policy *policy_free(Policy *policy)
{
        if (!policy)
                return NULL;
        for (size_t i = 0; i < policy->n_publish; i++) {
                free(policy->publish[i].service);
                free(policy->publish[i].object);
                word_list_done(&policy->publish[i].properties);
                word_list_done(&policy->publish[i].signals);
        }
        for (size_t i = 0; i < policy->n_allow; i++) {
                free(policy->allow[i].service);
                free(policy->allow[i].object);
                word_list_done(&policy->allow[i].methods);
                word_list_done(&policy->allow[i].callers);
        }
        free(policy->publish);
        free(policy->allow);
        endpoint_done(&policy->local);
        endpoint_done(&policy->cloud);
        free(policy->node);
        free(policy->root);
        free(policy->name);
        free(policy->prefix);
        free(policy->queue.path);
        free(policy->audit_file);
        free(policy);
        return NULL;
}

/* ---- up ---- */

static bool list_matches(const WordList *list, Span name)
{
        for (size_t i = 0; i < list->count; i++)
                if (pattern_matches(list->items[i], name))
                        return true;
        return false;
}

static bool publish_matches(const PublishRule *rule, const Topic *topic)
{
        if (!pattern_matches(rule->service, topic->service))
                return false;
        switch (topic->kind) {
        case TOPIC_STATE:
        case TOPIC_API: return true;
        case TOPIC_META: return pattern_matches(rule->object, topic->object);
        case TOPIC_PROPERTY:
                return pattern_matches(rule->object, topic->object) &&
                       list_matches(&rule->properties, topic->name);
        case TOPIC_SIGNAL:
                return pattern_matches(rule->object, topic->object) &&
                       list_matches(&rule->signals, topic->name);
        default: return false;
        }
}

const PublishRule *policy_find_publish(const Policy *policy, const Topic *topic)
{
        for (size_t i = 0; i < policy->n_publish; i++)
                if (publish_matches(&policy->publish[i], topic))
                        return &policy->publish[i];
        return NULL;
}

bool policy_publishes_service(const Policy *policy, Span service)
{
        for (size_t i = 0; i < policy->n_publish; i++)
                if (pattern_matches(policy->publish[i].service, service))
                        return true;
        return false;
}

/* ---- down ---- */

bool allow_rule_names(const AllowRule *rule, Span caller)
{
        return list_matches(&rule->callers, caller);
}

static bool allow_matches(const AllowRule *rule, const Topic *topic)
{
        static const char cancel[] = CANCEL;
        bool is_cancel = topic->name.length == strlen(cancel) &&
                         memcmp(topic->name.at, cancel, topic->name.length) == 0;

        if (!pattern_matches(rule->service, topic->service) ||
            !pattern_matches(rule->object, topic->object))
                return false;
        /* Callers without a name of their own could cancel each other's calls. */
        if (is_cancel)
                return allow_rule_names(rule, topic->caller);
        return (rule->others || allow_rule_names(rule, topic->caller)) &&
               list_matches(&rule->methods, topic->name);
}

const AllowRule *policy_find_allow(const Policy *policy, const Topic *topic)
{
        const AllowRule *other = NULL;

        for (size_t i = 0; i < policy->n_allow; i++) {
                const AllowRule *rule = &policy->allow[i];

                if (!allow_matches(rule, topic))
                        continue;
                if (allow_rule_names(rule, topic->caller))
                        return rule;
                if (!other)
                        other = rule;
        }
        return other;
}

bool policy_admits_others(const Policy *policy)
{
        for (size_t i = 0; i < policy->n_allow; i++)
                if (policy->allow[i].others)
                        return true;
        return false;
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(list[i], text) == 0)
                        return true;
        return false;
}

int policy_list_callers(const Policy *policy, const char ***ret_callers, size_t *ret_count)
{
        size_t n_most = 1, count = 0;
        const char **callers;

        for (size_t i = 0; i < policy->n_allow; i++)
                n_most += policy->allow[i].callers.count;
        callers = calloc(n_most, sizeof(*callers));
        if (!callers)
                return -ENOMEM;
        for (size_t i = 0; i < policy->n_allow; i++)
                for (size_t j = 0; j < policy->allow[i].callers.count; j++)
                        if (!is_listed(callers, count, policy->allow[i].callers.items[j]))
                                callers[count++] = policy->allow[i].callers.items[j];
        *ret_callers = callers;
        *ret_count = count;
        return 0;
}
