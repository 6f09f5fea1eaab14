/* SPDX-License-Identifier: MIT */
#pragma once

/* A policy with the rules that a test is about. */

#include "bridge/policy-load.h"

#include <glib.h>
#include <string.h>

/* `members`: more of the policy, each with a comma in front. */
static inline Policy *load_policy(const char *members)
{
        g_autofree char *text =
                g_strdup_printf("{\"node\":\"dev1\",\"local\":{\"uri\":\"unix:///l\"},"
                                "\"cloud\":{\"uri\":\"mqtt://127.0.0.1:1999\"}%s}",
                                members);
        CLEANUP_DIAGNOSTICS Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r;

        r = policy_parse("policy", text, strlen(text), &diagnostics, &policy);
        if (r < 0)
                g_error("%s", diagnostics.count > 0 ? diagnostics.items[0].text : "no reason");
        return policy;
}
