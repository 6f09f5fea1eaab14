/* SPDX-License-Identifier: MIT */

#include "gateway/served.h"

#include <errno.h>
#include <string.h>

/* Mappings that name the system bus, or none, mean the bus of the settings. */
static const char *bus_of(const Served *served)
{
        const char *bus = served->mapping->bus;

        return bus && strcmp(bus, "system") != 0 ? bus : served->host->bus;
}

/* ---- either side ---- */

static int exposes_new(Served *served, Error **ret_error)
{
        const ServedHost *host = served->host;
        ExposeInstancesOptions options = {
                .mapping = served->mapping,
                .mappings = host->mappings,
                .address = bus_of(served),
                .event = host->event,
                .mqtt = host->mqtt,
                .scratch = host->scratch,
                .usage = host->usage,
                .ghosts = host->ghosts,
                .own_name = host->name,
                .reconnect_max_usec = host->reconnect_max_usec,
                .on_change = host->on_change,
                .userdata = host->userdata,
        };

        return expose_instances_new(&options, &served->exposes, ret_error);
}

static int facades_new(Served *served, Error **ret_error)
{
        FacadeSetOptions options = {
                .mapping = served->mapping,
                .address = bus_of(served),
                .event = served->host->event,
                .bus = served->host->mqtt,
                .scratch = served->host->scratch,
                .on_change = served->host->on_change,
                .userdata = served->host->userdata,
        };

        return facade_set_new(&options, &served->facades, ret_error);
}

/* ---- life ---- */

int served_check(const ServedHost *host, const MappingService *mapping, Error **ret_error)
{
        if (!strcmp(mapping->name, host->name))
                return error_set(ret_error, -EEXIST, "%s: '%s' is the gateway's own service name",
                                 mapping->file, mapping->name);
        if (mapping->provider == MAPPING_PROVIDER_AUTO)
                return error_set(ret_error, -EOPNOTSUPP,
                                 "%s: services that either side may provide are not available in "
                                 "this version",
                                 mapping->file);
        return 0;
}

int served_new(const ServedHost *host, MappingService *mapping, Served **ret_served,
               Error **ret_error)
{
        Served *served;
        int r;

        r = served_check(host, mapping, ret_error);
        if (r < 0)
                return r;
        served = calloc(1, sizeof(*served));
        if (!served)
                return -ENOMEM;
        served->host = host;
        served->mapping = mapping;
        r = mapping->provider == MAPPING_PROVIDER_MQTT ? facades_new(served, ret_error)
                                                       : exposes_new(served, ret_error);
        if (r < 0) {
                served_free(served);
                return r;
        }
        *ret_served = served;
        return 0;
}

Served *served_free(Served *served)
{
        if (!served)
                return NULL;
        expose_instances_free(served->exposes);
        facade_set_free(served->facades);
        free(served);
        return NULL;
}

int served_open(Served *served)
{
        int r = 0;

        if (served->exposes)
                r = expose_instances_open(served->exposes);
        return r >= 0 && served->facades ? facade_set_open(served->facades) : r;
}

/* ---- at run time ---- */

void served_count(const Served *served, ServedCount *count)
{
        ExposeInstancesCount exposes = {};
        FacadeSetCount facades = {};

        if (served->exposes)
                expose_instances_count(served->exposes, &exposes);
        if (served->facades)
                facade_set_count(served->facades, &facades);
        count->services += exposes.services + facades.facades;
        count->links += exposes.links + facades.facades;
        count->connected += exposes.connected + facades.connected;
        count->tried += exposes.tried + facades.tried;
        count->calls += exposes.calls + facades.calls;
}

bool served_process(Served *served)
{
        bool any = served->exposes && expose_instances_process(served->exposes);

        return (served->facades && facade_set_process(served->facades)) || any;
}

void served_review(Served *served)
{
        if (served->exposes)
                expose_instances_review(served->exposes);
}

void served_yield(Served *served)
{
        if (served->exposes)
                expose_instances_yield(served->exposes);
}

void served_claim(Served *served)
{
        if (served->exposes)
                expose_instances_claim(served->exposes);
}
