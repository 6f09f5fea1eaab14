/* SPDX-License-Identifier: MIT */

#include "bridge/filters.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool filters_has(const Filters *filters, const char *filter)
{
        for (size_t i = 0; i < filters->count; i++)
                if (strcmp(filters->items[i], filter) == 0)
                        return true;
        return false;
}

int filters_add(Filters *filters, const char *filter)
{
        char **items;

        if (filters_has(filters, filter))
                return 0;
        items = reallocarray(filters->items, filters->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        filters->items = items;
        items[filters->count] = strdup(filter);
        if (!items[filters->count])
                return -ENOMEM;
        filters->count++;
        return 0;
}

int filters_printf(Filters *filters, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        va_end(arguments);
        return text ? filters_add(filters, text) : -ENOMEM;
}

void filters_done(Filters *filters)
{
        for (size_t i = 0; i < filters->count; i++)
                free(filters->items[i]);
        free(filters->items);
        *filters = (Filters){};
}

bool filters_need_discovery(const Policy *policy)
{
        for (size_t i = 0; i < policy->n_publish; i++)
                if (!pattern_is_name(policy->publish[i].service))
                        return true;
        return false;
}

int filters_list_services(const Policy *policy, Filters *names)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < policy->n_publish; i++)
                if (pattern_is_name(policy->publish[i].service))
                        r = filters_add(names, policy->publish[i].service);
        return r;
}

int filters_for_signals(const Policy *policy, Filters *filters)
{
        bool any = false;
        int r = 0;

        for (size_t i = 0; i < policy->n_publish; i++)
                any = any || (policy->publish[i].signals.count > 0 &&
                              !pattern_is_name(policy->publish[i].service));
        if (any)
                return filters_printf(filters, "%s/+/+/sig/+", policy->root);
        for (size_t i = 0; r >= 0 && i < policy->n_publish; i++)
                if (policy->publish[i].signals.count > 0)
                        r = filters_printf(filters, "%s/%s/+/sig/+", policy->root,
                                           policy->publish[i].service);
        return r;
}

int filters_for_service(const Policy *policy, const char *service, Filters *filters)
{
        int r = 0;

        if (!filters_need_discovery(policy))
                r = filters_printf(filters, "%s/%s/$state", policy->root, service);
        if (r >= 0)
                r = filters_printf(filters, "%s/%s/$api", policy->root, service);
        if (r >= 0)
                r = filters_printf(filters, "%s/%s/+/prop/+", policy->root, service);
        if (r >= 0)
                r = filters_printf(filters, "%s/%s/+/$meta", policy->root, service);
        return r;
}

int filters_for_kept(const Policy *policy, Filters *filters)
{
        static const char *const tails[] = {"+/$state", "+/$api", "+/+/$meta", "+/+/prop/+"};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(tails); i++)
                r = filters_printf(filters, "%s/%s", policy->prefix, tails[i]);
        if (r >= 0)
                r = filters_printf(filters, "%s/%s/$mark", policy->prefix, policy->name);
        return r;
}

int filters_for_calls(const Policy *policy, Filters *filters)
{
        int r;

        r = filters_printf(filters, "%s/+/+/call/+/+", policy->prefix);
        return r < 0 ? r : filters_printf(filters, "%s/+/+/rpc/+", policy->prefix);
}
