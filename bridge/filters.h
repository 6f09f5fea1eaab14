/* SPDX-License-Identifier: MIT */
#pragma once

/* Lists of topic filters, and which ones a policy needs. One for each class of topics and service;
 * a policy with patterns for services needs one for all. They never overlap, since brokers may
 * deliver a message once for each that fits. */

#include "bridge/policy.h"

typedef struct Filters {
        char **items; /* owned */
        size_t count;
} Filters;

/* Adds a copy, unless it is there. -ENOMEM. */
int filters_add(Filters *filters, const char *filter);
int filters_printf(Filters *filters, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool filters_has(const Filters *filters, const char *filter);
void filters_done(Filters *filters);
#define CLEANUP_FILTERS CLEANUP(filters_done)

/* The signals that go up, as seen by the local broker. */
int filters_for_signals(const Policy *policy, Filters *filters);
/* What the local broker keeps of one service. */
int filters_for_service(const Policy *policy, const char *service, Filters *filters);
/* The services that the policy publishes by name. */
int filters_list_services(const Policy *policy, Filters *names);
/* Whether services are published that only their $state can make known. */
bool filters_need_discovery(const Policy *policy);
/* What the cloud keeps of us, and what it may send us. */
int filters_for_kept(const Policy *policy, Filters *filters);
int filters_for_calls(const Policy *policy, Filters *filters);
