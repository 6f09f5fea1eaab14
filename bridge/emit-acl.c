/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/emit.h"

const char *emit_level(const char *pattern)
{
        return pattern_is_name(pattern) ? pattern : "+";
}

bool emit_is_exact(const char *pattern)
{
        return pattern_is_name(pattern) || strcmp(pattern, "*") == 0;
}

static bool names(const WordList *list, const char *word)
{
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i], word) == 0)
                        return true;
        return false;
}

/* ---- lines ---- */

/* Mosquitto has no wildcards within a level: what the policy has is said beside the line. */
static void write_grant(Buffer *out, const char *kind, const char *prefix, const AllowRule *rule,
                        const char *method, const char *caller)
{
        if (!emit_is_exact(rule->service) || !emit_is_exact(rule->object) || !emit_is_exact(method))
                buffer_printf(out, "# only %s of %s/%s, says the policy of the bridge\n", method,
                              rule->service, rule->object);
        buffer_printf(out, "%s write %s/%s/%s/call/%s/%s\n", kind, prefix,
                      emit_level(rule->service), emit_level(rule->object), emit_level(method),
                      caller);
}

static void write_grants(Buffer *out, const char *kind, const char *prefix, const AllowRule *rule,
                         const char *caller, bool may_cancel)
{
        bool any = false;

        for (size_t i = 0; i < rule->methods.count; i++) {
                write_grant(out, kind, prefix, rule, rule->methods.items[i], caller);
                any = any || !pattern_is_name(rule->methods.items[i]);
        }
        if (may_cancel && !any)
                write_grant(out, kind, prefix, rule, "rpc.cancel", caller);
}

/* What is public, each line once: for rules and services that have it. */
static void write_reads(Buffer *out, const Policy *policy)
{
        const char *prefix = policy->prefix;

        buffer_printf(out, "pattern read %s/$node\n", prefix);
        buffer_printf(out, "pattern read %s/%s/-/sig/rpc.gap\n", prefix, policy->name);
        for (size_t i = 0; i < policy->n_publish; i++) {
                const PublishRule *rule = &policy->publish[i];
                const char *service = emit_level(rule->service), *object = emit_level(rule->object);

                buffer_printf(out, "pattern read %s/%s/$state\npattern read %s/%s/$api\n", prefix,
                              service, prefix, service);
                buffer_printf(out, "pattern read %s/%s/%s/$meta\n", prefix, service, object);
                for (size_t j = 0; j < rule->properties.count; j++)
                        buffer_printf(out, "pattern read %s/%s/%s/prop/%s\n", prefix, service,
                                      object, emit_level(rule->properties.items[j]));
                for (size_t j = 0; j < rule->signals.count; j++)
                        buffer_printf(out, "pattern read %s/%s/%s/sig/%s\n", prefix, service,
                                      object, emit_level(rule->signals.items[j]));
        }
}

/* ---- documents ---- */

int emit_acl(const Policy *policy, Buffer *out)
{
        CLEANUP_FREE const char **callers = NULL;
        const char *prefix = policy->prefix;
        size_t count = 0;
        int r;

        r = policy_list_callers(policy, &callers, &count);
        if (r < 0)
                return r;
        buffer_printf(out,
                      "# Lines for the acl_file of the broker in the cloud: what the bridge of %s "
                      "may do\n# there, and which users may do what with it.\n\n",
                      policy->node);
        buffer_printf(out, "# Everybody who has logged in reads what the bridge publishes.\n");
        write_reads(out, policy);
        if (policy_admits_others(policy)) {
                buffer_printf(out, "\n# Everybody may call these.\n");
                buffer_printf(out, "pattern read %s/+/+/call/+/%%u/+\n", prefix);
                for (size_t i = 0; i < policy->n_allow; i++)
                        if (policy->allow[i].others)
                                write_grants(out, "pattern", prefix, &policy->allow[i], "%u",
                                             false);
        }
        buffer_printf(out, "\n# The bridge itself.\nuser %s\ntopic readwrite %s/#\n",
                      policy->cloud.user ? policy->cloud.user : policy->cloud.client_id, prefix);
        for (size_t i = 0; i < count; i++) {
                buffer_printf(out, "\nuser %s\ntopic read %s/+/+/call/+/%s/+\n", callers[i], prefix,
                              callers[i]);
                for (size_t j = 0; j < policy->n_allow; j++)
                        if (names(&policy->allow[j].callers, callers[i]))
                                write_grants(out, "topic", prefix, &policy->allow[j], callers[i],
                                             true);
        }
        return buffer_status(out);
}

static void write_local_caller(Buffer *out, const Policy *policy, const char *caller, bool others)
{
        CLEANUP_FREE char *name = NULL;

        if (asprintf(&name, "cloud.%s", caller) < 0) {
                name = NULL;
                out->status = -ENOMEM;
                return;
        }
        buffer_printf(out, "\ntopic read %s/+/+/call/+/%s/+\n", policy->root, name);
        for (size_t i = 0; i < policy->n_allow; i++) {
                const AllowRule *rule = &policy->allow[i];

                if (others ? rule->others : names(&rule->callers, caller))
                        write_grants(out, "topic", policy->root, rule, name, !others);
        }
}

int emit_local_acl(const Policy *policy, Buffer *out)
{
        CLEANUP_FREE const char **callers = NULL;
        size_t count = 0;
        int r;

        r = policy_list_callers(policy, &callers, &count);
        if (r < 0)
                return r;
        buffer_printf(out,
                      "# Lines for the acl_file of the local broker, beside those of mqttrpc.acl: "
                      "its own\n# service, and the calls that it makes for the cloud.\n\n");
        buffer_printf(out, "user %s\ntopic readwrite %s/%s/#\n",
                      policy->local.user ? policy->local.user : "bridge", policy->root,
                      policy->name);
        for (size_t i = 0; i < count; i++)
                write_local_caller(out, policy, callers[i], false);
        if (policy_admits_others(policy))
                write_local_caller(out, policy, "other", true);
        return buffer_status(out);
}
