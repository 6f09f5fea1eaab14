/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bridge/emit.h"
#include "bridge/policy-load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is allowed by its names is found by them, and for that caller. */
static void check_allow(const Policy *policy, const AllowRule *rule)
{
        CLEANUP_FREE char *rest = NULL;
        const AllowRule *found;
        Topic topic;

        if (!pattern_is_name(rule->service) || !pattern_is_name(rule->object) ||
            !pattern_is_name(rule->methods.items[0]) || rule->callers.count == 0)
                return;
        if (asprintf(&rest, "%s/%s/call/%s/%s", rule->service, rule->object, rule->methods.items[0],
                     rule->callers.items[0]) < 0)
                abort();
        /* A pattern may have names that are longer than those of a topic. */
        if (topic_parse(rest, &topic) < 0)
                return;
        found = policy_find_allow(policy, &topic);
        if (!found || !allow_rule_names(found, topic.caller))
                abort();
        topic.caller = (Span){"nobody-whom-a-rule-names", 24};
        found = policy_find_allow(policy, &topic);
        if (found && !found->others && !allow_rule_names(found, topic.caller))
                abort();
}

/* Every line is one that was meant: no text of the policy begins a line of its own. */
static void check_lines(const Buffer *buffer)
{
        static const char *const starts[] = {
                "#",     "\n",          "pattern read ",    "pattern write ",
                "user ", "topic read ", "topic readwrite ", "topic write "};
        const char *line = buffer_text(buffer);

        while (*line) {
                size_t i = 0, length = strcspn(line, "\n");

                while (i < ARRAY_SIZE(starts) && strncmp(line, starts[i], strlen(starts[i])) != 0)
                        i++;
                if (i == ARRAY_SIZE(starts))
                        abort();
                line += length + (line[length] == '\n');
        }
}

static void check_emitted(const Policy *policy)
{
        CLEANUP_BUFFER Buffer acl = BUFFER_INIT(0);
        CLEANUP_BUFFER Buffer local = BUFFER_INIT(0);
        CLEANUP_BUFFER Buffer bridge = BUFFER_INIT(0);
        int r;

        if (emit_acl(policy, &acl) < 0 || emit_local_acl(policy, &local) < 0)
                abort();
        check_lines(&acl);
        check_lines(&local);
        r = emit_mosquitto(policy, &bridge);
        if (r < 0 && r != -EINVAL)
                abort();
}

/* A policy is taken, and then sound in itself, or refused with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_DIAGNOSTICS Diagnostics list = {};
        CLEANUP_POLICY Policy *policy = NULL;
        int r;

        r = policy_parse("/nonexistent/x.json", (const char *)data, size, &list, &policy);
        if ((r < 0) != (list.n_errors > 0) || (r < 0) != !policy)
                abort();
        if (!policy)
                return 0;
        for (size_t i = 0; i < policy->n_allow; i++)
                check_allow(policy, &policy->allow[i]);
        check_emitted(policy);
        return 0;
}
