/* SPDX-License-Identifier: MIT */

#include "libmqttrpc/leaving.h"

#include <string.h>
#include <utlist.h>

#include "libmqttrpc/presence.h"

struct Leaving {
        uint64_t until;                       /* so many answers of the broker have come */
        char epoch[SERVICE_EPOCH_LENGTH + 1]; /* of the service */
        struct Leaving *next;
        size_t length;
        char name[];
};

void leaving_add(MqttRpcBus *bus, const Service *service)
{
        size_t length = strlen(service->name);
        Leaving *leaving;

        if (bus->n_unsubscribed == bus->n_unsubscribing)
                return;
        leaving = calloc(1, sizeof(*leaving) + length + 1);
        if (!leaving)
                return;
        leaving->until = bus->n_unsubscribing;
        leaving->length = length;
        memcpy(leaving->epoch, service->epoch, sizeof(leaving->epoch));
        memcpy(leaving->name, service->name, length);
        LL_APPEND(bus->leaving, leaving);
}

/* Who has taken over meanwhile answers what has come since. */
static bool has_successor(const MqttRpcBus *bus, const Leaving *leaving)
{
        const Presence *presence = presence_find(bus, leaving->name, leaving->length);

        return presence && presence->known && presence_is_up(presence) &&
               strcmp(presence->epoch, leaving->epoch) != 0;
}

bool leaving_has(const MqttRpcBus *bus, TextSpan name)
{
        const Leaving *leaving;

        LL_FOREACH (bus->leaving, leaving)
                if (leaving->length == name.length && !memcmp(leaving->name, name.at, name.length))
                        return !has_successor(bus, leaving);
        return false;
}

static void drop_first(MqttRpcBus *bus)
{
        Leaving *leaving = bus->leaving;

        LL_DELETE(bus->leaving, leaving);
        free(leaving);
}

void leaving_on_unsubscribing(MqttRpcBus *bus)
{
        bus->n_unsubscribing++;
}

void leaving_on_unsubscribed(MqttRpcBus *bus)
{
        bus->n_unsubscribed++;
        while (bus->leaving && bus->leaving->until <= bus->n_unsubscribed)
                drop_first(bus);
}

void leaving_clear(MqttRpcBus *bus)
{
        bus->n_unsubscribing = bus->n_unsubscribed = 0;
        while (bus->leaving)
                drop_first(bus);
}
