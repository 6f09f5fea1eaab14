/* SPDX-License-Identifier: MIT */
#pragma once

/* What may cross the bridge, compiled from a policy file (policy-load.h): which topics go up, and
 * who in the cloud may call what. Deny is the default. Looking up is pure and is done for each
 * message: that something was subscribed proves nothing. */

#include <stdint.h>

#include "bridge/address.h"
#include "bridge/names.h"
#include "bridge/quirks.h"
#include "bridge/rate.h"

/* One of the two brokers. All owned. */
typedef struct Endpoint {
        char *uri;
        Address address;
        char *user;
        char *password_file;
        char *ca_file;
        char *cert_file;
        char *key_file;
        char *alpn;
        char *psk_identity;
        char *psk_file; /* the key in hex digits */
        char *client_id;
        unsigned keepalive_s;
        bool insecure; /* plain TCP beyond the machine is meant */
        int protocol;  /* 0: MQTT 5, 1: 3.1.1 */
} Endpoint;

typedef struct WordList {
        char **items; /* owned */
        size_t count;
} WordList;

typedef struct PublishRule {
        char *service; /* pattern */
        char *object;  /* pattern */
        WordList properties;
        WordList signals;
        unsigned qos;
        bool retain;
        uint64_t min_interval_usec;
        bool on_demand;
} PublishRule;

typedef struct AllowRule {
        char *service;
        char *object;
        WordList methods;
        WordList callers; /* names */
        bool others;      /* callers that are not named, as cloud.other */
        unsigned rate_per_minute;
        unsigned max_bytes;
        uint64_t timeout_usec;
} AllowRule;

typedef struct Queue {
        char *path;
        unsigned max_mib;
        unsigned max_age_hours;
        int drop; /* 0: the oldest, 1: the newest */
} Queue;

typedef struct Policy {
        char *node;
        char *root;
        char *name;   /* the bridge's own service */
        char *prefix; /* {node}/{root} */
        Endpoint local;
        Endpoint cloud;
        PublishRule *publish;
        size_t n_publish;
        AllowRule *allow;
        size_t n_allow;
        bool allow_any_service; /* patterns for services in `allow` are meant */
        Queue queue;
        RateLimits rate;
        int quirks_index;
        Quirks quirks; /* narrowed by the file */
        int log_level;
        char *audit_file; /* NULL: only the log */
} Policy;

Policy *policy_free(Policy *policy);
DEFINE_CLEANUP(Policy *, policy_free, policy_cleanup)
#define CLEANUP_POLICY CLEANUP(policy_cleanup)

/* The rule by which a message with this topic goes up; NULL: none. For state that belongs to a
 * service as a whole, any rule of the service. */
const PublishRule *policy_find_publish(const Policy *policy, const Topic *topic);
/* The same, for a service that is not known further. */
bool policy_publishes_service(const Policy *policy, Span service);

/* The rule by which `caller` may call that; NULL: none. Cancelling is allowed to whoever is named
 * for some method of the object. */
const AllowRule *policy_find_allow(const Policy *policy, const Topic *topic);
/* Whether the rule names the caller, so that he has a name of his own at the local broker. */
bool allow_rule_names(const AllowRule *rule, Span caller);

/* Appends all cloud callers that rules name, each once; the texts are borrowed. -ENOMEM. */
int policy_list_callers(const Policy *policy, const char ***ret_callers, size_t *ret_count);
/* Whether some rule lets callers in that are not named. */
bool policy_admits_others(const Policy *policy);
