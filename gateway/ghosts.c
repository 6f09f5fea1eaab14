/* SPDX-License-Identifier: MIT */

#include "gateway/ghosts.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "common/log.h"
#include "common/util.h"

typedef struct Ghost {
        MqttRpcSlot *slot;
        bool is_cleared;
        struct Ghost *next;
        char name[];
} Ghost;

struct Ghosts {
        MqttRpcBus *bus;
        const char *host;
        MqttRpcSlot *watch;
        Ghost *list; /* those that are taken over now */
};

static int refuse(MqttRpcRequest *request, void *userdata, MqttRpcError **ret_error)
{
        return mqttrpc_error_set(ret_error, MQTTRPC_ERROR_UNAVAILABLE,
                                 "the gateway no longer serves this");
}

static void give_up(Ghosts *ghosts, Ghost *ghost)
{
        LL_DELETE(ghosts->list, ghost);
        mqttrpc_slot_unref(ghost->slot);
        free(ghost);
}

static void take_over(Ghosts *ghosts, const char *name)
{
        size_t length = strlen(name);
        Ghost *ghost;

        ghost = calloc(1, sizeof(*ghost) + length + 1);
        if (!ghost)
                return; /* the next start will find it */
        memcpy(ghost->name, name, length);
        LL_PREPEND(ghosts->list, ghost);
        if (mqttrpc_add_fallback(ghosts->bus, &ghost->slot, name, refuse, NULL, NULL) < 0 ||
            mqttrpc_service_set_state(ghosts->bus, name, MQTTRPC_SERVICE_OFFLINE) < 0) {
                give_up(ghosts, ghost);
                return;
        }
        log_info("clearing what is left of the service '%s', which is not mapped any more", name);
}

static Ghost *find(const Ghosts *ghosts, const char *name)
{
        Ghost *ghost;

        LL_FOREACH (ghosts->list, ghost)
                if (!strcmp(ghost->name, name))
                        return ghost;
        return NULL;
}

static bool is_ended(MqttRpcServiceState state)
{
        return state == MQTTRPC_SERVICE_OFFLINE || state == MQTTRPC_SERVICE_LOST;
}

/* Not what this process has said itself, as of a service that it has just given up. */
static bool is_of_predecessor(const Ghosts *ghosts, const MqttRpcServiceEvent *event)
{
        const char *details = mqttrpc_service_event_get_details(event, NULL);
        const char *epoch = mqttrpc_service_get_epoch(ghosts->bus, ghosts->host);

        return details && epoch && !strstr(details, epoch) &&
               !strcmp(mqttrpc_service_event_get_host(event), ghosts->host);
}

/* What we have said ourselves of a ghost comes when its objects have been cleared. */
static void on_service(const MqttRpcServiceEvent *event, void *userdata)
{
        const char *name = mqttrpc_service_event_get_service(event), *epoch;
        Ghosts *ghosts = userdata;
        Ghost *ghost = find(ghosts, name);

        epoch = mqttrpc_service_get_epoch(ghosts->bus, name);
        if (ghost && epoch && !strcmp(epoch, mqttrpc_service_event_get_epoch(event)))
                ghost->is_cleared = true;
        if (!ghost && !epoch && is_of_predecessor(ghosts, event) &&
            is_ended(mqttrpc_service_event_get_state(event)))
                take_over(ghosts, name);
}

int ghosts_new(MqttRpcBus *bus, const char *host, Ghosts **ret_ghosts)
{
        Ghosts *ghosts;
        int r;

        ghosts = calloc(1, sizeof(*ghosts));
        if (!ghosts)
                return -ENOMEM;
        ghosts->bus = bus;
        ghosts->host = host;
        r = mqttrpc_watch_service(bus, &ghosts->watch, NULL, on_service, ghosts, NULL);
        if (r < 0) {
                free(ghosts);
                return r;
        }
        *ret_ghosts = ghosts;
        return 0;
}

void ghosts_yield(Ghosts *ghosts, const char *name)
{
        Ghost *ghost = find(ghosts, name);

        if (ghost)
                give_up(ghosts, ghost);
}

void ghosts_process(Ghosts *ghosts)
{
        Ghost *ghost, *next;

        LL_FOREACH_SAFE (ghosts->list, ghost, next)
                if (ghost->is_cleared)
                        give_up(ghosts, ghost);
}

Ghosts *ghosts_free(Ghosts *ghosts)
{
        if (!ghosts)
                return NULL;
        mqttrpc_slot_unref(ghosts->watch);
        while (ghosts->list)
                give_up(ghosts, ghosts->list);
        free(ghosts);
        return NULL;
}
